/* Caches and memory: what a driver or a change of memory types needs where hardware does not see to it. */
#pragma once

#include "types.h"

/* Writes all dirty lines of all caches back and empties them. */
static inline void wbinvd(void)
{
    __asm__ volatile("wbinvd" ::: "memory");
}

/*
 * The same for the lines of [address, address + bytes), by CLFLUSH where the processor has it. Done when it
 * returns.
 */
void clflush_cache_range(const void *address, size_t bytes);
