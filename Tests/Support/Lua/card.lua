-- What a card computes, as numbers in text, for comparing two devices: scripts/gpu-check runs it with --device cpu and
-- --device cuda. Trainings come last, with the hash of their parameters on lines of their own.
local function show(name, ...)
  local parts = { name }
  for _, x in ipairs{ ... } do
    local wide = x:to("f64")
    -- What is above and below 0 apart: sums in which nothing cancels are as exact as their terms.
    for _, half in ipairs{ wide:relu(), (-wide):relu(), wide * wide } do
      parts[#parts + 1] = string.format("%.6g", half:sum():item())
    end
  end
  print(table.concat(parts, " "))
end

local x = bss.randn{ 64, 700, seed = 1 }
show("random", x, bss.rand{ 1003, seed = 2 })
for _, name in ipairs{ "exp", "tanh", "sigmoid", "gelu", "erf", "log1p", "sin", "digamma", "lgamma" } do
  show(name, x[name](x:abs() + 0.5))
end
show("reductions", x:sum(), x:sum(1), x:sum(2), x:max(), x:argmax(2))
local a, b = bss.randn{ 70, 300, seed = 3 }, bss.randn{ 300, 90, seed = 4 }
show("products", a:matmul(b), a:transpose(1, 2):matmul(a), b:matmul(b:transpose(1, 2)))
show("rows", x:softmax(2), x:log_softmax(2), x:logsumexp(2))
show("sorting", (x:sort(2)), select(2, x:sort(2)), (x:topk(5)))

local data = bss.data.synthetic{ samples = 600, seed = 3 }
for _, method in ipairs{ "joint", "ogm_ge", "mmpareto", "mla" } do
  local run = bss.train{
    data = data, epochs = 3, batch_size = 32, seed = 7, record = false, rebalance = method,
    scheduler = bss.scheduler.learned{ every = 1 },
  }
  for epoch, line in ipairs(run.history) do print(string.format("%s epoch %d %.6g", method, epoch, line.train.loss)) end
  print("hash " .. method .. " " .. run.parameters_hash)
end

-- Convolutions: pictures of stripes in noise, drawn on the host, the same for every device.
local function npy(path, kind, shape, pack)
  local head = string.format("{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }", kind, table.concat(shape, ", "))
  head = head .. string.rep(" ", -(#head + 11) % 64) .. "\n"
  local file = assert(io.open(path, "wb"))
  file:write("\147NUMPY\1\0", string.pack("<I2", #head), head, table.concat(pack))
  file:close()
end
local root, stem = os.tmpname():match("^(.*)/([^/]*)$")
local state = 1
local function noise()
  state = (state * 1103515245 + 12345) % 2147483648
  return state / 2147483648 - 0.5
end
local count, side = 96, 10
local pictures, sounds, labels = {}, {}, {}
for i = 1, count do
  local class = i % 3
  for y = 1, side do
    for x = 1, side do
      local on = class == 0 and y % 3 == 0 or class == 1 and x % 3 == 0 or class == 2 and (x + y) % 3 == 0
      pictures[#pictures + 1] = string.pack("<f", (on and 1 or 0) + noise())
    end
  end
  for k = 1, 12 do sounds[#sounds + 1] = string.pack("<f", (k % 3 == class and 1 or 0) + noise()) end
  labels[i] = string.pack("<i8", class)
end
npy(root .. "/" .. stem .. "-pictures.npy", "<f4", { count, 1, side, side }, pictures)
npy(root .. "/" .. stem .. "-sounds.npy", "<f4", { count, 12 }, sounds)
npy(root .. "/" .. stem .. "-labels.npy", "<i8", { count }, labels)
local seen = bss.data.npy{
  root = root, label = stem .. "-labels.npy",
  modalities = { picture = stem .. "-pictures.npy", sound = stem .. "-sounds.npy" },
}
for _, name in ipairs{ "cnn", "resnet18" } do
  local run = bss.train{
    data = seen, epochs = name == "cnn" and 2 or 1, batch_size = 16, seed = 7, record = false, rebalance = "joint",
    model = bss.model{
      picture = bss.encoder[name](name == "cnn" and { channels = 1 } or { channels = 1, width = 8 }), sound = "mlp",
    },
  }
  for epoch, line in ipairs(run.history) do print(string.format("%s epoch %d %.6g", name, epoch, line.train.loss)) end
  print("hash " .. name .. " " .. run.parameters_hash)
end
for _, part in ipairs{ "pictures", "sounds", "labels" } do
  os.remove(root .. "/" .. stem .. "-" .. part .. ".npy")
end
os.remove(root .. "/" .. stem)
