// Shuts the calling process in, for good, without any privilege: limits of resources, then Landlock
// (files, TCP, signals, abstract sockets), then an allow-list of system calls. To be called while
// there is one thread.
#pragma once
#include <stdint.h>

typedef struct {
  const char *const *readable;  // files and folders; the list ends with NULL
  const char *const *writable;  // folders
  uint64_t memory;              // bytes of address space
  uint64_t file;                // bytes of one file
  uint64_t seconds;             // of processor time
  uint64_t files;               // open at once
  int abi;  // Landlock as this version of it has it; 0: none, another wall is around
} bss_jail;

/// The version of Landlock that this kernel offers; 0 or less: none, and errno says why.
int bss_jail_abi(void);
/// Whether system calls can be filtered here.
int bss_jail_has_filter(void);
/// 0, or errno; then `step` names what failed and the process must end.
int bss_jail_enter(const bss_jail *jail, const char **step);

// MARK: The steps (landlock.c, seccomp.c)

int bss_jail_restrict_files(const bss_jail *jail);
int bss_jail_restrict_calls(void);
