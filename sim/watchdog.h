/*
 * Ends a run that goes nowhere. What counts as getting somewhere is what can be seen from outside: bytes sent
 * by a serial port or to the log, accesses to the memory of the VGA, commands to disks, bytes moved by DMA,
 * markers. A guest that only computes, or waits for a key, shows none of them either.
 */
#ifndef LK_SIM_WATCHDOG_H
#define LK_SIM_WATCHDOG_H

#include "sim/machine.h"

struct watchdog {
    cycle_t limit_cycles; /* EV_NEVER: none */
    cycle_t since;        /* when there was something new for the last time, as far as was looked */
    cycle_t next_look;
    uint64_t seen;
};

void watchdog_init(struct watchdog *dog, cycle_t limit_cycles);

/*
 * Whether nothing has been seen for the limit, at `now`; `nr_logged` are the bytes that went to the log so
 * far. To be asked at next_look or later; in between it says no.
 */
bool watchdog_is_over(struct watchdog *dog, struct machine *machine, uint64_t nr_logged, cycle_t now);

#endif
