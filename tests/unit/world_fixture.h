/*
 * Short programs on a bare core, in the functional, the in-order and the watched model, which must all end in
 * the same state. Every vector's handler is an HLT, so that a program ends where its first fault leads, with
 * the frame on the stack for the test to read.
 */
#ifndef LK_TESTS_WORLD_FIXTURE_H
#define LK_TESTS_WORLD_FIXTURE_H

#include "tests/unit/core_fixture.h"

#include <criterion/criterion.h>

enum {
    DIRECTORY = 0x1000,
    TABLE = 0x2000,
    GDT = 0x3000,
    IDT = 0x4000,
    TSS = 0x5000,
    LDT = 0x7000,
    STACK0 = 0x9000,
    HANDLERS = 0xa000,
    CODE = 0x10000,
    DATA = 0x20000,
    GONE = 0x28000, /* a page that is not there, between two that are */
    STACK3 = 0x30000,
    HIGH = 0x400000, /* 4 MiB page */

    CODE0 = 0x08,
    DATA0 = 0x10,
    CODE3 = 0x1b,
    DATA3 = 0x23,
    TASK = 0x28,
    FREE = 0x30, /* descriptors that tests fill in: 0x30, 0x38 ... */
    NR_DESCRIPTORS = 16,
    NR_VECTORS = 64,
    TRAP3 = 0x31, /* a trap gate for ring 3 */
    END3 = 0x30,  /* how ring 3 ends a program */

    DE = 0,
    UD = 6,
    DF = 8,
    TS = 10,
    NP = 11,
    SS = 12,
    GP = 13,
    PF = 14,
};

struct world {
    struct core core[NR_CORE_KINDS];
    struct cpu_state state; /* before: to start with; after: of all three */
    enum cpu_stop stop;
    unsigned vector; /* whose handler it ended in; NR_VECTORS: none */
};

static inline void put(struct world *w, uint32_t at, const void *bytes, size_t nr_bytes)
{
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++)
        core_put(&w->core[kind], at, bytes, nr_bytes);
}

static inline void put32(struct world *w, uint32_t at, uint32_t value)
{
    put(w, at, &value, sizeof value);
}

static inline void put64(struct world *w, uint32_t at, uint64_t value)
{
    put(w, at, &value, sizeof value);
}

static inline uint32_t get32(const struct world *w, uint32_t at)
{
    return core_get32(&w->core[0], at);
}

/* The dword `index` up from the top of the stack it ended on. */
static inline uint32_t frame(const struct world *w, unsigned index)
{
    return get32(w, (uint32_t)w->state.gpr[CPU_SP] + index * 4);
}

#define PROGRAM(w, ...)                                                                                      \
    do {                                                                                                     \
        static const uint8_t bytes_[] = {__VA_ARGS__};                                                       \
        put(w, CODE, bytes_, sizeof bytes_);                                                                 \
    } while (0)

static inline uint32_t pte_of(uint32_t linear)
{
    return TABLE + (linear >> PAGE_SHIFT) * 4;
}

static inline void set_up(struct world *w)
{
    *w = (struct world){.vector = NR_VECTORS};
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++)
        core_init(&w->core[kind], (enum core_kind)kind, NULL);
    put64(w, GDT + CODE0, 0x00cf9b000000ffff);
    put64(w, GDT + DATA0, 0x00cf93000000ffff);
    put64(w, GDT + (CODE3 & ~3), 0x00cffb000000ffff);
    put64(w, GDT + (DATA3 & ~3), 0x00cff3000000ffff);
    put64(w, GDT + TASK, core_descriptor(TSS, 0x67, 0x8b, 0));
    for (unsigned vector = 0; vector < NR_VECTORS; vector++) {
        put64(w, IDT + vector * 8, core_gate(CODE0, HANDLERS + vector * 16, vector == END3 ? 0xee : 0x8e));
        put(w, HANDLERS + vector * 16, "\xf4", 1);
    }
    put64(w, IDT + TRAP3 * 8, core_gate(CODE0, HANDLERS + TRAP3 * 16, 0xef));
    put32(w, TSS + 4, STACK0);
    put32(w, TSS + 8, DATA0);
    put32(w, TSS + 100, 0x68u << 16); /* no I/O bitmap within the limit */
    put32(w, DIRECTORY, TABLE | 7);
    put32(w, DIRECTORY + 4, 0x83);
    for (uint32_t at = 0; at < CORE_RAM_BYTES; at += PAGE_BYTES)
        put32(w, pte_of(at), at | (at == GONE ? 6 : 7));
    w->state = (struct cpu_state){.rip = CODE,
                                  .rflags = 2,
                                  .cr0 = CR0_PE | CR0_PG | CR0_WP,
                                  .cr3 = DIRECTORY,
                                  .cr4 = CR4_PSE,
                                  .gdt_base = GDT,
                                  .gdt_limit = NR_DESCRIPTORS * 8 - 1,
                                  .idt_base = IDT,
                                  .idt_limit = NR_VECTORS * 8 - 1};
    for (unsigned seg = 0; seg < 6; seg++)
        w->state.segment[seg] = core_segment(DATA0, 0x00cf93000000ffff);
    w->state.segment[DEC_SEG_CS] = core_segment(CODE0, 0x00cf9b000000ffff);
    w->state.tr = core_segment(TASK, core_descriptor(TSS, 0x67, 0x8b, 0));
    w->state.gpr[CPU_SP] = STACK0;
}

