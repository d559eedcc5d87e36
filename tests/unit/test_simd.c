/*
 * MMX and SSE: what CR0 and CR4 forbid, exceptions and their refusals, MXCSR's reserved bits, the two
 * approximations against their bound, what dependent chains cost, CLFLUSH and the fences. What instructions
 * compute is compared with the host's own in tests/oracle/host_sse.c.
 */
#include "tests/unit/world_fixture.h"

#include "cpu/simd.h"

#include <math.h>

enum { NM = 7, MF = 16, XM = 19, RUNS = NR_VECTORS };

static void set_up_sse(struct world *w)
{
    set_up(w);
    w->state.cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
    w->state.mxcsr = 0x1f80;
    w->state.fpu = cpu_fpu_initial();
}

/* ---- What forbids them ---- */

enum class { SSE_ONLY, MMX_ONLY, SSE_AND_MMX, NEITHER, NR_CLASSES };

/* The vector by class, for a state of CR0, CR4 and the x87 unit (SDM 3A tables 2-2, 13-1; SDM 2A 2.5). */
struct refusal {
    const char *what;
    uint64_t cr0;
    bool has_osfxsr, is_pending;
    unsigned expected[NR_CLASSES];
};

static const struct refusal refusals[] = {
    {"all clear", 0, true, false, {RUNS, RUNS, RUNS, RUNS}},
    {"EM", CR0_EM, true, false, {UD, UD, UD, RUNS}},
    {"TS", CR0_TS, true, false, {NM, NM, NM, RUNS}},
    {"EM and TS", CR0_EM | CR0_TS, true, false, {UD, UD, UD, RUNS}},
    {"no OSFXSR", 0, false, false, {UD, RUNS, UD, RUNS}},
    {"no OSFXSR, TS", CR0_TS, false, false, {UD, NM, UD, RUNS}},
    {"x87 pending", CR0_NE, true, true, {RUNS, MF, MF, RUNS}},
    {"x87 pending, TS", CR0_NE | CR0_TS, true, true, {NM, NM, NM, RUNS}},
};

struct classed {
    const char *what;
    enum class class;
    uint8_t bytes[8];
};

