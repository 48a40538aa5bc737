-- What the experiments on classes of small data sets share: the data by name, encoders that fit it, and a schedule that is
-- long enough for every head of it.
--
--   local task = require "lib.tasks"(p)       p.data, p.split, p.epochs, p.learning_rate (0: the usual ones)
local bss = require "bss"

-- Epochs and learning rate with which every head of the data set learns what it can.
local usual = {
  synthetic = { 40, 0.02 }, mosi = { 40, 0.02 }, mfeat = { 120, 0.05 }, mfeat2 = { 60, 0.05 },
  av_digits = { 15, 0.02 }, grid_digit_av = { 15, 0.02 },
}

local function load(p)
  if p.data == "mfeat2" then return bss.data.mfeat{ views = { "fou", "mor" } } end
  if p.data == "av_digits" then return bss.data.av_digits{ split = p.split or "split" } end
  return bss.data[p.data]{}
end

return function(p)
  local known = usual[p.data]
  if not known then
    local names = "synthetic, mosi, mfeat (six views), mfeat2 (two of them), av_digits, grid_digit_av"
    error(("unknown data '%s': %s"):format(p.data, names), 0)
  end
  local data = load(p)
  local task = {
    data = data, modalities = data.modalities,
    epochs = p.epochs > 0 and p.epochs or known[1],
    learning_rate = p.learning_rate > 0 and p.learning_rate or known[2],
    is_media = p.data == "av_digits" or p.data == "grid_digit_av",
  }

  -- A model of some modalities (all by default) with a fusion.
  function task.model(fusion, modalities)
    local parts = { fusion = fusion or "concat" }
    for _, name in ipairs(modalities or task.modalities) do
      parts[name] = task.is_media and bss.encoder.cnn{} or bss.encoder.mlp{ hidden = { 64 } }
    end
    return bss.model(parts)
  end

  -- What every training here has in common; `options` come first.
  function task.train(options)
    options.data = data
    options.model = options.model or task.model()
    options.epochs = options.epochs or task.epochs
    options.batch_size = options.batch_size or p.batch_size
    options.optimizer = options.optimizer
      or bss.optimizer.sgd{ learning_rate = task.learning_rate, momentum = 0.9, weight_decay = 1e-4 }
    return bss.train(options)
  end

  -- The budget that all methods share: samples that go forward and backward, probe trainings and copies counted.
  task.budget = task.epochs * #data.train
  -- No method needs more epochs than this for it (growing subsets are small at first).
  task.most_epochs = 3 * task.epochs
  return task
end
