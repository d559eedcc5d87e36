/* What unit tests of guest/mm share: some physical memory, and random numbers that come again. */
#pragma once

#include "host_random.h"
#include "mm.h"

#define RAM_PAGES 16384ul /* 64 MiB: 16 of DMA, 32 of NORMAL, 16 of HIGHMEM */
#define LOW_PAGES 12288ul

/* How often a test repeats what it does with random numbers: a sanitizer has time for less. */
#ifdef __SANITIZE_ADDRESS__
#define HOST_MANY 100
#else
#define HOST_MANY 1000
#endif

/* The guest's boot as far as the buddy system, in RAM with a PC's hole below 1 MiB. */
void start_memory(void);
/* What the kernel printed since the last call of clear_console(), cut off where it gets long. */
const char *console_text(void);
void clear_console(void);
