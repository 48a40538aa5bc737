-- %% [markdown] tags=["guide", "1"]
-- # Your own pace, scheduler, criterion and loss
--
-- Every part of a curriculum may be a function. Each recipe below stands by itself.

-- %%
local data = bss.data.synthetic{ samples = 600, seed = 3 }
local function train(options)
  options.data, options.epochs, options.batch_size, options.seed, options.record = data, 6, 32, 1, false
  options.optimizer = bss.optimizer.sgd{ learning_rate = 2e-2, momentum = 0.9 }
  return bss.train(options).result.last.test.total.accuracy
end

-- %% [markdown]
-- ## A pace function
-- `function(t)` returns the share of the ranked samples that epoch t may use, in (0, 1]; t counts from 0.

-- %%
local stairs = bss.pace.custom(function(t) return math.min(1, 0.25 * (1 + t // 2)) end)
print(stairs:at(0), stairs:at(2), stairs:at(6))
print(train{ scheduler = bss.scheduler.heuristic{ pace = stairs } })
--> 0.25	0.5	1.0
--> 0.53888888888889
--= {"kind":"text"}

-- %% [markdown]
-- ## A criterion
-- `function(evidence)` returns one number per training sample. `direction` says which values mean balanced; they are normalised and
-- summed with the other criteria. Here: the margin between the best and the second class of the fused prediction.

-- %%
local margin = bss.criterion.custom{
  direction = "high",
  ["function"] = function(evidence)
    local best = bss.tensor(evidence.fused):softmax{ axis = 2 }:topk{ 2, axis = 2 }
    return (best:narrow{ 2, 1, 1 } - best:narrow{ 2, 2, 2 }):flatten():totable()
  end,
}
print(train{ scheduler = bss.scheduler.learned{ every = 2, measurer = bss.measurer{ margin, "loss" } } })
--> 0.86111111111111
--= {"kind":"text"}

-- %% [markdown]
-- ## A scheduler
-- `function(t, scores)` returns positions in the training split, from 1: any order, any subset, with repetition if you like. With a
-- measurer it gets the current balance scores. Here: the balanced half in even epochs, everything in odd ones.

-- %%
local alternating = bss.scheduler.custom{
  measurer = bss.measurer{ "prediction_similarity", "loss" },
  ["function"] = function(t, scores)
    local order = {}
    for i = 1, #data.train do order[i] = i end
    if t % 2 == 1 or not scores then return order end
    table.sort(order, function(a, b) return scores[a] > scores[b] or scores[a] == scores[b] and a < b end)
    return table.move(order, 1, #order // 2, 1, {})
  end,
}
print(train{ scheduler = alternating })
--> 0.72222222222222
--= {"kind":"text"}

-- %% [markdown]
-- ## A loss for each sample
-- `function(losses, labels, epoch, positions)` returns losses of the same shape before they are averaged. Here: a cap, so that outliers
-- pull no more than other samples.

-- %%
print(train{ sample_loss = bss.sample_loss.custom(function(losses) return losses:minimum(4.0) end) })
--> 0.85
--= {"kind":"text"}

-- %% [markdown]
-- ## A loss of your own
-- `loss = function(output, labels)` returns a scalar in place of Eq. 5.

-- %%
print(train{
  loss = function(output, labels)
    local total = bss.cross_entropy(output.fused, labels)
    for _, logits in pairs(output.unimodal) do total = total + 0.3 * bss.cross_entropy(logits, labels) end
    return total
  end,
})
--> 0.85555555555556
--= {"kind":"text"}
