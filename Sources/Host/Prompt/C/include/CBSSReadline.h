// GNU readline behind five functions, opened at run time: nothing is linked, programs without a
// prompt do not load it, and a machine without it gets the plain editor.
#pragma once
#include <stdbool.h>

/// True if Enter should end the input, false if it should add a line.
typedef bool (*bss_line_is_complete)(const char *text);
/// Candidates for text[start ..< end]: a malloc'ed, NULL-terminated list of malloc'ed strings, or
/// NULL.
typedef char **(*bss_line_complete)(const char *text, int start, int end);
/// What a signal asks for: nothing, a fresh input after Ctrl-C (told once), or to leave.
typedef enum { BSS_LINE_GO_ON, BSS_LINE_FRESH, BSS_LINE_LEAVE } bss_line_wish;
typedef bss_line_wish (*bss_line_interrupted)(void);

enum { BSS_LINE_TEXT = 0, BSS_LINE_END = 1, BSS_LINE_INTERRUPTED = 2, BSS_LINE_TOLD_TO_LEAVE = 3 };

/// How an input is drawn in colours, and what helps while it is typed.
typedef struct {
  /// Nothing is drawn yet.
  void (*begin)(void);
  /// Draws the input with the cursor at byte `point`; settled: without a suggestion, as it stays.
  /// NULL: readline draws.
  void (*draw)(const char *prompt, const char *text, int point, bool is_settled);
  /// Blanks before a line that is begun at `point`; how many too many the line of `point` has.
  int (*indent)(const char *text, int point, int *excess);
  /// What an earlier input that begins like this one goes on with: malloc'ed, or NULL.
  char *(*suggest)(const char *text);
} bss_line_drawing;

/// False: there is no readline.
bool bss_line_open(bss_line_is_complete is_complete, bss_line_complete complete,
                   bss_line_interrupted interrupted, bss_line_drawing drawing);
/// Reads a block of one or more lines; `*text` is malloc'ed for BSS_LINE_TEXT and, if not empty,
/// BSS_LINE_INTERRUPTED.
int bss_line_read(const char *prompt, char **text);
void bss_line_remember(const char *text);
