/*
 * Single-stepping, breakpoints and the debug registers (SDM 3B 17.2, 17.3), in all three models. The handler
 * of #DB writes down where it was called and what DR6 held, clears DR6, and goes on, so that a test reads off
 * the list of debug exceptions of a program.
 */
#include "tests/unit/long_fixture.h"

enum {
    DB = 1,
    TF = 0x100,
    RF = 0x10000,
    LOG_END = 0x21000, /* where the handler keeps its pointer */
    LOG = 0x21010,
    HANDLER = 0xb000,
    NOWHERE = 0x7f000,
    NR_LOG_WORDS = 3,
    NR_MAX_LOGGED = 12,
    BD = 0x2000,
    BS = 0x4000,
};

#define DR6_ZERO 0xffff0ff0u

/* DR7 for breakpoint i: R/W and LEN, and whether it is enabled (Gi). */
#define BREAK(i, rw, len) ((uint32_t)((rw) | (len) << 2) << (16 + (i)*4) | 2u << (i)*2)
#define OFF(i, rw, len) ((uint32_t)((rw) | (len) << 2) << (16 + (i)*4))
enum { ON_EXECUTE, ON_WRITE, ON_PORT, ON_ACCESS };
enum { BYTE, WORD, QWORD, DWORD };

struct logged {
    uint32_t eip, dr6;
    bool has_rf;
};

static void set_up_debug(struct world *w, bool sets_rf)
{
    static const uint8_t handler[] = {
        0x60,                         /* pusha */
        0x8b, 0x3d, 0x00, 0x10, 2, 0, /* mov edi,[LOG_END] */
        0x8b, 0x44, 0x24, 0x20,       /* mov eax,[esp+32]: eip */
        0xab,                         /* stosd */
        0x8b, 0x44, 0x24, 0x28,       /* mov eax,[esp+40]: eflags */
        0xab,                         /* stosd */
        0x0f, 0x21, 0xf0,             /* mov eax,dr6 */
        0xab,                         /* stosd */
        0x89, 0x3d, 0x00, 0x10, 2, 0, /* mov [LOG_END],edi */
        0x31, 0xc0,                   /* xor eax,eax */
        0x0f, 0x23, 0xf0,             /* mov dr6,eax */
    };
    static const uint8_t tail[] = {0x80, 0x4c, 0x24, 0x2a, 1 /* or byte [esp+42],1: RF */, 0x61, 0xcf};
    set_up(w);
    put(w, HANDLER, handler, sizeof handler);
    put(w, HANDLER + sizeof handler, tail + (sets_rf ? 0 : 5), sizeof tail - (sets_rf ? 0 : 5));
    put64(w, IDT + DB * 8, core_gate(CODE0, HANDLER, 0x8e));
    put32(w, LOG_END, LOG);
    w->state.gpr[CPU_BX] = DATA;
}

static void expect_log(const struct world *w, const struct logged *logged, unsigned nr)
{
    unsigned nr_seen = (get32(w, LOG_END) - LOG) / (NR_LOG_WORDS * 4);
    for (unsigned i = 0; i < nr && i < nr_seen; i++) {
        uint32_t at = LOG + i * NR_LOG_WORDS * 4;
        cr_assert_eq(get32(w, at), CODE + logged[i].eip, "exception %u at %x, not %x", i, get32(w, at),
                     CODE + logged[i].eip);
        cr_assert_eq(get32(w, at + 8), DR6_ZERO | logged[i].dr6, "exception %u: DR6 %x", i, get32(w, at + 8));
        cr_assert_eq(get32(w, at + 4) >> 16 & 1, logged[i].has_rf, "exception %u: flags %x", i,
                     get32(w, at + 4));
    }
    cr_assert_eq(nr_seen, nr, "%u exceptions, not %u", nr_seen, nr);
}

#define EXPECT_LOG(w, ...)                                                                                   \
    do {                                                                                                     \
        static const struct logged logged_[] = {__VA_ARGS__};                                                \
        expect_log(w, logged_, sizeof logged_ / sizeof *logged_);                                            \
    } while (0)

/* ---- Single-stepping ---- */

Test(cpu_debug, a_trap_follows_each_instruction_that_begins_with_tf)
{
    struct world w;
    set_up_debug(&w, false);
    /*
     * pushf; or byte [esp+1],1; popf; inc eax; jmp +0; inc eax; pushf; and byte [esp+1],0xfe; popf; inc eax;
     * int END3
     */
    PROGRAM(&w, 0x9c, 0x80, 0x4c, 0x24, 1, 1, 0x9d, 0x40, 0xeb, 0, 0x40, 0x9c, 0x80, 0x64, 0x24, 1, 0xfe,
            0x9d, 0x40, 0xcd, END3);
    run(&w);
    cr_assert_eq(w.vector, END3);
    EXPECT_LOG(&w, {8, BS, false}, {10, BS, false}, {11, BS, false}, {12, BS, false}, {17, BS, false},
               {18, BS, false});
    tear_down(&w);
}

