/*
 * x87 instructions as far as one instruction on the host cannot show it: what CR0 forbids, when a pending
 * exception is delivered and how, images in real mode, faults in the middle of an image, and time.
 */
#include "cpu/fpu.h"
#include "tests/unit/world_fixture.h"

enum { NM = 7, MF = 16 };

static void start_x87(struct world *w, const uint8_t *code, size_t nr_bytes)
{
    set_up(w);
    w->state.fpu = cpu_fpu_initial();
    w->state.mxcsr = CPU_MXCSR_INITIAL;
    w->state.cr0 |= CR0_NE;
    w->state.cr4 |= CR4_OSFXSR;
    w->state.gpr[CPU_BX] = DATA;
    put(w, CODE, code, nr_bytes);
}

/* SDM 3A table 2-2, 12.1, 13.1: by EM, MP, TS and the kind of instruction. */
Test(cpu_x87, control_register_0_forbids_what_the_manual_says)
{
    static const struct {
        const char *what;
        uint8_t bytes[4];
        enum { KIND_X87, KIND_WAIT, KIND_MMX, KIND_SSE } kind;
    } cases[] = {
        {"fld1", {0xd9, 0xe8}, KIND_X87},
        {"fninit", {0xdb, 0xe3}, KIND_X87},
        {"fnstsw ax", {0xdf, 0xe0}, KIND_X87},
        {"fnstcw [ebx]", {0xd9, 0x3b}, KIND_X87},
        {"fxsave [ebx]", {0x0f, 0xae, 0x03}, KIND_X87},
        {"fnsave [ebx]", {0xdd, 0x33}, KIND_X87},
        {"fwait", {0x9b}, KIND_WAIT},
        {"emms", {0x0f, 0x77}, KIND_MMX},
        {"paddb mm0,mm1", {0x0f, 0xfc, 0xc1}, KIND_MMX},
        {"addps xmm0,xmm1", {0x0f, 0x58, 0xc1}, KIND_SSE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (unsigned bits = 0; bits < 8; bits++) {
            bool em = bits & 1, mp = bits & 2, ts = bits & 4;
            unsigned expected = NR_VECTORS;
            switch (cases[i].kind) {
            case KIND_X87:
                expected = em || ts ? NM : NR_VECTORS;
                break;
            case KIND_WAIT:
                expected = mp && ts ? NM : NR_VECTORS;
                break;
            case KIND_MMX:
            case KIND_SSE:
                expected = em ? UD : ts ? NM : NR_VECTORS;
                break;
            }
            struct world w;
            uint8_t code[5] = {0};
            memcpy(code, cases[i].bytes, 4);
            size_t length = 4;
            while (length > 1 && code[length - 1] == 0)
                length--;
            code[length] = 0xf4;
            start_x87(&w, code, length + 1);
            w.state.cr0 |= (em ? CR0_EM : 0u) | (mp ? CR0_MP : 0u) | (ts ? CR0_TS : 0u);
            run(&w);
            cr_assert_eq(w.vector, expected, "%s, em %d mp %d ts %d: vector %u", cases[i].what, em, mp, ts,
                         w.vector);
            tear_down(&w);
        }
}

Test(cpu_x87, without_osfxsr_sse_is_undefined_and_fxsave_leaves_out_its_registers)
{
    struct world w;
    static const uint8_t add[] = {0x0f, 0x58, 0xc1, 0xf4}, save[] = {0x0f, 0xae, 0x03, 0xf4};
    start_x87(&w, add, sizeof add);
    w.state.cr4 &= ~(uint64_t)CR4_OSFXSR;
    run(&w);
    cr_assert_eq(w.vector, UD);
    tear_down(&w);
    start_x87(&w, save, sizeof save);
    w.state.cr4 &= ~(uint64_t)CR4_OSFXSR;
    w.state.xmm[0].half[0] = 0x1122334455667788;
    put64(&w, DATA + 160, 0x5a5a5a5a5a5a5a5a);
    run(&w);
    cr_assert_eq(w.vector, NR_VECTORS);
    cr_assert_eq(get32(&w, DATA) & 0xffff, 0x37f);
    cr_assert_eq(get32(&w, DATA + 160), 0x5a5a5a5a);
    tear_down(&w);
}

/*
 * 1 / 0 with ZE unmasked: the division is done, the next instruction that waits raises #MF, before its own
 * faults.
 */
Test(cpu_x87, an_unmasked_exception_waits_for_the_next_instruction_that_waits)
{
    static const struct {
        const char *what;
        uint8_t bytes[8];
        size_t length;
        bool is_raised;
    } next[] = {
        {"fld1", {0xd9, 0xe8}, 2, true},
        {"fld dword from where nothing is", {0xd9, 0x01}, 2, true},
        {"fwait", {0x9b}, 1, true},
        {"emms", {0x0f, 0x77}, 2, true},
        {"fnstsw ax", {0xdf, 0xe0}, 2, false},
        {"fnclex", {0xdb, 0xe2}, 2, false},
        {"fnsave [ebx]", {0xdd, 0x33}, 2, false},
        {"fxsave [ebx]", {0x0f, 0xae, 0x03}, 3, false},
        {"addps xmm0,xmm1", {0x0f, 0x58, 0xc1}, 3, false},
        {"mov eax,ebx", {0x89, 0xd8}, 2, false},
    };
    static const uint8_t divide[] = {0xd9, 0x2b, 0xd9, 0xe8,
                                     0xd9, 0xee, 0xde, 0xf9}; /* fldcw fld1 fldz fdivp */
    for (size_t i = 0; i < sizeof next / sizeof *next; i++) {
        struct world w;
        uint8_t code[32];
        memcpy(code, divide, sizeof divide);
        memcpy(code + sizeof divide, next[i].bytes, next[i].length);
        code[sizeof divide + next[i].length] = 0xf4;
        start_x87(&w, code, sizeof divide + next[i].length + 1);
        w.state.gpr[CPU_CX] = GONE;
        put32(&w, DATA, 0x37b);
        run(&w);
        cr_assert_eq(w.vector, next[i].is_raised ? (unsigned)MF : (unsigned)NR_VECTORS, "%s: vector %u",
                     next[i].what, w.vector);
        if (next[i].is_raised) {
            cr_assert_eq(frame(&w, 0), CODE + sizeof divide, "%s", next[i].what);
            cr_assert_eq(w.state.fpu.status & 0x80ff, 0x8084, "%s: %x", next[i].what, w.state.fpu.status);
            cr_assert_eq(w.state.fpu.rip, CODE + 6);
            cr_assert_eq(w.state.fpu.opcode, 0x6f9);
        }
        tear_down(&w);
    }
}

/* SDM 1 figures 8-10 and 8-12: linear addresses, and the opcode, in real mode. */
Test(cpu_x87, environments_of_real_mode_have_linear_pointers)
{
    enum { SEGMENT = 0x1000, OFFSET = 0x20 };
    static const uint8_t code[] = {0xd9, 0x06, 0x20, 0x00,       /* fld dword [0x20] */
                                   0xd9, 0x36, 0x40, 0x00,       /* fnstenv [0x40], 14 bytes */
                                   0x66, 0xd9, 0x36, 0x60, 0x00, /* the same, 28 bytes */
                                   0xf4};
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++) {
        struct core core;
        core_init(&core, (enum core_kind)kind, NULL);
        core_put(&core, SEGMENT * 16, code, sizeof code);
        core_put32(&core, SEGMENT * 16 + 0x1020, 0x3f800000);
        struct cpu_state state = {.rflags = 2, .fpu = cpu_fpu_initial(), .idt_limit = 0x3ff};
        for (unsigned seg = 0; seg < 6; seg++) {
            uint16_t selector = seg == DEC_SEG_CS ? SEGMENT : SEGMENT + 0x100;
            state.segment[seg] = core_segment(selector, core_descriptor(selector * 16u, 0xffff, 0x93, 0));
        }
        cpu_set_state(core.cpu, &state);
        cr_assert_eq(cpu_run(core.cpu, cpu_now(core.cpu) + 10000), CPU_STOP_HALTED);
        uint32_t at = SEGMENT * 16 + 0x1040;
        cr_assert_eq(core_get32(&core, at), 0x3800037f);
        cr_assert_eq(core_get32(&core, at + 4), 0x00003fff, "%x", core_get32(&core, at + 4)); /* tags, IP */
        cr_assert_eq(core_get32(&core, at + 8), 0x10201106, "%x",
                     core_get32(&core, at + 8)); /* opcode, data */
        cr_assert_eq(core_get32(&core, at + 12) & 0xffff, 0x1000);
        at += 0x20;
        cr_assert_eq(core_get32(&core, at + 12) & 0xffff, 0);
        cr_assert_eq(core_get32(&core, at + 16), 0x00001106);
        cr_assert_eq(core_get32(&core, at + 20) & 0xffff, 0x1020);
        cr_assert_eq(core_get32(&core, at + 24), 0x00001000);
        core_fini(&core);
    }
}

/* An image whose second page is not there: nothing of it is written, and no register has changed. */
Test(cpu_x87, images_that_fault_leave_nothing_behind)
{
    static const uint8_t cases[][4] = {{0xd9, 0x31, 0xf4}, {0xdd, 0x31, 0xf4}, {0x0f, 0xae, 0x01, 0xf4},
                                       {0xd9, 0x21, 0xf4}, {0xdd, 0x21, 0xf4}, {0x0f, 0xae, 0x09, 0xf4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        uint8_t before[16];
        start_x87(&w, cases[i], sizeof cases[i]);
        w.state.gpr[CPU_CX] = GONE - sizeof before;
        w.state.fpu.status = 0x3000;
        w.state.fpu.in_use = 0xc0;
        w.state.fpu.reg[6] = (struct x87_register){0x8000000000000001, 0x3fff};
        struct fpu fpu = w.state.fpu;
        memset(before, 0x5a, sizeof before);
        put(&w, GONE - (uint32_t)sizeof before, before, sizeof before);
        run(&w);
        cr_assert_eq(w.vector, PF, "case %zu: vector %u", i, w.vector);
        cr_assert_arr_eq(w.core[0].ram.host + GONE - sizeof before, before, sizeof before, "case %zu", i);
        cr_assert_eq(w.state.fpu.control, fpu.control, "case %zu", i);
        cr_assert_eq(w.state.fpu.status, fpu.status, "case %zu", i);
        cr_assert_eq(w.state.fpu.in_use, fpu.in_use, "case %zu", i);
        cr_assert_eq(w.state.fpu.reg[6].mantissa, fpu.reg[6].mantissa, "case %zu", i);
        tear_down(&w);
    }
}

enum { ROUNDS = 200, UNROLLED = 8 };

/* How many cycles ROUNDS * UNROLLED repetitions take on the in-order core. */
static cycle_t time_of(const uint8_t *bytes, size_t nr_bytes)
{
    static const uint8_t begin[] = {0xd9, 0xe8, 0xd9, 0xe8, 0xd9, 0xe8, 0xd9, 0xe8, 0xb9, ROUNDS, 0, 0, 0};
    struct world w;
    uint8_t code[128];
    size_t length = sizeof begin;
    memcpy(code, begin, sizeof begin);
    for (unsigned i = 0; i < UNROLLED; i++, length += nr_bytes)
        memcpy(code + length, bytes, nr_bytes);
    code[length++] = 0x49; /* dec ecx; jnz */
    code[length++] = 0x75;
    code[length] = (uint8_t)(sizeof begin - length - 1);
    code[++length] = 0xf4;
    start_x87(&w, code, length + 1);
    run(&w);
    cr_assert_eq(w.vector, NR_VECTORS);
    cycle_t cycles = cpu_now(w.core[CORE_INORDER].cpu);
    tear_down(&w);
    return cycles;
}

/* FADD and FMUL each wait for their own operands only: rows of cpu/uops.def. */
Test(cpu_x87, a_chain_takes_its_latency_and_independent_operations_do_not)
{
    enum { TIMES = ROUNDS * UNROLLED, FADD_CYCLES = 3, FMUL_CYCLES = 5, COLD_CYCLES = 1000 };
    static const uint8_t add[] = {0xd8, 0xc1}, multiply[] = {0xd8, 0xc9};
    static const uint8_t both[] = {0xdc, 0xc1, 0xdc, 0xca}; /* FADD ST1,ST0; FMUL ST2,ST0 */
    cycle_t sums = time_of(add, sizeof add), products = time_of(multiply, sizeof multiply),
            two_chains = time_of(both, sizeof both);
    cr_assert_geq(sums, (cycle_t)FADD_CYCLES * TIMES);
    cr_assert_leq(sums, (cycle_t)FADD_CYCLES * TIMES + COLD_CYCLES);
    cr_assert_geq(products, (cycle_t)FMUL_CYCLES * TIMES);
    cr_assert_leq(products, (cycle_t)FMUL_CYCLES * TIMES + COLD_CYCLES);
    cr_assert_leq(two_chains, products + COLD_CYCLES);
}

/*
 * With CR0.NE clear the instruction waits for the board's interrupt, and goes on when IGNNE# is there (SDM 1
 * D.2).
 */
Test(cpu_x87, without_numeric_error_reporting_the_core_waits_for_an_interrupt)
{
    enum { VECTOR = 0x20, WAIT = CODE + 8 };
    /* fldcw fld1 fldz fdivp; fld1, which waits; hlt. The handler: iret */
    static const uint8_t code[] = {0xd9, 0x2b, 0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9, 0xd9, 0xe8, 0xf4};
    struct world w;
    start_x87(&w, code, sizeof code);
    put32(&w, DATA, 0x37b);
    put(&w, HANDLERS + VECTOR * 16, "\xcf", 1);
    w.state.cr0 &= ~(uint64_t)CR0_NE;
    w.state.rflags |= 0x200;
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++) {
        struct core *core = &w.core[kind];
        cpu_set_state(core->cpu, &w.state);
        cr_assert_eq(cpu_run(core->cpu, cpu_now(core->cpu) + 10000), CPU_STOP_HALTED);
        cr_assert_eq(cpu_state(core->cpu).rip, WAIT);
        core->vector = VECTOR;
        cpu_ignore_coprocessor_error(core->cpu);
        cpu_set_interrupt_line(core->cpu, true);
        cr_assert_eq(cpu_run(core->cpu, cpu_now(core->cpu) + 10000), CPU_STOP_HALTED);
        struct cpu_state after = cpu_state(core->cpu);
        cr_assert_eq(after.rip, CODE + sizeof code);
        cr_assert_eq(after.fpu.in_use, 0xe0, "%x", after.fpu.in_use);
        cr_assert_eq(after.fpu.status & 0x80ff, 0x8084);
    }
    tear_down(&w);
}
