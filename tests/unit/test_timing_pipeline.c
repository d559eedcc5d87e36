/*
 * The in-order pipeline against closed forms: what a loop costs in each iteration follows from docs/timing.md
 * by arithmetic on the configured cycles. Each loop runs in the fast and in the watched model, for two
 * numbers of iterations, so that warming up and the way out cancel.
 */
#include "tests/unit/core_fixture.h"

#include <criterion/criterion.h>

#include <stdio.h>

enum { GDT = 0x3000, CODE = 0x10000, DATA = 0x20000, STACK = 0x9000, CODE_SELECTOR = 8, DATA_SELECTOR = 16 };

#define MAX_SETTINGS 12

struct loop {
    const char *settings[MAX_SETTINGS];
    const char *body; /* hexadecimal */
    unsigned copies;  /* of the body in the loop */
    uint32_t eax, ebx, edx;
    bool counts_in_esi; /* instead of ecx */
};

static unsigned from_hex(const char *text, uint8_t *bytes)
{
    unsigned nr = 0;
    for (unsigned value; sscanf(text, "%2x", &value) == 1; text += 2 + (text[2] == ' '))
        bytes[nr++] = (uint8_t)value;
    return nr;
}

static struct cpu_state start(uint32_t rip)
{
    struct cpu_state state = {.rip = rip, .rflags = 2, .cr0 = CR0_PE, .gdt_base = GDT, .gdt_limit = 23};
    for (unsigned seg = 0; seg < 6; seg++)
        state.segment[seg] = core_segment(DATA_SELECTOR, 0x00cf93000000ffff);
    state.segment[DEC_SEG_CS] = core_segment(CODE_SELECTOR, 0x00cf9b000000ffff);
    state.gpr[CPU_SP] = STACK;
    return state;
}

