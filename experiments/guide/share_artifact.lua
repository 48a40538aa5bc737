-- %% [markdown] tags=["guide", "9"]
-- # Share an artifact and verify one
--
-- A paper says "A is above B". An artifact is one file that says it with its runs, so that somebody else can compute it again. Four steps:
-- state the claims in the script, run it, pack the folder of results, verify the file.
--
-- ## 1. State what the paper claims
-- Claims stand in the experiment. Each is evaluated from its runs and printed under the table.

-- %%
local data = bss.data.synthetic{ samples = 400, classes = 3, seed = 4 }
local study = bss.experiment{
  name = "rates", seeds = 6, metrics = { "test.total.accuracy" }, control = "0.001",
  arms = { { name = "0.001", rate = 0.001 }, { name = "0.05", rate = 0.05 } },
  claims = {
    bss.claim{
      id = "T1.1", place = "Table 1, row 2", text = "0.05 is above 0.001",
      metric = "test.total.accuracy", better = { "0.05", "0.001" },
    },
    bss.claim{
      id = "T1.2", place = "Table 1, row 2", text = "0.05 reaches 0.89",
      metric = "test.total.accuracy", where = "0.05", expect = 0.89, margin = 0.05,
    },
    bss.claim{
      id = "T1.3", text = "both rates are the same", metric = "test.total.accuracy",
      where = { "0.05", "0.001" }, equivalent = 0.01,
    },
  },
  run = function(p, arm, seed)
    return bss.train{
      data = data, epochs = 3, batch_size = 32, seed = seed, record = false,
      optimizer = bss.optimizer.sgd{ learning_rate = arm.rate, momentum = 0.9 },
    }
  end,
}
for _, claim in ipairs(study.claims) do print(claim.id, claim.verdict, claim.numbers) end
--> T1.1	no runs	0.8903 against 0.4278: +0.4625, p = 0.0312
--> T1.2	no runs	0.8903 over 6, stated 0.89 ± 0.05, 90 % interval -0.02402 to +0.02458
--> T1.3	no runs	+0.4625, margin ±0.01, 90 % interval +0.4335 to +0.4915
--= {"kind":"text"}

-- %% [markdown]
-- The words: **holds**, **does not hold**, **not enough runs** (never taken for "holds"; it says how many seeds are needed) and, as here at a
-- prompt where nothing is recorded, **no runs**: numbers without a record behind them support no claim.
--
-- | claim | holds if |
-- | --- | --- |
-- | `expect = 0.89, margin = 0.05` | the 90 % interval of the mean lies within the margin (two one-sided tests at 0.05), 3 seeds at least |
-- | `better = { "a", "b" }` | the exact permutation test gives p ≤ 0.05, Holm-corrected over the experiment's claims; `significant = false`: the means alone |
-- | `equivalent = 0.01` | the 90 % interval of the difference lies within the margin |
-- | `expect = 12, class = "exact"` | every run has exactly this number |
-- | neither | the numbers come out again, bit for bit |
--
-- ## 2. Run it, and its small form
-- ```sh
-- bss-lua study.lua --out results
-- bss-lua study.lua --smoke --out results/smoke      # if the script declares one: bss.params{ …, smoke = { epochs = 1 } }
-- ```
-- `results/experiments/<name>.json` has the table's rows with the ids of their runs and the claims, `results/sources` the scripts as they were run,
-- `results/data` the names and hashes of the data.
--
-- ## 3. Pack
-- ```sh
-- bss-lua pack results -o paper.bss --title "Our paper" --authors "A. Author, B. Author" --license LICENSE
-- bss-lua pack results -o review.bss --anonymous     # no authors, hosts, folders; refuses where a script names one
-- ```
-- The file is a plain tar; the same content gives the same bytes. It holds scripts, plans, records, tables, a README with each claim, its command
-- and cost, what is not supported, and the checklists of ACM and NeurIPS filled in from the records. `--with-data small` adds data from files,
-- `--with-engine` the program itself.
--
-- ## 4. Verify
-- ```sh
-- bss-lua verify paper.bss                           # everything: exit 0 holds, 3 differs, 4 not checked, 5 damaged, 7 a limit was met
-- bss-lua verify paper.bss --claim T1.1 --why        # one claim, with the numbers of both sides
-- bss-lua verify paper.bss --level 1                 # seconds: seal, and everything that follows from the records
-- bss-lua verify paper.bss --data DIR --budget 30m --report outcome.json
-- ```
-- Levels add up: 0 the seal, 1 tables, statistics and claims from the records, 2 the small form, 3 the runs behind the claims again, 4 new seeds.
-- The scripts of others run in a sandbox; `--trust` leaves it out. On the same build, device and instruction set every step must have the same
-- bits: what differs is told by the first epoch in which it does, and whether in the order of the samples, the forward pass, the gradient or the
-- update. Elsewhere the class of the claim decides: equal counts, equivalent means, the same test.
--
-- `bss-lua verify paper.bss --mutate` plants faults in copies, from one digit to forged records, and says which of them it finds: all.
--
-- ## Numbers in the text
-- `bss-lua report results -o tables` writes tables (CSV, Markdown, LaTeX), box plots and `numbers.tex`, so that a text says
-- `\bssnum{rates.test.total.accuracy.0.05}`; `bss-lua report results --check paper.tex` lists numbers of a text that no result gave.
