/*
 * Segments as the labs about them use them: entries of the GDT that the kernel leaves free, loaded into FS,
 * which the kernel does not use. With interrupts off: an interrupt's end loads FS from the table again.
 */
#pragma once

#include "asm/desc_defs.h"
#include "asm/segment.h"
#include "asm/uaccess.h"

#define LAB_GDT_ENTRY 24u /* and those behind it, to the end */
#define SELECTOR(index, rpl) ((index)*8u + (rpl))
#define SELECTOR_LDT(index, rpl) ((index)*8u + 4u + (rpl))

static inline struct desc_ptr read_gdtr(void)
{
    struct desc_ptr gdtr;
    __asm__ volatile("sgdt %0" : "=m"(gdtr));
    return gdtr;
}

static inline struct desc_struct *gdt_entry(u32 index)
{
    return (struct desc_struct *)(uintptr_t)read_gdtr().base + index;
}

static inline void set_gdt_entry(u32 index, struct desc_struct desc)
{
    *(volatile struct desc_struct *)gdt_entry(index) = desc;
}

/* False: the CPU refused it with an exception. */
static inline bool load_fs(u32 selector)
{
    u32 is_refused = 1;
    __asm__ volatile("1:\tmovl %1, %%fs\n\txorl %0, %0\n2:\n\t" EX_TABLE("1b", "2b")
                     : "+r"(is_refused)
                     : "r"(selector)
                     : "memory", "cc");
    return !is_refused;
}

static inline bool read_by_fs(u32 offset, u32 *value)
{
    u32 is_refused = 1;
    __asm__ volatile("1:\tmovl %%fs:(%2), %1\n\txorl %0, %0\n2:\n\t" EX_TABLE("1b", "2b")
                     : "+r"(is_refused), "=&r"(*value)
                     : "r"(offset)
                     : "memory", "cc");
    return !is_refused;
}

/* Whether fs:offset can be read and holds this. */
static inline bool fs_holds(u32 offset, u32 expected)
{
    u32 value = ~expected;
    return read_by_fs(offset, &value) && value == expected;
}
