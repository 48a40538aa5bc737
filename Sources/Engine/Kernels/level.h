// One source, three instruction-set levels. A file K.inc.h is compiled by K_v4.c, K_v3.c and
// K_base.c, each of which says
//
//     #define LEVEL v4                         (v3, base)
//     #include "level.h"
//     LEVEL_BEGIN_V4                           (LEVEL_BEGIN_V3; nothing for base)
//     #include "K.inc.h"
//     LEVEL_END
//
// FN(name) is name_v4, name_v3, name_base. v4 and v3 exist on x86-64 only; test BSS_HAS_LEVELS.
#pragma once
#include <stdint.h>
#pragma clang diagnostic ignored "-Wpsabi"

#if defined(__x86_64__)
#define BSS_HAS_LEVELS 1
#else
#define BSS_HAS_LEVELS 0
#endif

#define LEVEL_PASTE2(name, level) name##_##level
#define LEVEL_PASTE(name, level) LEVEL_PASTE2(name, level)
#define FN(name) LEVEL_PASTE(name, LEVEL)

#define PRAGMA(...) _Pragma(#__VA_ARGS__)
#define TARGET(...) PRAGMA(clang attribute push(__attribute__((__VA_ARGS__)), apply_to = function))
#define LEVEL_BEGIN_V4 TARGET(target("arch=x86-64-v4"), min_vector_width(512))
#define LEVEL_BEGIN_V3 TARGET(target("arch=x86-64-v3"))
#define LEVEL_END _Pragma("clang attribute pop")

#define INLINE static inline __attribute__((always_inline))

// Vectors lower to whatever the level has; unaligned loads through the packed twins.
typedef float f32x16 __attribute__((ext_vector_type(16)));
typedef double f64x8 __attribute__((ext_vector_type(8)));
typedef int32_t i32x16 __attribute__((ext_vector_type(16)));
typedef int64_t i64x8 __attribute__((ext_vector_type(8)));
typedef uint64_t u64x8 __attribute__((ext_vector_type(8)));
typedef float f32x8 __attribute__((ext_vector_type(8)));
typedef f32x8 f32x8u __attribute__((aligned(4)));
typedef f32x16 f32x16u __attribute__((aligned(4)));
typedef f64x8 f64x8u __attribute__((aligned(8)));

enum { bss_level_base, bss_level_v3, bss_level_v4 };
/// The level in use; set by the first constructor of the target (dispatch.c), so other constructors
/// may read it.
extern int bss_level;
