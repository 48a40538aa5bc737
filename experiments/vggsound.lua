-- VGGSound (Table 2): sound and one frame, 309 classes, two ResNet18 from scratch.
--
--   scripts/data/vggsound.sh ../data
--   bss-lua experiments/vggsound.lua --data ../data [--set presets=paper --set schedulers=learned --set seeds=1]
local bss = require "bss"
local paper = require "lib.paper"

-- Released: frames of 384 pixels, recordings of 10 seconds repeated to 20; image_size = 224 and seconds = 10 cost a third.
local p = paper.params{ width = 64, blocks = { 2, 2, 2, 2 }, seconds = 20.0, sample_rate = 35400, image_size = 384, frames = 1 }

print(paper.run(p, {
  name = "vggsound", dataset = "vggsound", title = "VGGSound: accuracy and MAP",
  metrics = { "test.total.accuracy", "test.total.map", "last.test.audio.accuracy", "last.test.video.accuracy" },
  data = function(preset)
    return bss.data.vggsound(paper.loading(p, {
      frame_pick = preset.frame_pick, seconds = p.seconds, sample_rate = p.sample_rate, frames = p.frames, image_size = { p.image_size, p.image_size },
      num_classes = preset.num_classes,
    }))
  end,
  model = function()
    return bss.model{
      audio = bss.encoder.resnet18{ channels = 1, width = p.width, blocks = p.blocks },
      video = bss.encoder.resnet18{ channels = 3, width = p.width, blocks = p.blocks },
      fusion = "concat", init = "paper",
    }
  end,
}))