/* Runs until HLT; what the core counted is in *stats. */
static cycle_t run_code(enum core_kind kind, const char *const *settings, const uint8_t *code,
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

static cycle_t run_loop(const struct loop *loop, enum core_kind kind, uint32_t nr, struct cpu_stats *stats)
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
static cycle_t each_iteration(const struct loop *loop, struct cpu_stats *stats)
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

static void expect(const struct loop *loop, cycle_t expected)
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

/* A loop's own two instructions: DEC, and JNZ a cycle later. */

Test(timing, a_chain_takes_a_cycle_each_whatever_the_width)
{
    /* lea eax,[eax+1]: DEC and JNZ go beside a wider core's chain */
    expect(LOOP("8d4001", 16, WIDE(1)), 18);
    expect(LOOP("8d4001", 16, WIDE(2)), 16);
    expect(LOOP("8d4001", 16, WIDE(4)), 16);
    /* add eax,ebx: DEC reads the flags too, and JNZ the DEC's */
    expect(LOOP("01d8", 16, WIDE(2)), 17);
}

Test(timing, independent_instructions_fill_all_slots)
{
    /* lea esi,[edi+1]: slots in all; JNZ wastes what is left of DEC's cycle */
    expect(LOOP("8d7701", 16, WIDE(1)), 18);
    expect(LOOP("8d7701", 16, WIDE(2)), 9);
    expect(LOOP("8d7701", 16, WIDE(4)), 5);
}

Test(timing, multiplications_are_pipelined_and_divisions_are_not)
{
    /* imul eax,ebx: a chain of 3 each, then DEC waits for the flags, JNZ, and the next one beside it */
    expect(LOOP("0fafc3", 8, WIDE(2)), 8 * 3 + 1);
    /* imul esi,edi,1: independent, a slot each; DEC waits for the flags of the last */
    expect(LOOP("6bf701", 8, WIDE(1)), 8 + 2 + 2);
    /* xor edx,edx; mov eax,ebx; div ebx: XOR is no idiom, and waits for the remainder before */
    expect(LOOP("31d2 89d8 f7f3", 4, WIDE(2)), 4 * (25 + 1));
}

Test(timing, a_load_that_hits_is_used_after_the_latency)
{
    /* mov edx,[edx] to itself: see the ring below for others */
    expect(LOOP("8b1b", 64, WIDE(2)), 64 * 3);
    expect(LOOP("8b1b", 64, WIDE(2), "cache.l1d.latency_cycles=5"), 64 * 5);
}

Test(timing, a_chase_over_the_l2_takes_both_latencies)
{
    /* 64 lines in a ring, in an L1D of 32 that LRU keeps missing */
    expect(LOOP("8b1b", 64, WIDE(2), "cache.l1d.size=2KiB", "cache.l1d.ways=2"), 64 * (3 + 10));
    expect(LOOP("8b1b", 64, WIDE(2), "cache.l1d.size=2KiB", "cache.l1d.ways=2", "cache.l2.latency_cycles=21"),
           64 * (3 + 21));
}

Test(timing, memory_ports_bound_the_loads_of_a_cycle)
{
    /* mov eax,[ebx] */
    expect(LOOP("8b03", 16, WIDE(4), "cpu.memory_ports=1"), 16);
    expect(LOOP("8b03", 16, WIDE(4), "cpu.memory_ports=2"), 8);
    expect(LOOP("8b03", 16, WIDE(4), "cpu.memory_ports=4"), 5);
}

Test(timing, stores_drain_one_a_cycle)
{
    /* mov [ebx],eax: the buffer fills, and then each waits for a place */
    expect(LOOP("8903", 16, WIDE(4), "cpu.memory_ports=4", "cpu.store_buffer=2"), 16);
    expect(LOOP("8903", 16, WIDE(4), "cpu.memory_ports=4", "cpu.store_buffer=64"), 16);
}

Test(timing, a_wrong_prediction_costs_refetch_and_front_end)
{
    /* four lea, DEC, JNZ mispredicted: the next lea comes that much after it */
    static const char *const cases[][2] = {{"cpu.mispredict_cycles=0", "cpu.frontend_cycles=1"},
                                           {"cpu.mispredict_cycles=7", "cpu.frontend_cycles=3"},
                                           {"cpu.mispredict_cycles=5", "cpu.frontend_cycles=12"}};
    static const unsigned penalties[] = {1, 10, 17};
    for (unsigned i = 0; i < 3; i++)
        expect(LOOP("8d7701", 4, "cpu.width=1", "cpu.predictor=not-taken", cases[i][0], cases[i][1]),
               penalties[i] + 5);
}

Test(timing, a_branch_the_btb_does_not_know_delays_the_next_fetch)
{
    /* jmp to the next instruction, JNZ: one entry for both, so that each finds the other's */
    expect(LOOP("eb00", 1, "cpu.width=2", "cpu.btb_entries=1", "cpu.frontend_cycles=5"), 2 * 5);
    expect(LOOP("eb00", 1, "cpu.width=2", "cpu.btb_entries=1", "cpu.frontend_cycles=9"), 2 * 9);
}

Test(timing, one_block_is_fetched_a_cycle)
{
    /* NOPs of 8 bytes; DEC and JNZ lie in one more block */
    expect(LOOP("0f1f840000000000", 8, WIDE(4), "cpu.fetch_bytes=8"), 9);
    expect(LOOP("0f1f840000000000", 8, WIDE(4), "cpu.fetch_bytes=16"), 5);
    /* each taken branch asks for a block, even the one that is current */
    expect(LOOP("eb00", 8, WIDE(2)), 9);
}

Test(timing, the_fetch_queue_bounds_what_is_ahead)
{
    /*
     * Taken branches, a block each, and one with DEC and JNZ, which takes a cycle more. A block is asked for
     * in the cycle behind the last issue of the one that had its place, and issues F cycles later: F + 1 for
     * each.
     */
    expect(LOOP("eb00", 3, "cpu.width=2", "cpu.frontend_cycles=5", "cpu.fetch_queue=1"), 4 * 6 + 1);
    expect(LOOP("eb00", 3, "cpu.width=2", "cpu.frontend_cycles=5", "cpu.fetch_queue=2"), 2 * 6 + 1);
    expect(LOOP("eb00", 3, "cpu.width=2", "cpu.frontend_cycles=7", "cpu.fetch_queue=4"), 8 + 1);
}

Test(timing, repeated_strings_take_a_port_for_each_access)
{
    static const struct {
        const char *width, *ports, *body;
        unsigned each;
    } cases[] = {
        {"cpu.width=1", "cpu.memory_ports=1", "f3a5", 2}, /* movsd: a load and a store */
        {"cpu.width=2", "cpu.memory_ports=2", "f3a5", 1},
        {"cpu.width=2", "cpu.memory_ports=1", "f3ab", 1}, /* stosd */
        {"cpu.width=1", "cpu.memory_ports=1", "f2af", 4}, /* scasd: the load, and the slot behind it */
        {"cpu.width=2", "cpu.memory_ports=1", "f2af", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cycle_t cycles[2];
        for (unsigned more = 0; more < 2; more++) {
            /*
             * mov ecx,n; mov edi,DATA+4000h; mov esi,DATA+5000h; the instruction: twice, the first to warm up
             */
            uint8_t code[128];
            struct cpu_stats stats;
            unsigned at = 0;
            for (unsigned turn = 0; turn < 2; turn++) {
                char text[64];
                sprintf(text, "b9%02x000000 bf00400200 be00500200", turn && more ? 64 : 32);
                at += from_hex(text, code + at);
                at += from_hex(cases[i].body, code + at);
            }
            code[at++] = 0xf4;
            const char *settings[] = {cases[i].width, cases[i].ports, NULL};
            struct cpu_state state = start(CODE);
            state.gpr[CPU_AX] = 1;
            cycles[more] = run_code(CORE_INORDER, settings, code, at, &state, &stats);
            cr_assert_eq(run_code(CORE_WATCHED, settings, code, at, &state, &stats), cycles[more]);
        }
        cr_assert_geq(cycles[1] - cycles[0], 32 * cases[i].each, "%s: %lu", cases[i].body,
                      cycles[1] - cycles[0]);
    }
}

Test(timing, cpuid_serialises)
{
    /*
     * CPUID, 40 cycles; then DEC comes through the front end, and JNZ behind it, at the end of which CPUID is
     * there
     */
    expect(LOOP_IN(true, "0fa2", 1, "cpu.width=1", "cpu.frontend_cycles=5"), 40 + 5 + 2);
    expect(LOOP_IN(true, "0fa2", 1, "cpu.width=1", "cpu.frontend_cycles=9"), 40 + 9 + 2);
}

/* ---- Stores heard by loads ---- */

Test(timing, a_chain_through_the_store_buffer_takes_forwarding_and_alu)
{
    /*
     * add [ebx],eax, which reads no flags: each load has the sum of the one before; DEC waits for the last,
     * and the first of the next goes beside JNZ and finds the buffer empty
     */
    struct cpu_stats stats;
    struct loop loop = {
        .settings = {WIDE(2), "cpu.store_buffer=16"}, .body = "0103", .copies = 8, .ebx = DATA + 0x2000};
    cycle_t each = each_iteration(&loop, &stats);
    cr_assert_eq(each, 8 * (3 + 1) + 1, "%lu", each);
    cr_assert_eq(stats.store_forwards, (MANY - FEW) * 7, "%lu", stats.store_forwards);
    loop.settings[3] = "cpu.store_forward_cycles=1";
    each = each_iteration(&loop, &stats);
    cr_assert_eq(each, 3 + 1 + 7 * (1 + 1) + 1, "%lu", each);
    cr_assert_eq(stats.store_forward_fails, 0);
}

Test(timing, a_load_of_more_than_the_store_has_waits_for_it_to_leave)
{
    /*
     * add [ebx+edx],al (0): data after 3 + 1, gone a cycle later; mov edx,[ebx], which the next address
     * needs: a hit's 3 and 5 more from then on.
     */
    struct cpu_stats stats;
    struct loop loop = {.settings = {WIDE(1)}, .body = "000413 8b13", .copies = 4, .ebx = DATA + 0x2000};
    cycle_t each = each_iteration(&loop, &stats);
    cr_assert_eq(each, 4 * (3 + 1 + 1 + 3 + 5), "%lu", each);
    cr_assert_eq(stats.store_forward_fails, (MANY - FEW) * 4, "%lu", stats.store_forward_fails);
    cr_assert_eq(stats.store_forwards, 0);
    loop.settings[3] = "cpu.store_forward_fail_cycles=0";
    each = each_iteration(&loop, &stats);
    cr_assert_eq(each, 4 * (3 + 1 + 1 + 3), "%lu", each);
}

Test(timing, a_store_that_missed_gives_its_bytes_long_before_its_line_comes)
{
    /*
     * mov [ebx],eax to a new line; mov edx,[ebx]; lea esi,[edx+1]; a read of more than it has waits for DRAM
     */
    static const char *const bodies[] = {"8903 8b13 8d7201 f4", "8803 8b13 8d7201 f4"};
    cycle_t cycles[2];
    for (unsigned i = 0; i < 2; i++) {
        uint8_t code[64];
        struct cpu_stats stats;
        struct cpu_state state = start(CODE);
        state.gpr[CPU_BX] = DATA + 0x3000;
        unsigned nr = from_hex(bodies[i], code);
        const char *settings[] = {"cpu.store_forward_fail_cycles=0", NULL};
        cycles[i] = run_code(CORE_INORDER, settings, code, nr, &state, &stats);
        cr_assert_eq(run_code(CORE_WATCHED, settings, code, nr, &state, &stats), cycles[i]);
        cr_assert_eq(stats.store_forwards, i == 0);
        cr_assert_eq(stats.store_forward_fails, i == 1);
    }
    /*
     * Until HLT, which waits for both stores: the load behind the second takes a hit's time once it has left.
     */
    cr_assert_eq(cycles[1] - cycles[0], 3 + 1);
}

Test(timing, returns_beyond_the_stack_are_mispredicted)
{
    /*
     * call f; ... where f calls itself until ecx is 0: 6 deep with room for 4, the two outermost returns are
     * wrong. mov ecx,6; call f; hlt; f: dec ecx; jz out; call f; out: ret
     */
    uint8_t code[64];
    struct cpu_stats stats;
    unsigned nr = from_hex("b906000000 e801000000 f4 49 7405 e8f8ffffff c3", code);
    struct cpu_state state = start(CODE);
    for (unsigned entries = 4; entries <= 6; entries++) {
        char setting[32];
        sprintf(setting, "cpu.return_stack=%u", entries);
        const char *settings[] = {setting, "cpu.predictor=not-taken", NULL};
        run_code(CORE_INORDER, settings, code, nr, &state, &stats);
        cr_assert_eq(stats.mispredicts, 1 + 6 - entries, "%u: %lu", entries,
                     stats.mispredicts); /* 1: the JZ */
    }
}
