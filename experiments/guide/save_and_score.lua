-- %% [markdown] tags=["guide", "5"]
-- # Save a model and score new samples
--
-- A saved model is one file: architecture, weights, the statistics that standardised its training data, names of classes and modalities.
-- Another process needs nothing else.

-- %%
local data = bss.data.synthetic{ samples = 600, classes = 3, seed = 9 }
local run = bss.train{
  data = data, epochs = 6, batch_size = 32, seed = 1, record = false,
  optimizer = bss.optimizer.sgd{ learning_rate = 2e-2, momentum = 0.9 },
}
local path = (os.getenv "TMPDIR" or "/tmp") .. "/model.safetensors"
run.model:save(path)
print(run.result.last.test.total.accuracy)
--> 0.89444444444444
--= {"kind":"text"}

-- %% [markdown]
-- `bss.model.load` makes the model of the file. `predict` takes raw values, standardises them once by the model's own statistics, and matches
-- modalities and classes by name. It gives logits, probabilities, labels and what was right, for every sample.

-- %%
local model = bss.model.load(path)
local scored = model:predict(data.test)
print(scored.accuracy, scored.output, table.concat(scored.logits:shape(), " x "))
print(bss.accuracy(scored.logits, scored.labels) == scored.accuracy)
--> 0.89444444444444	total	180 x 3
--> true
--= {"kind":"text"}

-- %% [markdown]
-- A modality that is missing is left out where the fusion allows it; `csv = "file.csv"` writes a row for each sample.

-- %%
print(model:predict{ data = data, split = "test", missing = "weak" }.accuracy)
print(model:predict{ data = data, split = "test", missing = "strong" }.accuracy)
--> 0.85555555555556
--> 0.77777777777778
--= {"kind":"text"}

-- %% [markdown]
-- ## Where it goes wrong
-- `run:confusion` counts classes against predictions.

-- %%
print(run:confusion("test"))
os.remove(path);
--> confusion (test, total): 0.8944 of 180 are right
--> class   0   1   2   recall
--> 0      53   2   5   0.8833
--> 1       5  52   3   0.8667
--> 2       1   3  56   0.9333
--= {"kind":"text"}
