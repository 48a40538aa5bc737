// Depthwise convolution, one channel a group: no matrix product to speak of. Included by
// conv.inc.h.

/// Row of output pixels (n, od, oh, all ow).
LEVELS(void, OF(depthwise_forward_task), (void *context, int64_t line), (context, line)) {
  OF(conv_job) *job = context;
  const bss_conv *c = job->conv;
  int64_t channels = c->in_channels, oh = line % c->out[1], od = line / c->out[1] % c->out[0];
  const T *image = job->x + line / (c->out[1] * c->out[0]) * bss_product3(c->in) * channels;
  for (int64_t ow = 0; ow < c->out[2]; ow++) {
    T *y = job->y + (line * c->out[2] + ow) * channels;
    if (job->bias) memcpy(y, job->bias, channels * sizeof(T));
    else memset(y, 0, channels * sizeof(T));
    for (int64_t t = 0; t < job->plan.taps; t++) {
      int64_t d =
          od * c->stride[0] - c->pad[0] + t / (c->kernel[1] * c->kernel[2]) * c->dilation[0];
      int64_t h = oh * c->stride[1] - c->pad[1] + t / c->kernel[2] % c->kernel[1] * c->dilation[1];
      int64_t w = ow * c->stride[2] - c->pad[2] + t % c->kernel[2] * c->dilation[2];
      if (d < 0 || d >= c->in[0] || h < 0 || h >= c->in[1] || w < 0 || w >= c->in[2]) continue;
      const T *x = image + ((d * c->in[1] + h) * c->in[2] + w) * channels,
              *weight = job->weight + t * channels;
      for (int64_t i = 0; i < channels; i++) y[i] += x[i] * weight[i];
    }
  }
}

/// Row of input pixels (n, d, h, all w): gathers from the outputs that saw it.
LEVELS(void, OF(depthwise_backward_data_task), (void *context, int64_t line), (context, line)) {
  OF(conv_job) *job = context;
  const bss_conv *c = job->conv;
  int64_t channels = c->in_channels, h = line % c->in[1], d = line / c->in[1] % c->in[0];
  const T *image = job->dy + line / (c->in[1] * c->in[0]) * job->plan.pixels * channels;
  for (int64_t w = 0; w < c->in[2]; w++) {
    T *dx = job->dx + (line * c->in[2] + w) * channels;
    memset(dx, 0, channels * sizeof(T));
    for (int64_t t = 0; t < job->plan.taps; t++) {
      int64_t at[3] = {d + c->pad[0] - t / (c->kernel[1] * c->kernel[2]) * c->dilation[0],
                       h + c->pad[1] - t / c->kernel[2] % c->kernel[1] * c->dilation[1],
                       w + c->pad[2] - t % c->kernel[2] * c->dilation[2]};
      bool seen = true;
      for (int i = 0; i < 3; i++) {
        if (at[i] < 0 || at[i] % c->stride[i] != 0 || at[i] / c->stride[i] >= c->out[i])
          seen = false;
        at[i] /= c->stride[i];
      }
      if (!seen) continue;
      const T *dy = image + ((at[0] * c->out[1] + at[1]) * c->out[2] + at[2]) * channels;
      const T *weight = job->weight + t * channels;
      for (int64_t i = 0; i < channels; i++) dx[i] += dy[i] * weight[i];
    }
  }
}

LEVELS(void, OF(depthwise_backward_weight),
       (const OF(conv_job) * job, int64_t row, int64_t count, T *dweight),
       (job, row, count, dweight)) {
  const bss_conv *c = job->conv;
  int64_t channels = c->in_channels;
  OF(conv_pixel) p = OF(pixel_at)(c, job->plan.pixels, row);
  for (int64_t r = 0; r < count; r++, OF(next_pixel)(c, &p)) {
    const T *image = job->x + p.image * bss_product3(c->in) * channels,
            *dy = job->dy + (row + r) * channels;
    for (int64_t t = 0; t < job->plan.taps; t++) {
      int64_t d =
          p.at[0] * c->stride[0] - c->pad[0] + t / (c->kernel[1] * c->kernel[2]) * c->dilation[0];
      int64_t h =
          p.at[1] * c->stride[1] - c->pad[1] + t / c->kernel[2] % c->kernel[1] * c->dilation[1];
      int64_t w = p.at[2] * c->stride[2] - c->pad[2] + t % c->kernel[2] * c->dilation[2];
      if (d < 0 || d >= c->in[0] || h < 0 || h >= c->in[1] || w < 0 || w >= c->in[2]) continue;
      const T *x = image + ((d * c->in[1] + h) * c->in[2] + w) * channels;
      T *to = dweight + t * channels;
      for (int64_t i = 0; i < channels; i++) to[i] += x[i] * dy[i];
    }
  }
}
