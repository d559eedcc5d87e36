/* What `lookaside profile` prints (docs/profile.md). */
#ifndef LK_SIM_OBSERVE_PROFILE_REPORT_H
#define LK_SIM_OBSERVE_PROFILE_REPORT_H

#include "sim/observe/profile_rows.h"

struct profile_report {
    const struct profile *profile;
    const struct profile_symbols *symbols;
    enum profile_event event; /* what is sorted by, or shown alone */
    enum profile_grouping grouping;
    const char *process; /* NULL: all */
    size_t limit;        /* of rows; 0: all */
    bool is_json;
    FILE *out;
};

/* All of these: false when memory is short, or with a line in `diag`. */

/* The functions (lines, processes) with the most. */
bool profile_report_top(const struct profile_report *report, struct diag *diag);
/* The same of two runs, sorted by how much more or less. `before` is of the other one. */
bool profile_report_diff(const struct profile_report *before, const struct profile_report *report,
                         struct diag *diag);
/* A line a call stack, `process;caller;function COUNT`, as flame graphs are made of. */
bool profile_report_flame(const struct profile_report *report, struct diag *diag);
/* A function's instructions with what each of them took, and its source where it is known. */
bool profile_report_annotate(const struct profile_report *report, const char *function, struct diag *diag);
/* For callgrind_annotate and KCachegrind: the callgrind format, version 1. */
bool profile_report_callgrind(const struct profile_report *report, struct diag *diag);

/* The name of a function that was called, or "[unknown]". The text lives as long as the symbols. */
const char *profile_function_of(const struct profile_report *report, uint32_t process, unsigned cpl,
                                uint64_t linear);

#endif
