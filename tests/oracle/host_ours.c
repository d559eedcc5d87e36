/*
 * Our CPU. The instruction runs at CPL 3 with paging on; what follows it is UD2, so that every case ends in
 * an exception, whose handler writes to a port to stop the core. Before, code at CPL 0 touches the data (so
 * that accesses then hit, or not) and loads all registers by POPA and IRET.
 */
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/decode.h"
#include "tests/oracle/host_cpu.h"

enum {
    RAM_BYTES = 8 << 20,
    DIRECTORY = 0x1000,
    LOW_TABLE = 0x2000,
    DATA_TABLE = 0x3000,
    GDT = 0x4000,
    IDT = 0x5000,
    TSS = 0x6000,
    ENTRY_FRAME = 0x7800, /* what POPA and IRET pop */
    STACK_TOP = 0x8000,
    STUB = 0x9000,
    HANDLER = 0x9100,
    CODE = 0x10000, /* two pages */
    DATA = 0x400000,

    CODE0 = 0x08,
    DATA0 = 0x10,
    CODE3 = 0x1b,
    DATA3 = 0x23,
    TASK = 0x28,
    NR_VECTORS = 32,
    VECTOR_UD = 6,
    STOP_PORT = 0x80,
    MAX_CYCLES = 500000,
};

struct ours {
    struct cfg *cfg;
    struct ram ram;
    struct dram *dram;
    struct cache *l2, *l1i, *l1d;
    struct tlb *itlb, *dtlb, *l2_tlb;
    struct cpu *cpu;
    struct cpu_state entry; /* where every case begins */
    bool has_stopped;       /* the handler has been reached */
};

static void put32(struct ours *ours, uint32_t at, uint32_t v)
{
    ram_write(&ours->ram, paddr(at), &v, sizeof v);
}

static uint32_t get32(const struct ours *ours, uint32_t at)
{
    uint32_t v = 0;
    ram_read(&ours->ram, paddr(at), &v, sizeof v);
    return v;
}

static void put64(struct ours *ours, uint32_t at, uint64_t v)
{
    ram_write(&ours->ram, paddr(at), &v, sizeof v);
}

static uint64_t port_read(void *opaque, uint16_t port, unsigned size, cycle_t now)
{
    (void)opaque, (void)port, (void)size, (void)now;
    return 0;
}