Test(cpu_debug, int_n_is_not_followed_by_a_trap_and_its_handler_runs_free)
{
    struct world w;
    set_up_debug(&w, false);
    PROGRAM(&w, 0xcd, 0x20, 0x90, 0x90, 0xcd, END3);
    put(&w, HANDLERS + 0x20 * 16, "\x40\x40\xcf", 3); /* inc eax; inc eax; iret */
    w.state.rflags |= TF;
    run(&w);
    EXPECT_LOG(&w, {3, BS, false},
               {4, BS, false}); /* IRET sets TF: the trap comes after the one behind INT */
    tear_down(&w);
}

Test(cpu_debug, each_iteration_of_a_string_instruction_is_trapped_and_its_image_has_rf)
{
    struct world w;
    set_up_debug(&w, false);
    PROGRAM(&w, 0xf3, 0xaa, 0xcd, END3); /* rep stosb */
    w.state.gpr[CPU_CX] = 3;
    w.state.gpr[CPU_DI] = DATA;
    w.state.rflags |= TF;
    run(&w);
    EXPECT_LOG(&w, {0, BS, true}, {0, BS, true}, {2, BS, false});
    tear_down(&w);
}

Test(cpu_debug, no_trap_comes_between_mov_ss_and_the_next_instruction)
{
    struct world w;
    set_up_debug(&w, false);
    /* mov ss,ecx; inc eax; push ss; pop ss; inc eax; inc eax */
    PROGRAM(&w, 0x8e, 0xd1, 0x40, 0x16, 0x17, 0x40, 0x40, 0xcd, END3);
    w.state.gpr[CPU_CX] = DATA0;
    w.state.rflags |= TF;
    run(&w);
    EXPECT_LOG(&w, {3, BS, false}, {4, BS, false}, {6, BS, false}, {7, BS, false});
    tear_down(&w);
}

Test(cpu_debug, sti_holds_off_interrupts_but_no_trap)
{
    struct world w;
    set_up_debug(&w, false);
    PROGRAM(&w, 0xfb, 0x40, 0xcd, END3);
    w.state.rflags |= TF;
    run(&w);
    EXPECT_LOG(&w, {1, BS, false}, {2, BS, false});
    tear_down(&w);
}

Test(cpu_debug, a_fault_comes_instead_of_the_trap)
{
    struct world w;
    set_up_debug(&w, false);
    PROGRAM(&w, 0x40, 0x0f, 0x0b); /* inc eax; ud2 */
    w.state.rflags |= TF;
    run(&w);
    EXPECT_LOG(&w, {1, BS, false});
    cr_assert_eq(w.vector, UD);
    cr_assert_eq(frame(&w, 2) & (RF | TF), RF | TF);
    tear_down(&w);
}

Test(cpu_debug, the_trap_wakes_a_halted_processor)
{
    struct world w;
    set_up_debug(&w, false);
    PROGRAM(&w, 0xf4, 0xcd, END3);
    w.state.rflags |= TF;
    run(&w);
    EXPECT_LOG(&w, {1, BS, false});
    cr_assert_eq(w.vector, END3);
    tear_down(&w);
}

Test(cpu_debug, in_real_mode_too)
{
    struct world w;
    set_up(&w);
    static const uint8_t code[] = {0x40, 0x40, 0xf4};
    put(&w, CODE, code, sizeof code);
    put32(&w, IDT + DB * 4, HANDLERS >> 4 << 16);
    w.state.cr0 = 0;
    w.state.rflags |= TF;
    for (unsigned seg = 0; seg < 6; seg++)
        w.state.segment[seg] = core_segment(0, core_descriptor(0, 0xffff, 0x93, 0));
    w.state.segment[DEC_SEG_CS] = core_segment(CODE >> 4, core_descriptor(CODE, 0xffff, 0x93, 0));
    w.state.rip = 0;
    run(&w);
    cr_assert_eq(w.state.segment[DEC_SEG_CS].selector, HANDLERS >> 4);
    cr_assert_eq(get32(&w, STACK0 - 6) & 0xffff, 1);
    cr_assert_eq(w.state.debug.dr6, DR6_ZERO | BS);
    tear_down(&w);
}

/* ---- Breakpoints on execution ---- */

Test(cpu_debug, an_instruction_breakpoint_is_a_fault_and_rf_lets_the_instruction_through)
{
    struct world w;
    set_up_debug(&w, true);
    w.state.debug.address[0] = CODE + 1;
    w.state.debug.dr7 = BREAK(0, ON_EXECUTE, BYTE);
    PROGRAM(&w, 0x40, 0x40, 0x40, 0xcd, END3);
    run(&w);
    EXPECT_LOG(&w, {1, 1, false});
    cr_assert_eq(w.state.gpr[CPU_AX], 3);
    tear_down(&w);
}

