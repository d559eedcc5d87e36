/*
 * Our CPU. The case runs at CPL 3 with paging on; what follows it is UD2, so that every case ends in an
 * exception, whose handler writes to a port to stop the core. Before, code at CPL 0 touches the data (so that
 * accesses then hit, or not) and loads all registers by POPA and IRET.
 */
#include <stdlib.h>
#include <string.h>

#include "cache/hierarchy.h"
#include "cpu/cpu_internal.h"
#include "tests/oracle/host.h"
#include "tlb/tlb_config.h"

/* Physical addresses. The first 128 KiB lie at the environment's kernel_base, for CPL 0 only. */
enum {
    RAM_BYTES = 8 << 20,
    DIRECTORY = 0x1000, /* 32-bit page tables */
    KERNEL_TABLE = 0x2000,
    DATA_TABLE = 0x3000,
    CODE_TABLE = 0x4000,
    GDT = 0x5000,
    LDT = 0x5800,
    IDT32 = 0x6000,
    IDT64 = 0x6800,
    TSS32 = 0x7000,
    TSS64 = 0x7200,
    ENTRY_FRAME = 0x7800, /* what the stub pops */
    STACK_TOP = 0x9000,
    STUB32 = 0x9000,
    STUB64 = 0x9100,
    HANDLERS = 0xa000, /* HANDLER_BYTES for each vector */
    LEVEL_4 = 0x10000, /* 64-bit page tables */
    LOW_LEVEL_3 = 0x11000,
    LOW_LEVEL_2 = 0x12000, /* of two GiB */
    HIGH_LEVEL_3 = 0x14000,
    HIGH_LEVEL_2 = 0x15000,
    KERNEL_LEVEL_3 = 0x16000,
    KERNEL_LEVEL_2 = 0x17000,
    DATA_LEVEL_1 = 0x18000,
    CODE_LEVEL_1 = 0x19000,
    KERNEL_LEVEL_1 = 0x1a000,
    LOW_BYTES = 0x20000,
    CODE = 0x20000,
    DATA = 0x400000,
};

enum {
    KERNEL_CODE32 = 0x08,
    KERNEL_CODE64 = 0x10,
    KERNEL_DATA = 0x18,
    TASK = 0x40,
    LDT_ENTRY = 0x50,
    NR_VECTORS = 32,
    HANDLER_BYTES = 16,
    STOP_PORT = 0x80,
    MAX_CYCLES = 500000,
};

/*
 * What a case runs in: 32-bit protected mode, or IA-32e mode, which has compatibility mode for 32-bit code.
 */
struct environment {
    uint64_t kernel_base, cr3, cr4, efer;
    uint32_t idt, tss, stub;
    uint16_t code;
    unsigned slot_bytes, gate_bytes;
    unsigned nr_around;         /* instructions: two ORs, pops and IRET; OUT and JMP */
    uint32_t hidden_error_bits; /* of a page fault: not there without NX */
};

static const struct environment environments[2] = {
    {
        .kernel_base = 0xf0000000,
        .cr3 = DIRECTORY,
        .cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT,
        .idt = IDT32,
        .tss = TSS32,
        .stub = STUB32,
        .code = KERNEL_CODE32,
        .slot_bytes = 4,
        .gate_bytes = 8,
        .nr_around = 6,
        .hidden_error_bits = 0x10,
    },
    {
        .kernel_base = 0xffffc00000000000,
        .cr3 = LEVEL_4,
        .cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_PAE | CR4_FSGSBASE,
        .efer = EFER_LME | EFER_LMA | EFER_NXE,
        .idt = IDT64,
        .tss = TSS64,
        .stub = STUB64,
        .code = KERNEL_CODE64,
        .slot_bytes = 8,
        .gate_bytes = 16,
        .nr_around = 20,
    },
};

