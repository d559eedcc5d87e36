/*
 * Our CPU. The case runs at CPL 3 with paging on; what follows it is UD2, so that every case ends in an
 * exception, whose handler writes to a port to stop the core. Before, code at CPL 0 touches the data (so that
 * accesses then hit, or not) and loads all registers by POPA and IRET.
 */
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu_internal.h"
#include "tests/oracle/host.h"

/*
 * Physical addresses; the first 128 KiB lie at the same linear ones, and only the code pages are the user's.
 */
enum {
    RAM_BYTES = 8 << 20,
    DIRECTORY = 0x1000,
    LOW_TABLE = 0x2000,
    DATA_TABLE = 0x3000,
    CODE_TABLE = 0x4000,
    GDT = 0x5000,
    LDT = 0x5800,
    IDT = 0x6000,
    TSS = 0x7000,
    ENTRY_FRAME = 0x7800, /* what POPA and IRET pop */
    STACK_TOP = 0x9000,
    STUB = 0x9000,
    HANDLER = 0x9100,
    LOW_PAGES = 32,
    CODE = 0x20000,
    DATA = 0x400000,

    CODE0 = 0x08,
    DATA0 = 0x10,
    TASK = 0x38,
    LDT_ENTRY = 0x40,
    NR_VECTORS = 32,
    STOP_PORT = 0x80,
    MAX_CYCLES = 500000,
    AROUND = 6, /* instructions: two ORs, POPA and IRET; OUT and JMP */
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

static void make_pages(struct ours *ours)
{
    enum { SUPERVISOR = PTE_P | PTE_RW | PTE_A | PTE_D, USER = SUPERVISOR | PTE_US };
    put32(ours, DIRECTORY, LOW_TABLE | USER);
    put32(ours, DIRECTORY + (HOST_DATA >> 22) * 4, DATA_TABLE | USER);
    put32(ours, DIRECTORY + (HOST_CODE >> 22) * 4, CODE_TABLE | USER);
    for (uint32_t page = 0; page < LOW_PAGES; page++)
        put32(ours, LOW_TABLE + page * 4, page << PAGE_SHIFT | SUPERVISOR);
    for (uint32_t page = 0; page < HOST_DATA_PAGES; page++) {
        uint32_t rights = page == HOST_READ_ONLY_PAGE ? USER & ~PTE_RW : USER;
        if (page != HOST_ABSENT_PAGE)
            put32(ours, DATA_TABLE + page * 4, (DATA + (page << PAGE_SHIFT)) | rights);
    }
    for (uint32_t page = 0; page < HOST_CODE_BYTES >> PAGE_SHIFT; page++)
        put32(ours, CODE_TABLE + ((HOST_CODE >> PAGE_SHIFT & 0x3ff) + page) * 4,
              (CODE + (page << PAGE_SHIFT)) | USER);
}

static uint64_t raw_descriptor(uint32_t base, uint32_t limit, uint8_t rights, uint8_t size_flags)
{
    return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)rights << 40 |
           (uint64_t)(limit >> 16 & 0xf) << 48 | (uint64_t)size_flags << 52 | (uint64_t)(base >> 24) << 56;
}

static void make_tables(struct ours *ours)
{
    /* or b ss:[esi],0; or b ss:[edi],0; popa; iret */
    static const uint8_t stub[] = {0x36, 0x80, 0x0e, 0, 0x36, 0x80, 0x0f, 0, 0x61, 0xcf};
    static const uint8_t handler[] = {0xe6, STOP_PORT, 0xeb, 0xfc}; /* out; jmp back */
    put64(ours, GDT + CODE0, 0x00cf9b000000ffff);
    put64(ours, GDT + DATA0, 0x00cf93000000ffff);
    put64(ours, GDT + (HOST_CODE32 & SELECTOR_INDEX), 0x00cffb000000ffff);
    put64(ours, GDT + (HOST_DATA32 & SELECTOR_INDEX), 0x00cff3000000ffff);
    put64(ours, GDT + LDT_ENTRY, raw_descriptor(LDT, 0x7f, 0x82, 0));
    put64(ours, LDT + (HOST_CODE16 & SELECTOR_INDEX), raw_descriptor(HOST_CODE, 0xffff, 0xfb, 0));
    put64(ours, LDT + (HOST_DATA16 & SELECTOR_INDEX), raw_descriptor(HOST_DATA, 0xffff, 0xf3, 0));
    put64(ours, LDT + (HOST_WINDOWED & SELECTOR_INDEX), raw_descriptor(HOST_DATA + 0x100, 0x11ff, 0xf3, 4));
    put64(ours, LDT + (HOST_DOWNWARD & SELECTOR_INDEX), raw_descriptor(HOST_DATA, 0x10ff, 0xf7, 4));
    put64(ours, LDT + (HOST_UNWRITABLE & SELECTOR_INDEX), raw_descriptor(HOST_DATA, 0xfffff, 0xf1, 12));
    for (uint32_t vector = 0; vector < NR_VECTORS; vector++)
        put64(ours, IDT + vector * 8, (uint64_t)CODE0 << 16 | HANDLER | 0x8e00ull << 32);
    put32(ours, TSS + 4, STACK_TOP);
    put32(ours, TSS + 8, DATA0);
    ram_write(&ours->ram, paddr(STUB), stub, sizeof stub);
    ram_write(&ours->ram, paddr(HANDLER), handler, sizeof handler);
}