static inline void enter_ring3(struct world *w)
{
    for (unsigned seg = 0; seg < 6; seg++)
        w->state.segment[seg] = core_segment(DATA3, 0x00cff3000000ffff);
    w->state.segment[DEC_SEG_CS] = core_segment(CODE3, 0x00cffb000000ffff);
    w->state.gpr[CPU_SP] = STACK3;
}

static inline bool is_same_segment(const struct segment *a, const struct segment *b)
{
    return a->selector == b->selector && a->is_usable == b->is_usable &&
           (!a->is_usable ||
            (a->hidden.base == b->hidden.base && a->hidden.limit_bytes == b->hidden.limit_bytes &&
             a->hidden.type == b->hidden.type && a->hidden.dpl == b->hidden.dpl));
}

static inline void expect_agreement(const struct world *w, unsigned kind)
{
    struct cpu_state a = w->state, b = cpu_state(w->core[kind].cpu);
    cr_assert_eq(a.rip, b.rip, "kind %u: rip %lx, not %lx", kind, b.rip, a.rip);
    for (unsigned i = 0; i < 8; i++)
        cr_assert_eq(a.gpr[i], b.gpr[i], "kind %u: register %u", kind, i);
    cr_assert_eq(a.rflags, b.rflags);
    cr_assert_eq(a.cr2, b.cr2);
    for (unsigned seg = 0; seg < 6; seg++)
        cr_assert(is_same_segment(&a.segment[seg], &b.segment[seg]), "kind %u: segment %u", kind, seg);
    cr_assert_arr_eq(w->core[0].ram.host, w->core[kind].ram.host, CORE_RAM_BYTES, "kind %u: memory", kind);
    cr_assert_eq(w->core[0].board_hash, w->core[kind].board_hash);
    cr_assert_eq(cpu_stats(w->core[0].cpu)->instructions, cpu_stats(w->core[kind].cpu)->instructions);
}

/* Runs all three to their end; what a test checks afterwards holds for each of them. */
static inline void run(struct world *w)
{
    enum { ENOUGH_CYCLES = 1000000 };
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++) {
        struct core *core = &w->core[kind];
        cpu_set_state(core->cpu, &w->state);
        do
            w->stop = cpu_run(core->cpu, cpu_now(core->cpu) + ENOUGH_CYCLES);
        while (w->stop == CPU_STOP_DEADLINE && cpu_now(core->cpu) < ENOUGH_CYCLES);
        cpu_settle(core->cpu);
    }
    w->state = cpu_state(w->core[0].cpu);
    expect_agreement(w, CORE_INORDER);
    expect_agreement(w, CORE_WATCHED);
    cr_assert_eq(cpu_now(w->core[CORE_INORDER].cpu), cpu_now(w->core[CORE_WATCHED].cpu));
    cr_assert_arr_eq(cpu_stats(w->core[CORE_INORDER].cpu), cpu_stats(w->core[CORE_WATCHED].cpu),
                     sizeof(struct cpu_stats));
    uint64_t handler = w->state.rip - 1 - HANDLERS;
    if (w->state.rip > HANDLERS && handler < NR_VECTORS * 16 && handler % 16 == 0)
        w->vector = (unsigned)(handler / 16);
}

static inline void tear_down(struct world *w)
{
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++)
        core_fini(&w->core[kind]);
}

#endif
