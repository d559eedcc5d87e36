/* gdb's connection to a run: --gdb and --gdb-wait. The machine runs, stops and steps as gdb wants it. */
#ifndef LK_SIM_RUN_GDB_H
#define LK_SIM_RUN_GDB_H

#include "sim/board/terminal.h"
#include "sim/history.h"
#include "sim/machine.h"
#include "sim/run_options.h"

#include <stdio.h>

struct run_gdb;

struct run_gdb_params {
    const struct run_options *options;
    struct machine *machine;
    struct history *history; /* NULL: gdb cannot go back */
    /* A line of gdb's `monitor`, answered to `to`. */
    void (*monitor)(void *opaque, const char *line, FILE *to);
    /* Asked every now and then while the machine stands still: what the terminal wants. */
    enum terminal_request (*still)(void *opaque);
    void *opaque;
};

/* Neither option: returns NULL, and all is well. On failure adds a line and returns NULL too. */
struct run_gdb *run_gdb_create(const struct run_gdb_params *params, struct diag *diag);
void run_gdb_destroy(struct run_gdb *gdb);

/*
 * machine_run_instructions with gdb's stops in between, in which it waits for gdb. Cycles and counts are the
 * same. *request: what the terminal wanted meanwhile, or TERMINAL_QUIT when gdb killed the run. NULL is fine,
 * here and below.
 */
enum machine_end run_gdb_run(struct run_gdb *gdb, struct machine *machine, uint64_t nr_instructions,
                             cycle_t until, enum terminal_request *request);

/* Another machine has taken the place of the one so far. */
void run_gdb_set_machine(struct run_gdb *gdb, struct machine *machine);

/* While it goes back: whether gdb or the terminal wants it to stop that. */
bool run_gdb_is_interrupted(struct run_gdb *gdb);

/* The run is over with that exit status: gdb is told. */
void run_gdb_finish(struct run_gdb *gdb, int status);

#endif
