/* The end of a run. */
#pragma once

#include "compiler.h"

/* Turns the machine off. If it cannot be, halts for good. */
__noreturn void machine_power_off(void);