Test(cpu_debug, a_breakpoint_in_a_loop_is_met_each_time)
{
    struct world w;
    set_up_debug(&w, true);
    PROGRAM(&w, 0x40, 0xe2, 0xfd, 0xcd, END3); /* inc eax; loop */
    w.state.gpr[CPU_CX] = 3;
    w.state.debug.address[2] = CODE;
    w.state.debug.dr7 = BREAK(2, ON_EXECUTE, BYTE);
    run(&w);
    EXPECT_LOG(&w, {0, 4, false}, {0, 4, false}, {0, 4, false});
    cr_assert_eq(w.state.gpr[CPU_AX], 3);
    tear_down(&w);
}

Test(cpu_debug, without_rf_the_breakpoint_is_met_again)
{
    struct world w;
    set_up_debug(&w, false);
    PROGRAM(&w, 0xcd, END3);
    w.state.debug.address[0] = CODE;
    w.state.debug.dr7 = BREAK(0, ON_EXECUTE, BYTE);
    /* The handler's fourth word of the log does not exist: it faults there. */
    put32(&w, LOG_END, GONE - 2 * NR_LOG_WORDS * 4);
    run(&w);
    cr_assert_eq(w.vector, PF);
    cr_assert_eq(get32(&w, GONE - 24), CODE);
    cr_assert_eq(get32(&w, GONE - 12), CODE);
    tear_down(&w);
}

Test(cpu_debug, disabled_breakpoints_show_in_dr6_beside_an_enabled_one_and_cause_nothing_alone)
{
    struct world w;
    set_up_debug(&w, true);
    PROGRAM(&w, 0x90, 0x90, 0xcd, END3);
    w.state.debug.address[0] = w.state.debug.address[1] = CODE + 1;
    w.state.debug.address[2] = CODE;
    w.state.debug.dr7 = BREAK(1, ON_EXECUTE, BYTE);
    run(&w);
    EXPECT_LOG(&w, {1, 3, false});
    tear_down(&w);
}

Test(cpu_debug, only_the_first_byte_of_an_instruction_counts_prefixes_included)
{
    struct world w;
    set_up_debug(&w, true);
    PROGRAM(&w, 0x66, 0x90, 0x66, 0x90, 0xcd, END3);
    w.state.debug.address[0] = CODE + 1;
    w.state.debug.address[1] = CODE + 2;
    w.state.debug.dr7 = BREAK(0, ON_EXECUTE, BYTE) | BREAK(1, ON_EXECUTE, BYTE);
    run(&w);
    EXPECT_LOG(&w, {2, 2, false});
    tear_down(&w);
}

Test(cpu_debug, a_breakpoint_behind_mov_ss_is_not_met)
{
    struct world w;
    set_up_debug(&w, true);
    PROGRAM(&w, 0x8e, 0xd1, 0x90, 0xcd, END3);
    w.state.gpr[CPU_CX] = DATA0;
    w.state.debug.address[0] = CODE + 2;
    w.state.debug.dr7 = BREAK(0, ON_EXECUTE, BYTE);
    run(&w);
    cr_assert_eq(w.vector, END3);
    expect_log(&w, NULL, 0);
    tear_down(&w);
}

Test(cpu_debug, a_breakpoint_comes_before_the_instructions_own_faults)
{
    struct world w;
    set_up_debug(&w, true);
    PROGRAM(&w, 0x0f, 0x0b);
    w.state.debug.address[0] = CODE;
    w.state.debug.dr7 = BREAK(0, ON_EXECUTE, BYTE);
    run(&w);
    EXPECT_LOG(&w, {0, 1, false});
    cr_assert_eq(w.vector, UD);
    tear_down(&w);

    set_up_debug(&w, false);             /* and before that of its fetch */
    PROGRAM(&w, 0xe9, 0xfb, 0x7f, 1, 0); /* jmp GONE */
    w.state.debug.address[0] = GONE;
    w.state.debug.dr7 = BREAK(0, ON_EXECUTE, BYTE);
    put64(&w, IDT + DB * 8, core_gate(CODE0, HANDLERS + DB * 16, 0x8e));
    run(&w);
    cr_assert_eq(w.vector, DB);
    cr_assert_eq(frame(&w, 0), GONE);
    tear_down(&w);
}

Test(cpu_debug, a_string_instruction_meets_its_breakpoint_once)
{
    struct world w;
    set_up_debug(&w, true);
    PROGRAM(&w, 0xf3, 0xaa, 0xcd, END3);
    w.state.gpr[CPU_CX] = 5;
    w.state.gpr[CPU_DI] = DATA;
    w.state.debug.address[3] = CODE;
    w.state.debug.dr7 = BREAK(3, ON_EXECUTE, BYTE);
    run(&w);
    EXPECT_LOG(&w, {0, 8, false});
    cr_assert_eq(w.state.gpr[CPU_DI], DATA + 5);
    tear_down(&w);
}

