#include "sim/observe/console.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { TAB_COLUMNS = 8, MAX_PARAMETERS = 4, MAX_PARAMETER = 9999 };

enum escape_state {
    ESCAPE_NONE,
    ESCAPE_BEGUN,    /* after ESC */
    ESCAPE_SEQUENCE, /* after ESC [ */
    ESCAPE_STRING,   /* an operating-system command: up to BEL or ESC \ */
    ESCAPE_STRING_END,
};

struct console {
    struct console_params params;
    char *text;           /* a ring of lines, each nr_columns characters and a NUL, padded with NULs */
    uint64_t nr_ring;     /* lines in the ring */
    uint64_t top;         /* number of the screen's first line */
    unsigned row, column; /* of the cursor, on the screen */
    enum escape_state escape;
    bool is_private; /* the sequence is not ECMA-48's own: swallowed */
    unsigned nr_parameters;
    unsigned parameter[MAX_PARAMETERS];
};

static char *line_of(const struct console *console, uint64_t number)
{
    return console->text + number % console->nr_ring * (console->params.nr_columns + 1);
}

static void clear_line(struct console *console, uint64_t number, unsigned from)
{
    memset(line_of(console, number) + from, 0, console->params.nr_columns - from);
}

struct console *console_create(const struct console_params *params)
{
    assert(params->nr_columns >= 1 && params->nr_columns <= CONSOLE_MAX_COLUMNS);
    assert(params->nr_rows >= 1 && params->nr_rows <= CONSOLE_MAX_ROWS);
    assert(params->nr_scrollback <= CONSOLE_MAX_SCROLLBACK);
    struct console *console = calloc(1, sizeof *console);
    if (!console)
        return NULL;
    console->params = *params;
    console->nr_ring = (uint64_t)params->nr_rows + params->nr_scrollback;
    console->text = calloc(console->nr_ring, params->nr_columns + 1);
    if (!console->text) {
        free(console);
        return NULL;
    }
    return console;
}

void console_destroy(struct console *console)
{
    if (!console)
        return;
    free(console->text);
    free(console);
}

static void line_feed(struct console *console)
{
    if (console->row + 1 < console->params.nr_rows) {
        console->row++;
        return;
    }
    console->top++;
    clear_line(console, console->top + console->row, 0);
}

static void put_character(struct console *console, char character)
{
    if (console->column == console->params.nr_columns) {
        console->column = 0;
        line_feed(console);
    }
    char *line = line_of(console, console->top + console->row);
    /* A NUL ends a line, so the gap that a cursor move left is filled now. */
    for (unsigned i = console->column; i > 0 && line[i - 1] == 0; i--)
        line[i - 1] = ' ';
    line[console->column++] = character;
}

static void erase_in_line(struct console *console, unsigned how)
{
    uint64_t number = console->top + console->row;
    if (how == 0 && console->column < console->params.nr_columns) {
        clear_line(console, number, console->column);
    } else if (how == 1) {
        char *line = line_of(console, number);
        for (unsigned i = 0; i <= console->column && line[i]; i++)
            line[i] = ' ';
    } else if (how == 2) {
        clear_line(console, number, 0);
    }
}

