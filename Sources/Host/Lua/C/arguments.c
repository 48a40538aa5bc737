// The command line as the system gave it to the process. Swift's own list is read from /proc, which
// a chroot, a jail or a slim container may lack; the C library passes main's arguments to
// constructors as well.
#include "CBSSLua.h"

static int count;
static char **words;

__attribute__((constructor)) static void keep(int argc, char **argv) {
  count = argc;
  words = argv;
}

int bss_lua_argument_count(void) { return count; }
const char *bss_lua_argument(int index) {
  return index >= 0 && index < count ? words[index] : NULL;
}
