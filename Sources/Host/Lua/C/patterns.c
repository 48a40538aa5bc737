// The matcher of string.find, match, gmatch and gsub. It looks for an interrupt while it
// backtracks: Lua's own can compute for hours inside one C call, where no hook runs. A pattern is
// translated into items first. Deviation: a malformed pattern is refused even where the subject
// would not have reached the malformed place.
#include "patterns.h"
#include <ctype.h>

enum { max_depth = 200 };

typedef enum {
  one,
  any,
  set,
  open,
  close,
  mark,
  back,
  balance,
  frontier,
  end_of_subject,
  done
} item_kind;
typedef bss_item item;
typedef bss_capture capture;
typedef bss_matcher matcher;

// MARK: Translation

typedef struct {
  lua_State *L;
  const char *at, *end;
} reader;

static void add_byte(uint32_t *bits, unsigned char c) { bits[c >> 5] |= 1u << (c & 31); }
static bool has_byte(const uint32_t *bits, unsigned char c) { return bits[c >> 5] >> (c & 31) & 1; }

static const char class_names[] = "acdglpsuwx";
static uint32_t class_bits[sizeof class_names - 1][8];  // in C's locale, which os.setlocale keeps

static bool is_of_class(int c, char class) {
  switch (class) {
  case 'a': return isalpha(c);
  case 'c': return iscntrl(c);
  case 'd': return isdigit(c);
  case 'g': return isgraph(c);
  case 'l': return islower(c);
  case 'p': return ispunct(c);
  case 's': return isspace(c);
  case 'u': return isupper(c);
  case 'w': return isalnum(c);
  default: return isxdigit(c);  // x
  }
}

void bss_pattern_classes(void) {
  for (int i = 0; class_names[i]; i++) {
    for (int c = 0; c < 256; c++) {
      if (is_of_class(c, class_names[i])) add_byte(class_bits[i], (unsigned char)c);
    }
  }
}

// %a, %D, …; false: it is no class but an escaped byte.
static bool add_class(uint32_t *bits, unsigned char name) {
  const char *found = name ? strchr(class_names, tolower(name)) : NULL;
  if (!found) return false;
  const uint32_t *of_class = class_bits[found - class_names], flip = isupper(name) ? ~0u : 0;
  for (int i = 0; i < 8; i++) bits[i] |= of_class[i] ^ flip;
  return true;
}

static unsigned char escaped(reader *in) {
  if (in->at == in->end) luaL_error(in->L, "malformed pattern (ends with '%%')");
  return (unsigned char)*in->at++;
}

static unsigned char in_brackets(reader *in) {
  if (in->at == in->end) luaL_error(in->L, "malformed pattern (missing ']')");
  return (unsigned char)*in->at++;
}

// What stands between brackets; the opening one has been read.
static void read_set(reader *in, uint32_t *bits) {
  bool negated = in->at < in->end && *in->at == '^';
  if (negated) in->at++;
  bool is_first = true;
  for (unsigned char c; (c = in_brackets(in)) != ']' || is_first; is_first = false) {
    if (c == '%') {
      unsigned char name = in_brackets(in);
      if (!add_class(bits, name)) add_byte(bits, name);
    } else if (in->end - in->at >= 2 && in->at[0] == '-' && in->at[1] != ']') {
      unsigned char last = (unsigned char)in->at[1];
      for (int b = c; b <= last; b++) add_byte(bits, (unsigned char)b);
      in->at += 2;
    } else {
      add_byte(bits, c);
    }
  }
  if (negated)
    for (int i = 0; i < 8; i++) bits[i] = ~bits[i];
}

static void read_repeat(reader *in, item *to) {
  if (in->at < in->end && *in->at && strchr("?*+-", *in->at)) to->repeat = (unsigned char)*in->at++;
}

static void read_escape(reader *in, item *to) {
  unsigned char c = escaped(in);
  if (c == 'b') {
    if (in->end - in->at < 2) luaL_error(in->L, "malformed pattern (missing arguments to '%%b')");
    *to = (item){
        .kind = balance, .first = (unsigned char)in->at[0], .second = (unsigned char)in->at[1]};
    in->at += 2;
  } else if (c == 'f') {
    if (in->at == in->end || *in->at != '[')
      luaL_error(in->L, "missing '[' after '%%f' in pattern");
    in->at++;
    to->kind = frontier;
    read_set(in, to->bits);
  } else if (isdigit(c)) {
    *to = (item){.kind = back, .first = (unsigned char)(c - '0')};
  } else {
    to->kind = set;
    if (!add_class(to->bits, c)) *to = (item){.kind = one, .first = c};
    read_repeat(in, to);
  }
}

static void read_item(reader *in, item *to) {
  memset(to, 0, sizeof *to);
  unsigned char c = (unsigned char)*in->at++;
  switch (c) {
  case '(':
    to->kind = open;
    if (in->at < in->end && *in->at == ')') {
      to->kind = mark;
      in->at++;
    }
    return;
  case ')': to->kind = close; return;
  case '%': read_escape(in, to); return;
  case '$':
    if (in->at == in->end) {
      to->kind = end_of_subject;
      return;
    }
    break;
  case '.':
    to->kind = any;
    read_repeat(in, to);
    return;
  case '[':
    to->kind = set;
    read_set(in, to->bits);
    read_repeat(in, to);
    return;
  }
  *to = (item){.kind = one, .first = c};
  read_repeat(in, to);
}

