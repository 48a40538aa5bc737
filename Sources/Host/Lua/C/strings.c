// string.find, match, gmatch and gsub as Lua's manual (section 6.4) has them, over the matcher of
// patterns.c.
#define _GNU_SOURCE
#include "patterns.h"
#include <ctype.h>

typedef bss_item item;
typedef bss_matcher matcher;

// MARK: Results

// Capture `index` from 0; the whole match where the pattern has none. Positions are pushed, NULL
// comes back.
static const char *captured(matcher *m, int index, const char *start, const char *end,
                            size_t *length) {
  if (index >= m->captures) {
    if (index > 0) luaL_error(m->L, "invalid capture index %%%d", index + 1);
    *length = (size_t)(end - start);
    return start;
  }
  bss_capture found = m->capture[index];
  if (found.length == bss_open_capture) luaL_error(m->L, "unfinished capture");
  if (found.length == bss_position_capture) {
    lua_pushinteger(m->L, found.start - m->subject + 1);
    return NULL;
  }
  *length = (size_t)found.length;
  return found.start;
}

static void push_capture(matcher *m, int index, const char *start, const char *end) {
  size_t length;
  const char *text = captured(m, index, start, end, &length);
  if (text) lua_pushlstring(m->L, text, length);
}

// All captures, or the whole match if `start` is given and there are none.
static int push_captures(matcher *m, const char *start, const char *end) {
  int count = m->captures == 0 && start ? 1 : m->captures;
  luaL_checkstack(m->L, count, "too many captures");
  for (int i = 0; i < count; i++) push_capture(m, i, start, end);
  return count;
}

// MARK: find, match

// Byte offset of the optional argument `init`; beyond the subject: length + 1.
static size_t start_offset(lua_State *L, int argument, size_t length) {
  lua_Integer init = luaL_optinteger(L, argument, 1);
  if (init > 0) return init - 1 > (lua_Integer)length ? length + 1 : (size_t)init - 1;
  if (init == 0 || init < -(lua_Integer)length) return 0;
  return length - (size_t)-init;
}

static bool is_plain(const char *pattern, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (pattern[i] && strchr("^$*+?.([%-", pattern[i])) return false;
  }
  return true;
}

// memmem in pieces, so that an interrupt is seen.
static const char *find_plain(lua_State *L, const char *at, const char *end, const char *text,
                              size_t length) {
  const size_t piece = 1 << 22;
  for (;; at += piece) {
    bss_lua_raise_if_pending(L);
    size_t rest = (size_t)(end - at), room = rest > piece + length ? piece + length : rest;
    const char *found = memmem(at, room, text, length);
    if (found || room == rest) return found;
  }
}

static int search(lua_State *L, bool finds) {
  size_t length, pattern_length;
  const char *subject = luaL_checklstring(L, 1, &length);
  const char *pattern = luaL_checklstring(L, 2, &pattern_length);
  size_t offset = start_offset(L, 3, length);
  luaL_pushfail(L);
  if (offset > length) return 1;
  const char *at = subject + offset, *end = subject + length;
  if (finds && (lua_toboolean(L, 4) || is_plain(pattern, pattern_length))) {
    const char *found = find_plain(L, at, end, pattern, pattern_length);
    if (!found) return 1;
    lua_pushinteger(L, found - subject + 1);
    lua_pushinteger(L, found - subject + (lua_Integer)pattern_length);
    return 2;
  }
  bool is_anchored = pattern_length > 0 && *pattern == '^';
  item small[bss_small_pattern];
  const item *items =
      bss_pattern_items(L, pattern + is_anchored, pattern_length - is_anchored, small);
  matcher m = {.L = L, .subject = subject, .end = end};
  for (; at <= end; at++) {
    const char *stop = bss_pattern_match(&m, at, items);
    if (stop) {
      if (!finds) return push_captures(&m, at, stop);
      lua_pushinteger(L, at - subject + 1);
      lua_pushinteger(L, stop - subject);
      return push_captures(&m, NULL, NULL) + 2;
    }
    if (is_anchored) break;
  }
  luaL_pushfail(L);
  return 1;
}

static int string_find(lua_State *L) { return search(L, true); }
static int string_match(lua_State *L) { return search(L, false); }

// MARK: gmatch

// Upvalues: the subject, the pattern, the offset of the next try (below 0: over), the end of the
// last match.
static int next_match(lua_State *L) {
  size_t length, pattern_length;
  const char *subject = lua_tolstring(L, lua_upvalueindex(1), &length);
  const char *pattern = lua_tolstring(L, lua_upvalueindex(2), &pattern_length);
  lua_Integer offset = lua_tointegerx(L, lua_upvalueindex(3), NULL);
  const char *last = subject + lua_tointegerx(L, lua_upvalueindex(4), NULL);
  item small[bss_small_pattern];
  const item *items = bss_pattern_items(L, pattern, pattern_length, small);
  matcher m = {.L = L, .subject = subject, .end = subject + length};
  for (; offset <= (lua_Integer)length; offset++) {
    const char *at = subject + offset, *stop = bss_pattern_match(&m, at, items);
    if (!stop || stop == last) continue;
    lua_pushinteger(L, stop - subject);
    lua_pushvalue(L, -1);
    lua_copy(L, -1, lua_upvalueindex(3));
    lua_copy(L, -1, lua_upvalueindex(4));
    lua_settop(L, -3);
    return push_captures(&m, at, stop);
  }
  lua_pushinteger(L, offset);
  lua_copy(L, -1, lua_upvalueindex(3));
  return 0;
}

