-- The rows of the paper's Table 1, with its accuracies as cited: CREMA-D / Kinetics-Sounds / Twitter2015 / Sarcasm / NVGesture.
-- Every method runs with its published defaults; what depends on the length of training is scaled to `epochs`.
--
--   local rows = require "lib.methods"(epochs, modalities)      rows.rebalance(row, composition)
local bss = require "bss"

-- The method of a row. Composition "full" puts a method without losses of its own on those of Eq. 5 (rows with base = true).
local function rebalance(row, composition)
  local options = {}
  for key, value in pairs(row.options or {}) do options[key] = value end
  if composition == "full" and row.base then options.base = "joint" end
  return bss.rebalance[row.method or "none"](options)
end

return function(epochs, modalities)
  local stage = math.max(1, epochs // (4 * modalities))
  local probe = math.max(1, epochs // (2 * (modalities + 2)))
  return {
    rebalance = rebalance,
    fusions = {
      { name = "Concat", fusion = "concat", cited = "63.31/64.55/70.11/82.86/81.33" },
      { name = "Affine", fusion = "affine", cited = "66.26/64.24/72.03/82.47/82.78" },
      { name = "Channel", fusion = "channel", cited = "66.13/63.51/-/-/81.54", needs_maps = true },
      -- 512 hidden units, as in the papers' scale, would be 200 times the cost of these small encoders.
      { name = "ML-LSTM", fusion = bss.fusion.ml_lstm{ hidden = 128 }, cited = "62.94/63.84/70.68/82.05/83.20" },
      { name = "Sum", fusion = "sum", cited = "63.44/64.97/73.12/82.94/82.99" },
      { name = "Weight", fusion = "weight", cited = "66.53/65.33/72.42/82.65/83.42" },
      { name = "ETMC", fusion = "etmc", cited = "65.86/65.67/73.96/83.69/83.61" },
    },
    methods = {
      { name = "MSES", method = "mses", options = { patience = math.max(3, epochs // 5) }, cited = "61.56/64.71/71.84/84.18/81.12" },
      { name = "OGR-GB", method = "ogr_gb", options = { super_epoch = probe }, cited = "64.65/67.10/74.35/83.35/82.99" },
      { name = "DOMFN", method = "domfn", options = { pretrain_epochs = epochs // 4, tau = 0.2 }, cited = "67.34/66.25/74.45/83.56/-" },
      { name = "OGM", method = "ogm", options = {}, cited = "66.94/66.06/74.92/83.23/-", base = true },
      { name = "OGM-GE", method = "ogm_ge", options = {}, cited = "-", base = true },
      { name = "MSLR", method = "mslr", options = {}, cited = "65.46/65.91/72.52/84.23/82.86", base = true },
      { name = "AGM", method = "agm", options = {}, cited = "67.07/66.02/74.83/84.02/82.78", base = true },
      { name = "PMR", method = "pmr", options = {}, cited = "66.59/66.56/74.25/83.60/-", base = true },
      { name = "ReconBoost", method = "reconboost", options = { e1 = stage, e2 = stage }, cited = "74.84/70.85/74.42/84.37/84.13" },
      { name = "MMPareto", method = "mmpareto", options = {}, cited = "74.87/70.00/73.58/83.48/83.82" },
      { name = "SMV", method = "smv", options = {}, cited = "78.72/69.00/74.28/84.18/83.52", base = true },
      { name = "MLA", method = "mla", options = {}, cited = "79.43/70.04/73.52/84.26/83.40" },
    },
    bss_h = { name = "BSS-H", cited = "80.78/72.67/74.73/84.41/85.06" },
    bss_l = { name = "BSS-L", cited = "82.80/73.95/75.22/85.01/86.72" },
    -- The schedulers of the paper, growing over a third of the training as its 40 of 120 epochs.
    heuristic = function() return bss.scheduler.heuristic{ t_grow = math.max(1, epochs / 3) } end,
    learned = function() return bss.scheduler.learned{} end,
  }
end
