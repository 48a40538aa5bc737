-- BSS on top of every method: method × {uniform order, BSS-H, BSS-L} at equal sample budgets.
--
--   bss-lua experiments/plugin.lua [--data ../shared/data --set data=mosi]
--   bss-lua experiments/plugin.lua --set composition=full
--
-- composition "sequence": the method as published, BSS changes the order of the samples alone. "full": where a method has no
-- losses of its own it works on those of Eq. 5, and all heads are summed at inference (Eq. 12).
local bss = require "bss"

local p = bss.params{
  data = "synthetic", split = "split", composition = "sequence", methods = { "all" },
  epochs = 0, learning_rate = 0.0, batch_size = 64, seeds = 3, alpha = 0.2,
  smoke = { epochs = 2, seeds = 2, methods = { "OGM", "MLA" } },
}
if p.composition ~= "sequence" and p.composition ~= "full" then error("composition is \"sequence\" or \"full\", got '" .. p.composition .. "'", 0) end
local task = require "lib.tasks"(p)
local rows = require "lib.methods"(task.epochs, #task.modalities)
print(task.data)

local function claims(method)
  local function claim(id, text, better)
    return bss.claim{ id = method .. "." .. id, text = text, metric = "test.total.accuracy", better = better }
  end
  return {
    claim("rows", "the numbers of the table come out again"),
    claim("H", "BSS-H adds to " .. method, { "BSS-H", "uniform order" }),
    claim("L", "BSS-L adds to " .. method, { "BSS-L", "uniform order" }),
  }
end
local methods = { { name = "Joint", method = "joint" }, { name = "Concat", method = "none" } }
for _, row in ipairs(rows.methods) do methods[#methods + 1] = row end
local names = {}
for i, row in ipairs(methods) do names[i] = row.name end
local wanted = require "lib.selection"("methods", p.methods, names)
for _, row in ipairs(methods) do
  if wanted[row.name] then
    local arms = {}
    for _, order in ipairs{ { "uniform order" }, { "BSS-H", rows.heuristic }, { "BSS-L", rows.learned } } do
      arms[#arms + 1] = { name = order[1], scheduler = order[2] and order[2]() or bss.scheduler.random{} }
    end
    print(bss.experiment{
      name = ("plugin-%s-%s-%s"):format(p.data, p.composition, row.name:lower()), title = row.name .. " on " .. task.data.name .. ", " .. p.composition, params = p, seeds = p.seeds,
      arms = arms, control = "uniform order", claims = claims(row.name), metrics = { "test.total.accuracy", "test.total.map" }, facts = { "samples", "seconds" },
      run = function(p, arm, seed)
        -- MLA, ReconBoost and DOMFN predict in their own way; Concat has no heads.
        local has_heads = row.base or row.method == "joint" or row.method == "mses" or row.method == "ogr_gb" or row.method == "mmpareto"
        return task.train{
          name = row.name .. " + " .. arm.name, seed = seed, rebalance = rows.rebalance(row, p.composition), scheduler = arm.scheduler, alpha = p.alpha,
          inference_heads = p.composition == "full" and has_heads and "all" or "auto", sample_budget = task.budget, epochs = task.most_epochs,
        }
      end,
    })
  end
end
