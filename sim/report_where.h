/* Where a guest goes round that goes nowhere; the calls that led there are sim/observe/backtrace.h's. */
#ifndef LK_SIM_REPORT_WHERE_H
#define LK_SIM_REPORT_WHERE_H

#include "sim/load/elf_symbols.h"
#include "sim/machine.h"

#include <stdio.h>

/*
 * Lets the guest go on for nr_steps instructions, or to its end, and says between which places it branches.
 * What is counted meanwhile is counted.
 */
void report_branches(struct machine *machine, const struct elf_symbols *symbols, uint64_t nr_steps, FILE *to);

#endif
