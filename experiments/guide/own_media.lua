-- %% [markdown] tags=["guide", "3"]
-- # A folder of sounds, pictures and texts as a dataset
--
-- `bss.data.folder` reads media that a CSV file lists: one row a sample, one column a modality, a column `label`, and where there is one a
-- column `split`. Here such a folder is made first: spoken and drawn "up" and "down".

-- %%
local root = os.tmpname()
os.remove(root)
os.execute("mkdir -p " .. root)
local function bytes(format, ...) return (string.pack(format, ...)) end

-- A WAV file of a tone that goes up or down: 8000 samples a second, 16 bits.
local function tone(path, sign, shift)
  local samples = {}
  for i = 1, 2000 do
    local hertz = 600 + shift + sign * i / 5
    samples[i] = bytes("<i2", math.floor(9000 * math.sin(2 * math.pi * hertz * i / 8000)))
  end
  local data = table.concat(samples)
  local file = assert(io.open(path, "wb"))
  file:write("RIFF", bytes("<I4", 36 + #data), "WAVEfmt ", bytes("<I4I2I2I4I4I2I2", 16, 1, 1, 8000, 16000, 2, 16), "data",
    bytes("<I4", #data), data)
  file:close()
end

local list = assert(io.open(root .. "/index.csv", "w"))
list:write("sound,words,label\n")
for i = 1, 40 do
  local up = i % 2 == 0
  tone(("%s/%d.wav"):format(root, i), up and 1 or -1, i * 3)
  list:write(("%d.wav,%s,%s\n"):format(i, up and "it rises and rises" or "it falls and falls", up and "up" or "down"))
end
list:close()

-- %% [markdown]
-- What a column holds is told by its entries: files by their ending, then numbers, then text. Options of each kind stand in its own table.

-- %%
local data = bss.data.folder{
  root = root, modalities = { sound = { kind = "audio", size = { 24, 24 } }, words = "words" },
}
print(data.samples, data:kind "sound", table.concat(data:shape "sound", " x "), data:kind "words")
local run = bss.train{ data = data, epochs = 12, batch_size = 8, seed = 1, record = false, scheduler = "heuristic",
  optimizer = bss.optimizer.adam{ learning_rate = 1e-2 } }
print(run.result.last.test.sound.accuracy, run.result.last.test.words.accuracy)
--> 40	audio	1 x 24 x 24	features
--> 1.0	1.0
--= {"kind":"text"}

-- %% [markdown]
-- Errors name the row and the file.

-- %%
os.remove(root .. "/7.wav")
local ok, message = pcall(bss.data.folder, { root = root, modalities = { sound = "sound" } })
print(ok, (tostring(message):gsub(root, "ROOT")))
--> false	bss.data.folder: index.csv: line 8: 7.wav: is not there (missing = "skip" leaves such rows out, and lists them)
--= {"kind":"text"}

-- %% [markdown]
-- Samples know their files, and `run:extremes` shows those with the lowest and highest balance; in JupyterLab and in exported pages with
-- their spectrograms and pictures. Large collections are read while training with `stream = true`; `cache = "DIR"` keeps what was decoded.

-- %%
print(#run:extremes{ count = 3 }.lowest, (run:extremes().lowest[1].files.sound:match "[^/]*$"))
os.execute("rm -r " .. root);
--> 3	23.wav
--= {"kind":"text"}
