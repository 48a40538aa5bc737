-- Fig. 3(a, b): how sensitive is BSS-L to its two numbers?
--
-- Tests: the loss weight alpha (Eq. 5) and the memory beta (Eq. 9), with the vanilla order at the same alpha as
-- reference. The paper reports, on CREMA-D, an accuracy that rises with alpha and then falls, and one above vanilla for
-- every beta.
-- Takes: 105 trainings, 7 CPU seconds on synthetic data, and draws both curves. Expect there: accuracy rises with alpha
-- for both orders alike; no beta can be told from the vanilla order.
--
--   bss-lua experiments/sensitivity.lua [--data ../shared/data --set data=mosi]
local bss = require "bss"

local p = bss.params{
  data = "synthetic", split = "split",            -- split: av_digits only
  epochs = 15, batch_size = 64, seeds = 5,
  learning_rate = 0.02, score_interval = 5,
  alphas = { 0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0 }, betas = { 0.0, 0.2, 0.4, 0.6, 0.8, 1.0 },
  smoke = { epochs = 2, seeds = 2, alphas = { 0.0, 0.2 }, betas = { 0.0, 0.6 } },
}
local task = require "lib.tasks"(p)
local data = task.data
print(data)

local function train(name, alpha, scheduler, seed)
  return task.train{
    name = name, seed = seed, scheduler = scheduler,
    -- alpha = 0 would leave the unimodal heads untrained: there they are probes on detached features instead.
    rebalance = alpha == 0 and "none" or "joint", alpha = alpha > 0 and alpha or nil,
  }
end

local function sweep(name, title, values, label, claims, make)
  local arms = {}
  for _, value in ipairs(values) do
    arms[#arms + 1] = { name = ("BSS-L, %s = %g"):format(label, value), value = value, bss = true }
    if label == "alpha" then arms[#arms + 1] = { name = ("vanilla, %s = %g"):format(label, value), value = value } end
  end
  if label == "beta" then arms[#arms + 1] = { name = "vanilla" } end
  local result = bss.experiment{
    name = name, title = title, params = p, seeds = p.seeds, arms = arms,
    control = label == "beta" and "vanilla" or nil,
    metrics = { "test.total.accuracy", "test.total.map" },
    claims = claims,
    notes = label == "alpha" and { "alpha = 0: fused loss and fused inference only; the heads that score are probes." } or {},
    run = function(_, arm, seed) return make(arm, seed) end,
  }
  print(result)
  if result.figures then
    local function curve(is_bss, text)
      local runs = {}
      for seed = 1, p.seeds do
        runs[seed] = {}
        for _, arm in ipairs(arms) do
          if (arm.bss or false) == is_bss and arm.value then
            table.insert(runs[seed], result:values(arm.name, "test.total.accuracy")[seed])
          end
        end
      end
      return { name = text, x = values, runs = runs }
    end
    local series = { curve(true, "BSS-L") }
    if label == "alpha" then
      series[2] = curve(false, "vanilla")
    else
      local runs = {}
      for seed, value in ipairs(result:values("vanilla", "test.total.accuracy")) do
        runs[seed] = {}
        for i = 1, #values do runs[seed][i] = value end
      end
      series[2] = { name = "vanilla", x = values, runs = runs }
    end
    local path = result.figures .. "/" .. name
    bss.report.figure{ title = title, x_label = label, y_label = "test accuracy", series = series }:save(path)
    print("figure: " .. path .. ".svg")
  end
end

local function rows(place)
  local text = "the numbers of the curve come out again"
  return bss.claim{ id = place .. ".rows", place = place, text = text, metric = "test.total.accuracy" }
end
local above = { rows "F3b" }
for _, beta in ipairs(p.betas) do
  above[#above + 1] = bss.claim{
    id = ("F3b.%g"):format(beta), place = "Fig. 3(b)", text = ("BSS-L with beta = %g is above vanilla"):format(beta),
    metric = "test.total.accuracy", better = { ("BSS-L, beta = %g"):format(beta), "vanilla" },
  }
end

sweep("sensitivity_alpha", "Fig. 3(a): alpha on " .. data.name, p.alphas, "alpha", { rows "F3a" }, function(arm, seed)
  local scheduler = arm.bss and bss.scheduler.learned{ score_interval = p.score_interval } or bss.scheduler.random{}
  return train(arm.name, arm.value, scheduler, seed)
end)

sweep("sensitivity_beta", "Fig. 3(b): beta on " .. data.name, p.betas, "beta", above, function(arm, seed)
  local scheduler = arm.bss and bss.scheduler.learned{ score_interval = p.score_interval, ema_beta = arm.value } or bss.scheduler.random{}
  return train(arm.name, 0.2, scheduler, seed)
end)
