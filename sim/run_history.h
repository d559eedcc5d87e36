/* Going back in a run with gdb (sim/history.h): whether it can be done, and what was printed on the way. */
#ifndef LK_SIM_RUN_HISTORY_H
#define LK_SIM_RUN_HISTORY_H

#include "sim/history.h"
#include "sim/run_options.h"

/*
 * Budget and interval of `params` are filled in. NULL without gdb, or when the options ask for none; when
 * something else that was asked for goes forward only, with a word about that on stderr, or with a line where
 * going back was asked for too.
 */
struct history *run_history_create(const struct run_options *options, const struct history_params *params,
                                   struct machine *machine, struct diag *diag);

/* What a guest prints. Where it has gone back it prints again what it has printed, and that is not shown. */
struct run_output {
    uint64_t nr_bytes, most_bytes; /* up to this moment, and to the furthest */
};

/* So many are printed now: how many of them, the last, were not before. */
size_t run_output_new(struct run_output *output, size_t nr_bytes);

/* What comes from here on is new. */
void run_output_cut(struct run_output *output);

#endif
