/* Numbers that look random, and come again at every boot: a simulation has to be repeatable. */
#pragma once

#include "types.h"

void get_random_bytes(void *to, u32 bytes);
