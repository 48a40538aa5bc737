// The kernels' sources, embedded in the program: NVRTC compiles them for the card that is found.
#pragma once

#pragma clang assume_nonnull begin
typedef struct {
  const char *name, *text;
} bss_text;

/// By the name that an #include gives; the last has an empty name.
extern const bss_text *const bss_kernel_texts;
#pragma clang assume_nonnull end
