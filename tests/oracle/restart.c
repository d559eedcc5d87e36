/*
 * An instruction that faults has done nothing, and does all of it when it is started again (SDM 3A 6.5, 6.6).
 *
 * Every instruction form that the decoder knows, in 32- and in 64-bit code, runs with its operands, and with
 * its stack, across the edges of a page that is not there or that may only be read, in the three models.
 * After a fault registers, flags and memory must be what they were (a repeated string instruction: what whole
 * iterations make of them); then the page comes back, and the rest of the run must end as it does where the
 * page never was away. The in-order model and the watched one must also count the same.
 *
 *     restart [full]     the exit status is 0 when all of it held; full: at every edge, else at a third of
 *                        them (with sanitizers a twelfth), others for each opcode
 */
#include "tests/unit/core_fixture.h"

#include <stdio.h>

enum {
    DIRECTORY = 0x1000,
    TABLE = 0x2000,
    GDT = 0x3000,
    IDT = 0x4000,
    TSS = 0x5000,
    IDT64 = 0x6000,
    TSS64 = 0x5800,
    PML4 = 0x14000,
    PDPT = 0x15000,
    DIRECTORY64 = 0x16000,
    TABLE64 = 0x17000,
    RING0_STACK = 0x9000,
    HANDLERS = 0xa000,
    CODE = 0x10000,
    GOOD = 0x22400, /* an operand, or a stack, that is there */
    GOOD_STACK = 0x23800,
    AWAY = 0x28000, /* the page that is not */
    WINDOW = 0x22000,
    WINDOW_BYTES = 0xa000, /* what instructions may write to, ring 0's stack apart */
    CODE0 = 0x08,
    DATA0 = 0x10,
    CODE3 = 0x1b,
    DATA3 = 0x23,
    TASK = 0x28,
    CODE0_64 = 0x30,
    CODE3_64 = 0x3b,
    END = 0x30, /* the vector that ends a run */
    NR_VECTORS = 64,
    PF = 14,
    RUN_CYCLES = 20000,
    REPEATS = 9,
};

/* The registers of a run: which of them point to the edge. */
enum setup { BY_SOURCE, BY_DESTINATION, BY_STACK, BY_BOTH, NR_SETUPS };

enum { MAX_PREFIXES = 2 };

struct form {
    uint8_t bytes[32];
    struct dec_insn dec;
    bool is_ring0;
};

/* How a run ended. */
struct outcome {
    struct cpu_state state; /* of the run, without the handler's frame */
    enum cpu_stop stop;
    unsigned vector; /* NR_VECTORS: none */
    uint32_t error_code;
    uint8_t window[WINDOW_BYTES];
};

static struct core cores[NR_CORE_KINDS];
static uint8_t pattern[WINDOW_BYTES];
static unsigned long nr_runs, nr_faults, nr_failures;
static bool is_full;
static bool is_64; /* the code that runs */
static bool has_faulted[DEC_NR_OPS];

static void fail(const struct form *form, uint32_t edge, enum setup setup, const char *what)
{
    if (++nr_failures > 40)
        return;
    printf("%s", dec_mnemonic(form->dec.op));
    for (unsigned i = 0; i < form->dec.length; i++)
        printf(" %02x", form->bytes[i]);
    printf(", %d bits, edge %x, setup %d, ring %d: %s\n", is_64 ? 64 : 32, edge, setup,
           form->is_ring0 ? 0 : 3, what);
}

static void put_all(uint32_t at, const void *bytes, size_t nr_bytes)
{
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++)
        core_put(&cores[kind], at, bytes, nr_bytes);
}

static void put32_all(uint32_t at, uint32_t value)
{
    put_all(at, &value, sizeof value);
}

static void put64_all(uint32_t at, uint64_t value)
{
    put_all(at, &value, sizeof value);
}

