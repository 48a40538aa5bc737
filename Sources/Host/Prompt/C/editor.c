#define _GNU_SOURCE
#include "CBSSReadline.h"
#include <dlfcn.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The slots we use, with the types that readline 7 and 8 document.
typedef int command(int count, int key);
typedef char *generator(const char *text, int state);
static struct {
  char **line_buffer;
  int *point, *end, *catch_signals, *completion_over, *append_character, *suppress_append;
  const char **readline_name;
  command **last_command;
  char **(**attempted_completion)(const char *, int, int);
  char *(**word_break_hook)(void);
  const char **completer_quotes, **basic_quotes;
  void (*install)(const char *, void (*)(char *));
  void (*read_char)(void);
  void (*remove)(void);
  void (*redisplay)(void);
  void (*sigcleanup)(void);
  void (*free_line_state)(void);
  char **(*completion_matches)(const char *, generator *);
  int (*bind_keyseq)(const char *, command *);
  int (*variable_bind)(const char *, const char *);
  int (*initialize)(void);
  int (*insert_text)(const char *);
  int *done;
  void (**redisplay_function)(void);
  void (**display_matches)(char **, int, int);
  void (*display_match_list)(char **, int, int);
  const char **display_prompt;
  int (*delete_text)(int, int);
  command *newline, *forward, *search_backward, *search_forward, *get_previous, *get_next;
  void (*add_history)(const char *);
  void (*using_history)(void);
} rl;

static bss_line_is_complete is_complete;
static bss_line_complete complete;
static bss_line_interrupted interrupted;
static bss_line_drawing drawing;
static char **candidates;
static char *accepted;
static bool is_done;
// An input that was dropped is drawn no more, whatever readline cleans up.
static bool is_dropped;

// MARK: Keys

static int line_start(int at) {
  const char *text = *rl.line_buffer;
  while (at > 0 && text[at - 1] != '\n') at--;
  return at;
}

static int line_end(int at) {
  const char *text = *rl.line_buffer;
  while (at < *rl.end && text[at] != '\n') at++;
  return at;
}

// A line that ends a block goes back to where the block began; a new line begins where it belongs.
static int on_enter(int count, int key) {
  int excess = 0, blanks = drawing.indent(*rl.line_buffer, *rl.point, &excess);
  int start = line_start(*rl.point);
  if (excess > 0) {
    rl.delete_text(start, start + excess);
    *rl.point -= excess;
  }
  if (!is_complete(*rl.line_buffer)) {
    rl.insert_text("\n");
    while (blanks-- > 0) rl.insert_text(" ");
    return 0;
  }
  *rl.point = *rl.end;  // the result is printed below the block
  if (!drawing.draw) return rl.newline(count, key);
  drawing.draw(*rl.display_prompt, *rl.line_buffer, *rl.point, true);
  fputs("\r\n", stdout);
  fflush(stdout);
  *rl.done = 1;
  return 0;
}

// MARK: Drawing

static void on_redisplay(void) {
  if (is_dropped) return;
  drawing.draw(*rl.display_prompt, *rl.line_buffer, *rl.point, false);
}

static void on_matches(char **matches, int count, int longest) {
  drawing.draw(*rl.display_prompt, *rl.line_buffer, *rl.end, true);
  rl.display_match_list(matches, count, longest);
  drawing.begin();
  on_redisplay();
}

static int on_clear(int count, int key) {
  (void)count, (void)key;
  fputs("\x1b[H\x1b[2J", stdout);
  drawing.begin();
  on_redisplay();
  return 0;
}

// At the end of the input: takes over what is suggested.
static bool take_suggestion(void) {
  char *rest = *rl.point == *rl.end && drawing.draw ? drawing.suggest(*rl.line_buffer) : NULL;
  if (rest) rl.insert_text(rest);
  free(rest);
  return rest != NULL;
}

static int on_right(int count, int key) { return take_suggestion() ? 0 : rl.forward(count, key); }

// At the edge of a block Up and Down search the history for lines that begin as the input did when
// the first of them was pressed; an empty input walks through all.
static bool walks_all;

static int on_up(int count, int key);
static int on_down(int count, int key);

static int search(command *all, command *matching, int count, int key) {
  bool goes_on = *rl.last_command == on_up || *rl.last_command == on_down;
  if (!goes_on) walks_all = *rl.end == 0;
  if (walks_all) return all(count, key);
  if (goes_on) *rl.last_command = matching;  // keeps what it searched for
  return matching(count, key);
}

static int on_up(int count, int key) {
  int start = line_start(*rl.point), column = *rl.point - start;
  if (start == 0) return search(rl.get_previous, rl.search_backward, count, key);
  int above = line_start(start - 1), length = start - 1 - above;
  *rl.point = above + (column < length ? column : length);
  return 0;
}

static int on_down(int count, int key) {
  int stop = line_end(*rl.point), column = *rl.point - line_start(*rl.point);
  if (stop == *rl.end) return search(rl.get_next, rl.search_forward, count, key);
  int length = line_end(stop + 1) - (stop + 1);
  *rl.point = stop + 1 + (column < length ? column : length);
  return 0;
}