static void port_write(void *opaque, uint16_t port, unsigned size, uint64_t value, cycle_t now)
{
    struct ours *ours = opaque;
    (void)port, (void)size, (void)value, (void)now;
    ours->has_stopped = true;
    cpu_request_stop(ours->cpu);
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

static struct cache *make_cache(uint64_t size_bytes, uint64_t nr_ways, uint64_t line_bytes, cycle_t latency,
                                enum served_by level, struct cache *below, struct dram *dram)
{
    struct cache_params params = {size_bytes, nr_ways, line_bytes, latency};
    return cache_create(&params, level, below, dram);
}

static struct tlb *make_tlb(uint64_t entries, uint64_t ways, uint64_t large_entries, uint64_t large_ways)
{
    struct tlb_params params = {
        .nr_arrays = 2,
        .array = {{entries, ways, TLB_PAGE_4K}, {large_entries, large_ways, TLB_PAGE_4M}},
    };
    return tlb_create(&params);
}

static bool make_hierarchy(struct ours *ours, const struct config *c)
{
    struct dram_params dram = {
        .nr_banks = c->dram_banks,
        .row_bytes = c->dram_row_bytes,
        .row_hit_cycles = c->dram_row_hit_cycles,
        .row_miss_cycles = c->dram_row_miss_cycles,
        .row_conflict_cycles = c->dram_row_conflict_cycles,
        .burst_cycles = c->dram_burst_cycles,
    };
    struct tlb_params l2_tlb = {
        .nr_arrays = 1,
        .array = {{c->tlb_l2_entries, c->tlb_l2_ways, TLB_PAGE_4K | TLB_PAGE_4M}},
    };
    ours->dram = dram_create(&dram);
    ours->l2 = make_cache(c->cache_l2_size_bytes, c->cache_l2_ways, c->cache_l2_line_bytes,
                          c->cache_l2_latency_cycles, SERVED_BY_L2, NULL, ours->dram);
    ours->l1i = make_cache(c->cache_l1i_size_bytes, c->cache_l1i_ways, c->cache_l1i_line_bytes,
                           c->cache_l1i_latency_cycles, SERVED_BY_L1, ours->l2, NULL);
    ours->l1d = make_cache(c->cache_l1d_size_bytes, c->cache_l1d_ways, c->cache_l1d_line_bytes,
                           c->cache_l1d_latency_cycles, SERVED_BY_L1, ours->l2, NULL);
    ours->itlb =
        make_tlb(c->tlb_l1i_entries, c->tlb_l1i_ways, c->tlb_l1i_large_entries, c->tlb_l1i_large_ways);
    ours->dtlb =
        make_tlb(c->tlb_l1d_entries, c->tlb_l1d_ways, c->tlb_l1d_large_entries, c->tlb_l1d_large_ways);
    ours->l2_tlb = tlb_create(&l2_tlb);
    return ours->dram && ours->l2 && ours->l1i && ours->l1d && ours->itlb && ours->dtlb && ours->l2_tlb;
}

static void make_tables(struct ours *ours)
{
    enum { SUPERVISOR = PTE_P | PTE_RW | PTE_A | PTE_D, USER = SUPERVISOR | PTE_US };
    static const uint8_t stub[] = {0x80, 0x0e, 0,    0x80,
                                   0x0f, 0,    0x61, 0xcf};         /* or b[esi],0; or b[edi],0; popa; iret */
    static const uint8_t handler[] = {0xe6, STOP_PORT, 0xeb, 0xfc}; /* out; jmp back */
    put32(ours, DIRECTORY, LOW_TABLE | USER);
    put32(ours, DIRECTORY + (HOST_DATA >> 22) * 4, DATA_TABLE | USER);
    for (uint32_t page = 0; page < 32; page++)
        put32(ours, LOW_TABLE + page * 4,
              page << PAGE_SHIFT | (page << PAGE_SHIFT >= CODE ? USER : SUPERVISOR));
    for (uint32_t page = 0; page < HOST_DATA_BYTES >> PAGE_SHIFT; page++)
        put32(ours, DATA_TABLE + page * 4, (DATA + (page << PAGE_SHIFT)) | USER);
    put64(ours, GDT + CODE0, 0x00cf9b000000ffff);
    put64(ours, GDT + DATA0, 0x00cf93000000ffff);
    put64(ours, GDT + (CODE3 & SELECTOR_INDEX), 0x00cffb000000ffff);
    put64(ours, GDT + (DATA3 & SELECTOR_INDEX), 0x00cff3000000ffff);
    for (uint32_t vector = 0; vector < NR_VECTORS; vector++)
        put64(ours, IDT + vector * 8, (uint64_t)CODE0 << 16 | HANDLER | 0x8e00ull << 32);
    put32(ours, TSS + 4, STACK_TOP);
    put32(ours, TSS + 8, DATA0);
    ram_write(&ours->ram, paddr(STUB), stub, sizeof stub);
    ram_write(&ours->ram, paddr(HANDLER), handler, sizeof handler);
}

static struct segment flat(uint16_t selector, uint8_t type)
{
    struct descriptor hidden = {.limit_bytes = UINT32_MAX,
                                .type = type,
                                .dpl = 0,
                                .is_code_or_data = true,
                                .is_present = true,
                                .is_big = true,
                                .is_granular = true};
    return (struct segment){selector, true, hidden};
}

static void make_entry(struct ours *ours)
{
    struct cpu_state *entry = &ours->entry;
    *entry = (struct cpu_state){
        .rip = STUB,
        .rflags = 2,
        .cr0 = CR0_PE | CR0_WP | CR0_PG,
        .cr3 = DIRECTORY,
        .gdt_base = GDT,
        .gdt_limit = TASK + 7,
        .idt_base = IDT,
        .idt_limit = NR_VECTORS * 8 - 1,
    };
    uint8_t data_type = SEGMENT_WRITABLE | SEGMENT_ACCESSED;
    for (unsigned seg = 0; seg < 6; seg++) {
        entry->segment[seg] = flat(DATA3, data_type);
        entry->segment[seg].hidden.dpl = 3;
    }
    entry->segment[DEC_SEG_SS] = flat(DATA0, data_type);
    entry->segment[DEC_SEG_CS] = flat(CODE0, SEGMENT_CODE | SEGMENT_READABLE | SEGMENT_ACCESSED);
    entry->tr = (struct segment){
        TASK, true, {.base = TSS, .limit_bytes = 0x67, .type = SYSTEM_TSS_BUSY, .is_present = true}};
    entry->gpr[CPU_SP] = ENTRY_FRAME;
}

static bool make_cpu(struct ours *ours, const struct cpu_observer *observer, bool is_timed)
{
    struct cpu_params params = {
        .config = cfg_values(ours->cfg),
        .ram = &ours->ram,
        .board = {ours, port_read, port_write, memory_read, memory_write, acknowledge, NULL},
        .observer = observer,
        .is_ram = is_ram,
    };
    if (is_timed) {
        params.itlb = ours->itlb;
        params.dtlb = ours->dtlb;
        params.l2_tlb = ours->l2_tlb;
        params.l1i = ours->l1i;
        params.l1d = params.walk_cache = ours->l1d;
    }
    ours->cpu = cpu_create(&params);
    return ours->cpu;
}

struct ours *ours_create(enum ours_kind kind)
{
    static const struct cpu_observer nobody = {0};
    struct diag diag;
    struct ours *ours = calloc(1, sizeof *ours);
    bool is_timed = kind != OURS_FUNCTIONAL;
    if (!ours)
        return NULL;
    diag_init(&diag);
    ours->cfg = cfg_create();
    bool is_good =
        ours->cfg && cfg_set(ours->cfg, is_timed ? "cpu.model=inorder" : "cpu.model=functional", &diag) &&
        ram_init(&ours->ram, RAM_BYTES) && (!is_timed || make_hierarchy(ours, cfg_values(ours->cfg))) &&
        make_cpu(ours, kind == OURS_WATCHED ? &nobody : NULL, is_timed);
    diag_fini(&diag);
    if (!is_good) {
        ours_destroy(ours);
        return NULL;
    }
    make_tables(ours);
    make_entry(ours);
    return ours;
}

void ours_destroy(struct ours *ours)
{
    if (!ours)
        return;
    cpu_destroy(ours->cpu);
    if (ours->l1i) {
        cache_destroy(ours->l1i);
        cache_destroy(ours->l1d);
        cache_destroy(ours->l2);
        dram_destroy(ours->dram);
        tlb_destroy(ours->itlb);
        tlb_destroy(ours->dtlb);
        tlb_destroy(ours->l2_tlb);
    }
    if (ours->ram.host)
        ram_fini(&ours->ram);
    if (ours->cfg)
        cfg_destroy(ours->cfg);
    free(ours);
}

uint8_t *ours_data(struct ours *ours)
{
    return ours->ram.host + DATA;
}

uint64_t ours_now(const struct ours *ours)
{
    return cpu_now(ours->cpu);
}

/* Code, with UD2 behind it and where a jump goes. */
static void put_code(struct ours *ours, const struct host_case *c)
{
    uint8_t code[HOST_MAX_LENGTH + HOST_JUMP_BYTES + 2];
    for (unsigned i = 0; i < sizeof code; i++)
        code[i] = i < c->length ? c->bytes[i] : (i - c->length) % 2 ? 0x0b : 0x0f;
    ram_write(&ours->ram, paddr(CODE + c->code_offset), code, sizeof code);
    cpu_code_written(ours->cpu, paddr(CODE + c->code_offset), sizeof code);
}

static uint32_t in_data(uint32_t address)
{
    return address - HOST_DATA < HOST_DATA_BYTES ? address : HOST_DATA;
}

/* The pages of the stub's two ORs, and the frame that it pops. */
static void put_entry(struct ours *ours, const struct host_case *c)
{
    static const unsigned popa_order[8] = {CPU_DI, CPU_SI, CPU_BP, CPU_SP, CPU_BX, CPU_DX, CPU_CX, CPU_AX};
    ours->entry.gpr[CPU_SI] = in_data(c->touched[0]);
    ours->entry.gpr[CPU_DI] = in_data(c->touched[1]);
    uint32_t at = ENTRY_FRAME;
    for (unsigned i = 0; i < 8; i++, at += 4)
        put32(ours, at, c->gpr[popa_order[i]]);
    const uint32_t frame[] = {CODE + c->code_offset, CODE3, c->flags | 2, c->gpr[CPU_SP], DATA3};
    for (unsigned i = 0; i < sizeof frame / sizeof *frame; i++, at += 4)
        put32(ours, at, frame[i]);
}

void ours_run(struct ours *ours, const struct host_case *c, struct host_result *result)
{
    put_code(ours, c);
    put_entry(ours, c);
    memcpy(ours_data(ours) + (c->window_at - HOST_DATA), c->window, HOST_WINDOW_BYTES);
    uint64_t exceptions = cpu_stats(ours->cpu)->exceptions;
    uint64_t instructions = cpu_stats(ours->cpu)->instructions;
    cycle_t end = cpu_now(ours->cpu) + MAX_CYCLES;
    cpu_set_state(ours->cpu, &ours->entry);
    ours->has_stopped = false;
    enum cpu_stop stop = CPU_STOP_DEADLINE;
    uint64_t late_cycles = 0;
    while (!ours->has_stopped && stop == CPU_STOP_DEADLINE && cpu_now(ours->cpu) < end) {
        cycle_t deadline = c->slice_cycles ? cpu_now(ours->cpu) + c->slice_cycles : end;
        stop = cpu_run(ours->cpu, deadline);
        cycle_t now = cpu_now(ours->cpu);
        if (!ours->has_stopped && now > deadline && now - deadline > late_cycles)
            late_cycles = now - deadline;
    }

    struct cpu_fault_record fault[CPU_FAULT_HISTORY];
    struct cpu_state state = cpu_state(ours->cpu);
    *result = (struct host_result){.vector = HOST_NO_VECTOR, .late_cycles = late_cycles};
    bool is_one = cpu_fault_history(ours->cpu, fault) && cpu_stats(ours->cpu)->exceptions == exceptions + 1;
    result->nr_instructions = cpu_stats(ours->cpu)->instructions - instructions;
    if (!ours->has_stopped || !is_one || state.rip - HANDLER > 4) {
        result->is_lost = true;
        return;
    }
    for (unsigned i = 0; i < 8; i++)
        result->gpr[i] = (uint32_t)state.gpr[i];
    result->gpr[CPU_SP] = get32(ours, STACK_TOP - 8);
    result->flags = get32(ours, STACK_TOP - 12);
    uint32_t code = CODE + c->code_offset, rip = (uint32_t)fault[0].rip, behind = code + c->length;
    result->is_taken = rip == behind + HOST_JUMP_BYTES;
    if (fault[0].vector == VECTOR_UD && (rip == behind || result->is_taken))
        return;
    result->vector = fault[0].vector;
    result->error_code = fault[0].error_code;
    result->cr2 = (uint32_t)fault[0].cr2;
    result->is_lost = rip != code;
}
