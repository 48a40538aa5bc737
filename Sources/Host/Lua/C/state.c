// The state: allocator, libraries, protected calls, tracebacks, warnings.
#include "CBSSLua.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char traceback_key = 0;

static void die(const char *reason) {
  fprintf(stderr, "bss-lua: %s\n", reason);
  abort();
}

static void (*when_short)(void);
void bss_lua_when_out_of_memory(void (*end)(void)) { when_short = end; }

static void *nothing_left(void) {
  if (when_short) when_short();
  return NULL;
}

// While Swift runs, a failed allocation would jump over its frames: there the cap is ignored and a
// real shortage ends the process. Lua code gets Lua's own "not enough memory".
static void *allocate(void *context, void *block, size_t old, size_t size) {
  bss_lua_host *host = context;
  if (!block) old = 0;  // then `old` is a type tag
  if (size == 0) {
    free(block);
    host->lua_bytes -= old;
    return NULL;
  }
  if (size > old && host->memory_cap && !host->in_host &&
      host->lua_bytes + (size - old) > host->memory_cap)
    return nothing_left();
  void *moved = realloc(block, size);
  if (!moved) {
    nothing_left();
    if (host->in_host) die("out of memory");
    return NULL;
  }
  host->lua_bytes += size - old;
  return moved;
}

static int on_panic(lua_State *L) {
  const char *message = lua_tostring(L, -1);
  fprintf(stderr, "bss-lua: unprotected Lua error: %s\n", message ? message : "(not a string)");
  return 0;  // Lua aborts
}

// Messages come in pieces; control messages start with '@'. Errors in finalizers are counted even
// when silent.
static void on_warning(void *context, const char *piece, int continues) {
  bss_lua_host *host = context;
  bool first = !host->warning_continues;
  host->warning_continues = continues;
  if (first && !continues && piece[0] == '@') {
    if (!strcmp(piece, "@on")) host->warnings_on = true;
    else if (!strcmp(piece, "@off")) host->warnings_on = false;
    return;
  }
  if (first && !strncmp(piece, "error in ", 9)) host->finalizer_errors++;
  if (!host->warnings_on) return;
  if (first) fputs("Lua warning: ", stderr);
  fputs(piece, stderr);
  if (!continues) fputc('\n', stderr);
}

static int open_libraries(lua_State *L) {
  luaL_checkversion(L);
  luaL_openlibs(L);
  bss_lua_open_base(L);
  bss_lua_open_coroutines(L);
  bss_lua_open_patterns(L);
  bss_lua_open_loops(L);
  return 0;
}

lua_State *bss_lua_open(bss_lua_swift_call call, bss_lua_swift_release release, void *owner,
                        bool environment) {
  bss_lua_host *host = calloc(1, sizeof *host);
  if (!host) return NULL;
  host->in_host = 1;
  lua_State *L = lua_newstate(allocate, host);
  if (!L) {
    free(host);
    return NULL;
  }
  host->main = host->current = L;
  host->call = call;
  host->release = release;
  host->owner = owner;
  *(bss_lua_host **)lua_getextraspace(L) = host;
  lua_atpanic(L, on_panic);
  lua_setwarnf(L, on_warning, host);
  if (!environment) {
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");  // the package library's own switch
  }
  lua_gc(L, LUA_GCSTOP);  // as lua.c does: nothing to collect while the libraries open
  lua_pushcfunction(L, open_libraries);
  if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
    fprintf(stderr, "bss-lua: %s\n", lua_tostring(L, -1));
    bss_lua_close(L);
    return NULL;
  }
  lua_gc(L, LUA_GCRESTART);
  return L;
}

void bss_lua_close(lua_State *L) {
  bss_lua_host *host = bss_lua_host_of(L);
  host->in_host++;
  bss_lua_signals_watch(NULL);
  lua_close(host->main);
  free(host);
}

// MARK: Protected calls

static int on_error(lua_State *L) {
  bss_lua_push_traceback(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &traceback_key);
  bss_lua_note_frames(L, 1);
  return 1;  // the error value itself stays as it is
}

int bss_lua_pcall(lua_State *L, int arguments, int results) {
  bss_lua_host *host = bss_lua_host_of(L);
  int function = lua_gettop(L) - arguments, in_host = host->in_host;
  lua_State *current = host->current;
  lua_pushcfunction(L, on_error);
  lua_insert(L, function);
  host->in_host = 0;
  bss_lua_arm_if_pending(L);
  int status = lua_pcall(L, arguments, results, function);
  host->in_host = in_host;
  host->current = current;
  lua_remove(L, function);
  return status;
}

void bss_lua_take_traceback(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &traceback_key);
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &traceback_key);
}

// MARK: Tracebacks

enum { first_frames = 14, last_frames = 6 };

static int depth_of(lua_State *L) {
  lua_Debug frame;
  int low = 0, high = 1;
  while (lua_getstack(L, high, &frame)) {
    low = high;
    high *= 2;
  }
  while (low + 1 < high) {
    int middle = (low + high) / 2;
    if (lua_getstack(L, middle, &frame)) low = middle;
    else high = middle;
  }
  return low + 1;
}

static void add_frame(luaL_Buffer *text, const lua_Debug *frame) {
  char line[512];
  const char *source = frame->source[0] == '@' ? frame->source + 1 : frame->short_src;
  if (*frame->what == 'm')
    snprintf(line, sizeof line, "%s:%d: in main chunk", source, frame->currentline);
  else if (frame->name)
    snprintf(line, sizeof line, "%s:%d: in function '%s'", source, frame->currentline, frame->name);
  else
    snprintf(line, sizeof line, "%s:%d: in a function defined at line %d", source,
             frame->currentline, frame->linedefined);
  if (luaL_bufflen(text) > 0) luaL_addchar(text, '\n');
  luaL_addstring(text, line);
}

void bss_lua_push_traceback(lua_State *L, int level) {
  luaL_checkstack(L, 8, NULL);
  int depth = depth_of(L);
  lua_Debug frame;
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  for (int i = level, shown = 0; i < depth && lua_getstack(L, i, &frame); i++) {
    if (shown == first_frames && depth - i > last_frames) {
      int skipped = depth - i - last_frames;
      char note[64];
      snprintf(note, sizeof note, "\n... (%d frames)", skipped);
      luaL_addstring(&text, note);
      i += skipped;
      if (!lua_getstack(L, i, &frame)) break;
    }
    lua_getinfo(L, "Sln", &frame);
    if (*frame.what == 'C') continue;
    add_frame(&text, &frame);
    shown++;
  }
  luaL_pushresult(&text);
}

int bss_lua_index(lua_State *L) {
  lua_settop(L, 2);
  lua_gettable(L, 1);
  return 1;
}

static int text_of(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

const char *bss_lua_push_text(lua_State *L, int index, size_t *length) {
  index = lua_absindex(L, index);
  lua_pushcfunction(L, text_of);
  lua_pushvalue(L, index);
  bss_lua_host *host = bss_lua_host_of(L);
  int in_host = host->in_host;
  host->in_host = 0;
  int status = lua_pcall(L, 1, 1, 0);
  host->in_host = in_host;
  if (status != LUA_OK) {
    lua_settop(L, -2);
    lua_pushfstring(L, "(%s)", luaL_typename(L, index));
  }
  return lua_tolstring(L, -1, length);
}
