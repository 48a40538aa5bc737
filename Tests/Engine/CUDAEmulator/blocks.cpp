// Blocks, barriers and warp collectives of the emulation (see cuda_emu.h).
#include "cuda_emu.h"
#include "fibers.h"
#include <csetjmp>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <vector>

namespace emu {
Thread *self;
dim3 gridSize, blockSize;
uint3 blockIndex;
Kernel *kernels;
Options options;
Report report;
unsigned currentOp = 1;
bool (*happensBefore)(unsigned, unsigned);

// What checker.cpp needs of the running block.
unsigned blockSerial, threadCount;
const Kernel *running;
// [thread][lane]: how many collectives of `lane` the thread knows to be past
uint16_t (*warpClock)[32];
static Thread *threads;

const Kernel *find(const char *name) {
  for (Kernel *k = kernels; k; k = k->next)
    if (!strcmp(k->name, name)) return k;
  return nullptr;
}

void complain(const char *format, ...) {
  report.count++;
  if (++report.lines > 8) return;
  size_t used = strlen(report.text);
  if (used + 400 > sizeof report.text) return;
  int n = snprintf(report.text + used, 200,
                   "%s: block (%u,%u,%u) thread %u: ", running ? running->name : "?", blockIndex.x,
                   blockIndex.y, blockIndex.z, self ? self->linear : 0);
  va_list list;
  va_start(list, format);
  n += vsnprintf(report.text + used + n, sizeof report.text - used - n - 2, format, list);
  va_end(list);
  strcat(report.text, "\n");
}

static void *mainSp;
static void fiberMain();

// MARK: The running block

struct Wait {
  const char *file;
  int line;
};
struct Warp {
  unsigned alive, existing;  // lanes that have not returned; lanes of the block
  struct Group {
    unsigned arrived, mask;
    unsigned generation;
    bool orders;
    const char *file;
    int line;
  } group[32];  // by lowest lane of the mask
  Deposit deposit[32][8][32];
};
static Warp *warps;
static unsigned *order, nextStart, alive;
static Thread **ready;
static unsigned readyHead, readyCount, readyMask;
static unsigned barrierCount;
static Wait barrierSite;
static int barrierSum[2];
static const void *packed;
static Thread **barrierWaiters;

static inline void push(Thread *t) { ready[(readyHead + readyCount++) & readyMask] = t; }
static inline Thread *pop() {
  Thread *t = ready[readyHead];
  readyHead = (readyHead + 1) & readyMask;
  readyCount--;
  return t;
}

static void releaseBarrier() {
  for (unsigned i = 0; i < barrierCount; i++) push(barrierWaiters[i]);
  barrierCount = 0;
  for (unsigned i = 0; i < threadCount; i++) threads[i].syncs++;
}

EMU_RAW static void wait() {  // until something pushes self
  Thread *me = self;
  if (nextStart < threadCount) {
    self = &threads[order[nextStart++]];
    Stack *s = takeStack(fiberMain);
    self->stack = reinterpret_cast<char *>(s);
    emu_switch(&me->sp, s->sp);
  } else if (readyCount) {
    Thread *t = pop();
    if (t == me) {
      self = me;
      return;
    }
    self = t;
    emu_switch(&me->sp, t->sp);
  } else {
    emu_switch(&me->sp, mainSp);
  }
}

static void completeGroups(unsigned w);

EMU_RAW static void finish(Thread *t) {
  alive--;
  unsigned w = t->linear >> 5;
  warps[w].alive &= ~(1u << (t->linear & 31));
  completeGroups(w);
  if (barrierCount && barrierCount == alive) {
    if (options.check)
      complain("returned while %u threads wait at %s:%d", barrierCount, barrierSite.file,
               barrierSite.line);
    releaseBarrier();
  }
}

EMU_RAW static void fiberMain() {
  for (;;) {
    Stack *mine = reinterpret_cast<Stack *>(self->stack);
    running->invoke(packed);
    finish(self);
    if (nextStart < threadCount) {
      self = &threads[order[nextStart++]];
      self->stack = reinterpret_cast<char *>(mine);
      continue;
    }
    giveStack(mine);
    if (readyCount) {
      self = pop();
      emu_switch(&mine->sp, self->sp);
    } else {
      emu_switch(&mine->sp, mainSp);
    }
  }
}

EMU_RAW int syncBlockCount(int predicate, const char *file, int line) {
  Thread *me = self;
  int slot = me->syncs & 1;
  if (barrierCount == 0) {
    barrierSite = {file, line};
    barrierSum[slot] = 0;
  } else if (barrierSite.line != line || strcmp(barrierSite.file, file))
    complain("is at the barrier %s:%d while others wait at %s:%d", file, line, barrierSite.file,
             barrierSite.line);
  barrierSum[slot] += predicate != 0;
  barrierWaiters[barrierCount++] = me;
  if (barrierCount == alive) {
    barrierCount--;  // not me
    releaseBarrier();
  } else {
    wait();
  }
  return barrierSum[slot];
}
EMU_RAW void syncBlock(const char *file, int line) { syncBlockCount(0, file, line); }

EMU_RAW static void complete(Warp &w, Warp::Group &g, unsigned wIndex, Thread *running) {
  unsigned members = g.arrived;
  if (options.check && (g.mask & ~members & w.existing))
    complain("collective %s:%d names lanes %08x that have returned", g.file, g.line,
             g.mask & ~members & w.existing);
  g.arrived = 0;
  g.generation++;
  if (options.check &&
      g.orders) {  // only __syncwarp orders memory; shuffles, votes and matches do not
    uint16_t count[32];
    for (unsigned m = members; m; m &= m - 1) {
      unsigned l = __builtin_ctz(m);
      count[l] = ++threads[wIndex * 32 + l].warpSyncs;
    }
    for (unsigned m = members; m; m &= m - 1) {
      uint16_t *clock = warpClock[wIndex * 32 + __builtin_ctz(m)];
      for (unsigned k = members; k; k &= k - 1) clock[__builtin_ctz(k)] = count[__builtin_ctz(k)];
    }
  }
  for (unsigned m = members; m; m &= m - 1) {
    Thread *t = &threads[wIndex * 32 + __builtin_ctz(m)];
    if (t != running) push(t);
  }
}
static void completeGroups(unsigned w) {
  for (auto &g : warps[w].group)
    if (g.arrived && g.arrived == (g.mask & warps[w].alive)) complete(warps[w], g, w, nullptr);
}

EMU_RAW const Deposit *exchange(unsigned mask, const void *bytes, unsigned size, const char *file,
                                int line) {
  Thread *me = self;
  unsigned w = me->linear >> 5, lane = me->linear & 31;
  Warp &warp = warps[w];
  if (!(mask >> lane & 1))
    complain("lane %u is not in its own mask %08x (%s:%d)", lane, mask, file, line);
  mask |= 1u << lane;
  unsigned key = __builtin_ctz(mask);
  Warp::Group &g = warp.group[key];
  if (!g.arrived) {
    g.mask = mask;
    g.file = file;
    g.line = line;
    g.orders = size == 0;
  } else if (g.mask != mask || g.line != line || strcmp(g.file, file))
    complain("collective %s:%d mask %08x meets lanes at %s:%d mask %08x", file, line, mask, g.file,
             g.line, g.mask);
  Deposit *all = warp.deposit[key][g.generation & 7];
  if (size) memcpy(all[lane].word, bytes, size);
  g.arrived |= 1u << lane;
  if (g.arrived == (g.mask & warp.alive)) complete(warp, g, w, me);
  else wait();
  return all;
}

// MARK: Launch

static sigjmp_buf faultJump;
static volatile bool inKernel;
/// From the SIGSEGV handler: false if it was no kernel's, else it does not return.
bool kernelFault(void *address) {
  if (!inKernel) return false;
  inKernel = false;
  complain("touches address %p outside every allocation", address);
  siglongjmp(faultJump, 1);
}

static uint64_t mix(uint64_t &s) {
  s += 0x9e3779b97f4a7c15;
  uint64_t z = s;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}
static void arrange(unsigned *out, unsigned n, uint64_t &seed) {
  for (unsigned i = 0; i < n; i++) out[i] = options.order == Order::reverse ? n - 1 - i : i;
  if (options.order == Order::shuffled)
    for (unsigned i = n; i > 1; i--) std::swap(out[i - 1], out[mix(seed) % i]);
}

static void allocateOnce() {
  static constexpr unsigned capacity = 1024;
  if (threads) return;
  threads = new Thread[capacity]();
  warps = new Warp[32]();
  order = new unsigned[capacity];
  ready = new Thread *[capacity];
  readyMask = capacity - 1;
  barrierWaiters = new Thread *[capacity];
  warpClock = new uint16_t[capacity][32]();
}

static void prepareBlock(unsigned id, dim3 grid, dim3 block) {
  blockIndex = {id % grid.x, id / grid.x % grid.y, id / grid.x / grid.y};
  blockSerial++;
  for (unsigned i = 0; i < threadCount; i++) {
    Thread &t = threads[i];
    t.index = {i % block.x, i / block.x % block.y, i / block.x / block.y};
    t.linear = i;
    t.syncs = t.warpSyncs = 0;
  }
  for (unsigned w = 0; w * 32 < threadCount; w++) {
    const unsigned lanes = threadCount - w * 32;
    warps[w].alive = warps[w].existing = lanes >= 32 ? ~0u : (1u << lanes) - 1;
    for (auto &g : warps[w].group) g.arrived = 0;
  }
  if (options.check) memset(warpClock, 0, threadCount * sizeof *warpClock);
  readyHead = readyCount = barrierCount = nextStart = 0;
  alive = threadCount;
}

/// 0, or what the driver would report.
static int runBlock() {
  enum { illegalAddress = 700, timeout = 702 };
  if (sigsetjmp(faultJump, 0)) {
    abandonStacks();
    return illegalAddress;
  }
  inKernel = true;
  self = &threads[order[nextStart++]];
  Stack *s = takeStack(fiberMain);
  self->stack = reinterpret_cast<char *>(s);
  emu_switch(&mainSp, s->sp);
  inKernel = false;
  if (!alive) return 0;
  complain("%u threads wait for ever; the barrier is at %s:%d", alive,
           barrierSite.file ? barrierSite.file : "a collective", barrierSite.line);
  abandonStacks();
  return timeout;
}

EMU_RAW int launch(const Kernel *k, dim3 grid, dim3 block, const void *arguments) {
  allocateOnce();
  running = k;
  packed = arguments;
  gridSize = grid;
  blockSize = block;
  threadCount = block.x * block.y * block.z;
  uint64_t seed = options.seed;
  arrange(order, threadCount, seed);
  const unsigned blocks = grid.x * grid.y * grid.z;
  std::vector<unsigned> blockOrder;
  if (options.order != Order::forward) {
    blockOrder.resize(blocks);
    arrange(blockOrder.data(), blocks, seed);
  }
  int status = 0;
  for (unsigned b = 0; b < blocks && !status; b++) {
    prepareBlock(blockOrder.empty() ? b : blockOrder[b], grid, block);
    status = runBlock();
  }
  self = nullptr;
  running = nullptr;
  return status;
}
}  // namespace emu
