// The entries of the emulated driver: those that the backend calls (bss_cuda_driver.h), strict
// where the real one is lenient.
#include "driver.h"
#include <cstdlib>

struct CUctx_st {};
struct CUstream_st {};
struct CUfunc_st {
  const emu::Kernel *kernel;
};
struct CUgraph_st {
  Operations operations;
};
struct CUgraphExec_st {
  Operations operations;
};
struct CUmod_st {
  std::string ptx;
  std::map<std::string, CUfunc_st> functions;
};
struct CUevent_st {
  unsigned operation = 0;  // the last before it
};
static std::map<const char *, size_t> locked;  // page-locked memory of the host
static CUctx_st theContext;
static CUstream_st theStream;

/// The numbers of the cards that this process may see.
static std::vector<int> devices() {
  const char *wanted = getenv("EMULATED_CUDA_DEVICES"), *shown = getenv("CUDA_VISIBLE_DEVICES");
  const int count = wanted ? atoi(wanted) : 1;
  std::vector<int> seen;
  for (int i = 0; i < count && !shown; i++) seen.push_back(i);
  for (const char *at = shown; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : nullptr)
    if (atoi(at) < count) seen.push_back(atoi(at));
  return seen;
}
static int deviceCount() { return (int)devices().size(); }
static bool isOurs(CUstream stream, const char *call) {
  if (stream == &theStream) return true;
  finding("%s uses the default stream, which waits for all others", call);
  return false;
}

extern "C" {
int cuInit(unsigned) {
  ENTER("cuInit");
  return 0;
}
int cuDriverGetVersion(int *version) {
  const char *wanted = getenv("EMULATED_CUDA_VERSION");
  *version = wanted ? atoi(wanted) : 12080;
  return 0;
}
int cuDeviceGetCount(int *count) {
  ENTER("cuDeviceGetCount");
  *count = deviceCount();
  return 0;
}
int cuDeviceGet(CUdevice *device, int ordinal) {
  ENTER("cuDeviceGet");
  *device = ordinal;
  return ordinal < 0 || ordinal >= deviceCount() ? 101 : 0;
}
int cuDeviceGetName(char *name, int length, CUdevice device) {
  ENTER("cuDeviceGetName");
  snprintf(name, length, "Emulated card %d", devices().at(device));
  return 0;
}
int cuDeviceGetAttribute(int *value, int attribute, CUdevice) {
  ENTER("cuDeviceGetAttribute");
  enum { multiprocessors = 16, major = 75, minor = 76 };
  // Few multiprocessors, so that grids sized by them stay small.
  *value = attribute == multiprocessors ? 4 : attribute == major ? 9 : 0;
  return attribute == multiprocessors || attribute == major || attribute == minor ? 0 : 1;
}
int cuDeviceTotalMem_v2(size_t *bytes, CUdevice) {
  ENTER("cuDeviceTotalMem_v2");
  *bytes = card.total;
  return 0;
}
int cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice) {
  ENTER("cuDevicePrimaryCtxRetain");
  *context = &theContext;
  return 0;
}
int cuCtxSetCurrent(CUcontext) {
  ENTER("cuCtxSetCurrent");
  return 0;
}
int cuGetErrorName(int error, const char **text) {
  *text = error == 2     ? "CUDA_ERROR_OUT_OF_MEMORY"
          : error == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS"
          : error == 702 ? "CUDA_ERROR_LAUNCH_TIMEOUT"
          : error == 719 ? "CUDA_ERROR_LAUNCH_FAILED"
                         : "CUDA_ERROR";
  return 0;
}

// MARK: Memory

