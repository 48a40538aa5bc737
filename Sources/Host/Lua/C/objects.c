// Trampolines and userdata: the only places that raise a Lua error, with no Swift frame alive.
#include "CBSSLua.h"
#include <string.h>

typedef struct {
  void *box;             // retained; NULL once taken out
  const void *identity;  // the address of the Swift object: key of the weak table
  size_t bytes;
} object_block;

static const char objects_key = 0;  // weak: identity -> userdata
static const char entry_key = 0;    // metatable of entry blocks
static const char mark_key = 0;     // in every metatable of ours

// MARK: Garbage that Lua cannot see

// Lua counts a few bytes for an object that keeps megabytes alive. So that about one full
// collection happens per doubling of the external bytes, new external bytes are reported in
// proportion: the collector owes `heap * new / live` bytes of work. Small programs are left alone
// (the floor).
enum { report_bytes = 64 << 10, floor_bytes = 32 << 20 };

static void report_external(lua_State *L, bss_lua_host *host) {
  size_t live = host->external_bytes > floor_bytes ? host->external_bytes : floor_bytes;
  double heap = lua_gc(L, LUA_GCCOUNT) + 1.0;
  int kilobytes = (int)(heap * (double)host->external_new / (double)live);
  if (kilobytes < 1) return;  // keep counting
  host->external_new = 0;
  lua_gc(L, LUA_GCSTEP, kilobytes);
}

static inline int enter(lua_State *L, bss_lua_host *host, void *entry) {
  lua_State *outer = host->current;
  host->current = L;
  host->in_host++;
  int results = host->call(L, entry);
  host->in_host--;
  host->current = outer;
  if (__builtin_expect(results < 0, 0)) return lua_error(L);
  if (host->external_new >= report_bytes) report_external(L, host);
  return results;
}

// MARK: Entries

static int free_entry(lua_State *L) {
  void **block = lua_touserdata(L, 1);
  if (block && *block) {
    void *entry = *block;
    *block = NULL;
    bss_lua_host_of(L)->release(entry);
  }
  return 0;
}

static void push_entry_block(lua_State *L, void *entry) {
  void **block = lua_newuserdatauv(L, sizeof *block, 0);
  *block = NULL;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &entry_key) != LUA_TTABLE) {
    lua_settop(L, -2);
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, free_entry);
    bss_lua_raw_set(L, -2, "__gc");
    lua_pushboolean(L, 0);
    bss_lua_raw_set(L, -2, "__metatable");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &entry_key);
  }
  lua_setmetatable(L, -2);
  *block = entry;
}

static int call_entry(lua_State *L) {
  void **block = lua_touserdata(L, lua_upvalueindex(1));
  return enter(L, bss_lua_host_of(L), *block);
}

static int call_numeric(lua_State *L) {
  if (lua_type(L, 1) == LUA_TNUMBER && lua_type(L, 2) == LUA_TNUMBER && lua_gettop(L) == 2) {
    bss_lua_numeric numeric = (bss_lua_numeric)(intptr_t)lua_touserdata(L, lua_upvalueindex(2));
    lua_pushnumber(L, numeric(lua_tonumber(L, 1), lua_tonumber(L, 2)));
    return 1;
  }
  return call_entry(L);
}

// True if the userdata at index 1 has the metatable in upvalue 2 and still holds its object.
static bool is_receiver(lua_State *L) {
  if (lua_type(L, 1) != LUA_TUSERDATA || !lua_getmetatable(L, 1)) return false;
  bool same = lua_rawequal(L, -1, lua_upvalueindex(2));
  lua_settop(L, -2);
  return same;
}

static int call_method(lua_State *L) {
  if (!is_receiver(L)) {
    return luaL_error(
        L, "%s: the first argument must be the object, got %s (call methods with a colon)",
        lua_tostring(L, lua_upvalueindex(3)), luaL_typename(L, 1));
  }
  object_block *object = lua_touserdata(L, 1);
  if (!object->box)
    return luaL_error(L, "%s: the object was freed", lua_tostring(L, lua_upvalueindex(3)));
  return call_entry(L);
}

// upvalues: entry, metatable of the type, table of method functions
static int call_index(lua_State *L) {
  if (lua_type(L, 2) == LUA_TSTRING) {
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(3)) != LUA_TNIL) return 1;
    lua_settop(L, -2);
  }
  if (!is_receiver(L)) return luaL_error(L, "not an object of this type (%s)", luaL_typename(L, 1));
  object_block *object = lua_touserdata(L, 1);
  if (!object->box) return luaL_error(L, "the object was freed");
  return call_entry(L);
}

void bss_lua_push_entry(lua_State *L, void *entry) {
  push_entry_block(L, entry);
  lua_pushcclosure(L, call_entry, 1);
}

