-- Fig. 1(c): does the order matter?
--
-- Tests: curriculum (balanced first), anti-curriculum and random order, at equal subset sizes in every epoch, for three
-- criteria. P1 = first epoch on the whole training set, P2 = last epoch. The paper reports, on Twitter2015, curriculum
-- above random above anti-curriculum, and prediction similarity above feature similarity.
-- Takes: 64 trainings, 6 CPU seconds on synthetic data. Expect there: no arm can be told from the random order at the
-- same sizes, at P1 or P2.
--
--   bss-lua experiments/anti_cl.lua [--data ../shared/data --set data=mosi]
local bss = require "bss"

local p = bss.params{
  data = "synthetic", split = "split",            -- split: av_digits only
  epochs = 24, t_grow = 12, lambda_0 = 0.1, batch_size = 64, seeds = 8,
  learning_rate = 0.02, alpha = 0.2,
  smoke = { epochs = 4, t_grow = 2, seeds = 2 },
}
if p.epochs <= p.t_grow then error("epochs must be above t_grow, so that P1 and P2 differ", 0) end
local task = require "lib.tasks"(p)
local data = task.data
print(data)

local pace = bss.pace.root{ lambda_0 = p.lambda_0, t_grow = p.t_grow }
local arms = {
  { name = "random, same sizes", scheduler = bss.scheduler.random{ pace = pace } },
  { name = "random, all data (vanilla)", scheduler = bss.scheduler.random{} },
}
-- feature_similarity compares features of one size: both encoders give 64.
local criteria = { "prediction_similarity", "feature_similarity", "loss" }
for _, criterion in ipairs(criteria) do
  for _, anti in ipairs{ false, true } do
    arms[#arms + 1] = {
      name = (anti and "anti-CL, " or "CL, ") .. criterion,
      scheduler = bss.scheduler.heuristic{ measurer = bss.measurer{ criterion }, pace = pace, anti = anti },
    }
  end
end

local function claim(id, text, metric, better)
  return bss.claim{ id = id, place = "Fig. 1(c)", text = text, metric = metric, better = better }
end

print(bss.experiment{
  name = "anti_cl",
  title = "Fig. 1(c): curriculum, anti-curriculum and random order on " .. data.name .. " (test accuracy)",
  params = p, seeds = p.seeds, arms = arms, control = "random, same sizes",
  metrics = { "P1", "P2", "best", "P1 mean of 5", "P2 mean of 5" },
  claims = {
    bss.claim{ id = "F1c.rows", place = "Fig. 1(c)", text = "the numbers of the table come out again", metric = "P2" },
    claim("F1c.cl", "curriculum is above random order", "P1", { "CL, prediction_similarity", "random, same sizes" }),
    claim("F1c.anti", "random order is above anti-curriculum", "P1", { "random, same sizes", "anti-CL, prediction_similarity" }),
    claim("F1c.criterion", "prediction similarity is above feature similarity", "P1", {
      "CL, prediction_similarity", "CL, feature_similarity",
    }),
  },
  notes = {
    ("P1: epoch %d, the first on all data; P2: epoch %d, the last."):format(p.t_grow + 1, p.epochs),
    "best: best test epoch (optimistic: the test set chooses it). "
      .. "Criteria score the untrained network once, as BSS-H does.",
  },
  run = function(p, arm, seed)
    local run = task.train{ name = arm.name, seed = seed, alpha = p.alpha, scheduler = arm.scheduler }
    local function accuracy(epoch) return run.history[epoch + 1].test.total.accuracy end
    local function mean(last)
      local sum, count = 0, 0
      for epoch = math.max(last - 4, 0), last do sum, count = sum + accuracy(epoch), count + 1 end
      return sum / count
    end
    local after = math.min(p.t_grow + 4, p.epochs - 1)
    return {
      P1 = accuracy(p.t_grow), P2 = accuracy(p.epochs - 1), best = run.result.test_best.test.total.accuracy,
      ["P1 mean of 5"] = mean(after), ["P2 mean of 5"] = mean(p.epochs - 1),
    }
  end,
})