// Home and End stay in their line; a second press goes to the edge of the block.
static int on_home(int count, int key) {
  (void)count, (void)key;
  int start = line_start(*rl.point);
  *rl.point = start == *rl.point ? 0 : start;
  return 0;
}

static int on_end(int count, int key) {
  (void)count, (void)key;
  int stop = line_end(*rl.point);
  if (!take_suggestion()) *rl.point = stop == *rl.point ? *rl.end : stop;
  return 0;
}

// MARK: Completion

static char *next_candidate(const char *text, int state) {
  (void)text;
  static int at;
  if (state == 0) at = 0;
  return candidates && candidates[at] ? strdup(candidates[at++]) : NULL;
}

static char **on_complete(const char *text, int start, int end) {
  *rl.completion_over = 1;  // never fall back to file names
  if (rl.append_character) *rl.append_character = '\0';
  if (rl.suppress_append) *rl.suppress_append = 1;
  candidates = complete(*rl.line_buffer, start, end);
  char **matches = candidates ? rl.completion_matches(text, next_candidate) : NULL;
  for (char **c = candidates; c && *c; c++) free(*c);
  free(candidates);
  candidates = NULL;
  return matches;
}

// Inside a string a word may hold anything but quotes: file names.
static char *word_breaks(void) {
  static char code[] = " \t\n\"'`@$><=;|&{}()[]+-*/%^~,#!", string[] = "\"'\n";
  char quote = 0, before = 0;  // the last that is no blank
  for (int i = line_start(*rl.point); i < *rl.point; i++) {
    char c = (*rl.line_buffer)[i];
    if (quote) quote = c == quote ? 0 : quote;
    else if (c == '"' || c == '\'') quote = c;
    else if (i == 0 && c == '%') return " \t\n";                     // a command
    else if (c == '!' && (i == 0 || before == '=')) return " \t\n";  // one of the shell
    else if (c == '?' && i == 0) return " \t\n?";
    if (c != ' ') before = c;
  }
  return quote ? string : code;
}

// MARK: Reading

static void on_line(char *text) {
  accepted = text;
  is_done = true;
  rl.remove();
}

static void begin(const char *prompt) {
  if (drawing.draw) {
    // Where somebody else draws, readline turns it off when it begins.
    rl.initialize();
    rl.variable_bind("enable-bracketed-paste", "on");
  }
  rl.install(prompt, on_line);
}

// Whatever the locale says, keys and text are UTF-8: in a POSIX locale as well, a letter is a
// letter. Readline looks at the environment each time.
static void install(const char *prompt) {
  setlocale(LC_CTYPE, "");
  if (!strcmp(nl_langinfo(CODESET), "UTF-8")) {
    begin(prompt);
    return;
  }
  const char *given = getenv("LC_ALL");
  char *before = given ? strdup(given) : NULL;
  setenv("LC_ALL", "C.UTF-8", 1);
  begin(prompt);
  if (before) setenv("LC_ALL", before, 1);
  else unsetenv("LC_ALL");
  free(before);
}

int bss_line_read(const char *prompt, char **text) {
  *text = NULL;
  is_done = is_dropped = false;
  accepted = NULL;
  static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
  sigset_t block, before;
  sigemptyset(&block);
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaddset(&block, signals[i]);
  sigprocmask(SIG_BLOCK, &block, &before);
  sigset_t waiting = before;
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigdelset(&waiting, signals[i]);
  if (drawing.draw) drawing.begin();
  install(prompt);
  int result = BSS_LINE_TEXT;
  while (!is_done) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    int ready = ppoll(&input, 1, NULL, &waiting);  // the only place where signals are let through
    bss_line_wish wish = interrupted();
    if (wish != BSS_LINE_GO_ON) {
      if (**rl.line_buffer) *text = strdup(*rl.line_buffer);
      *rl.point = *rl.end;
      if (drawing.draw) drawing.draw(*rl.display_prompt, *rl.line_buffer, *rl.point, true);
      else rl.redisplay();
      fputs(wish == BSS_LINE_FRESH ? "^C\n" : "\n", stdout);
      fflush(stdout);
      is_dropped = true;
      if (rl.sigcleanup) rl.sigcleanup();
      rl.free_line_state();
      rl.remove();
      result = wish == BSS_LINE_FRESH ? BSS_LINE_INTERRUPTED : BSS_LINE_TOLD_TO_LEAVE;
      break;
    }
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) {
      rl.remove();
      result = BSS_LINE_END;
      break;
    }
    rl.read_char();
  }
  sigprocmask(SIG_SETMASK, &before, NULL);
  if (result != BSS_LINE_TEXT) return result;
  if (!accepted) return BSS_LINE_END;
  *text = accepted;
  return BSS_LINE_TEXT;
}

void bss_line_remember(const char *text) { rl.add_history(text); }

// MARK: Opening

static void *library;

