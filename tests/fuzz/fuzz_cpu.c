/*
 * Any bytes as a machine's registers, descriptor tables, page tables and code: run by a functional, an
 * in-order and a watched core. None may crash or hang; the watched one, which is stopped again and again on
 * the way, must end in the state of the in-order one, in the same cycle, with the same counts.
 *
 * Input: two bytes of options, eight registers, the flags, then changes to the tables, each a tag byte below
 * NR_CHANGES and its operands; any other byte begins the code.
 */
#include "tests/unit/core_fixture.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes);

enum {
    DIRECTORY = 0x1000,
    TABLE = 0x2000,
    GDT = 0x3000,
    IDT = 0x4000,
    TSS = 0x5000,
    STUBS = 0x6000,
    LDT = 0x7000,
    STACK0 = 0x9000,
    CODE = 0x10000,
    DATA = 0x20000,
    STACK3 = 0x30000,

    CODE0 = 0x08,
    DATA0 = 0x10,
    CODE3 = 0x1b,
    DATA3 = 0x23,
    TASK = 0x28,
    NR_DESCRIPTORS = 32,
    NR_VECTORS = 48,
    STUB_BYTES = 16,
    TIME_CYCLES = 6000,
    INTERRUPT_PORT = 0x20,
};

enum option {
    OPTION_PAGING = 1,
    OPTION_RING3 = 2,
    OPTION_CODE16 = 4,
    OPTION_REAL = 8,
    OPTION_INTERRUPTS = 16,
    OPTION_LARGE_CACHES = 32,
    OPTION_WIDE = 64,
    OPTION_STACK16 = 128,
    OPTION_WP = 256,
    OPTION_PSE = 512,
    OPTION_PGE = 1024,
    OPTION_WALK_L2 = 2048,
    OPTION_CROSS = 4096, /* the code begins at the end of a page */
};

enum {
    CHANGE_GDT,
    CHANGE_IDT,
    CHANGE_PTE,
    CHANGE_PDE,
    CHANGE_DATA,
    CHANGE_LDT,
    CHANGE_TSS,
    CHANGE_SEGMENT,
    NR_CHANGES
};

struct input {
    const uint8_t *at;
    size_t left;
};

static uint64_t take(struct input *input, size_t nr_bytes)
{
    uint64_t value = 0;
    size_t nr = nr_bytes < input->left ? nr_bytes : input->left;
    memcpy(&value, input->at, nr);
    input->at += nr;
    input->left -= nr;
    return value;
}