const bss_item *bss_pattern_items(lua_State *L, const char *pattern, size_t length, item *small) {
  item *items = small;
  if (length < bss_small_pattern) lua_pushnil(L);
  else items = lua_newuserdatauv(L, (length + 1) * sizeof *items, 0);
  reader in = {L, pattern, pattern + length};
  item *to = items;
  while (in.at < in.end) read_item(&in, to++);
  to->kind = done;
  return items;
}

// MARK: Matching

static const char *match(matcher *m, const char *at, const item *next);

static void step(matcher *m) {
  if ((++m->steps & 1023) == 0) bss_lua_raise_if_pending(m->L);
}

static bool accepts(const item *i, unsigned char c) {
  switch (i->kind) {
  case one: return i->first == c;
  case any: return true;
  default: return has_byte(i->bits, c);
  }
}

static bool accepts_at(const matcher *m, const char *at, const item *i) {
  return at < m->end && accepts(i, (unsigned char)*at);
}

static const char *as_many(matcher *m, const char *at, const item *i, ptrdiff_t least) {
  ptrdiff_t count = 0;
  while (accepts_at(m, at + count, i)) {
    count++;
    step(m);
  }
  for (; count >= least; count--) {
    const char *end = match(m, at + count, i + 1);
    if (end) return end;
    step(m);
  }
  return NULL;
}

static const char *as_few(matcher *m, const char *at, const item *i) {
  for (;; at++) {
    const char *end = match(m, at, i + 1);
    if (end) return end;
    if (!accepts_at(m, at, i)) return NULL;
    step(m);
  }
}

static const char *balanced(matcher *m, const char *at, const item *i) {
  if (at >= m->end || (unsigned char)*at != i->first) return NULL;
  for (ptrdiff_t depth = 1; ++at < m->end;) {
    step(m);
    if ((unsigned char)*at == i->second) {
      if (--depth == 0) return at + 1;
    } else if ((unsigned char)*at == i->first) {
      depth++;
    }
  }
  return NULL;
}

static bool at_frontier(const matcher *m, const char *at, const item *i) {
  unsigned char before = at == m->subject ? 0 : (unsigned char)at[-1];
  unsigned char after = at < m->end ? (unsigned char)*at : 0;
  return !has_byte(i->bits, before) && has_byte(i->bits, after);
}

static const char *with_open(matcher *m, const char *at, const item *next, ptrdiff_t length) {
  if (m->captures >= bss_max_captures) luaL_error(m->L, "too many captures");
  m->capture[m->captures++] = (capture){at, length};
  const char *end = match(m, at, next);
  if (!end) m->captures--;
  return end;
}

static const char *with_close(matcher *m, const char *at, const item *next) {
  int level = m->captures - 1;
  while (level >= 0 && m->capture[level].length != bss_open_capture) level--;
  if (level < 0) luaL_error(m->L, "invalid pattern capture");
  m->capture[level].length = at - m->capture[level].start;
  const char *end = match(m, at, next);
  if (!end) m->capture[level].length = bss_open_capture;
  return end;
}

static const char *again(matcher *m, const char *at, int number) {
  int level = number - 1;
  if (level < 0 || level >= m->captures || m->capture[level].length == bss_open_capture)
    luaL_error(m->L, "invalid capture index %%%d", number);
  ptrdiff_t length = m->capture[level].length;
  if (length == bss_position_capture) return NULL;
  if (m->end - at < length || memcmp(m->capture[level].start, at, (size_t)length) != 0) return NULL;
  return at + length;
}

// The end of a match of the items from `next` on that begins at `at`; NULL: there is none.
static const char *match(matcher *m, const char *at, const item *next) {
  if (++m->depth > max_depth) luaL_error(m->L, "pattern too complex");
  const char *end = NULL;
  for (bool goes_on = true; goes_on; next++) {
    step(m);
    goes_on = false;
    switch ((item_kind)next->kind) {
    case done: end = at; break;
    case end_of_subject: goes_on = at == m->end; break;
    case open: end = with_open(m, at, next + 1, bss_open_capture); break;
    case mark: end = with_open(m, at, next + 1, bss_position_capture); break;
    case close: end = with_close(m, at, next + 1); break;
    case frontier: goes_on = at_frontier(m, at, next); break;
    case balance:
    case back: {
      const char *after = next->kind == back ? again(m, at, next->first) : balanced(m, at, next);
      goes_on = after != NULL;
      at = after;
      break;
    }
    case one:
    case any:
    case set:
      switch (next->repeat) {
      case 0:
        goes_on = accepts_at(m, at, next);
        at++;
        break;
      case '?':
        if (accepts_at(m, at, next)) end = match(m, at + 1, next + 1);
        goes_on = !end;
        break;
      case '-': end = as_few(m, at, next); break;
      default: end = as_many(m, at, next, next->repeat == '+'); break;
      }
    }
  }
  m->depth--;
  return end;
}

const char *bss_pattern_match(matcher *m, const char *at, const item *items) {
  m->depth = m->captures = 0;
  return match(m, at, items);
}
