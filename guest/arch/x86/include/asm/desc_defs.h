/* Descriptors as the CPU reads them (SDM 3A 3.4.5): base and limit are scattered over both words. */
#pragma once

#include "compiler.h"
#include "types.h"

struct desc_struct {
    u32 a, b;
};

/* What LGDT, LIDT, SGDT and SIDT have in memory. */
struct desc_ptr {
    u16 limit;
    u32 base;
} __packed;

/* Attributes: access byte (P, DPL, S, type) and above it the flags G and D. */
#define DESC_KERNEL_CODE 0xC09Au
#define DESC_KERNEL_DATA 0xC092u
#define DESC_USER_CODE 0xC0FAu
#define DESC_USER_DATA 0xC0F2u
#define DESC_LDT 0x0082u
#define DESC_TSS 0x0089u
#define DESC_PAGE_GRANULAR 0x8000u /* G: the limit counts pages */

#define DESC_IS_SEGMENT (1u << 12) /* in the upper word: code or data, not a system descriptor */
#define DESC_ACCESSED 0x1u         /* bit 0 of the type of code and data segments */

static inline struct desc_struct make_desc(u32 base, u32 limit, u32 attributes)
{
    return (struct desc_struct){
        .a = (base << 16) | (limit & 0xFFFF),
        .b = (base & 0xFF000000) | (limit & 0xF0000) | (attributes << 8) | ((base >> 16) & 0xFF),
    };
}

static inline u32 get_desc_base(const struct desc_struct *desc)
{
    return (desc->b & 0xFF000000) | ((desc->b & 0xFF) << 16) | (desc->a >> 16);
}

/* In bytes or, with G, in pages; the last one that is in the segment. */
static inline u32 get_desc_limit(const struct desc_struct *desc)
{
    return (desc->b & 0xF0000) | (desc->a & 0xFFFF);
}

static inline u32 get_desc_type(const struct desc_struct *desc)
{
    return (desc->b >> 8) & 0xF;
}

static inline u32 get_desc_dpl(const struct desc_struct *desc)
{
    return (desc->b >> 13) & 3;
}

static inline u32 get_desc_granularity(const struct desc_struct *desc)
{
    return (desc->b >> 23) & 1;
}
