/* A profile by function, source line or process. */
#ifndef LK_SIM_OBSERVE_PROFILE_ROWS_H
#define LK_SIM_OBSERVE_PROFILE_ROWS_H

#include "sim/observe/profile_symbols.h"

enum profile_grouping { PROFILE_BY_FUNCTION, PROFILE_BY_LINE, PROFILE_BY_PROCESS };

enum { PROFILE_LABEL_CHARS = 64 };

struct profile_row {
    char *name;                      /* owned */
    char where[PROFILE_LABEL_CHARS]; /* "kernel", or the process */
    struct profile_counts counts;
};

struct profile_rows {
    struct profile_row *row; /* most of `event` first */
    size_t nr_rows;
};

/* "sh (12)", or "cr3 00123000" where the guest does not say who it is. */
void profile_process_label(const struct profile *profile, uint32_t process, char label[PROFILE_LABEL_CHARS]);

/*
 * Only what ran in `process` (a label or a name; NULL: all). Functions and lines of the kernel are one each,
 * whatever process ran them. False when memory is short. To be freed by profile_rows_fini in either case.
 */
bool profile_rows_make(struct profile_rows *rows, const struct profile *profile,
                       const struct profile_symbols *symbols, enum profile_grouping grouping,
                       enum profile_event event, const char *process);
void profile_rows_fini(struct profile_rows *rows);

/* Cycles of ticks; other events are what they are. */
uint64_t profile_value(const struct profile_counts *counts, enum profile_event event);

#endif
