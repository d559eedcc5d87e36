#include "sim/base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file may hold any number of mistakes; a person reads the first few. */
enum { MAX_LINES = 100 };

void diag_init(struct diag *diag)
{
    *diag = (struct diag){.status = EXIT_STATUS_OK};
}

void diag_fini(struct diag *diag)
{
    for (size_t i = 0; i < diag->nr_lines; i++)
        free(diag->lines[i]);
    free(diag->lines);
    diag_init(diag);
}

static void append(struct diag *diag, char *line)
{
    char **lines = realloc(diag->lines, (diag->nr_lines + 1) * sizeof(*lines));
    if (!lines) {
        free(line);
        return;
    }
    diag->lines = lines;
    diag->lines[diag->nr_lines++] = line;
}

/*
 * What came from a file may hold control characters; a line stays one line, and a terminal stays as it was.
 */
static void make_printable(char *line)
{
    for (char *c = line; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    }
}

bool diag_add(struct diag *diag, enum exit_status status, const char *format, ...)
{
    if (diag->status == EXIT_STATUS_OK)
        diag->status = status;
    if (diag->nr_lines > MAX_LINES)
        return false;
    if (diag->nr_lines == MAX_LINES) {
        char *last = strdup("(more mistakes follow)");
        if (last)
            append(diag, last);
        return false;
    }
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *line = length < 0 ? NULL : malloc((size_t)length + 1);
    if (!line)
        return false;
    va_start(args, format);
    vsnprintf(line, (size_t)length + 1, format, args);
    va_end(args);
    make_printable(line);
    append(diag, line);
    return false;
}