static struct segment segment_from(struct ours *ours, uint16_t selector)
{
    uint64_t raw = 0;
    uint32_t table = selector & SELECTOR_TI ? LDT : GDT;
    ram_read(&ours->ram, paddr(table + (selector & SELECTOR_INDEX)), &raw, sizeof raw);
    return (struct segment){selector, selector > SELECTOR_RPL, segment_decode(raw)};
}

static void make_entry(struct ours *ours)
{
    struct cpu_state *entry = &ours->entry;
    *entry = (struct cpu_state){
        .rip = STUB,
        .rflags = 2,
        .cr0 = CR0_PE | CR0_MP | CR0_NE | CR0_WP | CR0_AM | CR0_PG,
        .cr3 = DIRECTORY,
        .cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT,
        .gdt_base = GDT,
        .gdt_limit = LDT_ENTRY + 7,
        .idt_base = IDT,
        .idt_limit = NR_VECTORS * 8 - 1,
    };
    entry->fpu = cpu_fpu_initial();
    entry->mxcsr = CPU_MXCSR_INITIAL;
    entry->ldtr = segment_from(ours, LDT_ENTRY);
    entry->tr = (struct segment){
        TASK, true, {.base = TSS, .limit_bytes = 0x67, .type = SYSTEM_TSS_BUSY, .is_present = true}};
    entry->gpr[CPU_SP] = ENTRY_FRAME;
}

/* The stub uses flat CS and SS of its own; the others stay what they are in the case. */
static void put_segments(struct ours *ours, const struct host_case *c)
{
    struct segment *segment = ours->entry.segment;
    for (unsigned seg = 0; seg < DEC_NR_SEGS; seg++)
        segment[seg] = segment_from(ours, c->selector[seg]);
    segment[DEC_SEG_SS] = segment_from(ours, DATA0);
    segment[DEC_SEG_CS] = segment_from(ours, CODE0);
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
    make_pages(ours);
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
    uint32_t room = HOST_CODE_BYTES - c->code_offset, nr = room < sizeof code ? room : sizeof code;
    for (unsigned i = 0; i < sizeof code; i++)
        code[i] = i < c->length ? c->bytes[i] : (i - c->length) % 2 ? 0x0b : 0x0f;
    ram_write(&ours->ram, paddr(CODE + c->code_offset), code, nr);
    cpu_code_written(ours->cpu, paddr(CODE + c->code_offset), nr);
}

/* An address that the stub can write to. */
static uint32_t touchable(uint64_t address)
{
    uint64_t page = (address - HOST_DATA) >> PAGE_SHIFT;
    bool is_writable = page < HOST_DATA_PAGES && page != HOST_READ_ONLY_PAGE && page != HOST_ABSENT_PAGE;
    return is_writable ? (uint32_t)address : HOST_DATA;
}

/* The pages of the stub's two ORs, and the frame that it pops. */
static void put_entry(struct ours *ours, const struct host_case *c)
{
    static const unsigned popa_order[8] = {CPU_DI, CPU_SI, CPU_BP, CPU_SP, CPU_BX, CPU_DX, CPU_CX, CPU_AX};
    uint32_t at = ENTRY_FRAME;
    ours->entry.gpr[CPU_SI] = touchable(c->touched[0]);
    ours->entry.gpr[CPU_DI] = touchable(c->touched[1]);
    for (unsigned i = 0; i < 8; i++, at += 4)
        put32(ours, at, (uint32_t)c->gpr[popa_order[i]]);
    const uint32_t frame[] = {c->mode == DEC_16 ? c->code_offset : HOST_CODE + c->code_offset,
                              c->mode == DEC_16 ? HOST_CODE16 : HOST_CODE32, (uint32_t)c->flags | 2,
                              (uint32_t)c->gpr[CPU_SP], c->selector[DEC_SEG_SS]};
    for (unsigned i = 0; i < sizeof frame / sizeof *frame; i++, at += 4)
        put32(ours, at, frame[i]);
    put_segments(ours, c);
}

/* Registers that no instruction of the stub loads. */
static void put_fx(struct cpu_state *entry, const union host_fx *fx)
{
    struct fpu *fpu = &entry->fpu;
    unsigned top = fx->status >> 11 & 7;
    *fpu = (struct fpu){.control = fx->control,
                        .status = fx->status,
                        .in_use = fx->tags,
                        .opcode = fx->opcode,
                        .rip = fx->rip,
                        .data = fx->data};
    for (unsigned i = 0; i < 8; i++)
        fpu->reg[(top + i) & 7] = (struct x87_register){fx->st[i].mantissa, fx->st[i].sign_exponent};
    for (unsigned i = 0; i < CPU_NR_XMM; i++)
        memcpy(entry->xmm[i].half, fx->xmm[i], sizeof fx->xmm[i]);
    entry->mxcsr = fx->mxcsr;
}

