/* The registers with which a guest starts, from what its boot protocol says (sim/load/start.h). */
#ifndef LK_SIM_START_STATE_H
#define LK_SIM_START_STATE_H

#include "cpu/cpu.h"
#include "sim/load/start.h"

struct cpu_state start_state(const struct load_start *start);

#endif
