print("bss-lua")
