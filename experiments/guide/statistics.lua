-- %% [markdown] tags=["explanation", "4"]
-- # Statistics over seeds
--
-- A training is a draw from a distribution over seeds. Two arms are compared by their paired differences: the same seed gives both the same
-- data order, initial weights and dropout masks where they can share them.
--
-- ## The exact permutation test
-- Under the null hypothesis the sign of each paired difference is a coin toss. With $n$ pairs there are $2^n$ equally likely sign patterns; the
-- p-value is the share of them whose mean is at least as extreme. Nothing is assumed about the distribution, and nothing is sampled.

-- %%
local a, b = { 0.91, 0.90, 0.93, 0.92, 0.94, 0.92 }, { 0.90, 0.88, 0.91, 0.92, 0.92, 0.90 }
print(("p = %.5f"):format(bss.stats.permutation_test{ a = a, b = b, paired = true }.p))
--> p = 0.06250
--= {"kind":"text"}

-- %% [markdown]
-- ## How many seeds?
-- With $n$ pairs the smallest p-value is $2 / 2^n$: five seeds can never reach 0.05. An experiment's table says so instead of printing a verdict.

-- %%
for n = 4, 7 do print(n, bss.stats.smallest_p{ n, paired = true }) end
print("seeds needed for three comparisons:", bss.stats.seeds_needed{ comparisons = 3 })
--> 4	0.125
--> 5	0.0625
--> 6	0.03125
--> 7	0.015625
--> seeds needed for three comparisons:	7
--= {"kind":"text"}

-- %% [markdown]
-- ## Several comparisons
-- Every arm that is compared with the control is another chance to be fooled. Holm's correction (Scandinavian Journal of Statistics, 1979)
-- multiplies the smallest p-value by the number of comparisons, the next by one less, and so on.

-- %%
print(table.concat(bss.stats.holm{ 0.01, 0.04, 0.03 }, "  "))
--> 0.03  0.06  0.06
--= {"kind":"text"}
