-- Do the data sets here hold what the paper says they hold? (section 4.1)
--
-- Tests: samples of the splits of every data set that is found, beside those that the paper cites; whether the cited
-- splits make the cited whole. `bss-lua data check NAME` looks into the media. Nothing is trained.
-- Takes: seconds. Expect: Kinetics-Sounds' cited splits make 18,800 of its 19,000 clips; collections that are not there
-- say where they were looked for.
--
--   bss-lua experiments/datasets.lua --data ../shared/data [--set data=mosi,crema_d]
local bss = require "bss"

local p = bss.params{
  data = {
    "synthetic", "mosi", "mfeat", "av_digits", "grid_digit_av", "crema_d", "kinetics_sounds", "vggsound", "twitter2015",
    "sarcasm", "nvgesture",
  },
  smoke = { data = { "synthetic" } },
}

-- All samples, then train, val, test, as section 4.1 has them.
local cited = {
  crema_d = { 7442, 6698, 0, 744 }, kinetics_sounds = { 19000, 15000, 1900, 1900 }, vggsound = { nil, 168618, 0, 13954 },
  twitter2015 = { 5338, 3179, 1122, 1037 }, sarcasm = { 24635, 19816, 2410, 2409 }, nvgesture = { nil, 1050, 0, 482 },
}
local splits = { "train", "val", "test" }

local function exact(id, text, metric, where, expect)
  return bss.claim{
    id = id, place = "section 4.1", text = text, metric = metric, where = where, expect = expect, class = "exact",
  }
end

-- Those that are here.
local here, found, facts = {}, {}, {}
local claims = { bss.claim{ id = "D.rows", text = "the counts come out again", metric = "train", class = "exact" } }
for _, name in ipairs(p.data) do
  if not bss.data[name] then error(("unknown data '%s': bss-lua help bss.data lists them"):format(name), 0) end
  local is_here, data = pcall(bss.data[name], {})
  print(is_here and tostring(data) or ("%s: not read: %s"):format(name, tostring(data)))
  print()
  if is_here then
    found[name] = data
    local arm = { name = name }
    for k, split in ipairs(splits) do
      local count = cited[name] and cited[name][k + 1]
      arm["cited_" .. split] = count
      if count then
        facts[split] = true
        local text = ("%s has %d samples in %s"):format(name, count, split)
        claims[#claims + 1] = exact(("D.%s.%s"):format(name, split), text, split, name, count)
      end
    end
    here[#here + 1] = arm
  end
end
local columns = {}
for _, split in ipairs(splits) do
  if facts[split] then columns[#columns + 1] = "cited_" .. split end
end
if #here > 0 then
  print(bss.experiment{
    name = "datasets", title = "Samples of the data sets that are here", params = p, arms = here, seeds = 1,
    metrics = { "train", "val", "test", "classes", "modalities" },
    facts = columns, claims = claims,
    notes = { "cited: what section 4.1 of the paper says; nothing is cited of data sets that it does not use." },
    run = function(_, arm)
      local data = found[arm.name]
      return {
        train = #data.train, val = #data.val, test = #data.test, classes = data.classes, modalities = #data.modalities,
      }
    end,
  })
end

-- What the paper says, by itself: the splits are parts of the whole.
local sums, whole = {}, {}
for name, count in pairs(cited) do
  if count[1] then
    sums[#sums + 1] = { name = name }
    whole[#whole + 1] = exact("S." .. name, name .. ": the splits make the whole", "in_no_split", name, 0)
  end
end
print(bss.experiment{
  name = "datasets-cited", title = "What the paper says of its data sets", arms = sums, seeds = 1, claims = whole,
  metrics = { "stated", "in_no_split" },
  notes = { "in_no_split: samples of the stated whole that no stated split has." },
  run = function(_, arm)
    local count = cited[arm.name]
    return { stated = count[1], in_no_split = count[1] - count[2] - count[3] - count[4] }
  end,
})
