-- Do the data sets here hold what the paper says they hold? (section 4.1)
--
-- Tests: samples of the splits of every data set that is found, beside those that the paper cites; its own sums are
-- checked too. `bss-lua data check NAME` looks into the media. Nothing is trained.
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
}

-- All samples, then train, val, test, as section 4.1 has them.
local cited = {
  crema_d = { 7442, 6698, 0, 744 }, kinetics_sounds = { 19000, 15000, 1900, 1900 }, vggsound = { nil, 168618, 0, 13954 },
  twitter2015 = { 5338, 3179, 1122, 1037 }, sarcasm = { 24635, 19816, 2410, 2409 }, nvgesture = { nil, 1050, 0, 482 },
}

for _, name in ipairs(p.data) do
  if not bss.data[name] then error(("unknown data '%s': bss-lua help bss.data lists them"):format(name), 0) end
  local found, data = pcall(bss.data[name], {})
  print(found and tostring(data) or ("%s: not read: %s"):format(name, tostring(data)))
  local count = cited[name]
  if count then
    local sum = count[2] + count[3] + count[4]
    local differs = count[1] and count[1] ~= sum and (", which make %d, not the %d of its text"):format(sum, count[1]) or ""
    print(("  the paper: %d train / %d val / %d test%s"):format(count[2], count[3], count[4], differs))
    if found and (#data.train ~= count[2] or #data.test ~= count[4]) then
      print(("  differs here: %d train / %d val / %d test"):format(#data.train, #data.val, #data.test))
    end
  end
  print()
end
