/* What a person is told at the end of a run: a short summary, and what happened before a triple fault. */
#ifndef LK_SIM_REPORT_H
#define LK_SIM_REPORT_H

#include "sim/machine.h"

#include <stdio.h>

/*
 * Some fifteen lines of what the run's cycles went into. `seconds` is the host's time, for the speed; 0
 * leaves it out.
 */
void report_summary(struct machine *machine, double seconds, FILE *to);

/* The chain of faults, the registers, and a walk of the page tables for the address that faulted. */
void report_triple_fault(const struct machine *machine, FILE *to);

/* The guest got disk errors that were not of its own making: a line for each such disk. */
void report_disks(const struct machine *machine, FILE *to);

#endif
