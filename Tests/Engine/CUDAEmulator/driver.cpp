// A libcuda.so.1 for machines without a card: a stream is a queue that runs only when something
// waits for it, kernels run on the emulator. What the backend does wrong is said on standard error
// and becomes an error of the card, so that no test that meets it can pass.
//
//   EMULATED_CUDA_MEMORY=bytes      EMULATED_CUDA_VERSION=12080    EMULATED_CUDA_DEVICES=n
//   EMULATED_CUDA_ORDER=forward|reverse|shuffled                   of threads and blocks
//   EMULATED_CUDA_FAIL=cuMemAlloc_v2:3:5:2             calls 3 to 5 of that entry answer 2
//   EMULATED_CUDA_SKIP=n                               the n-th wait is left out
#include "driver.h"
#include <cstdarg>
#include <cstdlib>
#include <mutex>
#include <string>
#include <sys/mman.h>

namespace emu {
bool kernelFault(void *);
}

Operations pending;
std::unique_ptr<Operations> captured;
int sticky;
static std::string findings;
static unsigned findingCount, operations;

void finding(const char *format, ...) {
  char text[4096];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  findings += text, findings += '\n', findingCount++;
  if (!getenv("EMULATED_CUDA_QUIET")) fprintf(stderr, "emulated card: %s\n", text);
  if (!sticky) sticky = 719;  // CUDA_ERROR_LAUNCH_FAILED
}

extern "C" unsigned emulated_findings(const char **text) {
  *text = findings.c_str();
  return findingCount;
}
static std::map<std::string, int> calls;
static int waits;
static bool wasIdle;
/// As a new process would find the card, memory aside; calls and waits are counted anew.
extern "C" void emulated_clear() {
  findings.clear();
  findingCount = 0;
  sticky = 0;
  pending.clear();
  captured = nullptr;
  calls.clear();
  waits = 0;
  wasIdle = false;
}
extern "C" int emulated_waits() { return waits; }
extern "C" int emulated_pending() { return (int)pending.size(); }
/// Whether the wait that was left out had nothing to wait for.
extern "C" int emulated_idle() { return wasIdle; }
extern "C" int emulated_calls(const char *name) { return calls[name]; }
extern "C" void emulated_order(int order) { emu::options.order = (emu::Order)order; }

// MARK: Memory: closed to the host unless an operation runs

static bool isOpen;
static char *lowest;  // what lies below is free for good, and stays closed
static void open(bool on) {
  if (!emu::options.check || on == isOpen) return;
  mprotect(lowest, card.heap + card.used - lowest, on ? PROT_READ | PROT_WRITE : PROT_NONE);
  isOpen = on;
}
static char *pageOf(const void *p) { return (char *)((uintptr_t)p & ~(uintptr_t)4095); }
static std::vector<char *> left;  // pages in which a block ended its life
/// While nothing waits to run: opening and closing takes as long as what is in use, not as all that
/// ever was. Pages without a block are given back to the system.
static void tidy() {
  if (!emu::options.check) return;
  for (char *page : left) {
    if (page + 4096 > card.heap + card.used) continue;
    auto next = card.allocations.lower_bound(page);
    if (next != card.allocations.end() && next->first < page + 4096) continue;
    if (next != card.allocations.begin()) {
      auto before = std::prev(next);
      if (before->first + before->second > page) continue;
    }
    madvise(page, 4096, MADV_DONTNEED);
  }
  left.clear();
  lowest =
      pageOf(card.allocations.empty() ? card.heap + card.used : card.allocations.begin()->first);
}

static void onFault(int signal, siginfo_t *info, void *) {
  char *p = (char *)info->si_addr;
  if (p >= card.heap && p < card.heap + card.reserved && !isOpen) {
    finding("the host touches device address %p", (void *)p);
    mprotect(pageOf(p), 4096, PROT_READ | PROT_WRITE);
    return;
  }
  if (p >= card.heap && p < lowest) {  // the checker has said that it is freed
    mprotect(pageOf(p), 4096, PROT_READ | PROT_WRITE);
    return;
  }
  emu::kernelFault(p);
  ::signal(signal, SIG_DFL);
}

Card card;

