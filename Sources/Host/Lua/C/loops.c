// Functions of Lua's libraries that can loop in C for as long as a script likes, where no hook
// runs: they look for an interrupt here. Short calls go to the library's own.
#include "CBSSLua.h"
#include <string.h>

enum { look_every = 1 << 12 };

static void look(lua_State *L, lua_Integer i) {
  if ((i & (look_every - 1)) == 0) bss_lua_raise_if_pending(L);
}

// Calls upvalue 1, the library's function, with the arguments as they are.
static int library(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, NULL);
  return lua_gettop(L);
}

// MARK: string.rep

static int string_rep(lua_State *L) {
  size_t length, gap;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_Integer count = luaL_checkinteger(L, 2);
  const char *between = luaL_optlstring(L, 3, "", &gap);
  size_t each = length + gap;
  const size_t most = LUA_MAXINTEGER;
  if (count <= 0 || each == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  if (each < length || each > most / (size_t)count)
    return luaL_error(L, "resulting string too large");
  luaL_Buffer out;
  char *to = luaL_buffinitsize(L, &out, each * (size_t)count - gap);
  size_t since = 0;
  for (lua_Integer i = 0; i < count; i++) {
    memcpy(to, text, length);
    to += length;
    if (i + 1 < count) {
      memcpy(to, between, gap);
      to += gap;
    }
    since += each;
    if (since < (1 << 20)) continue;
    since = 0;
    bss_lua_raise_if_pending(L);
  }
  luaL_pushresultsize(&out, each * (size_t)count - gap);
  return 1;
}

// MARK: table.sort

static int less(lua_State *L) {
  bss_lua_raise_if_pending(L);
  lua_pushboolean(L, lua_compare(L, 1, 2, LUA_OPLT));
  return 1;
}

// A comparison that is a C function: upvalue 1.
static int guarded(lua_State *L) {
  bss_lua_raise_if_pending(L);
  return library(L);
}

// Comparisons in Lua are stopped by the hook; others get one that looks.
static int table_sort(lua_State *L) {
  lua_settop(L, 2);
  if (lua_type(L, 1) == LUA_TTABLE && lua_rawlen(L, 1) > look_every) {
    if (lua_type(L, 2) == LUA_TNIL) {
      lua_pushcfunction(L, less);
      lua_replace(L, 2);
    } else if (lua_iscfunction(L, 2)) {
      lua_pushcclosure(L, guarded, 1);
    }
  }
  return library(L);
}

// MARK: table.insert, remove, move, concat

// Elements from..to go to `at` of the table at index `target`, in an order that overlaps allow.
static void move(lua_State *L, lua_Integer from, lua_Integer to, lua_Integer at, int target) {
  bool rises = at > to || at <= from || (target != 1 && !lua_compare(L, 1, target, LUA_OPEQ));
  for (lua_Integer k = 0, count = to - from + 1; k < count; k++) {
    look(L, k);
    lua_Integer i = rises ? k : count - 1 - k;
    lua_geti(L, 1, from + i);
    lua_seti(L, target, at + i);
  }
}

static int table_insert(lua_State *L) {
  if (lua_type(L, 1) != LUA_TTABLE) return library(L);
  lua_Integer free = luaL_len(L, 1) + 1;
  int count = lua_gettop(L);
  if (count == 2) {
    lua_seti(L, 1, free);
    return 0;
  }
  if (count != 3) return luaL_error(L, "wrong number of arguments to 'insert'");
  lua_Integer at = luaL_checkinteger(L, 2);
  luaL_argcheck(L, (lua_Unsigned)at - 1u < (lua_Unsigned)free, 2, "position out of bounds");
  if (at < free) move(L, at, free - 1, at + 1, 1);
  lua_seti(L, 1, at);
  return 0;
}

static int table_remove(lua_State *L) {
  if (lua_type(L, 1) != LUA_TTABLE) return library(L);
  lua_Integer length = luaL_len(L, 1), at = luaL_optinteger(L, 2, length);
  bool is_given = lua_gettop(L) > 1;
  luaL_argcheck(L, !is_given || length == 0 || (lua_Unsigned)at - 1u <= (lua_Unsigned)length, 2,
                "position out of bounds");
  if (is_given && length == 0 && at != 0) luaL_argcheck(L, at == 1, 2, "position out of bounds");
  lua_settop(L, 1);
  lua_geti(L, 1, at);
  if (at < length) move(L, at + 1, length, at, 1);
  lua_pushnil(L);
  lua_seti(L, 1, at < length ? length : at);
  return 1;
}

static int table_move(lua_State *L) {
  lua_Integer from = luaL_checkinteger(L, 2), to = luaL_checkinteger(L, 3),
              at = luaL_checkinteger(L, 4);
  bool is_given = !lua_isnoneornil(L, 5);
  bool is_plain = lua_type(L, 1) == LUA_TTABLE && (!is_given || lua_type(L, 5) == LUA_TTABLE);
  bool is_long = to > from && (lua_Unsigned)to - (lua_Unsigned)from > look_every;
  if (!is_plain || !is_long || !(from > 0 || to < LUA_MAXINTEGER + from)) return library(L);
  luaL_argcheck(L, at <= LUA_MAXINTEGER - (to - from + 1) + 1, 4, "destination wrap around");
  lua_settop(L, is_given ? 5 : 4);
  move(L, from, to, at, is_given ? 5 : 1);
  lua_pushvalue(L, is_given ? 5 : 1);
  return 1;
}

static int table_concat(lua_State *L) {
  if (lua_type(L, 1) != LUA_TTABLE) return library(L);
  size_t gap;
  lua_Integer length = luaL_len(L, 1);
  const char *between = luaL_optlstring(L, 2, "", &gap);
  lua_Integer first = luaL_optinteger(L, 3, 1), last = luaL_optinteger(L, 4, length);
  if (last <= first || (lua_Unsigned)last - (lua_Unsigned)first <= look_every) return library(L);
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  for (lua_Integer i = first;; i++) {
    look(L, i);
    lua_geti(L, 1, i);
    if (!lua_isstring(L, -1)) {
      const char *type = luaL_typename(L, -1);
      return luaL_error(L, "invalid value (at index %I) in table for 'concat' (a %s)",
                        (LUAI_UACINT)i, type);
    }
    luaL_addvalue(&out);
    if (i == last) break;
    luaL_addlstring(&out, between, gap);
  }
  luaL_pushresult(&out);
  return 1;
}

// MARK: Opening

typedef struct {
  const char *library, *name;
  lua_CFunction function;
} replacement;

static const replacement replacements[] = {
    {LUA_STRLIBNAME, "rep", string_rep},      {LUA_TABLIBNAME, "sort", table_sort},
    {LUA_TABLIBNAME, "insert", table_insert}, {LUA_TABLIBNAME, "remove", table_remove},
    {LUA_TABLIBNAME, "move", table_move},     {LUA_TABLIBNAME, "concat", table_concat},
};

void bss_lua_open_loops(lua_State *L) {
  for (unsigned i = 0; i < sizeof replacements / sizeof *replacements; i++) {
    lua_getglobal(L, replacements[i].library);
    lua_getfield(L, -1, replacements[i].name);
    lua_pushcclosure(L, replacements[i].function, 1);
    lua_setfield(L, -2, replacements[i].name);
    lua_settop(L, -2);
  }
}
