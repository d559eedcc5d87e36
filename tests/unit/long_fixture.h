/*
 * The same as world_fixture.h, in IA-32e mode: four-level paging with 2 MiB of identity, 64-bit gates and
 * TSS. Programs begin in 64-bit code of ring 0.
 */
#ifndef LK_TESTS_LONG_FIXTURE_H
#define LK_TESTS_LONG_FIXTURE_H

#include "tests/unit/world_fixture.h"

enum {
    PML4 = 0x40000, /* beside what world_fixture.h lays out: the four levels, a page each */
    PDPT = 0x41000,
    PD = 0x42000,
    PT = 0x43000,
    IST1 = 0x50000,
    IST7 = 0x51000,
    IDT64 = 0x45000, /* 16 bytes a vector */
    STACK1 = 0x52000,

    CODE64 = 0x30, /* ring 0; 0x08 and 0x10 are its 32-bit segments, as before */
    CODE64_3 = 0x3b,
    CODE32_3 = 0x1b,
    TASK64 = 0x40, /* 16 bytes */
    FREE64 = 0x50, /* descriptors that tests fill in */
};

static inline uint64_t get64(const struct world *w, uint32_t at)
{
    return get32(w, at) | (uint64_t)get32(w, at + 4) << 32;
}

/* The qword `index` up from the top of the stack it ended on. */
static inline uint64_t frame64(const struct world *w, unsigned index)
{
    return get64(w, (uint32_t)w->state.gpr[CPU_SP] + index * 8);
}

/* The gate of a vector: `rights` as in bits 47-40 of its first half. */
static inline void put_gate64(struct world *w, uint32_t at, uint16_t selector, uint64_t offset,
                              unsigned rights, unsigned ist)
{
    put64(w, at, core_gate(selector, (uint32_t)offset, rights) | (uint64_t)ist << 32);
    put64(w, at + 8, offset >> 32);
}

static inline void set_up_long(struct world *w)
{
    set_up(w);
    put64(w, PML4, PDPT | 7);
    put64(w, PML4 + 511 * 8, PDPT | 7); /* again at the top of the address space */
    put64(w, PDPT, PD | 7);
    put64(w, PDPT + 511 * 8, PD | 7);
    put64(w, PD, PT | 7);
    put64(w, PD + 511 * 8, PT | 7);
    for (uint64_t at = 0; at < CORE_RAM_BYTES; at += PAGE_BYTES)
        put64(w, PT + (uint32_t)(at >> PAGE_SHIFT) * 8, at | (at == GONE ? 6 : 7));
    put64(w, GDT + CODE64, 0x00af9b000000ffff);
    put64(w, GDT + (CODE64_3 & ~3), 0x00affb000000ffff);
    put64(w, GDT + TASK64, core_descriptor(TSS, 0x67, 0x8b, 0));
    put64(w, GDT + TASK64 + 8, 0);
    for (unsigned vector = 0; vector < NR_VECTORS; vector++)
        put_gate64(w, IDT64 + vector * 16, CODE64, HANDLERS + vector * 16, vector == END3 ? 0xee : 0x8e, 0);
    put_gate64(w, IDT64 + TRAP3 * 16, CODE64, HANDLERS + TRAP3 * 16, 0xef, 0);
    put64(w, TSS + 4, STACK0);
    put64(w, TSS + 12, STACK1);
    put64(w, TSS + 36, IST1);
    put64(w, TSS + 84, IST7);
    w->state.cr3 = PML4;
    w->state.cr4 = CR4_PAE | CR4_PSE;
    w->state.efer = EFER_LME | EFER_LMA | EFER_SCE;
    w->state.idt_base = IDT64;
    w->state.idt_limit = NR_VECTORS * 16 - 1;
    w->state.segment[DEC_SEG_CS] = core_segment(CODE64, 0x00af9b000000ffff);
    w->state.tr = core_segment(TASK64, core_descriptor(TSS, 0x67, 0x8b, 0));
}

static inline void enter_ring3_64(struct world *w)
{
    enter_ring3(w);
    w->state.segment[DEC_SEG_CS] = core_segment(CODE64_3, 0x00affb000000ffff);
}

#endif
