/*
 * Real mode as a 386 and its successors have it: 64 KiB segments, limits that stay, interrupts by vector
 * table, the A20 gate; and what else the board asks of a core: NMIs.
 */
#include "tests/unit/world_fixture.h"

enum {
    IVT = 0,
    REAL_SS = 0x2100,
    REAL_SP = 0x800,
    REAL_CS = CODE >> 4,
    IF = 1 << 9,
    AC = 1 << 18,
    NMI = 2,
    MEGABYTE = 1 << 20,
};

static struct segment real_segment(uint16_t selector)
{
    return core_segment(selector, core_descriptor((uint32_t)selector << 4, 0xffff, 0x93, 0));
}

static uint32_t far_pointer(uint32_t linear)
{
    return (linear & 15) | linear >> 4 << 16;
}

/* In real mode, at CODE; the handlers are the fixture's. */
static void set_up_real(struct world *w)
{
    set_up(w);
    for (unsigned seg = 0; seg < 6; seg++)
        w->state.segment[seg] = real_segment(0x2200);
    w->state.segment[DEC_SEG_CS] = real_segment(REAL_CS);
    w->state.segment[DEC_SEG_SS] = real_segment(REAL_SS);
    w->state.rip = 0;
    w->state.cr0 = 0;
    w->state.gpr[CPU_SP] = REAL_SP;
    w->state.idt_base = IVT;
    w->state.idt_limit = 0x3ff;
    for (unsigned vector = 0; vector < NR_VECTORS; vector++)
        put32(w, IVT + vector * 4, far_pointer(HANDLERS + vector * 16));
}

/* The vector whose handler it ended in. */
static unsigned run_real(struct world *w)
{
    run(w);
    uint64_t linear = w->state.segment[DEC_SEG_CS].hidden.base + w->state.rip - 1;
    return linear >= HANDLERS && linear < HANDLERS + NR_VECTORS * 16 && linear % 16 == 0
               ? (unsigned)(linear - HANDLERS) / 16
               : NR_VECTORS;
}

static uint16_t word(const struct world *w, unsigned index)
{
    uint32_t at =
        (uint32_t)(w->state.segment[DEC_SEG_SS].hidden.base + (w->state.gpr[CPU_SP] & 0xffff)) + index * 2;
    return (uint16_t)get32(w, at);
}

#define EXPECT_REAL(want, ip, ...)                                                                           \
    do {                                                                                                     \
        struct world w_;                                                                                     \
        set_up_real(&w_);                                                                                    \
        PROGRAM(&w_, __VA_ARGS__, 0x0f, 0x0b);                                                               \
        unsigned vector_ = run_real(&w_);                                                                    \
        cr_assert_eq(vector_, want, "vector %u", vector_);                                                   \
        cr_assert_eq(word(&w_, 0), ip, "ip %x", word(&w_, 0));                                               \
        cr_assert_eq(word(&w_, 1), REAL_CS);                                                                 \
        tear_down(&w_);                                                                                      \
    } while (0)

Test(real_mode, offsets_beyond_the_limit_fault_with_the_segments_own_vector)
{
    EXPECT_REAL(UD, 3, 0xa1, 0xfe, 0xff);                                        /* mov ax,[fffeh] */
    EXPECT_REAL(GP, 0, 0xa1, 0xff, 0xff);                                        /* mov ax,[ffffh] */
    EXPECT_REAL(SS, 0, 0x36, 0xa1, 0xff, 0xff);                                  /* mov ax,ss:[ffffh] */
    EXPECT_REAL(GP, 0, 0x67, 0xa1, 0, 0, 1, 0);                                  /* mov ax,[10000h] */
    EXPECT_REAL(GP, 0, 0x66, 0xea, 0, 0, 1, 0, 0, 0x10);                         /* jmp 1000:10000 */
    EXPECT_REAL(GP, 0, 0x66, 0x9a, 0, 0, 1, 0, 0, 0x10);                         /* call 1000:10000 */
    EXPECT_REAL(GP, 9, 0x66, 0x68, 0, 0, 0, 0x10, 0x66, 0x6a, 0xff, 0x66, 0xcb); /* push; push -1; retfd */
}

