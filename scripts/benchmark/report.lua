-- The table of scripts/bench: bss-lua report.lua RESULTS LETTERS JSON LOAD. A line of RESULTS is "SIDE JOB VALUE".
local bss = require "bss"
local results, letters, as_json, load = arg[1], arg[2], arg[3] == "true", arg[4]

local samples = {}
for line in io.lines(results) do
  local side, job, value = line:match("^(%S+)%s+(%S+)%s+(%S+)$")
  if side then
    samples[side .. job] = samples[side .. job] or {}
    table.insert(samples[side .. job], tonumber(value))
  end
end

local function median(side, job)
  local values = samples[side .. job]
  if not values then return nil end
  table.sort(values)
  local middle = #values // 2
  return #values % 2 == 1 and values[middle + 1] or (values[middle] + values[middle + 1]) / 2
end

-- `higher`: more is better. `goal`: of the ratio, or with `absolute` of our own figure.
local rows = {
  { "a", "training steps/s, 1 thread", "1/s", higher = true, goal = 3.6, digits = 0 },
  { "a_all", "the same with metrics of each epoch", "1/s", higher = true, against = "a", digits = 0 },
  { "b", "BSS-L epoch, 10,000 samples, 1 thread", "ms", goal = 4, digits = 1 },
  { "c", "weighted order of 10^7", "ms", goal = 5, digits = 0 },
  { "c8", "weighted order of 10^8", "ms", digits = 0 },
  { "d", "start-up", "ms", goal = 8, absolute = true, digits = 2, scale = 1e-3 },
  { "e", "call Lua to Swift, two numbers", "ns", goal = 60, absolute = true, digits = 1 },
  { "f", "peak memory of (a)", "MiB", goal = 5, digits = 1, scale = 1 / 1024 },
  { "l_audio", "WAV to log-spectrogram, 1 thread", "1/s", higher = true, goal = 1, digits = 0 },
  { "l_video", "JPEG to tensor, 1 thread", "1/s", higher = true, goal = 1, digits = 0 },
  { "g", "BERT-base step, 8 texts of 128 tokens, all threads", "ms", goal = 0.9, digits = 0 },
  { "g_memory", "peak memory of (g)", "MiB", digits = 0, scale = 1 / 1024 },
  { "r_64_16", "ResNet-18 step, 64x64, batch 16", "images/s", higher = true, goal = 1, digits = 1 },
  { "r_64_64", "ResNet-18 step, 64x64, batch 64", "images/s", higher = true, goal = 1, digits = 1 },
  { "r_224_16", "ResNet-18 step, 224x224, batch 16", "images/s", higher = true, goal = 1, digits = 2 },
  { "r_224_64", "ResNet-18 step, 224x224, batch 64", "images/s", higher = true, goal = 1, digits = 2 },
  { "c8_memory", "peak memory of 10^8", "MiB", digits = 0, scale = 1 / 1024 },
}

local function text(value, digits) return value and string.format("%." .. digits .. "f", value) or "-" end

local out = {}
for _, row in ipairs(rows) do
  local id, scale = row[1], row.scale or 1
  local ours, torch = median("ours", id), median("torch", row.against or id)
  if ours and (letters .. ",c8"):find(id:match("^c?8?[^_]*"), 1, true) then
    ours, torch = ours * scale, torch and torch * scale
    local ratio = torch and (row.higher and ours / torch or torch / ours)
    local met
    if row.absolute then met = ours <= row.goal elseif row.goal and ratio then met = ratio >= row.goal end
    out[#out + 1] = { id = id, row = row, ours = ours, torch = torch, ratio = ratio, met = met }
  end
end

if as_json then
  local parts = {}
  for _, r in ipairs(out) do
    local fields = { string.format('"id": "%s", "what": "%s", "unit": "%s", "ours": %.17g', r.id, r.row[2], r.row[3], r.ours) }
    if r.torch then fields[#fields + 1] = string.format('"pytorch": %.17g, "ratio": %.17g', r.torch, r.ratio) end
    if r.row.goal then fields[#fields + 1] = string.format('"goal": %.17g', r.row.goal) end
    if r.met ~= nil then fields[#fields + 1] = '"met": ' .. tostring(r.met) end
    parts[#parts + 1] = "  {" .. table.concat(fields, ", ") .. "}"
  end
  print("[\n" .. table.concat(parts, ",\n") .. "\n]")
else
  print(string.format("%-46s %12s %12s %9s  %s", "", "bss-lua", "PyTorch", "ratio", "goal"))
  for _, r in ipairs(out) do
    local digits = r.row.digits
    local goal = r.row.goal and (r.row.absolute and string.format("at most %g %s", r.row.goal, r.row[3]) or string.format("at least %gx", r.row.goal)) or ""
    if r.met ~= nil then goal = goal .. (r.met and ", met" or ", MISSED") end
    local label = string.format("%-2s %s, %s", (#r.id == 1 or r.id:find("^[lr]_")) and r.id:sub(1, 1) or "", r.row[2], r.row[3])
    local nchw, nhwc = median("torch", r.id .. "_nchw"), median("torch", r.id .. "_nhwc")
    if nchw and nhwc then goal = goal .. string.format("  (PyTorch NCHW %.2f, channels last %.2f)", nchw, nhwc) end
    print(string.format("%-46s %12s %12s %9s  %s", label, text(r.ours, digits), text(r.torch, digits), r.ratio and string.format("%.2fx", r.ratio) or "-", goal))
  end
  print("medians; " .. bss.engine().backend .. "; load " .. load)
end
