-- scripts/bench --only m: what each rebalancing method and fusion costs beside training on the fused loss alone, at equal epochs
-- of the same data. All take turns; the table shows medians of the ratios of a round.
local bss = require "bss"
local rounds = tonumber(arg[1] or 5)

local epochs = 12
local data = bss.data.synthetic{
  samples = 2560, classes = 6, val = 0.1, test = 0, seed = 1, modalities = { a = { dim = 100, noise = 2 }, b = { dim = 74, noise = 2 } },
}
local function seconds(options)
  local run = bss.train{
    data = data, record = false, batch_size = 64, seed = 1, epochs = epochs, use_val = false, rebalance = options.rebalance or "none",
    scheduler = options.scheduler, optimizer = bss.optimizer.sgd{ learning_rate = 0.01, momentum = 0.9, weight_decay = 1e-4 },
    model = bss.model{ a = bss.encoder.mlp{ hidden = { 512, 512 } }, b = bss.encoder.mlp{ hidden = { 512, 512 } }, fusion = options.fusion or "concat" },
  }
  return run.seconds
end

-- Cost in methods.md, table F: training compute with encoder-dominated models; none where it depends on options.
local rows = {
  { "joint", expected = 1.0, rebalance = "joint" }, { "affine", expected = 1.0, fusion = "affine" }, { "ml_lstm", expected = 1.0, fusion = "ml_lstm" },
  { "sum", expected = 1.0, fusion = "sum" }, { "weight", expected = 1.0, fusion = "weight" }, { "etmc", expected = 1.0, fusion = "etmc" },
  { "mses", expected = 1.05 }, { "ogr_gb", expected = 3.0 }, { "domfn", expected = 1.0 }, { "ogm", expected = 1.0 }, { "ogm_ge", expected = 1.0 },
  { "mslr", expected = 1.05 }, { "agm", expected = 3.3 }, { "agm (linear)", expected = 1.0, rebalance = { name = "agm", mode = "linear" } },
  { "pmr", expected = 1.05 }, { "reconboost", expected = 0.9 }, { "mmpareto", expected = 1.7 }, { "smv", expected = 2.0 }, { "mla", expected = 1.0 },
  { "BSS-H", expected = 0.8, rebalance = "joint", scheduler = bss.scheduler.heuristic{ t_grow = epochs / 3 } },
  { "BSS-L", expected = 1.07, rebalance = "joint", scheduler = "learned" },
}
for _, row in ipairs(rows) do
  if not row.rebalance and not row.fusion then row.rebalance = row[1] end
  row.ratios = {}
end
seconds{}
for _ = 1, rounds do
  local base = seconds{}
  for _, row in ipairs(rows) do row.ratios[#row.ratios + 1] = seconds(row) / base end
end
print(("Seconds relative to concat with the fused loss alone: median of %d rounds"):format(rounds))
print(("%-14s %10s %10s"):format("", "measured", "table F"))
for _, row in ipairs(rows) do
  table.sort(row.ratios)
  print(("%-14s %10.2f %10.2f"):format(row[1], row.ratios[(#row.ratios + 1) // 2], row.expected))
end
