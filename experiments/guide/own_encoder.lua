-- %% [markdown] tags=["guide", "2"]
-- # Encoders: choose one, bring features, write your own
--
-- An encoder turns one modality's samples into a feature vector; a linear head and the fusion follow. `help(bss.encoder)` lists them.
--
-- ## Choose and configure

-- %%
local data = bss.data.synthetic{ samples = 400, classes = 4, seed = 5 }
local model = bss.model{
  strong = bss.encoder.mlp{ hidden = { 64, 32 }, activation = "gelu", norm = "layer", dropout = 0.1 },
  weak = bss.encoder.mlp{ hidden = { 32 } },
  fusion = "sum",
}
print(model:build(data):parameter_count(), "trainable numbers")
--> 11664	trainable numbers
--= {"kind":"text"}

-- %% [markdown]
-- An encoder that cannot take a modality's samples says so before anything is trained.

-- %%
local ok, message = pcall(function() return bss.model{ strong = "cnn", weak = "mlp" }:build(data) end)
print(ok, (tostring(message):gsub("^[^:]*:%d+: ", "")))
--> false	bss.encoder.cnn: modality 'strong' has samples of shape [100], a cnn needs [C, H, W] (use bss.encoder.mlp)
--= {"kind":"text"}

-- %% [markdown]
-- ## Features from elsewhere
-- Features that another program computed are samples like others: an array in a `.npy` or `.npz` file, or columns of a CSV. `identity`
-- hands them on, so that heads and fusion are all that is trained: multinomial logistic regression on each modality, and on both.

-- %%
local probe = bss.train{
  data = data, epochs = 5, seed = 1, record = false,
  model = bss.model{ strong = bss.encoder.identity{}, weak = bss.encoder.identity{}, fusion = "concat" },
}
print(probe.result.last.test.total.accuracy)
--> 0.85
--= {"kind":"text"}

-- %% [markdown]
-- ## Weights from elsewhere
-- `resnet18`, `resnet50`, `bert`, `i3d` and both of CLIP's take `pretrained = "FILE"`: safetensors or a PyTorch state dict, with the names
-- that torchvision and transformers use. `model.pretrained` then tells which keys were loaded, missing or left over.
--
-- ## Your own, in Lua
-- A network is a function of tensors, `bss.batch` gives samples as tensors, and `bss.grad` differentiates. In this one the weak
-- modality turns up or down what the strong one says; its steps are written by hand.

-- %%
local train, test = bss.batch(data.train), bss.batch(data.test)
local weights = {
  strong = bss.randn{ 100, 8, seed = 1 } * 0.05, weak = bss.randn{ 74, 8, seed = 2 } * 0.05, out = bss.randn{ 8, 4, seed = 3 } * 0.3,
}
local function logits(x)
  local strong, weak = x.strong:matmul(weights.strong):tanh(), x.weak:matmul(weights.weak):tanh()
  return (strong * (1 + weak)):matmul(weights.out)
end
for step = 1, 30 do
  local slopes, loss = bss.grad(function() return bss.cross_entropy(logits(train.inputs), train.labels) end, weights)
  for name, slope in pairs(slopes) do weights[name]:assign(weights[name] * 0.98 - slope * 0.5) end
  if step % 10 == 0 then print(step, ("%.4f"):format(loss:item())) end
end
print(("test accuracy %.4f"):format(bss.accuracy(logits(test.inputs), test.labels)))
--> 10	0.4198
--> 20	0.1898
--> 30	0.1363
--> test accuracy 0.9083
--= {"kind":"text"}
