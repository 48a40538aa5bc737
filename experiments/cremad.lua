-- CREMA-D (Table 1, Fig. 3): speech and face, six emotions, two ResNet18 from scratch.
--
--   scripts/data/crema_d.sh ../data                                        what to download, then frames
--   bss-lua data check crema_d --data ../data
--   bss-lua experiments/cremad.lua --data ../data [--set presets=paper --set schedulers=learned --set seeds=1]
local bss = require "bss"
local paper = require "lib.paper"

-- seconds: clips are repeated to it; 20 as released, 3 is the loader's commented variant and much faster.
local p = paper.params{ width = 64, blocks = { 2, 2, 2, 2 }, seconds = 20.0, sample_rate = 22050, image_size = 224, frames = 1 }

print(paper.run(p, {
  name = "cremad", dataset = "crema_d", title = "CREMA-D: accuracy and MAP",
  metrics = { "test.total.accuracy", "test.total.map", "last.test.audio.accuracy", "last.test.video.accuracy" },
  data = function(preset)
    return bss.data.crema_d(paper.loading(p, {
      frame_pick = preset.frame_pick, seconds = p.seconds, sample_rate = p.sample_rate, frames = p.frames, image_size = { p.image_size, p.image_size },
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
