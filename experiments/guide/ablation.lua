-- %% [markdown] tags=["guide", "4"]
-- # An ablation and a sweep
--
-- An experiment runs every arm with every seed, pairs the results by seed, and compares each arm with a control. Finished runs are kept:
-- the same command again takes them from their records.
--
-- The question here: what does BSS-L owe to its scores, and what to the order alone? The control has the same losses and the same
-- inference, but a uniform order; the paper lacks it.

-- %%
local data = bss.data.synthetic{ samples = 600, classes = 4, seed = 11 }
local function train(options)
  options.data, options.batch_size, options.epochs = data, 32, 6
  options.optimizer = bss.optimizer.sgd{ learning_rate = 2e-2, momentum = 0.9 }
  return bss.train(options)
end

local result = bss.experiment{
  name = "guide-ablation", title = "What BSS-L owes to its scores", seeds = 6, control = "uniform order",
  metrics = { "test.total.accuracy", "test.weak.accuracy" },
  arms = {
    { name = "uniform order" },
    { name = "loss", scheduler = bss.scheduler.learned{ every = 2, measurer = bss.measurer{ "loss" } } },
    { name = "similarity", scheduler = bss.scheduler.learned{ every = 2, measurer = bss.measurer{ "prediction_similarity" } } },
    { name = "both", scheduler = bss.scheduler.learned{ every = 2 } },
  },
  run = function(_, arm, seed) return train{ scheduler = arm.scheduler, seed = seed } end,
}
print(result)
--> What BSS-L owes to its scores
-->                test.total.accuracy  difference              p  test.weak.accuracy  difference              p
--> ------------------------------------------------------------------------------------------------------------
--> uniform order        0.882 ± 0.014                                  0.564 ± 0.032
--> loss                 0.876 ± 0.018      -0.006   0.375 (0.75)       0.531 ± 0.074      -0.033  0.125 (0.375)
--> similarity           0.872 ± 0.016      -0.010  0.125 (0.375)       0.524 ± 0.074      -0.040  0.125 (0.375)
--> both                 0.878 ± 0.022      -0.005  0.875 (0.875)       0.534 ± 0.073      -0.030  0.344 (0.375)
--> ------------------------------------------------------------------------------------------------------------
--> 6 seeds; ± is the standard deviation over seeds.
--> Difference to 'uniform order' with the two-sided paired exact permutation p (Holm-corrected over 3 rows in parentheses).
--> Too few seeds to claim anything: 6 can reach p = 0.0312 at best, 3 comparisons at 0.05 need at least 7 seeds.
-->
--= {"kind":"text"}

-- %% [markdown]
-- Six pairs can reach p = 0.031 at best: enough for one comparison, not for three after correction. `bss.stats.seeds_needed` says how
-- many seeds can reach a level at all.

-- %%
print(bss.stats.seeds_needed{}, bss.stats.seeds_needed{ comparisons = 3 })
--> 6	7
--= {"kind":"text"}
