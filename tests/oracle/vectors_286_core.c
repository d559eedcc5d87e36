#include "cpu/cpu.h"
#include "cpu/decode.h"
#include "tests/oracle/vectors_286.h"

#include <stdlib.h>
#include <string.h>

enum { RAM_BYTES = 16 << 20, MAX_CYCLES = 200000, IDT_LIMIT = 0x3ff };

struct vector_core {
    struct cfg *cfg;
    struct ram ram;
    struct dram *dram;
    struct cache *l2, *l1i, *l1d;
    struct tlb *itlb, *dtlb, *l2_tlb;
    struct cpu *cpu;
};

/* Nothing answers: the bus floats high. */
static uint64_t port_read(void *opaque, uint16_t port, unsigned size, cycle_t now)
{
    (void)opaque, (void)port, (void)now;
    return size == 1 ? 0xff : 0xffff;
}

static void port_write(void *opaque, uint16_t port, unsigned size, uint64_t value, cycle_t now)
{
    (void)opaque, (void)port, (void)size, (void)value, (void)now;
}

static uint64_t memory_read(void *opaque, struct paddr at, unsigned size, cycle_t now)
{
    (void)opaque, (void)at, (void)size, (void)now;
    return 0;
}

static void memory_write(void *opaque, struct paddr at, unsigned size, uint64_t value, cycle_t now)
{
    (void)opaque, (void)at, (void)size, (void)value, (void)now;
}

static unsigned acknowledge(void *opaque, cycle_t now)
{
    (void)opaque, (void)now;
    return 0xff;
}

static bool is_ram(void *opaque, struct paddr page)
{
    (void)opaque;
    return page.v < RAM_BYTES;
}

static struct tlb *make_tlb(uint64_t entries, uint64_t ways)
{
    struct tlb_params params = {.nr_arrays = 1,
                                .array = {{entries, ways, TLB_PAGE_4K | TLB_PAGE_4M, TLB_LRU, 1}}};
    return tlb_create(&params);
}

/* Small on purpose: what a case leaves behind seldom helps the next. */
static bool make_hierarchy(struct vector_core *core, const struct config *c)
{
    enum { LINE_BYTES = 64, L1_BYTES = 4096, L2_BYTES = 32768 };
    struct dram_params dram = dram_params_of(c);
    struct cache_params l1 = {.size_bytes = L1_BYTES,
                              .nr_ways = 4,
                              .line_bytes = LINE_BYTES,
                              .latency_cycles = c->cache_l1d_latency_cycles};
    struct cache_params l2 = {.size_bytes = L2_BYTES,
                              .nr_ways = 4,
                              .line_bytes = LINE_BYTES,
                              .latency_cycles = c->cache_l2_latency_cycles};
    core->dram = dram_create(&dram);
    core->l2 = cache_create(&l2, SERVED_BY_L2, NULL, core->dram);
    core->l1i = cache_create(&l1, SERVED_BY_L1, core->l2, NULL);
    core->l1d = cache_create(&l1, SERVED_BY_L1, core->l2, NULL);
    core->itlb = make_tlb(16, 4);
    core->dtlb = make_tlb(16, 4);
    core->l2_tlb = make_tlb(64, 4);
    return core->dram && core->l2 && core->l1i && core->l1d && core->itlb && core->dtlb && core->l2_tlb;
}

struct vector_core *vector_core_create(bool is_timed)
{
    struct diag diag;
    struct vector_core *core = calloc(1, sizeof *core);
    if (!core)
        return NULL;
    diag_init(&diag);
    core->cfg = cfg_create();
    bool is_good =
        core->cfg && cfg_set(core->cfg, is_timed ? "cpu.model=inorder" : "cpu.model=functional", &diag) &&
        ram_init(&core->ram, RAM_BYTES) && (!is_timed || make_hierarchy(core, cfg_values(core->cfg)));
    diag_fini(&diag);
    if (is_good) {
        struct cpu_params params = {
            .config = cfg_values(core->cfg),
            .ram = &core->ram,
            .board = {.opaque = core,
                      .port_read = port_read,
                      .port_write = port_write,
                      .memory_read = memory_read,
                      .memory_write = memory_write,
                      .acknowledge = acknowledge},
            .itlb = core->itlb,
            .dtlb = core->dtlb,
            .l2_tlb = core->l2_tlb,
            .l1i = core->l1i,
            .l1d = core->l1d,
            .walk_cache = core->l1d,
            .is_ram = is_ram,
        };
        core->cpu = cpu_create(&params);
    }
    if (!core->cpu) {
        vector_core_destroy(core);
        return NULL;
    }
    return core;
}

void vector_core_destroy(struct vector_core *core)
{
    cpu_destroy(core->cpu);
    if (core->l1i) {
        cache_destroy(core->l1i);
        cache_destroy(core->l1d);
        cache_destroy(core->l2);
        dram_destroy(core->dram);
        tlb_destroy(core->itlb);
        tlb_destroy(core->dtlb);
        tlb_destroy(core->l2_tlb);
    }
    if (core->ram.host)
        ram_fini(&core->ram);
    if (core->cfg)
        cfg_destroy(core->cfg);
    free(core);
}

