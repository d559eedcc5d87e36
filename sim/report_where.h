/* Where a guest is that goes nowhere: the calls that led there, and the branches that it takes. */
#ifndef LK_SIM_REPORT_WHERE_H
#define LK_SIM_REPORT_WHERE_H

#include "sim/load/elf_symbols.h"
#include "sim/machine.h"

#include <stdio.h>

/* The calls that are under way (sim/observe/backtrace.h). */
void report_calls(const struct machine *machine, const struct elf_symbols *symbols, FILE *to);

/*
 * Lets the guest go on for nr_steps instructions, or to its end, and says between which places it branches.
 * What is counted meanwhile is counted.
 */
void report_branches(struct machine *machine, const struct elf_symbols *symbols, uint64_t nr_steps, FILE *to);

#endif