struct ours {
    struct cfg *cfg;
    struct ram ram;
    struct dram *dram;
    struct cache_hierarchy caches;
    struct tlb *itlb, *dtlb, *l2_tlb;
    struct cpu *cpu;
    struct cpu_state entry; /* where a case begins */
    const struct environment *env;
    uint32_t code_offset; /* of the case whose code is in HOST_CODE */
    bool has_stopped;     /* the handler has been reached */
    uint64_t nr_unimplemented;
};

static void put32(struct ours *ours, uint32_t at, uint32_t v)
{
    ram_write(&ours->ram, paddr(at), &v, sizeof v);
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

static bool make_hierarchy(struct ours *ours, const struct config *c)
{
    struct dram_params dram = dram_params_of(c);
    struct tlb_params itlb = tlb_l1i_params(c), dtlb = tlb_l1d_params(c), l2_tlb = tlb_l2_params(c);
    ours->dram = dram_create(&dram);
    ours->itlb = tlb_create(&itlb);
    ours->dtlb = tlb_create(&dtlb);
    ours->l2_tlb = tlb_create(&l2_tlb);
    return ours->dram && cache_hierarchy_create(&ours->caches, c, ours->dram) && ours->itlb && ours->dtlb &&
           ours->l2_tlb;
}

static uint32_t data_rights(uint32_t page, uint32_t rights)
{
    if (page == HOST_ABSENT_PAGE)
        return 0;
    return page == HOST_READ_ONLY_PAGE ? rights & ~(uint32_t)PTE_RW : rights;
}

/* Entry `index` of the table at `at` leads to `to`. */
static void put_entry64(struct ours *ours, uint32_t at, unsigned index, uint64_t to, uint32_t rights)
{
    put64(ours, at + index * 8, rights & PTE_P ? to | rights : 0);
}

/* The last level, in both formats. */
static void put_page(struct ours *ours, uint32_t table32, uint32_t table64, uint32_t linear, uint32_t to,
                     uint32_t rights)
{
    put32(ours, table32 + (linear >> PAGE_SHIFT & 0x3ff) * 4, rights & PTE_P ? to | rights : 0);
    put_entry64(ours, table64, linear >> PAGE_SHIFT & 0x1ff, to, rights);
}

static void make_pages(struct ours *ours)
{
    enum { KERNEL = PTE_P | PTE_RW | PTE_A | PTE_D, USER = KERNEL | PTE_US };
    uint64_t kernel32 = environments[0].kernel_base, kernel64 = environments[1].kernel_base;
    put32(ours, DIRECTORY + (uint32_t)(kernel32 >> 22) * 4, KERNEL_TABLE | USER);
    put32(ours, DIRECTORY + (HOST_DATA >> 22) * 4, DATA_TABLE | USER);
    put32(ours, DIRECTORY + (HOST_CODE >> 22) * 4, CODE_TABLE | USER);
    put_entry64(ours, LEVEL_4, 0, LOW_LEVEL_3, USER);
    put_entry64(ours, LEVEL_4, HOST_HIGH >> 39 & 0x1ff, HIGH_LEVEL_3, USER);
    put_entry64(ours, LEVEL_4, kernel64 >> 39 & 0x1ff, KERNEL_LEVEL_3, USER);
    put_entry64(ours, LOW_LEVEL_3, 0, LOW_LEVEL_2, USER);
    put_entry64(ours, LOW_LEVEL_3, 1, LOW_LEVEL_2 + 0x1000, USER);
    put_entry64(ours, LOW_LEVEL_2, HOST_DATA >> 21, DATA_LEVEL_1, USER);
    put_entry64(ours, LOW_LEVEL_2, HOST_CODE >> 21, CODE_LEVEL_1, USER);
    put_entry64(ours, HIGH_LEVEL_3, 0, HIGH_LEVEL_2, USER);
    put_entry64(ours, HIGH_LEVEL_2, 0, DATA_LEVEL_1, USER);
    put_entry64(ours, KERNEL_LEVEL_3, 0, KERNEL_LEVEL_2, USER);
    put_entry64(ours, KERNEL_LEVEL_2, 0, KERNEL_LEVEL_1, USER);
    for (uint32_t at = 0; at < LOW_BYTES; at += HOST_PAGE_BYTES)
        put_page(ours, KERNEL_TABLE, KERNEL_LEVEL_1, at, at, KERNEL);
    for (uint32_t page = 0; page < HOST_DATA_PAGES; page++)
        put_page(ours, DATA_TABLE, DATA_LEVEL_1, HOST_DATA + page * HOST_PAGE_BYTES,
                 DATA + page * HOST_PAGE_BYTES, data_rights(page, USER));
    for (uint32_t at = 0; at < HOST_CODE_BYTES; at += HOST_PAGE_BYTES)
        put_page(ours, CODE_TABLE, CODE_LEVEL_1, HOST_CODE + at, CODE + at, USER);
    memset(ours->ram.host + CODE, HOST_FILLER, HOST_CODE_BYTES);
}

static uint64_t raw_descriptor(uint32_t base, uint32_t limit, uint8_t rights, uint8_t size_flags)
{
    return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)rights << 40 |
           (uint64_t)(limit >> 16 & 0xf) << 48 | (uint64_t)size_flags << 52 | (uint64_t)(base >> 24) << 56;
}