static void get_fx(const struct cpu_state *state, union host_fx *fx)
{
    const struct fpu *fpu = &state->fpu;
    unsigned top = fpu->status >> 11 & 7;
    *fx = (union host_fx){.control = fpu->control,
                          .status = fpu->status,
                          .tags = fpu->in_use,
                          .opcode = fpu->opcode,
                          .rip = fpu->rip,
                          .data = fpu->data,
                          .mxcsr = state->mxcsr};
    for (unsigned i = 0; i < 8; i++) {
        fx->st[i].mantissa = fpu->reg[(top + i) & 7].mantissa;
        fx->st[i].sign_exponent = fpu->reg[(top + i) & 7].sign_exponent;
    }
    for (unsigned i = 0; i < CPU_NR_XMM; i++)
        memcpy(fx->xmm[i], state->xmm[i].half, sizeof fx->xmm[i]);
}

bool ours_can_run(enum dec_mode mode)
{
    return mode != DEC_64;
}

/* Returns how far it ran beyond the end of a slice, at most. */
static uint64_t run_slices(struct ours *ours, unsigned slice_cycles)
{
    cycle_t end = cpu_now(ours->cpu) + MAX_CYCLES;
    enum cpu_stop stop = CPU_STOP_DEADLINE;
    uint64_t late_cycles = 0;
    ours->has_stopped = false;
    while (!ours->has_stopped && stop == CPU_STOP_DEADLINE && cpu_now(ours->cpu) < end) {
        cycle_t deadline = slice_cycles ? cpu_now(ours->cpu) + slice_cycles : end;
        stop = cpu_run(ours->cpu, deadline);
        cycle_t now = cpu_now(ours->cpu);
        if (!ours->has_stopped && now > deadline && now - deadline > late_cycles)
            late_cycles = now - deadline;
    }
    return late_cycles;
}

static void get_registers(const struct ours *ours, const struct host_case *c, struct host_result *result)
{
    struct cpu_state state = cpu_state(ours->cpu);
    memcpy(result->gpr, state.gpr, sizeof result->gpr);
    result->gpr[CPU_SP] = get32(ours, STACK_TOP - 8);
    result->flags = get32(ours, STACK_TOP - 12);
    for (unsigned seg = 0; seg < DEC_NR_SEGS; seg++)
        result->selector[seg] = state.segment[seg].selector;
    result->selector[DEC_SEG_SS] = (uint16_t)get32(ours, STACK_TOP - 4);
    result->fs_base = state.segment[DEC_SEG_FS].hidden.base;
    result->gs_base = state.segment[DEC_SEG_GS].hidden.base;
    if (c->has_fx)
        get_fx(&state, &result->fx);
}

/* How it ended: with the UD2 behind the case, or with an exception of its own. */
static void get_end(const struct host_case *c, const struct cpu_fault_record *fault,
                    struct host_result *result)
{
    uint64_t code = c->mode == DEC_16 ? c->code_offset : HOST_CODE + c->code_offset,
             behind = code + c->length;
    result->is_taken = fault->vector == EXCP_UD && fault->rip == behind + HOST_JUMP_BYTES;
    if (fault->vector == EXCP_UD && (fault->rip == behind || result->is_taken))
        return;
    result->vector = fault->vector;
    result->rip = fault->rip;
    result->error_code = fault->error_code;
    result->cr2 = fault->cr2;
}

void ours_run(struct ours *ours, const struct host_case *c, struct host_result *result)
{
    put_code(ours, c);
    put_entry(ours, c);
    for (unsigned i = 0; i < HOST_WINDOWS; i++)
        memcpy(ours_data(ours) + c->window[i].at, c->window[i].bytes, c->window[i].nr_bytes);
    uint64_t exceptions = cpu_stats(ours->cpu)->exceptions;
    uint64_t instructions = cpu_stats(ours->cpu)->instructions;
    if (c->has_fx)
        put_fx(&ours->entry, &c->fx);
    cpu_set_state(ours->cpu, &ours->entry);
    *result = (struct host_result){.vector = HOST_NO_VECTOR};
    result->late_cycles = run_slices(ours, c->slice_cycles);
    result->nr_instructions = cpu_stats(ours->cpu)->instructions - instructions - AROUND;

    struct cpu_fault_record fault[CPU_FAULT_HISTORY];
    bool is_one = cpu_fault_history(ours->cpu, fault) && cpu_stats(ours->cpu)->exceptions == exceptions + 1;
    if (!ours->has_stopped || !is_one || cpu_state(ours->cpu).rip - HANDLER > 4) {
        result->is_lost = true;
        return;
    }
    get_registers(ours, c, result);
    get_end(c, &fault[0], result);
}