/* Where each register of the files is in ours: general registers, then segments. */
static const struct {
    enum vector_register theirs;
    unsigned ours;
} gprs[] =
    {
        {VECTOR_AX, CPU_AX}, {VECTOR_BX, CPU_BX}, {VECTOR_CX, CPU_CX}, {VECTOR_DX, CPU_DX},
        {VECTOR_SP, CPU_SP}, {VECTOR_BP, CPU_BP}, {VECTOR_SI, CPU_SI}, {VECTOR_DI, CPU_DI},
},
  segments[] = {
      {VECTOR_CS, DEC_SEG_CS},
      {VECTOR_SS, DEC_SEG_SS},
      {VECTOR_DS, DEC_SEG_DS},
      {VECTOR_ES, DEC_SEG_ES},
};
enum { NR_GPRS = sizeof gprs / sizeof *gprs, NR_SEGMENTS = sizeof segments / sizeof *segments };

static struct cpu_state start_state(const struct vector_case *c)
{
    struct cpu_state state = {
        .rip = c->before.reg[VECTOR_IP],
        .rflags = (c->before.reg[VECTOR_FLAGS] & VECTOR_FLAGS_286) | 2,
        .idt_limit = IDT_LIMIT,
        .fpu = cpu_fpu_initial(),
    };
    for (unsigned i = 0; i < NR_GPRS; i++)
        state.gpr[gprs[i].ours] = c->before.reg[gprs[i].theirs];
    struct descriptor hidden = {.limit_bytes = UINT16_MAX,
                                .type = SEGMENT_WRITABLE | SEGMENT_ACCESSED,
                                .is_code_or_data = true,
                                .is_present = true};
    for (unsigned i = 0; i < DEC_NR_SEGS; i++)
        state.segment[i] = (struct segment){.is_usable = true, .hidden = hidden};
    for (unsigned i = 0; i < NR_SEGMENTS; i++) {
        struct segment *segment = &state.segment[segments[i].ours];
        segment->selector = c->before.reg[segments[i].theirs];
        segment->hidden.base = (uint64_t)segment->selector << 4;
    }
    return state;
}

static void put_byte(struct vector_core *core, uint32_t at, uint8_t value)
{
    ram_write(&core->ram, paddr(at), &value, 1);
    cpu_code_written(core->cpu, paddr(at), 1);
}

/*
 * Runs to the HLT; in short slices until the first exception, so that the history still has it. After an
 * exception that the case does not know there is no handler to run.
 */
static enum cpu_stop run(struct vector_core *core, const struct vector_case *c, int *exception)
{
    enum { SLICE_CYCLES = 8 };
    struct cpu_fault_record fault[CPU_FAULT_HISTORY];
    uint64_t before = cpu_stats(core->cpu)->exceptions;
    cycle_t end = cpu_now(core->cpu) + MAX_CYCLES;
    enum cpu_stop stop = CPU_STOP_DEADLINE;
    *exception = VECTOR_NO_EXCEPTION;
    while (stop == CPU_STOP_DEADLINE && cpu_now(core->cpu) < end) {
        bool is_first = *exception == VECTOR_NO_EXCEPTION;
        stop = cpu_run(core->cpu, is_first ? cpu_now(core->cpu) + SLICE_CYCLES : end);
        uint64_t nr = cpu_stats(core->cpu)->exceptions - before;
        if (is_first && nr > 0 && nr <= cpu_fault_history(core->cpu, fault))
            *exception = fault[nr - 1].vector;
        if (*exception != VECTOR_NO_EXCEPTION && *exception != c->exception)
            break;
    }
    return stop;
}

void vector_core_run(struct vector_core *core, const struct vector_case *c, struct vector_result *result)
{
    struct cpu_state state = start_state(c);
    for (unsigned i = 0; i < c->before.nr_bytes; i++)
        put_byte(core, c->before.byte[i].at, c->before.byte[i].value);
    cpu_set_state(core->cpu, &state);
    *result = (struct vector_result){0};
    enum cpu_stop stop = run(core, c, &result->exception);
    state = cpu_state(core->cpu);
    result->is_halted = stop == CPU_STOP_HALTED;
    result->is_shut_down = stop == CPU_STOP_SHUTDOWN;
    for (unsigned i = 0; i < NR_GPRS; i++)
        result->reg[gprs[i].theirs] = (uint16_t)state.gpr[gprs[i].ours];
    for (unsigned i = 0; i < NR_SEGMENTS; i++)
        result->reg[segments[i].theirs] = state.segment[segments[i].ours].selector;
    result->reg[VECTOR_IP] = (uint16_t)state.rip;
    result->reg[VECTOR_FLAGS] = (uint16_t)state.rflags;
}

uint8_t vector_core_byte(const struct vector_core *core, uint32_t at)
{
    return core->ram.host[at];
}

void vector_core_clean(struct vector_core *core, const struct vector_case *c)
{
    const struct vector_state *states[] = {&c->before, &c->after};
    for (unsigned s = 0; s < 2; s++)
        for (unsigned i = 0; i < states[s]->nr_bytes; i++)
            put_byte(core, states[s]->byte[i].at, 0);
}

bool vector_core_is_clean(struct vector_core *core, uint32_t *at)
{
    const uint8_t *host = core->ram.host;
    if (host[0] == 0 && memcmp(host, host + 1, RAM_BYTES - 1) == 0)
        return true;
    for (*at = 0; host[*at] == 0;)
        ++*at;
    memset(core->ram.host, 0, RAM_BYTES);
    cpu_code_written(core->cpu, paddr(0), RAM_BYTES);
    return false;
}
