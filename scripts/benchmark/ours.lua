-- Our side of scripts/bench: bss-lua ours.lua JOB prints lines "JOB VALUE". Everything runs through the public functions.
local bss = require "bss"
local job = arg[1]

local function peak_kib()
  for line in io.lines("/proc/self/status") do
    local kib = line:match("^VmHWM:%s+(%d+)")
    if kib then return tonumber(kib) end
  end
end

local function dataset(samples)
  return bss.data.synthetic{
    samples = samples, classes = 6, val = 0, test = 0, seed = 1,
    modalities = { a = { dim = 100, noise = 2 }, b = { dim = 74, noise = 2 } },
  }
end

local function train(data, options)
  return bss.train{
    data = data, record = false, batch_size = 64, seed = 1, epochs = options.epochs, rebalance = options.rebalance,
    scheduler = options.scheduler, alpha = options.alpha,
    optimizer = bss.optimizer.sgd{ learning_rate = 0.01, momentum = 0.9, weight_decay = 1e-4 },
    model = bss.model{
      a = bss.encoder.mlp{ hidden = { 128 } }, b = bss.encoder.mlp{ hidden = { 128 } },
      fusion = bss.fusion.concat{ hidden = { 128 } },
    },
  }
end

local jobs = {}

-- Steps per second of bss.train as a user calls it: batches, forward, fused cross-entropy, backward, SGD, the loss of every
-- step and the logits kept for the metrics. "a_all" counts everything: also the epoch's order and its metrics (accuracy, MAP,
-- F1 of the fused output on the training set). There is no other evaluation.
function jobs.a()
  local data = dataset(6400)
  local options = { rebalance = bss.rebalance.none{ probes = false }, scheduler = "random", epochs = 5 }
  train(data, options)
  options.epochs = 40
  local run = train(data, options)
  local steps = 0
  for _, epoch in ipairs(run.history) do steps = steps + epoch.step_seconds end
  print("a", 40 * 100 / steps)
  print("a_all", 40 * 100 / run.seconds)
  print("f", peak_kib())
end

-- Milliseconds of a BSS-L epoch with every part of it: scoring of all samples, Eqs. 9-11, weighted order, training on Eq. 5.
function jobs.b()
  local data = dataset(10000)
  local options = {
    rebalance = "joint", alpha = 0.2, epochs = 2,
    scheduler = bss.scheduler.learned{ measurer = bss.measurer{ "prediction_similarity", "loss" }, score_interval = 1 },
  }
  train(data, options)
  options.epochs = 10
  local run = train(data, options)
  print("b", run.seconds / options.epochs * 1000)
  print("b_scoring", run.scoring_seconds / options.epochs * 1000)
end

local function order(name, n, times)
  local weights = bss.rand{ n, low = 0.01, high = 2, seed = 1 }
  bss.weighted_order(weights:narrow{ axis = 1, from = 1, to = 1000 }, 1)
  for seed = 1, times do
    local start = bss.clock()
    local result = bss.weighted_order(weights, seed)
    print(name, (bss.clock() - start) * 1000)
    result = nil
    collectgarbage()
  end
end

-- Milliseconds of a weighted order, weights and order as tensors.
function jobs.c() order("c", 10000000, 3) end

function jobs.big()
  order("c8", 100000000, 1)
  print("c8_memory", peak_kib())
end

-- Nanoseconds of a call of a two-number function in a local, the empty loop subtracted.
function jobs.e()
  local f, n = bss.maximum, 5000000
  local function time(body)
    local start = bss.clock()
    body()
    return bss.clock() - start
  end
  for _ = 1, 3 do
    local empty = time(function() local x for i = 1, n do x = i end end)
    local calls = time(function() local x for i = 1, n do x = f(2, 3) end end)
    print("e", (calls - empty) / n * 1e9)
  end
end

-- Recordings a second as log-spectrograms [1, 257, 1250], and pictures a second as augmented tensors [3, 224, 224]; one thread.
function jobs.l()
  local data = bss.data.crema_d{ root = arg[2] .. "/crema_d", workers = 0 }
  for _, modality in ipairs{ "audio", "video" } do
    data:loading_speed{ modality = modality }
    print("l_" .. modality, data:loading_speed{ modality = modality }.per_second)
  end
end

