/* Virtual-8086 mode: ways in and out, what IOPL governs, and the mode's extensions. */
#include "tests/unit/world_fixture.h"

enum {
    VM = 1 << 17,
    VIF = 1 << 19,
    VIP = 1 << 20,
    IOPL3 = 3 << 12,
    NT = 1 << 14,
    IF = 1 << 9,
    TF = 1 << 8,
    V86_CS = CODE >> 4,
    V86_SS = 0x2100, /* 21000h */
    V86_SP = 0x800,
    BP = 3,
    LONG_TSS = 0x31000, /* with room for bitmaps */
    REDIRECTION = LONG_TSS + 0x68,
    IO_BITMAP = 0x68 + 32,
};

static struct segment v86_segment(uint16_t selector)
{
    return core_segment(selector, core_descriptor((uint32_t)selector << 4, 0xffff, 0xf3, 0));
}

/* In virtual-8086 mode, at CODE. */
static void set_up_v86(struct world *w, uint64_t flags, uint64_t cr4)
{
    static const uint16_t selectors[] = {0x2200, V86_CS, V86_SS, 0x2300, 0x2400, 0x2500};
    set_up(w);
    for (unsigned seg = 0; seg < 6; seg++)
        w->state.segment[seg] = v86_segment(selectors[seg]);
    w->state.rip = 0;
    w->state.rflags = 2 | VM | flags;
    w->state.cr4 |= cr4;
    w->state.gpr[CPU_SP] = V86_SP;
    w->state.tr = core_segment(TASK, core_descriptor(LONG_TSS, 0x1fff, 0x8b, 0));
    put32(w, LONG_TSS + 4, STACK0);
    put32(w, LONG_TSS + 8, DATA0);
    put32(w, LONG_TSS + 100, (uint32_t)IO_BITMAP << 16);
}

/* ---- In and out ---- */

Test(v86, iret_enters_and_a_fault_leaves)
{
    struct world w;
    set_up(&w);
    PROGRAM(&w, 0xcf);
    const uint32_t pushed[] = {
        0xabcd0010, V86_CS, VM | IOPL3 | IF | 0x40002, 0x00040800, V86_SS, 0x2200, 0x2300, 0x2400, 0x2500};
    put(&w, STACK0 - sizeof pushed, pushed, sizeof pushed);
    w.state.gpr[CPU_SP] = STACK0 - sizeof pushed;
    /* mov ax,[bx]; push ds; mov ax,fs; ud2 */
    put(&w, CODE + 0x10, "\x8b\x07\x1e\x8c\xe0\x0f\x0b", 7);
    put32(&w, 0x23004, 0x5678);
    w.state.gpr[CPU_BX] = 4;
    run(&w);
    cr_assert_eq(w.vector, UD);
    cr_assert_eq(w.state.gpr[CPU_SP], STACK0 - 36);
    cr_assert_eq(frame(&w, 0), 0x15, "EIP was cut to 16 bits");
    cr_assert_eq(frame(&w, 1), V86_CS);
    cr_assert_eq(frame(&w, 2), VM | IOPL3 | IF | 0x50002, "and RF");
    cr_assert_eq(frame(&w, 3), 0x407fe);
    cr_assert_eq(frame(&w, 4), V86_SS);
    cr_assert_eq(frame(&w, 5), 0x2200);
    cr_assert_eq(frame(&w, 6), 0x2300);
    cr_assert_eq(frame(&w, 7), 0x2400);
    cr_assert_eq(frame(&w, 8), 0x2500);
    cr_assert_eq(get32(&w, 0x217fe) & 0xffff, 0x2300);
    cr_assert_eq(w.state.gpr[CPU_AX] & 0xffff, 0x2400);
    cr_assert_eq(w.state.rflags & (VM | IF), 0);
    cr_assert_eq(w.state.segment[DEC_SEG_CS].selector, CODE0);
    cr_assert_eq(w.state.segment[DEC_SEG_SS].selector, DATA0);
    static const uint8_t nulls[] = {DEC_SEG_DS, DEC_SEG_ES, DEC_SEG_FS, DEC_SEG_GS};
    for (unsigned i = 0; i < 4; i++) {
        cr_assert_eq(w.state.segment[nulls[i]].selector, 0);
        cr_assert_not(w.state.segment[nulls[i]].is_usable);
    }
    tear_down(&w);
}

