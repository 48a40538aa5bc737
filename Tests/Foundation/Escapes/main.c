// What a shut-in process may do, and what it may not: one line an attempt, exit 1 if one of them was answered wrongly.
//
//   jail-escapes FOLDER READABLE ABI   FOLDER may be written, READABLE (a file) read, Landlock as in version ABI
#define _GNU_SOURCE
#include "CBSSSandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int attempts, wrong;
static const char *folder;

static void judge(const char *what, bool refused, bool expected) {
  const char *words = strerror(errno);
  attempts++;
  wrong += refused != expected;
  printf("%-36s %s (%s)%s\n", what, refused ? "refused" : "done", words, refused == expected ? "" : " WRONG");
}
#define REFUSED(what, call) (errno = 0, judge(what, (long)(call) < 0, true))
#define DONE(what, call) (errno = 0, judge(what, (long)(call) < 0, false))

// A path in the folder that may be written; four of them live at a time.
static const char *in(const char *name) {
  static char paths[4][4096];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}
static int make(const char *path) { return open(path, O_CREAT | O_RDWR, 0600); }
static int look(const char *path) { return open(path, O_RDONLY); }
static void *nothing(void *x) { return x; }

static void usual(void) {
  pthread_t thread;
  DONE("write in the run folder", make(in("a")));
  DONE("rename in the run folder", rename(in("a"), in("b")));
  DONE("link in the run folder", link(in("b"), in("a")));
  DONE("folder in the run folder", mkdir(in("d"), 0755));
  DONE("move between its folders", rename(in("a"), in("d/a")));
  DONE("a thread", pthread_create(&thread, NULL, nothing, NULL) ? -1 : pthread_join(thread, NULL));
  DONE("a signal to itself", kill(getpid(), SIGURG));
  DONE("read /proc/self/stat", look("/proc/self/stat"));
}

static void files(const char *readable) {
  int held = look(readable);
  struct timespec times[2] = {{1, 0}, {1, 0}};
  REFUSED("read /etc/shadow", look("/etc/shadow"));
  REFUSED("read /etc/passwd", look("/etc/passwd"));
  REFUSED("list a private folder", open("/etc/ssl/private", O_RDONLY | O_DIRECTORY));
  REFUSED("read /proc/1/environ", look("/proc/1/environ"));
  REFUSED("write /proc/self/mem", open("/proc/self/mem", O_RDWR));
  REFUSED("write /tmp", make("/tmp/jail-escapes-x"));
  REFUSED("write /dev/shm", make("/dev/shm/jail-escapes-x"));
  REFUSED("write ..", make(in("../jail-escapes-x")));
  REFUSED("symbolic link out", symlink("/etc", in("l")));
  REFUSED("hard link in", link("/usr/bin/env", in("h")));
  REFUSED("rename out", rename(in("b"), "/tmp/jail-escapes-x"));
  REFUSED("device", mknod(in("m"), S_IFCHR | 0600, 0x103));
  REFUSED("fifo", mkfifo(in("f"), 0600));
  REFUSED("chmod", chmod(in("b"), 04777));
  REFUSED("a file with set-user-id", open(in("s"), O_CREAT | O_RDWR, 04755));
  REFUSED("truncate outside", truncate("../plan.jsonl", 0));
  REFUSED("O_RDONLY|O_TRUNC of a readable file", open(readable, O_RDONLY | O_TRUNC));
  REFUSED("fchmod of a readable file", fchmod(held, 0));
  REFUSED("times of a readable file", futimens(held, times));
  REFUSED("owner of a readable file", fchown(held, 1, 1));
  REFUSED("attributes of a readable file", syscall(SYS_fsetxattr, held, "user.x", "y", 1, 0));
  REFUSED("open_by_handle_at", syscall(SYS_open_by_handle_at, -1, 0, 0));
}

