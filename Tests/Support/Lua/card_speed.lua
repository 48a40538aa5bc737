-- What a card does in a second: lines "name<tab>value<tab>unit". scripts/gpu-check runs it; `--set small=true` for a dry run on
-- the emulated card, whose times say nothing.
local p = bss.params{ small = false }
local elements, side, repeats = 1 << 26, 4096, 20
local samples, epochs, hidden, wide = 6400, 20, 128, 4096
if p.small then elements, side, repeats, samples, epochs, hidden, wide = 1 << 12, 32, 2, 320, 2, 8, 16 end

local function show(name, value, unit) print(string.format("%s\t%.6g\t%s", name, value, unit)) end

-- Seconds a call: enqueued calls run in order, so that reading one number waits for all of them.
local one = bss.ones{ 1 }
local function seconds(body)
  body()
  one:item()
  local start = bss.clock()
  for _ = 1, repeats do body() end
  one:item()
  return (bss.clock() - start) / repeats
end

local x, y = bss.randn{ elements, seed = 1 }, bss.randn{ elements, seed = 2 }
local rows = bss.randn{ elements // 1024, 1024, seed = 3 }
local bytes = 4 * elements
local copy = 2 * bytes / seconds(function() return x * 1 end)
show("copy", copy / 1e9, "GB/s")
for _, kernel in ipairs{
  { "add", 3, function() return x + y end }, { "exp", 2, function() return x:exp() end },
  { "gelu", 2, function() return x:gelu() end }, { "relu", 2, function() return x:relu() end },
  { "turned", 2, function() return rows:transpose(1, 2):contiguous() end },
  { "sum", 1, function() return x:sum() end }, { "sum of rows", 1, function() return rows:sum(2) end },
  { "sum of columns", 1, function() return rows:sum(1) end }, { "softmax", 2, function() return rows:softmax(2) end },
  { "random normal", 1, function() return bss.randn{ elements, seed = 4 } end },
} do
  local rate = kernel[2] * bytes / seconds(kernel[3])
  show(kernel[1], rate / 1e9, "GB/s")
  show(kernel[1] .. ", part of copy", rate / copy, "1")
end
for _, size in ipairs{ side, side // 8 } do
  local a, b = bss.randn{ size, size, seed = 5 }, bss.randn{ size, size, seed = 6 }
  show("product " .. size .. " f32", 2 * size ^ 3 / seconds(function() return a:matmul(b) end) / 1e12, "TFLOP/s")
end

-- Steps of trainings, evaluation not counted.
local function steps(name, width, batch, count, options)
  local data = bss.data.synthetic{
    samples = count, classes = 6, val = 0, test = 0, seed = 1,
    modalities = { a = { dim = 100, noise = 2 }, b = { dim = 74, noise = 2 } },
  }
  local run = bss.train{
    data = data, record = false, batch_size = batch, seed = 1, epochs = epochs, precision = options.precision,
    rebalance = bss.rebalance.none{ probes = false }, optimizer = options.optimizer,
    model = bss.model{
      a = bss.encoder.mlp{ hidden = { width } }, b = bss.encoder.mlp{ hidden = { width } },
      fusion = bss.fusion.concat{ hidden = { width } },
    },
  }
  local best = math.huge
  for _, epoch in ipairs(run.history) do best = math.min(best, epoch.step_seconds) end
  show(name, (count // batch) / best, "steps/s")
end
local sgd = bss.optimizer.sgd{ learning_rate = 0.01, momentum = 0.9, weight_decay = 1e-4 }
steps("MLP step", hidden, 64, samples, { optimizer = sgd })
steps("MLP step, adam", hidden, 64, samples, { optimizer = "adam" })
local tensor_cores = bss.device.current() ~= "cpu"
for _, precision in ipairs(tensor_cores and { "f32", "tf32", "bf16" } or { "f32" }) do
  steps("wide MLP step, " .. precision, wide, math.min(1024, samples // 2), samples, { optimizer = sgd, precision = precision })
end
