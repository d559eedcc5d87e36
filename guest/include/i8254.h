/* The 8254 interval timer: channel 0 raises IRQ 0 HZ times a second. */
#pragma once

#include "types.h"

#define PIT_TICK_RATE_HZ 1193182u

void i8254_init(void);
/* Clocks of the 8254 (PIT_TICK_RATE_HZ a second) since it was set up, to the last one. */
u64 i8254_read_clocks(void);
