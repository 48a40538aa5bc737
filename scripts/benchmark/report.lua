-- The table of scripts/bench: bss-lua report.lua RESULTS LETTERS JSON CORES LOAD. A line of RESULTS is "SIDE JOB VALUE".
local bss = require "bss"
local results, letters, as_json, cores, load = arg[1], arg[2], arg[3] == "true", tonumber(arg[4]), arg[5]

local samples, kernels = {}, { ours = bss.engine().instruction_set }
for line in io.lines(results) do
  local side, job, value = line:match("^(%S+)%s+(%S+)%s+(.+)$")
  if job == "kernel" then
    kernels[side] = value
  elseif tonumber(value) then
    local key = side .. " " .. job
    samples[key] = samples[key] or {}
    table.insert(samples[key], tonumber(value))
  end
end

local function median(side, job)
  local values = samples[side .. " " .. job]
  if not values then return nil end
  table.sort(values)
  local middle = #values // 2
  return #values % 2 == 1 and values[middle + 1] or (values[middle] + values[middle + 1]) / 2
end

-- Work that the formulas ask for, in floating-point operations. A layer of I x O weights takes 2 I O a row forward, as much
-- for the weights' gradient, and as much for the input's where it has one.
local encoders, fusion, head = 100 * 128 + 74 * 128, 256 * 128, 128 * 6
local step = 2 * 64 * (2 * encoders + 3 * fusion + 3 * head)
local bss_epoch = 2 * 10000 * ((encoders + fusion + 3 * head) + (2 * encoders + 3 * fusion + 9 * head))
-- ResNet-18: 1.82e9 multiply-adds forward for 224 x 224; BERT-base: 85e6 weights a token, and attention.
local function picture(size) return 3 * 2 * 1.82e9 * (size / 224) ^ 2 end
local bert = 3 * 2 * (8 * 128 * 85.05e6 + 12 * 2 * 8 * 128 * 128 * 768)

-- `flops` of one unit of what is counted (of the whole where it is time); `threads` at most.
local rows = {
  { "a", "training steps/s, 1 thread", "1/s", higher = true, digits = 0, flops = step },
  { "a_all", "the same with metrics of each epoch", "1/s", higher = true, against = "a", digits = 0, flops = step },
  { "b", "BSS-L epoch, 10,000 samples, 1 thread", "ms", digits = 1, flops = bss_epoch },
  { "c", "weighted order of 10^7", "ms", digits = 0 },
  { "c8", "weighted order of 10^8", "ms", digits = 0 },
  { "d", "start-up", "ms", digits = 2, scale = 1e-3, at_most = 5 },
  { "p_ready", "prompt ready", "ms", digits = 2, scale = 1e-3, at_most = 10 },
  { "p_tab", "Tab to the completed word", "ms", digits = 2, scale = 1e-3, at_most = 50 },
  { "e", "call Lua to Swift, two numbers", "ns", digits = 1 },
  { "f", "peak memory of (a)", "MiB", digits = 1, scale = 1 / 1024 },
  { "l_audio", "WAV to log-spectrogram, 1 thread", "1/s", higher = true, digits = 0 },
  { "l_video", "JPEG to tensor, 1 thread", "1/s", higher = true, digits = 0 },
  { "g", "BERT-base step, 8 texts of 128 tokens", "ms", digits = 0, flops = bert, threads = cores },
  { "g_memory", "peak memory of (g)", "MiB", digits = 0, scale = 1 / 1024 },
  { "c8_memory", "peak memory of 10^8", "MiB", digits = 0, scale = 1 / 1024 },
}
for _, size in ipairs{ 64, 224 } do
  for _, batch in ipairs{ 16, 64 } do
    local what = ("ResNet-18 step, %dx%d, batch %d"):format(size, size, batch)
    table.insert(rows, { ("r_%d_%d"):format(size, batch), what, "images/s", higher = true, digits = 1,
      flops = picture(size), threads = cores })
  end
end

local sides = { "pytorch", "compiled", "jax", "librosa", "torchvision" }
local fma, copy = median("machine", "fma"), median("machine", "copy")

local out = {}
for _, row in ipairs(rows) do
  local id, scale = row[1], row.scale or 1
  local ours = median("ours", id)
  if ours and (letters .. ",c8"):find(id:match("^c?8?[^_]*"), 1, true) then
    local r = { id = id, row = row, ours = ours * scale, peers = {} }
    for _, side in ipairs(sides) do
      local value = median(side, row.against or id)
      if value then table.insert(r.peers, { name = side, value = value * scale }) end
    end
    if row.flops and fma then
      local speed = row.higher and r.ours * row.flops or row.flops / (r.ours / 1000)
      r.of_peak = speed / 1e9 / (fma * (row.threads or 1))
    end
    out[#out + 1] = r
  end
end

if as_json then
  for _, r in ipairs(out) do
    local peers = {}
    for i, peer in ipairs(r.peers) do peers[i] = ('"%s": %.17g'):format(peer.name, peer.value) end
    local share = r.of_peak and (', "of_peak": %.4f'):format(r.of_peak) or ""
    print(('{"job": "%s", "ours": %.17g, "peers": {%s}, "unit": "%s", "better": "%s"%s}'):format(
      r.id, r.ours, table.concat(peers, ", "), r.row[3], r.row.higher and "higher" or "lower", share))
  end
  return
end

local function text(value, digits) return string.format("%." .. digits .. "f", value) end
print(("%-52s %10s  %-7s  %s"):format("", "bss-lua", "of peak", "peers (how many times better ours is)"))
for _, r in ipairs(out) do
  local letter = (#r.id == 1 or r.id:find("^[lpr]_")) and r.id:sub(1, 1) or ""
  local label = ("%-2s %s, %s"):format(letter, r.row[2], r.row[3])
  local peers = {}
  for i, peer in ipairs(r.peers) do
    local ratio = r.row.higher and r.ours / peer.value or peer.value / r.ours
    peers[i] = ("%s %s (%.2fx)"):format(peer.name, text(peer.value, r.row.digits), ratio)
  end
  if r.row.at_most then
    table.insert(peers, 1, ("at most %g asked: %s"):format(r.row.at_most, r.ours <= r.row.at_most and "held" or "MISSED"))
  end
  local share = r.of_peak and ("%3.0f %%"):format(100 * r.of_peak) or ""
  print(("%-52s %10s  %-7s  %s"):format(label, text(r.ours, r.row.digits), share, table.concat(peers, ", ")))
end
if fma then print(("one core of this machine: %.0f GFLOP/s of f32 multiply-adds, copies at %.1f GB/s"):format(fma, copy)) end
local names = {}
for side, kernel in pairs(kernels) do names[#names + 1] = side .. ": " .. kernel end
table.sort(names)
print("kernels: " .. table.concat(names, "; "))
print("medians; compiled is PyTorch through torch.compile; jax drops the last part batch of (b); load " .. load)