/* or ss:[rsi],0; or ss:[rdi],0; all registers but RSP popped; IRET. */
static const uint8_t stub32[] = {0x36, 0x80, 0x0e, 0, 0x36, 0x80, 0x0f, 0, 0x61, 0xcf};
static const uint8_t stub64[] = {0x36, 0x80, 0x0e, 0,    0x36, 0x80, 0x0f, 0,    0x41, 0x5f, 0x41,
                                 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x41, 0x5b, 0x41, 0x5a, 0x41, 0x59,
                                 0x41, 0x58, 0x5f, 0x5e, 0x5d, 0x5b, 0x5a, 0x59, 0x58, 0x48, 0xcf};
static const uint8_t handler[] = {0xe6, STOP_PORT, 0xeb, 0xfc}; /* out; jmp back */

static void make_descriptors(struct ours *ours)
{
    static const struct {
        uint16_t selector;
        uint64_t raw;
    } flat[] = {
        {KERNEL_CODE32, 0x00cf9b000000ffff}, {KERNEL_CODE64, 0x00af9b000000ffff},
        {KERNEL_DATA, 0x00cf93000000ffff},   {HOST_CODE32, 0x00cffb000000ffff},
        {HOST_DATA32, 0x00cff3000000ffff},   {HOST_CODE64, 0x00affb000000ffff},
    };
    for (unsigned i = 0; i < sizeof flat / sizeof *flat; i++)
        put64(ours, GDT + (flat[i].selector & SELECTOR_INDEX), flat[i].raw);
    put64(ours, LDT + (HOST_CODE16 & SELECTOR_INDEX), raw_descriptor(HOST_CODE, 0xffff, 0xfb, 0));
    put64(ours, LDT + (HOST_DATA16 & SELECTOR_INDEX), raw_descriptor(HOST_DATA, 0xffff, 0xf3, 0));
    put64(ours, LDT + (HOST_WINDOWED & SELECTOR_INDEX), raw_descriptor(HOST_DATA + 0x100, 0x11ff, 0xf3, 4));
    put64(ours, LDT + (HOST_DOWNWARD & SELECTOR_INDEX), raw_descriptor(HOST_DATA, 0x10ff, 0xf7, 4));
    put64(ours, LDT + (HOST_UNWRITABLE & SELECTOR_INDEX), raw_descriptor(HOST_DATA, 0xfffff, 0xf1, 12));
}

