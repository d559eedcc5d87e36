/*
 * A core with nothing around it but RAM, caches and TLBs, for tests: three kinds of it run the same bytes.
 * What it asks of the board is folded into one number, so that two cores can be compared by it.
 */
#ifndef LK_TESTS_CORE_FIXTURE_H
#define LK_TESTS_CORE_FIXTURE_H

#include "cache/hierarchy.h"
#include "cpu/cpu.h"
#include "cpu/decode.h"
#include "tlb/tlb_config.h"

#include <stdlib.h>
#include <string.h>

enum core_kind { CORE_FUNCTIONAL, CORE_INORDER, CORE_WATCHED, NR_CORE_KINDS };

#ifndef CORE_RAM_BYTES /* a test that needs more says so before */
#define CORE_RAM_BYTES (512 << 10)
#endif

struct core {
    struct cfg *cfg;
    struct ram ram;
    struct dram *dram;
    struct cache_hierarchy caches;
    struct tlb *itlb, *dtlb, *l2_tlb, *structure[NR_TLB_STRUCTURES];
    struct cpu *cpu;
    struct cpu_observer observer; /* of a watched one; the caller may fill it in */
    uint64_t board_hash;          /* of all port and device accesses, in order */
    uint16_t interrupt_port;      /* a write to it raises the interrupt line; 0: none does */
    bool interrupts_on_overflow;  /* of a performance counter: it raises the interrupt line */
    uint8_t vector;               /* what an interrupt acknowledge answers */
};

static inline uint64_t core_fold(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15;
    return hash ^ hash >> 29;
}

static inline uint64_t core_port_read(void *opaque, uint16_t port, unsigned size, cycle_t now)
{
    struct core *core = opaque;
    (void)now;
    core->board_hash = core_fold(core->board_hash, (uint64_t)size << 32 | port);
    return core->board_hash & ((1ull << size * 8) - 1);
}

static inline void core_port_write(void *opaque, uint16_t port, unsigned size, uint64_t value, cycle_t now)
{
    struct core *core = opaque;
    (void)now;
    core->board_hash = core_fold(core_fold(core->board_hash, (uint64_t)size << 40 | port), value);
    if (port == core->interrupt_port && port != 0)
        cpu_set_interrupt_line(core->cpu, true);
}

static inline uint64_t core_memory_read(void *opaque, struct paddr at, unsigned size, cycle_t now)
{
    struct core *core = opaque;
    (void)now;
    core->board_hash = core_fold(core->board_hash, at.v << 4 | size);
    uint64_t value = core_fold(at.v, 1);
    return size == 8 ? value : value & ((1ull << size * 8) - 1);
}

static inline void core_memory_write(void *opaque, struct paddr at, unsigned size, uint64_t value,
                                     cycle_t now)
{
    struct core *core = opaque;
    (void)now;
    core->board_hash = core_fold(core_fold(core->board_hash, at.v << 5 | size), value);
}

static inline unsigned core_acknowledge(void *opaque, cycle_t now)
{
    struct core *core = opaque;
    (void)now;
    cpu_set_interrupt_line(core->cpu, false);
    return core->vector;
}

static inline void core_performance_interrupt(void *opaque, cycle_t now)
{
    struct core *core = opaque;
    (void)now;
    if (core->interrupts_on_overflow)
        cpu_set_interrupt_line(core->cpu, true);
}

static inline bool core_is_ram(void *opaque, struct paddr page)
{
    (void)opaque;
    return page.v < CORE_RAM_BYTES;
}

static inline void core_create_hierarchy(struct core *core, const struct config *c)
{
    struct dram_params dram = dram_params_of(c);
    struct tlb_params itlb = tlb_l1i_params(c), dtlb = tlb_l1d_params(c), l2_tlb = tlb_l2_params(c);
    core->dram = dram_create(&dram);
    if (!core->dram || !cache_hierarchy_create(&core->caches, c, core->dram))
        abort();
    core->itlb = tlb_create(&itlb);
    core->dtlb = tlb_create(&dtlb);
    core->l2_tlb = tlb_create(&l2_tlb);
    for (unsigned i = 0; i < NR_TLB_STRUCTURES; i++) {
        struct tlb_params params;
        if (tlb_structure_params(c, i, &params))
            core->structure[i] = tlb_create(&params);
    }
}

