-- %% [markdown] tags=["tutorial", "3"]
-- # Your own data
--
-- Numbers come as CSV (`bss.data.csv`), arrays as NumPy files (`bss.data.npz`, `bss.data.npy`), and sound, pictures, video and text as a CSV
-- that lists files (`bss.data.folder`). All three give the same kind of dataset.
--
-- ## A table of numbers
-- Modalities are groups of columns: a list of names, or a prefix. Without a column `split` the samples are divided by class into
-- 70 % training, 10 % validation and 20 % test.

-- %%
local folder = os.getenv "TMPDIR" or "/tmp"
local path = folder .. "/animals.csv"
local file = assert(io.open(path, "w"))
file:write("id,pixel_1,pixel_2,text_1,text_2,label\n")
math.randomseed(4)
for i = 1, 90 do
  local class = i % 3
  local function noisy(value) return ("%.4f"):format(value + math.random() - 0.5) end
  file:write(("sample%d,%s,%s,%s,%s,%s\n"):format(
    i, noisy(class), noisy(-class), noisy(class == 1 and 1 or 0), noisy(0), ({ "cat", "dog", "owl" })[class + 1]))
end
file:close()
local data = bss.data.csv{ path = path, modalities = { image = "pixel_", text = { "text_1", "text_2" } } }
print(data)
--> animals: 90 samples (63 train / 9 val / 18 test), 3 classes, 2 modalities
-->   image  features [2], standardised on train
-->   text   features [2], standardised on train
-->   class   train     val    test
-->   cat        21       3       6
-->   dog        21       3       6
-->   owl        21       3       6
--= {"kind":"text"}

-- %% [markdown]
-- Columns are standardised by mean and deviation of the training split alone; `standardise = false` leaves them as they are. Labels may be
-- text. Positions count from 1, and `class_names` names them.

-- %%
local sample = data.train[1]
local position = data.train.classes[1]
print(sample.label, position, data.class_names[position])
local run = bss.train{ data = data, epochs = 5, batch_size = 16, seed = 1, record = false }
print(run.result.last.test.total.accuracy, run.result.last.test.text.accuracy)
--> dog	2	dog
--> 0.94444444444444	0.5
--= {"kind":"text"}

-- %% [markdown]
-- ## When something is wrong with the file
-- Errors name the row, the column and what was found.

-- %%
local broken = folder .. "/broken.csv"
local out = assert(io.open(broken, "w"))
out:write("a,b,label\n1,2,x\n3,four,y\n")
out:close()
local ok, message = pcall(bss.data.csv, { path = broken, modalities = { m = { "a", "b" } } })
print(ok, (tostring(message):gsub("^.*broken%.csv", "broken.csv")))
os.remove(path)
os.remove(broken);
--> false	broken.csv: line 3, column 'b': a number was expected, got 'four'
--= {"kind":"text"}
