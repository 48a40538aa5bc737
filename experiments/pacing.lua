-- Which pace should BSS-H grow at? (supplement of the paper, which names three; no figures are printed)
--
-- Tests: pace function × fraction at the start × share of the training after which all samples are there, against the
-- uniform order on all samples, at equal numbers of samples. The paper's own: root, 0.1, a third.
-- Takes: 140 trainings, 20 CPU seconds on synthetic data. Expect there: no pace can be told from the uniform order, none
-- differs from it by more than 0.003.
--
--   bss-lua experiments/pacing.lua -j 2 [--data ../shared/data --set data=mosi]
local bss = require "bss"

local p = bss.params{
  data = "synthetic", split = "split", epochs = 0, learning_rate = 0.0, batch_size = 64, seeds = 5, alpha = 0.2,
  lambda_0 = { 0.1, 0.3 }, grow = { 0.17, 0.33, 0.67 },
  smoke = { epochs = 3, seeds = 2, lambda_0 = { 0.3 }, grow = { 0.33 } },
}
local task = require "lib.tasks"(p)
print(task.data)

local control = "uniform order"
local functions = {
  root = bss.pace.root, linear = bss.pace.linear, geometric = bss.pace.geometric, exponential = bss.pace.exponential,
}
local arms = { { name = control, pace = "none" } }
for _, arm in ipairs(bss.sweep{ cross = { pace = { "root", "linear", "geometric", "exponential" }, lambda_0 = p.lambda_0, grow = p.grow } }) do
  arms[#arms + 1] = arm
end
-- Baby steps have buckets instead of a first fraction.
for _, arm in ipairs(bss.sweep{ cross = { pace = { "baby_step" }, grow = p.grow } }) do arms[#arms + 1] = arm end

local function scheduler(arm)
  local t_grow = arm.grow and math.max(1, arm.grow * task.epochs)
  if arm.pace == "none" then return bss.scheduler.random{} end
  if arm.pace == "baby_step" then return bss.scheduler.heuristic{ pace = bss.pace.baby_step{ t_grow = t_grow } } end
  return bss.scheduler.heuristic{ pace = functions[arm.pace]{ lambda_0 = arm.lambda_0, t_grow = t_grow } }
end

local result = bss.experiment{
  name = "pacing-" .. p.data, title = "Pace of BSS-H on " .. task.data.name, params = p, seeds = p.seeds, arms = arms,
  control = control, metrics = { "test.total.accuracy", "test.total.macro_f1" }, facts = { "samples" },
  claims = { bss.claim{ id = "X14.rows", text = "the numbers of the table come out again", metric = "test.total.accuracy" } },
  notes = { "grow: share of the uniform order's epochs after which all samples are there; losses of Eq. 5, inference of Eq. 12." },
  run = function(_, arm, seed)
    return task.train{
      name = arm.name, seed = seed, scheduler = scheduler(arm), alpha = p.alpha, sample_budget = task.budget,
      epochs = task.most_epochs,
    }
  end,
}
print(result)
for _, lambda_0 in ipairs(p.lambda_0) do
  local figure = result:plot{
    kind = "heatmap", x = "grow", y = "pace", only = { lambda_0 = lambda_0 }, metric = "test.total.accuracy",
    title = ("Accuracy by pace, starting with %g of the samples"):format(lambda_0),
  }
  print(figure)
  if result.figures then figure:save(("%s/pacing-%s-%g"):format(result.figures, p.data, lambda_0)) end
end
