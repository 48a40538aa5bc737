// Large buffers of one kernel call, kept from call to call: fresh pages cost more than the work
// done in them.
#pragma once
#include <stddef.h>

enum { BSS_WORKSPACE_FILTER, BSS_WORKSPACE_MAPS, BSS_WORKSPACES };

/// At least `bytes`, 64-byte aligned, valid until the next call with this slot; NULL: none left.
/// For the thread that starts kernels, outside tasks.
void *bss_workspace(int slot, size_t bytes);
