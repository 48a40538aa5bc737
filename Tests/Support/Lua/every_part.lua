-- One short training per declared part: prints the hash of the trained parameters, or why it does not apply.
-- Two builds that print the same train to the same bits. `scripts/check-bits` compares.
local base = {
  data = bss.data.synthetic{ samples = 300, classes = 3, seed = 3 },
  epochs = 6, batch_size = 16, seed = 5,
}
local names = base.data.modalities
local function encoders(name, options)
  local made = {}
  for _, m in ipairs(names) do made[m] = bss.encoder[name](options) end
  return made
end
local function model(fusion, name, options)
  local made = encoders(name or "mlp", options or { hidden = { 16, 8 } })
  made.fusion = fusion or "concat"
  return bss.model(made)
end
local function one(title, options)
  local all = {}
  for k, v in pairs(base) do all[k] = v end
  for k, v in pairs(options) do all[k] = v end
  all.model = all.model or model()
  local ok, run = pcall(bss.train, all)
  local text = ok and run.parameters_hash or "refused: " .. tostring(run):gsub("\n.*", "")
  print(title .. "\t" .. text)
end
local function parts(family)
  local list = {}
  for name in pairs(bss[family]) do list[#list + 1] = name end
  table.sort(list)
  return list
end

for _, name in ipairs(parts "rebalance") do one("rebalance." .. name, { rebalance = name }) end
for _, name in ipairs(parts "fusion") do
  one("fusion." .. name, { model = model(name), rebalance = name == "etmc" and "none" or "joint" })
end
local ranks = {}
for i = 1, #base.data.train do ranks[i] = i * 7 % 13 / 13 end
local extra = { transfer = { scores = ranks } }
for _, name in ipairs(parts "scheduler") do
  if name ~= "custom" then
    local ok, made = pcall(bss.scheduler[name], extra[name] or {})
    if ok then one("scheduler." .. name, { scheduler = made }) else print("scheduler." .. name .. "\trefused: " .. tostring(made):gsub("\n.*", "")) end
  end
end
one("scheduler.custom", { scheduler = bss.scheduler.custom(function(t)
  local order = {}
  for i = 1, #base.data.train do order[i] = (i * 31 + t) % #base.data.train + 1 end
  return order
end) })
for _, name in ipairs(parts "sample_loss") do one("sample_loss." .. name, { sample_loss = name }) end
for _, name in ipairs(parts "optimizer") do one("optimizer." .. name, { optimizer = name }) end
for _, name in ipairs(parts "learning_rate") do
  local ok, made = pcall(bss.learning_rate[name], {})
  one("learning_rate." .. name, { learning_rate = ok and made or nil })
end
for _, name in ipairs(parts "pace") do
  local ok, made = pcall(bss.pace[name], {})
  if name == "custom" then made = bss.pace.custom(function(t) return math.min(1, 0.1 + t / 5) end) end
  if ok or name == "custom" then one("pace." .. name, { scheduler = bss.scheduler.heuristic{ pace = made, min_batches = 1 } }) end
end
for _, name in ipairs(parts "criterion") do
  local made = name == "custom" and bss.criterion.custom(function(e) return e.loss end) or name
  one("criterion." .. name, { scheduler = bss.scheduler.learned{ every = 1, measurer = bss.measurer{ made } } })
end
one("encoder.identity", { model = model(nil, "identity", {}) })
-- Pictures and sounds, where the data are (`--data`).
local found, digits = pcall(bss.data.av_digits, { split = "split_speaker" })
if found then
  for _, name in ipairs{ "cnn", "resnet18" } do
    local made = { fusion = name == "cnn" and "channel" or "concat" }
    for _, m in ipairs(digits.modalities) do made[m] = bss.encoder[name](name == "cnn" and { channels = 1 } or { channels = 1, width = 8 }) end
    one("encoder." .. name, { data = digits, model = bss.model(made), epochs = 1 })
  end
end
one("model.dropout", { model = model(nil, "mlp", { hidden = { 16, 8 }, dropout = 0.3 }) })
one("train.clip_norm", { clip_norm = 0.5 })
