-- Twitter2015 (Table 1): picture and tweet, three sentiments, ResNet50 and BERT.
--
--   scripts/data/twitter2015.sh ../data
--   bss-lua experiments/twitter2015.lua --data ../data --set bert=../weights/bert-base-uncased --set resnet=../weights/resnet50-0676ba61.pth
local bss = require "bss"
local paper = require "lib.paper"

-- bert, resnet: pretrained files; empty: from scratch, with the words of the training texts.
local p = paper.params{
  bert = "", resnet = "", width = 64, blocks = { 3, 4, 6, 3 }, image_size = 384, text_length = 64,
  hidden = 768, layers = 12, heads = 12,
}

print(paper.run(p, {
  name = "twitter2015", dataset = "twitter2015", title = "Twitter2015: accuracy and macro F1",
  metrics = { "test.total.accuracy", "test.total.macro_f1", "last.test.image.accuracy", "last.test.text.accuracy" },
  data = function(preset)
    local options = paper.loading(p, {
      image_size = { p.image_size, p.image_size }, text_length = p.text_length,
      -- The releases discard the target and do not normalise pictures.
      text = paper.is_released(preset) and "released" or "pair", normalise = not paper.is_released(preset),
    })
    if p.bert ~= "" then options.tokenizer = p.bert end
    return bss.data.twitter2015(options)
  end,
  model = function()
    local image = { width = p.width, blocks = p.blocks }
    if p.resnet ~= "" then image.pretrained = p.resnet end
    local text = p.bert ~= "" and { pretrained = p.bert } or { hidden = p.hidden, layers = p.layers, heads = p.heads }
    -- Both features have one size: the pooled text is projected to that of the picture (2048).
    text.pooling, text.features = "pooler", p.width * (1 << #p.blocks + 1)
    return bss.model{ image = bss.encoder.resnet50(image), text = bss.encoder.bert(text), fusion = "concat" }
  end,
}))
