-- Trainings one after the other leave memory as it was: bss-lua flat_memory.lua [COUNT [SAMPLES]]. Methods, schedulers
-- and optimizers take turns; resident memory after the last is that after half of them, to 2 %.
local bss = require "bss"
local count, samples = tonumber(arg[1]) or 400, tonumber(arg[2]) or 40000

local function resident()
  collectgarbage()
  collectgarbage()
  for line in io.lines("/proc/self/status") do
    local kib = line:match("^VmRSS:%s+(%d+)")
    if kib then return tonumber(kib) end
  end
end

local data = bss.data.synthetic{
  samples = samples, classes = 5, seed = 1,
  modalities = { a = { dim = 60, noise = 2 }, b = { dim = 40, noise = 2 } },
}
local methods = { "joint", "none", "ogm", "agm", "pmr", "mmpareto", "mla", "reconboost" }
local schedulers = { "random", "learned", "heuristic" }
local optimizers = { "sgd", "adam" }
local half
for i = 1, count do
  bss.train{
    data = data, record = false, epochs = 8, batch_size = 64, seed = i, clip_norm = 5,
    rebalance = methods[i % #methods + 1], scheduler = schedulers[i % #schedulers + 1],
    optimizer = optimizers[i % #optimizers + 1],
    model = bss.model{
      a = bss.encoder.mlp{ hidden = { 64 } }, b = bss.encoder.mlp{ hidden = { 64 } }, fusion = "concat",
    },
  }
  if i == count // 2 then half = resident() end
end
local last = resident()
print(("resident after %d trainings: %d KiB, after %d: %d KiB"):format(count // 2, half, count, last))
os.exit(last <= half * 1.02 and last >= half * 0.98)
