// What the entries of the emulated driver share.
#pragma once
#include "bss_cuda_driver.h"
#include "cuda_emu.h"
#include <csignal>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

/// Something enqueued: it runs when something waits.
struct Operation {
  enum Kind { kernel, upload, download, release, library } kind;
  std::string name;
  unsigned number = 0;
  const emu::Kernel *function = nullptr;
  dim3 grid, block;
  std::vector<char> parameters;  // of a kernel; of an upload of pageable memory, its bytes
  char *to = nullptr;
  const char *from = nullptr;
  size_t bytes = 0;
  std::function<void()> work;  // of a library
};
using Operations = std::vector<std::shared_ptr<Operation>>;

struct Card {
  char *heap = nullptr;
  size_t reserved = 0, used = 0, total = 0, taken = 0;
  std::map<char *, size_t> allocations;
};

extern Card card;
extern Operations pending;
/// What the stream captures instead of running it; nullptr: it does not.
extern std::unique_ptr<Operations> captured;
/// An error that every later call answers.
extern int sticky;

void finding(const char *format, ...) __attribute__((format(printf, 1, 2)));
void setUp();
int entered(const char *name);
void enqueue(std::shared_ptr<Operation> op);
/// Runs what is enqueued, up to the operation of that number.
int runAll(unsigned last = ~0u);
/// The number of the operation that was enqueued last.
unsigned lastOperation();
/// Whether something is called that a stream which captures does not allow; the capture is lost.
bool spoilsCapture(const char *call);

#define ENTER(name) \
  if (int error = entered(name)) return error
