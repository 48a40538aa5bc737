-- %% [markdown] tags=["tutorial", "1"]
-- # Your first hour
--
-- Multimodal training lets a strong modality starve a weak one. Balance-aware Sequence Sampling (BSS) scores how balanced each
-- training sample is and presents balanced samples first. This notebook trains a model, looks at the scores, changes the order, and
-- asks whether the change helped.
--
-- Every cell is Lua. Run the whole file with `bss-lua experiments/guide/first_hour.lua`, cell by cell in the prompt (`bss-lua`), or fill
-- in its outputs with `bss-lua nb run`.
--
-- ## Data with a weak side
-- `bss.data.synthetic` makes two modalities, one strong and one weak. Part of the samples has a mismatched or corrupted modality, and
-- `data.truth` knows which.

-- %%
local data = bss.data.synthetic{ samples = 1200, classes = 4, seed = 7 }
print(#data.train, #data.val, #data.test, table.concat(data.modalities, " and "))
--> 720	120	360	strong and weak
--= {"kind":"text"}

-- %% [markdown]
-- ## A training
-- A model takes one encoder per modality and a fusion. `bss.train` returns a run: results, history, scores, and the trained model.

-- %%
local function train(options)
  options.data, options.record = data, false
  options.model = bss.model{
    strong = bss.encoder.mlp{ hidden = { 32 } }, weak = bss.encoder.mlp{ hidden = { 32 } }, fusion = "concat",
  }
  options.epochs, options.batch_size, options.seed = 10, 64, options.seed or 1
  options.optimizer = bss.optimizer.sgd{ learning_rate = 5e-2, momentum = 0.9 }
  return bss.train(options)
end
local plain = train{}
print(plain.result.last.test.total.accuracy)
--> 0.90555555555556
--= {"kind":"text"}

-- %% [markdown]
-- Four outputs are measured: `total` (the sum of all heads, Eq. 12), `fused`, and one for each modality. Three epochs are picked:
-- `last`, `val_best` and `test_best`. The last is there because papers report it, not because it is honest.

-- %%
for _, output in ipairs{ "total", "fused", "strong", "weak" } do
  print(output, plain.result.last.test[output].accuracy)
end
--> total	0.90555555555556
--> fused	0.90555555555556
--> strong	0.84444444444444
--> weak	0.76666666666667
--= {"kind":"text"}

-- %% [markdown]
-- ## The order of the samples
-- A scheduler decides which samples an epoch sees, and in what order. BSS-H (Eqs. 7, 8) ranks by balance and grows a subset; BSS-L
-- (Eqs. 9 to 11) draws every epoch's order from the scores.

-- %%
local bss_h = train{ scheduler = bss.scheduler.heuristic{ pace = bss.pace.root{ lambda_0 = 0.3, t_grow = 5 } } }
local bss_l = train{ scheduler = bss.scheduler.learned{ every = 2, beta = 0.6 } }
print("uniform", plain.result.last.test.total.accuracy)
print("BSS-H", bss_h.result.last.test.total.accuracy)
print("BSS-L", bss_l.result.last.test.total.accuracy)
--> uniform	0.90555555555556
--> BSS-H	0.88888888888889
--> BSS-L	0.89444444444444
--= {"kind":"text"}

-- %% [markdown]
-- ## Do the scores find the broken samples?
-- The mean score of intact samples should be above that of broken ones.

-- %%
local sum, count = { [true] = 0, [false] = 0 }, { [true] = 0, [false] = 0 }
for i, score in ipairs(bss_l.scores) do
  local broken = data.train.truth.defect[i] ~= "none"
  sum[broken], count[broken] = sum[broken] + score, count[broken] + 1
end
print("intact", count[false], sum[false] / count[false])
print("broken", count[true], sum[true] / count[true])
--> intact	580	0.79642355333094
--> broken	140	0.25927815265395
--= {"kind":"text"}

-- %% [markdown]
-- ## Is the difference real?
-- One seed says nothing. An experiment runs every arm with every seed, compares in pairs, and says when there are too few seeds to
-- claim anything.

-- %%
print(bss.experiment{
  name = "first-hour", title = "Uniform order against BSS-L", seeds = 4, metrics = { "test.total.accuracy" },
  arms = { { name = "uniform" }, { name = "BSS-L", scheduler = bss.scheduler.learned{ every = 2, beta = 0.6 } } },
  control = "uniform",
  run = function(_, arm, seed) return train{ scheduler = arm.scheduler, seed = seed } end,
})
--> Uniform order against BSS-L
-->          test.total.accuracy  difference      p
--> -----------------------------------------------
--> uniform      0.9062 ± 0.0027
--> BSS-L        0.9028 ± 0.0023     -0.0035  0.125
--> -----------------------------------------------
--> 4 seeds; ± is the standard deviation over seeds.
--> Difference to 'uniform' with the two-sided paired exact permutation p.
--> Too few seeds to claim anything: 4 can reach p = 0.125 at best, 0.05 needs at least 6 seeds.
-->
--= {"kind":"text"}
