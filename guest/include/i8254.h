/* The 8254 interval timer: channel 0 raises IRQ 0 HZ times a second. */
#pragma once

void i8254_init(void);
