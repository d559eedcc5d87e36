/*
 * A core that runs a loop, and what that costs in each iteration: the loop runs in the fast and in the
 * watched model, for two numbers of iterations, so that warming up and the way out cancel.
 */
#ifndef LK_TESTS_LOOP_FIXTURE_H
#define LK_TESTS_LOOP_FIXTURE_H

#include "tests/unit/core_fixture.h"

#include <criterion/criterion.h>

#include <stdio.h>

enum { GDT = 0x3000, CODE = 0x10000, DATA = 0x20000, STACK = 0x9000, CODE_SELECTOR = 8, DATA_SELECTOR = 16 };

#define MAX_SETTINGS 20

struct loop {
    const char *settings[MAX_SETTINGS];
    const char *body; /* hexadecimal */
    unsigned copies;  /* of the body in the loop */
    uint32_t eax, ebx, edx;
    bool counts_in_esi; /* instead of ecx */
};

static inline unsigned from_hex(const char *text, uint8_t *bytes)
{
    unsigned nr = 0;
    for (unsigned value; sscanf(text, "%2x", &value) == 1; text += 2 + (text[2] == ' '))
        bytes[nr++] = (uint8_t)value;
    return nr;
}

static inline struct cpu_state start(uint32_t rip)
{
    struct cpu_state state = {.rip = rip, .rflags = 2, .cr0 = CR0_PE, .gdt_base = GDT, .gdt_limit = 23};
    for (unsigned seg = 0; seg < 6; seg++)
        state.segment[seg] = core_segment(DATA_SELECTOR, 0x00cf93000000ffff);
    state.segment[DEC_SEG_CS] = core_segment(CODE_SELECTOR, 0x00cf9b000000ffff);
    state.gpr[CPU_SP] = STACK;
    return state;
}

/* Runs until HLT; what the core counted is in *stats. */
static inline cycle_t run_code(enum core_kind kind, const char *const *settings, const uint8_t *code,
                               size_t nr_bytes, const struct cpu_state *state, struct cpu_stats *stats)
{
    struct core core;
    core_init(&core, kind, settings);
    core_put(&core, CODE, code, nr_bytes);
    for (uint32_t line = 0; line < 64; line++) /* a ring of pointers, a line each */
        core_put(&core, DATA + line * 64, &(uint32_t){DATA + (line + 1) % 64 * 64}, 4);
    cpu_set_state(core.cpu, state);
    enum cpu_stop stop = cpu_run(core.cpu, 10000000);
    cr_assert_eq(stop, CPU_STOP_HALTED);
    cpu_settle(core.cpu);
    cycle_t parts[NR_REASONS], sum = 0;
    cpu_cpi_stack(core.cpu, parts);
    for (unsigned i = 0; i < NR_REASONS; i++)
        sum += parts[i];
    cr_assert_eq(sum, cpu_now(core.cpu));
    *stats = *cpu_stats(core.cpu);
    cycle_t now = cpu_now(core.cpu);
    core_fini(&core);
    return now;
}

static inline cycle_t run_loop(const struct loop *loop, enum core_kind kind, uint32_t nr,
                               struct cpu_stats *stats)
{
    uint8_t code[1024], body[64];
    unsigned nr_body = from_hex(loop->body, body), at = 0;
    while (at < 27) /* the loop begins with a fetch block */
        code[at++] = 0x90;
    code[at++] = loop->counts_in_esi ? 0xbe : 0xb9;
    memcpy(code + at, &nr, 4);
    at += 4;
    unsigned begin = at;
    for (unsigned i = 0; i < loop->copies; i++, at += nr_body)
        memcpy(code + at, body, nr_body);
    code[at++] = loop->counts_in_esi ? 0x4e : 0x49; /* dec */
    code[at++] = 0x0f;                              /* jnz */
    code[at++] = 0x85;
    int32_t back = (int32_t)begin - (int32_t)at - 4;
    memcpy(code + at, &back, 4);
    at += 4;
    code[at++] = 0xf4;
    struct cpu_state state = start(CODE);
    state.gpr[CPU_AX] = loop->eax;
    state.gpr[CPU_BX] = loop->ebx ? loop->ebx : DATA;
    state.gpr[CPU_DX] = loop->edx;
    state.gpr[CPU_DI] = DATA + 0x4000;
    return run_code(kind, loop->settings, code, at, &state, stats);
}

enum { FEW = 100, MANY = 300 };

/* Cycles an iteration; in *stats what the iterations between FEW and MANY counted. */
static inline cycle_t each_iteration(const struct loop *loop, struct cpu_stats *stats)
{
    cycle_t each = 0;
    for (enum core_kind kind = CORE_INORDER; kind <= CORE_WATCHED; kind++) {
        struct cpu_stats few;
        cycle_t cycles = run_loop(loop, kind, MANY, stats) - run_loop(loop, kind, FEW, &few);
        cr_assert_eq(cycles % (MANY - FEW), 0, "kind %u: %lu cycles for %u iterations of %s", kind, cycles,
                     MANY - FEW, loop->body);
        cr_assert(kind == CORE_INORDER || each == cycles / (MANY - FEW), "the models differ");
        each = cycles / (MANY - FEW);
        for (size_t i = 0; i < sizeof *stats / sizeof(uint64_t); i++)
            ((uint64_t *)stats)[i] -= ((uint64_t *)&few)[i];
    }
    return each;
}

static inline void expect(const struct loop *loop, cycle_t expected)
{
    struct cpu_stats stats;
    cycle_t each = each_iteration(loop, &stats);
    cr_assert_eq(each, expected, "%u x %s with %s: %lu cycles, not %lu", loop->copies, loop->body,
                 loop->settings[0] ? loop->settings[0] : "the default", each, expected);
}

#define LOOP_IN(esi, code, nr_copies, ...)                                                                   \
    (&(struct loop){.settings = {__VA_ARGS__}, .body = (code), .copies = (nr_copies), .counts_in_esi = (esi)})
#define LOOP(code, nr_copies, ...) LOOP_IN(false, code, nr_copies, __VA_ARGS__)
#define WIDE(w) "cpu.width=" #w, "cpu.fetch_queue=16", "cpu.frontend_cycles=5"

#endif
