-- Kinetics-Sounds (Tables 1 and 3): sound and three frames, 31 actions, two ResNet18 from scratch.
--
--   scripts/data/kinetics_sounds.sh ../data
--   bss-lua experiments/ks.lua --data ../data [--set presets=paper --set schedulers=learned --set seeds=1]
local bss = require "bss"
local paper = require "lib.paper"

-- val: the lists have no validation split; the paper speaks of 1,900 clips: a tenth of the training rows.
local p = paper.params{ width = 64, blocks = { 2, 2, 2, 2 }, seconds = 10.0, sample_rate = 35400, image_size = 224, frames = 3, val = 0.1 }

print(paper.run(p, {
  name = "ks", dataset = "kinetics_sounds", title = "Kinetics-Sounds: accuracy and MAP",
  metrics = { "test.total.accuracy", "test.total.map", "last.test.audio.accuracy", "last.test.video.accuracy" },
  data = function(preset)
    local released = paper.is_released(preset)
    local options = paper.loading(p, {
      frame_pick = preset.frame_pick, seconds = p.seconds, sample_rate = p.sample_rate, frames = p.frames, image_size = { p.image_size, p.image_size },
      class_order = released and "first_seen" or "sorted",
    })
    -- The releases train on every row of the list and select on the test set.
    if released then options.val = 0 end
    return bss.data.kinetics_sounds(options)
  end,
  model = function()
    return bss.model{
      audio = bss.encoder.resnet18{ channels = 1, width = p.width, blocks = p.blocks },
      video = bss.encoder.resnet18{ channels = 3, width = p.width, blocks = p.blocks },
      fusion = "concat", init = "paper",
    }
  end,
}))