static void others(char **words) {
  char room[4096] = {0};
  struct iovec piece = {room, 8};
  int pair[2];
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(0, &cpus);
  pid_t parent = getppid();
  REFUSED("socket inet", socket(AF_INET, SOCK_STREAM, 0));
  REFUSED("socket unix", socket(AF_UNIX, SOCK_STREAM, 0));
  REFUSED("socket netlink", socket(AF_NETLINK, SOCK_RAW, 0));
  REFUSED("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  REFUSED("fork", fork());
  REFUSED("vfork", syscall(SYS_vfork));
  REFUSED("clone3", syscall(SYS_clone3, room, 88));
  REFUSED("execve", execve("/usr/bin/env", words, NULL));
  REFUSED("execveat", syscall(SYS_execveat, 3, "", words, 0, 0x1000));
  REFUSED("kill parent", kill(parent, 0));
  REFUSED("kill -1", kill(-1, 0));
  REFUSED("kill group", kill(0, 0));
  REFUSED("tgkill parent", syscall(SYS_tgkill, parent, parent, 0));
  REFUSED("tkill parent", syscall(SYS_tkill, parent, 0));
  REFUSED("sigqueue", syscall(SYS_rt_sigqueueinfo, parent, 0, room));
  REFUSED("pidfd_open", syscall(SYS_pidfd_open, parent, 0));
  REFUSED("ptrace", ptrace(PTRACE_TRACEME, 0, 0, 0));
  REFUSED("process_vm_readv", process_vm_readv(parent, &piece, 1, &piece, 1, 0));
  REFUSED("process_madvise", syscall(SYS_process_madvise, 0, &piece, 1, 0, 0));
  REFUSED("limits of parent", syscall(SYS_prlimit64, parent, 7, room, room));
  REFUSED("affinity of parent", sched_setaffinity(parent, sizeof cpus, &cpus));
  REFUSED("setpriority", syscall(SYS_setpriority, 0, parent, 5));
  REFUSED("sched_setscheduler", syscall(SYS_sched_setscheduler, 0, 1, room));
}

static void kernel(void) {
  char room[4096] = {0};
  REFUSED("mount", mount("none", "/tmp", "tmpfs", 0, 0));
  REFUSED("unshare user", syscall(SYS_unshare, 0x10000000));
  REFUSED("setns", syscall(SYS_setns, 0, 0));
  REFUSED("chroot", chroot("/tmp"));
  REFUSED("pivot_root", syscall(SYS_pivot_root, "/", "/"));
  REFUSED("bpf", syscall(SYS_bpf, 0, room, 64));
  REFUSED("perf_event_open", syscall(SYS_perf_event_open, room, 0, -1, -1, 0));
  REFUSED("userfaultfd", syscall(SYS_userfaultfd, 1));
  REFUSED("io_uring_setup", syscall(SYS_io_uring_setup, 8, room));
  REFUSED("keyctl", syscall(SYS_keyctl, 0, -3, 0));
  REFUSED("add_key", syscall(SYS_add_key, "user", "a", "b", 1, -3));
  REFUSED("memfd_create", memfd_create("x", 0));
  REFUSED("shmget", syscall(SYS_shmget, 1, 4096, 01666));
  REFUSED("mq_open", syscall(SYS_mq_open, "/x", O_CREAT, 0600, 0));
  REFUSED("inotify", syscall(SYS_inotify_init1, 0));
  REFUSED("fanotify", syscall(SYS_fanotify_init, 0, 0));
  REFUSED("TIOCSTI", syscall(SYS_ioctl, 0, 0x5412, "x"));
  REFUSED("F_SETOWN", fcntl(0, F_SETOWN, getppid()));
  REFUSED("prctl PR_SET_MM", prctl(PR_SET_MM, 1, 0, 0, 0));
  REFUSED("reboot", syscall(SYS_reboot, 0, 0, 0, 0));
  REFUSED("settimeofday", syscall(SYS_settimeofday, room, 0));
  REFUSED("init_module", syscall(SYS_init_module, room, 0, ""));
  REFUSED("kexec", syscall(SYS_kexec_load, 0, 0, 0, 0));
  REFUSED("syslog", syscall(SYS_syslog, 3, room, 8));
  REFUSED("acct", syscall(SYS_acct, 0));
  REFUSED("setuid 0", syscall(SYS_setuid, 0));
  REFUSED("personality", syscall(SYS_personality, 0x40000));
}

static long many_files(void) {
  long file = 0;
  for (int i = 0; i < 300 && file >= 0; i++) file = look("/dev/null");
  return file;
}

static void limits(void) {
  unsigned long raised[2] = {1 << 20, 1 << 20};
  void *memory = mmap(NULL, 5L << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REFUSED("5 GiB of memory", memory == MAP_FAILED ? -1 : 0);
  REFUSED("file of 2 GiB", ftruncate(make(in("big")), 2L << 30));
  REFUSED("300 files", many_files());
  REFUSED("raise a limit", syscall(SYS_prlimit64, 0, 7, raised, NULL));
}

int main(int count, char **words) {
  if (count != 4) return 2;
  folder = words[1];
  const char *const readable[] = {words[2], NULL}, *const writable[] = {folder, NULL};
  bss_jail jail = {readable, writable, 4UL << 30, 1UL << 30, 600, 256, atoi(words[3])};
  const char *step = "";
  int problem = bss_jail_enter(&jail, &step);
  if (problem) {
    fprintf(stderr, "jail-escapes: %s: %s\n", step, strerror(problem));
    return 9;
  }
  usual();
  files(words[2]);
  others(words);
  kernel();
  limits();
  printf("%d of %d right\n", attempts - wrong, attempts);
  return wrong != 0;
}
