-- %% [markdown] tags=["explanation", "3"]
-- # Determinism
--
-- Same script, seed, build and instruction set: the same bits, for any number of threads, on any run, resumed or not. Three rules give this.
--
-- * **Work is cut by shape.** Kernels divide tensors into tasks by their shapes alone, and partial results are combined in the order of tasks;
--   which thread computes a task does not matter.
-- * **Random numbers are counted, not drawn.** Every stream (`init`, `order`, `dropout`, …) is Philox, a function of seed, name and counter
--   (Salmon et al., SC 2011). A draw added in one place moves no other.
-- * **Nothing else decides.** No time, no address, no hash order enters a result.

-- %%
local data = bss.data.synthetic{ samples = 300, seed = 2 }
local function hash(seed)
  return bss.train{ data = data, epochs = 2, batch_size = 32, seed = seed, record = false }.parameters_hash
end
local once, again, other = hash(1), hash(1), hash(2)
print(once == again, once == other)
--> true	false
--= {"kind":"text"}

-- %% [markdown]
-- ## What breaks the promise
-- Another instruction set rounds differently: AVX-512 sums in other groups than AVX2. `run.json` names the instruction set and says under
-- `determinism` what broke the promise, for example a training that was resumed under another one. `BSS_ISA=v3` fixes the level for all kernels.
