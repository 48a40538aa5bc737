// Lua 5.4 for a Swift host: everything that must be C because a Lua error is a long jump.
//
// The rules (reasons in README.md, "Lua host"):
// * Swift never raises: a callback returns a number of results, or -1 with the error value on top
// of the
//   stack; the trampolines here raise after the Swift frame is gone.
// * Swift calls Lua code only through bss_lua_pcall and uses only API functions that cannot run
// metamethods.
//   What is left can fail for want of memory alone; while Swift runs (`in_host` > 0) the allocator
//   ends the process instead of failing.
// * A host object is a userdata that holds one retained reference, taken out exactly once.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if __has_include(<lua5.4/lua.h>)  // Debian, Ubuntu
#include <lua5.4/lua.h>
#include <lua5.4/lauxlib.h>
#include <lua5.4/lualib.h>
#else  // Homebrew and others
#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>
#endif

/// >= 0: number of results on top; -1: the error value is on top.
typedef int (*bss_lua_swift_call)(lua_State *L, void *entry);
typedef void (*bss_lua_swift_release)(void *reference);
typedef double (*bss_lua_numeric)(double, double);

/// A coroutine being resumed, linked from the innermost outwards; lives in the C frame of `resume`.
typedef struct bss_lua_running {
  lua_State *state;
  struct bss_lua_running *outer;
} bss_lua_running;

/// One per Lua state, reachable from every coroutine through lua_getextraspace.
typedef struct bss_lua_host {
  lua_State *main;
  lua_State *current;  // the state whose C function is running Swift now
  bss_lua_running *volatile running;
  void *owner;  // the Swift LuaState, unretained
  bss_lua_swift_call call;
  bss_lua_swift_release release;
  int in_host;                   // > 0: Swift frames are on top of the C stack
  size_t lua_bytes, memory_cap;  // cap 0: none
  int64_t live_objects;          // boxed host objects not yet finalised
  size_t external_bytes;         // what live objects said they keep alive
  size_t external_new;           // of that, boxed since the last collector step
  int64_t finalizer_errors;
  bool warnings_on, warning_continues;
} bss_lua_host;

// MARK: State (state.c)

/// A state with the standard libraries and our replacements (coroutine, pairs, xpcall, warn); NULL:
/// no memory or the library's version differs from the header's. `environment`: LUA_PATH and
/// LUA_CPATH count.
lua_State *bss_lua_open(bss_lua_swift_call call, bss_lua_swift_release release, void *owner,
                        bool environment);
void bss_lua_close(lua_State *L);
/// Called where an allocation of Lua fails; it does not return, or Lua raises "not enough memory".
void bss_lua_when_out_of_memory(void (*end)(void));
static inline bss_lua_host *bss_lua_host_of(lua_State *L) {
  return *(bss_lua_host **)lua_getextraspace(L);
}

/// Calls the function below `arguments` values; on failure one error value is left and the
/// traceback is kept for bss_lua_take_traceback.
int bss_lua_pcall(lua_State *L, int arguments, int results);
/// Pushes the frames of the last failed call as text, one Lua frame a line, or nil.
void bss_lua_take_traceback(lua_State *L);
/// Pushes `file:line: in …` lines of the Lua functions from `level` outwards; C frames are folded
/// away.
void bss_lua_push_traceback(lua_State *L, int level);
/// From now on errors leave their frames; those of an earlier one are forgotten.
void bss_lua_keep_frames(lua_State *L);
/// Keeps the Lua frames from `level` on with their locals, unless a deeper stack is kept already.
void bss_lua_note_frames(lua_State *L, int level);
/// Pushes them, the innermost first, each `{ where =, name =, { local, value }, … }`; nil without.
void bss_lua_push_frames(lua_State *L);
/// Pushes the text of any value as `tostring` gives it; protected: a failing __tostring gives the
/// type name.
const char *bss_lua_push_text(lua_State *L, int index, size_t *length);

/// Lua function (table, key) -> table[key] with metamethods, to be called protected.
int bss_lua_index(lua_State *L);

// MARK: Entries and objects (objects.c)

