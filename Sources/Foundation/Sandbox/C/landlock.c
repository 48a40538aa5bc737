// Files by Landlock: what is not listed can neither be read nor written. Own numbers and structs,
// because the kernel's headers here may be older than the kernel, which goes by the size of what it
// is given.
#define _GNU_SOURCE
#include "CBSSSandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

enum {
  right_execute = 1 << 0,
  right_write = 1 << 1,
  right_read = 1 << 2,
  right_list = 1 << 3,
  right_character_device = 1 << 6,
  right_socket = 1 << 9,
  right_pipe = 1 << 10,
  right_block_device = 1 << 11,
  rights_1 = (1 << 13) - 1,       // all of version 1
  right_move = 1 << 13,           // between folders; version 2
  right_truncate = 1 << 14,       // version 3
  right_device_control = 1 << 15  // version 5
};

struct ruleset {
  uint64_t files, network, scoped;
};
struct __attribute__((packed)) beneath {
  uint64_t allowed;
  int32_t folder;
};

int bss_jail_abi(void) { return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, 1); }

// What is not there needs no rule.
static int allow(int set, const char *path, uint64_t rights) {
  struct stat info;
  struct beneath rule = {rights, open(path, O_PATH | O_CLOEXEC)};
  if (rule.folder < 0) return 0;
  int problem = fstat(rule.folder, &info) ? errno : 0;
  if (!S_ISDIR(info.st_mode))
    rule.allowed &=
        right_execute | right_write | right_read | right_truncate | right_device_control;
  if (!problem && syscall(SYS_landlock_add_rule, set, 1, &rule, 0)) problem = errno;
  close(rule.folder);
  return problem;
}

static int allow_all(int set, const char *const *paths, uint64_t rights) {
  int problem = 0;
  for (; *paths && !problem; paths++) problem = allow(set, *paths, rights);
  return problem;
}

// What every program needs that has its libraries loaded.
static const char *const system_paths[] = {"/usr",
                                           "/lib",
                                           "/lib64",
                                           "/etc/ld.so.cache",
                                           "/etc/localtime",
                                           "/proc/self",
                                           "/proc/meminfo",
                                           "/proc/cpuinfo",
                                           "/proc/stat",
                                           "/proc/sys/kernel",
                                           "/sys/devices/system",
                                           "/dev/urandom",
                                           NULL};
static const char *const nowhere[] = {"/dev/null", NULL};

int bss_jail_restrict_files(const bss_jail *jail) {
  int abi = bss_jail_abi();
  if (jail->abi < abi) abi = jail->abi;
  if (abi < 1) return errno ? errno : ENOSYS;
  struct ruleset all = {rights_1, abi >= 4 ? 3 : 0, abi >= 6 ? 3 : 0};
  if (abi >= 2) all.files |= right_move;
  if (abi >= 3) all.files |= right_truncate;
  if (abi >= 5) all.files |= right_device_control;
  size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
  int set = (int)syscall(SYS_landlock_create_ruleset, &all, size, 0);
  if (set < 0) return errno;
  uint64_t look = right_read | right_list;
  uint64_t never = right_execute | right_character_device | right_socket | right_pipe |
                   right_block_device | right_device_control;
  int problem = allow_all(set, system_paths, look);
  if (!problem) problem = allow_all(set, nowhere, look | right_write);
  if (!problem) problem = allow_all(set, jail->readable, look);
  if (!problem) problem = allow_all(set, jail->writable, all.files & ~never);
  if (!problem && syscall(SYS_landlock_restrict_self, set, 0)) problem = errno;
  close(set);
  return problem;
}
