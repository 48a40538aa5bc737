-- What the paper claims, tested: does BSS order samples better than chance does?
--
-- Tests: BSS-H and BSS-L against a uniform order with the same losses, inference and number of samples; where the gain
-- comes from (single loss, unimodal losses, logit sum); what choosing the epoch on the test set adds; and whether the
-- difference is small enough to be called none (two one-sided tests at a margin). Every seed draws the initial
-- parameters and the order.
-- Takes: 60 trainings a data set; -j N shares them. Expect: the gain is that of the losses and of the logit sum.
--
--   bss-lua experiments/study/order.lua --data ../shared/data -j 2 [--smoke] [--set data=mosi,mfeat]
local bss = require "bss"
package.path = (arg[0]:match "^(.*/)" or "./") .. "../?.lua;" .. package.path
local tasks, methods = require "lib.tasks", require "lib.methods"

local p = bss.params{
  data = { "synthetic", "mosi", "mfeat", "av_digits", "grid_digit_av" }, split = "split",
  epochs = 0, learning_rate = 0.0, batch_size = 64, alpha = 0.2, seeds = 10, margin = 0.01,
  smoke = { data = { "synthetic" }, epochs = 2, seeds = 2 },
}
local control = "uniform order"
local metric = "val_best.test.total.accuracy"

-- What is claimed here; and what the paper claims, so that it is told whether it came out.
local function claims(name)
  local function claim(id, text, fields)
    fields.id, fields.text, fields.metric = name .. "." .. id, text .. " on " .. name, metric
    return bss.claim(fields)
  end
  local list = { claim("rows", "the numbers of the table come out again", {}) }
  for _, arm in ipairs{ "BSS-H", "BSS-L" } do
    local within = ("%s is worth less than %g over a uniform order"):format(arm, p.margin)
    list[#list + 1] = claim(arm .. ".equal", within, { where = { arm, control }, equivalent = p.margin })
    list[#list + 1] = claim(arm .. ".paper", arm .. " is above a uniform order, as the paper has it", { better = { arm, control } })
  end
  local losses = "the losses of Eq. 5 and the logit sum are above a single loss"
  list[#list + 1] = claim("losses", losses, { better = { control, "single loss" } })
  return list
end

local function study(name)
  local task = tasks{
    data = name, split = p.split, epochs = p.epochs, learning_rate = p.learning_rate, batch_size = p.batch_size,
  }
  local rows = methods(task.epochs, #task.modalities)
  local self_paced = bss.scheduler.self_paced{ t_grow = math.max(1, task.epochs / 3) }
  local result = bss.experiment{
    name = "study-" .. name, title = "Order of samples on " .. task.data.name, params = p, seeds = p.seeds, control = control,
    arms = {
      { name = control, rebalance = "joint", heads = "all" },
      { name = "BSS-H", rebalance = "joint", heads = "all", scheduler = rows.heuristic() },
      { name = "BSS-L", rebalance = "joint", heads = "all", scheduler = rows.learned() },
      { name = "self-paced", rebalance = "joint", heads = "all", scheduler = self_paced },
      { name = "without logit sum", rebalance = "joint", heads = "fused" },
      { name = "single loss", rebalance = "none", heads = "fused" },
    },
    metrics = { metric, "test_best.test.total.accuracy", "val_best.test.total.macro_f1" },
    facts = { "samples" },
    claims = claims(name),
    notes = { "test_best chooses the epoch on the test set, as the released code does." },
    run = function(_, arm, seed)
      return task.train{
        name = arm.name, seed = seed, rebalance = arm.rebalance, inference_heads = arm.heads, scheduler = arm.scheduler,
        alpha = p.alpha, sample_budget = task.budget, epochs = task.most_epochs,
      }
    end,
  }
  print(result)
  local figure = result:plot{ kind = "forest", metric = metric }
  print(figure)
  if result.figures then figure:save(result.figures .. "/study-" .. name) end
end

for _, name in ipairs(p.data) do study(name) end
