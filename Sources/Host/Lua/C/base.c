// Replacements in the base library: an ordered pairs, an xpcall that lets interrupts through.
#include "CBSSLua.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char raw_pairs_key = 0;

// MARK: pairs

typedef struct {
  const char *text;  // NULL: not a string
  size_t length;
  double number;
  int kind;  // 0 number, 1 string, 2 anything else
  int position;
} sort_key;

static int compare_keys(const void *a, const void *b) {
  const sort_key *x = a, *y = b;
  if (x->kind != y->kind) return x->kind - y->kind;
  if (x->kind == 0 && x->number != y->number) return x->number < y->number ? -1 : 1;
  if (x->kind == 1) {
    int order = memcmp(x->text, y->text, x->length < y->length ? x->length : y->length);
    if (order != 0) return order;
    if (x->length != y->length) return x->length < y->length ? -1 : 1;
  }
  return x->position - y->position;
}

int64_t bss_lua_push_sorted_keys(lua_State *L, int table) {
  table = lua_absindex(L, table);
  luaL_checkstack(L, 8, NULL);
  int64_t count = 0;
  for (lua_pushnil(L); lua_next(L, table); count++) lua_settop(L, -2);
  if (count > (1 << 30)) luaL_error(L, "pairs: table too large");
  // Both tables have their final size, so filling them allocates nothing and no finalizer can touch
  // `table`.
  lua_createtable(L, (int)count, 0);
  lua_createtable(L, (int)count, 0);
  int sorted = lua_gettop(L) - 1, found = lua_gettop(L);
  sort_key *keys = lua_newuserdatauv(L, (size_t)(count ? count : 1) * sizeof *keys, 0);
  int64_t n = 0;
  for (lua_pushnil(L); n < count && lua_next(L, table); n++) {
    lua_settop(L, -2);
    sort_key *key = &keys[n];
    *key = (sort_key){.kind = 2, .position = (int)n};
    int type = lua_type(L, -1);
    if (type == LUA_TNUMBER) {
      key->kind = 0;
      key->number = lua_tonumber(L, -1);
    } else if (type == LUA_TSTRING) {
      key->kind = 1;
      key->text = lua_tolstring(L, -1, &key->length);
    }
    lua_pushvalue(L, -1);
    lua_rawseti(L, found, n + 1);
  }
  qsort(keys, (size_t)n, sizeof *keys, compare_keys);
  for (int64_t i = 0; i < n; i++) {
    lua_rawgeti(L, found, keys[i].position + 1);
    lua_rawseti(L, sorted, i + 1);
  }
  lua_settop(L, sorted);
  return n;
}

// upvalues: keys, position
static int next_sorted(lua_State *L) {
  lua_Integer position = lua_tointeger(L, lua_upvalueindex(2));
  for (;;) {
    position++;
    if (lua_rawgeti(L, lua_upvalueindex(1), position) == LUA_TNIL) return 1;
    lua_pushvalue(L, -1);
    if (lua_rawget(L, 1) != LUA_TNIL)
      break;  // removed during the traversal: not visited, as with next
    lua_settop(L, -3);
  }
  lua_pushinteger(L, position);
  lua_replace(L, lua_upvalueindex(2));
  return 2;
}

static int raw_next(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  if (lua_next(L, 1)) return 2;
  lua_pushnil(L);
  return 1;
}

// Ordered already: rising numbers, then at most one other key. True for every plain list.
static bool is_ordered(lua_State *L) {
  double last = -1.0 / 0.0;
  int others = 0;
  for (lua_pushnil(L); lua_next(L, 1);) {
    lua_settop(L, -2);
    bool number = lua_type(L, -1) == LUA_TNUMBER;
    double value = number ? lua_tonumber(L, -1) : 0;
    if (number ? others > 0 || value <= last : ++others > 1) {
      lua_settop(L, -2);
      return false;
    }
    if (number) last = value;
  }
  return true;
}

static int after_metamethod(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 3;
}

static int by_metamethod(lua_State *L) {
  if (luaL_getmetafield(L, 1, "__pairs") == LUA_TNIL) return 0;
  lua_pushvalue(L, 1);
  lua_callk(L, 1, 3, 0, after_metamethod);
  return 3;
}

