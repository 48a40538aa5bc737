#include "CBSSCodecs.h"