/// Pushes a C function that calls Swift with `entry` (a retained reference, released when
/// collected).
void bss_lua_push_entry(lua_State *L, void *entry);
/// Same, but two numbers go straight to `numeric`.
void bss_lua_push_numeric_entry(lua_State *L, void *entry, bss_lua_numeric numeric);
/// Same, for a method: the first argument must be an object with the metatable at `metatable`;
/// `name` is for messages.
void bss_lua_push_method_entry(lua_State *L, void *entry, int metatable, const char *name);
/// `tensor:shape` of a method that was not called; NULL for any other value.
const char *bss_lua_method_name(lua_State *L, int index);
/// Pushes the `__index` function of objects: methods by name from the table at `methods`,
/// everything else by `entry`.
void bss_lua_push_index_entry(lua_State *L, void *entry, int methods);
/// The retained entry inside a function made by the four above; NULL for other values.
void *bss_lua_entry(lua_State *L, int index);

/// Pushes the userdata of an object seen before and still alive; false: nothing was pushed.
bool bss_lua_push_known(lua_State *L, const void *identity);
/// Pushes a new userdata owning `box` (retained) with the metatable at `metatable`.
void bss_lua_push_object(lua_State *L, void *box, const void *identity, size_t bytes,
                         int metatable);
/// Adds __gc, __close, __name and the lock to the metatable on top of the stack and marks it as
/// ours.
void bss_lua_finish_metatable(lua_State *L, const char *name);

enum { BSS_LUA_NOT_OBJECT = 0, BSS_LUA_FREED = 1, BSS_LUA_OBJECT = 2 };
/// What is at `index`; for a live object also its box.
int bss_lua_object(lua_State *L, int index, void **box);
/// The C function of `__gc`, `__close` and `object:free()`: takes the reference out, once.
int bss_lua_free_object(lua_State *L);

// MARK: Interrupts (interrupt.c)

/// Takes over SIGINT, SIGTERM, SIGHUP (unless ignored), SIGUSR1, SIGUSR2 and SIGPIPE for this
/// thread. `cancel` must be async-signal-safe.
void bss_lua_signals_install(void (*cancel)(void));
/// The host whose code runs: its coroutines are stopped by a signal.
void bss_lua_signals_watch(bss_lua_host *host);
/// The signal that asks the running code to stop; 0: none.
int bss_lua_signal_pending(void);
/// While a training keeps checkpoints, the first TERM, HUP, USR1 or USR2 only asks it to leave at
/// the next one.
void bss_lua_signals_can_leave(bool may);
/// That signal; 0: none.
int bss_lua_signals_leaving(void);
/// The host has control again: forget the signal and disarm the hooks.
void bss_lua_signals_clear(lua_State *L);
/// Prompt mode: SIGINT only sets a flag that bss_lua_prompt_interrupted returns and resets.
void bss_lua_signals_at_prompt(bool at_prompt);
bool bss_lua_prompt_interrupted(void);
/// Pops a value: what the hook raises.
void bss_lua_set_interrupt_value(lua_State *L);
/// As if `signal` had arrived (for limits and tests).
void bss_lua_request_stop(int signal);
/// Replaces coroutine.resume, wrap and close by versions that keep `running`.
void bss_lua_open_coroutines(lua_State *L);
/// In pcall: code started after the signal must stop as well.
void bss_lua_arm_if_pending(lua_State *L);
/// In long loops of C: raises as the hook does if a signal asks the running code to stop.
void bss_lua_raise_if_pending(lua_State *L);

// MARK: The command line (arguments.c)

/// main's argc and argv; what /proc says is not needed.
int bss_lua_argument_count(void);
const char *bss_lua_argument(int index);

// MARK: Library functions that answer to interrupts (strings.c over patterns.c, loops.c)

/// Replaces string.find, match, gmatch and gsub.
void bss_lua_open_patterns(lua_State *L);
/// Replaces string.rep, table.sort, insert, remove, move and concat.
void bss_lua_open_loops(lua_State *L);

// MARK: Base library (base.c)

