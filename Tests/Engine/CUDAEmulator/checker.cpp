// memcheck, initcheck and racecheck for emulated kernels, byte for byte. Kernels are compiled with
// -fsanitize=thread, which makes clang call __tsan_read4 and friends for every access to memory
// that others may see; this file is linked INSTEAD of the TSan runtime.
#include "cuda_emu.h"
#include <dlfcn.h>
#include <iterator>
#include <map>
#include <sys/mman.h>

extern "C" char __start_emu_shared[] __attribute__((weak));
extern "C" char __stop_emu_shared[] __attribute__((weak));

namespace emu {
extern unsigned blockSerial;
extern const Kernel *running;
extern uint16_t (*warpClock)[32];

// One cell for 4 bytes of memory.
struct Access {
  uint32_t op, block;
  uint16_t thread, syncs, warpSyncs;
  uint8_t mask, atomic;
};
struct Cell {
  Access write, read;
  uint8_t addressable, written;
};

static char *heap;
static size_t heapBytes;
static Cell *heapCells, *sharedCells;

void *heapReserve(size_t bytes) {
  if (heap) return heap;
  heapBytes = bytes;
  heap = (char *)mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  heapCells = (Cell *)mmap(nullptr, bytes / 4 * sizeof(Cell), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  sharedCells = (Cell *)mmap(nullptr, (1 << 20) * sizeof(Cell), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return heap;
}

enum Kind { loads, stores, atomics };

// The first complaint of a launch from one instruction says it all.
static bool isNews(void *pc, int kind) {
  static struct {
    const void *pc;
    int kind;
    unsigned op;
  } seen[64];
  static unsigned next;
  for (auto &s : seen)
    if (s.pc == pc && s.kind == kind && s.op == currentOp) {
      report.count++;
      return false;
    }
  seen[next++ % 64] = {pc, kind, currentOp};
  return true;
}
static void site(char *out, size_t size, void *pc) {
  Dl_info info;
  if (dladdr(pc, &info) && info.dli_fname)
    snprintf(out, size, "pc %s+0x%lx",
             strrchr(info.dli_fname, '/') ? strrchr(info.dli_fname, '/') + 1 : info.dli_fname,
             (unsigned long)((char *)pc - 1 - (char *)info.dli_fbase));
  else snprintf(out, size, "pc %p", pc);
}

static void race(const char *space, const Access &old, Kind oldKind, Kind kind, size_t offset,
                 void *pc) {
  if (!isNews(pc, oldKind + 10)) return;
  char where[200];
  site(where, sizeof where, pc);
  static const char *verb[] = {"reads", "writes", "atomically changes"},
                    *past[] = {"read", "written", "changed"};
  complain("%s %s byte 0x%zx that thread %u of %s block has %s without a barrier between (%s)",
           verb[kind], space, offset, old.thread, old.block == blockSerial ? "this" : "another",
           past[oldKind], where);
}

// Earlier access -> now: is there an order?
static inline bool ordered(const Access &a) {
  if (!self) return a.op != currentOp ? (!happensBefore || happensBefore(a.op, currentOp)) : true;
  if (a.op != currentOp) return !happensBefore || happensBefore(a.op, currentOp);
  if (a.block != blockSerial) return false;
  if (a.thread == self->linear || a.syncs < self->syncs) return true;
  return a.thread >> 5 == self->linear >> 5 && warpClock[self->linear][a.thread & 31] > a.warpSyncs;
}
static inline void note(Access &a, uint8_t mask, bool atomic) {
  a = {currentOp,
       blockSerial,
       (uint16_t)(self ? self->linear : 0),
       (uint16_t)(self ? self->syncs : 0),
       (uint16_t)(self ? self->warpSyncs : 0),
       mask,
       atomic};
}

/// Memory of another life: where it lay, so that a late access can be called by its name.
static std::map<size_t, size_t> freed;
static bool wasFreed(size_t offset) {
  auto after = freed.upper_bound(offset);
  return after != freed.begin() && offset < std::prev(after)->first + std::prev(after)->second;
}

static void check(const char *p, size_t size, Kind kind, void *pc) {
  if (!options.check) return;
  Cell *cells;
  const char *base, *space;
  bool isHeap = p >= heap && p < heap + heapBytes, isShared = false;
  if (isHeap) {
    cells = heapCells;
    base = heap;
    space = "global";
  } else if (p >= __start_emu_shared && p < __stop_emu_shared) {
    cells = sharedCells;
    base = __start_emu_shared;
    space = "shared";
    isShared = true;
  } else return;  // locals, parameters, host memory
  if ((uintptr_t)p & (size - 1) && (size == 2 || size == 4 || size == 8 || size == 16) && self &&
      isNews(pc, 1)) {
    char w[200];
    site(w, sizeof w, pc);
    complain("%zu bytes at a misaligned address %p (%s)", size, p, w);
  }
  for (size_t done = 0; done < size;) {
    size_t offset = p + done - base, in = offset & 3,
           n = 4 - in < size - done ? 4 - in : size - done;
    uint8_t mask = (uint8_t)(((1u << n) - 1) << in);
    Cell &c = cells[offset >> 2];
    if (isShared && c.write.block != blockSerial && c.read.block != blockSerial)
      c = Cell{{}, {}, 15, 0};  // another block's past
    if (isShared) c.addressable = 15;
    if (mask & ~c.addressable) {
      if (!isNews(pc, 2)) return;
      char w[200];
      site(w, sizeof w, pc);
      complain("%s %s byte heap+0x%zx, which is %s (%s)", kind == loads ? "reads" : "writes", space,
               offset, wasFreed(offset) ? "freed" : "outside every allocation", w);
      return;
    }
    if (kind == loads && mask & ~c.written) {
      char w[200];
      site(w, sizeof w, pc);
      if (isNews(pc, 3))
        complain("reads %s byte 0x%zx that nothing has written (%s)", space, offset, w);
      c.written |= mask;
    }
    if (c.write.mask & mask && !(kind == atomics && c.write.atomic && c.write.op == currentOp) &&
        !ordered(c.write))
      race(space, c.write, stores, kind, offset, pc), c.write.mask = 0;
    if (kind != loads && c.read.mask & mask &&
        !(kind == atomics && c.read.atomic && c.read.op == currentOp) && !ordered(c.read))
      race(space, c.read, loads, kind, offset, pc), c.read.mask = 0;
    if (kind != loads) {
      note(c.write,
           mask | (c.write.op == currentOp && c.write.block == blockSerial && self &&
                           c.write.thread == self->linear && c.write.syncs == self->syncs
                       ? c.write.mask
                       : 0),
           kind == atomics);
      c.written |= mask;
    }
    // One reader is remembered; a second thread's read must not hide an unordered first one.
    if (kind != stores && (c.read.mask == 0 || ordered(c.read)))
      note(c.read, mask, kind == atomics);
    done += n;
  }
}

void shadowAllocate(void *p, size_t bytes) {
  if (!options.check) return;
  for (size_t i = 0, o = (char *)p - heap; i < (bytes + 3) / 4; i++) {
    Cell &c = heapCells[o / 4 + i];
    c = Cell{};
    const size_t left = bytes - i * 4;
    c.addressable = left >= 4 ? 15 : (uint8_t)((1 << left) - 1);
    note(c.write, 15, false);
  }
}
/// Pages that hold nothing else are given back to the system.
static void discard(void *from, size_t bytes) {
  const uintptr_t page = 4096, a = ((uintptr_t)from + page - 1) & ~(page - 1),
                  b = ((uintptr_t)from + bytes) & ~(page - 1);
  if (b > a) madvise((void *)a, b - a, MADV_DONTNEED);
}
void shadowFree(void *p, size_t bytes) {
  const size_t offset = (char *)p - heap, cells = (bytes + 3) / 4;
  check((char *)p, bytes, stores, __builtin_return_address(0));
  if (options.check) {
    memset((void *)&heapCells[offset / 4], 0, cells * sizeof(Cell));
    freed[offset] = bytes;
    discard(&heapCells[offset / 4], cells * sizeof(Cell));
  }
  discard(p, bytes);
}
void shadowWrite(void *p, size_t bytes) {
  check((char *)p, bytes, stores, __builtin_return_address(0));
}
void shadowRead(const void *p, size_t bytes) {
  check((const char *)p, bytes, loads, __builtin_return_address(0));
}
void atomicTouch(const void *p, unsigned size) {
  check((const char *)p, size, atomics, __builtin_return_address(0));
}
}  // namespace emu

#define PC __builtin_return_address(0)
extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void *) {}
void __tsan_func_exit() {}
#define SIZE(n)                                                                          \
  void __tsan_read##n(void *p) { emu::check((char *)p, n, emu::loads, PC); }             \
  void __tsan_write##n(void *p) { emu::check((char *)p, n, emu::stores, PC); }           \
  void __tsan_unaligned_read##n(void *p) { emu::check((char *)p, n, emu::loads, PC); }   \
  void __tsan_unaligned_write##n(void *p) { emu::check((char *)p, n, emu::stores, PC); } \
  void __tsan_read_write##n(void *p) {                                                   \
    emu::check((char *)p, n, emu::loads, PC);                                            \
    emu::check((char *)p, n, emu::stores, PC);                                           \
  }
SIZE(1) SIZE(2) SIZE(4) SIZE(8) SIZE(16) void *__tsan_memset(void *p, int c, size_t n) {
  emu::check((char *)p, n, emu::stores, PC);
  return memset(p, c, n);
}
void *__tsan_memcpy(void *d, const void *s, size_t n) {
  emu::check((const char *)s, n, emu::loads, PC);
  emu::check((char *)d, n, emu::stores, PC);
  return memcpy(d, s, n);
}
void *__tsan_memmove(void *d, const void *s, size_t n) {
  emu::check((const char *)s, n, emu::loads, PC);
  emu::check((char *)d, n, emu::stores, PC);
  return memmove(d, s, n);
}
}