Test(real_mode, a_stack_that_wraps_in_the_middle_of_an_operand_faults)
{
    struct world w;
    set_up_real(&w);
    PROGRAM(&w, 0x50, 0x50); /* push ax, with SP = 1 after the first: FFFFh */
    w.state.gpr[CPU_SP] = 3;
    run_real(&w);
    cr_assert_eq(w.stop, CPU_STOP_SHUTDOWN, "there is no room for the frame of the fault either");
    struct cpu_fault_record record[CPU_FAULT_HISTORY];
    unsigned nr = cpu_fault_history(w.core[0].cpu, record);
    cr_assert_eq(record[nr - 1].vector, SS);
    tear_down(&w);

    set_up_real(&w);
    PROGRAM(&w, 0x50, 0x0f, 0x0b);
    w.state.gpr[CPU_SP] = 0;
    w.state.gpr[CPU_AX] = 0x1234;
    cr_assert_eq(run_real(&w), UD);
    cr_assert_eq(w.state.gpr[CPU_SP], 0xfffe - 6, "an even stack wraps");
    cr_assert_eq(get32(&w, (REAL_SS << 4) + 0xfffe) & 0xffff, 0x1234);
    tear_down(&w);
}

Test(real_mode, code_does_not_wrap_and_branches_do)
{
    struct world w;
    set_up_real(&w);
    put(&w, CODE + 0xfffc, "\x40\x40\x40\x40", 4); /* four times inc ax */
    put(&w, CODE, "\xf4", 1);
    w.state.rip = 0xfffc;
    cr_assert_eq(run_real(&w), GP);
    cr_assert_eq(w.state.gpr[CPU_AX], 4);
    cr_assert_eq(word(&w, 0), 0, "the frame has 16 bits of 10000h");
    tear_down(&w);

    set_up_real(&w);
    put(&w, CODE + 0xffff, "\xfb", 1); /* sti, which ends a run of instructions */
    put(&w, CODE, "\xf4", 1);
    w.state.rip = 0xffff;
    cr_assert_eq(run_real(&w), GP);
    tear_down(&w);

    set_up_real(&w);
    put(&w, CODE + 0xfffd, "\xb8\x01\x02", 3);
    put(&w, CODE + 0x10000, "\x03", 1);
    put(&w, CODE + 0xfffc, "\x66", 1); /* mov eax,...: its last bytes are beyond */
    w.state.rip = 0xfffc;
    cr_assert_eq(run_real(&w), GP);
    cr_assert_eq(word(&w, 0), 0xfffc);
    tear_down(&w);

    set_up_real(&w);
    put(&w, CODE + 0xfffe, "\xeb\x10", 2); /* jmp +10h */
    put(&w, CODE + 0x10, "\x0f\x0b", 2);
    w.state.rip = 0xfffe;
    cr_assert_eq(run_real(&w), UD);
    cr_assert_eq(word(&w, 0), 0x10);
    tear_down(&w);

    set_up_real(&w);
    put(&w, CODE + 0xfffd, "\xe8\x20\x00", 3); /* call +20h */
    put(&w, CODE + 0x20, "\x0f\x0b", 2);
    w.state.rip = 0xfffd;
    cr_assert_eq(run_real(&w), UD);
    cr_assert_eq(word(&w, 0), 0x20);
    cr_assert_eq(word(&w, 3), 0, "the return address is cut to 16 bits");
    tear_down(&w);
}

Test(real_mode, limits_loaded_in_protected_mode_stay)
{
    struct world w;
    set_up_real(&w);
    /* mov eax,[bx + 23000h], with DS of 4 GiB, after DS got another selector */
    PROGRAM(&w, 0x8c, 0xd8, 0x8e, 0xd8, 0x66, 0x67, 0xa1, 0, 0x30, 0, 0, 0x0f, 0x0b);
    w.state.segment[DEC_SEG_DS] = core_segment(0x1000, core_descriptor(0x10000, 0xfffff, 0x93, 12));
    put32(&w, 0x13000, 0x12345678);
    cr_assert_eq(run_real(&w), UD);
    cr_assert_eq(w.state.gpr[CPU_AX], 0x12345678);
    tear_down(&w);

    set_up_real(&w);
    PROGRAM(&w, 0x66, 0x67, 0xa1, 0, 0, 2, 0, 0x0f, 0x0b); /* mov eax,[20000h] */
    w.state.segment[DEC_SEG_DS] = core_segment(0, core_descriptor(0, 0xfffff, 0x93, 12));
    put32(&w, 0x20000, 0x11223344);
    cr_assert_eq(run_real(&w), UD);
    cr_assert_eq(w.state.gpr[CPU_AX], 0x11223344);
    tear_down(&w);
}

Test(real_mode, code_of_32_bits_runs_in_real_mode)
{
    struct world w;
    set_up_real(&w);
    w.state.segment[DEC_SEG_CS] = core_segment(0, core_descriptor(0, 0xfffff, 0x9b, 12));
    w.state.rip = CODE;
    PROGRAM(&w, 0xb8, 1, 2, 3, 4, 0xf4); /* mov eax,4030201h */
    run_real(&w);
    cr_assert_eq(w.state.rip, CODE + 6);
    cr_assert_eq(w.state.gpr[CPU_AX], 0x04030201);
    tear_down(&w);
}