static void set_up(void)
{
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++)
        core_init(&cores[kind], (enum core_kind)kind, NULL);
    put64_all(GDT + CODE0, 0x00cf9b000000ffff);
    put64_all(GDT + DATA0, 0x00cf93000000ffff);
    put64_all(GDT + (CODE3 & ~3), 0x00cffb000000ffff);
    put64_all(GDT + (DATA3 & ~3), 0x00cff3000000ffff);
    for (unsigned vector = 0; vector < NR_VECTORS; vector++) {
        put64_all(IDT + vector * 8, core_gate(CODE0, HANDLERS + vector * 16, vector == END ? 0xee : 0x8e));
        put_all(HANDLERS + vector * 16, "\xf4", 1);
    }
    put32_all(TSS + 4, RING0_STACK);
    put32_all(TSS + 8, DATA0);
    put32_all(DIRECTORY, TABLE | 7);
    for (uint32_t at = 0; at < CORE_RAM_BYTES; at += PAGE_BYTES)
        put32_all(TABLE + (at >> PAGE_SHIFT) * 4, at | 7);

    put64_all(GDT + CODE0_64, 0x00af9b000000ffff);
    put64_all(GDT + (CODE3_64 & ~3), 0x00affb000000ffff);
    for (unsigned vector = 0; vector < NR_VECTORS; vector++)
        put64_all(IDT64 + vector * 16,
                  core_gate(CODE0_64, HANDLERS + vector * 16, vector == END ? 0xee : 0x8e));
    put64_all(TSS64 + 4, RING0_STACK);
    put64_all(PML4, PDPT | 7);
    put64_all(PDPT, DIRECTORY64 | 7);
    put64_all(DIRECTORY64, TABLE64 | 7);
    for (uint32_t at = 0; at < CORE_RAM_BYTES; at += PAGE_BYTES)
        put64_all(TABLE64 + (at >> PAGE_SHIFT) * 8, at | 7);
}

/* Memory is mostly addresses that a jump may go to, so that jumps through it end well; one has a selector. */
static void set_mode(bool is_64bit)
{
    is_64 = is_64bit;
    for (unsigned i = 0; i < WINDOW_BYTES; i += 4) {
        uint32_t word = i % 64 < 48 ? CODE + 0x100 : i * 0x01010101u;
        if (is_64 && i % 8 == 4)
            word = 0;
        if (i == GOOD + 4 - WINDOW)
            word = is_64 ? CODE3_64 : CODE3;
        memcpy(pattern + i, &word, sizeof word);
    }
}

static void set_page(uint32_t flags)
{
    put32_all(TABLE + (AWAY >> PAGE_SHIFT) * 4, AWAY | flags);
    put32_all(TABLE64 + (AWAY >> PAGE_SHIFT) * 8, AWAY | flags);
}

