// LD_PRELOAD: the n-th call of a system function below a folder fails, or the process is killed there.
//
//   BSS_FAULT=OP:N:HOW   OP: rename fsync mkdir unlink link write
//                        HOW: kill (before the call), torn (write half, then kill), or the number of an errno
//   BSS_FAULT_ROOT=TEXT  only paths that contain it count
//   BSS_FAULT_LOG=FILE   at the end: calls of every function, one `op count` a line
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { op_rename, op_fsync, op_mkdir, op_unlink, op_link, op_write, ops };
static const char *const names[ops] = {"rename", "fsync", "mkdir", "unlink", "link", "write"};
static atomic_long counts[ops];
static int target = -1, error;
static long at;
static bool kills, tears;
static const char *root, *log_path;

__attribute__((constructor)) static void begin(void) {
  root = getenv("BSS_FAULT_ROOT");
  log_path = getenv("BSS_FAULT_LOG");
  const char *fault = getenv("BSS_FAULT");
  char name[16], how[16];
  if (!fault || sscanf(fault, "%15[^:]:%ld:%15s", name, &at, how) != 3) return;
  for (int i = 0; i < ops; i++)
    if (!strcmp(name, names[i])) target = i;
  tears = !strcmp(how, "torn");
  kills = tears || !strcmp(how, "kill");
  error = atoi(how);
}

__attribute__((destructor)) static void end(void) {
  if (!log_path) return;
  char text[512];
  int length = 0;
  for (int i = 0; i < ops; i++) {
    length += snprintf(text + length, sizeof text - (size_t)length, "%s %ld\n", names[i], atomic_load(&counts[i]));
  }
  int file = open(log_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file >= 0) syscall(SYS_write, file, text, (size_t)length);
}

static void die(void) {
  raise(SIGKILL);
  for (;;) pause();
}

// True: this call is to fail; errno is set.
static bool strikes(int op, const char *path) {
  if (!root || !path || !strstr(path, root)) return false;
  if (atomic_fetch_add(&counts[op], 1) + 1 != at || op != target) return false;
  if (kills && !tears) die();
  errno = error;
  return true;
}

static const char *path_of(int file, char *path, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, size - 1);
  if (length < 0) return NULL;
  path[length] = 0;
  return path;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int rename(const char *from, const char *to) { return strikes(op_rename, to) ? -1 : REAL(rename)(from, to); }
int mkdir(const char *path, mode_t mode) { return strikes(op_mkdir, path) ? -1 : REAL(mkdir)(path, mode); }
int unlink(const char *path) { return strikes(op_unlink, path) ? -1 : REAL(unlink)(path); }
int link(const char *from, const char *to) { return strikes(op_link, to) ? -1 : REAL(link)(from, to); }

int fsync(int file) {
  char path[4096];
  return strikes(op_fsync, path_of(file, path, sizeof path)) ? -1 : REAL(fsync)(file);
}

ssize_t write(int file, const void *bytes, size_t count) {
  char path[4096];
  if (strikes(op_write, path_of(file, path, sizeof path))) {
    if (!tears) return -1;
    REAL(write)(file, bytes, count / 2);
    die();
  }
  return REAL(write)(file, bytes, count);
}