/* EBX points to good data. */
static const struct classed classed[] = {
    {"addsd xmm0,xmm1", SSE_ONLY, {0xf2, 0x0f, 0x58, 0xc1}},
    {"movaps xmm0,[ebx]", SSE_ONLY, {0x0f, 0x28, 0x03}},
    {"movaps xmm0,xmm1", SSE_ONLY, {0x0f, 0x28, 0xc1}},
    {"movups [ebx],xmm0", SSE_ONLY, {0x0f, 0x11, 0x03}},
    {"movhps xmm0,[ebx]", SSE_ONLY, {0x0f, 0x16, 0x03}},
    {"movhps [ebx],xmm0", SSE_ONLY, {0x0f, 0x17, 0x03}},
    {"movd xmm0,eax", SSE_ONLY, {0x66, 0x0f, 0x6e, 0xc0}},
    {"movd eax,xmm0", SSE_ONLY, {0x66, 0x0f, 0x7e, 0xc0}},
    {"paddb xmm0,xmm1", SSE_ONLY, {0x66, 0x0f, 0xfc, 0xc1}},
    {"psrld xmm0,1", SSE_ONLY, {0x66, 0x0f, 0x72, 0xd0, 1}},
    {"pextrb [ebx],xmm0,1", SSE_ONLY, {0x66, 0x0f, 0x3a, 0x14, 0x03, 1}},
    {"ucomisd xmm0,xmm1", SSE_ONLY, {0x66, 0x0f, 0x2e, 0xc1}},
    {"pcmpistri xmm0,xmm1,0", SSE_ONLY, {0x66, 0x0f, 0x3a, 0x63, 0xc1, 0}},
    {"ldmxcsr [ebx]", SSE_ONLY, {0x0f, 0xae, 0x13}},
    {"stmxcsr [ebx]", SSE_ONLY, {0x0f, 0xae, 0x1b}},
    {"cvtpi2pd xmm0,[ebx]", SSE_ONLY, {0x66, 0x0f, 0x2a, 0x03}},
    {"maskmovdqu xmm0,xmm1", SSE_ONLY, {0x66, 0x0f, 0xf7, 0xc1}},
    {"paddb mm0,mm1", MMX_ONLY, {0x0f, 0xfc, 0xc1}},
    {"psrld mm0,1", MMX_ONLY, {0x0f, 0x72, 0xd0, 1}},
    {"movq mm0,[ebx]", MMX_ONLY, {0x0f, 0x6f, 0x03}},
    {"movq [ebx],mm0", MMX_ONLY, {0x0f, 0x7f, 0x03}},
    {"movd mm0,eax", MMX_ONLY, {0x0f, 0x6e, 0xc0}},
    {"pshufb mm0,mm1", MMX_ONLY, {0x0f, 0x38, 0x00, 0xc1}},
    {"maskmovq mm0,mm1", MMX_ONLY, {0x0f, 0xf7, 0xc1}},
    {"cvtpi2ps xmm0,mm1", SSE_AND_MMX, {0x0f, 0x2a, 0xc1}},
    {"cvttpd2pi mm0,xmm1", SSE_AND_MMX, {0x66, 0x0f, 0x2c, 0xc1}},
    {"movq2dq xmm0,mm1", SSE_AND_MMX, {0xf3, 0x0f, 0xd6, 0xc1}},
    {"movdq2q mm0,xmm1", SSE_AND_MMX, {0xf2, 0x0f, 0xd6, 0xc1}},
    {"popcnt eax,ebx", NEITHER, {0xf3, 0x0f, 0xb8, 0xc3}},
    {"crc32 eax,ebx", NEITHER, {0xf2, 0x0f, 0x38, 0xf1, 0xc3}},
    {"movnti [ebx],eax", NEITHER, {0x0f, 0xc3, 0x03}},
    {"movbe eax,[ebx]", NEITHER, {0x0f, 0x38, 0xf0, 0x03}},
    {"lfence", NEITHER, {0x0f, 0xae, 0xe8}},
    {"mfence", NEITHER, {0x0f, 0xae, 0xf0}},
    {"sfence", NEITHER, {0x0f, 0xae, 0xf8}},
    {"clflush [ebx]", NEITHER, {0x0f, 0xae, 0x3b}},
    {"prefetcht0 [ebx]", NEITHER, {0x0f, 0x18, 0x0b}},
    {"pause", NEITHER, {0xf3, 0x90}},
};

Test(simd, what_cr0_cr4_and_a_pending_x87_exception_forbid)
{
    for (size_t g = 0; g < sizeof refusals / sizeof *refusals; g++) {
        for (size_t i = 0; i < sizeof classed / sizeof *classed; i++) {
            struct world w;
            set_up_sse(&w);
            uint8_t code[sizeof classed[i].bytes + 1];
            memset(code, 0xf4, sizeof code); /* hlt */
            unsigned length = sizeof classed[i].bytes;
            while (length > 1 && classed[i].bytes[length - 1] == 0 && length > 3)
                length--;
            memcpy(code, classed[i].bytes, length);
            if (classed[i].bytes[4] == 0x63 || classed[i].bytes[3] == 0x63)
                code[length++] = 0;
            put(&w, CODE, code, sizeof code);
            put32(&w, DATA, 0x1f80);
            w.state.gpr[CPU_BX] = w.state.gpr[CPU_DI] = DATA;
            w.state.cr0 |= refusals[g].cr0;
            w.state.cr4 &= refusals[g].has_osfxsr ? UINT64_MAX : ~(uint64_t)CR4_OSFXSR;
            if (refusals[g].is_pending) {
                w.state.fpu.control = 0x37e;
                w.state.fpu.status = 0x8081;
            }
            run(&w);
            cr_assert_eq(w.vector, refusals[g].expected[classed[i].class], "%s, %s: vector %u",
                         classed[i].what, refusals[g].what, w.vector);
            tear_down(&w);
        }
    }
}