Test(v86, vm_in_an_image_is_ignored_outside_ring_0_and_in_16_bits)
{
    struct world w;
    set_up(&w);
    enter_ring3(&w);
    PROGRAM(&w, 0xcf);
    const uint32_t pushed[] = {CODE + 0x10, CODE3, VM | 2};
    put(&w, STACK3 - sizeof pushed, pushed, sizeof pushed);
    put(&w, CODE + 0x10, "\xcd\x30", 2);
    w.state.gpr[CPU_SP] = STACK3 - sizeof pushed;
    run(&w);
    cr_assert_eq(w.vector, END3);
    cr_assert_eq(frame(&w, 2), 2);
    tear_down(&w);
}

Test(v86, interrupts_and_faults_with_an_error_code_leave_it_too)
{
    struct world w;
    set_up_v86(&w, IOPL3, 0);
    PROGRAM(&w, 0xcd, END3);
    run(&w);
    cr_assert_eq(w.vector, END3);
    cr_assert_eq(frame(&w, 0), 2);
    cr_assert_eq(frame(&w, 2), VM | IOPL3 | 2);
    tear_down(&w);

    set_up_v86(&w, IOPL3, 0);
    PROGRAM(&w, 0xf4);
    run(&w);
    cr_assert_eq(w.vector, GP);
    cr_assert_eq(frame(&w, 0), 0);
    cr_assert_eq(frame(&w, 1), 0);
    cr_assert_eq(frame(&w, 9), 0x2500);
    tear_down(&w);
}

Test(v86, a_16_bit_gate_pushes_words)
{
    struct world w;
    set_up_v86(&w, IOPL3, 0);
    PROGRAM(&w, 0xcd, END3);
    put64(&w, IDT + END3 * 8, core_gate(CODE0, HANDLERS + END3 * 16, 0xe6));
    put64(&w, GDT + CODE0, core_descriptor(HANDLERS & 0xffff0000, 0xffff, 0x9b, 4));
    run(&w);
    cr_assert_eq(w.vector, END3);
    cr_assert_eq(w.state.gpr[CPU_SP], STACK0 - 18);
    cr_assert_eq(get32(&w, STACK0 - 4), 0x25002400);
    cr_assert_eq(get32(&w, STACK0 - 18), (uint32_t)V86_CS << 16 | 2);
    tear_down(&w);
}

/* The handler of an interrupt in virtual-8086 mode is nonconforming code of ring 0, or #GP. */
static void expect_bad_handler(unsigned rights)
{
    struct world w;
    struct cpu_fault_record record[CPU_FAULT_HISTORY];
    set_up_v86(&w, IOPL3, 0);
    PROGRAM(&w, 0xcd, END3);
    put64(&w, GDT + FREE, core_descriptor(0, 0xfffff, rights, 12));
    put64(&w, IDT + END3 * 8, core_gate(FREE, HANDLERS + END3 * 16, 0xee));
    run(&w);
    cr_assert_eq(w.vector, GP, "rights %x", rights);
    cpu_fault_history(w.core[0].cpu, record);
    cr_assert_eq(record[0].error_code, FREE);
    tear_down(&w);
}

Test(v86, a_handler_is_in_ring_0)
{
    expect_bad_handler(0xbb); /* ring 1 */
    expect_bad_handler(0xfb); /* ring 3 */
    expect_bad_handler(0x9f); /* conforming */
}

Test(v86, a_task_can_be_in_it)
{
    enum { OTHER = 0x5400 };
    struct world w;
    set_up(&w);
    PROGRAM(&w, 0xea, 0, 0, 0, 0, FREE, 0);
    put64(&w, GDT + FREE, core_descriptor(OTHER, 0x67, 0x89, 0));
    put32(&w, OTHER + 4, STACK0);
    put32(&w, OTHER + 8, DATA0);
    put32(&w, OTHER + 28, DIRECTORY);
    put32(&w, OTHER + 32, 0x40);
    put32(&w, OTHER + 36, VM | 2);
    put32(&w, OTHER + 56, V86_SP);
    for (unsigned i = 0; i < 6; i++)
        put32(&w, OTHER + 72 + i * 4, i == DEC_SEG_CS ? V86_CS : V86_SS);
    put(&w, CODE + 0x40, "\x50\x0f\x0b", 3);
    run(&w);
    cr_assert_eq(w.vector, UD);
    cr_assert_eq(frame(&w, 0), 0x41);
    cr_assert_eq(frame(&w, 2), VM | 0x10002);
    cr_assert_eq(frame(&w, 3), V86_SP - 2);
    tear_down(&w);
}

