// Fork-join pool. The caller works too; workers that are late simply miss the job.
//
// A run opens a job (`open_job` = its generation), works through the shared task counter, closes
// the job and waits for the workers still inside (`active`). A worker first raises `active`, then
// looks whether a job is open: with sequentially consistent order the caller either sees it in
// `active` or the worker sees the job closed. Waiting spins briefly, then sleeps on a condition
// variable: a job after a short gap starts in under a microsecond, an idle pool costs nothing. With
// more threads than CPUs spinning would only steal time, so it is off.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "bss_base.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

enum { max_threads = 256, spins = 2000 };

static struct {
  int threads;  // wanted, including the caller; 0 = not set yet
  int workers;  // running
  pthread_t ids[max_threads];
  bool spin;
  // The open job; written only while none is open and no worker is inside.
  bss_task task;
  void *context;
  int64_t tasks;
  _Atomic int64_t next;
  atomic_uint_fast64_t open_job;  // 0 = closed
  uint64_t generation;
  atomic_int active, asleep;
  atomic_bool caller_waits, stop;
  atomic_flag busy;
  pthread_mutex_t lock;
  pthread_cond_t work, done;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER,
          .work = PTHREAD_COND_INITIALIZER,
          .done = PTHREAD_COND_INITIALIZER,
          .busy = ATOMIC_FLAG_INIT};

static _Thread_local bool inside_task;

static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static int cpu_count(void) {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n > 0 ? (int)n : 1;
}

static void work_through(void) {
  inside_task = true;
  for (;;) {
    int64_t i = atomic_fetch_add_explicit(&pool.next, 1, memory_order_relaxed);
    if (i >= pool.tasks || bss_cancel_requested()) break;
    pool.task(pool.context, i);
  }
  inside_task = false;
}

static bool nothing_new(uint64_t seen) {
  uint64_t job = atomic_load(&pool.open_job);
  return (job == 0 || job == seen) && !atomic_load(&pool.stop);
}

static void *worker(void *unused) {
  (void)unused;
  uint64_t seen = 0;
  for (;;) {
    for (int i = 0; pool.spin && i < spins && nothing_new(seen); i++) relax();
    if (nothing_new(seen)) {
      pthread_mutex_lock(&pool.lock);
      atomic_fetch_add(&pool.asleep, 1);
      while (nothing_new(seen)) pthread_cond_wait(&pool.work, &pool.lock);
      atomic_fetch_sub(&pool.asleep, 1);
      pthread_mutex_unlock(&pool.lock);
    }
    if (atomic_load(&pool.stop)) return NULL;
    atomic_fetch_add(&pool.active, 1);
    uint64_t job = atomic_load(&pool.open_job);
    if (job != 0 && job != seen) {
      seen = job;
      work_through();
    }
    if (atomic_fetch_sub(&pool.active, 1) == 1 && atomic_load(&pool.caller_waits)) {
      pthread_mutex_lock(&pool.lock);
      pthread_cond_signal(&pool.done);
      pthread_mutex_unlock(&pool.lock);
    }
  }
}

static void wake_workers(void) {
  if (atomic_load(&pool.asleep) == 0) return;
  pthread_mutex_lock(&pool.lock);
  pthread_cond_broadcast(&pool.work);
  pthread_mutex_unlock(&pool.lock);
}

static void stop_workers(void) {
  atomic_store(&pool.stop, true);
  wake_workers();
  for (int i = 0; i < pool.workers; i++) pthread_join(pool.ids[i], NULL);
  pool.workers = 0;
  atomic_store(&pool.stop, false);
}

// The child of a fork has no workers; without this its first parallel run would count on them.
static void forget_workers(void) {
  pool.workers = 0;
  atomic_store(&pool.active, 0);
  atomic_store(&pool.asleep, 0);
}

static void start_workers(void) {
  static bool registered;
  if (!registered) registered = pthread_atfork(NULL, NULL, forget_workers) == 0;
  pool.spin = pool.threads <= cpu_count();
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals go to the main thread
  while (pool.workers < pool.threads - 1) {
    if (pthread_create(&pool.ids[pool.workers], NULL, worker, NULL) != 0) break;
    pool.workers++;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void bss_pool_set_threads(int threads) {
  if (threads < 1) threads = 1;
  if (threads > max_threads) threads = max_threads;
  if (threads == pool.threads) return;
  if (pool.workers > 0) stop_workers();
  pool.threads = threads;
}

int bss_pool_threads(void) {
  if (pool.threads == 0) bss_pool_set_threads(cpu_count());
  return pool.threads;
}

static int run_inline(int64_t tasks, bss_task task, void *context) {
  for (int64_t i = 0; i < tasks; i++) {
    if (bss_cancel_requested()) return BSS_CANCELLED;
    task(context, i);
  }
  return BSS_OK;
}

int bss_pool_run(int64_t tasks, bss_task task, void *context) {
  if (tasks <= 1 || inside_task || bss_pool_threads() == 1) return run_inline(tasks, task, context);
  if (atomic_flag_test_and_set(&pool.busy)) return run_inline(tasks, task, context);
  if (pool.workers < pool.threads - 1) start_workers();
  pool.task = task;
  pool.context = context;
  pool.tasks = tasks;
  atomic_store(&pool.next, 0);
  atomic_store(&pool.open_job, ++pool.generation);
  wake_workers();
  work_through();
  atomic_store(&pool.open_job, 0);
  for (int i = 0; pool.spin && i < spins && atomic_load(&pool.active) != 0; i++) relax();
  if (atomic_load(&pool.active) != 0) {
    pthread_mutex_lock(&pool.lock);
    atomic_store(&pool.caller_waits, true);
    while (atomic_load(&pool.active) != 0) pthread_cond_wait(&pool.done, &pool.lock);
    atomic_store(&pool.caller_waits, false);
    pthread_mutex_unlock(&pool.lock);
  }
  atomic_flag_clear(&pool.busy);
  return bss_cancel_requested() ? BSS_CANCELLED : BSS_OK;
}

int bss_pool_run_light(int64_t tasks, bss_task task, void *context) {
  if (tasks <= 4 && (pool.workers < pool.threads - 1 || atomic_load(&pool.asleep) > 0))
    return run_inline(tasks, task, context);
  return bss_pool_run(tasks, task, context);
}
