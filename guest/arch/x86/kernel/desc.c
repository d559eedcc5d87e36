/* GDT, IDT and TSS. */
#include "asm/desc.h"
#include "asm/desc_defs.h"
#include "asm/page.h"
#include "asm/segment.h"
#include "asm/tls.h"
#include "asm/trapnr.h"
#include "printk.h"
#include "sched.h"
#include "seq_file.h"

/*
 * The 32-bit TSS (SDM 3A 7.2.1). The kernel never switches tasks in hardware: the CPU only takes ss0:esp0
 * from here.
 */
struct tss {
    u32 back_link, sp0, ss0, sp1, ss1, sp2, ss2;
    u32 cr3, ip, flags, ax, cx, dx, bx, sp, bp, si, di;
    u32 es, cs, ss, ds, fs, gs, ldt;
    u16 trace, io_bitmap_base;
};

#define GATE_INTERRUPT 0x8E00u /* DPL 0; clears IF */
#define GATE_SYSTEM 0xEE00u    /* DPL 3: user code may use the INT instruction on it */

static struct desc_struct gdt[GDT_ENTRIES] __aligned(8);
static struct desc_struct idt[256] __aligned(8);
static struct tss init_tss;

extern const u32 trap_entries[NR_EXCEPTIONS], irq_entries[NR_IRQS];
extern char entry_INT80_32[];

static struct desc_struct make_gate(u32 offset, u32 attributes)
{
    return (struct desc_struct){
        .a = ((u32)__KERNEL_CS << 16) | (offset & 0xFFFF),
        .b = (offset & 0xFFFF0000) | attributes,
    };
}

void load_tls(const struct task_struct *task)
{
    for (unsigned int i = 0; i < GDT_ENTRY_TLS_ENTRIES; i++)
        gdt[GDT_ENTRY_TLS_MIN + i] = task->thread.tls_array[i];
}

void load_sp0(unsigned long sp0)
{
    init_tss.sp0 = sp0;
}

void __init gdt_init(void)
{
    gdt[GDT_ENTRY_KERNEL_CS] = make_desc(0, 0xFFFFF, DESC_KERNEL_CODE);
    gdt[GDT_ENTRY_KERNEL_DS] = make_desc(0, 0xFFFFF, DESC_KERNEL_DATA);
    gdt[GDT_ENTRY_DEFAULT_USER_CS] = make_desc(0, 0xFFFFF, DESC_USER_CODE);
    gdt[GDT_ENTRY_DEFAULT_USER_DS] = make_desc(0, 0xFFFFF, DESC_USER_DATA);
    gdt[GDT_ENTRY_TSS] = make_desc((u32)&init_tss, sizeof(init_tss) - 1, DESC_TSS);
    init_tss.ss0 = __KERNEL_DS;
    /* A bitmap that begins behind the segment's limit: no port is open to user mode. */
    init_tss.io_bitmap_base = sizeof(init_tss);

    const struct desc_ptr gdtr = {.limit = sizeof(gdt) - 1, .base = (u32)gdt};
    __asm__ volatile("lgdt %0\n\t"
                     "ljmp %1, $1f\n"
                     "1:\tmovl %2, %%ds\n\t"
                     "movl %2, %%es\n\t"
                     "movl %2, %%ss\n\t"
                     "movl %3, %%fs\n\t"
                     "movl %3, %%gs\n\t"
                     "lldt %w3\n\t"
                     "ltr %w4" ::"m"(gdtr),
                     "i"(__KERNEL_CS), "r"(__KERNEL_DS), "r"(0), "r"(GDT_ENTRY_TSS * 8)
                     : "memory");
}

void __init trap_init(void)
{
    for (unsigned int i = 0; i < NR_EXCEPTIONS; i++) {
        bool from_user = i == X86_TRAP_BP || i == X86_TRAP_OF;
        idt[i] = make_gate(trap_entries[i], from_user ? GATE_SYSTEM : GATE_INTERRUPT);
    }
    for (unsigned int i = 0; i < NR_IRQS; i++)
        idt[FIRST_EXTERNAL_VECTOR + i] = make_gate(irq_entries[i], GATE_INTERRUPT);
    idt[IA32_SYSCALL_VECTOR] = make_gate((u32)entry_INT80_32, GATE_SYSTEM);

    const struct desc_ptr idtr = {.limit = sizeof(idt) - 1, .base = (u32)idt};
    __asm__ volatile("lidt %0" ::"m"(idtr));
}

static const char *desc_name(unsigned int index)
{
    switch (index) {
    case GDT_ENTRY_KERNEL_CS:
        return "kernel code";
    case GDT_ENTRY_KERNEL_DS:
        return "kernel data";
    case GDT_ENTRY_DEFAULT_USER_CS:
        return "user code";
    case GDT_ENTRY_DEFAULT_USER_DS:
        return "user data";
    case GDT_ENTRY_TLS_MIN:
    case GDT_ENTRY_TLS_MIN + 1:
    case GDT_ENTRY_TLS_MIN + 2:
        return "thread-local storage";
    case GDT_ENTRY_TSS:
        return "TSS";
    default:
        return "?";
    }
}

void gdt_show(struct seq_file *m)
{
    seq_printf(m, "GDT at %08x, %u entries of 8 bytes (empty ones left out):\n", (u32)gdt, GDT_ENTRIES);
    seq_printf(m, "  index selector     base  limit G type DPL name\n");
    for (unsigned int i = 0; i < GDT_ENTRIES; i++) {
        const struct desc_struct *desc = &gdt[i];
        if (desc->a == 0 && desc->b == 0)
            continue;
        u32 type = get_desc_type(desc), dpl = get_desc_dpl(desc);
        /* Whether a segment was accessed is left out: not every emulator tells a jump from a load there. */
        if (desc->b & DESC_IS_SEGMENT)
            type &= ~DESC_ACCESSED;
        seq_printf(m, "  %5u     %04x %08x %05x  %u %4u %3u %s\n", i, i * 8 + dpl, get_desc_base(desc),
                   get_desc_limit(desc), get_desc_granularity(desc), type, dpl, desc_name(i));
    }
}

void __init show_gdt(void)
{
    seq_print(gdt_show);
}
