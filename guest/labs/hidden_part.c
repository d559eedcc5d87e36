/*
 * A2, A3. What a segment register has besides the selector: the descriptor, as it was when the register was
 * loaded: its hidden part (SDM 3A 3.4.3).
 */
#include "asm/irqflags.h"
#include "lab.h"
#include "lookaside.h"
#include "segment.h"
#include "string.h"

enum { NR_ACCESSES = 1024, FIRST = 0x1111, SECOND = 0x2222 };

static u32 first_word = FIRST, second_word = SECOND;

static u32 access_by_fs(void)
{
    u32 sum = 0;
    for (u32 i = 0; i < NR_ACCESSES; i++) {
        u32 value;
        __asm__ volatile("movl %%fs:0, %0" : "=r"(value)::"memory");
        sum += value;
    }
    return sum;
}

static void load_over_and_over(u32 selector)
{
    for (u32 i = 0; i < NR_ACCESSES; i++)
        __asm__ volatile("movl %0, %%fs" ::"r"(selector) : "memory");
}

static void count_reads(u32 selector)
{
    struct lab_region accesses, loads;
    load_fs(selector);
    access_by_fs();
    lab_region_begin(&accesses, "1024 accesses by FS");
    u32 sum = access_by_fs();
    lab_region_end(&accesses);
    load_over_and_over(selector);
    lab_region_begin(&loads, "1024 loads of FS");
    load_over_and_over(selector);
    lab_region_end(&loads);
    lab_check(sum == NR_ACCESSES * FIRST, "1024 accesses by FS read the segment's first word");
    if (lab_counts_cycles()) {
        lab_figure("an access by FS", accesses.counts.cycles, NR_ACCESSES, "cycles");
        lab_figure("a load of FS", loads.counts.cycles, NR_ACCESSES, "cycles");
    }
}

static void hidden_part(void)
{
    const u32 selector = SELECTOR(LAB_GDT_ENTRY, 0);
    const struct desc_struct at_first = make_desc((u32)&first_word, 0xFFFFF, DESC_KERNEL_DATA),
                             at_second = make_desc((u32)&second_word, 0xFFFFF, DESC_KERNEL_DATA);
    unsigned long flags = local_irq_save();
    set_gdt_entry(LAB_GDT_ENTRY, at_first);
    lab_check(load_fs(selector) && fs_holds(0, FIRST), "FS is loaded with %04x: fs:0 holds %04x", selector,
              FIRST);
    lab_check(get_desc_type(gdt_entry(LAB_GDT_ENTRY)) == 3,
              "that has set the entry's accessed bit: the CPU has read it, and marked it");
    set_gdt_entry(LAB_GDT_ENTRY, at_second);
    lab_check(fs_holds(0, FIRST), "the entry gets another base: fs:0 still holds %04x", FIRST);
    set_gdt_entry(LAB_GDT_ENTRY, (struct desc_struct){0});
    lab_check(fs_holds(0, FIRST), "the entry is cleared: fs:0 still holds %04x", FIRST);
    lab_check(get_desc_type(gdt_entry(LAB_GDT_ENTRY)) == 0,
              "nobody has looked at the entry meanwhile: not accessed");
    /* An exception's end loads FS, too: it must not be that selector then. */
    lab_check(load_fs(0) && !load_fs(selector), "to load it now is refused");
    set_gdt_entry(LAB_GDT_ENTRY, at_second);
    lab_check(load_fs(selector) && fs_holds(0, SECOND), "the same selector, loaded again: fs:0 holds %04x",
              SECOND);
    set_gdt_entry(LAB_GDT_ENTRY, at_first);
    count_reads(selector);
    load_fs(0);
    set_gdt_entry(LAB_GDT_ENTRY, (struct desc_struct){0});
    local_irq_restore(flags);
}
LAB("hidden-part", hidden_part);

/* ---- The null selector ---- */

/* What the register was comes back before the kernel uses it. False: that was refused. */
#define LOAD_SEGMENT(reg, selector)                                                                          \
    ({                                                                                                       \
        u32 refused_ = 1;                                                                                    \
        __asm__ volatile("pushl %%" reg "\n1:\tmovl %1, %%" reg "\n\txorl %0, %0\n2:\tpopl %%" reg           \
                         "\n\t" EX_TABLE("1b", "2b")                                                         \
                         : "+r"(refused_)                                                                    \
                         : "r"(selector)                                                                     \
                         : "memory", "cc");                                                                  \
        (u32) !refused_;                                                                                     \
    })
#define USE_SEGMENT(reg, selector, address)                                                                  \
    ({                                                                                                       \
        u32 refused_ = 1, value_;                                                                            \
        __asm__ volatile("pushl %%" reg "\n\tmovl %2, %%" reg "\n1:\tmovl %%" reg                            \
                         ":(%3), %1\n\txorl %0, %0\n2:\tpopl %%" reg "\n\t" EX_TABLE("1b", "2b")             \
                         : "+r"(refused_), "=&r"(value_)                                                     \
                         : "r"(selector), "r"(address)                                                       \
                         : "memory", "cc");                                                                  \
        (u32) !refused_;                                                                                     \
    })

static void null_selector(void)
{
    unsigned long flags = local_irq_save();
    u32 nr_loaded = 0, nr_used = 0;
    for (u32 null = 0; null < 4; null++) {
        nr_loaded += LOAD_SEGMENT("ds", null);
        nr_loaded += LOAD_SEGMENT("es", null);
        nr_loaded += LOAD_SEGMENT("fs", null);
        nr_loaded += LOAD_SEGMENT("gs", null);
        nr_used += USE_SEGMENT("ds", null, &first_word);
        nr_used += USE_SEGMENT("es", null, &first_word);
        nr_used += USE_SEGMENT("fs", null, &first_word);
        nr_used += USE_SEGMENT("gs", null, &first_word);
    }
    lab_check(nr_loaded == 16, "selectors 0 to 3 are null (index 0): DS, ES, FS and GS take each of them");
    if (lk_probe()) /* QEMU lets them be used */
        lab_check(nr_used == 0, "an access by a register that is null faults, each of 16");
    lab_check(USE_SEGMENT("ds", __KERNEL_DS, &first_word), "by the kernel's data segment it does not");
    lab_check(!LOAD_SEGMENT("ss", 0), "SS cannot be null: refused when it is loaded");

    const struct desc_struct old = *gdt_entry(0);
    set_gdt_entry(0, make_desc(0, 0xFFFFF, DESC_KERNEL_DATA));
    bool is_loaded = load_fs(0);
    u32 value;
    if (lk_probe())
        lab_check(is_loaded && !read_by_fs((u32)&first_word, &value),
                  "with a descriptor in the GDT's first entry, it still faults: that entry is never read");
    lab_check(get_desc_type(gdt_entry(0)) == 2, "nor marked as accessed");
    set_gdt_entry(0, old);
    local_irq_restore(flags);
}
LAB("null-selector", null_selector);
