// Recurrent cells between their matrix products: gates in, state out, in one pass. Contiguous, B
// rows, H hidden units.
#pragma once
#include "bss_base.h"

/// LSTM cell (Hochreiter & Schmidhuber 1997, with forget gate), gate order i, f, g, o as PyTorch.
/// gates [B, 4H]: pre-activations in, activations out (kept for the backward pass).
/// c = f*c_previous + i*g;  h = o*tanh(c)
int bss_lstm_cell_forward(bss_dtype dtype, int64_t batch, int64_t hidden, void *gates,
                          const void *c_previous, void *c, void *h);
/// dgates [B, 4H] = gradient of the pre-activations, dc_previous [B, H]; dh, dc may be NULL (zero).
int bss_lstm_cell_backward(bss_dtype dtype, int64_t batch, int64_t hidden, const void *gates,
                           const void *c_previous, const void *c, const void *dh, const void *dc,
                           void *dgates, void *dc_previous);

/// GRU cell (Cho et al. 2014, reset gate after the product as in PyTorch), gate order r, z, n.
/// input [B, 3H] = W_i x + b_i, recurrent [B, 3H] = W_h h + b_h; gates [B, 3H]: activations, kept.
/// r, z = sigmoid(input + recurrent);  n = tanh(input_n + r * recurrent_n);  h = (1 - z)*n +
/// z*h_previous
int bss_gru_cell_forward(bss_dtype dtype, int64_t batch, int64_t hidden, const void *input,
                         const void *recurrent, const void *h_previous, void *gates, void *h);
/// dinput, drecurrent [B, 3H]; dh_previous [B, H] = the direct part z*dh only (the product's part
/// is the caller's).
int bss_gru_cell_backward(bss_dtype dtype, int64_t batch, int64_t hidden, const void *gates,
                          const void *recurrent, const void *h_previous, const void *dh,
                          void *dinput, void *drecurrent, void *dh_previous);
