// Ring 2: cuDNN's entries, kinds of descriptors, attributes and values as Engine/CUDA declares them
// against NVIDIA's own header. Only compiled, by scripts/gpu-compile where a wheel brought it.
#include "signatures.h"
#include <cudnn_graph.h>

namespace ours {
#define CUstream our_stream
#define CUgraph our_graph
#define cudnnHandle our_handle
#include "bss_cuda_driver.h"
#undef CUstream
#undef CUgraph
#undef cudnnHandle
#include "cudnn_names.h"
}  // namespace ours

#define CUDNN_ENTRY(slot, symbol, ...) COMPARE(cudnn, slot, &::symbol)
BSS_CUDNN_ENTRIES(CUDNN_ENTRY)
#define NAME(name, theirs, value) static_assert(ours::name == (int)::theirs, #theirs);
BSS_CUDNN_NAMES(NAME)
