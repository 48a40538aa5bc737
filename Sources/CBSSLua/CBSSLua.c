#include "CBSSLua.h"
