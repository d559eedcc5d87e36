/* A lab that is a kernel thread takes an address space of its own, as a process has it. */
#pragma once

#include "bug.h"
#include "mm_types.h"
#include "mman.h"
#include "sched.h"

static inline struct mm_struct *new_mm(void)
{
    struct mm_struct *mm = mm_alloc();
    BUG_ON(mm == NULL);
    return mm;
}

/* NULL: none, as kernel threads are. */
static inline void use_mm(struct mm_struct *mm)
{
    current->mm = mm;
    switch_mm(mm);
}

/* Private anonymous memory, readable and writable, at that address. */
static inline void map_anonymous(struct mm_struct *mm, unsigned long address, unsigned long bytes)
{
    BUG_ON((unsigned long)do_mmap(mm, address, bytes, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED) != address);
}
