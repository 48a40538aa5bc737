// CUDA C++ on a CPU, for tests: what the language gives a kernel, in plain C++ (clang++ -std=c++20
// -DBSS_EMULATED). One OS thread runs one block after the other; the threads of a block are fibers
// that switch only at barriers, so a kernel without barriers costs a function call per thread. Not
// fast, not parallel: exact, repeatable, checkable.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>

#define EMU_RAW \
  __attribute__((no_sanitize("thread"), noinline))  // emulator's own code: never instrumented

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x = 1, y = 1, z = 1;
};
struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline float2 make_float2(float x, float y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __restrict__ __restrict
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __constant__ static
// All static shared arrays lie in one section, so that the checker knows them.
#define __shared__ static __attribute__((section("emu_shared")))

namespace emu {
struct Thread {
  uint3 index;
  unsigned linear;  // in the block
  void *sp;         // saved stack pointer
  char *stack;
  uint16_t syncs;  // block barriers passed: the thread's epoch
  uint16_t warpSyncs;
};
extern Thread *self;
extern dim3 gridSize, blockSize;
extern uint3 blockIndex;

struct Parameter {
  uint32_t size, offset;
  bool isPointer, isConst;
};
struct Kernel {
  const char *name;
  unsigned maxThreads;
  void (*invoke)(
      const void *packed);  // calls the kernel with arguments unpacked from its parameter block
  const Parameter *parameters;
  unsigned parameterCount, parameterBytes;
  Kernel *next;
};
extern Kernel *kernels;
const Kernel *find(const char *name);

template <auto F> struct Entry;
template <class... A, void (*F)(A...)> struct Entry<F> {
  static constexpr unsigned count = sizeof...(A);
  struct Layout {
    Parameter list[count ? count : 1];
    unsigned bytes;
  };
  static constexpr Layout make() {
    Layout l{};
    unsigned at = 0, i = 0;
    ((at = (at + alignof(A) - 1) / alignof(A) * alignof(A),
      l.list[i++] =
          Parameter{sizeof(A), at, std::is_pointer_v<A>, std::is_const_v<std::remove_pointer_t<A>>},
      at += sizeof(A)),
     ...);
    l.bytes = at;
    return l;
  }
  static constexpr Layout layout = make();
  EMU_RAW static void invoke(const void *packed) {
    [&]<size_t... I>(std::index_sequence<I...>) __attribute__((no_sanitize("thread"))) {
      F(*reinterpret_cast<const A *>(static_cast<const char *>(packed) + layout.list[I].offset)...);
    }
    (std::index_sequence_for<A...>{});
  }
};
struct Registration {
  Kernel kernel;
  template <class E>
  Registration(const char *name, unsigned threads, E *)
      : kernel{name, threads, &E::invoke, E::layout.list, E::count, E::layout.bytes, kernels} {
    kernels = &kernel;
  }
};

enum class Order { forward, reverse, shuffled };  // of threads in a block and of blocks in the grid
struct Options {
  Order order = Order::forward;
  uint64_t seed = 1;
  bool check = false;
};
extern Options options;

// Result of a launch: what went wrong, in words; empty when nothing did.
struct Report {
  int count, lines;
  char text[4096];
};
extern Report report;
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
int launch(const Kernel *, dim3 grid, dim3 block, const void *packed);  // 0, or a CUresult

// Collectives. `site` tells barriers of different source lines apart.
void syncBlock(const char *file, int line);
int syncBlockCount(int predicate, const char *file, int line);
// Every lane of `mask` deposits up to 32 bytes and gets all lanes' deposits back.
struct Deposit {
  uint64_t word[4];
};
const Deposit *exchange(unsigned mask, const void *bytes, unsigned size, const char *file,
                        int line);
void atomicTouch(const void *, unsigned size);

// Checking (sanitize.cpp): memory that kernels may touch.
void *heapReserve(size_t bytes);            // once
void shadowAllocate(void *, size_t bytes);  // addressable, not yet written
void shadowFree(void *, size_t bytes);
void shadowWrite(void *, size_t bytes);  // a copy into it, by operation `op`
void shadowRead(const void *, size_t bytes);
extern unsigned currentOp;  // number of the operation (launch, copy) now running
extern bool (*happensBefore)(unsigned earlier, unsigned later);  // set by the fake driver
}  // namespace emu

#define threadIdx (emu::self->index)
#define blockIdx (emu::blockIndex)
#define blockDim (emu::blockSize)
#define gridDim (emu::gridSize)
constexpr int warpSize = 32;

#define KERNEL_NAMED(name, threads, params)                                                   \
  static void name params;                                                                    \
  static emu::Registration name##_registration{#name, threads, (emu::Entry<&name> *)nullptr}; \
  static void name params

using std::fma, std::sqrt;

#define EMU_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()
inline void __syncthreads(EMU_SITE) { emu::syncBlock(file, line); }
inline int __syncthreads_count(int p, EMU_SITE) { return emu::syncBlockCount(p, file, line); }
inline int __syncthreads_or(int p, EMU_SITE) {
  return emu::syncBlockCount(p != 0, file, line) != 0;
}
inline void __syncwarp(unsigned mask = ~0u, EMU_SITE) {
  emu::exchange(mask, nullptr, 0, file, line);
}
inline void __threadfence() {}
inline void __threadfence_block() {}

namespace emu {
template <class T>
EMU_RAW T shuffle(unsigned mask, T v, unsigned from, bool inside, const char *file, int line) {
  static_assert(sizeof(T) <= 8);
  const Deposit *all = exchange(mask, &v, sizeof v, file, line);
  if (!inside) return v;
  if (!(mask >> from & 1))
    complain("shuffle reads lane %u, which is not in the mask %08x (%s:%d)", from, mask, file,
             line);
  T r;
  memcpy(&r, all[from].word, sizeof r);
  return r;
}
inline unsigned lane() { return self->linear & 31; }
}  // namespace emu
template <class T> inline T __shfl_sync(unsigned m, T v, int from, int w = 32, EMU_SITE) {
  unsigned l = emu::lane(), b = l & ~(w - 1);
  return emu::shuffle(m, v, b + (from & (w - 1)), true, file, line);
}
template <class T> inline T __shfl_xor_sync(unsigned m, T v, int x, int w = 32, EMU_SITE) {
  unsigned l = emu::lane(), t = l ^ x;
  return emu::shuffle(m, v, t, (t & ~(w - 1)) <= (l & ~(w - 1)), file, line);
}
template <class T> inline T __shfl_down_sync(unsigned m, T v, unsigned d, int w = 32, EMU_SITE) {
  unsigned l = emu::lane(), t = l + d;
  return emu::shuffle(m, v, t, (t & ~(w - 1)) == (l & ~(w - 1)) && t < 32, file, line);
}
template <class T> inline T __shfl_up_sync(unsigned m, T v, unsigned d, int w = 32, EMU_SITE) {
  unsigned l = emu::lane(), t = l - d;
  return emu::shuffle(m, v, t, (l & (w - 1)) >= d, file, line);
}
EMU_RAW inline unsigned __ballot_sync(unsigned mask, int p, EMU_SITE) {
  uint8_t bit = p != 0;
  const emu::Deposit *all = emu::exchange(mask, &bit, 1, file, line);
  unsigned r = 0;
  for (unsigned i = 0; i < 32; i++)
    if (mask >> i & 1) r |= (unsigned)(all[i].word[0] & 1) << i;
  return r;
}
inline int __any_sync(unsigned m, int p, EMU_SITE) { return __ballot_sync(m, p, file, line) != 0; }
inline int __all_sync(unsigned m, int p, EMU_SITE) { return __ballot_sync(m, p, file, line) == m; }
EMU_RAW inline unsigned __match_any_sync(unsigned mask, unsigned v, EMU_SITE) {
  const emu::Deposit *all = emu::exchange(mask, &v, 4, file, line);
  unsigned r = 0;
  for (unsigned i = 0; i < 32; i++)
    if (mask >> i & 1) r |= (unsigned)((unsigned)all[i].word[0] == v) << i;
  return r;
}

template <class T> EMU_RAW T atomicAdd(T *p, T v) {
  emu::atomicTouch(p, sizeof(T));
  T old = *p;
  *p = old + v;
  return old;
}
template <class T> EMU_RAW T atomicMax(T *p, T v) {
  emu::atomicTouch(p, sizeof(T));
  T old = *p;
  if (v > old) *p = v;
  return old;
}
template <class T> EMU_RAW T atomicMin(T *p, T v) {
  emu::atomicTouch(p, sizeof(T));
  T old = *p;
  if (v < old) *p = v;
  return old;
}
template <class T> EMU_RAW T atomicCAS(T *p, T c, T v) {
  emu::atomicTouch(p, sizeof(T));
  T old = *p;
  if (old == c) *p = v;
  return old;
}
template <class T> EMU_RAW T atomicExch(T *p, T v) {
  emu::atomicTouch(p, sizeof(T));
  T old = *p;
  *p = v;
  return old;
}
template <class T> EMU_RAW T atomicOr(T *p, T v) {
  emu::atomicTouch(p, sizeof(T));
  T old = *p;
  *p = old | v;
  return old;
}

inline unsigned __float_as_uint(float f) {
  unsigned u;
  memcpy(&u, &f, 4);
  return u;
}
inline float __uint_as_float(unsigned u) {
  float f;
  memcpy(&f, &u, 4);
  return f;
}
inline int __float_as_int(float f) {
  int u;
  memcpy(&u, &f, 4);
  return u;
}
inline float __int_as_float(int u) {
  float f;
  memcpy(&f, &u, 4);
  return f;
}
inline long long __double_as_longlong(double d) {
  long long u;
  memcpy(&u, &d, 8);
  return u;
}
inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((uint64_t)a * b >> 32); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __clz(int x) { return x ? __builtin_clz((unsigned)x) : 32; }
inline int __ffs(int x) { return __builtin_ffs(x); }
// Unfused arithmetic, as on the device (the file is compiled with -ffp-contract=off; fmaf stays
// fused).
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline double __dadd_rn(double a, double b) { return a + b; }
template <class T> inline T __ldg(const T *p) { return *p; }
template <class T> inline T min(T a, T b) { return b < a ? b : a; }
template <class T> inline T max(T a, T b) { return a < b ? b : a; }
inline void __trap() { emu::complain("__trap()"); }