/*
 * `settings` are lines of a command line (cpu.width=1), the last one NULL. Aborts where the host has no
 * memory.
 */
static inline void core_init(struct core *core, enum core_kind kind, const char *const *settings)
{
    struct diag diag;
    memset(core, 0, sizeof *core);
    diag_init(&diag);
    core->cfg = cfg_create();
    bool is_good =
        core->cfg &&
        cfg_set(core->cfg, kind == CORE_FUNCTIONAL ? "cpu.model=functional" : "cpu.model=inorder", &diag);
    for (; is_good && settings && *settings; settings++)
        is_good = cfg_set(core->cfg, *settings, &diag);
    if (!is_good || !cfg_check(core->cfg, &diag) || !ram_init(&core->ram, CORE_RAM_BYTES))
        abort();
    diag_fini(&diag);
    if (kind != CORE_FUNCTIONAL)
        core_create_hierarchy(core, cfg_values(core->cfg));
    struct cpu_params params = {
        .config = cfg_values(core->cfg),
        .ram = &core->ram,
        .board = {.opaque = core,
                  .port_read = core_port_read,
                  .port_write = core_port_write,
                  .memory_read = core_memory_read,
                  .memory_write = core_memory_write,
                  .acknowledge = core_acknowledge,
                  .performance_interrupt = core_performance_interrupt},
        .itlb = core->itlb,
        .dtlb = core->dtlb,
        .l2_tlb = core->l2_tlb,
        .structure = {core->structure[0], core->structure[1], core->structure[2], core->structure[3]},
        .l1i = core->caches.l1i,
        .l1d = core->caches.l1d,
        .walk_cache = cache_hierarchy_walk(&core->caches, cfg_values(core->cfg)),
        .observer = kind == CORE_WATCHED ? &core->observer : NULL,
        .is_ram = core_is_ram,
    };
    core->cpu = cpu_create(&params);
    if (!core->cpu)
        abort();
}

static inline void core_fini(struct core *core)
{
    cpu_destroy(core->cpu);
    if (core->caches.l1d) {
        cache_hierarchy_destroy(&core->caches);
        dram_destroy(core->dram);
        tlb_destroy(core->itlb);
        tlb_destroy(core->dtlb);
        tlb_destroy(core->l2_tlb);
        for (unsigned i = 0; i < NR_TLB_STRUCTURES; i++)
            tlb_destroy(core->structure[i]);
    }
    ram_fini(&core->ram);
    cfg_destroy(core->cfg);
}

static inline void core_put(struct core *core, uint32_t at, const void *bytes, size_t nr_bytes)
{
    if (!ram_write(&core->ram, paddr(at), bytes, nr_bytes))
        abort();
    cpu_code_written(core->cpu, paddr(at), nr_bytes);
}

static inline void core_put32(struct core *core, uint32_t at, uint32_t value)
{
    core_put(core, at, &value, sizeof value);
}

static inline void core_put64(struct core *core, uint32_t at, uint64_t value)
{
    core_put(core, at, &value, sizeof value);
}

static inline uint32_t core_get32(const struct core *core, uint32_t at)
{
    uint32_t value = 0;
    if (!ram_read(&core->ram, paddr(at), &value, sizeof value))
        abort();
    return value;
}

/*
 * A descriptor's eight bytes (SDM 3A figure 3-8). `rights`: P, DPL, S, type as in bits 47-40; `flags`: G, D,
 * L, AVL.
 */
static inline uint64_t core_descriptor(uint32_t base, uint32_t limit, unsigned rights, unsigned flags)
{
    return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)rights << 40 |
           (uint64_t)(limit >> 16 & 15) << 48 | (uint64_t)flags << 52 | (uint64_t)(base >> 24) << 56;
}

static inline uint64_t core_gate(uint16_t selector, uint32_t offset, unsigned rights)
{
    return (offset & 0xffff) | (uint64_t)selector << 16 | (uint64_t)rights << 40 |
           (uint64_t)(offset >> 16) << 48;
}

/* A register as a load of this descriptor leaves it. */
static inline struct segment core_segment(uint16_t selector, uint64_t raw)
{
    return (struct segment){selector, true, segment_decode(raw)};
}

#endif
