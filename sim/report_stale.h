/*
 * What a driver forgot: reads and write-backs where CPU and devices had different bytes, on a machine whose
 * devices do not snoop (dma.coherence = none). The functions are named by the image's symbols.
 */
#ifndef LK_SIM_REPORT_STALE_H
#define LK_SIM_REPORT_STALE_H

#include "sim/load/elf_symbols.h"
#include "sim/machine.h"

#include <stdio.h>

enum { STALE_TEXT_CHARS = 256 };

/* One of them, as a sentence. */
void stale_describe(const struct machine *machine, const struct cache_stale *stale,
                    const struct elf_symbols *symbols, char text[STALE_TEXT_CHARS]);

/*
 * All that were kept, those of one kind from one place in a line; nothing when there are none. `image` may
 * be NULL.
 */
void report_stale(const struct machine *machine, const char *image, FILE *to);

#endif
