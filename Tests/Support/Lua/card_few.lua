-- A training of a few steps with convolutions and every kind of kernel's barriers: what compute-sanitizer has time for.
bss.params{ small = true }
local x = bss.randn{ 40, 300, seed = 1 }
print(x:softmax(2):sum():item(), x:sum(1):sum():item(), (x:sort(2)):sum():item(), x:matmul(x:transpose(1, 2)):sum():item())
local data = bss.data.synthetic{ samples = 120, seed = 3 }
print(bss.train{ data = data, epochs = 1, record = false, clip_norm = 1, scheduler = bss.scheduler.learned{ every = 1 } }.parameters_hash)
