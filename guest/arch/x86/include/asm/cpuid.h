/* CPUID; for the kernel and for programs. */
#pragma once

#include "types.h"

/* Leaf 1, EDX. */
#define X86_FEATURE_PSE (1u << 3)
#define X86_FEATURE_TSC (1u << 4)
#define X86_FEATURE_MSR (1u << 5)
#define X86_FEATURE_PAE (1u << 6)
#define X86_FEATURE_PGE (1u << 13)
#define X86_FEATURE_PAT (1u << 16)
#define X86_FEATURE_CLFLUSH (1u << 19)
/* Leaf 80000001h, EDX. */
#define X86_FEATURE_NX (1u << 20)

struct cpuid_regs {
    u32 ax, bx, cx, dx;
};

/* Zeroes and false where the processor has no CPUID or no such leaf. */
bool cpuid(u32 leaf, struct cpuid_regs *regs);
/* Leaf 1 EDX, or 0 on a CPU without CPUID. */
u32 cpu_features(void);