/* ---- Exceptions ---- */

Test(simd, an_unmasked_exception_is_xm_or_without_osxmmexcpt_ud_and_changes_no_register)
{
    for (unsigned has_osxmmexcpt = 0; has_osxmmexcpt < 2; has_osxmmexcpt++) {
        struct world w;
        set_up_sse(&w);
        PROGRAM(&w, 0xf2, 0x0f, 0x5e, 0xc1); /* divsd xmm0,xmm1 */
        w.state.cr4 &= has_osxmmexcpt ? UINT64_MAX : ~(uint64_t)CR4_OSXMMEXCPT;
        w.state.mxcsr = 0x1d80; /* divide by zero is not masked */
        w.state.xmm[0].half[0] = 0x3ff0000000000000;
        run(&w);
        cr_assert_eq(w.vector, has_osxmmexcpt ? XM : UD);
        cr_assert_eq(frame(&w, 0), CODE);
        cr_assert_eq(w.state.mxcsr, 0x1d84);
        cr_assert_eq(w.state.xmm[0].half[0], 0x3ff0000000000000);
        tear_down(&w);
    }
}

Test(simd, each_reserved_bit_of_mxcsr_refuses_the_load)
{
    for (unsigned bit = 0; bit < 32; bit++) {
        struct world w;
        set_up_sse(&w);
        PROGRAM(&w, 0x0f, 0xae, 0x13, 0xf4); /* ldmxcsr [ebx] */
        w.state.gpr[CPU_BX] = DATA;
        put32(&w, DATA, 1u << bit);
        run(&w);
        cr_assert_eq(w.vector, bit < 16 ? RUNS : GP, "bit %u", bit);
        cr_assert_eq(w.state.mxcsr, bit < 16 ? 1u << bit : 0x1f80);
        tear_down(&w);
    }
}

Test(simd, monitor_and_mwait_which_cpuid_does_not_claim_are_undefined)
{
    for (unsigned which = 0; which < 2; which++) {
        struct world w;
        set_up_sse(&w);
        uint8_t code[] = {0x0f, 0x01, (uint8_t)(0xc8 + which)};
        put(&w, CODE, code, sizeof code);
        run(&w);
        cr_assert_eq(w.vector, UD);
        tear_down(&w);
    }
}

/* ---- RCPPS and RSQRTPS ---- */

static uint32_t approximate(simd_fn *function, uint32_t v)
{
    __m128i source = _mm_set1_epi32((int)v);
    return (uint32_t)_mm_cvtsi128_si32(function(NULL, source, source, NULL));
}

