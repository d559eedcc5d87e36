/*
 * The in-order pipeline against closed forms: what a loop costs in each iteration follows from docs/timing.md
 * by arithmetic on the configured cycles.
 */
#include "tests/unit/loop_fixture.h"

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
