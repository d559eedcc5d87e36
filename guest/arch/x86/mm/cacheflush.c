#include "asm/cacheflush.h"
#include "asm/cpuid.h"
#include "compiler.h"

/* Bytes that a CLFLUSH flushes (SDM 2A CPUID: leaf 1, EBX 15:8, in units of 8); 0: there is none. */
static u32 clflush_bytes(void)
{
    static u32 bytes;
    static bool is_known;
    if (!is_known) {
        struct cpuid_regs regs;
        cpuid(1, &regs);
        bytes = (regs.dx & X86_FEATURE_CLFLUSH) ? (regs.bx >> 8 & 0xFF) * 8 : 0;
        is_known = true;
    }
    return bytes;
}

void clflush_cache_range(const void *address, size_t bytes)
{
    u32 line_bytes = clflush_bytes();
    if (bytes == 0)
        return;
    if (line_bytes == 0) {
        wbinvd();
        return;
    }
    uintptr_t end = (uintptr_t)address + bytes;
    for (uintptr_t line = ALIGN_DOWN((uintptr_t)address, line_bytes); line < end; line += line_bytes)
        __asm__ volatile("clflush (%0)" ::"r"(line) : "memory");
    /* CLFLUSH is ordered by fences only; a locked access is one on every processor. */
    __asm__ volatile("lock; addl $0, (%%esp)" ::: "memory", "cc");
}
