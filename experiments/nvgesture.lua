-- NVGesture (Table 1): colour, optical flow and depth, 25 gestures, three I3D.
--
--   scripts/data/nvgesture.sh ../data
--   bss-lua experiments/nvgesture.lua --data ../data --set weights=../weights [--set presets=paper --set seeds=1]
local bss = require "bss"
local paper = require "lib.paper"

-- weights: folder with rgb_imagenet.pt and flow_imagenet.pt (Kinetics I3D); empty: from scratch.
local p = paper.params{ width = 64, blocks = { 2, 5, 2 }, frames = 64, eval_frames = 80, side = 256, crop = 224, weights = "" }

print(paper.run(p, {
  name = "nvgesture", dataset = "nvgesture", title = "NVGesture: accuracy and macro F1",
  metrics = { "test.total.accuracy", "test.total.macro_f1", "last.test.rgb.accuracy", "last.test.flow.accuracy", "last.test.depth.accuracy" },
  data = function(preset)
    local released = paper.is_released(preset)
    return bss.data.nvgesture(paper.loading(p, {
      frames = p.frames, eval_frames = p.eval_frames, side = p.side, crop = p.crop,
      channel_order = released and "bgr" or "rgb", flow_window = released and "all" or "same",
    }))
  end,
  model = function(preset)
    local function i3d(channels, file)
      local options = { channels = channels, width = p.width, blocks = p.blocks }
      -- The released pool drops frames beyond a multiple of 64 and needs clips of 64 × 224 × 224.
      if paper.is_released(preset) and p.frames >= 64 and p.crop >= 224 then options.pool = "released" end
      if p.weights ~= "" then
        options.pretrained = p.weights .. "/" .. file
        -- The depth stem stays random: no published file has one of one channel.
        options.strict = channels ~= 1
      end
      return bss.encoder.i3d(options)
    end
    return bss.model{
      rgb = i3d(3, "rgb_imagenet.pt"), flow = i3d(2, "flow_imagenet.pt"), depth = i3d(1, "rgb_imagenet.pt"), fusion = "concat",
    }
  end,
}))
