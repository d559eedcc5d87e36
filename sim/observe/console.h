/*
 * A small terminal in memory: what the guest writes to COM1, byte by byte, as lines of text with some
 * scroll-back. For the window and for tests; the host's terminal gets the bytes themselves.
 *
 * Applied: CR, LF, BS, TAB, and of the control sequences (ECMA-48 8.3) cursor moves, CUP, ED and EL. Others
 * are swallowed. A byte that is no printable ASCII shows as '?'.
 */
#ifndef LK_SIM_OBSERVE_CONSOLE_H
#define LK_SIM_OBSERVE_CONSOLE_H

#include <stdint.h>

enum { CONSOLE_MAX_COLUMNS = 240, CONSOLE_MAX_ROWS = 200, CONSOLE_MAX_SCROLLBACK = 100000 };

struct console_params {
    unsigned nr_columns, nr_rows; /* of the screen; 1 to the limits above */
    unsigned nr_scrollback;       /* lines kept that have left the screen */
};

struct console;

/* NULL when memory is short. */
struct console *console_create(const struct console_params *params);
void console_destroy(struct console *console);

void console_put(struct console *console, uint8_t byte);

/*
 * Lines are numbered from 0 for the first ever written. [begin, end) are the lines that are kept; the last is
 * the lowest that holds text or the cursor.
 */
uint64_t console_begin(const struct console *console);
uint64_t console_end(const struct console *console);

/*
 * A line as a string, with the blanks that a program wrote at its end; good until the next byte. "" when it
 * is not kept.
 */
const char *console_line(const struct console *console, uint64_t number);

struct console_cursor {
    uint64_t line;
    unsigned column; /* nr_columns: the next character begins a new line */
};
struct console_cursor console_cursor(const struct console *console);

#endif
