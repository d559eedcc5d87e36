/* A1. From selector and offset to the linear address, by the descriptor between them (SDM 3A 3.4). */
#include "asm/irqflags.h"
#include "bug.h"
#include "lab.h"
#include "lookaside.h"
#include "mm.h"
#include "segment.h"
#include "string.h"

enum { NR_SEGMENTS = 4, WORDS_APART = 200, WORD = 12, LDT_INDEX = 1 };

static u32 words[NR_SEGMENTS * WORDS_APART];

static u32 base_of(u32 segment)
{
    return (u32)&words[segment * WORDS_APART];
}

static void check_bases(void)
{
    const u32 offset = WORD * sizeof(u32);
    for (u32 i = 0; i < NR_SEGMENTS; i++) {
        u32 index = LAB_GDT_ENTRY + i, selector = SELECTOR(index, 0), value = 0;
        set_gdt_entry(index, make_desc(base_of(i), 0xFFFFF, DESC_KERNEL_DATA));
        bool is_loaded = load_fs(selector) && read_by_fs(offset, &value);
        lab_say("selector %04x: index %u, TI 0, RPL 0; descriptor at %08x + 8 x %u = %08x: base %08x",
                selector, index, read_gdtr().base, index, (u32)gdt_entry(index),
                get_desc_base(gdt_entry(index)));
        lab_check(is_loaded && value == *(volatile u32 *)(base_of(i) + offset) &&
                      value == i * WORDS_APART + WORD,
                  "%04x:%08x is the linear address %08x: both hold %u", selector, offset, base_of(i) + offset,
                  value);
    }
}

static void check_rpl(void)
{
    set_gdt_entry(LAB_GDT_ENTRY, make_desc(base_of(2), 0xFFFFF, DESC_USER_DATA));
    bool is_same = true;
    for (u32 rpl = 0; rpl < 4; rpl++)
        is_same &= load_fs(SELECTOR(LAB_GDT_ENTRY, rpl)) && fs_holds(0, 2 * WORDS_APART);
    lab_check(is_same, "selectors %04x to %04x differ in RPL only: the same descriptor",
              SELECTOR(LAB_GDT_ENTRY, 0), SELECTOR(LAB_GDT_ENTRY, 3));
    set_gdt_entry(LAB_GDT_ENTRY, make_desc(base_of(2), 0xFFFFF, DESC_KERNEL_DATA));
    lab_check(load_fs(SELECTOR(LAB_GDT_ENTRY, 0)) && !load_fs(SELECTOR(LAB_GDT_ENTRY, 3)),
              "to a descriptor of DPL 0, RPL 3 is refused even here, in ring 0");
}

/* TI chooses the table: the same index, another segment. */
static void check_ldt(void)
{
    static struct desc_struct ldt[LDT_INDEX + 1] __aligned(8);
    ldt[LDT_INDEX] = make_desc(base_of(3), 0xFFFFF, DESC_KERNEL_DATA);
    set_gdt_entry(LAB_GDT_ENTRY, make_desc((u32)ldt, sizeof(ldt) - 1, DESC_LDT));
    __asm__ volatile("lldt %w0" ::"r"(SELECTOR(LAB_GDT_ENTRY, 0)) : "memory");
    bool is_loaded = load_fs(SELECTOR_LDT(LDT_INDEX, 0));
    lab_check(is_loaded && fs_holds(0, 3 * WORDS_APART),
              "selector %04x has TI 1: index %u of the LDT, at %08x; base %08x", SELECTOR_LDT(LDT_INDEX, 0),
              LDT_INDEX, (u32)&ldt[LDT_INDEX], get_desc_base(&ldt[LDT_INDEX]));
    lab_check(!load_fs(SELECTOR_LDT(LDT_INDEX + 1, 0)), "the LDT ends there: the next index is refused");
    load_fs(0);
    __asm__ volatile("lldt %w0" ::"r"(0) : "memory");
}

static void check_limits(void)
{
    const u32 beyond = SELECTOR(((u32)read_gdtr().limit + 1) / 8, 0);
    lab_check(!load_fs(beyond), "the GDT has %u entries: selector %04x is refused", beyond / 8, beyond);
    if (!lk_probe())
        return; /* QEMU does not compare offsets with limits */
    set_gdt_entry(LAB_GDT_ENTRY, make_desc(base_of(0), 4 * WORD - 1, DESC_KERNEL_DATA & ~DESC_PAGE_GRANULAR));
    u32 value;
    bool is_loaded = load_fs(SELECTOR(LAB_GDT_ENTRY, 0));
    lab_check(is_loaded && fs_holds(4 * WORD - 4, WORD - 1) && !read_by_fs(4 * WORD - 3, &value),
              "a limit of %u with G 0: the word at %u can be read, the one at %u faults", 4 * WORD - 1,
              4 * WORD - 4, 4 * WORD - 3);
    set_gdt_entry(LAB_GDT_ENTRY, make_desc((u32)words & PAGE_MASK, 0, DESC_KERNEL_DATA));
    is_loaded = load_fs(SELECTOR(LAB_GDT_ENTRY, 0));
    lab_check(is_loaded && read_by_fs(4092, &value) && !read_by_fs(4093, &value),
              "a limit of 0 with G 1 is a page: the word at 4092 can be read, the one at 4093 faults");
}

static void segments(void)
{
    for (u32 i = 0; i < ARRAY_SIZE(words); i++)
        words[i] = i;
    unsigned long flags = local_irq_save();
    lab_say("GDTR: base %08x, limit %04x", read_gdtr().base, read_gdtr().limit);
    check_bases();
    check_rpl();
    check_ldt();
    check_limits();
    load_fs(0);
    for (u32 i = 0; i < NR_SEGMENTS; i++)
        set_gdt_entry(LAB_GDT_ENTRY + i, (struct desc_struct){0});
    local_irq_restore(flags);
}
LAB("segments", segments);
