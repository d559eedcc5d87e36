/* What there is before paging is on (cpu_early.c). */
#pragma once

#include "types.h"

bool early_has_pae(void);
/* By COM1, as the firmware left it. */
void early_puts(const char *text);
