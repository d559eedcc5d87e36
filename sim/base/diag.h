/*
 * What is wrong with a stranger's file or command line. A function that reads such input is given a
 * `struct diag`, adds one line for each mistake, goes on where it can, and returns false; main prints the
 * lines and exits with the status of the first. Nothing here prints or exits.
 */
#ifndef LK_SIM_BASE_DIAG_H
#define LK_SIM_BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>

/* Exit statuses, as docs/cli.md lists them. 1..63 are the guest's own. */
enum exit_status {
    EXIT_STATUS_OK = 0,
    EXIT_STATUS_USAGE = 64,
    EXIT_STATUS_BAD_DATA = 65,
    EXIT_STATUS_NO_INPUT = 66,
    EXIT_STATUS_INTERNAL = 70,
    EXIT_STATUS_NO_OUTPUT = 73,
    EXIT_STATUS_REQUEUE = 75,
    EXIT_STATUS_LIMIT = 80,
    EXIT_STATUS_TRIPLE_FAULT = 81,
    EXIT_STATUS_GUEST_PANIC = 82,
    EXIT_STATUS_WATCHDOG = 83,
    EXIT_STATUS_STATS_DIFFER = 84,
    EXIT_STATUS_INTERRUPTED = 130,
};

struct diag {
    char **lines; /* each without newline; owned */
    size_t nr_lines;
    enum exit_status status; /* of the first line; EXIT_STATUS_OK while there is none */
};

void diag_init(struct diag *diag);
void diag_fini(struct diag *diag);

/*
 * Adds one line (printf form, no newline). Always returns false, so that a caller can `return diag_add(...)`.
 */
bool diag_add(struct diag *diag, enum exit_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
