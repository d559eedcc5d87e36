/*
 * What cpu.isa makes of CPUID, of instructions and of control registers: SDM 2A CPUID, SDM 1 5, SDM 3A 2.5.
 */
#include "tests/unit/core_fixture.h"

#include <criterion/criterion.h>

enum { CODE = 0x1000, MAX_BYTES = 24, NO_FAULT = 255 };

/* Runs the bytes, then HLT, in flat 32-bit code. Gives the first exception, NO_FAULT where there is none. */
static unsigned run(const char *isa, uint32_t eax, uint32_t ecx, const uint8_t *bytes, size_t nr_bytes,
                    struct cpu_state *state)
{
    char setting[40];
    snprintf(setting, sizeof setting, "cpu.isa=%s", isa);
    const char *settings[] = {setting, NULL};
    struct core core;
    core_init(&core, CORE_FUNCTIONAL, settings);
    uint8_t program[MAX_BYTES] = {0};
    memcpy(program, bytes, nr_bytes);
    program[nr_bytes] = 0xf4;
    core_put(&core, CODE, program, sizeof program);
    *state = (struct cpu_state){.rip = CODE, .rflags = 2, .cr0 = CR0_PE};
    for (unsigned seg = 0; seg < 6; seg++)
        state->segment[seg] = core_segment(0x10, 0x00cf93000000ffff);
    state->segment[DEC_SEG_CS] = core_segment(8, 0x00cf9b000000ffff);
    state->gpr[CPU_SP] = 0x8000;
    state->gpr[CPU_AX] = eax;
    state->gpr[CPU_CX] = ecx;
    cpu_set_state(core.cpu, state);
    enum cpu_stop stop = cpu_run(core.cpu, 10000);
    *state = cpu_state(core.cpu);
    struct cpu_fault_record record[CPU_FAULT_HISTORY];
    unsigned nr = cpu_fault_history(core.cpu, record);
    cr_assert_eq(stop, nr ? CPU_STOP_SHUTDOWN : CPU_STOP_HALTED);
    core_fini(&core);
    return nr ? record[nr - 1].vector : (unsigned)NO_FAULT;
}

static struct cpu_state identify(const char *isa, uint32_t leaf, uint32_t subleaf)
{
    static const uint8_t cpuid[] = {0x0f, 0xa2};
    struct cpu_state state;
    cr_assert_eq(run(isa, leaf, subleaf, cpuid, sizeof cpuid, &state), NO_FAULT);
    return state;
}

static unsigned fault_of(const char *isa, const uint8_t *bytes, size_t nr_bytes)
{
    struct cpu_state state;
    return run(isa, 0, 0, bytes, nr_bytes, &state);
}