static struct cpu_state start_state(const struct form *form, uint32_t edge, enum setup setup)
{
    struct cpu_state state = {
        .rip = CODE,
        .rflags = 0x3002 | 0x8d5, /* IOPL 3 */
        .cr0 = CR0_PE | CR0_PG | CR0_WP | CR0_NE,
        .cr3 = DIRECTORY,
        .cr4 = CR4_PSE | CR4_OSFXSR | CR4_OSXMMEXCPT,
        .gdt_base = GDT,
        .gdt_limit = 0x4f,
        .idt_base = IDT,
        .idt_limit = NR_VECTORS * 8 - 1,
        .fpu = cpu_fpu_initial(),
        .mxcsr = CPU_MXCSR_INITIAL,
    };
    for (unsigned seg = 0; seg < 6; seg++)
        state.segment[seg] = form->is_ring0 ? core_segment(DATA0, 0x00cf93000000ffff)
                                            : core_segment(DATA3, 0x00cff3000000ffff);
    state.segment[DEC_SEG_CS] =
        form->is_ring0 ? core_segment(CODE0, 0x00cf9b000000ffff) : core_segment(CODE3, 0x00cffb000000ffff);
    state.tr = core_segment(TASK, core_descriptor(is_64 ? TSS64 : TSS, 0x67, 0x8b, 0));
    if (is_64) {
        state.cr3 = PML4;
        state.cr4 |= CR4_PAE;
        state.efer = EFER_LME | EFER_LMA;
        state.idt_base = IDT64;
        state.idt_limit = NR_VECTORS * 16 - 1;
        state.segment[DEC_SEG_CS] = form->is_ring0 ? core_segment(CODE0_64, 0x00af9b000000ffff)
                                                   : core_segment(CODE3_64, 0x00affb000000ffff);
        for (unsigned reg = 8; reg < 16; reg++)
            state.gpr[reg] = 0x8899aabb00000000 + reg;
    }
    state.gpr[CPU_AX] = 0x11223344;
    state.gpr[CPU_CX] = REPEATS;
    state.gpr[CPU_DX] = 0x80;
    state.gpr[CPU_BX] = state.gpr[CPU_SI] = setup == BY_SOURCE || setup == BY_BOTH ? edge : GOOD;
    state.gpr[CPU_DI] = setup == BY_DESTINATION ? edge : GOOD + 0x80;
    state.gpr[CPU_SP] = setup == BY_STACK || setup == BY_BOTH ? edge : GOOD_STACK;
    state.gpr[CPU_BP] = setup == BY_STACK ? edge : GOOD + 0x100;
    for (unsigned i = 0; i < CPU_NR_XMM; i++)
        state.xmm[i] = (struct xmm){{0x3ff0000040490fdb + i, 0x4008000000000000 + i}};
    return state;
}

/* Runs from this state on one core to a handler's HLT, and takes the handler's frame off again. */
static void run_one(enum core_kind kind, const struct cpu_state *begin, struct outcome *outcome)
{
    struct core *core = &cores[kind];
    cpu_set_state(core->cpu, begin);
    cycle_t end = cpu_now(core->cpu) + RUN_CYCLES;
    do
        outcome->stop = cpu_run(core->cpu, end);
    while (outcome->stop == CPU_STOP_DEADLINE && cpu_now(core->cpu) < end);
    cpu_settle(core->cpu);
    nr_runs++;
    struct cpu_state *state = &outcome->state;
    *state = cpu_state(core->cpu);
    outcome->vector = NR_VECTORS;
    outcome->error_code = 0;
    memcpy(outcome->window, core->ram.host + WINDOW, WINDOW_BYTES);
    uint64_t handler = state->rip - 1 - HANDLERS;
    if (outcome->stop != CPU_STOP_HALTED || state->rip <= HANDLERS || handler >= NR_VECTORS * 16 ||
        handler % 16 != 0)
        return;
    outcome->vector = (unsigned)handler / 16;
    bool has_code =
        outcome->vector == 8 || (outcome->vector >= 10 && outcome->vector <= 14) || outcome->vector == 17;
    uint32_t frame = (uint32_t)state->gpr[CPU_SP];
    if (has_code) {
        outcome->error_code = core_get32(core, frame);
        frame += is_64 ? 8 : 4;
    }
    unsigned word = is_64 ? 8 : 4;
    bool is_outer = core_get32(core, frame + word) & 3;
    state->rip = core_get32(core, frame);
    state->rflags = core_get32(core, frame + 2 * word) & ~0x10000u;
    state->gpr[CPU_SP] = is_outer || is_64 ? core_get32(core, frame + 3 * word) : frame + 3 * word;
    for (unsigned seg = 0; seg < 6; seg++)
        state->segment[seg] = begin->segment[seg];
    if (!is_outer) { /* the frame lies in the window */
        uint32_t bottom = (uint32_t)cpu_state(core->cpu).gpr[CPU_SP];
        memcpy(&outcome->window[bottom - WINDOW], &pattern[bottom - WINDOW], state->gpr[CPU_SP] - bottom);
    }
}