/* ---- What is allowed ---- */

/* Where a program in virtual-8086 mode ends, with the error code if that is #GP; UD is the good end. */
static unsigned end_of(const char *code, size_t nr_bytes, uint64_t flags, uint64_t cr4, struct world *w)
{
    set_up_v86(w, flags, cr4);
    put(w, CODE, code, nr_bytes);
    put(w, CODE + (uint32_t)nr_bytes, "\x0f\x0b", 2);
    for (unsigned i = 0; i < 32; i += 4) {
        put32(w, REDIRECTION + i, UINT32_MAX);
        put32(w, LONG_TSS + IO_BITMAP + i, 0);
    }
    run(w);
    return w->vector;
}

#define EXPECT_END(want, code, flags, cr4)                                                                   \
    do {                                                                                                     \
        struct world w_;                                                                                     \
        unsigned vector_ = end_of(code, sizeof(code) - 1, flags, cr4, &w_);                                  \
        cr_assert_eq(vector_, want, "%s: vector %u", #code, vector_);                                        \
        if (want == GP) {                                                                                    \
            cr_assert_eq(frame(&w_, 0), 0);                                                                  \
            cr_assert_eq(frame(&w_, 1), 0);                                                                  \
        } else {                                                                                             \
            cr_assert_eq(frame(&w_, 0), sizeof(code) - 1);                                                   \
        }                                                                                                    \
        tear_down(&w_);                                                                                      \
    } while (0)

Test(v86, iopl_below_3_forbids_what_touches_the_interrupt_flag)
{
    EXPECT_END(GP, "\xfa", 0, 0);
    EXPECT_END(GP, "\xfb", 0, 0);
    EXPECT_END(GP, "\x9c", 0, 0);
    EXPECT_END(GP, "\x9d", 0, 0);
    EXPECT_END(GP, "\xcf", 0, 0);
    EXPECT_END(GP, "\xcd\x30", 0, 0);
    EXPECT_END(UD, "\xfa", IOPL3, 0);
    EXPECT_END(UD, "\xfb", IOPL3, 0);
    EXPECT_END(UD, "\x9c\x9d", IOPL3, 0);
    EXPECT_END(UD, "\x66\x9c\x66\x9d", IOPL3, 0);
}

Test(v86, instructions_of_protected_mode_are_undefined_and_privileged_ones_forbidden)
{
    static const struct {
        const char *code;
        uint8_t length, vector;
    } cases[] = {
        {"\x0f\x00\xc0", 3, UD}, /* sldt ax */
        {"\x0f\x00\xc8", 3, UD}, /* str ax */
        {"\x0f\x00\xd0", 3, UD}, /* lldt ax */
        {"\x0f\x00\xd8", 3, UD}, /* ltr ax */
        {"\x0f\x00\xe0", 3, UD}, /* verr ax */
        {"\x0f\x00\xe8", 3, UD}, /* verw ax */
        {"\x0f\x02\xc0", 3, UD}, /* lar ax,ax */
        {"\x0f\x03\xc0", 3, UD}, /* lsl ax,ax */
        {"\x63\xc0", 2, UD},     /* arpl ax,ax */
        {"\xf4", 1, GP},         /* hlt */
        {"\x0f\x20\xc0", 3, GP}, /* mov eax,cr0 */
        {"\x0f\x22\xc0", 3, GP}, /* mov cr0,eax */
        {"\x0f\x06", 2, GP},     /* clts */
        {"\x0f\x08", 2, GP},     /* invd */
        {"\x0f\x01\x17", 3, GP}, /* lgdt [bx] */
        {"\x0f\x01\x1f", 3, GP}, /* lidt [bx] */
        {"\x0f\x01\xf0", 3, GP}, /* lmsw ax */
        {"\x0f\x32", 2, GP},     /* rdmsr */
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        set_up_v86(&w, IOPL3, 0);
        put(&w, CODE, cases[i].code, cases[i].length);
        run(&w);
        cr_assert_eq(w.vector, cases[i].vector, "case %u: vector %u", i, w.vector);
        cr_assert_eq(frame(&w, cases[i].vector == GP), 0);
        tear_down(&w);
    }
}

Test(v86, ports_go_by_the_bitmap_whatever_iopl_is)
{
    EXPECT_END(UD, "\xe4\x40", 0, 0);
    EXPECT_END(UD, "\xe4\x40", IOPL3, 0);
    struct world w;
    set_up_v86(&w, IOPL3, 0);
    PROGRAM(&w, 0xe5, 0x3f); /* in ax,3fh: two ports */
    put32(&w, LONG_TSS + IO_BITMAP + 8, 1);
    run(&w);
    cr_assert_eq(w.vector, GP);
    tear_down(&w);
}

Test(v86, offsets_beyond_64k_fault)
{
    EXPECT_END(GP, "\x66\x67\xa1\x00\x00\x01\x00", 0, 0); /* mov eax,[10000h] */
    EXPECT_END(GP, "\x67\xa1\xff\xff\x00\x00", 0, 0);     /* mov ax,[ffffh] */
    EXPECT_END(GP, "\x66\xea\x00\x00\x01\x00\x00\x10", 0, 0);
}

/* ---- VME ---- */

Test(v86, with_vme_the_interrupt_flag_is_virtual)
{
    struct world w;
    cr_assert_eq(end_of("\xfb", 1, 0, CR4_VME, &w), UD);
    cr_assert_eq(frame(&w, 2) & (VIF | IF), VIF, "sti");
    tear_down(&w);
    cr_assert_eq(end_of("\xfa", 1, VIF | IF, CR4_VME, &w), UD);
    cr_assert_eq(frame(&w, 2) & (VIF | IF), IF, "cli");
    tear_down(&w);
    EXPECT_END(GP, "\xfb", VIP, CR4_VME);
    EXPECT_END(UD, "\xfa", VIP, CR4_VME);
    cr_assert_eq(end_of("\xfa", 1, VIF | IF | IOPL3, CR4_VME, &w), UD);
    cr_assert_eq(frame(&w, 2) & (VIF | IF), VIF, "with IOPL 3 it is the real one");
    tear_down(&w);
}

Test(v86, with_vme_16_bit_pushf_and_popf_see_the_virtual_flag)
{
    struct world w;
    cr_assert_eq(end_of("\x9c", 1, VIF, CR4_VME, &w), UD);
    cr_assert_eq(get32(&w, (V86_SS << 4) + V86_SP - 2) & 0xffff, IOPL3 | IF | 2);
    tear_down(&w);
    cr_assert_eq(end_of("\x9c", 1, IF, CR4_VME, &w), UD);
    cr_assert_eq(get32(&w, (V86_SS << 4) + V86_SP - 2) & 0xffff, IOPL3 | 2);
    tear_down(&w);
    EXPECT_END(GP, "\x66\x9c", VIF, CR4_VME);
    EXPECT_END(GP, "\x66\x9d", VIF, CR4_VME);
    /* push 0202h; popf */
    cr_assert_eq(end_of("\x68\x02\x02\x9d", 4, 0, CR4_VME, &w), UD);
    cr_assert_eq(frame(&w, 2), VM | VIF | 0x10002);
    tear_down(&w);
    /* push 4cd7h; popf: IOPL stays, NT goes, VIF falls */
    cr_assert_eq(end_of("\x68\xd7\x4c\x9d", 4, VIF | IF, CR4_VME, &w), UD);
    cr_assert_eq(frame(&w, 2), VM | IF | 0x14cd7);
    tear_down(&w);
    set_up_v86(&w, VIP, CR4_VME);
    PROGRAM(&w, 0x68, 2, 2, 0x9d);
    run(&w);
    cr_assert_eq(w.vector, GP);
    cr_assert_eq(frame(&w, 1), 3);
    cr_assert_eq(frame(&w, 4), V86_SP - 2, "the POPF has not popped");
    tear_down(&w);
    set_up_v86(&w, 0, CR4_VME);
    PROGRAM(&w, 0x68, 2, 1, 0x9d); /* TF */
    run(&w);
    cr_assert_eq(w.vector, GP);
    cr_assert_eq(frame(&w, 1), 3);
    tear_down(&w);
}

Test(v86, with_vme_16_bit_iret_loads_the_virtual_flag)
{
    struct world w;
    set_up_v86(&w, 0, CR4_VME);
    PROGRAM(&w, 0xcf);
    put(&w, CODE + 0x20, "\x0f\x0b", 2);
    put32(&w, (V86_SS << 4) + V86_SP, 0x20 | (uint32_t)V86_CS << 16);
    put32(&w, (V86_SS << 4) + V86_SP + 4, 0x7202);
    run(&w);
    cr_assert_eq(w.vector, UD);
    cr_assert_eq(frame(&w, 0), 0x20);
    cr_assert_eq(frame(&w, 2), VM | VIF | 0x14002);
    cr_assert_eq(frame(&w, 3), V86_SP + 6);
    tear_down(&w);

    set_up_v86(&w, VIP, CR4_VME);
    PROGRAM(&w, 0xcf);
    put32(&w, (V86_SS << 4) + V86_SP, 0x20 | (uint32_t)V86_CS << 16);
    put32(&w, (V86_SS << 4) + V86_SP + 4, 0x0202);
    run(&w);
    cr_assert_eq(w.vector, GP);
    tear_down(&w);
    EXPECT_END(GP, "\x66\xcf", 0, CR4_VME);
}

/* INT 40h with this redirection bit. */
static unsigned interrupt_40(bool bit, uint64_t flags, uint64_t cr4, struct world *w)
{
    set_up_v86(w, flags, cr4);
    PROGRAM(w, 0xcd, 0x28);
    put64(w, IDT + 0x28 * 8, core_gate(CODE0, HANDLERS + 0x28 * 16, 0xee));
    put32(w, REDIRECTION + 4, bit ? 0xffffffff : 0xfffffeff);
    put32(w, 0x28 * 4, 0x30 | (uint32_t)V86_CS << 16);
    put(w, CODE + 0x30, "\x0f\x0b", 2);
    run(w);
    return w->vector;
}

Test(v86, int_n_goes_where_the_redirection_bitmap_says)
{
    struct world w;
    const uint32_t at = (V86_SS << 4) + V86_SP - 6;
    cr_assert_eq(interrupt_40(true, IOPL3, CR4_VME, &w), 0x28);
    tear_down(&w);
    cr_assert_eq(interrupt_40(true, 0, CR4_VME, &w), GP);
    cr_assert_eq(frame(&w, 0), 0);
    tear_down(&w);
    cr_assert_eq(interrupt_40(false, IOPL3, 0, &w), 0x28, "without VME the bitmap is not looked at");
    tear_down(&w);
    cr_assert_eq(interrupt_40(false, 0, 0, &w), GP);
    tear_down(&w);

    cr_assert_eq(interrupt_40(false, IOPL3 | IF | NT, CR4_VME, &w), UD);
    cr_assert_eq(frame(&w, 0), 0x30);
    cr_assert_eq(frame(&w, 2), VM | IOPL3 | NT | 0x10002, "IF was cleared");
    cr_assert_eq(frame(&w, 3), V86_SP - 6);
    cr_assert_eq(get32(&w, at), 2 | (uint32_t)V86_CS << 16);
    cr_assert_eq(get32(&w, at + 4) & 0xffff, IOPL3 | IF | NT | 2);
    tear_down(&w);

    cr_assert_eq(interrupt_40(false, IF | VIF, CR4_VME, &w), UD);
    cr_assert_eq(frame(&w, 2), VM | IF | 0x10002, "VIF was cleared, and IF was not");
    cr_assert_eq(get32(&w, at + 4) & 0xffff, IOPL3 | IF | 2);
    tear_down(&w);
    cr_assert_eq(interrupt_40(false, IF, CR4_VME, &w), UD);
    cr_assert_eq(get32(&w, at + 4) & 0xffff, IOPL3 | 2, "the image's IF is VIF");
    tear_down(&w);
}

Test(v86, a_redirection_bitmap_beyond_the_tss_forbids_int_n)
{
    struct world w;
    set_up_v86(&w, IOPL3, CR4_VME);
    PROGRAM(&w, 0xcd, 0x28);
    w.state.tr.hidden.limit_bytes = 0x68 + 4;
    run(&w);
    cr_assert_eq(w.vector, GP);
    cr_assert_eq(frame(&w, 0), 0);
    tear_down(&w);
}

Test(v86, int3_and_into_are_not_redirected)
{
    struct world w;
    set_up_v86(&w, 0, CR4_VME);
    PROGRAM(&w, 0xcc);
    put64(&w, IDT + BP * 8, core_gate(CODE0, HANDLERS + BP * 16, 0xee));
    run(&w);
    cr_assert_eq(w.vector, BP);
    cr_assert_eq(frame(&w, 0), 1);
    tear_down(&w);
}

/* ---- PVI ---- */

static unsigned end_in_ring3(uint8_t opcode, uint64_t flags, struct world *w)
{
    set_up(w);
    enter_ring3(w);
    const uint8_t code[] = {opcode, 0xcd, END3};
    put(w, CODE, code, sizeof code);
    w->state.rflags = 2 | flags;
    w->state.cr4 |= CR4_PVI;
    run(w);
    return w->vector;
}

Test(v86, with_pvi_ring_3_has_a_virtual_interrupt_flag)
{
    struct world w;
    cr_assert_eq(end_in_ring3(0xfb, 0, &w), END3);
    cr_assert_eq(frame(&w, 2), VIF | 2);
    tear_down(&w);
    cr_assert_eq(end_in_ring3(0xfa, VIF | IF, &w), END3);
    cr_assert_eq(frame(&w, 2), IF | 2);
    tear_down(&w);
    cr_assert_eq(end_in_ring3(0xfb, VIP, &w), GP);
    tear_down(&w);
    cr_assert_eq(end_in_ring3(0xfa, IOPL3 | IF | VIF, &w), END3);
    cr_assert_eq(frame(&w, 2), IOPL3 | VIF | 2);
    tear_down(&w);
}

/* ---- VIF and VIP together ---- */

/* IRET from ring 0 with these flags; in ring 3 and in virtual-8086 mode there is an INC and an UD2. */
static unsigned return_with(uint32_t flags, uint64_t cr4, struct world *w)
{
    const uint32_t to_v86[] = {0x10, V86_CS, flags | 2, V86_SP, V86_SS, 0x2200, 0x2300, 0x2400, 0x2500};
    const uint32_t to_ring3[] = {CODE + 0x10, CODE3, flags | 2, STACK3, DATA3};
    bool is_v86 = flags & VM;
    uint32_t sp = STACK0 - (uint32_t)(is_v86 ? sizeof to_v86 : sizeof to_ring3);
    set_up(w);
    PROGRAM(w, 0xcf);
    put(w, CODE + 0x10, "\x40\x0f\x0b", 3);
    put(w, sp, is_v86 ? to_v86 : to_ring3, STACK0 - sp);
    w->state.gpr[CPU_SP] = sp;
    w->state.cr4 |= cr4;
    run(w);
    return w->vector;
}

Test(v86, an_instruction_that_begins_with_vif_and_vip_faults_where_they_count)
{
    struct world w;
    cr_assert_eq(return_with(VM | VIF | VIP, CR4_VME, &w), GP);
    cr_assert_eq(frame(&w, 0), 0);
    cr_assert_eq(frame(&w, 1), 0x10);
    cr_assert_eq(frame(&w, 2), V86_CS);
    cr_assert_eq(frame(&w, 3), VM | VIF | VIP | 0x10002);
    cr_assert_eq(w.state.gpr[CPU_AX], 0);
    tear_down(&w);
    cr_assert_eq(return_with(VIF | VIP, CR4_PVI, &w), GP);
    cr_assert_eq(frame(&w, 1), CODE + 0x10);
    cr_assert_eq(frame(&w, 2), CODE3);
    tear_down(&w);

    static const struct {
        uint32_t flags;
        uint64_t cr4;
    } good[] = {{VM | VIF | VIP, 0},         {VM | VIF | VIP, CR4_PVI},         {VM | VIF, CR4_VME},
                {VM | VIP, CR4_VME},         {VM | VIF | VIP | IOPL3, CR4_VME}, {VIF | VIP, CR4_VME},
                {VIF | VIP | IOPL3, CR4_PVI}};
    for (unsigned i = 0; i < sizeof good / sizeof *good; i++) {
        cr_assert_eq(return_with(good[i].flags, good[i].cr4, &w), UD, "case %u", i);
        cr_assert_eq(w.state.gpr[CPU_AX], 1);
        tear_down(&w);
    }
}
