#include <zlib.h>
#include "CBSSCodecs.h"

// zlib counts in 32 bits: longer buffers are handed over in pieces.
static const size_t piece = (size_t)1 << 30;
// Output between two questions whether to go on: some ten milliseconds.
static const size_t stretch = (size_t)1 << 24;

int64_t bss_inflate(const uint8_t *from, size_t count, uint8_t *to, size_t capacity,
                    int (*is_cancelled)(void)) {
  z_stream z = {0};
  if (inflateInit2(&z, -MAX_WBITS) != Z_OK) return -1;
  size_t taken = 0, written = 0;
  int status = Z_OK;
  uint8_t spare;  // a full output buffer still has to let the stream say that it ended
  while (status == Z_OK) {
    if (is_cancelled()) break;
    size_t in = count - taken < piece ? count - taken : piece;
    size_t out = capacity - written < stretch ? capacity - written : stretch;
    z.next_in = (Bytef *)from + taken, z.avail_in = (uInt)in;
    z.next_out = out ? to + written : &spare, z.avail_out = (uInt)(out ? out : 1);
    status = inflate(&z, Z_NO_FLUSH);
    size_t made = (out ? out : 1) - z.avail_out;
    if (!out && made) status = Z_DATA_ERROR;
    taken += in - z.avail_in;
    written += out ? made : 0;
    if (status == Z_OK && made == 0 && in == z.avail_in) status = Z_BUF_ERROR;
  }
  inflateEnd(&z);
  return status == Z_STREAM_END ? (int64_t)written : status == Z_OK ? -2 : -1;
}

int64_t bss_deflate(const uint8_t *from, size_t count, uint8_t *to, size_t capacity) {
  z_stream z = {0};
  if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK)
    return -1;
  size_t taken = 0, written = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    size_t in = count - taken < piece ? count - taken : piece,
           out = capacity - written < piece ? capacity - written : piece;
    z.next_in = (Bytef *)from + taken, z.avail_in = (uInt)in;
    z.next_out = to + written, z.avail_out = (uInt)out;
    status = deflate(&z, taken + in == count ? Z_FINISH : Z_NO_FLUSH);
    taken += in - z.avail_in;
    written += out - z.avail_out;
    if (status == Z_OK && written == capacity) status = Z_BUF_ERROR;
  }
  deflateEnd(&z);
  return status == Z_STREAM_END ? (int64_t)written : -1;
}
