-- Sarcasm (Table 1): picture and tweet, sarcastic or not, ResNet50 and BERT.
--
--   scripts/data/sarcasm.sh ../data
--   bss-lua experiments/sarcasm.lua --data ../data --set bert=../weights/bert-base-uncased --set resnet=../weights/resnet50-0676ba61.pth
local bss = require "bss"
local paper = require "lib.paper"

-- bert, resnet: pretrained files; empty: from scratch, with the words of the training texts.
local p = paper.params{
  bert = "", resnet = "", width = 64, blocks = { 3, 4, 6, 3 }, image_size = 224, text_length = 80,
  hidden = 768, layers = 12, heads = 12, logits = 1000,
}

print(paper.run(p, {
  name = "sarcasm", dataset = "sarcasm", title = "Sarcasm: accuracy and macro F1",
  metrics = { "test.total.accuracy", "test.total.macro_f1", "last.test.image.accuracy", "last.test.text.accuracy" },
  data = function(preset)
    local options = paper.loading(p, {
      image_size = { p.image_size, p.image_size }, text_length = p.text_length,
      -- The releases normalise an ImageNet network's pictures with CLIP's numbers.
      statistics = paper.is_released(preset) and "clip" or "imagenet",
    })
    if p.bert ~= "" then options.tokenizer = p.bert end
    return bss.data.sarcasm(options)
  end,
  model = function(preset)
    -- As released: the picture is told by ImageNet's 1000 class scores, projected to the size of the text.
    local image = { width = p.width, blocks = p.blocks, logits = p.logits, features = p.hidden }
    if p.resnet ~= "" then image.pretrained = p.resnet end
    local text = p.bert ~= "" and { pretrained = p.bert } or { hidden = p.hidden, layers = p.layers, heads = p.heads }
    text.pooling = "cls"
    return bss.model{
      image = bss.encoder.resnet50(image), text = bss.encoder.bert(text), fusion = "concat",
      head_sharing = preset.head_sharing == "shared",
    }
  end,
}))