/* Field by field: what lies between fields is nobody's. */
static bool is_same_fpu(const struct fpu *a, const struct fpu *b)
{
    for (unsigned i = 0; i < sizeof a->reg / sizeof *a->reg; i++)
        if (a->reg[i].mantissa != b->reg[i].mantissa || a->reg[i].sign_exponent != b->reg[i].sign_exponent)
            return false;
    return a->control == b->control && a->status == b->status && a->in_use == b->in_use &&
           a->opcode == b->opcode && a->cs == b->cs && a->ds == b->ds && a->rip == b->rip &&
           a->data == b->data;
}

static bool is_same_state(const struct cpu_state *a, const struct cpu_state *b)
{
    return a->rip == b->rip && a->rflags == b->rflags && !memcmp(a->gpr, b->gpr, sizeof a->gpr) &&
           a->cr0 == b->cr0 && a->gdt_base == b->gdt_base && a->gdt_limit == b->gdt_limit &&
           a->idt_base == b->idt_base && a->idt_limit == b->idt_limit && is_same_fpu(&a->fpu, &b->fpu) &&
           !memcmp(a->xmm, b->xmm, sizeof a->xmm) && a->mxcsr == b->mxcsr;
}

/* Runs on all three, which must agree; the outcome is the functional one's. */
static void run(const struct form *form, uint32_t edge, enum setup setup, const struct cpu_state *begin,
                struct outcome *outcome)
{
    static struct outcome other;
    run_one(CORE_FUNCTIONAL, begin, outcome);
    for (unsigned kind = CORE_INORDER; kind < NR_CORE_KINDS; kind++) {
        run_one((enum core_kind)kind, begin, &other);
        bool ends = outcome->stop == CPU_STOP_HALTED && form->dec.op != DEC_RDTSC; /* which tells the time */
        if (other.stop != outcome->stop || other.vector != outcome->vector ||
            other.error_code != outcome->error_code ||
            (ends && !is_same_state(&other.state, &outcome->state)) ||
            (ends && memcmp(other.window, outcome->window, WINDOW_BYTES) != 0))
            fail(form, edge, setup, kind == CORE_INORDER ? "in-order differs" : "watched differs");
    }
    if (cpu_now(cores[CORE_INORDER].cpu) != cpu_now(cores[CORE_WATCHED].cpu) ||
        memcmp(cpu_stats(cores[CORE_INORDER].cpu), cpu_stats(cores[CORE_WATCHED].cpu),
               sizeof(struct cpu_stats)) != 0)
        fail(form, edge, setup, "in-order and watched count differently");
}

/* The state after whole iterations of a repeated string instruction, as far as the count says. */
static bool is_between_iterations(const struct form *form, const struct cpu_state *begin,
                                  const struct cpu_state *end)
{
    uint64_t nr = begin->gpr[CPU_CX] - end->gpr[CPU_CX];
    unsigned size_bytes = form->dec.operand[0].size_bytes ? form->dec.operand[0].size_bytes : 1;
    if (form->dec.op == DEC_OUTS)
        size_bytes = form->dec.operand[1].size_bytes;
    uint64_t si = end->gpr[CPU_SI] - begin->gpr[CPU_SI], di = end->gpr[CPU_DI] - begin->gpr[CPU_DI];
    return end->rip == begin->rip && nr < REPEATS && (si == 0 || si == nr * size_bytes) &&
           (di == 0 || di == nr * size_bytes) && end->gpr[CPU_SP] == begin->gpr[CPU_SP];
}

/* Memory and ports as a run finds them. */
static void restore_world(void)
{
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++) {
        memcpy(cores[kind].ram.host + WINDOW, pattern, WINDOW_BYTES);
        cores[kind].board_hash = 0;
    }
}

/*
 * What several pushes have written before the one that faults stays in memory, below the stack pointer, which
 * has not moved: so it is on processors.
 */
static bool pushes_several(enum dec_op op)
{
    return op == DEC_PUSHA || op == DEC_ENTER || op == DEC_CALL_FAR;
}