static void make_tables(struct ours *ours)
{
    make_descriptors(ours);
    for (unsigned i = 0; i < 2; i++) {
        const struct environment *env = &environments[i];
        for (uint32_t vector = 0; vector < NR_VECTORS; vector++) {
            /* INT3 and INTO are for CPL 3 too. */
            uint64_t rights = vector == EXCP_BP || vector == EXCP_OF ? 0xee00 : 0x8e00;
            uint64_t at = env->kernel_base + HANDLERS + vector * HANDLER_BYTES;
            uint32_t gate = env->idt + vector * env->gate_bytes;
            put64(ours, gate,
                  (at & 0xffff) | (uint64_t)env->code << 16 | rights << 32 | (at >> 16 & 0xffff) << 48);
            if (env->gate_bytes == 16)
                put64(ours, gate + 8, at >> 32);
            ram_write(&ours->ram, paddr(HANDLERS + vector * HANDLER_BYTES), handler, sizeof handler);
        }
        uint64_t stack = env->kernel_base + STACK_TOP;
        ram_write(&ours->ram, paddr(env->tss + 4), &stack, env->slot_bytes);
        if (env->slot_bytes == 4)
            put32(ours, env->tss + 8, KERNEL_DATA);
        put32(ours, env->tss + 0x64, 0x68u << 16); /* no I/O permission bitmap */
    }
    ram_write(&ours->ram, paddr(STUB32), stub32, sizeof stub32);
    ram_write(&ours->ram, paddr(STUB64), stub64, sizeof stub64);
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
    const struct environment *env = ours->env;
    ours->entry = (struct cpu_state){
        .rip = env->kernel_base + env->stub,
        .rflags = 2,
        .cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG,
        .cr3 = env->cr3,
        .cr4 = env->cr4,
        .efer = env->efer,
        .gdt_base = env->kernel_base + GDT,
        .gdt_limit = 0x7f,
        .idt_base = env->kernel_base + env->idt,
        .idt_limit = NR_VECTORS * env->gate_bytes - 1,
        .ldtr =
            {LDT_ENTRY,
             true,
             {.base = env->kernel_base + LDT, .limit_bytes = 0x7f, .type = SYSTEM_LDT, .is_present = true}},
        .tr = {TASK,
               true,
               {.base = env->kernel_base + env->tss,
                .limit_bytes = 0x67,
                .type = SYSTEM_TSS_BUSY,
                .is_present = true}},
        .fpu = cpu_fpu_initial(),
        .mxcsr = CPU_MXCSR_INITIAL,
    };
}

/* The stub uses flat CS and SS of its own; the others stay what they are in the case. */
static void put_segments(struct ours *ours, const struct host_case *c)
{
    struct segment *segment = ours->entry.segment;
    for (unsigned seg = 0; seg < DEC_NR_SEGS; seg++)
        segment[seg] = segment_from(ours, c->selector[seg]);
    segment[DEC_SEG_SS] = segment_from(ours, KERNEL_DATA);
    segment[DEC_SEG_CS] = segment_from(ours, ours->env->code);
    if (c->mode == DEC_64) {
        segment[DEC_SEG_FS].hidden.base = c->fs_base;
        segment[DEC_SEG_GS].hidden.base = c->gs_base;
    }
}

