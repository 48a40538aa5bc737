-- Where does the order of samples matter at all? A map that the paper lacks.
--
-- Tests: accuracy of BSS-H and BSS-L against a uniform order, same losses, inference and number of samples, over
-- (share of mismatched samples × length of training × noise of the weak modality); data, split, initial parameters and
-- order all vary with the seed, and pairs share them. Then a control that must help: training labels that are wrong,
-- and self-paced learning that admits the share of right ones, by their losses.
-- Takes: 2370 trainings of 0.1 s on average with one thread; -j N shares them. Expect: BSS within the noise nearly everywhere,
-- the control above the uniform order as soon as labels are wrong.
--
--   bss-lua experiments/phase.lua -j 2 [--smoke] [--set epochs=5,20,60]
local bss = require "bss"

local p = bss.params{
  samples = 1300, mismatched = { 0.0, 0.1, 0.2, 0.3, 0.4 }, epochs = { 3, 5, 10, 20, 45 }, weak_noise = { 0.1, 0.2, 0.4 },
  label_noise = { 0.0, 0.1, 0.2, 0.4 }, batch_size = 64, learning_rate = 0.02, alpha = 0.2, seeds = 10,
  smoke = {
    samples = 300, mismatched = { 0.0, 0.4 }, epochs = { 2, 4 }, weak_noise = { 0.2 }, label_noise = { 0.0, 0.4 }, seeds = 2,
  },
}
local methods = require "lib.methods"

local function data(arm, seed)
  return bss.data.synthetic{
    samples = p.samples, imbalanced = arm.mismatched or 0, imbalance = "mismatched", label_noise = arm.label_noise or 0,
    modalities = { strong = { dim = 100, noise = 0.29 }, weak = { dim = 74, noise = arm.weak_noise or 0.2, speed = 0.4 } },
    seed = seed,
  }
end

-- Samples are counted, not epochs: an order that begins with a part of them trains for more epochs.
local function train(arm, seed, epochs, scheduler)
  local set = data(arm, seed)
  local encoder = bss.encoder.mlp{ hidden = { 64 } }
  return bss.train{
    name = arm.name, data = set, model = bss.model{ strong = encoder, weak = encoder, fusion = "concat" },
    sample_budget = epochs * #set.train, epochs = 3 * epochs, batch_size = p.batch_size, seed = seed,
    rebalance = "joint", alpha = p.alpha, scheduler = scheduler,
    optimizer = bss.optimizer.sgd{ learning_rate = p.learning_rate, momentum = 0.9, weight_decay = 1e-4 },
  }
end

local orders = {
  uniform = function() return bss.scheduler.random{} end,
  ["BSS-H"] = function(epochs) return methods(epochs, 2).heuristic() end,
  ["BSS-L"] = function(epochs) return methods(epochs, 2).learned() end,
}
local map = bss.experiment{
  name = "phase", title = "Order of samples, accuracy", params = p, seeds = p.seeds,
  arms = bss.sweep{
    cross = {
      order = { "uniform", "BSS-H", "BSS-L" }, mismatched = p.mismatched, epochs = p.epochs, weak_noise = p.weak_noise,
    },
  },
  metrics = { "test.total.accuracy" }, facts = { "samples" },
  claims = { bss.claim{ id = "map", text = "the numbers of the map come out again", metric = "test.total.accuracy" } },
  run = function(_, arm, seed) return train(arm, seed, arm.epochs, orders[arm.order](arm.epochs)) end,
}

local function show(figure, name)
  print(figure)
  if map.figures then figure:save(map.figures .. "/" .. name) end
end
for _, order in ipairs{ "BSS-H", "BSS-L" } do
  for _, noise in ipairs(p.weak_noise) do
    show(map:plot{
      kind = "heatmap", x = "epochs", y = "mismatched", only = { order = order, weak_noise = noise },
      against = { order = "uniform" }, title = ("%s, weak modality with noise %g"):format(order, noise),
    }, ("phase-%s-%g"):format(order, noise))
  end
end
show(map:plot{
  kind = "response", x = "epochs", y = "order", against = { order = "uniform" },
  title = "What order is worth, over the length of training",
}, "phase-length")

local longest = p.epochs[#p.epochs]
-- All samples first, then ever more of those with large losses left out, until the share of right labels stays
-- (Han et al., Co-teaching, NeurIPS 2018); of every class some (Jiang et al., NeurIPS 2014), else hard classes go first.
local function self_paced(arm)
  local fall = math.max(1, longest / 5)
  return bss.scheduler.self_paced{
    diversity = 2,
    pace = bss.pace.custom(function(t) return 1 - arm.label_noise * math.min(1, t / fall) end),
  }
end
-- The instrument can tell a curriculum that helps from one that does not.
local helps = {}
for _, share in ipairs(p.label_noise) do
  if share > 0 then
    helps[#helps + 1] = bss.claim{
      id = ("control.%g"):format(share), metric = "test.total.accuracy",
      text = ("with a share of %g wrong labels self-paced learning is above the uniform order"):format(share),
      better = { ("label_noise = %g, order = self-paced"):format(share), ("label_noise = %g, order = uniform"):format(share) },
    }
  end
end
local control = bss.experiment{
  name = "phase-control", title = "Wrong labels, a curriculum that must help", params = p, seeds = p.seeds,
  arms = bss.sweep{ cross = { order = { "uniform", "self-paced", "BSS-L" }, label_noise = p.label_noise } },
  metrics = { "test.total.accuracy" }, claims = helps,
  run = function(_, arm, seed)
    return train(arm, seed, longest, arm.order == "self-paced" and self_paced(arm) or orders[arm.order](longest))
  end,
}
print(control)
show(control:plot{
  kind = "response", x = "label_noise", y = "order", against = { order = "uniform" },
  title = "What order is worth, over the share of wrong labels",
}, "phase-control")