Test(cpu_debug, a_single_step_trap_and_the_next_instructions_breakpoint_are_two_exceptions)
{
    struct world w;
    set_up_debug(&w, false);
    PROGRAM(&w, 0x40, 0x40, 0xcd, END3);
    w.state.debug.address[0] = CODE + 1;
    w.state.debug.dr7 = BREAK(0, ON_EXECUTE, BYTE);
    w.state.rflags |= TF | RF;
    put32(&w, LOG_END, GONE - 2 * NR_LOG_WORDS * 4);
    run(&w);
    cr_assert_eq(get32(&w, GONE - 24 + 8), DR6_ZERO | BS);
    cr_assert_eq(get32(&w, GONE - 24), CODE + 1);
    cr_assert_eq(get32(&w, GONE - 12 + 8), DR6_ZERO | 1);
    cr_assert_eq(get32(&w, GONE - 12), CODE + 1);
    tear_down(&w);
}

/* ---- Breakpoints on data ---- */

#define BYTES(string) string, sizeof string - 1
struct data_case {
    const char *what;
    const char *bytes;
    unsigned nr_bytes;
    uint32_t address, dr7; /* of DR0 */
    bool is_met;
};

Test(cpu_debug, data_breakpoints_are_met_by_any_overlapping_access_of_their_kind)
{
    /* EBX = DATA */
    static const struct data_case cases[] = {
        {"dword write, dword", BYTES("\x89\x03"), DATA, BREAK(0, ON_WRITE, DWORD), true},
        {"dword write, its last byte", BYTES("\x89\x03"), DATA + 3, BREAK(0, ON_WRITE, BYTE), true},
        {"dword write, behind it", BYTES("\x89\x03"), DATA + 4, BREAK(0, ON_WRITE, BYTE), false},
        {"dword write, before it", BYTES("\x89\x03"), DATA - 1, BREAK(0, ON_WRITE, BYTE), false},
        {"byte write in a dword", BYTES("\x88\x43\x03"), DATA, BREAK(0, ON_WRITE, DWORD), true},
        {"low address bits do not count", BYTES("\x88\x03"), DATA + 3, BREAK(0, ON_WRITE, DWORD), true},
        {"byte write behind a word", BYTES("\x88\x43\x02"), DATA, BREAK(0, ON_WRITE, WORD), false},
        {"byte write in a qword", BYTES("\x88\x43\x07"), DATA, BREAK(0, ON_WRITE, QWORD), true},
        {"byte write behind a qword", BYTES("\x88\x43\x08"), DATA, BREAK(0, ON_WRITE, QWORD), false},
        {"across, second half", BYTES("\x89\x43\xfe"), DATA, BREAK(0, ON_WRITE, BYTE), true},
        {"across pages", BYTES("\x89\x83\xfe\x1f\x00\x00"), DATA + 0x2000, BREAK(0, ON_WRITE, BYTE), true},
        {"across pages, first", BYTES("\x89\x83\xfe\x1f\x00\x00"), DATA + 0x1ffe, BREAK(0, ON_WRITE, WORD),
         true},
        {"a read is no write", BYTES("\x8b\x03"), DATA, BREAK(0, ON_WRITE, DWORD), false},
        {"a read is an access", BYTES("\x8b\x03"), DATA, BREAK(0, ON_ACCESS, DWORD), true},
        {"a write is an access", BYTES("\x89\x03"), DATA, BREAK(0, ON_ACCESS, DWORD), true},
        {"read-modify-write", BYTES("\xff\x03"), DATA, BREAK(0, ON_WRITE, DWORD), true},
        {"a failed cmpxchg writes", BYTES("\x0f\xb1\x0b"), DATA, BREAK(0, ON_WRITE, DWORD), true},
        {"push", BYTES("\x50"), STACK0 - 4, BREAK(0, ON_WRITE, DWORD), true},
        {"call", BYTES("\xe8\x00\x00\x00\x00"), STACK0 - 4, BREAK(0, ON_WRITE, DWORD), true},
        {"ret 256", BYTES("\xc2\x00\x01"), STACK0, BREAK(0, ON_ACCESS, DWORD), true},
        {"a fetch is no access", BYTES("\x90"), CODE, BREAK(0, ON_ACCESS, BYTE), false},
        {"a port is no address", BYTES("\xe6\x80"), 0x80, BREAK(0, ON_ACCESS, BYTE), false},
        {"lea", BYTES("\x8d\x03"), DATA, BREAK(0, ON_ACCESS, DWORD), false},
        {"disabled", BYTES("\x89\x03"), DATA, OFF(0, ON_ACCESS, DWORD), false},
        {"locally enabled", BYTES("\x89\x03"), DATA, OFF(0, ON_ACCESS, DWORD) | 1, true},
        {"another one enabled", BYTES("\x89\x03"), DATA, OFF(0, ON_ACCESS, DWORD) | 4, false},
        {"out", BYTES("\xe6\x80"), 0x80, BREAK(0, ON_PORT, BYTE), true},
        {"in of two ports", BYTES("\x66\xe5\x7f"), 0x80, BREAK(0, ON_PORT, BYTE), true},
        {"in before it", BYTES("\xe4\x7f"), 0x80, BREAK(0, ON_PORT, BYTE), false},
        {"no port", BYTES("\x89\x03"), DATA, BREAK(0, ON_PORT, DWORD), false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        set_up_debug(&w, false);
        unsigned nr_bytes = cases[i].nr_bytes;
        static const uint8_t end[] = {0x90, 0xcd, END3};
        put(&w, CODE, cases[i].bytes, nr_bytes);
        put(&w, CODE + nr_bytes, end, sizeof end);
        put32(&w, STACK0, CODE + nr_bytes);
        w.state.cr4 |= CR4_DE;
        w.state.gpr[CPU_AX] = 1;
        w.state.debug.address[0] = cases[i].address;
        w.state.debug.dr7 = cases[i].dr7;
        run(&w);
        cr_assert_eq(w.vector, END3, "%s: vector %u", cases[i].what, w.vector);
        unsigned nr = (get32(&w, LOG_END) - LOG) / (NR_LOG_WORDS * 4);
        cr_assert_eq(nr, cases[i].is_met, "%s: %u exceptions", cases[i].what, nr);
        if (nr) {
            cr_assert_eq(get32(&w, LOG), CODE + nr_bytes, "%s: at %x", cases[i].what, get32(&w, LOG));
            cr_assert_eq(get32(&w, LOG + 8), DR6_ZERO | 1, "%s", cases[i].what);
        }
        tear_down(&w);
    }
}

Test(cpu_debug, port_breakpoints_need_cr4_de)
{
    struct world w;
    set_up_debug(&w, false);
    PROGRAM(&w, 0xe6, 0x80, 0xcd, END3);
    w.state.debug.address[0] = 0x80;
    w.state.debug.dr7 = BREAK(0, ON_PORT, BYTE);
    run(&w);
    expect_log(&w, NULL, 0);
    tear_down(&w);
}

Test(cpu_debug, a_fault_loses_the_data_breakpoint_and_the_restarted_instruction_meets_it_again)
{
    struct world w;
    set_up_debug(&w, false);
    /* push dword [ebx], to a stack that is not there; then with one that is */
    PROGRAM(&w, 0xff, 0x33, 0xcd, END3);
    /* #PF: mov esp,STACK0 - 16; push 2; push CODE0; push CODE; mov dword [...]: go on with a good stack */
    w.state.gpr[CPU_SP] = GONE + 4;
    w.state.debug.address[1] = DATA;
    w.state.debug.dr7 = BREAK(1, ON_ACCESS, DWORD);
    enter_ring3(&w);
    w.state.gpr[CPU_SP] = GONE + 4;
    static const uint8_t handler[] = {
        0x83, 0xc4, 4,                    /* add esp,4: the error code */
        0xc7, 0x44, 0x24, 12, 0, 0, 3, 0, /* mov dword [esp+12],STACK3 */
        0xcf,
    };
    put(&w, 0xc000, handler, sizeof handler);
    put64(&w, IDT + PF * 8, core_gate(CODE0, 0xc000, 0x8e));
    run(&w);
    cr_assert_eq(w.vector, END3);
    EXPECT_LOG(&w, {2, 2, false});
    cr_assert_eq(cpu_stats(w.core[0].cpu)->page_faults, 1);
    tear_down(&w);
}

Test(cpu_debug, each_iteration_of_a_string_instruction_that_meets_a_breakpoint_traps)
{
    struct world w;
    set_up_debug(&w, false);
    PROGRAM(&w, 0xf3, 0xa5, 0xcd, END3); /* rep movsd */
    w.state.gpr[CPU_CX] = 4;
    w.state.gpr[CPU_SI] = DATA;
    w.state.gpr[CPU_DI] = DATA + 0x2000;
    w.state.debug.address[0] = DATA + 4;
    w.state.debug.address[1] = DATA + 0x200c;
    w.state.debug.dr7 = BREAK(0, ON_ACCESS, DWORD) | BREAK(1, ON_WRITE, DWORD);
    run(&w);
    EXPECT_LOG(&w, {0, 1, true}, {2, 2, false});
    tear_down(&w);
}

Test(cpu_debug, a_data_breakpoint_of_mov_ss_is_held_off_even_over_int_n)
{
    struct world w;
    set_up_debug(&w, false);
    PROGRAM(&w, 0x8e, 0x13, 0x40, 0x40, 0xcd, END3); /* mov ss,[ebx]; inc eax */
    put32(&w, DATA, DATA0);
    w.state.debug.address[0] = DATA;
    w.state.debug.dr7 = BREAK(0, ON_ACCESS, WORD);
    w.state.rflags |= TF;
    run(&w);
    EXPECT_LOG(&w, {3, BS | 1, false}, {4, BS, false});
    tear_down(&w);

    set_up_debug(&w, false);
    PROGRAM(&w, 0x8e, 0x13, 0xcd, END3);
    put32(&w, DATA, DATA0);
    w.state.debug.address[0] = DATA;
    w.state.debug.dr7 = BREAK(0, ON_ACCESS, WORD);
    run(&w);
    EXPECT_LOG(&w, {(uint32_t)(HANDLERS + END3 * 16 - CODE), 1, false}); /* CVE-2018-8897 */
    cr_assert_eq(w.vector, END3);
    tear_down(&w);
}

Test(cpu_debug, two_breakpoints_and_a_step_are_one_exception)
{
    struct world w;
    set_up_debug(&w, false);
    PROGRAM(&w, 0x89, 0x03, 0xcd, END3);
    w.state.debug.address[0] = DATA + 2;
    w.state.debug.address[3] = DATA;
    w.state.debug.dr7 = BREAK(0, ON_WRITE, BYTE) | BREAK(3, ON_ACCESS, DWORD);
    w.state.rflags |= TF;
    run(&w);
    EXPECT_LOG(&w, {2, BS | 9, false});
    tear_down(&w);
}

/* ---- The registers ---- */

Test(cpu_debug, reserved_bits_of_dr6_and_dr7_cannot_be_changed)
{
    struct world w;
    set_up(&w);
    /*
     * or eax,-1; mov dr6,eax; mov dr7,eax with GD clear; mov ecx,dr6; mov edx,dr7; mov dr3,eax; mov esi,dr3
     */
    PROGRAM(&w, 0x83, 0xc8, 0xff, 0x0f, 0x23, 0xf0, 0x0f, 0x21, 0xf1, 0xb8, 0x00, 0xd8, 0xff, 0xff, 0x0f,
            0x23, 0xf8, 0x0f, 0x21, 0xfa, 0x0f, 0x23, 0xd8, 0x0f, 0x21, 0xde, 0xcd, END3);
    run(&w);
    cr_assert_eq(w.state.gpr[CPU_CX], 0xffffefff);
    cr_assert_eq(w.state.gpr[CPU_DX], 0xffff0400);
    cr_assert_eq(w.state.gpr[CPU_SI], 0xffffd800);
    tear_down(&w);

    set_up(&w);
    PROGRAM(&w, 0x31, 0xc0, 0x0f, 0x23, 0xf0, 0x0f, 0x23, 0xf8, 0x0f, 0x21, 0xf1, 0x0f, 0x21, 0xfa, 0xcd,
            END3);
    run(&w);
    cr_assert_eq(w.state.gpr[CPU_CX], DR6_ZERO);
    cr_assert_eq(w.state.gpr[CPU_DX], 0x400);
    tear_down(&w);
}

Test(cpu_debug, dr4_and_dr5_are_dr6_and_dr7_unless_de_is_set)
{
    struct world w;
    set_up(&w);
    PROGRAM(&w, 0xb8, 0x0f, 0xe0, 0, 0, 0x0f, 0x23, 0xe0, 0x0f, 0x21, 0xf1, 0x0f, 0x21, 0xea, 0xcd, END3);
    run(&w);
    cr_assert_eq(w.state.gpr[CPU_CX], 0xffffefff);
    cr_assert_eq(w.state.gpr[CPU_DX], 0x400);
    tear_down(&w);

    set_up(&w);
    PROGRAM(&w, 0x0f, 0x21, 0xe1);
    w.state.cr4 |= CR4_DE;
    run(&w);
    cr_assert_eq(w.vector, UD);
    tear_down(&w);
}

Test(cpu_debug, ring_3_may_not_touch_the_registers)
{
    struct world w;
    set_up(&w);
    enter_ring3(&w);
    PROGRAM(&w, 0x0f, 0x21, 0xf1);
    run(&w);
    cr_assert_eq(w.vector, GP);
    cr_assert_eq(frame(&w, 0), 0);
    tear_down(&w);
}

Test(cpu_debug, gd_guards_the_registers_and_is_cleared_for_the_handler)
{
    struct world w;
    set_up_debug(&w, false);
    PROGRAM(&w, 0x40, 0x0f, 0x21, 0xc1, 0x0f, 0x21, 0xfa, 0xcd, END3); /* inc eax; mov ecx,dr0; mov edx,dr7 */
    w.state.debug.dr7 = 0x2000;
    w.state.debug.address[0] = 0x1234;
    run(&w);
    EXPECT_LOG(&w, {1, BD, true});
    cr_assert_eq(w.state.gpr[CPU_CX], 0x1234);
    cr_assert_eq(w.state.gpr[CPU_DX], 0x400);
    tear_down(&w);
}

Test(cpu_debug, icebp_is_a_trap_that_asks_no_gate_for_its_dpl)
{
    struct world w;
    set_up_debug(&w, false);
    enter_ring3(&w);
    PROGRAM(&w, 0xf1, 0xcd, END3);
    run(&w);
    EXPECT_LOG(&w, {1, 0, false});
    cr_assert_eq(w.vector, END3);
    tear_down(&w);
}

Test(cpu_debug, the_sticky_bits_of_dr6_stay_and_the_breakpoints_are_the_latest)
{
    struct world w;
    set_up(&w);
    PROGRAM(&w, 0x90, 0x90);
    w.state.debug.dr6 = 0xe00f;
    w.state.debug.address[1] = CODE + 1;
    w.state.debug.dr7 = BREAK(1, ON_EXECUTE, BYTE);
    run(&w);
    cr_assert_eq(w.vector, DB);
    cr_assert_eq(w.state.debug.dr6, DR6_ZERO | 0xe002);
    tear_down(&w);
}

/* ---- RF ---- */

Test(cpu_debug, iret_restores_rf_for_one_instruction)
{
    struct world w;
    set_up_debug(&w, true);
    /* pushfd; or dword [esp],RF; push cs; push CODE+16; iretd; ... 16: nop; nop */
    PROGRAM(&w, 0x9c, 0x81, 0x0c, 0x24, 0, 0, 1, 0, 0x0e, 0x68, 0x10, 0, 1, 0, 0xcf, 0x90, 0x90, 0x90, 0xcd,
            END3);
    w.state.debug.address[0] = CODE + 16;
    w.state.debug.address[1] = CODE + 17;
    w.state.debug.dr7 = BREAK(0, ON_EXECUTE, BYTE) | BREAK(1, ON_EXECUTE, BYTE);
    run(&w);
    EXPECT_LOG(&w, {17, 2, false});
    cr_assert_eq(w.state.rflags & RF, 0);
    tear_down(&w);
}

Test(cpu_debug, an_image_of_int_n_has_no_rf_and_popf_does_not_load_it)
{
    struct world w;
    set_up_debug(&w, true);
    PROGRAM(&w, 0x68, 2, 0, 1, 0, 0x9d, 0x90, 0xcd, END3); /* push RF | 2; popf; nop */
    w.state.debug.address[0] = CODE + 6;
    w.state.debug.dr7 = BREAK(0, ON_EXECUTE, BYTE);
    run(&w);
    EXPECT_LOG(&w, {6, 1, false});
    cr_assert_eq(frame(&w, 2) & RF, 0);
    tear_down(&w);
}

/* ---- 64-bit code ---- */

#define HIGH_ALIAS 0xffffffffffe00000u /* where long_fixture.h maps the same memory again */

/* The vector, and where, after `mov [rbx],eax; nop` (or read) with this breakpoint. */
static unsigned long_breakpoint(uint64_t rbx, uint64_t address, uint32_t dr7)
{
    struct world w;
    set_up_long(&w);
    PROGRAM(&w, 0x89, 0x03, 0x90, 0xf4);
    w.state.gpr[CPU_BX] = rbx;
    w.state.debug.address[0] = address;
    w.state.debug.dr7 = dr7;
    run(&w);
    unsigned vector = w.vector;
    if (vector == DB) {
        cr_assert_eq(frame64(&w, 0), CODE + 2);
        cr_assert_eq(w.state.debug.dr6, DR6_ZERO | 1);
    }
    tear_down(&w);
    return vector;
}

Test(cpu_debug, breakpoints_compare_64_bits_of_linear_addresses)
{
    uint32_t qword = BREAK(0, ON_WRITE, QWORD);
    cr_assert_eq(long_breakpoint(HIGH_ALIAS + DATA + 4, HIGH_ALIAS + DATA, qword), DB);
    cr_assert_eq(long_breakpoint(HIGH_ALIAS + DATA + 8, HIGH_ALIAS + DATA, qword), NR_VECTORS);
    cr_assert_eq(long_breakpoint(DATA + 4, HIGH_ALIAS + DATA, qword), NR_VECTORS, "the same memory");
    cr_assert_eq(long_breakpoint((uint32_t)HIGH_ALIAS + DATA, DATA, qword), PF);
    cr_assert_eq(long_breakpoint(DATA, CODE + 2, BREAK(0, ON_EXECUTE, BYTE)), DB);
    cr_assert_eq(long_breakpoint(DATA, HIGH_ALIAS + CODE + 2, BREAK(0, ON_EXECUTE, BYTE)), NR_VECTORS);
}

Test(cpu_debug, upper_halves_of_dr6_and_dr7_must_be_zero)
{
    static const uint8_t writes[][3] = {{0x0f, 0x23, 0xf0}, {0x0f, 0x23, 0xf8}, {0x0f, 0x23, 0xd8}};
    for (unsigned i = 0; i < 3; i++) {
        struct world w;
        set_up_long(&w);
        put(&w, CODE, writes[i], sizeof writes[i]); /* mov dr6,rax; mov dr7,rax; mov dr3,rax */
        put(&w, CODE + 3, "\x0f\x21\xda\xf4", 4);   /* mov rdx,dr3 */
        w.state.gpr[CPU_AX] = 0x100000000;
        run(&w);
        cr_assert_eq(w.vector, i < 2 ? GP : NR_VECTORS);
        if (i == 2)
            cr_assert_eq(w.state.gpr[CPU_DX], 0x100000000);
        tear_down(&w);
    }
}

/* SYSCALL with TF set, and this mask of flags; or SYSRET to flags with TF. Where it traps; 0: nowhere. */
static uint64_t trap_of_fast_call(bool is_return, uint8_t mask_bit8)
{
    struct world w;
    const uint8_t code[] = {
        0xb9, 0x81, 0, 0, 0xc0, 0xba, 0x30, 0,         0x2b, 0, 0x31, 0xc0,
        0x0f, 0x30, /* STAR */
        0xb9, 0x82, 0, 0, 0xc0, 0xb8, 0,    1,         1,    0, 0x31, 0xd2,
        0x0f, 0x30,                                                         /* LSTAR: CODE + 100h */
        0xb9, 0x84, 0, 0, 0xc0, 0xb8, 0,    mask_bit8, 0,    0, 0x0f, 0x30, /* FMASK */
    };
    static const uint8_t call[] = {0x9c, 0x80, 0x4c, 0x24, 1, 1, 0x9d, 0x0f, 0x05}; /* ... popf; syscall */
    static const uint8_t back[] = {0xb9, 0, 1, 1, 0, 0x48, 0x0f, 0x07};             /* mov ecx; sysretq */
    set_up_long(&w);
    put(&w, CODE, code, sizeof code);
    if (is_return)
        put(&w, CODE + sizeof code, back, sizeof back);
    else
        put(&w, CODE + sizeof code, call, sizeof call);
    put(&w, CODE + 0x100, "\x90\xcd\x30", 3);
    w.state.gpr[11] = TF | 2;
    run(&w);
    uint64_t at = w.vector == DB ? frame64(&w, 0) : 0;
    tear_down(&w);
    return at;
}

Test(cpu_debug, fast_system_calls_trap_by_the_tf_that_they_leave)
{
    cr_assert_eq(trap_of_fast_call(false, 0), CODE + 0x100, "APM2 13.1.4");
    cr_assert_eq(trap_of_fast_call(false, 1), 0);
    cr_assert_eq(trap_of_fast_call(true, 0), CODE + 0x100, "before the first instruction there");
}

Test(cpu_debug, a_stack_that_is_watched_traps_at_the_handler_too)
{
    struct world w;
    set_up_long(&w);
    PROGRAM(&w, 0xcd, 0x20);
    w.state.debug.address[0] = STACK0 - 16;
    w.state.debug.dr7 = BREAK(0, ON_WRITE, QWORD);
    run(&w);
    cr_assert_eq(w.vector, DB);
    cr_assert_eq(frame64(&w, 0), HANDLERS + 0x20 * 16);
    tear_down(&w);
}

/* ---- What it must not change ---- */

/*
 * A program runs through the same states, and in the same time, whether or not a breakpoint that it never
 * meets makes its instructions run one by one.
 */
Test(cpu_debug, breakpoints_that_are_not_met_change_neither_results_nor_time)
{
    /*
     * 0: mov ecx,40; 5: mov edi,DATA; 10: mov esi,DATA+100h; 15: rep movsb; add [ebx],eax; push ebx; pop edx;
     * dec ebp; jnz 0
     */
    static const uint8_t code[] = {0xb9, 40,   0,    0,    0,    0xbf, 0,    0,    2,
                                   0,    0xbe, 0,    1,    2,    0,    0xf3, 0xa4, 0x01,
                                   0x03, 0x53, 0x5a, 0x4d, 0x75, 0xe8, 0xcd, END3};
    struct world plain, stepped;
    struct cpu_stats stats[NR_CORE_KINDS];
    cycle_t cycles[NR_CORE_KINDS];
    set_up(&plain);
    put(&plain, CODE, code, sizeof code);
    plain.state.gpr[CPU_BP] = 20;
    plain.state.gpr[CPU_BX] = DATA + 0x200;
    plain.state.gpr[CPU_AX] = 77;
    struct cpu_state begin = plain.state;
    run(&plain);
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++) {
        stats[kind] = *cpu_stats(plain.core[kind].cpu);
        cycles[kind] = cpu_now(plain.core[kind].cpu);
    }
    set_up(&stepped);
    put(&stepped, CODE, code, sizeof code);
    stepped.state = begin;
    stepped.state.debug.address[0] = DATA + 0x300;
    stepped.state.debug.address[1] = NOWHERE;
    stepped.state.debug.dr7 = BREAK(0, ON_ACCESS, DWORD) | BREAK(1, ON_EXECUTE, BYTE);
    run(&stepped);
    for (unsigned kind = CORE_INORDER; kind < NR_CORE_KINDS; kind++) {
        cr_assert_eq(cpu_now(stepped.core[kind].cpu), cycles[kind], "kind %u: %lu cycles, not %lu", kind,
                     cpu_now(stepped.core[kind].cpu), cycles[kind]);
        cr_assert_arr_eq(cpu_stats(stepped.core[kind].cpu), &stats[kind], sizeof stats[kind]);
    }
    cr_assert_arr_eq(stepped.state.gpr, plain.state.gpr, sizeof plain.state.gpr);
    cr_assert_arr_eq(plain.core[0].ram.host, stepped.core[0].ram.host, CORE_RAM_BYTES);
    tear_down(&plain);
    tear_down(&stepped);
}