static int sorted_pairs(lua_State *L) {
  luaL_checkany(L, 1);
  int results = by_metamethod(L);
  if (results > 0) return results;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  if (is_ordered(L)) {
    lua_pushcfunction(L, raw_next);
  } else {
    bss_lua_push_sorted_keys(L, 1);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, next_sorted, 2);
  }
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  return 3;
}

// MARK: xpcall

// The hook is off while it raises, so a message handler that loops could not be stopped: on an
// interrupt the script's handler is passed over.
static int guarded_handler(lua_State *L) {
  if (bss_lua_signal_pending() != 0) {
    lua_settop(L, 1);
    return 1;
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

static int all_results(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  return lua_gettop(L);
}

// upvalue: the library's xpcall
static int guarded_xpcall(lua_State *L) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, guarded_handler, 1);
  lua_replace(L, 2);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, all_results);
  return lua_gettop(L);
}

// MARK: print

static int output_error;
int bss_lua_output_error(void) { return output_error; }

static void (*print_tap)(const char *, size_t);
static bool print_to_tap_only;
void bss_lua_set_print_tap(void (*tap)(const char *, size_t), bool only) {
  print_tap = tap;
  print_to_tap_only = only;
}

void bss_lua_print_tap(void (**tap)(const char *, size_t), bool *only) {
  *tap = print_tap;
  *only = print_to_tap_only;
}

static bool put(const char *text, size_t length) {
  if (print_tap) print_tap(text, length);
  if (print_to_tap_only) return true;
  return fwrite(text, 1, length, stdout) == length;
}

void bss_lua_write(const char *text, size_t length) {
  if (!put(text, length) && output_error == 0) output_error = errno;
}

// Lua's print flushes after every line, which makes long listings slow, and forgets failures. This
// one flushes when the last flush is a moment ago (so that `| tee` follows a long run) and keeps
// the reason of a failure.
static int print(lua_State *L) {
  int count = lua_gettop(L);
  bool failed = false;
  for (int i = 1; i <= count; i++) {
    size_t length;
    const char *text, *method = bss_lua_method_name(L, i);
    if (method) {
      const char *name = strchr(method, ':') ? strchr(method, ':') + 1 : method;
      text = lua_pushfstring(L, "method %s (write x:%s())", method, name);
      length = strlen(text);
    } else {
      text = luaL_tolstring(L, i, &length);
    }
    if (i > 1) failed |= !put("\t", 1);
    failed |= !put(text, length);
    lua_settop(L, -2);
  }
  failed |= !put("\n", 1);
  static struct timespec last;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  if ((double)(now.tv_sec - last.tv_sec) + 1e-9 * (double)(now.tv_nsec - last.tv_nsec) > 0.2) {
    last = now;
    failed |= fflush(stdout) != 0;
  }
  if (failed && output_error == 0) output_error = errno;
  return 0;
}

// io.write and file:write as they are, told to the tap when they go to standard output.
// Upvalues: the library's function, and whether it is the method. Arguments are checked here,
// because in the library's own message the function would have no name.
static int tapped_write(lua_State *L) {
  int count = lua_gettop(L), first = lua_toboolean(L, lua_upvalueindex(2)) ? 2 : 1;
  if (first == 2) luaL_checkudata(L, 1, LUA_FILEHANDLE);
  for (int i = first; i <= count; i++) {
    if (lua_type(L, i) != LUA_TNUMBER) luaL_checkstring(L, i);
  }
  if (print_tap) {
    if (first == 2) lua_pushvalue(L, 1);
    else lua_getfield(L, LUA_REGISTRYINDEX, "_IO_output");
    luaL_Stream *stream = luaL_testudata(L, -1, LUA_FILEHANDLE);
    lua_settop(L, count);
    for (int i = first; stream && stream->closef && stream->f == stdout && i <= count; i++) {
      char number[64];
      size_t length;
      if (lua_type(L, i) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, i, &length);
        print_tap(text, length);
      } else {
        int n = lua_isinteger(L, i) ? snprintf(number, sizeof number, LUA_INTEGER_FMT,
                                               (LUAI_UACINT)lua_tointeger(L, i))
                                    : snprintf(number, sizeof number, LUA_NUMBER_FMT,
                                               (LUAI_UACNUMBER)lua_tonumber(L, i));
        if (n > 0) print_tap(number, (size_t)n);
      }
    }
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, count, LUA_MULTRET);
  return lua_gettop(L);
}