static bool is_memory_unchanged(const struct form *form, const struct cpu_state *begin,
                                const struct outcome *outcome)
{
    enum { MAX_PUSHED = 512 };
    for (unsigned i = 0; i < WINDOW_BYTES; i++) {
        bool is_pushed = pushes_several((enum dec_op)form->dec.op) && WINDOW + i < begin->gpr[CPU_SP] &&
                         WINDOW + i + MAX_PUSHED >= begin->gpr[CPU_SP];
        if (!is_pushed && outcome->window[i] != pattern[i])
            return false;
    }
    return true;
}

/* Returns whether it faulted. */
static bool try(const struct form *form, uint32_t edge, enum setup setup, uint32_t page_flags)
{
    static struct outcome first, resumed, reference;
    struct cpu_state begin = start_state(form, edge, setup);
    restore_world();
    set_page(page_flags);
    run(form, edge, setup, &begin, &first);
    bool is_fault =
        first.vector == PF && first.state.rip == CODE && first.state.cr2 >> PAGE_SHIFT == AWAY >> PAGE_SHIFT;
    if (!is_fault)
        return false;
    nr_faults++;
    has_faulted[form->dec.op] = true;
    bool is_repeated = (form->dec.flags & DEC_FLAG_STRING) && form->dec.rep != DEC_REP_NONE;
    if (is_repeated) {
        if (!is_between_iterations(form, &begin, &first.state))
            fail(form, edge, setup, "a fault within an iteration");
    } else if (!is_same_state(&begin, &first.state)) {
        fail(form, edge, setup, "a fault changed registers");
    } else if (!is_memory_unchanged(form, &begin, &first)) {
        fail(form, edge, setup, "a fault changed memory");
    }

    /*
     * The page comes back. Frames of faults are taken out of the way, as a handler's IRET would leave them.
     */
    set_page(7);
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++)
        memcpy(cores[kind].ram.host + WINDOW, first.window, WINDOW_BYTES);
    struct cpu_state again = begin;
    memcpy(again.gpr, first.state.gpr, sizeof again.gpr);
    again.rip = first.state.rip;
    again.rflags = first.state.rflags;
    run(form, edge, setup, &again, &resumed);
    restore_world();
    run(form, edge, setup, &begin, &reference);
    if (resumed.stop != reference.stop || resumed.vector != reference.vector ||
        resumed.error_code != reference.error_code ||
        (reference.stop == CPU_STOP_HALTED && (!is_same_state(&resumed.state, &reference.state) ||
                                               memcmp(resumed.window, reference.window, WINDOW_BYTES) != 0)))
        fail(form, edge, setup, "resumed, it does something else than in one go");
    return true;
}

static void try_all(const struct form *form)
{
    static const int32_t offsets[] = {-511, -256, -36,  -16,  -8,   -6,   -4,   -3,   -2,   -1,   0,
                                      8,    4080, 4088, 4090, 4092, 4094, 4095, 4098, 4100, 4108, 4124};
    static const uint8_t code_end[] = {0xcd, END};
    put_all(CODE, form->bytes, sizeof form->bytes);
    put_all(CODE + form->dec.length, code_end, sizeof code_end);
    put_all(CODE + 0x100, code_end, sizeof code_end);
    for (enum setup setup = BY_SOURCE; setup < NR_SETUPS; setup++) {
        if (form->is_ring0 && (setup == BY_STACK || setup == BY_BOTH))
            continue;
        if (!try(form, AWAY + 0x800, setup, 6) && !try(form, AWAY + 8, setup, 6))
            continue;
        unsigned step = is_full ? 1 : 3 * LK_ORACLE_SHARE, first = form->dec.opcode % step;
        for (unsigned i = first; i < sizeof offsets / sizeof *offsets; i += step) {
            uint32_t edge = (uint32_t)(AWAY + offsets[i]);
            try(form, edge, setup, 6);
            try(form, edge, setup, 5);
        }
    }
}