typedef struct {
  void *target;
  const char *name;
  bool is_optional;
} slot;

static const slot slots[] = {
    {&rl.line_buffer, "rl_line_buffer", false},
    {&rl.point, "rl_point", false},
    {&rl.end, "rl_end", false},
    {&rl.catch_signals, "rl_catch_signals", false},
    {&rl.completion_over, "rl_attempted_completion_over", false},
    {&rl.readline_name, "rl_readline_name", false},
    {&rl.last_command, "rl_last_func", false},
    {&rl.attempted_completion, "rl_attempted_completion_function", false},
    {&rl.word_break_hook, "rl_completion_word_break_hook", false},
    {&rl.completer_quotes, "rl_completer_quote_characters", false},
    {&rl.basic_quotes, "rl_basic_quote_characters", false},
    {&rl.install, "rl_callback_handler_install", false},
    {&rl.read_char, "rl_callback_read_char", false},
    {&rl.remove, "rl_callback_handler_remove", false},
    {&rl.redisplay, "rl_redisplay", false},
    {&rl.free_line_state, "rl_free_line_state", false},
    {&rl.completion_matches, "rl_completion_matches", false},
    {&rl.bind_keyseq, "rl_bind_keyseq", false},
    {&rl.variable_bind, "rl_variable_bind", false},
    {&rl.initialize, "rl_initialize", false},
    {&rl.insert_text, "rl_insert_text", false},
    {&rl.done, "rl_done", false},
    {&rl.redisplay_function, "rl_redisplay_function", false},
    {&rl.display_matches, "rl_completion_display_matches_hook", false},
    {&rl.display_match_list, "rl_display_match_list", false},
    {&rl.display_prompt, "rl_display_prompt", false},
    {&rl.delete_text, "rl_delete_text", false},
    {&rl.newline, "rl_newline", false},
    {&rl.forward, "rl_forward_char", false},
    {&rl.get_previous, "rl_get_previous_history", false},
    {&rl.get_next, "rl_get_next_history", false},
    {&rl.search_backward, "rl_history_search_backward", false},
    {&rl.search_forward, "rl_history_search_forward", false},
    {&rl.add_history, "add_history", false},
    {&rl.using_history, "using_history", false},
    {&rl.sigcleanup, "rl_callback_sigcleanup", true},
    {&rl.append_character, "rl_completion_append_character", true},
    {&rl.suppress_append, "rl_completion_suppress_append", true},
};

bool bss_line_open(bss_line_is_complete is, bss_line_complete by, bss_line_interrupted was,
                   bss_line_drawing by_whom) {
  static const char *const names[] = {"libreadline.so.8", "libreadline.so.7", "libreadline.so"};
  for (unsigned i = 0; !library && i < sizeof names / sizeof *names; i++)
    library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
  if (!library) return false;
  is_complete = is;
  complete = by;
  interrupted = was;
  for (unsigned i = 0; i < sizeof slots / sizeof *slots; i++) {
    void *found = dlsym(library, slots[i].name);
    if (!found && !slots[i].is_optional) return false;
    memcpy(slots[i].target, &found, sizeof found);
  }
  *rl.readline_name = "bss-lua";
  drawing = by_whom;
  if (drawing.draw) {
    *rl.redisplay_function = on_redisplay;
    *rl.display_matches = on_matches;
    rl.bind_keyseq("\\C-l", on_clear);
  } else {
    rl.variable_bind("blink-matching-paren", "on");
  }
  *rl.catch_signals = 0;
  *rl.attempted_completion = on_complete;
  *rl.word_break_hook = word_breaks;
  *rl.completer_quotes = NULL;
  *rl.basic_quotes = "";  // no closing quote behind a completion: whoever types a string closes it,
                          // and a folder's name goes on
  rl.using_history();
  rl.variable_bind("enable-bracketed-paste", "on");  // a pasted block arrives as one insertion
  rl.variable_bind("enable-active-region", "off");   // nothing stands out without colours
  rl.variable_bind("bell-style", "none");
  rl.variable_bind("completion-ignore-case", "off");
  rl.bind_keyseq("\\C-m", on_enter);
  rl.bind_keyseq("\\C-j", on_enter);
  static const char *const home[] = {"\\C-a", "\\e[H", "\\eOH", "\\e[1~"}, *const end[] = {
                                                                               "\\C-e", "\\e[F",
                                                                               "\\eOF", "\\e[4~"};
  for (int i = 0; i < 4; i++) {
    rl.bind_keyseq(home[i], on_home);
    rl.bind_keyseq(end[i], on_end);
  }
  static const char *const right[] = {"\\C-f", "\\e[C", "\\eOC"};
  for (int i = 0; i < 3; i++) rl.bind_keyseq(right[i], on_right);
  rl.bind_keyseq("\\e[A", on_up);
  rl.bind_keyseq("\\eOA", on_up);
  rl.bind_keyseq("\\e[B", on_down);
  rl.bind_keyseq("\\eOB", on_down);
  return true;
}
