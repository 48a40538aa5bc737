-- %% [markdown] tags=["explanation", "1"]
-- # What balance-aware sequence sampling is
--
-- A multimodal classifier has one encoder per modality, a fusion, and often a head per modality. Trained jointly, the modality that is
-- learned faster takes the loss down, and the other one is starved of gradient (Wang et al., CVPR 2020; Peng et al., CVPR 2022). Most
-- remedies change losses or gradients. Balance-aware sequence sampling (Guan, Jiang, Yang, IJCAI 2025) changes what is shown when.
--
-- ## The score
-- Per sample, two criteria: how similar the unimodal predictions are, and how large the loss is.
--
-- $$ s_i = \cos(p_i^{(1)}, p_i^{(2)}) - \frac{\ell_i - \min_j \ell_j}{\max_j \ell_j - \min_j \ell_j} $$
--
-- (Eqs. 4 to 6.) A balanced sample is one whose modalities agree and which is learned. `bss.measurer` computes it, on given numbers too:

-- %%
local measurer = bss.measurer{ "prediction_similarity", "loss" }
local scored = measurer:score{
  logits = { audio = { { 4, 0 }, { 4, 0 }, { 0, 4 } }, image = { { 3, 0 }, { 0, 3 }, { 0, 1 } } },
  fused = { { 5, 0 }, { 2, 1 }, { 0, 3 } }, labels = { 1, 1, 2 },
}
for i, score in ipairs(scored.score) do print(i, ("%.4f"):format(score)) end
--> 1	1.0000
--> 2	-1.0000
--> 3	0.8389
--= {"kind":"text"}

-- %% [markdown]
-- The first sample is balanced, the second has a modality that contradicts, the third agrees but is less sure.
--
-- ## BSS-H: a growing subset
-- The training set is ranked by score, and epoch $t$ sees the first $\lfloor \lambda(t) n \rfloor$ samples. The pace function grows from
-- $\lambda_0$ to 1 in $T_{grow}$ epochs (Eqs. 7, 8):

-- %%
local pace = bss.pace.root{ lambda_0 = 0.25, t_grow = 8 }
local line = {}
for t = 0, 8, 2 do line[#line + 1] = ("%.3f"):format(pace:at(t)) end
print(table.concat(line, "  "))
--> 0.250  0.545  0.729  0.875  1.000
--= {"kind":"text"}

-- %% [markdown]
-- ## BSS-L: an order drawn from the scores
-- Scores are smoothed over scans, $s \leftarrow \beta s_{old} + (1 - \beta) s_{new}$ (Eqs. 9, 10), and each epoch's order is drawn without
-- replacement with probabilities $\text{softmax}(s)$ (Eq. 11). Every sample is seen in every epoch; balanced ones tend to come first.
--
-- ## Prediction
-- The logits of the fusion and of all modalities are summed (Eq. 12). This alone changes accuracy, and so do the unimodal losses that train
-- those heads: a comparison that is to credit the sequence needs a control with the same losses, the same sum, and a uniform order.
-- `experiments/ablation.lua` has it; the paper does not.
