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
-- Another instruction set, or a library's products, may round differently: OpenBLAS chooses its kernels by the CPU. Our own give the same bits with
-- AVX2 and AVX-512. `run.json` names both and says under `determinism` what broke the promise, for example a training that was resumed elsewhere.
-- `BSS_ISA=v3 BSS_BLAS=own` fixes level and products; the numbers on these pages were computed under it.
