// FLAC, Ogg and whatever else libsndfile reads, opened at run time: nothing is linked, and programs
// without such files do not load it. The types below are those that sndfile.h of version 1
// documents.
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "CBSSCodecs.h"

typedef struct {
  int64_t frames;
  int samplerate, channels, format, sections, seekable;
} sound_info;

typedef struct {
  int64_t (*length)(void *);
  int64_t (*seek)(int64_t, int, void *);
  int64_t (*read)(void *, int64_t, void *);
  int64_t (*write)(const void *, int64_t, void *);
  int64_t (*tell)(void *);
} sound_source;

static struct {
  void *(*open)(sound_source *, int mode, sound_info *, void *);
  int64_t (*read)(void *, float *, int64_t frames);
  const char *(*reason)(void *);
  int (*close)(void *);
} library;
static pthread_once_t once = PTHREAD_ONCE_INIT;
// The reason of a failed open is state of the whole library.
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;

static void load(void) {
  void *handle = dlopen("libsndfile.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!handle) return;
  library.read = (int64_t(*)(void *, float *, int64_t))dlsym(handle, "sf_readf_float");
  library.reason = (const char *(*)(void *))dlsym(handle, "sf_strerror");
  library.close = (int (*)(void *))dlsym(handle, "sf_close");
  void *open = dlsym(handle, "sf_open_virtual");
  if (library.read && library.reason && library.close)
    library.open = (void *(*)(sound_source *, int, sound_info *, void *))open;
}

// MARK: A file in memory

typedef struct {
  const uint8_t *bytes;
  int64_t count, at;
} memory_file;

static int64_t memory_length(void *file) { return ((memory_file *)file)->count; }
static int64_t memory_tell(void *file) { return ((memory_file *)file)->at; }
static int64_t memory_write(const void *bytes, int64_t count, void *file) {
  return (void)bytes, (void)count, (void)file, 0;
}
static int64_t memory_seek(int64_t by, int whence, void *file) {
  memory_file *m = file;
  int64_t base = whence == 0 ? 0 : whence == 1 ? m->at : m->count, to = base + by;
  return m->at = to < 0 ? 0 : to > m->count ? m->count : to;
}
static int64_t memory_read(void *to, int64_t count, void *file) {
  memory_file *m = file;
  if (count > m->count - m->at) count = m->count - m->at;
  memcpy(to, m->bytes + m->at, (size_t)count);
  m->at += count;
  return count;
}

int bss_sound_is_available(void) {
  pthread_once(&once, load);
  return library.open != NULL;
}

bss_sound_status bss_sound_read(const uint8_t *bytes, size_t count, bss_sound_task *task,
                                bss_sound *sound) {
  if (!bss_sound_is_available()) return BSS_SOUND_NO_LIBRARY;
  memory_file file = {bytes, (int64_t)count, 0};
  sound_source source = {memory_length, memory_seek, memory_read, memory_write, memory_tell};
  sound_info info = {0};
  pthread_mutex_lock(&opening);
  void *opened = library.open(&source, 0x10, &info, &file);
  if (!opened) snprintf(task->reason, sizeof task->reason, "%s", library.reason(NULL));
  pthread_mutex_unlock(&opening);
  if (!opened) return BSS_SOUND_DAMAGED;
  // Claims of the header are not believed: frames are read in pieces until there are no more.
  int64_t channels = info.channels, held = 0, room = 0;
  float *samples = NULL;
  bss_sound_status status =
      channels > 0 && channels <= 1024 && info.samplerate > 0 ? BSS_SOUND_OK : BSS_SOUND_DAMAGED;
  if (status != BSS_SOUND_OK) strcpy(task->reason, "no channels or no sampling rate");
  while (status == BSS_SOUND_OK) {
    if (task->is_cancelled()) status = BSS_SOUND_CANCELLED;
    else if (held > task->most / channels) status = BSS_SOUND_TOO_LARGE;
    if (status != BSS_SOUND_OK) break;
    if (held == room) {
      room = room ? room * 2 : info.frames > 0 && info.frames < 1 << 22 ? info.frames + 1 : 1 << 16;
      float *more = realloc(samples, (size_t)(room * channels) * sizeof(float));
      if (!more) {
        status = BSS_SOUND_NO_MEMORY;
        break;
      }
      samples = more;
    }
    int64_t got = library.read(opened, samples + held * channels, room - held);
    if (got <= 0) break;
    held += got;
  }
  library.close(opened);
  if (status != BSS_SOUND_OK) {
    free(samples);
    return status;
  }
  *sound = (bss_sound){.samples = samples,
                       .frames = held,
                       .channels = (int32_t)channels,
                       .rate = info.samplerate,
                       .claimed = info.frames};
  return BSS_SOUND_OK;
}
