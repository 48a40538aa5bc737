// Which build this is: a hash over what the linker made of it, taken from memory.
#define _GNU_SOURCE  // dl_iterate_phdr
#include "CBSSLua.h"
#include <link.h>
#include <string.h>

// h <- rotate((h xor word) * odd): every step is one-to-one.
static uint64_t mix(uint64_t h, const unsigned char *bytes, size_t n) {
  for (; n >= 8; bytes += 8, n -= 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    h = (h ^ word) * 0xff51afd7ed558ccdULL;
    h = h << 29 | h >> 35;
  }
  for (; n > 0; bytes++, n--) {
    h = (h ^ *bytes) * 0xff51afd7ed558ccdULL;
    h = h << 29 | h >> 35;
  }
  return h;
}

// The program comes first; its segments that are read only hold code and constants.
static int add_segments(struct dl_phdr_info *object, size_t size, void *state) {
  (void)size;
  uint64_t *h = state;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) || !(segment->p_flags & PF_R))
      continue;
    *h = mix(*h, (const unsigned char *)(object->dlpi_addr + segment->p_vaddr), segment->p_filesz);
  }
  return 1;  // no other objects
}

uint64_t bss_build_id(void) {
  uint64_t h = 0x9e3779b97f4a7c15ULL;
  dl_iterate_phdr(add_segments, &h);
  return h;
}
