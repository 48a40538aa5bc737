// Switching between the fibers of a block: x86-64 and 64-bit Arm (the latter was never run).
#include "fibers.h"
#include <cstring>
#include <sys/mman.h>
#include <vector>

#if defined(__x86_64__)
asm(R"(
.text
.globl emu_switch
.type emu_switch,@function
emu_switch:
  pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp
  ret
.size emu_switch,.-emu_switch
)");
#elif defined(__aarch64__)
asm(R"(
.text
.globl emu_switch
emu_switch:
  sub sp, sp, #160
  stp x19, x20, [sp]; stp x21, x22, [sp,#16]; stp x23, x24, [sp,#32]; stp x25, x26, [sp,#48]; stp x27, x28, [sp,#64]
  stp x29, x30, [sp,#80]; stp d8, d9, [sp,#96]; stp d10, d11, [sp,#112]; stp d12, d13, [sp,#128]; stp d14, d15, [sp,#144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp]; ldp x21, x22, [sp,#16]; ldp x23, x24, [sp,#32]; ldp x25, x26, [sp,#48]; ldp x27, x28, [sp,#64]
  ldp x29, x30, [sp,#80]; ldp d8, d9, [sp,#96]; ldp d10, d11, [sp,#112]; ldp d12, d13, [sp,#128]; ldp d14, d15, [sp,#144]
  add sp, sp, #160
  ret
)");
#endif

namespace emu {
static constexpr size_t stackBytes = 64 << 10;
static Stack *idle;
static std::vector<Stack *> all;
static void (*start)();

static void reset(Stack *s) {
  void **top = reinterpret_cast<void **>(s->base + stackBytes);
#if defined(__x86_64__)
  *--top = nullptr;
  *--top = reinterpret_cast<void *>(start);
  top -= 6;
  memset(top, 0, 6 * sizeof(void *));
#else
  top -= 20;
  memset(top, 0, 160);
  top[11] = reinterpret_cast<void *>(start);
#endif
  s->sp = top;
}

Stack *takeStack(void (*body)()) {
  start = body;
  if (Stack *s = idle) {
    idle = s->next;
    return s;
  }
  Stack *s = new Stack;
  s->base = static_cast<char *>(mmap(nullptr, stackBytes, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  all.push_back(s);
  reset(s);
  return s;
}

void giveStack(Stack *s) {
  s->next = idle;
  idle = s;
}

void abandonStacks() {
  idle = nullptr;
  for (Stack *s : all) {
    reset(s);
    giveStack(s);
  }
}
}  // namespace emu
