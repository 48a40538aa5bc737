-- ResNet-18 pairs from raw recordings and pictures: log-spectrograms and 64 x 64 frames of av_digits or grid_digit_av, the losses
-- and the inference of BSS, with BSS-L or a uniform order. Prints test accuracies epoch by epoch.
--
--   bss-lua experiments/resnet_digits.lua --data ../shared/data [--set data=grid_digit_av] [--set split=split_speaker]
local bss = require "bss"

local p = bss.params{
  data = "av_digits", split = "split", width = 16, epochs = 0, batch_size = 32, learning_rate = 0.02, alpha = 0.5, scheduler = "learned", seed = 1,
}
local options = { audio_size = { 64, 64 } }
if p.data == "av_digits" then options.split, options.image_size = p.split, { 64, 64 }
elseif p.data == "grid_digit_av" then options.video_size, options.video_layout = { 64, 64 }, "frames"
else error("data is av_digits or grid_digit_av, got '" .. p.data .. "'", 0) end
local data = bss.data[p.data](options)
if p.epochs == 0 then p.epochs = p.data == "av_digits" and 8 or 24 end
print(data)

local parts = { fusion = "concat" }
for _, name in ipairs(data.modalities) do parts[name] = bss.encoder.resnet18{ width = p.width } end
print("epoch  " .. table.concat(data.modalities, "  ") .. "  total")
local run = bss.train{
  data = data, model = bss.model(parts), epochs = p.epochs, batch_size = p.batch_size, seed = p.seed, rebalance = "joint", alpha = p.alpha,
  scheduler = p.scheduler, optimizer = bss.optimizer.sgd{ learning_rate = p.learning_rate, momentum = 0.9, weight_decay = 1e-4 },
  learning_rate = bss.learning_rate.cosine{ t_max = p.epochs },
  on_epoch = function(e)
    local line = { ("%5d"):format(e.epoch) }
    for _, name in ipairs(data.modalities) do line[#line + 1] = ("%.3f"):format(e.test[name].accuracy) end
    line[#line + 1] = ("%.3f"):format(e.test.total.accuracy)
    print(table.concat(line, "  "))
  end,
}
print(run)
