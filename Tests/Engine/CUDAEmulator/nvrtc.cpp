// A libnvrtc.so.12 for machines without one: it "compiles" what the emulator already holds, after
// it has made sure that the texts it is given are those that the emulator was compiled from.
#include "bss_cuda_driver.h"
#include <cstdio>
#include <cstring>
#include <map>
#include <string>

extern "C" {
#include "bss_texts.h"
}

struct nvrtc_program {
  std::string log, image;
  std::map<std::string, std::string> headers;
  std::string text;
};

static const char *compiledText(const std::string &name) {
  for (const bss_text *t = bss_kernel_texts; *t->name; t++)
    if (name == t->name) return t->text;
  return nullptr;
}

extern "C" {
int nvrtcVersion(int *major, int *minor) {
  *major = 12, *minor = 9;
  return 0;
}
int nvrtcCreateProgram(nvrtcProgram *program, const char *text, const char *, int count,
                       const char *const *headers, const char *const *names) {
  *program = new nvrtc_program;
  (*program)->text = text;
  for (int i = 0; i < count; i++) (*program)->headers[names[i]] = headers[i];
  return 0;
}
int nvrtcCompileProgram(nvrtcProgram p, int, const char *const *) {
  for (auto &[name, text] : p->headers) {
    const char *compiled = compiledText(name);
    if (!compiled) p->log += name + ": the emulator does not know it\n";
    else if (text != compiled)
      p->log += name + ": the emulator was compiled from another text; scripts/gpu-emulator\n";
  }
  const size_t at = p->text.find("#include \"");
  const size_t end = at == std::string::npos ? at : p->text.find('"', at + 10);
  if (end == std::string::npos || !p->headers.count(p->text.substr(at + 10, end - at - 10)))
    p->log += "program.cu: no kernels of ours\n";
  p->image = "emulated " + p->text;
  return p->log.empty() ? 0 : 6;  // NVRTC_ERROR_COMPILATION
}
int nvrtcGetProgramLogSize(nvrtcProgram p, size_t *bytes) {
  *bytes = p->log.size() + 1;
  return 0;
}
int nvrtcGetProgramLog(nvrtcProgram p, char *text) {
  memcpy(text, p->log.c_str(), p->log.size() + 1);
  return 0;
}
int nvrtcGetCUBINSize(nvrtcProgram p, size_t *bytes) {
  *bytes = p->image.size() + 1;
  return 0;
}
int nvrtcGetCUBIN(nvrtcProgram p, char *bytes) {
  memcpy(bytes, p->image.c_str(), p->image.size() + 1);
  return 0;
}
/// Stands for every kernel; the driver takes the version that all drivers from 525 on know.
static const std::string ptx = "// emulated PTX\n.version 9.9\n.target compute_80\n";
int nvrtcGetPTXSize(nvrtcProgram, size_t *bytes) {
  *bytes = ptx.size() + 1;
  return 0;
}
int nvrtcGetPTX(nvrtcProgram, char *bytes) {
  memcpy(bytes, ptx.c_str(), ptx.size() + 1);
  return 0;
}
int nvrtcDestroyProgram(nvrtcProgram *program) {
  delete *program;
  *program = nullptr;
  return 0;
}
}
