// All kernels for all their element types, compiled for the emulator. Twice: plain, and with
// -fsanitize=thread, which makes clang announce every access to memory (checker.cpp).
#include "device.cu.h"

#define T float
#define OF(name) name##_f32
#include "floats.inc.h"
#undef T
#undef OF

#define T double
#define OF(name) name##_f64
#include "floats.inc.h"
#undef T
#undef OF

#define T int64_t
#define OF(name) name##_i64
#define WIDE int64_t
#define WIDE_LEAST INT64_MIN
#define WIDE_MOST INT64_MAX
#include "integer.cu.h"
#include "move.cu.h"
#include "reduce.cu.h"
#include "index.cu.h"
#include "sort.cu.h"
#undef T
#undef OF

#define T uint8_t
#define OF(name) name##_bool
#include "logic.cu.h"
#include "move.cu.h"
#include "reduce.cu.h"
#undef T
#undef OF

#define T bss_f16
#define OF(name) name##_f16
#include "move.cu.h"
#undef T
#undef OF

#define T bss_bf16
#define OF(name) name##_bf16
#include "move.cu.h"
#undef T
#undef OF

#ifdef PLANTED
#include "planted.cu.h"
#endif