int cuMemGetInfo_v2(size_t *unused, size_t *total) {
  ENTER("cuMemGetInfo_v2");
  *unused = card.total - card.taken;
  *total = card.total;
  return 0;
}
static size_t rounded(size_t bytes) { return (bytes + 511) / 512 * 512; }
static int take(CUdeviceptr *address, size_t bytes) {
  enum { invalid = 1, outOfMemory = 2, guard = 512 };
  if (bytes == 0) return invalid;
  const size_t size = rounded(bytes);
  if (card.taken + size > card.total || card.used + size + guard > card.reserved)
    return outOfMemory;
  char *p = card.heap + card.used;
  card.used += size + guard;
  card.taken += size;
  card.allocations[p] = bytes;
  emu::currentOp = 0;
  emu::shadowAllocate(p, bytes);
  *address = (CUdeviceptr)p;
  return 0;
}
int cuMemAlloc_v2(CUdeviceptr *address, size_t bytes) {
  ENTER("cuMemAlloc_v2");
  return take(address, bytes);
}
int cuMemAllocAsync(CUdeviceptr *address, size_t bytes, CUstream stream) {
  ENTER("cuMemAllocAsync");
  isOurs(stream, "cuMemAllocAsync");
  return take(address, bytes);
}
static int release(CUdeviceptr address, const char *call) {
  auto found = card.allocations.find((char *)address);
  if (found == card.allocations.end()) {
    finding("%s of %p, which is no allocation", call, (void *)address);
    return 1;
  }
  auto op = std::make_shared<Operation>();
  op->kind = Operation::release;
  op->name = call;
  op->to = found->first;
  op->bytes = found->second;
  card.taken -= rounded(found->second);
  card.allocations.erase(found);
  enqueue(op);
  return 0;
}
int cuMemFree_v2(CUdeviceptr address) {
  ENTER("cuMemFree_v2");
  for (auto &op : pending)
    if (op->kind != Operation::release) {
      finding("cuMemFree while operation %u, %s, waits to run", op->number, op->name.c_str());
      break;
    }
  return release(address, "cuMemFree");
}
int cuMemFreeAsync(CUdeviceptr address, CUstream stream) {
  ENTER("cuMemFreeAsync");
  isOurs(stream, "cuMemFreeAsync");
  return release(address, "cuMemFreeAsync");
}
int cuMemHostAlloc(void **address, size_t bytes, unsigned) {
  ENTER("cuMemHostAlloc");
  *address = malloc(bytes);
  locked[(const char *)*address] = bytes;
  return 0;
}
int cuMemFreeHost(void *address) {
  ENTER("cuMemFreeHost");
  if (!locked.erase((const char *)address)) {
    finding("cuMemFreeHost of %p, which is not page-locked", address);
    return 1;
  }
  for (auto &op : pending)
    if (op->kind == Operation::upload && op->from == address)
      finding("cuMemFreeHost while operation %u has yet to read it", op->number);
  free(address);
  return 0;
}
static bool isLocked(const char *from, size_t bytes) {
  auto after = locked.upper_bound(from);
  if (after == locked.begin()) return false;
  const auto &[start, size] = *std::prev(after);
  return from + bytes <= start + size;
}
/// The bytes leave at once, as from memory that can be paged out, but for page-locked memory, which
/// is read when the stream comes to it.
int cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) {
  ENTER("cuMemcpyHtoDAsync_v2");
  if (spoilsCapture("cuMemcpyHtoDAsync")) return 900;  // CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED
  isOurs(stream, "cuMemcpyHtoDAsync");
  auto op = std::make_shared<Operation>();
  op->kind = Operation::upload;
  op->name = "upload";
  op->to = (char *)to;
  op->bytes = bytes;
  if (isLocked((const char *)from, bytes)) op->from = (const char *)from;
  else op->parameters.assign((const char *)from, (const char *)from + bytes);
  enqueue(op);
  return 0;
}
/// The bytes arrive when something waits, though a real driver may be quicker.
int cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
  ENTER("cuMemcpyDtoHAsync_v2");
  if (spoilsCapture("cuMemcpyDtoHAsync")) return 900;  // CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED
  isOurs(stream, "cuMemcpyDtoHAsync");
  auto op = std::make_shared<Operation>();
  op->kind = Operation::download;
  op->name = "download";
  op->to = (char *)to;
  op->from = (const char *)from;
  op->bytes = bytes;
  enqueue(op);
  return 0;
}

// MARK: Events, streams, modules, launches

int cuEventCreate(CUevent *event, unsigned) {
  ENTER("cuEventCreate");
  *event = new CUevent_st;
  return 0;
}
int cuEventRecord(CUevent event, CUstream stream) {
  ENTER("cuEventRecord");
  if (spoilsCapture("cuEventRecord")) return 900;  // CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED
  isOurs(stream, "cuEventRecord");
  event->operation = lastOperation();
  return 0;
}
int cuEventSynchronize(CUevent event) {
  ENTER("cuEventSynchronize");
  if (spoilsCapture("cuEventSynchronize")) return 900;  // CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED
  return runAll(event->operation);
}

