/* Model-specific registers (SDM 4). */
#pragma once

#include "types.h"

#define MSR_PERFEVTSEL0 0x186
#define MSR_PAT 0x277
#define MSR_FIXED_CTR_CTRL 0x38D
#define MSR_PERF_GLOBAL_CTRL 0x38F
#define MSR_EFER 0xC0000080u
#define EFER_NX (1u << 11)

static inline u64 rdmsr(u32 number)
{
    u32 low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return (u64)high << 32 | low;
}

static inline void wrmsr(u32 number, u64 value)
{
    __asm__ volatile("wrmsr" ::"c"(number), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}