// MARK: Sources

// Upvalues: the library's function, and `note`, which is told the file that it loads.
static int noted_loader(lua_State *L) {
  if (lua_type(L, 1) == LUA_TSTRING) {
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushvalue(L, 1);
    lua_call(L, 1, 0);
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, all_results);
  return lua_gettop(L);
}

// Upvalues: the library's function, `note`, and the function's name.
static int noted_reader(lua_State *L) {
  if (lua_type(L, 1) == LUA_TSTRING) {
    const bool has_mode = lua_type(L, 2) == LUA_TSTRING;
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushvalue(L, lua_upvalueindex(3));
    lua_pushvalue(L, 1);
    if (has_mode) lua_pushvalue(L, 2);
    else lua_pushliteral(L, "r");
    lua_call(L, 3, 0);
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, all_results);
  return lua_gettop(L);
}

// A searcher that found the module gives its loader and its file.
static int noted_searcher(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  if (lua_gettop(L) >= 2 && lua_type(L, 1) == LUA_TFUNCTION && lua_type(L, 2) == LUA_TSTRING) {
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushvalue(L, 2);
    lua_call(L, 1, 0);
  }
  return lua_gettop(L);
}

void bss_lua_note_sources(lua_State *L) {
  int note = lua_gettop(L);
  static const char *const loaders[] = {"dofile", "loadfile"};
  bss_lua_push_globals(L);
  for (int i = 0; i < 2; i++) {
    bss_lua_raw_get(L, -1, loaders[i]);
    lua_pushvalue(L, note);
    lua_pushcclosure(L, noted_loader, 2);
    bss_lua_raw_set(L, -2, loaders[i]);
  }
  if (bss_lua_raw_get(L, -1, "package") == LUA_TTABLE &&
      bss_lua_raw_get(L, -1, "searchers") == LUA_TTABLE) {
    for (int i = 2; i <= (int)lua_rawlen(L, -1); i++) {  // the first one looks in package.preload
      lua_rawgeti(L, -1, i);
      lua_pushvalue(L, note);
      lua_pushcclosure(L, noted_searcher, 2);
      lua_rawseti(L, -2, i);
    }
  }
  lua_settop(L, note - 1);
}

void bss_lua_note_reads(lua_State *L) {
  int note = lua_gettop(L);
  static const char *const readers[][2] = {{"io", "open"}, {"io", "lines"}, {"os", "getenv"}};
  for (int i = 0; i < 3; i++) {
    bss_lua_push_globals(L);
    if (bss_lua_raw_get(L, -1, readers[i][0]) != LUA_TTABLE) continue;
    bss_lua_raw_get(L, -1, readers[i][1]);
    lua_pushvalue(L, note);
    lua_pushstring(L, readers[i][1]);
    lua_pushcclosure(L, noted_reader, 3);
    bss_lua_raw_set(L, -2, readers[i][1]);
  }
  lua_settop(L, note - 1);
}

static void tap_write(lua_State *L, bool is_method) {
  if (lua_getfield(L, -1, "write") == LUA_TFUNCTION) {
    lua_pushboolean(L, is_method);
    lua_pushcclosure(L, tapped_write, 2);
    lua_setfield(L, -2, "write");
  } else {
    lua_settop(L, -2);
  }
  lua_settop(L, -2);
}

void bss_lua_open_base(lua_State *L) {
  lua_getglobal(L, "io");
  tap_write(L, false);
  luaL_getmetatable(L, LUA_FILEHANDLE);
  lua_getfield(L, -1, "__index");
  lua_remove(L, -2);
  tap_write(L, true);
  lua_pushcfunction(L, print);
  lua_setglobal(L, "print");
  lua_getglobal(L, "pairs");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &raw_pairs_key);
  lua_pushcfunction(L, sorted_pairs);
  lua_setglobal(L, "pairs");
  lua_getglobal(L, "xpcall");
  lua_pushcclosure(L, guarded_xpcall, 1);
  lua_setglobal(L, "xpcall");
}

void bss_lua_push_raw_pairs(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &raw_pairs_key); }
