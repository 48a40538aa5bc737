// Patterns of Lua (manual 6.4.1) as items, and their matcher; strings.c has the functions that use
// them.
#pragma once
#include "CBSSLua.h"
#include <string.h>

enum { bss_max_captures = 32, bss_small_pattern = 24 };
enum { bss_position_capture = -2, bss_open_capture = -1 };

// One element of a pattern. `set` and `frontier` hold a bit for each byte value.
typedef struct {
  unsigned char kind, repeat;   // repeat: 0, '?', '*', '+' or '-'
  unsigned char first, second;  // the byte of `one`, the pair of `balance`, the number of `back`
  uint32_t bits[8];
} bss_item;

typedef struct {
  const char *start;
  ptrdiff_t length;
} bss_capture;

typedef struct {
  lua_State *L;
  const char *subject, *end;
  int depth, captures;
  unsigned steps;
  bss_capture capture[bss_max_captures];
} bss_matcher;

/// Once, before the first pattern.
void bss_pattern_classes(void);
/// The items of a pattern: in `small` (bss_small_pattern items), or in a userdata that is left on
/// the stack (else nil is).
const bss_item *bss_pattern_items(lua_State *L, const char *pattern, size_t length,
                                  bss_item *small);
/// The end of a match that begins at `at`; NULL: there is none. Captures are in `m`.
const char *bss_pattern_match(bss_matcher *m, const char *at, const bss_item *items);
