// System calls by an allow-list. What is unknown answers ENOSYS (libc then falls back: clone3 to
// clone, whose flags can be looked at), what is refused EPERM, and another architecture's calls end
// the process.
#define _GNU_SOURCE
#include "CBSSSandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define ARCHITECTURE 0
#endif

#if defined(__x86_64__)  // calls that newer architectures do without
#define OLDER(name) SYS_##name,
#else
#define OLDER(name)
#endif

static const int allowed[] = {
    // memory
    SYS_mmap, SYS_munmap, SYS_mprotect, SYS_madvise, SYS_mremap, SYS_brk, SYS_mbind,
    SYS_get_mempolicy, SYS_membarrier,
    // reading, writing
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_lseek, SYS_close,
    SYS_close_range, SYS_fsync, SYS_fdatasync, SYS_ftruncate, SYS_fallocate, SYS_flock, SYS_dup,
    SYS_dup3, SYS_pipe2,
    OLDER(dup2)
    // looking, and changing what the rules of files let be changed
    SYS_newfstatat,
    SYS_fstat, SYS_statx, SYS_statfs, SYS_fstatfs, SYS_faccessat, SYS_faccessat2, SYS_readlinkat,
    SYS_getdents64, SYS_getcwd, SYS_unlinkat, SYS_renameat, SYS_renameat2, SYS_linkat, SYS_umask,
    OLDER(access) OLDER(readlink) OLDER(stat) OLDER(lstat) OLDER(rmdir) OLDER(unlink) OLDER(rename)
        OLDER(link)
    // waiting
    SYS_futex,
    SYS_ppoll, SYS_pselect6, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_eventfd2,
    SYS_nanosleep, SYS_clock_nanosleep,
    OLDER(poll) OLDER(select)
    // signals and ends
    SYS_rt_sigaction,
    SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_restart_syscall, SYS_exit,
    SYS_exit_group, SYS_setitimer,
    // clocks, numbers, names
    SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday, SYS_times, SYS_getrusage, SYS_sysinfo,
    SYS_uname, SYS_getrandom, SYS_getpid, SYS_getppid, SYS_gettid, SYS_getuid, SYS_geteuid,
    SYS_getgid, SYS_getegid, SYS_getpriority, SYS_getcpu,
    OLDER(time)
    // threads
    SYS_sched_yield,
    SYS_sched_getaffinity, SYS_sched_getparam, SYS_sched_getscheduler, SYS_rseq,
    SYS_set_robust_list, SYS_set_tid_address, OLDER(arch_prctl)};

static const int refused[] = {SYS_execve,
                              SYS_execveat,
                              SYS_socket,
                              SYS_socketpair,
                              SYS_tkill,
                              SYS_ptrace,
                              SYS_mount,
                              SYS_bpf,
                              SYS_perf_event_open,
                              SYS_userfaultfd,
                              SYS_io_uring_setup,
                              SYS_keyctl,
                              SYS_process_vm_readv,
                              SYS_process_vm_writev,
                              SYS_unshare,
                              SYS_setns,
                              SYS_fchmodat,
                              SYS_fchmod,
                              SYS_symlinkat,
                              SYS_mknodat,
                              SYS_utimensat,
                              OLDER(fork) OLDER(vfork) OLDER(chmod) OLDER(symlink)};

enum { most = 600 };
static struct sock_filter code[most];
static unsigned length;

static void add(unsigned short what, unsigned char yes, unsigned char no, unsigned value) {
  if (length < most) code[length] = (struct sock_filter){what, yes, no, value};
  length++;
}
static void load(size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, 0, 0, (unsigned)offset); }
static void answer(unsigned value) { add(BPF_RET | BPF_K, 0, 0, value); }
static void jump_if(unsigned value, unsigned char yes, unsigned char no) {
  add(BPF_JMP | BPF_JEQ | BPF_K, yes, no, value);
}
enum { refusal = SECCOMP_RET_ERRNO | EPERM };

static size_t low_word(int argument) {
  return offsetof(struct seccomp_data, args) + 8 * (size_t)argument;
}

// The answer to a call, whatever its arguments.
static void always(int call, unsigned value) {
  jump_if((unsigned)call, 0, 1);
  answer(value);
}

