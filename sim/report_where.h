/* Where a guest is that goes nowhere: the calls that led there, and the branches that it takes. */
#ifndef LK_SIM_REPORT_WHERE_H
#define LK_SIM_REPORT_WHERE_H

#include "sim/load/elf_symbols.h"
#include "sim/machine.h"

#include <stdio.h>

/* The calls that are under way (sim/observe/backtrace.h). */
void report_calls(const struct machine *machine, const struct elf_symbols *symbols, FILE *to);

/*
 * Lets the guest go on for some ten thousand instructions and says between which places it branches. For the
 * end of a run: what is counted then is counted.
 */
void report_branches(struct machine *machine, const struct elf_symbols *symbols, FILE *to);

#endif
