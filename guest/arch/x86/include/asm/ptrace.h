/* The registers as entry.S leaves them on the kernel stack, and the offsets that entry.S needs. */
#pragma once

#define PT_GS 40
#define PT_ORIG_AX 44
#define PT_CS 52

#ifndef __ASSEMBLER__

#include "compiler.h"
#include "types.h"

struct pt_regs {
    u32 bx, cx, dx, si, di, bp, ax;
    u32 ds, es, fs, gs;
    u32 orig_ax; /* system call number, ~IRQ, or the exception's error code */
    u32 ip, cs, flags;
    u32 sp, ss; /* pushed by the CPU only when it came from user mode */
};

_Static_assert(offsetof(struct pt_regs, gs) == PT_GS, "entry.S");
_Static_assert(offsetof(struct pt_regs, orig_ax) == PT_ORIG_AX, "entry.S");
_Static_assert(offsetof(struct pt_regs, cs) == PT_CS, "entry.S");

static inline bool user_mode(const struct pt_regs *regs)
{
    return (regs->cs & 3) == 3;
}

/* Prints the registers, and for kernel mode the stack's return addresses. */
void show_regs(const struct pt_regs *regs);
/* An oops: reports a fault of the kernel itself, and panics. */
__noreturn void die(const char *what, const struct pt_regs *regs, u32 error_code);
void show_trace(const u32 *frame);

#endif
