-- What do BSS-L's own numbers do? (limitation 3 of section 3.3: they are to be chosen)
--
-- Tests: epochs between two scans (E of Eq. 9) × temperature of the softmax (Eq. 10) × drawing with replacement,
-- against the uniform order with the same losses and inference. Drawn without replacement every sample is seen once an
-- epoch, however its score is: only the order within an epoch is left.
-- Takes: 125 trainings, 20 CPU seconds on synthetic data. Expect there: nothing to be told from the uniform order
-- without replacement (within 0.002); with replacement temperature 0.1 sees few samples and loses 7 to 14 points.
--
--   bss-lua experiments/learned.lua -j 2 [--data ../shared/data --set data=mosi]
local bss = require "bss"

local p = bss.params{
  data = "synthetic", split = "split", epochs = 0, learning_rate = 0.0, batch_size = 64, seeds = 5, alpha = 0.2,
  every = { 1, 2, 5, 10 }, temperature = { 0.1, 0.3, 1.0 },
  smoke = { epochs = 3, seeds = 2, every = { 1, 2 }, temperature = { 0.1 } },
}
local task = require "lib.tasks"(p)
print(task.data)

local control = "uniform order"
local arms = { { name = control } }
for _, arm in ipairs(bss.sweep{
  cross = { every = p.every, temperature = p.temperature, replacement = { false, true } },
}) do
  arms[#arms + 1] = arm
end

local result = bss.experiment{
  name = "learned-" .. p.data, title = "BSS-L's numbers on " .. task.data.name, params = p, seeds = p.seeds, arms = arms,
  control = control, metrics = { "test.total.accuracy", "test.total.macro_f1" }, facts = { "samples" },
  claims = { bss.claim{ id = "X17.rows", text = "the numbers of the table come out again", metric = "test.total.accuracy" } },
  run = function(_, arm, seed)
    local scheduler = arm.every and bss.scheduler.learned{
      score_interval = arm.every, temperature = arm.temperature, replacement = arm.replacement,
    }
    return task.train{ name = arm.name, seed = seed, scheduler = scheduler, alpha = p.alpha }
  end,
}
print(result)
for _, replacement in ipairs{ false, true } do
  local figure = result:plot{
    kind = "heatmap", x = "every", y = "temperature", only = { replacement = replacement }, metric = "test.total.accuracy",
    title = "Accuracy of BSS-L, drawn " .. (replacement and "with" or "without") .. " replacement",
  }
  print(figure)
  if result.figures then
    figure:save(("%s/learned-%s-%s"):format(result.figures, p.data, replacement and "with" or "without"))
  end
end