-- Milliseconds of a training step of BERT-base: 8 texts of 128 tokens, dropout as published, all weights trained with Adam.
-- A whole call of bss.train divided by its steps; the first call is not counted.
function jobs.g()
  local samples, length, vocabulary, folder = 8, 128, 30522, os.tmpname()
  local function write(name, kind, shape, format, value, count)
    local text = ("{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }"):format(kind, shape)
    text = text .. (" "):rep(63 - (10 + #text) % 64) .. "\n"
    local file <close> = assert(io.open(folder .. name, "wb"))
    file:write("\x93NUMPY\1\0", string.pack("<I2", #text), text)
    for i = 0, count - 1 do file:write(string.pack(format, value(i))) end
    return folder .. name
  end
  local state = 1
  local tokens = write(".text.npy", "<f4", ("%d, 3, %d"):format(samples, length), "<f", function(i)
    local row = i // length % 3
    state = state * 48271 % 2147483647
    return row == 0 and state % vocabulary or row == 1 and 1 or 0
  end, samples * 3 * length)
  local labels = write(".label.npy", "<i8", tostring(samples), "<i8", function(i) return i % 3 end, samples)
  local data = bss.data.npy{
    root = "/", modalities = { text = tokens }, label = labels, split = { train = 1, val = 0, test = 0 }, standardise = false,
  }
  local function run(epochs)
    return bss.train{
      data = data, model = bss.model{ text = bss.encoder.bert{} }, record = false, epochs = epochs, batch_size = samples, seed = 1,
      scheduler = "random", rebalance = bss.rebalance.none{ probes = false }, optimizer = bss.optimizer.adam{ learning_rate = 1e-5 },
    }
  end
  local result = run(4)
  for _, name in ipairs{ "", ".text.npy", ".label.npy" } do os.remove(folder .. name) end
  for i = 2, #result.history do print("g", result.history[i].step_seconds * 1000) end
  print("g_memory", peak_kib())
end

-- A folder with n images [3, size, size] of pseudo-random numbers, ten classes, all of them for training.
local function images(n, size)
  local folder = os.tmpname()
  os.remove(folder)
  os.execute("mkdir " .. folder)
  local function npy(name, descr, shape, chunks)
    local header = string.format("{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }", descr, table.concat(shape, ", "))
    header = header .. string.rep(" ", -(#header + 11) % 64) .. "\n"
    local file = assert(io.open(folder .. "/" .. name, "wb"))
    file:write("\147NUMPY\1\0", string.pack("<I2", #header), header)
    for i = 1, n do file:write(chunks(i)) end
    file:close()
  end
  local line = {}
  for i = 1, 4096 do line[i] = string.pack("<f", math.sin(i * i * 0.37) * 2) end
  local noise = string.rep(table.concat(line), 2 * 3 * size * size // 4096 + 2)
  npy("x.npy", "<f4", { n, 3, size, size }, function(i) return noise:sub(4 * (i * 7 % 4096) + 1, 4 * (i * 7 % 4096 + 3 * size * size)) end)
  npy("label.npy", "<i8", { n }, function(i) return string.pack("<i8", i % 10) end)
  local data = bss.data.npy{ root = folder, modalities = { image = "x.npy" }, split = { train = 1, val = 0, test = 0 }, standardise = false }
  os.execute("rm -r " .. folder)
  return data
end

-- Images per second of training steps of ResNet-18 (forward, loss, backward, SGD with momentum) through bss.train: the best of
-- some epochs of two steps each, after one to warm up. "r 64" takes 64 x 64 images alone, "r 64 16" batches of 16 alone.
function jobs.r()
  for _, shape in ipairs{ { 64, 16, 12 }, { 64, 64, 8 }, { 224, 16, 5 }, { 224, 64, 3 } } do
    local size, batch, epochs = table.unpack(shape)
    if arg[2] and tonumber(arg[2]) ~= size or arg[3] and tonumber(arg[3]) ~= batch then goto continue end
    local run = bss.train{
      data = images(2 * batch, size), record = false, batch_size = batch, seed = 1, epochs = epochs,
      rebalance = bss.rebalance.none{ probes = false }, scheduler = "random",
      optimizer = bss.optimizer.sgd{ learning_rate = 0.01, momentum = 0.9, weight_decay = 1e-4 },
      model = bss.model{ image = bss.encoder.resnet18{}, fusion = "concat" },
    }
    local best = math.huge
    for i = 2, epochs do best = math.min(best, run.history[i].step_seconds) end
    print(string.format("r_%d_%d", size, batch), 2 * batch / best)
    run = nil
    collectgarbage()
    ::continue::
  end
end

jobs[job]()
