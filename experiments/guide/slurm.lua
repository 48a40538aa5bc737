-- %% [markdown] tags=["guide", "7"]
-- # Many runs: processes, machines, Slurm
--
-- An experiment's runs are independent. Whoever computes them, the table is the same to the byte (times aside): workers share one folder of
-- results and one frozen plan, and claim runs one by one.
--
-- ```sh
-- bss-lua study.lua -j 8                       # eight processes on this machine
-- bss-lua sweep study.lua -j 8 --out results   # the same; sweep status, cancel and work look after it
-- bss-lua sweep work results                   # one more worker, from another machine that sees the folder
-- ```
--
-- ## The arms
-- `bss.sweep` makes arms from axes; `zip` binds axes together, `when` leaves combinations out.

-- %%
local arms = bss.sweep{
  cross = { alpha = bss.choice{ 0.1, 0.3 }, every = bss.range{ 1, 3 } },
  when = function(arm) return not (arm.alpha == 0.1 and arm.every == 3) end,
}
for _, arm in ipairs(arms) do print(arm.name) end
--> alpha = 0.1, every = 1
--> alpha = 0.1, every = 2
--> alpha = 0.3, every = 1
--> alpha = 0.3, every = 2
--> alpha = 0.3, every = 3
--= {"kind":"text"}

-- %%
local data = bss.data.synthetic{ samples = 300, classes = 3, seed = 6 }
local study = bss.experiment{
  name = "guide-sweep", seeds = 3, arms = arms, control = arms[1].name, metrics = { "test.total.accuracy" },
  run = function(_, arm, seed)
    return bss.train{
      data = data, epochs = 3, batch_size = 32, seed = seed, alpha = arm.alpha,
      scheduler = bss.scheduler.learned{ every = arm.every },
    }
  end,
}
print(study)
--> guide-sweep
-->                         test.total.accuracy  difference         p
--> -----------------------------------------------------------------
--> alpha = 0.1, every = 1        0.533 ± 0.029
--> alpha = 0.1, every = 2        0.533 ± 0.029      +0.000     1 (1)
--> alpha = 0.3, every = 1        0.630 ± 0.057      +0.096  0.25 (1)
--> alpha = 0.3, every = 2        0.630 ± 0.057      +0.096  0.25 (1)
--> alpha = 0.3, every = 3        0.619 ± 0.065      +0.085  0.25 (1)
--> -----------------------------------------------------------------
--> 3 seeds; ± is the standard deviation over seeds.
--> Difference to 'alpha = 0.1, every = 1' with the two-sided paired exact permutation p (Holm-corrected over 4 rows in parentheses).
--> Too few seeds to claim anything: 3 can reach p = 0.25 at best, 4 comparisons at 0.05 need at least 8 seeds.
-->
--= {"kind":"text"}

-- %% [markdown]
-- ## On a cluster
-- `--slurm` writes one readable batch file over the frozen plan: an array whose tasks are workers. Nothing else is needed on the nodes than
-- the program (`scripts/bundle` makes one that needs no packages) and a folder that all see.
--
-- ```sh
-- bss-lua sweep study.lua --slurm --dry-run --partition cpu --time 2:00:00     # print it
-- bss-lua sweep study.lua --slurm --partition cpu --time 2:00:00 --out results # write it; sbatch submits it
-- bss-lua sweep status results                                                 # from any machine, also without Slurm
-- bss-lua study.lua --out results                                              # takes the runs from their records: the table
-- ```
--
-- Three minutes before a task's time limit Slurm sends a signal: the worker comes to its next checkpoint and exits with 75, and the task is
-- queued again. A node that dies leaves claims behind; they are free for others after 180 seconds without a sign of life (`BSS_LEASE`).
-- Failed runs stop nothing; `--retry failed` begins them again, `--on-error stop` ends a sweep at the first.
--
-- ## Without Slurm
-- `--engine print` prints one command a run, for GNU parallel, ssh or Kubernetes.
