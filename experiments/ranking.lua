-- Which samples does BSS call balanced? (Fig. 1(b), Fig. 4, Algorithm 1)
--
-- Tests: the ranking of the untrained network against that of the trained one, and against what is known of the samples
-- of synthetic data: which of them have a mismatched modality. The paper shows cards of samples of both rankings.
-- Takes: 10 trainings, 2 CPU seconds. Expect: the first ranking, which BSS-H uses, knows nothing (AUROC 0.51, rank
-- correlation with the last one 0.00); that of the trained network finds mismatched samples (0.93).
--
--   bss-lua experiments/ranking.lua [--set mismatched=0.4]
local bss = require "bss"

local p = bss.params{
  samples = 1300, mismatched = 0.2, epochs = 40, learning_rate = 0.02, batch_size = 64, alpha = 0.2, seeds = 5,
  smoke = { samples = 300, epochs = 3, seeds = 2 },
}

local function train(seed, epochs, scored)
  local data = bss.data.synthetic{ samples = p.samples, imbalanced = p.mismatched, imbalance = "mismatched", seed = seed }
  local encoder = bss.encoder.mlp{ hidden = { 64 } }
  return bss.train{
    name = "ranking", data = data, model = bss.model{ strong = encoder, weak = encoder, fusion = "concat" },
    epochs = epochs, batch_size = p.batch_size, seed = seed, rebalance = "joint", alpha = p.alpha,
    -- All samples in every epoch: the ranking changes nothing that is trained.
    scheduler = bss.scheduler.heuristic{ pace = bss.pace.full{}, rerank_epochs = { scored } },
    optimizer = bss.optimizer.sgd{ learning_rate = p.learning_rate, momentum = 0.9, weight_decay = 1e-4 },
  }, data
end

local function finds(scores, mismatched)
  local lowness = {}
  for i, score in ipairs(scores) do lowness[i] = -score end
  return bss.stats.auroc(lowness, mismatched)
end

local last
print(bss.experiment{
  name = "ranking", title = "Rankings by balance, before and after training", params = p, seeds = p.seeds,
  metrics = { "found_before", "found_after", "rank_correlation" },
  claims = {
    bss.claim{
      id = "X2.before", place = "Fig. 4", text = "the ranking of the untrained network finds no mismatched samples",
      metric = "found_before", where = "ranking", expect = 0.5, margin = 0.05,
    },
    bss.claim{
      id = "X2.after", place = "Fig. 4", text = "that of the trained network finds them",
      metric = "found_after", where = "ranking", expect = 0.93, margin = 0.03,
    },
  },
  arms = { { name = "ranking" } },
  notes = {
    "found: area under the ROC curve with which low scores tell mismatched samples from others; 0.5 is chance.",
    "rank_correlation: Spearman's, of the two rankings.",
  },
  run = function(_, _, seed)
    local first, data = train(seed, 1, 0)
    last = train(seed, p.epochs, p.epochs - 1)
    local mismatched = data.train.truth.imbalanced
    return {
      found_before = finds(first.scores, mismatched), found_after = finds(last.scores, mismatched),
      rank_correlation = bss.stats.spearman(first.scores, last.scores),
    }
  end,
})
if last then print(last:plot_scores{ title = "Balance of the training samples after training, last seed" }) end
