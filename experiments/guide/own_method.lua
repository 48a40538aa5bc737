-- %% [markdown] tags=["tutorial", "4"]
-- # Your own method
--
-- A rebalancing method changes losses or gradients so that the weak modality learns. Built-in methods and those written in Lua hook into
-- the one training loop at the same seven points: `setup`, `epoch`, `plan`, `loss`, `step`, `grads`, `predict`.
--
-- ## The idea
-- We slow the encoder of the modality that is ahead: its gradient is multiplied by 1 − tanh(α r) where r > 1, the ratio of the
-- probabilities that both sides give the right class. This is OGM (Peng et al., CVPR 2022) in outline.

-- %%
local data = bss.data.synthetic{ samples = 900, seed = 5 }

-- %% [markdown]
-- `grads[scope][parameter]` are tensors; what the hook returns replaces them, what it leaves out stays. `ctx` says where training is
-- (`ctx.epoch`, `ctx.step`, `ctx.modalities`) and gives unimodal logits of a batch.

-- %%
local function slowed(alpha)
  return bss.rebalance.custom{
    label = "slowed", base = "fused",
    grads = function(ctx, grads, out, labels)
      local logits, right = ctx:unimodal(out, "slice"), {}
      for i, name in ipairs(ctx.modalities) do
        right[i] = logits[name]:detach():softmax{ axis = 2 }:gather(2, labels:reshape{ -1, 1 }):sum():item()
      end
      local changed = {}
      for i, name in ipairs(ctx.modalities) do
        local ratio = right[i] / right[3 - i]
        if ratio > 1 then
          local factor, scope = 2 / (math.exp(2 * alpha * ratio) + 1), {}
          for parameter, g in pairs(grads["encoder." .. name]) do scope[parameter] = g * factor end
          changed["encoder." .. name] = scope
        end
      end
      return changed
    end,
  }
end

local function train(rebalance)
  return bss.train{
    data = data, epochs = 6, batch_size = 64, seed = 1, record = false, rebalance = rebalance,
    optimizer = bss.optimizer.sgd{ learning_rate = 2e-2, momentum = 0.9 },
  }
end
local plain, ours = train "none", train(slowed(0.3))
print("plain ", plain.result.last.test.total.accuracy)
print("slowed", ours.result.last.test.total.accuracy)
--> plain 	0.85555555555556
--> slowed	0.82592592592593
--= {"kind":"text"}

-- %% [markdown]
-- The built-in method trains to the same bits: nothing is lost by writing it in Lua but a little time.

-- %%
print(ours.parameters_hash == train(bss.rebalance.ogm{ alpha = 0.3 }).parameters_hash)
--> true
--= {"kind":"text"}

-- %% [markdown]
-- ## Mistakes are named
-- A hook that returns something else than it may is an error with the hook's name and what it should return.

-- %%
local ok, message = pcall(train, bss.rebalance.custom{ loss = function() return "low" end })
print(ok, (tostring(message):match("the hook 'loss'.-returned [^\n]*"):gsub(" at [^ ]*", "")))
--> false	the hook 'loss' returned string "low" (function(ctx, out, labels): labels are class positions from 1; returns a tensor [B] or a scalar, or a table of such terms by name, each also { tensor, weight })
--= {"kind":"text"}
