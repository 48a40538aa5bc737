// Recurrent cells between their matrix products (bss_recurrent.h): a thread a unit.
#include "device.cu.h"

#define F(name) OF(name)
DEVICE T OF(gate)(T v) { return (T)1 / ((T)1 + F(exp)(-v)); }

/// Gates i, f, g, o.
KERNEL(lstm_cell, 256, (int64_t batch, int64_t H, T *gates, const T *before, T *c, T *h)) {
  EACH_INDEX(at, batch * H) {
    T *g = gates + at / H * 4 * H + at % H;
    const T in = OF(gate)(g[0]), forget = OF(gate)(g[H]), cell = F(tanh)(g[2 * H]),
            out = OF(gate)(g[3 * H]);
    g[0] = in, g[H] = forget, g[2 * H] = cell, g[3 * H] = out;
    const T state = forget * before[at] + in * cell;
    c[at] = state;
    h[at] = out * F(tanh)(state);
  }
}
KERNEL(lstm_cell_backward, 256,
       (int64_t batch, int64_t H, const T *gates, const T *before, const T *c, const T *dh,
        const T *dc, T *dgates, T *dbefore)) {
  EACH_INDEX(at, batch * H) {
    const T *g = gates + at / H * 4 * H + at % H;
    T *d = dgates + at / H * 4 * H + at % H;
    const T in = g[0], forget = g[H], cell = g[2 * H], out = g[3 * H], t = F(tanh)(c[at]);
    const T from_h = dh[at], total = dc[at] + from_h * out * (1 - t * t);
    d[0] = total * cell * in * (1 - in);
    d[H] = total * before[at] * forget * (1 - forget);
    d[2 * H] = total * in * (1 - cell * cell);
    d[3 * H] = from_h * t * out * (1 - out);
    dbefore[at] = total * forget;
  }
}

/// Gates r, z, n.
KERNEL(gru_cell, 256,
       (int64_t batch, int64_t H, const T *input, const T *recurrent, const T *before, T *gates,
        T *h)) {
  EACH_INDEX(at, batch * H) {
    const int64_t first = at / H * 3 * H + at % H;
    const T *x = input + first, *r = recurrent + first;
    T *g = gates + first;
    const T reset = OF(gate)(x[0] + r[0]), update = OF(gate)(x[H] + r[H]);
    const T candidate = F(tanh)(x[2 * H] + reset * r[2 * H]);
    g[0] = reset, g[H] = update, g[2 * H] = candidate;
    h[at] = (1 - update) * candidate + update * before[at];
  }
}
KERNEL(gru_cell_backward, 256,
       (int64_t batch, int64_t H, const T *gates, const T *recurrent, const T *before, const T *dh,
        T *dinput, T *drecurrent, T *dbefore)) {
  EACH_INDEX(at, batch * H) {
    const int64_t first = at / H * 3 * H + at % H;
    const T *g = gates + first;
    T *dx = dinput + first, *dr = drecurrent + first;
    const T r = g[0], z = g[H], n = g[2 * H];
    const T candidate = dh[at] * (1 - z) * (1 - n * n);
    const T reset = candidate * recurrent[first + 2 * H] * r * (1 - r);
    const T update = dh[at] * (before[at] - n) * z * (1 - z);
    dx[0] = dr[0] = reset;
    dx[H] = dr[H] = update;
    dx[2 * H] = candidate;
    dr[2 * H] = candidate * r;
    dbefore[at] = dh[at] * z;
  }
}
#undef F
