/*
 * Labs: experiments on a configured machine, each a guest that is run and a report of what it showed. A lab
 * is a row of the table in sim/cli_lab.c and a file of its own; it prints its report to stdout and may write
 * files into the output folder, which it makes when it has something to write.
 */
#ifndef LK_SIM_LAB_H
#define LK_SIM_LAB_H

#include "sim/base/config.h"
#include "sim/base/diag.h"

struct lab_run {
    const struct config *config; /* checked */
    const char *title;           /* of the configuration, for headings: letters, digits and ._- only */
    const char *output;          /* a folder; may not be there */
    bool wants_json;             /* the report as JSON */
};

/* Each returns false with lines in `diag`. */
bool lab_latency(const struct lab_run *run, struct diag *diag);

/* Makes the output folder if it is not there, and says if nothing can be written into it. */
bool lab_make_output(const struct lab_run *run, struct diag *diag);

#endif
