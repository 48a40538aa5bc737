-- %% [markdown] tags=["explanation", "2"]
-- # The paper, its code, and what really helps
--
-- A paper, its released code and the code's own fixes are three programs. `bss.preset` keeps them apart: `paper` is what the text says,
-- `official` what the released code does, `official_fixed` the same without its mistakes, `january` an earlier upload. Each is a plain table
-- of options, and `bss.preset.diff` lists where two of them differ.

-- %%
for _, row in ipairs(bss.preset.diff(bss.preset.paper "crema_d", bss.preset.official "crema_d")) do
  if type(row.a) ~= "table" then print(row.key, row.a, row.b) end
end
--> batch_size	64	32
--> frame_pick	random	first
--> inference_heads	all	unimodal
--> learning_rate.factor	0.1	nil
--> learning_rate.metric	train_loss	nil
--> learning_rate.name	plateau	step
--> learning_rate.patience	10	nil
--> learning_rate.gamma	nil	0.1
--> learning_rate.step_size	nil	70
--> scheduler.drop_last	false	true
--> scheduler.ema_beta	0.6	1.0
--> scheduler.min_batches	1	0
--> scheduler.prob_map	softmax	linear
--> scheduler.score_interval	5	1
--> scheduler.score_mode	batch_statistics	train
--> scheduler.score_order	shuffled	list
--> scheduler.score_transform	eval	train
--> seed	1	42
--> select	last	test_best
--> w_multi	0.8	0.1
--> w_uni	0.2	0.9
--= {"kind":"text"}

-- %% [markdown]
-- Where we deviate from a paper or its code, the source says `Deviation:`, and `.github/CHANGES.md` lists it. Where a paper is silent, a named
-- option decides, and its default is written down with the declaration.
--
-- ## Honest selection
-- Three epochs are always reported: `last`, `val_best` (picked on the validation split) and `test_best` (picked on the test split, as many papers
-- do). `test_best` is an upper bound, not an estimate. `experiments/audit.lua` measures how much it adds.