int cuStreamCreate(CUstream *stream, unsigned flags) {
  ENTER("cuStreamCreate");
  if (!(flags & 1)) finding("cuStreamCreate without CU_STREAM_NON_BLOCKING");
  *stream = &theStream;
  return 0;
}
int cuStreamSynchronize(CUstream stream) {
  ENTER("cuStreamSynchronize");
  if (spoilsCapture("cuStreamSynchronize")) return 900;  // CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED
  isOurs(stream, "cuStreamSynchronize");
  return runAll();
}
int cuStreamBeginCapture_v2(CUstream stream, int mode) {
  ENTER("cuStreamBeginCapture");
  enum { relaxed = 2, illegal = 401 };
  isOurs(stream, "cuStreamBeginCapture");
  if (captured || mode < 0 || mode > relaxed) return illegal;
  captured = std::make_unique<Operations>();
  return 0;
}
int cuStreamEndCapture(CUstream stream, CUgraph *graph) {
  ENTER("cuStreamEndCapture");
  isOurs(stream, "cuStreamEndCapture");
  *graph = nullptr;
  if (!captured) return 901;  // CUDA_ERROR_STREAM_CAPTURE_INVALIDATED
  *graph = new CUgraph_st{*captured};
  captured = nullptr;
  return 0;
}
int cuGraphInstantiateWithFlags(CUgraphExec *started, CUgraph graph, unsigned long long flags) {
  ENTER("cuGraphInstantiateWithFlags");
  if (!graph || flags) return 1;
  *started = new CUgraphExec_st{graph->operations};
  return 0;
}
/// Every start runs the operations anew, with the parameters that they were captured with.
int cuGraphLaunch(CUgraphExec started, CUstream stream) {
  ENTER("cuGraphLaunch");
  isOurs(stream, "cuGraphLaunch");
  if (!started) return 1;
  for (auto &op : started->operations) enqueue(std::make_shared<Operation>(*op));
  return 0;
}
int cuGraphExecDestroy(CUgraphExec started) {
  delete started;
  return 0;
}
int cuGraphDestroy(CUgraph graph) {
  delete graph;
  return 0;
}
int cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned, int *, void **) {
  ENTER("cuModuleLoadDataEx");
  // A cubin of our nvrtc, or PTX text: any compiler's, whose kernels then run from the emulator.
  const std::string text = (const char *)image;
  const bool isPTX = text.find("\n.version 8.0\n") != std::string::npos;
  if (!isPTX && text.compare(0, 8, "emulated")) return 200;  // CUDA_ERROR_INVALID_IMAGE
  *module = new CUmod_st{isPTX ? text : "", {}};
  return 0;
}
int cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
  ENTER("cuModuleGetFunction");
  const emu::Kernel *kernel = emu::find(name);
  if (!kernel) return 500;  // CUDA_ERROR_NOT_FOUND
  const std::string entry = std::string(".entry ") + name + "(";
  const bool standsForAll = module->ptx.find("// emulated PTX") != std::string::npos;
  if (!module->ptx.empty() && !standsForAll && module->ptx.find(entry) == std::string::npos)
    return 500;
  module->functions[name].kernel = kernel;
  *function = &module->functions[name];
  return 0;
}
int cuLaunchKernel(CUfunction function, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                   unsigned by, unsigned bz, unsigned shared, CUstream stream, void **parameters,
                   void **extra) {
  ENTER("cuLaunchKernel");
  enum { invalid = 1, outOfResources = 701 };
  isOurs(stream, "cuLaunchKernel");
  const emu::Kernel *k = function->kernel;
  if (!gx || !gy || !gz || !bx || !by || !bz || gx > 0x7fffffff || gy > 65535 || gz > 65535) {
    finding("%s: grid %u,%u,%u block %u,%u,%u", k->name, gx, gy, gz, bx, by, bz);
    return invalid;
  }
  if (bx * by * bz > k->maxThreads) {
    finding("%s: %u threads a block, compiled for %u", k->name, bx * by * bz, k->maxThreads);
    return outOfResources;
  }
  if (shared || parameters || !extra) {
    finding("%s: parameters come as one packed buffer, without dynamic memory", k->name);
    return invalid;
  }
  const char *buffer = nullptr;
  size_t size = 0;
  for (void **e = extra; *e; e += 2) {
    if (*e == (void *)1) buffer = (const char *)e[1];
    else if (*e == (void *)2) size = *(size_t *)e[1];
  }
  if (size != k->parameterBytes) {
    finding("%s: %zu bytes of parameters, the kernel has %u", k->name, size, k->parameterBytes);
    return invalid;
  }
  auto op = std::make_shared<Operation>();
  op->kind = Operation::kernel;
  op->name = k->name;
  op->function = k;
  op->grid = {gx, gy, gz};
  op->block = {bx, by, bz};
  op->parameters.assign(buffer, buffer + size);
  for (unsigned i = 0; i < k->parameterCount; i++) {
    if (!k->parameters[i].isPointer) continue;
    char *p;
    memcpy(&p, op->parameters.data() + k->parameters[i].offset, 8);
    if (p && (p < card.heap || p >= card.heap + card.reserved))
      finding("%s: parameter %u is %p, no device address", k->name, i, (void *)p);
  }
  enqueue(op);
  return 0;
}
}