void bss_lua_push_numeric_entry(lua_State *L, void *entry, bss_lua_numeric numeric) {
  push_entry_block(L, entry);
  lua_pushlightuserdata(L, (void *)(intptr_t)numeric);
  lua_pushcclosure(L, call_numeric, 2);
}

void bss_lua_push_method_entry(lua_State *L, void *entry, int metatable, const char *name) {
  metatable = lua_absindex(L, metatable);
  push_entry_block(L, entry);
  lua_pushvalue(L, metatable);
  lua_pushstring(L, name);
  lua_pushcclosure(L, call_method, 3);
}

const char *bss_lua_method_name(lua_State *L, int index) {
  if (lua_tocfunction(L, index) != call_method || !lua_getupvalue(L, index, 3)) return NULL;
  const char *name = lua_tostring(L, -1);  // the closure keeps it
  lua_pop(L, 1);
  return name;
}

void bss_lua_push_index_entry(lua_State *L, void *entry, int methods) {
  methods = lua_absindex(L, methods);
  push_entry_block(L, entry);
  lua_pushvalue(L, -2);  // the metatable, which the caller is building on top of the stack
  lua_pushvalue(L, methods);
  lua_pushcclosure(L, call_index, 3);
}

void *bss_lua_entry(lua_State *L, int index) {
  lua_CFunction function = lua_tocfunction(L, index);
  if (function != call_entry && function != call_numeric && function != call_method) return NULL;
  if (!lua_getupvalue(L, index, 1)) return NULL;
  void **block = lua_touserdata(L, -1);
  lua_settop(L, -2);
  return block ? *block : NULL;
}

// MARK: Objects

static void push_objects(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &objects_key) == LUA_TTABLE) return;
  lua_settop(L, -2);
  lua_createtable(L, 0, 0);
  lua_createtable(L, 0, 1);
  lua_pushstring(L, "v");
  bss_lua_raw_set(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &objects_key);
}

bool bss_lua_push_known(lua_State *L, const void *identity) {
  push_objects(L);
  if (lua_rawgetp(L, -1, identity) == LUA_TUSERDATA) {
    object_block *object = lua_touserdata(L, -1);
    if (object->box) {
      lua_remove(L, -2);
      return true;
    }
  }
  lua_settop(L, -3);
  return false;
}

void bss_lua_push_object(lua_State *L, void *box, const void *identity, size_t bytes,
                         int metatable) {
  bss_lua_host *host = bss_lua_host_of(L);
  metatable = lua_absindex(L, metatable);
  object_block *object = lua_newuserdatauv(L, sizeof *object, 0);
  *object = (object_block){0};
  lua_pushvalue(L, metatable);
  lua_setmetatable(L, -2);  // has __gc by now, so the block is marked for finalisation
  *object = (object_block){box, identity, bytes};
  host->live_objects++;
  host->external_bytes += bytes;
  host->external_new += bytes;
  push_objects(L);
  lua_pushvalue(L, -2);
  lua_rawsetp(L, -2, identity);
  lua_settop(L, -2);
}

static bool is_ours(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index)) return false;
  bool ours = lua_rawgetp(L, -1, &mark_key) == LUA_TBOOLEAN;
  lua_settop(L, -3);
  return ours;
}

int bss_lua_object(lua_State *L, int index, void **box) {
  if (!is_ours(L, index)) return BSS_LUA_NOT_OBJECT;
  object_block *object = lua_touserdata(L, index);
  *box = object->box;
  return object->box ? BSS_LUA_OBJECT : BSS_LUA_FREED;
}

int bss_lua_free_object(lua_State *L) {
  if (!is_ours(L, 1)) return luaL_typeerror(L, 1, "object");
  object_block *object = lua_touserdata(L, 1);
  if (!object->box) return 0;
  bss_lua_host *host = bss_lua_host_of(L);
  void *box = object->box;
  object->box = NULL;
  host->live_objects--;
  host->external_bytes -= object->bytes;
  // The address may be reused once the object is gone; a finalizer may find a newer userdata in its
  // place.
  push_objects(L);
  lua_rawgetp(L, -1, object->identity);
  if (lua_rawequal(L, -1, 1)) {
    lua_pushnil(L);
    lua_rawsetp(L, -3, object->identity);
  }
  lua_settop(L, -3);
  host->in_host++;
  host->release(box);
  host->in_host--;
  return 0;
}

void bss_lua_finish_metatable(lua_State *L, const char *name) {
  lua_pushcfunction(L, bss_lua_free_object);
  bss_lua_raw_set(L, -2, "__gc");
  lua_pushcfunction(L, bss_lua_free_object);
  bss_lua_raw_set(L, -2, "__close");
  lua_pushstring(L, name);
  bss_lua_raw_set(L, -2, "__name");
  lua_pushstring(L, name);
  bss_lua_raw_set(L, -2, "__metatable");
  lua_pushboolean(L, 1);
  lua_rawsetp(L, -2, &mark_key);
}