Test(real_mode, protection_is_switched_on_and_off_again)
{
    struct world w;
    set_up_real(&w);
    static const uint8_t code[] = {
        0x0f, 0x20,  0xc0,                   /* 00 mov eax,cr0 */
        0x66, 0x83,  0xc8, 0x01,             /* 03 or eax,1 */
        0x0f, 0x22,  0xc0,                   /* 07 mov cr0,eax */
        0xbb, DATA0, 0x00,                   /* 0a mov bx,10h */
        0x8e, 0xdb,                          /* 0d mov ds,bx */
        0x66, 0x83,  0xe0, 0xfe,             /* 0f and eax,-2 */
        0x0f, 0x22,  0xc0,                   /* 13 mov cr0,eax */
        0x31, 0xdb,  0x8e, 0xdb,             /* 16 xor bx,bx; mov ds,bx */
        0x66, 0x67,  0x8b, 0x0d, 0, 0, 3, 0, /* 1a mov ecx,[30000h] */
        0x0f, 0x0b,
    };
    put(&w, CODE, code, sizeof code);
    put32(&w, 0x30000, 0xcafe);
    cr_assert_eq(run_real(&w), UD);
    cr_assert_eq(w.state.gpr[CPU_CX], 0xcafe);
    cr_assert_eq(w.state.segment[DEC_SEG_DS].hidden.base, 0);
    cr_assert_eq(w.state.segment[DEC_SEG_DS].hidden.limit_bytes, UINT32_MAX);
    tear_down(&w);
}

Test(real_mode, lidt_moves_the_vector_table_and_its_limit_holds)
{
    struct world w;
    set_up_real(&w);
    PROGRAM(&w, 0xcd, 0x20);
    w.state.idt_base = 0x500;
    put32(&w, 0x500 + 0x20 * 4, far_pointer(HANDLERS + 0x21 * 16));
    cr_assert_eq(run_real(&w), 0x21);
    cr_assert_eq(word(&w, 0), 2);
    tear_down(&w);

    set_up_real(&w);
    PROGRAM(&w, 0xcd, 0x20);
    w.state.idt_limit = 0x20 * 4 + 2;
    cr_assert_eq(run_real(&w), GP);
    cr_assert_eq(word(&w, 0), 0, "INT n is the fault's instruction");
    tear_down(&w);

    set_up_real(&w);
    PROGRAM(&w, 0xcd, 0x20);
    w.state.idt_limit = DF * 4 + 3;
    cr_assert_eq(run_real(&w), DF, "no room for #GP");
    tear_down(&w);

    set_up_real(&w);
    PROGRAM(&w, 0xcd, 0x20);
    w.state.idt_limit = DF * 4 + 2;
    run_real(&w);
    cr_assert_eq(w.stop, CPU_STOP_SHUTDOWN);
    tear_down(&w);
}

/* ---- A20 ---- */

static void set_a20(struct world *w, bool is_open)
{
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++)
        cpu_set_a20(w->core[kind].cpu, is_open);
}

Test(real_mode, with_a20_closed_the_second_megabyte_is_the_first)
{
    for (unsigned is_open = 0; is_open < 2; is_open++) {
        struct world w;
        set_up_real(&w);
        PROGRAM(&w, 0x66, 0xa1, 0x10, 0x25, 0x0f, 0x0b); /* mov eax,[2510h] */
        w.state.segment[DEC_SEG_DS] = real_segment(0xffff);
        put32(&w, 0x2500, 0x600d);
        set_a20(&w, is_open);
        cr_assert_eq(run_real(&w), UD);
        cr_assert_eq(w.state.gpr[CPU_AX] == 0x600d, !is_open);
        tear_down(&w);
    }
}

Test(real_mode, a20_masks_pages_their_tables_and_code)
{
    struct world w;
    set_up(&w);
    /* The directory, a table and the code's page are named by addresses in the second megabyte. */
    w.state.cr3 = MEGABYTE | DIRECTORY;
    put32(&w, DIRECTORY, MEGABYTE | TABLE | 7);
    put32(&w, pte_of(CODE), MEGABYTE | CODE | 7);
    PROGRAM(&w, 0xa1, 0, 0, 0x12, 0, 0xa3, 4, 0, 0x92, 0,
            0xf4); /* mov eax,[120000h]; mov [920004h],eax; hlt */
    put32(&w, DIRECTORY + 8, 0x83);
    put32(&w, pte_of(0x120000), DATA | 7);
    put32(&w, DATA, 0xbeef);
    set_a20(&w, false);
    run(&w);
    cr_assert_eq(w.state.rip, CODE + 11);
    cr_assert_eq(w.state.gpr[CPU_AX], 0xbeef);
    cr_assert_eq(get32(&w, DATA + 4), 0xbeef, "a large page's offset is masked, too");
    tear_down(&w);
}

