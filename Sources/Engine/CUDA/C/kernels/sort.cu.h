// Sorting of rows as bss_sort.h says: bitonic networks over (key, position) pairs, which have no
// equals, so that the order is the stable one. Rows are padded to a power of two.
#include "device.cu.h"

#ifndef SORT_KEYS
#define SORT_KEYS
enum { sort_tile = 512 };  // pairs of a block, two a thread
/// Ascending unsigned order = ascending order of the values, NaN last, -0 = +0.
DEVICE uint64_t sort_key(float v) {
  if (v != v) return 0xffffffffu;
  v += 0.0f;
  uint32_t bits;
  __builtin_memcpy(&bits, &v, 4);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}
DEVICE uint64_t sort_key(double v) {
  if (v != v) return ~(uint64_t)0;
  v += 0.0;
  uint64_t bits;
  __builtin_memcpy(&bits, &v, 8);
  return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}
DEVICE uint64_t sort_key(int64_t v) { return (uint64_t)v ^ (uint64_t)1 << 63; }
/// Swaps two pairs that stand the wrong way round.
DEVICE void order(uint64_t &key, int64_t &position, uint64_t &other_key, int64_t &other_position,
                  bool ascending) {
  const bool after = key != other_key ? key > other_key : position > other_position;
  if (after != ascending) return;
  const uint64_t k = key;
  const int64_t p = position;
  key = other_key, position = other_position;
  other_key = k, other_position = p;
}
#endif

/// keys, positions [rows, width] of x [rows, n]; what is behind n sorts last.
KERNEL(sort_keys, 256,
       (int64_t rows, int64_t n, int64_t width, int64_t descending, const T *x, uint64_t *keys,
        int64_t *positions)) {
  EACH_INDEX(i, rows * width) {
    const int64_t at = i % width;
    const uint64_t key = at < n ? sort_key(x[i / width * n + at]) : 0;
    keys[i] = at < n ? descending ? ~key : key : ~(uint64_t)0;
    positions[i] = at;
  }
}
/// One exchange of the network between blocks: partners `distance` apart in runs of `run`.
KERNEL(sort_exchange, 256,
       (int64_t pairs, int64_t width, int64_t run, int64_t distance, uint64_t *keys,
        int64_t *positions)) {
  EACH_INDEX(i, pairs) {
    const int64_t at = i / distance * 2 * distance + i % distance, other = at + distance;
    order(keys[at], positions[at], keys[other], positions[other], (at % width & run) == 0);
  }
}
/// All exchanges of runs `first` … `last` that stay within a tile of `tile` pairs, in shared
/// memory.
KERNEL(sort_within, 256,
       (int64_t width, int64_t tile, int64_t first, int64_t last, uint64_t *keys,
        int64_t *positions)) {
  __shared__ uint64_t key[sort_tile];
  __shared__ int64_t position[sort_tile];
  const int64_t base = blockIdx.x * tile;
  for (int64_t i = threadIdx.x; i < tile; i += blockDim.x)
    key[i] = keys[base + i], position[i] = positions[base + i];
  __syncthreads();
  for (int64_t run = first; run <= last; run *= 2)
    for (int64_t distance = least(run / 2, tile / 2); distance > 0; distance /= 2) {
      for (int64_t i = threadIdx.x; i < tile / 2; i += blockDim.x) {
        const int64_t at = i / distance * 2 * distance + i % distance, other = at + distance;
        order(key[at], position[at], key[other], position[other], ((base + at) % width & run) == 0);
      }
      __syncthreads();
    }
  for (int64_t i = threadIdx.x; i < tile; i += blockDim.x)
    keys[base + i] = key[i], positions[base + i] = position[i];
}
/// The first k of every row: values [rows, k] if wanted, and positions.
KERNEL(sort_take, 256,
       (int64_t rows, int64_t n, int64_t width, int64_t k, const T *x, const int64_t *positions,
        T *values, int64_t *indices)) {
  EACH_INDEX(i, rows * k) {
    const int64_t row = i / k, at = positions[row * width + i % k];
    indices[i] = at;
    if (values) values[i] = x[row * n + at];
  }
}
