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
