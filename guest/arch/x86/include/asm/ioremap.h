/* Device memory, and RAM that the kernel was told to leave alone, at kernel addresses. */
#pragma once

#include "types.h"

/*
 * Maps bytes at a physical address, uncached: every access reaches the device. ioremap_cache(): cached, for
 * memory. NULL: no room, or it is RAM of the kernel's own, whose addresses in the direct mapping are cached.
 */
void *ioremap(phys_addr_t paddr, unsigned long bytes);
void *ioremap_cache(phys_addr_t paddr, unsigned long bytes);
void iounmap(const void *address);
