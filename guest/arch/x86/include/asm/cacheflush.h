/* Caches and memory: what a driver or a change of memory types needs where hardware does not see to it. */
#pragma once

#include "asm/cpuid.h"
#include "types.h"

/* Writes all dirty lines of all caches back and empties them. */
static inline void wbinvd(void)
{
    __asm__ volatile("wbinvd" ::: "memory");
}
