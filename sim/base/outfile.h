/*
 * A file that bears its name only when it is whole: written under a temporary name beside it, then renamed.
 * Call order: outfile_open, write to `to`, then outfile_commit or outfile_abandon (either ends it).
 */
#ifndef LK_SIM_BASE_OUTFILE_H
#define LK_SIM_BASE_OUTFILE_H

#include "sim/base/diag.h"

#include <stdbool.h>
#include <stdio.h>

struct outfile {
    FILE *to;
    char *name, *temporary;
};

/* False with a line in `diag` (status EXIT_STATUS_NO_OUTPUT) when the file cannot be made. */
bool outfile_open(struct outfile *out, const char *name, struct diag *diag);

/* Whether outfile_open would succeed; for a file that is to be written much later. */
bool outfile_can_open(const char *name, struct diag *diag);

/*
 * Flushes, closes and renames. On any write error removes the temporary file, adds a line and returns false.
 */
bool outfile_commit(struct outfile *out, struct diag *diag);

/* Closes and removes the temporary file; what bore the name before stays. */
void outfile_abandon(struct outfile *out);

#endif
