// Bulk fills: blocks of the stream are dealt to tasks; a last partial block goes through a small
// buffer.
#include "bss_random.h"
#include "table.h"
#include <string.h>

enum { task_blocks = 8192, block_bytes = 32 };

void bss_philox_block(uint64_t key, uint64_t counter, uint32_t out[4]) {
  uint32_t w0 = (uint32_t)counter, w1 = (uint32_t)(counter >> 32), w2 = 0, w3 = 0;
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int round = 0; round < 10; round++) {
    uint64_t p = (uint64_t)w0 * 0xD2511F53u, q = (uint64_t)w2 * 0xCD9E8D57u;
    w0 = (uint32_t)(q >> 32) ^ w1 ^ k0;
    w2 = (uint32_t)(p >> 32) ^ w3 ^ k1;
    w1 = (uint32_t)q;
    w3 = (uint32_t)p;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  out[0] = w0;
  out[1] = w1;
  out[2] = w2;
  out[3] = w3;
}

typedef enum {
  words,
  uniform_f32,
  uniform_f64,
  normal_f32,
  normal_f64,
  mask_f32,
  mask_f64,
  integers
} kind;

typedef struct {
  kind kind;
  uint64_t key, counter;
  double a, b;
  int64_t low;
  uint64_t range;
  char *out;
  int64_t count, a_block, size;  // elements; elements a block; bytes an element
} fill_context;

static void fill_integers(const fill_context *c, uint64_t counter, int64_t *out, int64_t blocks) {
  for (int64_t b = 0; b < blocks; b++) {
    uint64_t w[2];
    bss_philox_block(c->key, counter + (uint64_t)b, (uint32_t *)w);
    for (int i = 0; i < 2; i++)
      out[2 * b + i] =
          (int64_t)((uint64_t)c->low + (uint64_t)((unsigned __int128)w[i] * c->range >> 64));
  }
}

static void fill_blocks(const fill_context *c, uint64_t counter, void *out, int64_t blocks) {
  switch (c->kind) {
  case words: bss_loops->philox_words(c->key, counter, out, blocks); break;
  case uniform_f32: bss_loops->uniform_f32(c->key, counter, c->a, c->b, out, blocks); break;
  case uniform_f64: bss_loops->uniform_f64(c->key, counter, c->a, c->b, out, blocks); break;
  case normal_f32: bss_loops->normal_f32(c->key, counter, c->a, c->b, out, blocks); break;
  case normal_f64: bss_loops->normal_f64(c->key, counter, c->a, c->b, out, blocks); break;
  case mask_f32: bss_loops->mask_f32(c->key, counter, c->a, c->b, out, blocks); break;
  case mask_f64: bss_loops->mask_f64(c->key, counter, c->a, c->b, out, blocks); break;
  case integers: fill_integers(c, counter, out, blocks); break;
  }
}

static void fill_task(void *context, int64_t task) {
  const fill_context *c = context;
  int64_t first = task * task_blocks, element = first * c->a_block;
  int64_t left = c->count - element, most = task_blocks * c->a_block;
  if (left > most) left = most;
  int64_t whole = left / c->a_block, rest = left % c->a_block;
  char *out = c->out + element * c->size;
  fill_blocks(c, c->counter + (uint64_t)first, out, whole);
  if (rest) {
    _Alignas(8) char block[block_bytes];
    fill_blocks(c, c->counter + (uint64_t)(first + whole), block, 1);
    memcpy(out + whole * c->a_block * c->size, block, (size_t)(rest * c->size));
  }
}

static int fill(fill_context c) {
  int64_t per_task = task_blocks * c.a_block;
  return bss_pool_run((c.count + per_task - 1) / per_task, fill_task, &c);
}

int bss_random_u32(uint64_t key, uint64_t counter, uint32_t *out, int64_t count) {
  return fill((fill_context){words, key, counter, .out = (char *)out, .count = count, .a_block = 4,
                             .size = 4});
}

int bss_random_uniform(bss_dtype dtype, uint64_t key, uint64_t counter, double low, double high,
                       void *out, int64_t count) {
  bool f = dtype == BSS_F32;
  return fill((fill_context){f ? uniform_f32 : uniform_f64, key, counter, low, high, .out = out,
                             .count = count, .a_block = f ? 4 : 2, .size = f ? 4 : 8});
}

int bss_random_normal(bss_dtype dtype, uint64_t key, uint64_t counter, double mean, double std,
                      void *out, int64_t count) {
  bool f = dtype == BSS_F32;
  return fill((fill_context){f ? normal_f32 : normal_f64, key, counter, mean, std, .out = out,
                             .count = count, .a_block = f ? 4 : 2, .size = f ? 4 : 8});
}

int bss_random_mask(bss_dtype dtype, uint64_t key, uint64_t counter, double p, double value,
                    void *out, int64_t count) {
  bool f = dtype == BSS_F32;
  return fill((fill_context){f ? mask_f32 : mask_f64, key, counter, p, value, .out = out,
                             .count = count, .a_block = 4, .size = f ? 4 : 8});
}

int bss_random_integers(uint64_t key, uint64_t counter, int64_t low, int64_t high, int64_t *out,
                        int64_t count) {
  return fill((fill_context){integers, key, counter, .low = low,
                             .range = (uint64_t)high - (uint64_t)low, .out = (char *)out,
                             .count = count, .a_block = 2, .size = 8});
}
