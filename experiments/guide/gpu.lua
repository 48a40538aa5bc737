-- %% [markdown] tags=["guide", "6"]
-- # NVIDIA cards
--
-- ```sh
-- bss-lua --device cuda script.lua     # the first card; cuda:1 the second; BSS_DEVICE=cuda does the same
-- bss-lua doctor --device cuda         # which cards there are, or what is missing; what this one does at most, measured
-- ```
--
-- The card needs a driver from version 525 on and NVRTC, which CUDA, conda or `pip install nvidia-cuda-nvrtc-cu12` bring: kernels are texts
-- in the program, compiled when they are first used and kept in `~/.cache/bss-lua/cubin`. No Python and no CUDA headers are needed.
-- cuBLAS and cuDNN 9 are used where they are found (`pip install nvidia-cublas nvidia-cudnn-cu13`); without them, or with
-- `BSS_CUDA_BLAS=none` and `BSS_CUDA_CUDNN=none`, own kernels compute the same.
--
-- ## What this page can check
-- The devices of the machine that wrote it; a card that cannot be used says why.

-- %%
local devices = bss.device.list()
print(devices[1].name, bss.device.current())
--> cpu	cpu
--= {"kind":"text"}

-- %% [markdown]
-- ## What changes and what does not
-- Scripts stay as they are: tensors, models and trainings live on the device of the run. Results on a card are the same bits from run to run
-- on one kind of card; between a card and the CPU they agree to rounding, not to the bit, and a run's id says which device it was.
-- Data sets that fit are copied once; streamed media are read by threads while the card computes.
--
-- A step is enqueued as a whole; what waits for the card is reading a number: `tensor:item()`, `print`, a loss in `on_epoch`. A loss
-- written in Lua costs little; one that reads numbers in every step costs the overlap.
--
-- Small models (an MLP on features) are faster on the CPU: a step of theirs takes less time there than its kernels take to start.

-- %%
local data = bss.data.synthetic{ samples = 300, classes = 3, seed = 8 }
local run = bss.train{ data = data, epochs = 2, seed = 1, record = false }
print(run.history[2].train.loss < run.history[1].train.loss)
--> true
--= {"kind":"text"}

-- %% [markdown]
-- `scripts/gpu-check` holds a card's numbers beside the CPU's in under nine minutes and writes a report; `scripts/gpu-emulator` runs every
-- kernel on a machine without a card. The backend is proven on that emulator and was never run on a card.