/* Prefixes, opcode map, opcode and ModRM.reg as a form; false where there is none, or none of its own. */
static bool make_form(const uint8_t prefixes[MAX_PREFIXES], unsigned map, unsigned opcode, unsigned digit,
                      struct form *form)
{
    static const uint8_t escapes[][2] = {{0}, {0x0f}, {0x0f, 0x38}, {0x0f, 0x3a}};
    static const uint8_t tail[] = {0x30, 0x80, 0x02, 0, 0, 0, 0, 0}; /* an address in AWAY */
    static const uint8_t far_tail[sizeof tail] = {0x00, 0x01, 0x01, 0x00, CODE3, 0x00};
    unsigned at = 0;
    *form = (struct form){.is_ring0 = false};
    for (unsigned i = 0; i < MAX_PREFIXES && prefixes[i]; i++)
        form->bytes[at++] = prefixes[i];
    for (unsigned i = 0; i < (map < 2 ? map : 2); i++)
        form->bytes[at++] = escapes[map][i];
    form->bytes[at++] = (uint8_t)opcode;
    unsigned modrm_at = at;
    form->bytes[at++] = (uint8_t)(digit << 3 | 3); /* [ebx] */
    memcpy(form->bytes + at, tail, sizeof tail);
    if (dec_decode(form->bytes, sizeof form->bytes, is_64 ? DEC_64 : DEC_32, &form->dec) != DEC_OK)
        return false;
    if (!form->dec.has_modrm) {
        if (digit > 0)
            return false;
        bool is_far = form->dec.op == DEC_CALL_FAR || form->dec.op == DEC_JMP_FAR;
        memcpy(form->bytes + modrm_at, is_far ? far_tail : tail, sizeof tail);
        return dec_decode(form->bytes, sizeof form->bytes, is_64 ? DEC_64 : DEC_32, &form->dec) == DEC_OK;
    }
    return true;
}

static void try_opcode(const uint8_t prefixes[MAX_PREFIXES], unsigned map, unsigned opcode)
{
    struct form form;
    for (unsigned digit = 0; digit < 8; digit++) {
        static struct form zero;
        if (!make_form(prefixes, map, opcode, digit, &form))
            continue;
        if (digit == 0)
            zero = form;
        /* Where ModRM.reg is only a register, two of them are enough. */
        if (digit > 1 && form.dec.op == zero.dec.op && form.dec.op != DEC_MOV)
            continue;
        try_all(&form);
        form.is_ring0 = true;
        if (form.dec.flags & DEC_FLAG_PRIVILEGED)
            try_all(&form);
    }
}

int main(int argc, char **argv)
{
    static const uint8_t prefixes[][MAX_PREFIXES] = {
        {0}, {0x66}, {0xf3}, {0xf2}, {0xf0}, {0x48}, {0x66, 0x48}, {0xf3, 0x48}, /* REX.W: in 64-bit code */
    };
    enum { NR_IN_32BIT_CODE = 5 };
    is_full = argc > 1 && !strcmp(argv[1], "full");
    set_up();
    for (unsigned bits = 32; bits <= 64; bits += 32) {
        set_mode(bits == 64);
        for (unsigned i = 0; i < (is_64 ? sizeof prefixes / sizeof *prefixes : NR_IN_32BIT_CODE); i++)
            for (unsigned map = 0; map < 4; map++)
                for (unsigned opcode = 0; opcode < 256; opcode++)
                    try_opcode(prefixes[i], map, opcode);
    }
    unsigned nr_ops = 0;
    for (unsigned op = 0; op < DEC_NR_OPS; op++)
        nr_ops += has_faulted[op];
    printf("restart: %u instructions, %lu faults in %lu runs, %lu failures\n", nr_ops, nr_faults, nr_runs,
           nr_failures);
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++)
        core_fini(&cores[kind]);
    return nr_failures > 0 || nr_ops < 100;
}
