-- %% [markdown] tags=["tutorial", "2"]
-- # Lua for PyTorch users
--
-- Everything you write in a PyTorch training script has a place here; this page puts the two side by side. The language is Lua 5.4: tables
-- for lists and dictionaries, positions from 1, `local` for variables, `..` joins text, `~=` is "not equal", `#t` is the length.
--
-- ## Tensors
-- `bss.tensor`, `zeros`, `ones`, `randn`, `arange`; methods take named options in braces. Axes and positions count from 1, and -1 is the
-- last one.

-- %%
local x = bss.tensor{ { 1, 2, 3 }, { 4, 5, 6 } }             -- torch.tensor([[1., 2., 3.], [4., 5., 6.]])
print(table.concat(x:shape(), " x "))                       -- x.shape
print(x:sum{ axis = 1 })                                    -- x.sum(dim=0)
print(x:matmul(x:t()))                                     -- x @ x.T
print(x[2][3])                                              -- x[1, 2].item()
--> 2 x 3
--> tensor f32 [3] on cpu
--> [        5          7          9]
--> mean 7, std 2, min 5, max 9
--> tensor f32 [2, 2] on cpu
--> [       14         32]
--> [       32         77]
--> mean 38.75, std 26.87, min 14, max 77
--> 6.0
--= {"kind":"text"}

-- %% [markdown]
-- A number takes the dtype of the tensor beside it, as in PyTorch; comparisons give tensors of booleans.

-- %%
print((x * 2 + 0.5):totable()[1][1], x:argmax{ axis = 2 }:totable()[1])
print((x:gt(2)):sum():item(), "elements above 2")
--> 2.5	3
--> 4	elements above 2
--= {"kind":"text"}

-- %% [markdown]
-- ## Gradients
-- There is no `.backward()`: `bss.grad(f, parameters)` runs a function that returns a scalar and gives its value and the gradients.

-- %%
local w = bss.tensor{ { 0.1, -0.2 }, { 0.3, 0.4 }, { -0.5, 0.6 } }
local labels = bss.tensor({ 1, 2 }, "i64")                  -- class positions, from 1
local gradient, value = bss.grad(function() return bss.cross_entropy(x:matmul(w), labels) end, w)
print(value)
print(gradient)
--> tensor f32 [] on cpu:     1.621
--> tensor f32 [3, 2] on cpu
--> [   -0.475      0.475]
--> [   -0.954      0.954]
--> [   -1.433      1.433]
--> mean 5.464e-08, std 1.129, min -1.433, max 1.433
--= {"kind":"text"}

-- %% [markdown]
-- ## Layers, optimizers, schedules
-- | PyTorch | here |
-- | --- | --- |
-- | `nn.Sequential(nn.Linear(…), nn.ReLU(), …)` per modality | `bss.encoder.mlp{ hidden = { 128, 64 } }` |
-- | `torchvision.models.resnet18()` | `bss.encoder.resnet18{}` |
-- | `torch.cat([a, b], 1)` and a linear layer | `fusion = "concat"` |
-- | `torch.optim.SGD(…, momentum=0.9)` | `bss.optimizer.sgd{ momentum = 0.9 }` |
-- | `lr_scheduler.StepLR(…, step_size=30, gamma=0.1)` | `bss.learning_rate.step{ every = 30, factor = 0.1 }` |
-- | `DataLoader(…, sampler=…)` | `scheduler = bss.scheduler.custom(function(t, scores) … end)` |
-- | the training loop | `bss.train{ … }`, with hooks: `on_epoch`, `loss`, `bss.rebalance.custom` |
-- | `torch.manual_seed(1)` | `seed = 1`: same bits at any thread count |
--
-- The loop is written once and measures everything; what you change are its parts.

-- %%
local data = bss.data.synthetic{ samples = 600, seed = 3 }
local model = bss.model{ strong = bss.encoder.mlp{ hidden = { 32 } }, weak = bss.encoder.mlp{ hidden = { 32 } }, fusion = "concat" }
local run = bss.train{
  data = data, model = model, epochs = 6, batch_size = 32, seed = 1, record = false,
  optimizer = bss.optimizer.sgd{ learning_rate = 5e-2, momentum = 0.9 },
  on_epoch = function(e)
    if e.epoch % 3 == 0 then print(("epoch %d  train loss %.4f  test %.4f"):format(e.epoch, e.train.loss, e.test.total.accuracy)) end
  end,
}
--> epoch 3  train loss 0.9135  test 0.8500
--> epoch 6  train loss 0.3206  test 0.8222
--= {"kind":"text"}

-- %% [markdown]
-- ## The model afterwards
-- `run.model:forward` evaluates (no dropout, running statistics) and changes nothing; `model:train()` switches to training mode.

-- %%
local inputs = {}
for _, name in ipairs(data.modalities) do
  local rows = {}
  for i = 1, 4 do rows[i] = data.test[i][name] end
  inputs[name] = bss.tensor(rows)
end
local out = run.model:forward(inputs)
print(out.total:argmax{ axis = 2 })
--> tensor i64 [4] on cpu
--> [   6     2     4     1]
--= {"kind":"text"}