static bool has_error_code(unsigned vector)
{
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

/* Handlers step over a byte and go on, so that a run of bad code gets somewhere. */
static void put_tables(struct core *core)
{
    static const uint64_t gdt[] = {0,
                                   0x00cf9b000000ffff,
                                   0x00cf93000000ffff,
                                   0x00cffb000000ffff,
                                   0x00cff3000000ffff,
                                   0x0000890050000067 /* TSS */,
                                   0x000082007000007f /* LDT */,
                                   0x00009b000000ffff /* 16-bit code */,
                                   0x000093000000ffff,
                                   0x00cf9f000000ffff /* conforming */,
                                   0x004097020000ffff /* expand-down */,
                                   0x00cf13000000ffff /* not present */,
                                   0x004092030000000f /* 16 bytes */,
                                   0x00008c0000081000 /* call gate */,
                                   0x0000fb000000ffff,
                                   0x0000f3000000ffff,
                                   0x0000810050000067 /* 16-bit TSS */};
    core_put(core, GDT, gdt, sizeof gdt);
    core_put(core, LDT, gdt + 1, 4 * sizeof *gdt);
    for (unsigned vector = 0; vector < NR_VECTORS; vector++) {
        static const uint8_t stub[] = {0x83, 0xc4, 0x04, 0xff,
                                       0x04, 0x24, 0xcf}; /* add esp,4; inc [esp]; iret */
        uint32_t at = STUBS + vector * STUB_BYTES + (has_error_code(vector) ? 0 : 3);
        core_put(core, STUBS + vector * STUB_BYTES, stub, sizeof stub);
        core_put64(core, IDT + vector * 8,
                   core_gate(CODE0, vector >= 32 ? at + 3 : at, vector == 3 ? 0xef : 0x8e));
    }
    core_put32(core, TSS + 4, STACK0);
    core_put32(core, TSS + 8, DATA0);
    core_put32(core, TSS + 100, 0x68u << 16);
    core_put32(core, DIRECTORY, TABLE | 7);
    core_put32(core, DIRECTORY + 4, 0x87);
    core_put32(core, DIRECTORY + 1023 * 4, TABLE | 7);
    for (uint32_t page = 0; page < CORE_RAM_BYTES >> PAGE_SHIFT; page++)
        core_put32(core, TABLE + page * 4, page << PAGE_SHIFT | (page << PAGE_SHIFT >= CODE ? 7 : 3));
}

static void change(struct core *core, unsigned tag, struct input *input, struct cpu_state *state)
{
    uint8_t bytes[64];
    uint32_t index = (uint32_t)take(input, 1), nr;
    switch (tag) {
    case CHANGE_GDT:
        core_put64(core, GDT + index % NR_DESCRIPTORS * 8, take(input, 8));
        break;
    case CHANGE_IDT:
        core_put64(core, IDT + index % NR_VECTORS * 8, take(input, 8));
        break;
    case CHANGE_PTE:
        core_put32(core, TABLE + index * 4, (uint32_t)take(input, 3));
        break;
    case CHANGE_PDE:
        core_put32(core, DIRECTORY + (index & 3) * 4, (uint32_t)take(input, 4));
        break;
    case CHANGE_DATA:
        nr = index % sizeof bytes;
        index = (uint32_t)take(input, 2);
        for (uint32_t i = 0; i < nr; i++)
            bytes[i] = (uint8_t)take(input, 1);
        core_put(core, DATA + index, bytes, nr);
        break;
    case CHANGE_LDT:
        core_put64(core, LDT + index % 16 * 8, take(input, 8));
        break;
    case CHANGE_TSS:
        core_put32(core, TSS + index % 0x80, (uint32_t)take(input, 4));
        break;
    default: {
        uint64_t raw;
        ram_read(&core->ram, paddr(GDT + (index >> 3) % NR_DESCRIPTORS * 8), &raw, sizeof raw);
        state->segment[(index & 7) % 6] = core_segment((uint16_t)(index & 0xf8), raw | 1ull << 47);
        break;
    }
    }
}

static void set_up(struct core *core, struct input input)
{
    unsigned options = (unsigned)take(&input, 2);
    struct cpu_state state = {.rip = CODE,
                              .cr0 = 0x11,
                              .cr3 = DIRECTORY,
                              .gdt_base = GDT,
                              .gdt_limit = NR_DESCRIPTORS * 8 - 1,
                              .idt_base = IDT,
                              .idt_limit = NR_VECTORS * 8 - 1};
    put_tables(core);
    for (unsigned i = 0; i < 8; i++)
        state.gpr[i] = take(&input, 4);
    state.rflags = (take(&input, 4) & 0x3cffd5 & ~0x20000ull) | 2;
    bool is_ring3 = options & OPTION_RING3;
    uint64_t code = is_ring3 ? 0x00cffb000000ffff : 0x00cf9b000000ffff;
    uint64_t stack = is_ring3 ? 0x00cff3000000ffff : 0x00cf93000000ffff;
    if (options & OPTION_CODE16)
        code &= ~(1ull << 54);
    if (options & OPTION_STACK16)
        stack &= ~(1ull << 54);
    for (unsigned seg = 0; seg < 6; seg++)
        state.segment[seg] = core_segment(is_ring3 ? DATA3 : DATA0, stack | 1ull << 54);
    state.segment[DEC_SEG_CS] = core_segment(is_ring3 ? CODE3 : CODE0, code);
    state.segment[DEC_SEG_SS] = core_segment(is_ring3 ? DATA3 : DATA0, stack);
    state.tr = (struct segment){TASK, true, segment_decode(0x00008b0050000067)};
    state.ldtr = (struct segment){0x30, true, segment_decode(0x000082007000007f)};
    state.gpr[CPU_SP] = (is_ring3 ? STACK3 : STACK0) - (state.gpr[CPU_SP] & 0x1ff);
    if (options & OPTION_PAGING)
        state.cr0 |= CR0_PG;
    if (options & OPTION_WP)
        state.cr0 |= CR0_WP;
    state.cr4 = (options & OPTION_PSE ? CR4_PSE : 0u) | (options & OPTION_PGE ? CR4_PGE : 0u);
    core->vector = 32;
    core->interrupt_port = options & OPTION_INTERRUPTS ? INTERRUPT_PORT : 0;
    while (input.left > 1 && *input.at < NR_CHANGES)
        change(core, (unsigned)take(&input, 1), &input, &state);
    if (options & OPTION_REAL) {
        state.cr0 &= ~(uint64_t)(CR0_PE | CR0_PG);
        state.idt_base = 0;
        state.idt_limit = 0x3ff;
        for (unsigned seg = 0; seg < 6; seg++)
            state.segment[seg] = core_segment(0, 0x000093000000ffff);
        state.segment[DEC_SEG_CS] = core_segment(CODE >> 4, 0x00009b000000ffff | (uint64_t)CODE << 16);
        state.rip = 0;
    }
    if (options & OPTION_CROSS)
        state.rip += PAGE_BYTES - 1 - (state.gpr[CPU_AX] & 31);
    uint32_t at = CODE + (uint32_t)(state.rip & PAGE_MASK);
    size_t nr = input.left < 0x3000 ? input.left : 0x3000;
    core_put(core, at, input.at, nr);
    cpu_set_state(core->cpu, &state);
}

static void fail(const char *what, uint64_t a, uint64_t b)
{
    fprintf(stderr, "%s: %llx and %llx\n", what, (unsigned long long)a, (unsigned long long)b);
    abort();
}

static void expect(const char *what, uint64_t a, uint64_t b)
{
    if (a != b)
        fail(what, a, b);
}

static void expect_same_segment(const char *what, const struct segment *a, const struct segment *b)
{
    expect(what, a->selector, b->selector);
    expect(what, a->is_usable, b->is_usable);
    if (!a->is_usable)
        return;
    expect(what, a->hidden.base, b->hidden.base);
    expect(what, a->hidden.limit_bytes, b->hidden.limit_bytes);
    expect(what, a->hidden.type, b->hidden.type);
    expect(what, a->hidden.dpl, b->hidden.dpl);
    expect(what, a->hidden.is_big, b->hidden.is_big);
}

static void expect_same_state(const struct core *a, const struct core *b)
{
    struct cpu_state x = cpu_state(a->cpu), y = cpu_state(b->cpu);
    expect("rip", x.rip, y.rip);
    for (unsigned i = 0; i < 8; i++)
        expect("register", x.gpr[i], y.gpr[i]);
    expect("flags", x.rflags, y.rflags);
    expect("cr0", x.cr0, y.cr0);
    expect("cr2", x.cr2, y.cr2);
    expect("cr3", x.cr3, y.cr3);
    expect("cr4", x.cr4, y.cr4);
    expect("gdt", x.gdt_base, y.gdt_base);
    expect("idt", x.idt_base, y.idt_base);
    expect("gdt limit", x.gdt_limit, y.gdt_limit);
    expect("idt limit", x.idt_limit, y.idt_limit);
    for (unsigned seg = 0; seg < 6; seg++)
        expect_same_segment("segment", &x.segment[seg], &y.segment[seg]);
    expect_same_segment("tr", &x.tr, &y.tr);
    expect_same_segment("ldtr", &x.ldtr, &y.ldtr);
    expect("board", a->board_hash, b->board_hash);
    if (memcmp(a->ram.host, b->ram.host, CORE_RAM_BYTES) != 0)
        for (uint32_t i = 0; i < CORE_RAM_BYTES; i++)
            if (a->ram.host[i] != b->ram.host[i])
                fail("memory at", i, i);
    expect("exceptions", cpu_stats(a->cpu)->exceptions, cpu_stats(b->cpu)->exceptions);
}

static void expect_same_counts(const struct core *a, const struct core *b)
{
    expect("clock", cpu_now(a->cpu), cpu_now(b->cpu));
#define STAT(name, unit, sentence) expect(#name, cpu_stats(a->cpu)->name, cpu_stats(b->cpu)->name);
#include "cpu/cpu_stats.def"
#undef STAT
#define STAT(name, unit, sentence)                                                                           \
    expect("cache " #name, cache_stats(a->caches.l1d)->name, cache_stats(b->caches.l1d)->name);
#include "cache/cache_stats.def"
#undef STAT
#define STAT(name, unit, sentence) expect("tlb " #name, tlb_stats(a->dtlb)->name, tlb_stats(b->dtlb)->name);
#include "tlb/tlb_stats.def"
#undef STAT
    expect("l1i accesses", cache_stats(a->caches.l1i)->accesses, cache_stats(b->caches.l1i)->accesses);
    expect("l2 accesses", cache_stats(a->caches.l2)->accesses, cache_stats(b->caches.l2)->accesses);
    expect("itlb accesses", tlb_stats(a->itlb)->accesses, tlb_stats(b->itlb)->accesses);
    expect("l2 tlb accesses", tlb_stats(a->l2_tlb)->accesses, tlb_stats(b->l2_tlb)->accesses);
    cycle_t x[NR_REASONS], y[NR_REASONS], sum = 0;
    cpu_cpi_stack(a->cpu, x);
    cpu_cpi_stack(b->cpu, y);
    for (unsigned i = 0; i < NR_REASONS; i++) {
        expect("cpi stack", x[i], y[i]);
        sum += x[i];
    }
    expect("sum of the cpi stack", sum, cpu_now(a->cpu));
}

/* To the deadline in slices, then on until an instruction has retired. */
static enum cpu_stop run_timed(struct core *core, cycle_t slice)
{
    enum cpu_stop stop = CPU_STOP_DEADLINE;
    while (stop == CPU_STOP_DEADLINE && cpu_now(core->cpu) < TIME_CYCLES) {
        cycle_t until = cpu_now(core->cpu) + slice;
        stop = cpu_run(core->cpu, until < TIME_CYCLES ? until : TIME_CYCLES);
    }
    uint64_t before = cpu_stats(core->cpu)->instructions;
    for (unsigned i = 0; i < TIME_CYCLES && stop == CPU_STOP_DEADLINE; i++) {
        if (cpu_stats(core->cpu)->instructions != before)
            break;
        stop = cpu_step(core->cpu);
    }
    return stop;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes)
{
    static const char *const small[] = {"cache.l1d.size=256",
                                        "cache.l1d.ways=2",
                                        "cache.l1d.line=16",
                                        "cache.l1i.size=256",
                                        "cache.l1i.ways=2",
                                        "cache.l1i.line=16",
                                        "cache.l2.size=2KiB",
                                        "cache.l2.ways=2",
                                        "cache.l2.line=16",
                                        "cpu.fetch_bytes=16",
                                        "tlb.l1d.entries=2",
                                        "tlb.l1d.ways=1",
                                        "tlb.l1i.entries=2",
                                        "tlb.l1i.ways=2",
                                        "tlb.l2.entries=3",
                                        "tlb.l2.ways=1",
                                        "tlb.pde.entries=2",
                                        "tlb.pde.ways=1",
                                        NULL,
                                        NULL};
    if (nr_bytes < 8)
        return 0;
    unsigned options = data[0] | (unsigned)data[1] << 8;
    const char *settings[32] = {NULL};
    unsigned nr = 0;
    for (; !(options & OPTION_LARGE_CACHES) && small[nr]; nr++)
        settings[nr] = small[nr];
    settings[nr++] = options & OPTION_WIDE ? "cpu.width=4" : "cpu.width=1";
    settings[nr++] = options & OPTION_WALK_L2 ? "mmu.walk_through=l2" : "mmu.walk_through=l1d";
    settings[nr++] = options & OPTION_WALK_L2 ? "mmu.hit_under_walk=true" : "mmu.walkers=1";
    struct core core[NR_CORE_KINDS];
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++) {
        core_init(&core[kind], (enum core_kind)kind, settings);
        set_up(&core[kind], (struct input){data, nr_bytes});
    }
    enum cpu_stop stop = run_timed(&core[CORE_INORDER], TIME_CYCLES);
    enum cpu_stop stop_watched = run_timed(&core[CORE_WATCHED], data[2] + 1u);
    for (unsigned kind = CORE_INORDER; kind <= CORE_WATCHED; kind++)
        cpu_settle(core[kind].cpu);
    expect("stop", stop, stop_watched);
    expect_same_state(&core[CORE_INORDER], &core[CORE_WATCHED]);
    expect_same_counts(&core[CORE_INORDER], &core[CORE_WATCHED]);
    /*
     * Without TLBs a guest that changes its own page tables sees so at once: its end need not be the others'.
     */
    cpu_run(core[CORE_FUNCTIONAL].cpu, TIME_CYCLES);
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++)
        core_fini(&core[kind]);
    return 0;
}
