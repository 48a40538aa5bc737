// Standard output of a stretch of code, taken at the descriptor: what C code and child processes
// write counts too.
#define _GNU_SOURCE  // pipe2
#include "CBSSLua.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <errno.h>

typedef struct capture {
  struct capture *outer;
  int saved;         // where standard output went before
  int source, stop;  // read end of the pipe; event that ends the reader
  bool tee;
  size_t limit, total, kept;
  char *bytes;
  pthread_t reader;
  void (*tap)(const char *, size_t);  // rests while nothing is shown
  bool tap_only;
} capture_state;

static capture_state *innermost;

static void write_all(int file, const char *bytes, size_t n) {
  while (n > 0) {
    ssize_t done = write(file, bytes, n);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return;
    bytes += done;
    n -= (size_t)done;
  }
}

static bool drain(capture_state *capture) {
  char piece[65536];
  for (;;) {
    ssize_t got = read(capture->source, piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got < 0;  // nothing now, or the end
    if (capture->tee) write_all(capture->saved, piece, (size_t)got);
    size_t room = capture->limit - capture->kept, taken = (size_t)got < room ? (size_t)got : room;
    capture->total += (size_t)got;
    if (taken == 0) continue;
    char *grown = realloc(capture->bytes, capture->kept + taken);
    if (!grown) continue;
    capture->bytes = grown;
    memcpy(capture->bytes + capture->kept, piece, taken);
    capture->kept += taken;
  }
}

// A thread, because the pipe is small and the code that fills it must not wait for its own end.
static void *read_until_stopped(void *state) {
  capture_state *capture = state;
  struct pollfd watched[2] = {{.fd = capture->source, .events = POLLIN},
                              {.fd = capture->stop, .events = POLLIN}};
  for (;;) {
    if (poll(watched, 2, -1) < 0 && errno != EINTR) break;
    bool more = drain(capture);
    if (!more || watched[1].revents) {
      drain(capture);
      break;
    }
  }
  return NULL;
}

int bss_capture_begin(size_t limit, bool tee) {
  int ends[2];
  capture_state *capture = calloc(1, sizeof *capture);
  if (!capture) return ENOMEM;
  if (pipe2(ends, O_CLOEXEC) != 0) {
    free(capture);
    return errno;
  }
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  fflush(stdout);
  capture->outer = innermost;
  capture->saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  capture->stop = eventfd(0, EFD_CLOEXEC);
  capture->source = ends[0];
  capture->tee = tee;
  capture->limit = limit;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for Lua's thread
  int failed = capture->saved < 0 || capture->stop < 0
                   ? errno
                   : pthread_create(&capture->reader, NULL, read_until_stopped, capture);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failed) {
    close(ends[0]);
    close(ends[1]);
    if (capture->saved >= 0) close(capture->saved);
    if (capture->stop >= 0) close(capture->stop);
    free(capture);
    return failed;
  }
  dup2(ends[1], STDOUT_FILENO);
  close(ends[1]);
  setvbuf(stdout, NULL, _IOLBF, 0);  // in order with what child processes write
  bss_lua_print_tap(&capture->tap, &capture->tap_only);
  if (!tee) bss_lua_set_print_tap(NULL, false);
  innermost = capture;
  return 0;
}

char *bss_capture_end(size_t *kept, size_t *total) {
  *kept = *total = 0;
  capture_state *capture = innermost;
  if (!capture) return NULL;
  innermost = capture->outer;
  fflush(stdout);
  dup2(capture->saved, STDOUT_FILENO);
  if (!innermost) setvbuf(stdout, NULL, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, 1 << 16);
  uint64_t one = 1;
  write_all(capture->stop, (const char *)&one, sizeof one);
  pthread_join(capture->reader, NULL);
  close(capture->source);
  close(capture->stop);
  close(capture->saved);
  if (!capture->tee) bss_lua_set_print_tap(capture->tap, capture->tap_only);
  *kept = capture->kept;
  *total = capture->total;
  char *bytes = capture->bytes;
  free(capture);
  return bytes;
}