// The answer to a call one of whose arguments (from 0) has these bits under a mask. All arguments
// that are looked at are of 32 bits for the kernel, or flags in the low word.
static void when(int call, int argument, unsigned mask, unsigned bits, unsigned value) {
  jump_if((unsigned)call, 0, 5);
  load(low_word(argument));
  add(BPF_ALU | BPF_AND | BPF_K, 0, 0, mask);
  jump_if(bits, 0, 1);
  answer(value);
  load(offsetof(struct seccomp_data, nr));
}

// Allowed if some bits of an argument are as said, else refused.
static void only(int call, int argument, unsigned mask, unsigned bits) {
  when(call, argument, mask, bits, SECCOMP_RET_ALLOW);
}

static void ask_for_limits_alone(void) {  // prlimit64 without new values
  jump_if(SYS_prlimit64, 0, 6);
  load(low_word(2));
  jump_if(0, 0, 3);
  load(low_word(2) + 4);
  jump_if(0, 0, 1);
  answer(SECCOMP_RET_ALLOW);
  answer(refusal);
}

static void write_program(void) {
  const unsigned all = ~0U, self = (unsigned)getpid();
  length = 0;
  load(offsetof(struct seccomp_data, arch));
  jump_if(ARCHITECTURE, 1, 0);
  answer(SECCOMP_RET_KILL_PROCESS);
  load(offsetof(struct seccomp_data, nr));
  add(BPF_JMP | BPF_JGE | BPF_K, 0, 1, 0x40000000);  // x32
  answer(SECCOMP_RET_KILL_PROCESS);
  for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
    always(allowed[i], SECCOMP_RET_ALLOW);
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) always(refused[i], refusal);
  // Landlock before version 3 does not see O_RDONLY|O_TRUNC, which empties a file; no file gets
  // set-user-id bits.
  when(SYS_openat, 2, O_ACCMODE | O_TRUNC, O_TRUNC, refusal);
  only(SYS_openat, 3, 07000, 0);
  only(SYS_mkdirat, 2, 07000, 0);
#ifdef SYS_mkdir
  only(SYS_mkdir, 1, 07000, 0);
#endif
  const unsigned thread = CLONE_THREAD | CLONE_VM | CLONE_SIGHAND;
  only(SYS_clone, 0, thread, thread);
  only(SYS_kill, 0, all, self);
  only(SYS_tgkill, 0, all, self);
  only(SYS_sched_setaffinity, 0, all, 0);
  ask_for_limits_alone();
  only(SYS_prctl, 0, all, PR_SET_NAME);
  only(SYS_prctl, 0, all, 0x53564d41);  // PR_SET_VMA: names of memory
  only(SYS_ioctl, 1, all, 0x5401);      // TCGETS: is it a terminal?
  only(SYS_ioctl, 1, all, TIOCGWINSZ);
  static const unsigned descriptors[] = {F_GETFD,         F_SETFD, F_GETFL,  F_SETFL,
                                         F_DUPFD_CLOEXEC, F_SETLK, F_SETLKW, F_GETLK};
  for (size_t i = 0; i < sizeof descriptors / sizeof *descriptors; i++)
    only(SYS_fcntl, 1, all, descriptors[i]);
  static const int conditional[] = {SYS_openat, SYS_mkdirat, SYS_clone,
                                    SYS_kill,   SYS_tgkill,  SYS_sched_setaffinity,
                                    SYS_prctl,  SYS_ioctl,   SYS_fcntl};
  for (size_t i = 0; i < sizeof conditional / sizeof *conditional; i++)
    always(conditional[i], refusal);
  answer(SECCOMP_RET_ERRNO | ENOSYS);
}

int bss_jail_has_filter(void) {
  unsigned action = SECCOMP_RET_ERRNO;
  return ARCHITECTURE != 0 && syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

int bss_jail_restrict_calls(void) {
  if (!bss_jail_has_filter()) return ENOSYS;
  write_program();
  if (length > most) return E2BIG;
  struct sock_fprog program = {(unsigned short)length, code};
  long got = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
  return got == 0 ? 0 : got > 0 ? EBUSY : errno;
}
