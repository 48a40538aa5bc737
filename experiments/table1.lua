-- Table 1 of the paper: single modalities, 7 fusions, 12 rebalancing methods, BSS-H and BSS-L, and the control that the paper
-- lacks (the losses and the inference of BSS with a uniform order), at equal sample budgets.
--
--   bss-lua experiments/table1.lua
--   bss-lua experiments/table1.lua --data ../shared/data --set data=mosi      (mfeat, mfeat2, av_digits, grid_digit_av)
--   bss-lua experiments/table1.lua --set rows=BSS-L,MLA                       (some rows; the control is always there)
local bss = require "bss"

local p = bss.params{
  data = "synthetic", split = "split", rows = { "all" },
  epochs = 0, learning_rate = 0.0, batch_size = 64, seeds = 3, alpha = 0.2,
  smoke = { epochs = 2, seeds = 2, rows = { "Concat", "OGM", "MLA", "BSS-H", "BSS-L" } },
}
local task = require "lib.tasks"(p)
local rows = require "lib.methods"(task.epochs, #task.modalities)
print(task.data)

local control = "Joint (control)"
local all, names = {}, {}
local function add(arm) all[#all + 1], names[#names + 1] = arm, arm.name end
for _, modality in ipairs(task.modalities) do add{ name = "only " .. modality, modalities = { modality }, cited = "-" } end
for _, row in ipairs(rows.fusions) do add(row) end
for _, row in ipairs(rows.methods) do add(row) end
add{ name = control, method = "joint", cited = "-" }
rows.bss_h.method, rows.bss_h.scheduler = "joint", rows.heuristic()
rows.bss_l.method, rows.bss_l.scheduler = "joint", rows.learned()
add(rows.bss_h) add(rows.bss_l)

local wanted = require "lib.selection"("rows", p.rows, names)
local arms, left_out = {}, {}
for _, arm in ipairs(all) do
  if arm.needs_maps and not task.is_media then
    if wanted[arm.name] then left_out[#left_out + 1] = arm.name .. " (needs feature maps; this data has vectors)" end
  elseif wanted[arm.name] or arm.name == control then
    arms[#arms + 1] = arm
  end
end

local notes = {
  ("Every run sees %d training samples forward and backward (%d epochs of the whole split), probe trainings and copies counted, up to the end of its epoch."):format(task.budget, task.epochs),
  "cited: accuracies that the paper reports, CREMA-D / Kinetics-Sounds / Twitter2015 / Sarcasm / NVGesture; its own data, encoders and budgets.",
  "Unimodal rows and vanilla fusions: the fused loss alone. Accuracy at the epoch of the best validation accuracy, ETMC and others by their own inference.",
  "parameters: trainable numbers, with probes and the methods' own layers.",
}
for _, row in ipairs(left_out) do notes[#notes + 1] = "left out: " .. row end

local claims = {
  bss.claim{ id = "T1.rows", place = "Table 1", text = "the numbers of the table come out again", metric = "test.total.accuracy" },
}
if p.rows[1] == "all" then
  for _, arm in ipairs{ "BSS-H", "BSS-L" } do
    for _, other in ipairs{ "MLA", control } do
      claims[#claims + 1] = bss.claim{
        id = ("T1.%s.%s"):format(arm, other:match "%w+"), place = "Table 1", text = ("%s is above %s"):format(arm, other),
        metric = "test.total.accuracy", better = { arm, other },
      }
    end
  end
end

print(bss.experiment{
  name = "table1-" .. p.data, title = "Table 1 on " .. task.data.name, params = p, seeds = p.seeds, arms = arms, control = p.rows[1] == "all" and control or nil,
  metrics = { "test.total.accuracy", "test.total.map", "test.total.macro_f1" }, facts = { "parameters", "samples", "seconds", "cited" }, notes = notes, claims = claims,
  run = function(p, arm, seed)
    return task.train{
      name = arm.name, seed = seed, model = task.model(arm.fusion, arm.modalities), rebalance = rows.rebalance(arm), scheduler = arm.scheduler, alpha = p.alpha,
      sample_budget = task.budget, epochs = task.most_epochs,
    }
  end,
})
