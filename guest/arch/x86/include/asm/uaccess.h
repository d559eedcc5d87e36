/*
 * Touching user memory from the kernel. Each instruction that may fault on a user address has a row in
 * __ex_table; the page-fault handler continues at the row's fixup if the address turns out to be bad.
 */
#pragma once

#include "asm/page.h"
#include "compiler.h"
#include "errno.h"

struct exception_table_entry {
    u32 insn, fixup;
};

/* A row, in assembly: labels or expressions as strings. */
#define EX_TABLE(insn, fixup)                                                                                \
    ".pushsection __ex_table, \"a\"\n\t.balign 8\n\t.long " insn ", " fixup "\n\t.popsection\n\t"

/* The fixup for the instruction at ip, or 0. */
u32 search_exception_table(u32 ip);

/* Whether all bytes lie below the kernel. Says nothing about whether they are mapped. */
static inline bool access_ok(const void __user *address, unsigned long bytes)
{
    return bytes <= TASK_SIZE && (unsigned long)address <= TASK_SIZE - bytes;
}

/* Both return how many bytes at the end could not be copied: 0 is success. */
unsigned long copy_from_user(void *to, const void __user *from, unsigned long bytes);
unsigned long copy_to_user(void __user *to, const void *from, unsigned long bytes);

/*
 * In between, a user address that is not there is taken for a bad one: the kernel must not sleep. No other
 * task runs meanwhile.
 */
extern u32 pagefault_depth;
static inline void pagefault_disable(void)
{
    pagefault_depth++;
    barrier();
}

static inline void pagefault_enable(void)
{
    barrier();
    pagefault_depth--;
}

/* 0 or -EFAULT. */
int get_user_u32(u32 *value, const u32 __user *from);
int put_user_u32(u32 value, u32 __user *to);