/// pairs with sorted string keys; upairs, the raw one, is left in the registry for
/// bss_lua_push_raw_pairs.
void bss_lua_open_base(lua_State *L);
void bss_lua_push_raw_pairs(lua_State *L);
/// Pops a function and has it told the path of every file that require, dofile and loadfile are
/// about to load.
void bss_lua_note_sources(lua_State *L);
/// Pops a function and has it told what io.open, io.lines and os.getenv are about to read: the
/// function's name, the path or variable, and the mode.
void bss_lua_note_reads(lua_State *L);
/// Told everything that print writes, or gets it instead of standard output (`only`); NULL: nobody.
void bss_lua_set_print_tap(void (*tap)(const char *text, size_t length), bool only);
/// As print would write it.
void bss_lua_write(const char *text, size_t length);
/// Who is told now.
void bss_lua_print_tap(void (**tap)(const char *text, size_t length), bool *only);
/// errno of the first print that failed; 0: none.
int bss_lua_output_error(void);
/// Pushes a list of the keys of the table at `index` in the order of `pairs`; returns their number.
int64_t bss_lua_push_sorted_keys(lua_State *L, int index);

/// "Lua 5.4.4"
static inline const char *bss_lua_release_name(void) { return LUA_RELEASE; }

// MARK: The build (build.c)

/// A hash over the program's code and constants; 0 only by chance.
uint64_t bss_build_id(void);

// MARK: Standard output of a cell (capture.c)

/// From now on file descriptor 1 goes to memory, and with `tee` to where it went before as well. At
/// most `limit` bytes are kept. Captures nest: the inner one goes into the outer one only with
/// `tee`, and so does print's tap. 0, or errno.
int bss_capture_begin(size_t limit, bool tee);
/// Back to normal; what was written (to be freed; NULL: nothing), how many bytes of it are there
/// and how many came.
char *bss_capture_end(size_t *kept, size_t *total);

// MARK: What the headers only have as macros

static inline void bss_lua_pop(lua_State *L, int n) { lua_settop(L, -n - 1); }
static inline int bss_lua_registry(void) { return LUA_REGISTRYINDEX; }
static inline int bss_lua_upvalue(int i) { return lua_upvalueindex(i); }
static inline const char *bss_lua_bytes(lua_State *L, int i, size_t *n) {
  return lua_tolstring(L, i, n);
}
static inline lua_Number bss_lua_number(lua_State *L, int i) { return lua_tonumberx(L, i, NULL); }
static inline lua_Integer bss_lua_integer(lua_State *L, int i) {
  return lua_tointegerx(L, i, NULL);
}
static inline void bss_lua_new_table(lua_State *L) { lua_createtable(L, 0, 0); }
static inline void bss_lua_push_globals(lua_State *L) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
}
static inline void bss_lua_insert(lua_State *L, int i) { lua_rotate(L, i, 1); }
static inline void bss_lua_remove(lua_State *L, int i) {
  lua_rotate(L, i, -1);
  lua_settop(L, -2);
}
/// table[name] = top of the stack, raw; pops the value.
static inline void bss_lua_raw_set(lua_State *L, int table, const char *name) {
  table = lua_absindex(L, table);
  lua_pushstring(L, name);
  lua_rotate(L, -2, 1);
  lua_rawset(L, table);
}
/// Pushes table[name], raw; returns its type.
static inline int bss_lua_raw_get(lua_State *L, int table, const char *name) {
  table = lua_absindex(L, table);
  lua_pushstring(L, name);
  return lua_rawget(L, table);
}
static inline int bss_lua_ref(lua_State *L) { return luaL_ref(L, LUA_REGISTRYINDEX); }
static inline void bss_lua_unref(lua_State *L, int ref) { luaL_unref(L, LUA_REGISTRYINDEX, ref); }
static inline int bss_lua_push_ref(lua_State *L, int ref) {
  return lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
}
static inline size_t bss_lua_heap_bytes(lua_State *L) {
  return (size_t)lua_gc(L, LUA_GCCOUNT) * 1024 + (size_t)lua_gc(L, LUA_GCCOUNTB);
}
static inline void bss_lua_collect(lua_State *L) { lua_gc(L, LUA_GCCOLLECT); }
static inline int bss_lua_load(lua_State *L, const char *bytes, size_t n, const char *name) {
  return luaL_loadbufferx(L, bytes, n, name, NULL);
}
static inline int bss_lua_load_file(lua_State *L, const char *path) {
  return luaL_loadfilex(L, path, NULL);
}
