// Recurrent cells of one element type T; included by recurrent.c. One item a row of the batch, H =
// hidden.

// MARK: LSTM, gates i, f, g, o

LEVELS(void, OF(lstm_state_row), (void *context, int64_t row), (context, row)) {
  const cell_job *job = context;
  int64_t H = job->hidden;
  const T *gates = (const T *)job->gates + row * 4 * H,
          *before = (const T *)job->c_previous + row * H;
  T *c = (T *)job->c_out + row * H;
  for (int64_t j = 0; j < H; j++) c[j] = gates[H + j] * before[j] + gates[j] * gates[2 * H + j];
}

/// h holds tanh(c) already.
LEVELS(void, OF(lstm_output_row), (void *context, int64_t row), (context, row)) {
  const cell_job *job = context;
  int64_t H = job->hidden;
  const T *gate = (const T *)job->gates + (row * 4 + 3) * H;
  T *h = (T *)job->h + row * H;
  for (int64_t j = 0; j < H; j++) h[j] *= gate[j];
}

/// dc_previous holds tanh(c) on entry.
LEVELS(void, OF(lstm_backward_row), (void *context, int64_t row), (context, row)) {
  const cell_job *job = context;
  int64_t H = job->hidden;
  const T *gates = (const T *)job->gates + row * 4 * H,
          *before = (const T *)job->c_previous + row * H;
  const T *dh = job->dh ? (const T *)job->dh + row * H : NULL,
          *dc = job->dc ? (const T *)job->dc + row * H : NULL;
  T *dgates = (T *)job->dgates + row * 4 * H, *dbefore = (T *)job->dc_previous + row * H;
  for (int64_t j = 0; j < H; j++) {
    T i = gates[j], f = gates[H + j], g = gates[2 * H + j], o = gates[3 * H + j], t = dbefore[j];
    T from_h = dh ? dh[j] : 0;
    T total = (dc ? dc[j] : 0) + from_h * o * (1 - t * t);
    dgates[j] = total * g * i * (1 - i);
    dgates[H + j] = total * before[j] * f * (1 - f);
    dgates[2 * H + j] = total * i * (1 - g * g);
    dgates[3 * H + j] = from_h * t * o * (1 - o);
    dbefore[j] = total * f;
  }
}

// MARK: GRU, gates r, z, n

LEVELS(void, OF(gru_sum_row), (void *context, int64_t row), (context, row)) {
  const cell_job *job = context;
  int64_t H = job->hidden;
  const T *input = (const T *)job->input + row * 3 * H,
          *recurrent = (const T *)job->recurrent + row * 3 * H;
  T *gates = (T *)job->gates_out + row * 3 * H;
  for (int64_t j = 0; j < 2 * H; j++) gates[j] = input[j] + recurrent[j];
}

LEVELS(void, OF(gru_candidate_row), (void *context, int64_t row), (context, row)) {
  const cell_job *job = context;
  int64_t H = job->hidden;
  const T *input = (const T *)job->input + row * 3 * H,
          *recurrent = (const T *)job->recurrent + row * 3 * H;
  T *gates = (T *)job->gates_out + row * 3 * H;
  for (int64_t j = 0; j < H; j++)
    gates[2 * H + j] = input[2 * H + j] + gates[j] * recurrent[2 * H + j];
}

LEVELS(void, OF(gru_output_row), (void *context, int64_t row), (context, row)) {
  const cell_job *job = context;
  int64_t H = job->hidden;
  const T *gates = (const T *)job->gates_out + row * 3 * H,
          *before = (const T *)job->h_previous + row * H;
  T *h = (T *)job->h + row * H;
  for (int64_t j = 0; j < H; j++) {
    T z = gates[H + j];
    h[j] = (1 - z) * gates[2 * H + j] + z * before[j];
  }
}

LEVELS(void, OF(gru_backward_row), (void *context, int64_t row), (context, row)) {
  const cell_job *job = context;
  int64_t H = job->hidden;
  const T *gates = (const T *)job->gates + row * 3 * H,
          *recurrent = (const T *)job->recurrent + row * 3 * H;
  const T *before = (const T *)job->h_previous + row * H, *dh = (const T *)job->dh + row * H;
  T *dinput = (T *)job->dinput + row * 3 * H, *drecurrent = (T *)job->drecurrent + row * 3 * H;
  T *dbefore = (T *)job->dh_previous + row * H;
  for (int64_t j = 0; j < H; j++) {
    T r = gates[j], z = gates[H + j], n = gates[2 * H + j];
    T candidate = dh[j] * (1 - z) * (1 - n * n);
    T reset = candidate * recurrent[2 * H + j] * r * (1 - r);
    T update = dh[j] * (before[j] - n) * z * (1 - z);
    dinput[j] = drecurrent[j] = reset;
    dinput[H + j] = drecurrent[H + j] = update;
    dinput[2 * H + j] = candidate;
    drecurrent[2 * H + j] = candidate * r;
    dbefore[j] = dh[j] * z;
  }
}