static void erase_in_screen(struct console *console, unsigned how)
{
    unsigned from = how == 0 ? console->row + 1 : 0;
    unsigned to = how == 1 ? console->row : console->params.nr_rows;
    for (unsigned row = from; row < to; row++)
        clear_line(console, console->top + row, 0);
    if (how < 2)
        erase_in_line(console, how);
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* A parameter that is left out, or 0, means 1 where it counts or numbers something. */
static unsigned count_of(const struct console *console, unsigned index)
{
    return console->parameter[index] ? console->parameter[index] : 1;
}

static void end_sequence(struct console *console, uint8_t final)
{
    console->escape = ESCAPE_NONE;
    if (console->is_private)
        return;
    unsigned n = count_of(console, 0), last_row = console->params.nr_rows - 1;
    unsigned last_column = console->params.nr_columns - 1;
    switch (final) {
    case 'A':
        console->row -= least(n, console->row);
        break;
    case 'B':
        console->row = least(console->row + n, last_row);
        break;
    case 'C':
        console->column = least(console->column + n, last_column);
        break;
    case 'D':
        console->column -= least(n, console->column);
        break;
    case 'G':
        console->column = least(n - 1, last_column);
        break;
    case 'H':
    case 'f':
        console->row = least(n - 1, last_row);
        console->column = least(count_of(console, 1) - 1, last_column);
        break;
    case 'J':
        erase_in_screen(console, console->parameter[0]);
        break;
    case 'K':
        erase_in_line(console, console->parameter[0]);
        break;
    default:
        break;
    }
}

static void put_in_sequence(struct console *console, uint8_t byte)
{
    unsigned *parameter = &console->parameter[console->nr_parameters];
    if (byte >= '0' && byte <= '9') {
        if (console->nr_parameters < MAX_PARAMETERS)
            *parameter = least(*parameter * 10 + byte - '0', MAX_PARAMETER);
    } else if (byte == ';') {
        if (console->nr_parameters < MAX_PARAMETERS)
            console->nr_parameters++;
    } else if (byte >= 0x40 && byte <= 0x7e) {
        end_sequence(console, byte);
    } else if (byte >= 0x20 && byte <= 0x3f) {
        console->is_private = true;
    } else {
        console->escape = ESCAPE_NONE;
    }
}

/* True when the byte was part of an escape sequence. */
static bool put_escape(struct console *console, uint8_t byte)
{
    switch (console->escape) {
    case ESCAPE_NONE:
        if (byte != 0x1b)
            return false;
        console->escape = ESCAPE_BEGUN;
        return true;
    case ESCAPE_BEGUN:
        console->escape = byte == '[' ? ESCAPE_SEQUENCE : byte == ']' ? ESCAPE_STRING : ESCAPE_NONE;
        console->is_private = false;
        console->nr_parameters = 0;
        memset(console->parameter, 0, sizeof console->parameter);
        return true;
    case ESCAPE_SEQUENCE:
        put_in_sequence(console, byte);
        return true;
    case ESCAPE_STRING:
        console->escape = byte == 0x07 ? ESCAPE_NONE : byte == 0x1b ? ESCAPE_STRING_END : ESCAPE_STRING;
        return true;
    case ESCAPE_STRING_END:
        console->escape = ESCAPE_NONE;
        return true;
    }
    return false;
}

void console_put(struct console *console, uint8_t byte)
{
    if (put_escape(console, byte))
        return;
    switch (byte) {
    case '\r':
        console->column = 0;
        return;
    case '\n':
        line_feed(console);
        return;
    case '\b':
        if (console->column)
            console->column--;
        return;
    case '\t':
        console->column =
            least((console->column / TAB_COLUMNS + 1) * TAB_COLUMNS, console->params.nr_columns - 1);
        return;
    default:
        if (byte >= 0x20 && byte < 0x7f)
            put_character(console, (char)byte);
        else if (byte >= 0x80)
            put_character(console, '?');
        return;
    }
}

uint64_t console_begin(const struct console *console)
{
    uint64_t bottom = console->top + console->params.nr_rows;
    return bottom > console->nr_ring ? bottom - console->nr_ring : 0;
}

uint64_t console_end(const struct console *console)
{
    unsigned row = console->params.nr_rows - 1;
    while (row > console->row && line_of(console, console->top + row)[0] == 0)
        row--;
    return console->top + row + 1;
}

const char *console_line(const struct console *console, uint64_t number)
{
    bool is_kept = number >= console_begin(console) && number < console->top + console->params.nr_rows;
    return is_kept ? line_of(console, number) : "";
}

struct console_cursor console_cursor(const struct console *console)
{
    return (struct console_cursor){.line = console->top + console->row, .column = console->column};
}