static int string_gmatch(lua_State *L) {
  size_t length;
  luaL_checklstring(L, 1, &length);
  luaL_checkstring(L, 2);
  size_t offset = start_offset(L, 3, length);
  lua_settop(L, 2);
  lua_pushinteger(L, (lua_Integer)offset);
  lua_pushinteger(L, -1);
  lua_pushcclosure(L, next_match, 4);
  return 1;
}

// MARK: gsub

// The replacement text with %0 … %9 and %% filled in.
static void add_text(matcher *m, luaL_Buffer *out, const char *start, const char *end) {
  lua_State *L = m->L;
  size_t length;
  const char *at = lua_tolstring(L, 3, &length), *stop = at + length;
  while (at < stop) {
    const char *escape = memchr(at, '%', (size_t)(stop - at));
    if (!escape) escape = stop;
    luaL_addlstring(out, at, (size_t)(escape - at));
    if (escape == stop) return;
    at = escape + 2;
    unsigned char c = escape + 1 < stop ? (unsigned char)escape[1] : 0;
    if (c == '%') {
      luaL_addchar(out, '%');
    } else if (c == '0') {
      luaL_addlstring(out, start, (size_t)(end - start));
    } else if (isdigit(c)) {
      size_t width;
      const char *text = captured(m, c - '1', start, end, &width);
      if (text) {
        luaL_addlstring(out, text, width);
      } else {
        luaL_tolstring(L, -1, NULL);
        lua_rotate(L, -2, 1);
        lua_settop(L, -2);  // the position as text, not the number
        luaL_addvalue(out);
      }
    } else {
      luaL_error(L, "invalid use of '%%' in replacement string");
    }
  }
}

// What stands for a match; false: the match itself.
static bool add_replacement(matcher *m, luaL_Buffer *out, const char *start, const char *end,
                            int type) {
  lua_State *L = m->L;
  if (type == LUA_TFUNCTION) {
    lua_pushvalue(L, 3);
    lua_callk(L, push_captures(m, start, end), 1, 0, NULL);
  } else if (type == LUA_TTABLE) {
    push_capture(m, 0, start, end);
    lua_gettable(L, 3);
  } else {
    add_text(m, out, start, end);
    return true;
  }
  if (!lua_toboolean(L, -1)) {
    lua_settop(L, -2);
    luaL_addlstring(out, start, (size_t)(end - start));
    return false;
  }
  if (!lua_isstring(L, -1)) luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  luaL_addvalue(out);
  return true;
}

static int string_gsub(lua_State *L) {
  size_t length, pattern_length;
  const char *subject = luaL_checklstring(L, 1, &length);
  const char *pattern = luaL_checklstring(L, 2, &pattern_length);
  int type = lua_type(L, 3);
  bool is_replacement =
      type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE;
  if (!is_replacement) return luaL_typeerror(L, 3, "string/function/table");
  lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)length + 1), count = 0;
  bool is_anchored = pattern_length > 0 && *pattern == '^', has_changed = false;
  lua_settop(L, 3);
  item small[bss_small_pattern];
  const item *items =
      bss_pattern_items(L, pattern + is_anchored, pattern_length - is_anchored, small);
  matcher m = {.L = L, .subject = subject, .end = subject + length};
  const char *at = subject, *last = NULL;
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  while (count < most) {
    const char *stop = bss_pattern_match(&m, at, items);
    if (stop && stop != last) {
      count++;
      has_changed |= add_replacement(&m, &out, at, stop, type);
      at = last = stop;
    } else if (at < m.end) {
      luaL_addchar(&out, *at++);
    } else {
      break;
    }
    if (is_anchored) break;
  }
  if (has_changed) {
    luaL_addlstring(&out, at, (size_t)(m.end - at));
    luaL_pushresult(&out);
  } else {
    lua_pushvalue(L, 1);
  }
  lua_pushinteger(L, count);
  return 2;
}

static const luaL_Reg functions[] = {
    {"find", string_find},
    {"match", string_match},
    {"gmatch", string_gmatch},
    {"gsub", string_gsub},
    {NULL, NULL},
};

void bss_lua_open_patterns(lua_State *L) {
  bss_pattern_classes();
  lua_getglobal(L, LUA_STRLIBNAME);
  luaL_setfuncs(L, functions, 0);
  lua_settop(L, -2);
}
