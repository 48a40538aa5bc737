// Ctrl-C that always works: the handler arms a hook on every coroutine of the running chain; the
// hook raises at every line and instruction until the host has control again, so that no pcall can
// swallow it.
#include "CBSSLua.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char interrupt_key = 0;

static atomic_int pending;  // the signal, 0: none
static atomic_bool prompt_mode, prompt_interrupted;
static bss_lua_host *volatile watched;
static void (*volatile cancel_engine)(void);
static pthread_t lua_thread;
static atomic_int
    leaving;  // the signal that asks a training to leave at its next checkpoint, 0: none
static atomic_bool can_leave;  // a training is running that keeps checkpoints
static struct timespec
    first_press;  // of the interrupt that is pending; touched by the handler only

static void raise_interrupt(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &interrupt_key) == LUA_TNIL)
    lua_pushliteral(L, "interrupted");
  lua_error(L);
}

static void on_hook(lua_State *L, lua_Debug *frame) {
  (void)frame;
  if (atomic_load(&pending) == 0) {  // left over in a coroutine that slept through the clearing
    lua_sethook(L, NULL, 0, 0);
    return;
  }
  raise_interrupt(L);
}

static void arm(lua_State *L) {
  lua_sethook(L, on_hook, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

static void arm_all(void) {
  bss_lua_host *host = watched;
  if (!host) return;
  for (bss_lua_running *r = host->running; r; r = r->outer) arm(r->state);
  arm(host->main);
}

void bss_lua_arm_if_pending(lua_State *L) {
  if (atomic_load(&pending) != 0) arm(L);
}

void bss_lua_raise_if_pending(lua_State *L) {
  if (atomic_load_explicit(&pending, memory_order_relaxed) != 0) raise_interrupt(L);
}

void bss_lua_request_stop(int signal) {
  atomic_store(&pending, signal);
  if (cancel_engine) cancel_engine();
  arm_all();
}

static bool reader_is_gone(void) {
  struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
  return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

static void on_signal(int signal) {
  int saved = errno;
  if (!pthread_equal(pthread_self(), lua_thread)) {  // hooks may be set from Lua's own thread only
    pthread_kill(lua_thread, signal);
    errno = saved;
    return;
  }
  if (signal == SIGPIPE) {
    if (reader_is_gone()) bss_lua_request_stop(signal);
  } else if (signal == SIGINT && atomic_load(&prompt_mode)) {
    atomic_store(&prompt_interrupted, true);
  } else if (signal != SIGINT && atomic_load(&can_leave) && atomic_load(&leaving) == 0) {
    atomic_store(&leaving, signal);  // asked again, it stops at once
  } else {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double since = (double)(now.tv_sec - first_press.tv_sec) +
                   1e-9 * (double)(now.tv_nsec - first_press.tv_nsec);
    bool again = atomic_load(&pending) == signal;
    if (again && since < 0.15) {
      errno = saved;  // a key that is held down, or two fingers: the first press is still at work
      return;
    }
    if (again) {
      // Hooks do not run inside C functions (a pattern that backtracks for hours): the second press
      // ends us.
      static const char message[] = "\nbss-lua: interrupted twice, stopping at once\n";
      ssize_t ignored = write(STDERR_FILENO, message, sizeof message - 1);
      (void)ignored;
      _exit(128 + signal);
    }
    first_press = now;
    bss_lua_request_stop(signal);
  }
  errno = saved;
}

void bss_lua_signals_install(void (*cancel)(void)) {
  lua_thread = pthread_self();
  cancel_engine = cancel;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = 0;  // no SA_RESTART: a read that waits must return
  static const int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE};
  sigset_t ours;  // whoever started us may have blocked them; SIGCHLD is for the shells that
                  // scripts start
  sigemptyset(&ours);
  sigaddset(&ours, SIGCHLD);
  for (size_t i = 0; i < sizeof handled / sizeof *handled; i++) {
    struct sigaction before;
    bool ignored = handled[i] == SIGHUP && sigaction(SIGHUP, NULL, &before) == 0 &&
                   before.sa_handler == SIG_IGN;
    if (!ignored) sigaction(handled[i], &action, NULL);  // nohup
    sigaddset(&ours, handled[i]);
  }
  pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
}

void bss_lua_signals_can_leave(bool may) {
  atomic_store(&leaving, 0);
  atomic_store(&can_leave, may);
}
int bss_lua_signals_leaving(void) { return atomic_load(&leaving); }

void bss_lua_signals_watch(bss_lua_host *host) { watched = host; }
int bss_lua_signal_pending(void) { return atomic_load(&pending); }

void bss_lua_signals_clear(lua_State *L) {
  atomic_store(&pending, 0);
  if (lua_gethook(L) == on_hook) lua_sethook(L, NULL, 0, 0);
  lua_State *main = bss_lua_host_of(L)->main;
  if (lua_gethook(main) == on_hook) lua_sethook(main, NULL, 0, 0);
}

void bss_lua_signals_at_prompt(bool at_prompt) {
  atomic_store(&prompt_interrupted, false);
  atomic_store(&prompt_mode, at_prompt);
}

bool bss_lua_prompt_interrupted(void) { return atomic_exchange(&prompt_interrupted, false); }

void bss_lua_set_interrupt_value(lua_State *L) {
  lua_rawsetp(L, LUA_REGISTRYINDEX, &interrupt_key);
}

// MARK: Coroutines that keep the chain

static lua_State *coroutine_argument(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  if (!co) luaL_typeerror(L, 1, "coroutine");
  return co;
}

// Moves `arguments` values over and runs; the number of results, or -1 with the error value on top
// of L.
static int resume(lua_State *L, lua_State *co, int arguments) {
  if (!lua_checkstack(co, arguments)) {
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  lua_xmove(L, co, arguments);
  bss_lua_host *host = bss_lua_host_of(L);
  bss_lua_running link = {co, host->running};
  host->running = &link;
  bss_lua_arm_if_pending(
      co);  // after linking: a signal before this line is seen here, a later one finds the link
  int results = 0;
  int status = lua_resume(co, L, arguments, &results);
  host->running = link.outer;
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(co, L, 1);
    return -1;
  }
  if (!lua_checkstack(L, results + 1)) {
    lua_settop(co, -results - 1);
    lua_pushliteral(L, "too many results to resume");
    return -1;
  }
  lua_xmove(co, L, results);
  return results;
}

static int close_thread(lua_State *L, lua_State *co) {
  bss_lua_host *host = bss_lua_host_of(L);
  bss_lua_running link = {co, host->running};
  host->running = &link;
  bss_lua_arm_if_pending(co);
#if LUA_VERSION_RELEASE_NUM >= 50406
  int status = lua_closethread(co, L);
#else
  int status = lua_resetthread(co);
#endif
  host->running = link.outer;
  return status;
}

static int coroutine_resume(lua_State *L) {
  lua_State *co = coroutine_argument(L);
  int results = resume(L, co, lua_gettop(L) - 1);
  lua_pushboolean(L, results >= 0);
  int count = results < 0 ? 1 : results;
  lua_insert(L, -(count + 1));
  return count + 1;
}

static int wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  int results = resume(L, co, lua_gettop(L));
  if (results >= 0) return results;
  int status = lua_status(co);
  if (status != LUA_OK &&
      status != LUA_YIELD) {  // the body failed: run its pending closes, keep their error
    lua_xmove(L, co, 1);
    status = close_thread(L, co);
    lua_xmove(co, L, 1);
  }
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int coroutine_wrap(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  lua_pushcclosure(L, wrapped, 1);
  return 1;
}

static int coroutine_close(lua_State *L) {
  lua_State *co = coroutine_argument(L);
  lua_Debug frame;
  int status = lua_status(co);
  bool active = co == L || (status == LUA_OK && lua_getstack(co, 0, &frame));
  if (active) return luaL_error(L, "cannot close a %s coroutine", co == L ? "running" : "normal");
  if (close_thread(L, co) == LUA_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushboolean(L, 0);
  lua_xmove(co, L, 1);
  return 2;
}

void bss_lua_open_coroutines(lua_State *L) {
  lua_getglobal(L, LUA_COLIBNAME);
  lua_pushcfunction(L, coroutine_resume);
  lua_setfield(L, -2, "resume");
  lua_pushcfunction(L, coroutine_wrap);
  lua_setfield(L, -2, "wrap");
  lua_pushcfunction(L, coroutine_close);
  lua_setfield(L, -2, "close");
  lua_settop(L, -2);
}
