-- Table 3 under BSS-L: which criterion of the balance measure matters?
--
-- Tests: prediction similarity on/off × loss on/off, against the control that the paper lacks: the same losses and the
-- same inference with a uniform order. The paper reports that both criteria together are best.
-- Takes: 48 trainings, 9 CPU seconds on synthetic data. Expect: no BSS-L arm can be told from the uniform order; the
-- fused loss alone is worse (p = 0.008, 0.039 after correction).
--
--   bss-lua experiments/ablation.lua
--   bss-lua experiments/ablation.lua --data ../shared/data --set data=mosi        (mfeat, av_digits)
local bss = require "bss"

local p = bss.params{
  data = "synthetic", split = "split",            -- split: av_digits only, "split" or "split_speaker"
  epochs = 0, learning_rate = 0.0,                -- 0: enough for every head of the dataset, as lib/tasks has it
  batch_size = 64, seeds = 8, alpha = 0.2,
  score_interval = 5, ema_beta = 0.6,
  smoke = { epochs = 3, seeds = 2 },
}
local task = require "lib.tasks"(p)
local data = task.data
print(data)

local function learned(criteria)
  return bss.scheduler.learned{
    measurer = bss.measurer{ criteria = criteria }, score_interval = p.score_interval, ema_beta = p.ema_beta,
  }
end

local metrics = { "test.total.accuracy", "test.total.map" }
for _, modality in ipairs(data.modalities) do
  metrics[#metrics + 1] = "last.test." .. modality .. ".accuracy"
end

print(bss.experiment{
  name = "ablation",
  title = "Table 3: criteria of BSS-L on " .. data.name,
  params = p, seeds = p.seeds, metrics = metrics,
  control = "uniform order",
  arms = {
    { name = "uniform order", scheduler = bss.scheduler.random{} },
    { name = "BSS-L, no criterion", scheduler = learned{} },
    { name = "BSS-L, Loss", scheduler = learned{ "loss" } },
    { name = "BSS-L, PreSim", scheduler = learned{ "prediction_similarity" } },
    { name = "BSS-L, PreSim + Loss", scheduler = learned{ "prediction_similarity", "loss" } },
    { name = "fused loss only", scheduler = bss.scheduler.random{}, rebalance = "none" },
  },
  claims = {
    bss.claim{
      id = "T3.rows", place = "Table 3", text = "the table's numbers come out again", metric = "test.total.accuracy",
    },
    bss.claim{
      id = "T3.order", place = "Table 3", text = "PreSim + Loss is worth less than a point over a uniform order",
      metric = "test.total.accuracy", where = { "BSS-L, PreSim + Loss", "uniform order" }, equivalent = 0.01,
    },
    bss.claim{
      id = "T3.fused", place = "Table 3", text = "the fused loss alone is worse than the losses of Eq. 5",
      metric = "test.total.accuracy", better = { "uniform order", "fused loss only" },
    },
  },
  notes = {
    ("All arms but the last: losses of Eq. 5 (alpha = %g), inference of Eq. 12; "):format(p.alpha)
      .. "they differ in the order of the samples alone.",
    "Columns of the total output: epoch of the best validation accuracy; of single modalities: last epoch.",
    "fused loss only: Concat as usually reported; its unimodal figures are linear probes.",
  },
  run = function(p, arm, seed)
    return task.train{
      name = arm.name, seed = seed, rebalance = arm.rebalance or "joint", alpha = p.alpha, scheduler = arm.scheduler,
    }
  end,
})
