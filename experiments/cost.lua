-- What does an order cost? (the paper gives no times)
--
-- Tests: seconds of an epoch, of the scoring in it, and samples that went forward and backward, for every scheduler of
-- the paper and the usual curricula, with the same losses. Times are this machine's and differ from call to call: with
-- -j they measure a machine that is shared.
-- Takes: 28 trainings, 8 CPU seconds on synthetic data. Expect: BSS-H costs one scan; BSS-L a forward pass over the
-- training set every E epochs.
--
--   bss-lua experiments/cost.lua [--data ../shared/data --set data=av_digits]
local bss = require "bss"

local p = bss.params{
  data = "synthetic", split = "split", epochs = 0, learning_rate = 0.0, batch_size = 64, seeds = 4, alpha = 0.2,
  smoke = { epochs = 3, seeds = 2 },
}
local task = require "lib.tasks"(p)
local rows = require "lib.methods"(task.epochs, #task.modalities)
print(task.data)

local grow = math.max(1, task.epochs / 3)
local result = bss.experiment{
  name = "cost-" .. p.data, title = "Cost of an order on " .. task.data.name, params = p, seeds = p.seeds,
  control = "uniform order",
  arms = {
    { name = "uniform order" },
    { name = "BSS-H", scheduler = rows.heuristic() },
    { name = "BSS-L", scheduler = rows.learned() },
    { name = "BSS-L, every epoch", scheduler = bss.scheduler.learned{ score_interval = 1 } },
    { name = "self-paced", scheduler = bss.scheduler.self_paced{ t_grow = grow } },
    { name = "competence", scheduler = bss.scheduler.competence{ t_grow = grow } },
    { name = "baby steps", scheduler = bss.scheduler.baby_step{ t_grow = grow } },
  },
  metrics = { "epoch_seconds", "scoring_seconds" }, facts = { "samples" },
  claims = { bss.claim{ id = "X20", text = "samples that went forward and backward", metric = "samples", class = "exact" } },
  lower_is_better = { "epoch_seconds", "scoring_seconds" },
  notes = {
    "epoch_seconds: with its measurements; scoring_seconds: the part of it that scores samples; means over epochs.",
    "samples: training samples that went forward and backward.",
  },
  run = function(_, arm, seed)
    local run = task.train{ name = arm.name, seed = seed, scheduler = arm.scheduler, alpha = p.alpha }
    local epochs = #run.history
    return {
      epoch_seconds = run.seconds / epochs, scoring_seconds = run.scoring_seconds / epochs, samples = run.cost.samples,
    }
  end,
}
print(result)