#define FAULT_OF(isa, ...)                                                                                   \
    fault_of(isa, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

Test(identify, features_come_with_the_isa)
{
    cr_assert_eq(identify("i486", 1, 0).gpr[CPU_DX], 1);   /* the FPU, and nothing that came later */
    cr_assert_eq(identify("p5", 1, 0).gpr[CPU_DX], 0x33f); /* VME, DE, PSE, TSC, MSR, CX8, APIC */
    uint32_t sse = 3u << 25;
    cr_assert_eq(identify("p6", 1, 0).gpr[CPU_DX] & sse, 0);
    cr_assert_eq(identify("p4", 1, 0).gpr[CPU_DX] & sse, sse);
    cr_assert_eq(identify("p4", 0x80000001, 0).gpr[CPU_DX] & 1u << 29, 0);
    cr_assert_eq(identify("x86-64", 0x80000001, 0).gpr[CPU_DX] & 1u << 29, 1u << 29);
    cr_assert_eq(identify("x86-64", 1, 0).gpr[CPU_CX], 0);
    /* The psABI's x86-64-v2: SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, POPCNT. */
    cr_assert_eq(identify("x86-64-v2", 1, 0).gpr[CPU_CX], 1 | 1 << 9 | 1 << 13 | 3 << 19 | 1 << 23);
    cr_assert_eq(identify("x86-64-v2", 7, 0).gpr[CPU_BX], identify("x86-64-v2", 4, 0).gpr[CPU_BX]);
    cr_assert_neq(identify("max", 7, 0).gpr[CPU_BX] & 1u << 20, 0);
}

Test(identify, only_leaves_with_subleaves_look_at_ecx)
{
    cr_assert_eq(identify("p5", 1, 5).gpr[CPU_DX], 0x33f);
    cr_assert_neq(identify("max", 0x80000001, 7).gpr[CPU_DX] & 1u << 29, 0);
    cr_assert_eq(identify("max", 7, 1).gpr[CPU_BX], 0);
}

Test(identify, leaves_that_are_not_there_answer_as_the_highest)
{
    cr_assert_eq(identify("i486", 0, 0).gpr[CPU_AX], 1);
    cr_assert_eq(identify("i486", 0x80000000, 0).gpr[CPU_DX], 1);
    cr_assert_eq(identify("i486", 0x12345, 0).gpr[CPU_DX], 1);
    cr_assert_eq(identify("max", 0x80000000, 0).gpr[CPU_AX], 0x80000008);
}

Test(identify, leaf_4_describes_the_configured_caches)
{
    /* The default's L1D: 32 KiB, 8 ways, lines of 64 bytes, so 64 sets. */
    struct cpu_state l1d = identify("max", 4, 0), end = identify("max", 4, 3);
    cr_assert_eq(l1d.gpr[CPU_AX], 1 | 1 << 5 | 1 << 8);
    cr_assert_eq(l1d.gpr[CPU_BX], 7u << 22 | 63);
    cr_assert_eq(l1d.gpr[CPU_CX], 63);
    cr_assert_eq(end.gpr[CPU_AX] & 31, 0);
}

Test(identify, the_brand_is_text)
{
    char text[48];
    for (unsigned i = 0; i < 3; i++) {
        struct cpu_state state = identify("max", 0x80000002 + i, 0);
        const unsigned order[] = {CPU_AX, CPU_BX, CPU_CX, CPU_DX};
        for (unsigned j = 0; j < 4; j++)
            memcpy(text + i * 16 + j * 4, &state.gpr[order[j]], 4);
    }
    cr_assert_eq(text[47], 0);
    cr_assert_eq(strncmp(text, "lookaside", 9), 0);
}

Test(identify, instructions_that_came_later_are_undefined)
{
    enum { UD = 6 };
    cr_assert_eq(FAULT_OF("i486", 0x0f, 0x31), UD); /* RDTSC */
    cr_assert_eq(FAULT_OF("p5", 0x0f, 0x31), NO_FAULT);
    cr_assert_eq(FAULT_OF("p5", 0x0f, 0x44, 0xc1), UD); /* CMOVZ */
    cr_assert_eq(FAULT_OF("p6", 0x0f, 0x44, 0xc1), NO_FAULT);
    cr_assert_eq(FAULT_OF("p5", 0x0f, 0xfe, 0xc1), UD); /* PADDD mm0, mm1 */
    cr_assert_eq(FAULT_OF("p6", 0x0f, 0xfe, 0xc1), NO_FAULT);
    cr_assert_eq(FAULT_OF("p6", 0x0f, 0xe0, 0xc1), UD); /* PAVGB mm0, mm1 is SSE's */
    cr_assert_eq(FAULT_OF("p6", 0x0f, 0x20, 0xe0, 0x80, 0xcc, 0x02, 0x0f, 0x22, 0xe0, 0x0f, 0x58, 0xc1), UD);
    /* OSFXSR set: ADDPS xmm0, xmm1 */
    cr_assert_eq(FAULT_OF("p4", 0x0f, 0x20, 0xe0, 0x80, 0xcc, 0x02, 0x0f, 0x22, 0xe0, 0x0f, 0x58, 0xc1),
                 NO_FAULT);
    cr_assert_eq(FAULT_OF("x86-64", 0xf3, 0x0f, 0xb8, 0xc1), UD); /* POPCNT */
    cr_assert_eq(FAULT_OF("x86-64-v2", 0xf3, 0x0f, 0xb8, 0xc1), NO_FAULT);
}

Test(identify, lzcnt_is_bsr_where_it_is_not_there)
{
    struct cpu_state state;
    const uint8_t lzcnt[] = {0xf3, 0x0f, 0xbd, 0xc1}; /* of ECX = 100h */
    cr_assert_eq(run("x86-64-v2", 0, 0x100, lzcnt, sizeof lzcnt, &state), NO_FAULT);
    cr_assert_eq(state.gpr[CPU_AX], 8);
    cr_assert_eq(run("max", 0, 0x100, lzcnt, sizeof lzcnt, &state), NO_FAULT);
    cr_assert_eq(state.gpr[CPU_AX], 23);
}

Test(identify, bits_of_cr4_and_efer_are_reserved_without_their_feature)
{
    enum { GP = 13 };
    static const uint8_t set_cr4[] = {0x0f, 0x22, 0xe0}, set_efer[] = {0x31, 0xd2, 0x0f, 0x30};
    const struct {
        const char *isa;
        uint32_t cr4;
        unsigned fault;
    } rows[] = {
        {"i486", 0x10, GP}, {"p5", 0x10, NO_FAULT},  {"p5", 0x20, GP},           {"p6", 0x20, NO_FAULT},
        {"p6", 0x400, GP},  {"p4", 0x400, NO_FAULT}, {"x86-64-v2", 1 << 20, GP}, {"max", 1 << 20, NO_FAULT},
    };
    struct cpu_state state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_assert_eq(run(rows[i].isa, rows[i].cr4, 0, set_cr4, sizeof set_cr4, &state), rows[i].fault,
                     "row %u", i);
    cr_assert_eq(run("p4", 0x100, 0xc0000080, set_efer, sizeof set_efer, &state), GP);
    cr_assert_eq(run("x86-64", 0x100, 0xc0000080, set_efer, sizeof set_efer, &state), NO_FAULT);
}

/* SDM 4 table 2-2: IA32_ARCH_CAPABILITIES is there where CPUID says so, and cannot be written. */
Test(identify, arch_capabilities_come_with_their_feature)
{
    enum { GP = 13, MSR = 0x10a, RDCL_NO = 1, FEATURE = 1 << 29 };
    static const uint8_t rdmsr[] = {0x0f, 0x32}, wrmsr[] = {0x0f, 0x32, 0x0f, 0x30}, cpuid[] = {0x0f, 0xa2};
    struct cpu_state state;
    cr_assert_eq(run("x86-64-v2", 0, MSR, rdmsr, sizeof rdmsr, &state), GP);
    cr_assert_eq(run("max", 0, MSR, rdmsr, sizeof rdmsr, &state), NO_FAULT);
    cr_assert(state.gpr[CPU_AX] & RDCL_NO);
    cr_assert_eq(run("max", 0, MSR, wrmsr, sizeof wrmsr, &state), GP);
    cr_assert_eq(run("max", 7, 0, cpuid, sizeof cpuid, &state), NO_FAULT);
    cr_assert(state.gpr[CPU_DX] & FEATURE);
    cr_assert_eq(run("max", 0x80000007, 0, cpuid, sizeof cpuid, &state), NO_FAULT);
    cr_assert_eq(state.gpr[CPU_DX], 1 << 8, "the TSC counts at one rate, halted or not");
}
