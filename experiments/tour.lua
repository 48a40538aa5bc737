-- %% [markdown]
-- # A tour: look at data, train, look at balance, change the pace
--
-- A notebook is a Lua script. `bss-lua nb run experiments/tour.lua` fills in the outputs, `nb check` runs it in a clean
-- state and names the first output that differs, `nb export experiments/tour.lua -o tour.ipynb` (or `.html`, `.md`) writes
-- it for others. `bss-lua experiments/tour.lua` runs it as it stands.

-- %%
-- Two modalities, one strong and one weak; a part of the samples has a mismatched or corrupted modality, and we know which.
data = bss.data.synthetic{ samples = 1200 }
_ = data

-- %%
function train(scheduler)
  return bss.train{
    data = data, epochs = 3, batch_size = 64, seed = 1, record = false, alpha = 0.2, scheduler = scheduler,
    optimizer = bss.optimizer.sgd{ learning_rate = 1e-2, momentum = 0.9 },
  }
end

-- %% [markdown]
-- ## Balance-aware sequences (BSS-L)
-- Every epoch scores each training sample by how well its modalities agree and are learned, and begins with the balanced ones.

-- %%
run = train(bss.scheduler.learned{ score_interval = 1, pace = bss.pace.root{ lambda_0 = 0.3, t_grow = 3 } })
_ = run.result.last.test.total.accuracy

-- %%
_ = run:plot_scores{ bins = 12 }

-- %%
-- The least and the most balanced sample: the case study of Fig. 4.
ends = run:extremes{ count = 1 }
print("least balanced: class " .. ends.lowest[1].class .. ", most balanced: class " .. ends.highest[1].class)
_ = ends.lowest[1].score < ends.highest[1].score

-- %% [markdown]
-- ## Another pace
-- A pace function gives the share of the samples that an epoch may use; any Lua function will do.

-- %%
slow = bss.pace.custom(function(t) return math.min(1, 0.2 + 0.4 * t) end)
_ = slow:curve(4)

-- %%
other = train(bss.scheduler.learned{ score_interval = 1, pace = slow })
_ = { slow = other.result.last.test.total.accuracy, root = run.result.last.test.total.accuracy }

-- %%
_ = run:plot{ "test.total.accuracy", with = { other }, names = { "root", "slow" } }
