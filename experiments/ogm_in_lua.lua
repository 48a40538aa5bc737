-- A rebalancing method written in Lua: OGM (Peng et al., CVPR 2022) through the same extension points as the built-in one.
-- Both give the same bits.
--
--   bss-lua experiments/ogm_in_lua.lua
local bss = require "bss"

local p = bss.params{ epochs = 8, alpha = 0.3, batch_size = 64, seed = 1 }
local data = bss.data.synthetic{ samples = 1200 }

-- Σ_i softmax(z_i)[y_i]; labels are class positions, counted from 1 as positions in tensors are.
local function score(z, labels)
  return z:detach():softmax{ axis = 2 }:gather(2, labels:reshape{ -1, 1 }):sum():item()
end

local function ogm(alpha)
  return bss.rebalance.custom{
    label = "ogm in Lua", base = "fused",
    grads = function(ctx, grads, out, labels)
      local names, logits, scores = ctx.modalities, ctx:unimodal(out, "slice"), {}
      for m, name in ipairs(names) do scores[m] = score(logits[name], labels) end
      local changed = {}
      for m, name in ipairs(names) do
        local ratio = 0
        for j = 1, #names do if j ~= m then ratio = ratio + scores[m] / scores[j] end end
        ratio = ratio / (#names - 1)
        if ratio > 1 then
          local k = 2 / (math.exp(2 * alpha * ratio) + 1)               -- 1 - tanh(alpha ratio)
          local slowed = {}
          for parameter, g in pairs(grads["encoder." .. name]) do slowed[parameter] = g * k end
          changed["encoder." .. name] = slowed
        end
      end
      return changed
    end,
  }
end

local function train(name, rebalance)
  return bss.train{
    name = name, data = data, epochs = p.epochs, batch_size = p.batch_size, seed = p.seed, rebalance = rebalance,
    optimizer = bss.optimizer.sgd{ learning_rate = 0.02, momentum = 0.9, weight_decay = 1e-4 },
  }
end

local built_in, in_lua = train("ogm", bss.rebalance.ogm{ alpha = p.alpha }), train("ogm in Lua", ogm(p.alpha))
print("built in:", built_in.parameters_hash, built_in.result.last.test.total.accuracy, ("%.2f s"):format(built_in.seconds))
print("in Lua:  ", in_lua.parameters_hash, in_lua.result.last.test.total.accuracy, ("%.2f s"):format(in_lua.seconds))
assert(built_in.parameters_hash == in_lua.parameters_hash, "the two differ")
print("the same bits")
