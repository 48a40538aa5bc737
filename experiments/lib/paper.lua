-- What the scripts of the paper's six collections share: every preset and scheduler as an arm of one experiment, beside the
-- control that the paper lacks (same losses, same inference, uniform order).
local bss = require "bss"
local check = require "lib.selection"
local paper = {}

-- Parameters of every script; `more` adds a collection's own. Numbers of 0 and empty texts mean: as the preset has it.
function paper.params(more)
  local all = {
    presets = { "paper", "official", "official_fixed", "january" }, schedulers = { "learned", "heuristic" }, control = true,
    epochs = 0, batch_size = 0, seeds = 3, root = "", workers = 2, cache = "", val = 0.0,
  }
  for key, value in pairs(more) do all[key] = value end
  return bss.params(all)
end

-- Options that go to every dataset constructor.
function paper.loading(p, options)
  if p.root ~= "" then options.root = p.root end
  if p.cache ~= "" then options.cache = p.cache end
  options.workers, options.val = p.workers, p.val
  return options
end

-- recipe: dataset (its name), title, metrics, data(preset options), model(preset options), notes.
function paper.run(p, recipe)
  local arms, sets = {}, {}
  check("presets", p.presets, { "paper", "official", "official_fixed", "january" })
  check("schedulers", p.schedulers, { "learned", "heuristic" })
  for _, name in ipairs(p.presets) do
    for _, kind in ipairs(p.schedulers) do
      arms[#arms + 1] = { name = name .. ", " .. kind, preset = name, kind = kind }
    end
    if p.control then arms[#arms + 1] = { name = name .. ", uniform order", preset = name, kind = p.schedulers[1], scheduler = "random" } end
  end
  local notes = {
    "uniform order: the preset's losses, inference and optimizer with every sample once, shuffled.",
    "Columns: the epoch that the preset selects (official and january: the best on the test set, which is optimistic).",
    "The releases were run with one seed: 42 (BSS-H), 42 or 0 (BSS-L); here --seed and the ones after it.",
  }
  for _, note in ipairs(recipe.notes or {}) do notes[#notes + 1] = note end

  return bss.experiment{
    name = recipe.name, title = recipe.title, params = p, seeds = p.seeds, arms = arms, metrics = recipe.metrics, notes = notes,
    control = p.control and p.presets[1] .. ", uniform order" or nil,
    run = function(_, arm, seed)
      local preset = bss.preset[arm.preset]{ recipe.dataset, scheduler = arm.kind }
      -- A preset's loading options decide which of the released quirks the data has.
      local key = preset.preset .. " " .. preset.frame_pick
      sets[key] = sets[key] or recipe.data(preset)
      local data = sets[key]
      local options = { name = recipe.name .. ", " .. arm.name, data = data, model = recipe.model(preset, data), seed = seed }
      if arm.scheduler then options.scheduler = arm.scheduler end
      if p.epochs > 0 then options.epochs = p.epochs end
      if p.batch_size > 0 then options.batch_size = p.batch_size end
      return bss.train(bss.preset.apply(preset, options))
    end,
  }
end

-- True where a preset keeps the quirks of the released code.
function paper.is_released(preset) return preset.preset == "official" or preset.preset == "january" end

return paper
