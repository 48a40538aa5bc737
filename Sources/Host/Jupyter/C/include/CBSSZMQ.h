// libzmq, opened at run time: the program runs where it is not installed.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BSS_ZMQ_PUB = 1, BSS_ZMQ_REP = 4, BSS_ZMQ_ROUTER = 6 };

// False: there is no libzmq (libzmq.so.5; BSS_ZMQ names another file).
bool bss_zmq_open(void);

// A socket of the one context; NULL: errno says why. Messages wait without limit; closing waits
// `linger` milliseconds.
void *bss_zmq_socket(int type, int linger);
// 0, or the error's number.
int bss_zmq_bind(void *socket, const char *address);
const char *bss_zmq_error(int number);
// Sends that find `messages` waiting say EAGAIN instead of losing some (PUB).
int bss_zmq_bound(void *socket, int messages);

// One part of a message; `more`: another follows. 0, or the error's number; `wait`: until there is
// room, else EAGAIN.
int bss_zmq_send(void *socket, const void *bytes, size_t n, bool more, bool wait);
// One part, in memory that the caller frees; NULL: none waits, or errno says why.
void *bss_zmq_receive(void *socket, size_t *n, bool *more);

// Waits until one of `sockets` (NULL: none) or `files` (-1: none) can be read, or `milliseconds`
// have passed; sets what can. A signal ends the wait.
void bss_zmq_poll(void *const *sockets, const int *files, int count, bool *ready,
                  long milliseconds);

void bss_zmq_close(void *socket);