/* ---- NMI ---- */

Test(real_mode, an_nmi_needs_no_if_and_the_next_one_waits_for_iret)
{
    struct world w;
    set_up_real(&w);
    PROGRAM(&w, 0x40, 0x0f, 0x0b);
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++)
        cpu_raise_nmi(w.core[kind].cpu);
    cr_assert_eq(run_real(&w), NMI);
    cr_assert_eq(word(&w, 0), 0);
    cr_assert_eq(w.stop, CPU_STOP_HALTED);
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++) {
        struct cpu *cpu = w.core[kind].cpu;
        cpu_raise_nmi(cpu);
        cr_assert_not(cpu_can_interrupt(cpu));
        cr_assert_eq(cpu_run(cpu, cpu_now(cpu) + 1000), CPU_STOP_HALTED);
        cr_assert_eq(cpu_stats(cpu)->interrupts, 1);
    }
    tear_down(&w);

    set_up_real(&w);
    PROGRAM(&w, 0x40, 0x0f, 0x0b);
    put(&w, HANDLERS + NMI * 16, "\x43\xcf", 2); /* inc bx; iret */
    put(&w, HANDLERS + UD * 16, "\xf4\xf4", 2);
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++) {
        cpu_raise_nmi(w.core[kind].cpu);
        cpu_raise_nmi(w.core[kind].cpu);
    }
    cr_assert_eq(run_real(&w), UD);
    cr_assert_eq(w.state.gpr[CPU_BX], 1, "one at a time is remembered");
    cr_assert_eq(w.state.gpr[CPU_AX], 1);
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++) {
        struct cpu *cpu = w.core[kind].cpu;
        cpu_raise_nmi(cpu);
        cr_assert(cpu_can_interrupt(cpu));
        cr_assert_eq(cpu_run(cpu, cpu_now(cpu) + 1000), CPU_STOP_HALTED);
        cr_assert_eq(cpu_state(cpu).gpr[CPU_BX], 2);
    }
    tear_down(&w);
}

/* ---- Alignment ---- */

/* Two loads of four bytes, the second one at `offset`, in ring 3. */
static unsigned load_unaligned(uint32_t offset, uint64_t cr0, uint64_t flags, struct world *w)
{
    set_up(w);
    enter_ring3(w);
    PROGRAM(w, 0xa1, 0, 0, 2, 0, 0x8b, 0x03, 0x89, 0x03, 0xcd,
            END3); /* mov eax,[20000h]; mov eax,[ebx]; mov [ebx],eax */
    w->state.gpr[CPU_BX] = DATA + offset;
    w->state.cr0 |= cr0;
    w->state.rflags = 2 | flags;
    run(w);
    return w->vector;
}

Test(real_mode, alignment_is_checked_in_ring_3_if_am_and_ac_say_so)
{
    enum { ALIGNMENT = 17 };
    struct world w;
    cr_assert_eq(load_unaligned(1, 0, AC, &w), END3);
    tear_down(&w);
    cr_assert_eq(load_unaligned(1, CR0_AM, 0, &w), END3);
    tear_down(&w);
    cr_assert_eq(load_unaligned(4, CR0_AM, AC, &w), END3);
    tear_down(&w);
    cr_assert_eq(load_unaligned(2, CR0_AM, AC, &w), ALIGNMENT);
    cr_assert_eq(frame(&w, 0), 0);
    cr_assert_eq(frame(&w, 1), CODE + 5);
    cr_assert_eq(frame(&w, 3), AC | 0x10002);
    tear_down(&w);

    /* Set by POPF, with accesses before that would be known. */
    set_up(&w);
    enter_ring3(&w);
    PROGRAM(&w, 0x8b, 0x03, 0x8b, 0x03, 0x68, 2, 0, 4, 0, 0x9d, 0x8b, 0x03, 0x90);
    w.state.gpr[CPU_BX] = DATA + 2;
    w.state.cr0 |= CR0_AM;
    run(&w);
    cr_assert_eq(w.vector, ALIGNMENT);
    cr_assert_eq(frame(&w, 1), CODE + 10);
    tear_down(&w);

    /* Ring 0 is not checked. */
    set_up(&w);
    PROGRAM(&w, 0x8b, 0x03, 0xf4);
    w.state.gpr[CPU_BX] = DATA + 2;
    w.state.cr0 |= CR0_AM;
    w.state.rflags = 2 | AC;
    run(&w);
    cr_assert_eq(w.vector, NR_VECTORS);
    tear_down(&w);
}