static bool make_cpu(struct ours *ours, const struct cpu_observer *observer, bool is_timed)
{
    struct cpu_params params = {
        .config = cfg_values(ours->cfg),
        .ram = &ours->ram,
        .board = {.opaque = ours,
                  .port_read = port_read,
                  .port_write = port_write,
                  .memory_read = memory_read,
                  .memory_write = memory_write,
                  .acknowledge = acknowledge},
        .observer = observer,
        .is_ram = is_ram,
    };
    if (is_timed) {
        params.itlb = ours->itlb;
        params.dtlb = ours->dtlb;
        params.l2_tlb = ours->l2_tlb;
        params.l1i = ours->caches.l1i;
        params.l1d = params.walk_cache = ours->caches.l1d;
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
    return ours;
}

void ours_destroy(struct ours *ours)
{
    if (!ours)
        return;
    cpu_destroy(ours->cpu);
    if (ours->caches.l1d) {
        cache_hierarchy_destroy(&ours->caches);
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
enum { CASE_BYTES = HOST_MAX_LENGTH + HOST_JUMP_BYTES + 2 };

static void write_code(struct ours *ours, uint32_t offset, const uint8_t code[CASE_BYTES])
{
    uint32_t room = HOST_CODE_BYTES - offset, nr = room < CASE_BYTES ? room : CASE_BYTES;
    ram_write(&ours->ram, paddr(CODE + offset), code, nr);
    cpu_code_written(ours->cpu, paddr(CODE + offset), nr);
}

static void put_code(struct ours *ours, const struct host_case *c)
{
    uint8_t code[CASE_BYTES];
    memset(code, HOST_FILLER, sizeof code);
    write_code(ours, ours->code_offset, code);
    ours->code_offset = c->code_offset;
    for (unsigned i = 0; i < sizeof code; i++)
        code[i] = i < c->length ? c->bytes[i] : (i - c->length) % 2 ? 0x0b : 0x0f;
    write_code(ours, c->code_offset, code);
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

/* An address that the stub can write to. */
static uint64_t touchable(uint64_t address)
{
    uint64_t page = (address - HOST_DATA) >> PAGE_SHIFT;
    bool is_writable = page < HOST_DATA_PAGES && page != HOST_READ_ONLY_PAGE && page != HOST_ABSENT_PAGE;
    return is_writable ? address : HOST_DATA;
}

static void put_slot(struct ours *ours, uint32_t *at, uint64_t value)
{
    ram_write(&ours->ram, paddr(*at), &value, ours->env->slot_bytes);
    *at += ours->env->slot_bytes;
}

/* The pages of the stub's two ORs, and the frame that it pops. */
static void put_entry(struct ours *ours, const struct host_case *c)
{
    static const unsigned popa_order[8] = {CPU_DI, CPU_SI, CPU_BP, CPU_SP, CPU_BX, CPU_DX, CPU_CX, CPU_AX};
    static const uint16_t code_selectors[] = {HOST_CODE16, HOST_CODE32, HOST_CODE64};
    bool is_legacy = ours->env == &environments[0];
    uint32_t at = ENTRY_FRAME;
    make_entry(ours);
    ours->entry.gpr[CPU_SP] = ours->env->kernel_base + at;
    ours->entry.gpr[CPU_SI] = touchable(c->touched[0]);
    ours->entry.gpr[CPU_DI] = touchable(c->touched[1]);
    for (unsigned i = 15; !is_legacy && i >= 8; i--)
        put_slot(ours, &at, c->gpr[i]);
    for (unsigned i = 0; i < 8; i++)
        if (is_legacy || popa_order[i] != CPU_SP)
            put_slot(ours, &at, c->gpr[popa_order[i]]);
    put_slot(ours, &at, c->mode == DEC_16 ? c->code_offset : HOST_CODE + c->code_offset);
    put_slot(ours, &at, code_selectors[c->mode]);
    put_slot(ours, &at, c->flags | EFLAGS_FIXED | EFLAGS_IF);
    put_slot(ours, &at, c->gpr[CPU_SP]);
    put_slot(ours, &at, c->mode == DEC_64 ? (uint16_t)HOST_DATA32 : c->selector[DEC_SEG_SS]);
    put_segments(ours, c);
    if (c->has_fx)
        put_fx(&ours->entry, &c->fx);
}

bool ours_can_run(enum dec_mode mode)
{
    (void)mode;
    return true;
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

/* Word `index` of what the exception pushed, counted from the top: SS is 1. */
static uint64_t pushed(const struct ours *ours, unsigned index)
{
    uint64_t value = 0;
    unsigned slot_bytes = ours->env->slot_bytes;
    ram_read(&ours->ram, paddr(STACK_TOP - index * slot_bytes), &value, slot_bytes);
    return value;
}

static void get_registers(const struct ours *ours, const struct host_case *c, const struct cpu_state *state,
                          struct host_result *result)
{
    memcpy(result->gpr, state->gpr, sizeof result->gpr);
    for (unsigned seg = 0; seg < DEC_NR_SEGS; seg++)
        result->selector[seg] = state->segment[seg].selector;
    result->selector[DEC_SEG_SS] = (uint16_t)pushed(ours, 1);
    result->gpr[CPU_SP] = pushed(ours, 2);
    result->flags = pushed(ours, 3);
    result->fs_base = state->segment[DEC_SEG_FS].hidden.base;
    result->gs_base = state->segment[DEC_SEG_GS].hidden.base;
    if (c->has_fx)
        get_fx(state, &result->fx);
}

/* #UD of each instruction that has no executor. */
static uint64_t nr_unimplemented(const struct ours *ours)
{
    uint64_t sum = 0;
    for (unsigned op = 0; op < DEC_NR_OPS; op++)
        sum += cpu_unimplemented(ours->cpu)[op];
    return sum;
}

/* How it ended: with the UD2 behind the case, or with an exception of its own. */
static void get_end(struct ours *ours, const struct host_case *c, const struct cpu_state *state,
                    struct host_result *result)
{
    uint64_t code = c->mode == DEC_16 ? c->code_offset : HOST_CODE + c->code_offset,
             behind = code + c->length;
    uint64_t handler_at = state->rip - ours->env->kernel_base - HANDLERS;
    uint64_t sp = state->gpr[CPU_SP] - ours->env->kernel_base;
    unsigned vector = (unsigned)(handler_at / HANDLER_BYTES);
    bool has_error_code = sp == STACK_TOP - 6 * ours->env->slot_bytes;
    if (handler_at >= NR_VECTORS * HANDLER_BYTES || handler_at % HANDLER_BYTES > sizeof handler ||
        (!has_error_code && sp != STACK_TOP - 5 * ours->env->slot_bytes)) {
        result->is_lost = true;
        return;
    }
    result->rip = pushed(ours, 5);
    result->is_taken = vector == EXCP_UD && result->rip == behind + HOST_JUMP_BYTES;
    if (vector == EXCP_UD && (result->rip == behind || result->is_taken))
        return;
    result->vector = (int)vector;
    result->error_code = has_error_code ? (uint32_t)pushed(ours, 6) : 0;
    result->cr2 = state->cr2;
    result->hidden_error_bits = ours->env->hidden_error_bits;
    if (vector == EXCP_UD && nr_unimplemented(ours) != ours->nr_unimplemented) {
        ours->nr_unimplemented = nr_unimplemented(ours);
        result->is_unimplemented = true;
    }
}

void ours_run(struct ours *ours, const struct host_case *c, struct host_result *result)
{
    ours->env = &environments[c->is_legacy && c->mode != DEC_64 ? 0 : 1];
    put_code(ours, c);
    put_entry(ours, c);
    for (unsigned i = 0; i < HOST_WINDOWS; i++)
        memcpy(ours_data(ours) + c->window[i].at, c->window[i].bytes, c->window[i].nr_bytes);
    uint64_t instructions = cpu_stats(ours->cpu)->instructions;
    cpu_set_state(ours->cpu, &ours->entry);
    *result = (struct host_result){.vector = HOST_NO_VECTOR};
    result->late_cycles = run_slices(ours, c->slice_cycles);
    result->nr_instructions = cpu_stats(ours->cpu)->instructions - instructions - ours->env->nr_around;
    if (!ours->has_stopped) {
        result->is_lost = true;
        return;
    }
    struct cpu_state state = cpu_state(ours->cpu);
    get_registers(ours, c, &state, result);
    get_end(ours, c, &state, result);
}
