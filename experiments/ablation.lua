-- Table 3 of the paper under BSS-L: prediction similarity on/off × loss on/off, against the control that the paper
-- lacks: the same losses and the same inference with a uniform order (official-audit X8, X18).
--
--   bss-lua experiments/ablation.lua
--   bss-lua experiments/ablation.lua --data ../shared/data --set data=mosi        (mfeat, av_digits)
local bss = require "bss"

local p = bss.params{
  data = "synthetic", split = "split",            -- split: av_digits only, "split" or "split_speaker"
  epochs = 0, learning_rate = 0.0,                -- 0: enough for every head of the dataset, as below
  batch_size = 64, seeds = 8, alpha = 0.2,
  score_interval = 5, ema_beta = 0.6,
}
local usual = ({ av_digits = { 15, 0.02 }, mfeat = { 120, 0.05 } })[p.data] or { 40, 0.02 }
if p.epochs == 0 then p.epochs = usual[1] end
if p.learning_rate == 0 then p.learning_rate = usual[2] end
local data = p.data == "av_digits" and bss.data.av_digits{ split = p.split } or bss.data[p.data]{}
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
  notes = {
    "All arms but the last: losses of Eq. 5 (alpha = " .. p.alpha .. "), inference of Eq. 12; they differ in the order of the samples alone.",
    "Columns of the total output: epoch of the best validation accuracy; of single modalities: last epoch.",
    "fused loss only: Concat as usually reported; its unimodal figures are linear probes.",
  },
  run = function(p, arm, seed)
    return bss.train{
      name = arm.name, data = data, epochs = p.epochs, batch_size = p.batch_size, seed = seed,
      rebalance = arm.rebalance or "joint", alpha = p.alpha, scheduler = arm.scheduler,
      optimizer = bss.optimizer.sgd{ learning_rate = p.learning_rate, momentum = 0.9, weight_decay = 1e-4 },
    }
  end,
})
