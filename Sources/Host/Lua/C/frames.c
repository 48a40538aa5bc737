// The frames of the last error with their locals: what %debug looks at.
#include "CBSSLua.h"
#include <stdio.h>

static const char frames_key = 0;
enum { most_frames = 60, most_locals = 200 };

void bss_lua_keep_frames(lua_State *L) {
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &frames_key);
}

void bss_lua_push_frames(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &frames_key); }

// frame [name, value] -> frame, with { name, value } at its end
static void add_local(lua_State *L, int frame, const char *name) {
  if (*name == '(' || (name[0] == '_' && name[1] == 'E')) {  // temporaries, _ENV
    lua_pop(L, 1);
    return;
  }
  lua_createtable(L, 2, 0);
  lua_pushstring(L, name);
  lua_rawseti(L, -2, 1);
  lua_insert(L, -2);
  lua_rawseti(L, -2, 2);
  lua_rawseti(L, frame, (lua_Integer)lua_rawlen(L, frame) + 1);
}

static void push_frame(lua_State *L, lua_Debug *info) {
  char text[512];
  const char *source = *info->source == '@' ? info->source + 1 : info->short_src;
  lua_newtable(L);
  int frame = lua_gettop(L);
  snprintf(text, sizeof text, "%s:%d", source, info->currentline);
  lua_pushstring(L, text);
  lua_setfield(L, frame, "where");
  lua_pushstring(L, *info->what == 'm' ? "main chunk" : info->name ? info->name : "function");
  lua_setfield(L, frame, "name");
  const char *name;
  lua_getinfo(L, "f", info);
  for (int i = 1; i <= most_locals && (name = lua_getupvalue(L, frame + 1, i)); i++)
    add_local(L, frame, name);
  lua_pop(L, 1);
  for (int i = 1; i <= most_locals && (name = lua_getlocal(L, info, i)); i++)
    add_local(L, frame, name);
}

void bss_lua_note_frames(lua_State *L, int level) {
  if (!lua_checkstack(L, 20)) return;
  bss_lua_push_frames(L);
  if (lua_type(L, -1) != LUA_TTABLE) {
    lua_pop(L, 1);
    return;
  }
  lua_Debug info;
  lua_newtable(L);
  for (int i = level, count = 0; count < most_frames && lua_getstack(L, i, &info); i++) {
    lua_getinfo(L, "Sln", &info);
    if (*info.what == 'C') continue;
    push_frame(L, &info);
    lua_rawseti(L, -2, ++count);
  }
  // An error that passes through the host comes by once more, with fewer frames.
  if (lua_rawlen(L, -1) > lua_rawlen(L, -2)) {
    lua_rawsetp(L, LUA_REGISTRYINDEX, &frames_key);
    lua_pop(L, 1);
  } else {
    lua_pop(L, 2);
  }
}
