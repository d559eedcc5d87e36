/* The monitor of a run: Ctrl-A c at the terminal, and gdb's `monitor`. */
#ifndef LK_SIM_RUN_MONITOR_H
#define LK_SIM_RUN_MONITOR_H

#include "sim/board/terminal.h"
#include "sim/machine.h"
#include "sim/run_symbols.h"

#include <stdio.h>

struct run_monitor {
    struct machine *machine;
    struct run_symbols *symbols;
    /* Writes a checkpoint into a directory; answers for itself. */
    void (*checkpoint)(void *opaque, const char *directory, FILE *to);
    void *opaque;
};

/* A line of gdb's: what makes the machine run or ends the run is refused, for gdb has its own. */
void run_monitor_answer(const struct run_monitor *monitor, const char *line, FILE *to);

/*
 * Reads lines from the terminal and answers them to stderr until the machine is to run on (TERMINAL_NONE) or
 * the run to end (TERMINAL_QUIT).
 */
enum terminal_request run_monitor_talk(const struct run_monitor *monitor, struct terminal *terminal);

/* The machine as an ELF core. On failure adds a line. */
bool run_monitor_dump(const struct run_monitor *monitor, const char *file, struct diag *diag);

#endif