static float float_of(uint32_t bits)
{
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

Test(simd, approximations_are_within_the_bound_of_the_manual)
{
    const double bound = 1.5 * 0x1p-12;
    for (uint32_t exponent = 1; exponent < 255; exponent++) {
        for (uint32_t step = 0; step < 8192; step++) {
            uint32_t bits = exponent << 23 | (step * 0x10001u & 0x7fffff);
            double x = (double)float_of(bits), root = 1 / sqrt(x);
            double r = (double)float_of(approximate(simd_RCPPS, bits));
            double s = (double)float_of(approximate(simd_RSQRTPS, bits));
            if (1 / x >= 0x1p-126)
                cr_assert_leq(fabs(r * x - 1), bound, "1 / %a is %a", x, r);
            else
                cr_assert(r == 0 || fabs(r * x - 1) <= bound, "1 / %a is %a", x, r);
            cr_assert_leq(fabs(s / root - 1), bound, "1 / sqrt(%a) is %a", x, s);
        }
    }
}

/* SDM 2B RCPPS, RSQRTPS. */
Test(simd, approximations_of_special_values)
{
    static const struct {
        uint32_t v, reciprocal, reciprocal_of_root;
    } cases[] = {
        {0x00000000, 0x7f800000, 0x7f800000}, {0x80000000, 0xff800000, 0xff800000},
        {0x00000001, 0x7f800000, 0x7f800000}, {0x807fffff, 0xff800000, 0xff800000},
        {0x7f800000, 0x00000000, 0x00000000}, {0xff800000, 0x80000000, 0xffc00000},
        {0x7f800001, 0x7fc00001, 0x7fc00001}, {0xffc12345, 0xffc12345, 0xffc12345},
        {0xbf800000, 0xbf800000, 0xffc00000}, {0x7f7fffff, 0x00000000, 0x1f800000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_assert_eq(approximate(simd_RCPPS, cases[i].v), cases[i].reciprocal, "1 / %08x", cases[i].v);
        cr_assert_eq(approximate(simd_RSQRTPS, cases[i].v), cases[i].reciprocal_of_root, "1 / sqrt %08x",
                     cases[i].v);
    }
}

/* ---- Time ---- */

enum { COPIES = 8 };

/* How long a loop of so many iterations over COPIES of an instruction takes. */
static uint64_t loop_cycles(const uint8_t bytes[4], uint32_t nr_iterations)
{
    struct world w;
    uint8_t code[5 + 4 * COPIES + 4] = {0xb9}; /* mov ecx,imm32 */
    set_up_sse(&w);
    memcpy(code + 1, &nr_iterations, 4);
    for (unsigned i = 0; i < COPIES; i++)
        memcpy(code + 5 + 4 * i, bytes, 4);
    memcpy(code + 5 + 4 * COPIES, (const uint8_t[]){0x49, 0x75, 0x100 - 4 * COPIES - 3, 0xf4},
           4); /* dec, jnz */
    put(&w, CODE, code, sizeof code);
    w.state.xmm[0].half[0] = w.state.xmm[1].half[0] = 0x3ff0000000000000;
    run(&w);
    uint64_t cycles = cpu_now(w.core[CORE_INORDER].cpu);
    tear_down(&w);
    return cycles;
}

Test(simd, dependent_instructions_take_their_latencies_and_independent_ones_do_not)
{
    static const struct {
        const char *what;
        uint8_t bytes[4];
        unsigned latency_cycles; /* of each; 0: they do not wait for one another */
    } cases[] = {
        {"addsd xmm0,xmm1", {0xf2, 0x0f, 0x58, 0xc1}, 3},
        {"mulsd xmm0,xmm1", {0xf2, 0x0f, 0x59, 0xc1}, 5},
        {"mulps xmm0,xmm1", {0x90, 0x0f, 0x59, 0xc1}, 4},
        {"divsd xmm0,xmm1", {0xf2, 0x0f, 0x5e, 0xc1}, 32},
        {"paddd xmm0,xmm1", {0x66, 0x0f, 0xfe, 0xc1}, 1},
        {"pmullw xmm0,xmm1", {0x66, 0x0f, 0xd5, 0xc1}, 3},
        {"pmullw mm0,mm1", {0x90, 0x0f, 0xd5, 0xc1}, 3},
        {"mulsd xmm1,xmm0", {0xf2, 0x0f, 0x59, 0xc8}, 5},
        {"sqrtpd xmm0,xmm1", {0x66, 0x0f, 0x51, 0xc1}, 58} /* one after the other */,
        {"cvtps2dq xmm0,xmm1", {0x66, 0x0f, 0x5b, 0xc1}, 0},
        {"movd xmm0,ecx", {0x66, 0x0f, 0x6e, 0xc1}, 0},
    };
    enum { FEW = 100, MANY = 300 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t cycles = loop_cycles(cases[i].bytes, MANY) - loop_cycles(cases[i].bytes, FEW);
        uint64_t each = (MANY - FEW) * COPIES * cases[i].latency_cycles;
        if (cases[i].latency_cycles > 1)
            cr_assert_eq(cycles, each, "%s: %lu cycles", cases[i].what, cycles);
        else /* eight and two more at two in a cycle; or each in a cycle of its own, and the jump */
            cr_assert_leq(cycles, (MANY - FEW) * (COPIES + 2), "%s: %lu cycles", cases[i].what, cycles);
    }
}

/* ---- Caches ---- */

Test(simd, clflush_writes_a_dirty_line_back_and_empties_it_in_all_caches)
{
    struct world w;
    set_up_sse(&w);
    PROGRAM(&w, 0x89, 0x03, 0x89, 0x43, 0x40, 0x0f, 0xae, 0x3b, 0xf4); /* mov [ebx]; mov [ebx+64]; clflush */
    w.state.gpr[CPU_BX] = DATA;
    w.state.gpr[CPU_AX] = 0x12345678;
    run(&w);
    for (unsigned kind = CORE_INORDER; kind < NR_CORE_KINDS; kind++) {
        const struct core *core = &w.core[kind];
        cr_assert_not(cache_contains(core->caches.l1d, paddr(DATA)));
        cr_assert_not(cache_contains(core->caches.l2, paddr(DATA)));
        cr_assert(cache_contains(core->caches.l1d, paddr(DATA + 64)));
        cr_assert_eq(cache_stats(core->caches.l1d)->writebacks, 1);
        cr_assert_eq(cache_stats(core->caches.l2)->writebacks, 1);
    }
    cr_assert_eq(get32(&w, DATA), 0x12345678);
    tear_down(&w);
}

Test(simd, clflush_of_code_makes_the_next_fetch_miss)
{
    struct world w;
    set_up_sse(&w);
    PROGRAM(&w, 0x0f, 0xae, 0x3b, 0xf4); /* clflush [ebx] */
    w.state.gpr[CPU_BX] = CODE;
    run(&w);
    cr_assert_not(cache_contains(w.core[CORE_INORDER].caches.l1i, paddr(CODE)));
    tear_down(&w);
}

Test(simd, clflush_faults_as_a_load_does)
{
    struct world w;
    set_up_sse(&w);
    PROGRAM(&w, 0x0f, 0xae, 0x3b, 0xf4);
    w.state.gpr[CPU_BX] = GONE + 5;
    run(&w);
    cr_assert_eq(w.vector, PF);
    cr_assert_eq(frame(&w, 0), 0);
    cr_assert_eq(w.state.cr2, GONE + 5);
    tear_down(&w);
}

/* How long a miss, a fence (or a NOP) and many NOPs take together. */
static uint64_t cycles_with(uint8_t access, bool has_fence, uint8_t fence)
{
    enum { NR_NOPS = 300 };
    struct world w;
    uint8_t code[5 + NR_NOPS + 1] = {access, 0x03, 0x0f, 0x1f, 0x00}; /* mov [ebx],eax or mov eax,[ebx] */
    set_up_sse(&w);
    memset(code + 5, 0x90, NR_NOPS);
    code[5 + NR_NOPS] = 0xf4;
    if (has_fence) {
        code[3] = 0xae;
        code[4] = fence;
    }
    put(&w, CODE, code, sizeof code);
    w.state.gpr[CPU_BX] = DATA;
    run(&w);
    uint64_t cycles = cpu_now(w.core[CORE_INORDER].cpu);
    tear_down(&w);
    return cycles;
}

Test(simd, fences_wait_for_what_they_order)
{
    static const struct {
        uint8_t fence;
        bool waits_for_store, waits_for_load;
    } cases[] = {{0xe8, false, true}, {0xf0, true, true}, {0xf8, true, false}};
    enum { STORE = 0x89, LOAD = 0x8b, MISS_CYCLES = 20 }; /* at least */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t fence = cases[i].fence;
        bool store_waits = cycles_with(STORE, true, fence) >= cycles_with(STORE, false, 0) + MISS_CYCLES;
        bool load_waits = cycles_with(LOAD, true, fence) >= cycles_with(LOAD, false, 0) + MISS_CYCLES;
        cr_assert_eq(store_waits, cases[i].waits_for_store, "0f ae %02x", fence);
        cr_assert_eq(load_waits, cases[i].waits_for_load, "0f ae %02x", fence);
    }
}
