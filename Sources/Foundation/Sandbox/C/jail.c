// The order of the steps, and the limits.
#define _GNU_SOURCE
#include "CBSSSandbox.h"
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// The hard limit too; a process that began with a lower one keeps it.
static int limit(int what, uint64_t value) {
  struct rlimit now;
  if (getrlimit(what, &now)) return errno;
  if (value < now.rlim_max) now.rlim_max = value;
  now.rlim_cur = now.rlim_max;
  return setrlimit(what, &now) ? errno : 0;
}

static int limit_all(const bss_jail *jail) {
  int problem = limit(RLIMIT_CORE, 0);
  if (!problem) problem = limit(RLIMIT_NOFILE, jail->files);
  if (!problem) problem = limit(RLIMIT_FSIZE, jail->file);
  if (!problem) problem = limit(RLIMIT_AS, jail->memory);
  if (!problem) problem = limit(RLIMIT_CPU, jail->seconds);
  signal(SIGXFSZ, SIG_IGN);  // then write answers EFBIG
  return problem;
}

int bss_jail_enter(const bss_jail *jail, const char **step) {
  int problem = 0;
  *step = "close_range";  // what the starter left open is nobody's business
  if (syscall(SYS_close_range, 3, ~0U, 0) && errno != ENOSYS) return errno;
  *step = "setrlimit";
  if ((problem = limit_all(jail))) return problem;
  *step = "prctl";
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
    return errno;
  *step = "Landlock";
  if (jail->abi > 0 && (problem = bss_jail_restrict_files(jail))) return problem;
  *step = "seccomp";
  return bss_jail_restrict_calls();
}
