// libzmq behind a handful of calls. The constants are those of its stable interface (zmq.h, version
// 4).
#include "CBSSZMQ.h"
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { POLL_IN = 1, SEND_MORE = 2, DONT_WAIT = 1 };
enum { LINGER = 17, SEND_LIMIT = 23, RECEIVE_LIMIT = 24, ROUTER_HANDOVER = 56, NO_DROP = 69 };

typedef struct {
  void *socket;
  int fd;
  short events, revents;
} poll_item;
typedef struct {
  unsigned char opaque[64] __attribute__((aligned(8)));
} message;

static struct {
  void *(*ctx_new)(void);
  void *(*socket)(void *, int);
  int (*close)(void *);
  int (*bind)(void *, const char *);
  int (*setsockopt)(void *, int, const void *, size_t);
  int (*send)(void *, const void *, size_t, int);
  int (*msg_init)(message *);
  int (*msg_recv)(message *, void *, int);
  void *(*msg_data)(message *);
  size_t (*msg_size)(message *);
  int (*msg_more)(message *);
  int (*msg_close)(message *);
  int (*poll)(poll_item *, int, long);
  const char *(*strerror)(int);
} zmq;
static void *context;

bool bss_zmq_open(void) {
  if (context) return true;
  const char *named = getenv("BSS_ZMQ");
  void *library = dlopen(named && *named ? named : "libzmq.so.5", RTLD_NOW | RTLD_LOCAL);
  if (!library) return false;
  const struct {
    void *slot;
    const char *name;
  } calls[] = {
      {&zmq.ctx_new, "zmq_ctx_new"},   {&zmq.socket, "zmq_socket"},
      {&zmq.close, "zmq_close"},       {&zmq.bind, "zmq_bind"},
      {&zmq.send, "zmq_send"},         {&zmq.setsockopt, "zmq_setsockopt"},
      {&zmq.msg_init, "zmq_msg_init"}, {&zmq.msg_recv, "zmq_msg_recv"},
      {&zmq.msg_data, "zmq_msg_data"}, {&zmq.msg_size, "zmq_msg_size"},
      {&zmq.msg_more, "zmq_msg_more"}, {&zmq.msg_close, "zmq_msg_close"},
      {&zmq.poll, "zmq_poll"},         {&zmq.strerror, "zmq_strerror"},
  };
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    void *found = dlsym(library, calls[i].name);
    if (!found) return false;
    memcpy(calls[i].slot, &found, sizeof found);
  }
  context = zmq.ctx_new();
  return context != NULL;
}

void *bss_zmq_socket(int type, int linger) {
  void *socket = zmq.socket(context, type);
  int none = 0, yes = 1;
  if (!socket) return NULL;
  zmq.setsockopt(socket, LINGER, &linger, sizeof linger);
  zmq.setsockopt(socket, SEND_LIMIT, &none, sizeof none);
  zmq.setsockopt(socket, RECEIVE_LIMIT, &none, sizeof none);
  if (type == BSS_ZMQ_ROUTER) zmq.setsockopt(socket, ROUTER_HANDOVER, &yes, sizeof yes);
  return socket;
}

int bss_zmq_bound(void *socket, int messages) {
  int yes = 1;
  if (zmq.setsockopt(socket, SEND_LIMIT, &messages, sizeof messages) != 0) return errno;
  return zmq.setsockopt(socket, NO_DROP, &yes, sizeof yes) == 0 ? 0 : errno;
}

int bss_zmq_bind(void *socket, const char *address) {
  return zmq.bind(socket, address) == 0 ? 0 : errno;
}
const char *bss_zmq_error(int number) { return zmq.strerror(number); }

int bss_zmq_send(void *socket, const void *bytes, size_t n, bool more, bool wait) {
  int flags = (more ? SEND_MORE : 0) | (wait ? 0 : DONT_WAIT);
  for (;;) {
    if (zmq.send(socket, bytes, n, flags) >= 0) return 0;
    if (errno != EINTR) return errno;
  }
}

void *bss_zmq_receive(void *socket, size_t *n, bool *more) {
  message part;
  int got;
  zmq.msg_init(&part);
  do got = zmq.msg_recv(&part, socket, DONT_WAIT);
  while (got < 0 && errno == EINTR);
  if (got < 0) return NULL;
  *n = zmq.msg_size(&part);
  *more = zmq.msg_more(&part) != 0;
  void *bytes = malloc(*n + 1);
  if (bytes) memcpy(bytes, zmq.msg_data(&part), *n);
  zmq.msg_close(&part);
  return bytes;
}

void bss_zmq_poll(void *const *sockets, const int *files, int count, bool *ready,
                  long milliseconds) {
  poll_item items[16];
  for (int i = 0; i < count && i < 16; i++) {
    items[i] = (poll_item){sockets[i], files[i], 0, 0};
    if (sockets[i] || files[i] >= 0) items[i].events = POLL_IN;
    if (!sockets[i] && files[i] < 0) items[i].fd = 0;
    ready[i] = false;
  }
  if (zmq.poll(items, count, milliseconds) <= 0) return;
  for (int i = 0; i < count && i < 16; i++)
    ready[i] = (sockets[i] || files[i] >= 0) && items[i].revents != 0;
}

void bss_zmq_close(void *socket) { zmq.close(socket); }
