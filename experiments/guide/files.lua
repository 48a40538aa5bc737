-- %% [markdown] tags=["reference", "4"]
-- # Files: models, records, plans, artifacts
--
-- Everything that is written is text or a format that other programs read. Numbers in JSON have all their digits.
--
-- ## A model: one safetensors file
-- Weights under the layers' names, linear ones as `[outputs, inputs]` as PyTorch has them; `__metadata__.bss_model` is JSON. Its fields:

-- %%
local data = bss.data.synthetic{ samples = 240, classes = 3, seed = 5 }
local run = bss.train{ data = data, epochs = 2, seed = 1, record = false }
local path = os.tmpname()
run.model:save(path)
local function keys(table)
  local names = {}
  for name in pairs(table) do names[#names + 1] = name end
  return table and _G.table.concat(names, ", ") or ""
end
print(keys(bss.model.load(path).description))
print(keys(bss.model.load(path).description.modalities[1]))
os.remove(path);
--> classes, format, identity, inference, labels, modalities, model
--> deviation, kind, mean, name, shape
--= {"kind":"text"}

-- %% [markdown]
-- `format` is `bss-lua model 1`; `model` the configuration, `modalities` names, kinds, shapes and standardisation, `classes` names and
-- `labels` as they are stored, `inference` the weights of Eq. 12, `identity` who made it. `scripts/interop/load_in_pytorch.py` reads it.
--
-- ## A folder of results (`--out`, by default `experiments/runs`)
-- | path | what |
-- | --- | --- |
-- | `plans/<name>-<hash>.jsonl` | the frozen plan, a line a run |
-- | `runs/<id>/run.json` | the record; that it is there means: finished |
-- | `runs/<id>/metrics.jsonl` | a line a number: `step` (epoch, from 1), `name`, `value`, `bits` |
-- | `runs/<id>/trace.jsonl` | a line an epoch: hash of the order, loss, gradient norm, hash of the parameters |
-- | `runs/<id>/output.txt` | what was printed while it trained; shown again when the run is taken from its record |
-- | `runs/<id>/attempt-<k>/` | the same for each try, with its owner and checkpoints |
-- | `sources/<script>-<hash>/` | the script and its modules as they were run |
-- | `data/<hash>.json` | which data: name, options, files with their hashes |
-- | `results/experiments/<name>.json` | rows with the ids of their runs, claims, the command that gives them again |
-- | `results/tables`, `results/figures` | CSV, Markdown and LaTeX; CSV, SVG and gnuplot |
-- | `results/output/<script>.txt` | everything that the script printed the last time it ran |
--
-- ## run.json
-- | field | what |
-- | --- | --- |
-- | `schema`, `id`, `id_parts` | 1; the run's name: a hash of what decides its numbers, and the hashes that it is made of |
-- | `attempt`, `state`, `exit_code`, `error`, `restarts` | which try this is, and how it ended; epochs at which it went on |
-- | `name`, `argv`, `parameters`, `config`, `seed` | the arm or training, the command, what the script declared, every option with its default |
-- | `code`, `sources`, `data`, `engine` | hashes of the script and its modules, their copies; data with its hash; build, instruction set, device |
-- | `result` | `result.<selection>.<split>.<output>.<metric>`: `last`, `val_best`, `test_best`, `selected` |
-- | `history`, `order_hashes`, `streams` | numbers of every epoch, hashes of the sample orders, draws from every random stream |
-- | `parameters_hash`, `determinism` | SHA-256 of the trained parameters; what was promised and what broke it |
-- | `cost`, `threads`, `time`, `machine`, `warnings` | parameters and samples, threads, times, the machine, warnings by kind |
--
-- ## Artifacts
-- `bss-lua pack` writes an archive (gzipped tar with sorted names and fixed times): `manifest.json`, `SHA256SUMS`, `src/`, `runs/`, `results/`,
-- `claims.json`, `ro-crate-metadata.json` (RO-Crate 1.1). "Share an artifact and verify one" tells how it is checked.
--
-- ## Notebooks
-- `-- %%` begins a cell of a Lua file, `-- %% [markdown]` one of text. Outputs are comments: `-->` what a reader sees, `--=` the same as a
-- typed value for `nb check`, `--~` a drawing.
