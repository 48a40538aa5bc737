// Recurrent cells: bss_recurrent.h says what. The transcendental parts are the elementwise kernels,
// on strided views of the gates; what is left is arithmetic over rows.
#include "bss_recurrent.h"
#include "bss_elementwise.h"
#include "element.h"

/// f over columns [first, first + columns) of gates [batch, width], in place or to a contiguous
/// out.
static int apply(bss_unary_op op, bss_dtype dtype, int64_t batch, int64_t width, int64_t first,
                 int64_t columns, const void *from, void *to, int64_t to_width) {
  size_t size = bss_size(dtype);
  bss_view in = {.data = (char *)from + (size_t)first * size,
                 .shape = {batch, columns},
                 .stride = {width, 1},
                 .rank = 2,
                 .dtype = dtype};
  bss_view out = in;
  out.data = to == from ? in.data : to;
  out.stride[0] = to == from ? width : to_width;
  return bss_unary(op, &in, &out, 0, 0);
}

typedef struct {
  int64_t hidden;
  const void *gates, *c_previous, *c, *dh, *dc, *input, *recurrent, *h_previous;
  void *c_out, *h, *dgates, *dc_previous, *gates_out, *dinput, *drecurrent, *dh_previous;
} cell_job;

#define T float
#define OF(name) name##_f32
#include "recurrent.inc.h"
#undef T
#undef OF
#define T double
#define OF(name) name##_f64
#include "recurrent.inc.h"

#define ROWS(task) \
  bss_run_items(batch, 8 * hidden, dtype == BSS_F32 ? task##_f32 : task##_f64, &job)

int bss_lstm_cell_forward(bss_dtype dtype, int64_t batch, int64_t hidden, void *gates,
                          const void *c_previous, void *c, void *h) {
  cell_job job = {.hidden = hidden, .gates = gates, .c_previous = c_previous, .c_out = c, .h = h};
  int status = apply(BSS_SIGMOID, dtype, batch, 4 * hidden, 0, 2 * hidden, gates, gates, 0);
  if (status == BSS_OK)
    status = apply(BSS_TANH, dtype, batch, 4 * hidden, 2 * hidden, hidden, gates, gates, 0);
  if (status == BSS_OK)
    status = apply(BSS_SIGMOID, dtype, batch, 4 * hidden, 3 * hidden, hidden, gates, gates, 0);
  if (status == BSS_OK) status = ROWS(lstm_state_row);
  if (status == BSS_OK) status = apply(BSS_TANH, dtype, batch, hidden, 0, hidden, c, h, hidden);
  return status == BSS_OK ? ROWS(lstm_output_row) : status;
}

int bss_lstm_cell_backward(bss_dtype dtype, int64_t batch, int64_t hidden, const void *gates,
                           const void *c_previous, const void *c, const void *dh, const void *dc,
                           void *dgates, void *dc_previous) {
  cell_job job = {.hidden = hidden,
                  .gates = gates,
                  .c_previous = c_previous,
                  .dh = dh,
                  .dc = dc,
                  .dgates = dgates,
                  .dc_previous = dc_previous};
  int status = apply(BSS_TANH, dtype, batch, hidden, 0, hidden, c, dc_previous,
                     hidden);  // read, then overwritten
  return status == BSS_OK ? ROWS(lstm_backward_row) : status;
}

int bss_gru_cell_forward(bss_dtype dtype, int64_t batch, int64_t hidden, const void *input,
                         const void *recurrent, const void *h_previous, void *gates, void *h) {
  cell_job job = {.hidden = hidden,
                  .input = input,
                  .recurrent = recurrent,
                  .h_previous = h_previous,
                  .gates_out = gates,
                  .h = h};
  int status = ROWS(gru_sum_row);
  if (status == BSS_OK)
    status = apply(BSS_SIGMOID, dtype, batch, 3 * hidden, 0, 2 * hidden, gates, gates, 0);
  if (status == BSS_OK) status = ROWS(gru_candidate_row);
  if (status == BSS_OK)
    status = apply(BSS_TANH, dtype, batch, 3 * hidden, 2 * hidden, hidden, gates, gates, 0);
  return status == BSS_OK ? ROWS(gru_output_row) : status;
}

int bss_gru_cell_backward(bss_dtype dtype, int64_t batch, int64_t hidden, const void *gates,
                          const void *recurrent, const void *h_previous, const void *dh,
                          void *dinput, void *drecurrent, void *dh_previous) {
  cell_job job = {.hidden = hidden,
                  .gates = gates,
                  .recurrent = recurrent,
                  .h_previous = h_previous,
                  .dh = dh,
                  .dinput = dinput,
                  .drecurrent = drecurrent,
                  .dh_previous = dh_previous};
  return ROWS(gru_backward_row);
}
