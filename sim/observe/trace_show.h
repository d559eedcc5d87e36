/* Cycles of a trace, for people (two tables) and for programs (JSON). */
#ifndef LK_SIM_OBSERVE_TRACE_SHOW_H
#define LK_SIM_OBSERVE_TRACE_SHOW_H

#include "sim/observe/trace_reader.h"

#include <stdio.h>

struct trace_show {
    struct trace_reader *reader;
    cycle_t from, to; /* both belong to it */
    FILE *out;
};

/*
 * One line a cycle: what is in each stage, what was missed, and why nothing issued. False with a line in
 * `diag`.
 */
bool trace_show_cycles(const struct trace_show *show, struct diag *diag);

/* One line an instruction: when it entered each stage; below it what it missed, with its page walks. */
bool trace_show_instructions(const struct trace_show *show, struct diag *diag);

/* What the columns and the marks mean. */
void trace_show_legend(FILE *out);

/* Both as one JSON object (docs/trace.md). */
bool trace_show_json(const struct trace_show *show, struct diag *diag);

/* Header, counts, cycles and size of the file. */
void trace_show_info(const struct trace_info *info, const char *file, FILE *out);
void trace_show_info_json(const struct trace_info *info, const char *file, FILE *out);

#endif
