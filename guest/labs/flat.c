/*
 * A4. The flat model: segments that begin at 0 and end at 4 GiB, so that segmentation changes nothing.
 * What the GDT holds is read as the CPU reads it, and the CPU is asked, too (LAR, LSL).
 */
#include "asm/page.h"
#include "lab.h"
#include "segment.h"

static u32 limit_by_lsl(u32 selector)
{
    u32 limit = 0;
    __asm__ volatile("lsl %1, %0" : "+r"(limit) : "r"(selector) : "cc");
    return limit;
}

/* The descriptor's upper word without base and limit. */
static u32 rights_by_lar(u32 selector)
{
    u32 rights = 0;
    __asm__ volatile("lar %1, %0" : "+r"(rights) : "r"(selector) : "cc");
    return rights & 0xF0FF00;
}

static void check_flat(const char *what, u32 index, u32 type, u32 dpl)
{
    const struct desc_struct *desc = gdt_entry(index);
    u32 selector = SELECTOR(index, dpl);
    lab_say("%04x: entry %u is %08x %08x: base %08x, limit %05x, G %u, type %u, DPL %u", selector, index,
            desc->b, desc->a, get_desc_base(desc), get_desc_limit(desc), get_desc_granularity(desc),
            get_desc_type(desc) & ~DESC_ACCESSED, get_desc_dpl(desc));
    lab_check(get_desc_base(desc) == 0 && get_desc_limit(desc) == 0xFFFFF && get_desc_granularity(desc) == 1,
              "%s: base 0, limit FFFFF pages", what);
    lab_check((get_desc_type(desc) & ~DESC_ACCESSED) == type && get_desc_dpl(desc) == dpl,
              "%s: type %u, DPL %u", what, type, dpl);
    lab_check(limit_by_lsl(selector) == 0xFFFFFFFF && rights_by_lar(selector) == (desc->b & 0xF0FF00),
              "%s: so the processor says (LSL %08x, LAR %06x)", what, limit_by_lsl(selector),
              rights_by_lar(selector));
}

static u32 read_cs(void)
{
    u32 cs;
    __asm__("movl %%cs, %0" : "=r"(cs));
    return cs;
}

static u32 read_ds(void)
{
    u32 ds;
    __asm__("movl %%ds, %0" : "=r"(ds));
    return ds;
}

static void flat(void)
{
    u32 nr_entries = (read_gdtr().limit + 1u) / sizeof(struct desc_struct), tr = 0;
    lab_check(nr_entries >= 18, "GDTR: base %08x, limit %04x: %u entries of 8 bytes", read_gdtr().base,
              read_gdtr().limit, nr_entries);
    check_flat("kernel code", GDT_ENTRY_KERNEL_CS, 10, 0);
    check_flat("kernel data", GDT_ENTRY_KERNEL_DS, 2, 0);
    check_flat("user code", GDT_ENTRY_DEFAULT_USER_CS, 10, 3);
    check_flat("user data", GDT_ENTRY_DEFAULT_USER_DS, 2, 3);
    lab_check(read_cs() == SELECTOR(GDT_ENTRY_KERNEL_CS, 0) && read_ds() == SELECTOR(GDT_ENTRY_KERNEL_DS, 0),
              "the kernel runs with CS %04x and DS %04x", read_cs(), read_ds());
    __asm__("strl %0" : "=r"(tr));
    const struct desc_struct *tss = gdt_entry(tr / 8);
    lab_check(tr == SELECTOR(GDT_ENTRY_TSS, 0) && get_desc_base(tss) >= PAGE_OFFSET &&
                  get_desc_limit(tss) >= 103,
              "TR %04x: entry %u, the only TSS, %u bytes at %08x", tr, tr / 8, get_desc_limit(tss) + 1,
              get_desc_base(tss));
}
LAB("flat", flat);
