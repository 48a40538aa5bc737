-- Names that the command line chooses from a list: `--set rows=BSS-L,MLA`. A name that is not in the list ends the script with
-- exit code 2 and the nearest one that is.
--
--   local wanted = require "lib.selection"("rows", p.rows, names)        wanted[name] is true; { "all" } is all

-- Single letters to change, add or leave out (Levenshtein 1966).
local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local change = diagonal + (a:byte(i) == b:byte(j) and 0 or 1)
      diagonal = row[j]
      row[j] = math.min(row[j] + 1, row[j - 1] + 1, change)
    end
  end
  return row[#b]
end

local function nearest(typed, names)
  local best, least
  for _, name in ipairs(names) do
    local d = distance(typed:lower(), name:lower())
    if not least or d < least then best, least = name, d end
  end
  return least and least <= math.max(1, #typed // 2) and best
end

return function(key, given, names)
  local known, wanted = {}, {}
  for _, name in ipairs(names) do known[name] = true end
  if #given == 1 and given[1] == "all" then return known end
  for _, name in ipairs(given) do
    if not known[name] then
      local near = nearest(name, names)
      local hint = near and ("did you mean '%s'? "):format(near) or ""
      io.stderr:write(("bss-lua: --set: %s has no '%s' (%sknown: %s)\n"):format(key, name, hint, table.concat(names, ", ")))
      os.exit(2, true)
    end
    wanted[name] = true
  end
  if not next(wanted) then
    io.stderr:write(("bss-lua: --set: %s names nothing (known: %s)\n"):format(key, table.concat(names, ", ")))
    os.exit(2, true)
  end
  return wanted
end