void setUp() {
  if (card.heap) return;
  const char *order = getenv("EMULATED_CUDA_ORDER"), *memory = getenv("EMULATED_CUDA_MEMORY");
  if (order)
    emu::options.order = *order == 'r'   ? emu::Order::reverse
                         : *order == 's' ? emu::Order::shuffled
                                         : emu::Order::forward;
#ifdef CHECKED
  emu::options.check = true;
#endif
  card.total = memory ? strtoull(memory, nullptr, 0) : 4ull << 30;
  card.reserved = 64ull << 30;  // no address is used twice: a freed block stays recognisable
  card.heap = (char *)emu::heapReserve(card.reserved);
  card.used = 4096;
  lowest = card.heap;
  isOpen = true;
  open(false);
  struct sigaction action = {};
  action.sa_sigaction = onFault;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGSEGV, &action, nullptr);
}

/// What every entry answers before it does anything: an error that stays, or one that is wanted.
int entered(const char *name) {
  setUp();
  const int call = ++calls[name];
  if (const char *fail = getenv("EMULATED_CUDA_FAIL")) {
    const char *colon = strchr(fail, ':');
    int first = 0, last = 0, code = 0;
    if (colon && std::string(fail, colon - fail) == name &&
        sscanf(colon, ":%d:%d:%d", &first, &last, &code) == 3 && call >= first && call <= last)
      return code;
  }
  return sticky;
}

// MARK: Operations

static void perform(Operation &op) {
  emu::currentOp = op.number;
  emu::report = {};
  int status = 0;
  switch (op.kind) {
  case Operation::kernel:
    status = emu::launch(op.function, op.grid, op.block, op.parameters.data());
    break;
  case Operation::upload:
    emu::shadowWrite(op.to, op.bytes);
    memcpy(op.to, op.from ? op.from : op.parameters.data(), op.bytes);
    break;
  case Operation::download:
    emu::shadowRead(op.from, op.bytes);
    if (op.to) memcpy(op.to, op.from, op.bytes);
    break;
  case Operation::release:
    emu::shadowFree(op.to, op.bytes);
    left.insert(left.end(), {pageOf(op.to), pageOf((char *)op.to + op.bytes - 1)});
    break;
  case Operation::library: op.work(); break;
  }
  if (emu::report.count)
    finding("operation %u, %s: %d complaints\n%s", op.number, op.name.c_str(), emu::report.count,
            emu::report.text);
  const bool outside = strstr(emu::report.text, "outside every allocation") ||
                       strstr(emu::report.text, "which is freed");
  if (status || outside) sticky = status ? status : 700;  // CUDA_ERROR_ILLEGAL_ADDRESS
}

void enqueue(std::shared_ptr<Operation> op) {
  if (captured) return captured->push_back(op);
  op->number = ++operations;
  pending.push_back(op);
}

/// For the emulated libraries: work on the stream; it tells the checker what it reads and writes.
extern "C" void emulated_enqueue(const char *name, const std::function<void()> *work) {
  auto op = std::make_shared<Operation>();
  op->kind = Operation::library;
  op->name = name;
  op->work = *work;
  enqueue(op);
}
extern "C" void emulated_reads(const void *p, size_t bytes) {
  emu::shadowRead((const char *)p, bytes);
}
extern "C" void emulated_writes(void *p, size_t bytes) { emu::shadowWrite((char *)p, bytes); }

bool spoilsCapture(const char *call) {
  if (!captured) return false;
  finding("%s while the stream captures", call);
  captured = nullptr;
  return true;
}

unsigned lastOperation() { return operations; }

int runAll(unsigned last) {
  waits++;
  size_t due = 0;
  while (due < pending.size() && pending[due]->number <= last) due++;
  if (const char *skip = getenv("EMULATED_CUDA_SKIP")) {
    if (waits == atoi(skip)) {
      wasIdle = due == 0;
      for (auto &op : pending)  // what was waited for arrives too late
        if (op->kind == Operation::download && op->to) {
          memset(op->to, 0xa5, op->bytes);
          op->to = nullptr;
        }
      return sticky;
    }
  }
  open(true);
  for (size_t i = 0; i < due; i++)
    if (!sticky) perform(*pending[i]);
  pending.erase(pending.begin(), pending.begin() + (ptrdiff_t)due);
  open(false);
  tidy();
  return sticky;
}
