/* IA-32e mode: into it and out of it, gates and interrupt stacks, far transfers, fast system calls. */
#include "cpu/cpu_internal.h"
#include "tests/unit/long_fixture.h"

/* ---- Into the mode and out ---- */

/* 32-bit code with paging off, from which programs switch. */
static void set_up_before(struct world *w)
{
    set_up_long(w);
    w->state.cr0 = CR0_PE | CR0_WP;
    w->state.efer = 0;
    w->state.segment[DEC_SEG_CS] = core_segment(CODE0, 0x00cf9b000000ffff);
    w->state.idt_base = IDT;
    w->state.idt_limit = NR_VECTORS * 8 - 1;
}

/* mov ecx,efer; rdmsr; or eax,100h; wrmsr; mov eax,cr0; or eax,80000000h; mov cr0,eax; then what follows. */
#define SWITCH                                                                                               \
    0xb9, 0x80, 0, 0, 0xc0, 0x0f, 0x32, 0x0d, 0, 1, 0, 0, 0x0f, 0x30, 0x0f, 0x20, 0xc0, 0x0d, 0, 0, 0, 0x80, \
        0x0f, 0x22, 0xc0
enum { SWITCH_BYTES = 25 };

Test(long_mode, paging_with_lme_activates_it_and_a_far_jump_begins_64_bit_code)
{
    struct world w;
    set_up_before(&w);
    PROGRAM(&w, SWITCH, 0xea, 0x20, 0, 1, 0, CODE64, 0, /* jmp far CODE64:CODE+32 */
            0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 0x0f, 0x32, 0xf4);
    run(&w);
    cr_assert_eq(w.state.efer, EFER_LME | EFER_LMA);
    cr_assert_eq(w.state.segment[DEC_SEG_CS].selector, CODE64);
    cr_assert(w.state.segment[DEC_SEG_CS].hidden.is_long);
    cr_assert_eq(w.state.gpr[CPU_AX], EFER_LME | EFER_LMA);
    cr_assert_eq(w.state.rip, CODE + SWITCH_BYTES + 7 + 13);
    tear_down(&w);
}

/* Between the two it is compatibility mode: registers and addresses of 32 bits, and 48h is DEC EAX. */
Test(long_mode, before_the_jump_the_code_is_compatible)
{
    struct world w;
    set_up_before(&w);
    PROGRAM(&w, SWITCH, 0x31, 0xc0, 0x48, 0xf4);
    run(&w);
    cr_assert_eq(w.state.efer, EFER_LME | EFER_LMA);
    cr_assert_eq(w.state.gpr[CPU_AX], 0xffffffff);
    tear_down(&w);
}

Test(long_mode, it_is_refused_without_pae_and_from_code_that_would_become_64_bit)
{
    for (unsigned is_long = 0; is_long < 2; is_long++) {
        struct world w;
        set_up_before(&w);
        PROGRAM(&w, SWITCH, 0xf4);
        if (is_long)
            w.state.segment[DEC_SEG_CS].hidden.is_long = true;
        else
            w.state.cr4 &= ~(uint64_t)CR4_PAE;
        run(&w);
        cr_assert_eq(w.vector, GP);
        cr_assert_eq(frame(&w, 0), 0);
        cr_assert_eq(frame(&w, 1), CODE + SWITCH_BYTES - 3);
        cr_assert_eq(w.state.efer, EFER_LME);
        tear_down(&w);
    }
}

Test(long_mode, compatibility_mode_may_switch_paging_off_and_64_bit_code_may_not)
{
    struct world w;
    set_up_long(&w);
    w.state.segment[DEC_SEG_CS] = core_segment(CODE0, 0x00cf9b000000ffff);
    PROGRAM(&w, 0x0f, 0x20, 0xc0, 0x25, 0xff, 0xff, 0xff, 0x7f, 0x0f, 0x22, 0xc0, 0xf4);
    run(&w);
    cr_assert_eq(w.vector, NR_VECTORS);
    cr_assert_eq(w.state.efer, EFER_LME | EFER_SCE);
    tear_down(&w);
    set_up_long(&w);
    PROGRAM(&w, 0x0f, 0x20, 0xc0, 0x25, 0xff, 0xff, 0xff, 0x7f, 0x0f, 0x22, 0xc0, 0xf4);
    run(&w);
    cr_assert_eq(w.vector, GP);
    tear_down(&w);
}

/* WRMSR of `value` to MSR `number` in 64-bit code: the vector that it ends in. */
static unsigned write_msr(uint32_t number, uint64_t value, struct cpu_state *after)
{
    struct world w;
    set_up_long(&w);
    PROGRAM(&w, 0x0f, 0x30, 0x0f, 0x32, 0xf4);
    w.state.gpr[CPU_CX] = number;
    w.state.gpr[CPU_AX] = (uint32_t)value;
    w.state.gpr[CPU_DX] = value >> 32;
    run(&w);
    *after = w.state;
    unsigned vector = w.vector;
    tear_down(&w);
    return vector;
}

Test(long_mode, msrs_take_what_the_manual_allows)
{
    static const struct {
        uint32_t number;
        uint64_t value;
        unsigned vector;
    } cases[] = {
        {0xc0000080, EFER_LME | EFER_LMA, NR_VECTORS},
        {0xc0000080, EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE, NR_VECTORS},
        {0xc0000080, EFER_SCE, GP}, /* LME may not change while paging is on */
        {0xc0000080, EFER_LME | EFER_LMA | 2, GP},
        {0xc0000080, EFER_LME | 1ull << 32, GP},
        {0xc0000081, ~0ull, NR_VECTORS},
        {0xc0000082, 0xffff800000000000, NR_VECTORS},
        {0xc0000082, 0x800000000000, GP},
        {0xc0000083, 0x7fffffffffff, NR_VECTORS},
        {0xc0000084, 0xffffffff, NR_VECTORS},
        {0xc0000084, 0x100000000, GP},
        {0xc0000100, 0xffffffffffffffff, NR_VECTORS},
        {0xc0000100, 0xfff7ffffffffffff, GP},
        {0xc0000101, 0x123456789abc, NR_VECTORS},
        {0xc0000102, 0x700000000000, NR_VECTORS},
        {0xc0000103, 0xffffffff, NR_VECTORS},
        {0xc0000103, 0x100000000, GP},
        {0x176, 0x800000000000, GP},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cpu_state after;
        unsigned vector = write_msr(cases[i].number, cases[i].value, &after);

        cr_assert_eq(vector, cases[i].vector, "msr %x: vector %u", cases[i].number, vector);
        if (vector == NR_VECTORS)
            cr_assert_eq(after.gpr[CPU_DX] << 32 | after.gpr[CPU_AX], cases[i].value);
    }
}

/* ---- Exceptions and interrupts ---- */

Test(long_mode, a_fault_pushes_ss_and_rsp_aligned_even_within_its_ring)
{
    struct world w;
    set_up_long(&w);
    w.state.gpr[CPU_SP] = STACK0 - 3;
    PROGRAM(&w, 0x0f, 0x0b);
    run(&w);
    cr_assert_eq(w.vector, UD);
    cr_assert_eq(w.state.gpr[CPU_SP], STACK0 - 16 - 40);
    cr_assert_eq(frame64(&w, 0), CODE);
    cr_assert_eq(frame64(&w, 1), CODE64);
    cr_assert_eq(frame64(&w, 2), 0x10002); /* RF */
    cr_assert_eq(frame64(&w, 3), STACK0 - 3);
    cr_assert_eq(frame64(&w, 4), DATA0);
    cr_assert_eq(w.state.segment[DEC_SEG_SS].selector, DATA0);
    tear_down(&w);
}

Test(long_mode, from_ring_3_the_stack_is_rsp0_and_ss_is_null)
{
    struct world w;
    set_up_long(&w);
    enter_ring3_64(&w);
    PROGRAM(&w, 0xcd, END3);
    run(&w);
    cr_assert_eq(w.vector, END3);
    cr_assert_eq(w.state.gpr[CPU_SP], STACK0 - 40);
    cr_assert_eq(frame64(&w, 0), CODE + 2);
    cr_assert_eq(frame64(&w, 1), CODE64_3);
    cr_assert_eq(frame64(&w, 3), STACK3);
    cr_assert_eq(frame64(&w, 4), DATA3);
    cr_assert_eq(w.state.segment[DEC_SEG_SS].selector, 0);
    cr_assert(!w.state.segment[DEC_SEG_SS].is_usable);
    tear_down(&w);
}

/* An IST entry is taken from any ring, and with an error code the frame is six words. */
Test(long_mode, interrupt_stacks_are_taken_from_every_ring)
{
    for (unsigned ring = 0; ring <= 3; ring += 3) {
        struct world w;
        set_up_long(&w);
        if (ring == 3)
            enter_ring3_64(&w);
        put_gate64(&w, IDT64 + PF * 16, CODE64, HANDLERS + PF * 16, 0x8e, 7);
        PROGRAM(&w, 0x48, 0xa1, 0, 0x80, 2, 0, 0, 0, 0, 0); /* mov rax,[GONE] */
        run(&w);
        cr_assert_eq(w.vector, PF);
        cr_assert_eq(w.state.gpr[CPU_SP], IST7 - 48);
        cr_assert_eq(frame64(&w, 0), ring == 3 ? 4 : 0);
        cr_assert_eq(frame64(&w, 1), CODE);
        cr_assert_eq(frame64(&w, 4), ring == 3 ? STACK3 : STACK0);
        cr_assert_eq(w.state.cr2, GONE);
        cr_assert_eq(w.state.segment[DEC_SEG_SS].selector, ring == 3 ? 0 : DATA0);
        tear_down(&w);
    }
}

Test(long_mode, gates_that_do_not_fit_are_refused)
{
    static const struct {
        const char *what;
        uint64_t selector, offset;
        unsigned rights;
        unsigned vector;
        uint64_t error_code;
    } cases[] = {
        {"to 32-bit code", CODE0, HANDLERS, 0x8e, GP, CODE0},
        {"a 16-bit gate", CODE64, HANDLERS, 0x86, GP, 0x20 * 8 + 2},
        {"a task gate", CODE64, HANDLERS, 0x85, GP, 0x20 * 8 + 2},
        {"not present", CODE64, HANDLERS, 0x0e, NP, 0x20 * 8 + 2},
        {"to the hole", CODE64, 0x800000000000, 0x8e, GP, 0},
        {"to a null selector", 0, HANDLERS, 0x8e, GP, 0},
        {"to data", DATA0, HANDLERS, 0x8e, GP, DATA0},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        set_up_long(&w);
        put_gate64(&w, IDT64 + 0x20 * 16, (uint16_t)cases[i].selector, cases[i].offset, cases[i].rights, 0);
        PROGRAM(&w, 0xcd, 0x20);
        run(&w);
        cr_assert_eq(w.vector, cases[i].vector, "%s: vector %u", cases[i].what, w.vector);
        cr_assert_eq(frame64(&w, 0), cases[i].error_code, "%s: %lx", cases[i].what, frame64(&w, 0));
        cr_assert_eq(frame64(&w, 1), CODE);
        tear_down(&w);
    }
}

Test(long_mode, compatibility_mode_is_interrupted_to_64_bit_code_and_goes_back)
{
    struct world w;
    set_up_long(&w);
    enter_ring3(&w);
    put(&w, HANDLERS + TRAP3 * 16, "\x48\x83\xc0\x01\x48\xcf", 6); /* add rax,1; iretq */
    PROGRAM(&w, 0xb8, 0xff, 0xff, 0xff, 0xff, 0xcd, TRAP3, 0x40, 0xcd,
            END3); /* mov eax,-1; int; inc eax; int */
    run(&w);
    cr_assert_eq(w.vector, END3);
    cr_assert_eq(w.state.gpr[CPU_AX], 1); /* the handler made 1 << 32, of which 32-bit code sees 0 */
    cr_assert_eq(frame64(&w, 1), CODE3);
    cr_assert_eq(frame64(&w, 3), STACK3);
    tear_down(&w);
}

/* ---- IRET ---- */

static void push_frame(struct world *w, const uint64_t frame[5])
{
    for (unsigned i = 0; i < 5; i++)
        put64(w, STACK0 - 40 + i * 8, frame[i]);
    w->state.gpr[CPU_SP] = STACK0 - 40;
}

Test(long_mode, iretq_checks_where_it_goes)
{
    static const struct {
        const char *what;
        uint64_t frame[5];
        unsigned vector;
        uint64_t error_code;
        uint64_t rsp;
    } cases[] = {
        {"within ring 0, SS null", {CODE + 16, CODE64, 2, STACK1, 0}, NR_VECTORS, 0, STACK1},
        {"within ring 0, SS kept", {CODE + 16, CODE64, 2, STACK1, DATA0}, NR_VECTORS, 0, STACK1},
        {"to the hole", {0x800000000000, CODE64, 2, STACK1, DATA0}, GP, 0, 0},
        {"to 32-bit code beyond its limit", {0x100000000, CODE0, 2, STACK1, DATA0}, GP, 0, 0},
        {"to 32-bit code with SS null", {CODE + 16, CODE0, 2, STACK1, 0}, GP, 0, 0},
        {"to ring 3 with SS null", {CODE + 16, CODE64_3, 2, STACK1, 3}, GP, 0, 0},
        {"with SS of another ring", {CODE + 16, CODE64_3, 2, STACK1, DATA0}, GP, DATA0, 0},
        {"to a null CS", {CODE + 16, 0, 2, STACK1, DATA0}, GP, 0, 0},
        {"to data", {CODE + 16, DATA0, 2, STACK1, DATA0}, GP, DATA0, 0},
        {"to 32-bit code", {CODE + 16, CODE0, 2, 0x100000000 + STACK1, DATA0}, NR_VECTORS, 0, STACK1},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        set_up_long(&w);
        PROGRAM(&w, 0x48, 0xcf, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc,
                0xcc, 0xf4);
        push_frame(&w, cases[i].frame);
        run(&w);
        cr_assert_eq(w.vector, cases[i].vector, "%s: vector %u", cases[i].what, w.vector);
        if (w.vector == NR_VECTORS) {
            cr_assert_eq(w.state.rip, CODE + 17, "%s", cases[i].what);
            cr_assert_eq(w.state.gpr[CPU_SP], cases[i].rsp, "%s: %lx", cases[i].what, w.state.gpr[CPU_SP]);
        } else {
            cr_assert_eq(frame64(&w, 0), cases[i].error_code, "%s: %lx", cases[i].what, frame64(&w, 0));
            cr_assert_eq(frame64(&w, 4), STACK0 - 40, "%s", cases[i].what);
        }
        tear_down(&w);
    }
}

Test(long_mode, iret_with_nt_is_refused)
{
    struct world w;
    set_up_long(&w);
    PROGRAM(&w, 0x48, 0xcf);
    push_frame(&w, (const uint64_t[5]){CODE + 16, CODE64, 2, STACK1, 0});
    w.state.rflags = 0x4002;
    run(&w);
    cr_assert_eq(w.vector, GP);
    tear_down(&w);
}

/* ---- Far transfers ---- */

Test(long_mode, far_returns_and_jumps_change_between_64_bit_and_compatibility_mode)
{
    struct world w;
    set_up_long(&w);
    PROGRAM(&w, 0x6a, CODE0, 0x68, 7, 0, 1, 0, 0x48, 0xcb); /* push CODE0; push CODE+9; retfq */
    put(&w, CODE + 7, "\x48\xcb", 2);
    put(&w, CODE + 3, "\x09", 1);
    put(&w, CODE + 9, "\x48\x9a\x20\x00\x01\x00\x30\x00\xf4", 9); /* dec eax; call far CODE64:CODE+32 */
    put(&w, CODE + 32, "\x48\xff\xc8\x6a\x08\xff\x74\x24\x08\x48\xcb", 11);
    put(&w, CODE + 32, "\x48\xff\xc8\xcb", 4); /* dec rax; retf: a 32-bit frame */
    w.state.gpr[CPU_AX] = 0x200000000;
    run(&w);
    cr_assert_eq(w.vector, NR_VECTORS);
    cr_assert_eq(w.state.rip, CODE + 18);
    cr_assert_eq(w.state.gpr[CPU_AX], 0xfffffffe);
    cr_assert_eq(w.state.gpr[CPU_SP], STACK0);
    cr_assert_eq(w.state.segment[DEC_SEG_CS].selector, CODE0);
    tear_down(&w);
}

Test(long_mode, a_64_bit_call_gate_leads_to_an_inner_ring)
{
    struct world w;
    set_up_long(&w);
    enter_ring3_64(&w);
    put_gate64(&w, GDT + FREE64, CODE64, HANDLERS + 8, 0xec, 0);
    put(&w, HANDLERS + 8, "\xf4", 1);
    put64(&w, DATA, (uint64_t)(FREE64 | 3) << 32);
    PROGRAM(&w, 0xff, 0x1c, 0x25, 0, 0, 2, 0); /* call far [DATA] */
    run(&w);
    cr_assert_eq(w.state.rip, HANDLERS + 9);
    cr_assert_eq(w.state.gpr[CPU_SP], STACK0 - 32);
    cr_assert_eq(frame64(&w, 0), CODE + 7);
    cr_assert_eq(frame64(&w, 1), CODE64_3);
    cr_assert_eq(frame64(&w, 2), STACK3);
    cr_assert_eq(frame64(&w, 3), DATA3);
    cr_assert_eq(w.state.segment[DEC_SEG_CS].selector, CODE64);
    cr_assert_eq(w.state.segment[DEC_SEG_SS].selector, 0);
    tear_down(&w);
}

Test(long_mode, call_gates_that_do_not_fit_are_refused)
{
    static const struct {
        const char *what;
        uint16_t selector;
        uint64_t high;
        unsigned rights, vector;
        uint64_t error_code;
    } cases[] = {
        {"to 32-bit code", CODE0, 0, 0xec, GP, CODE0},
        {"a type in the upper half", CODE64, 1ull << 40, 0xec, GP, FREE64},
        {"of ring 0", CODE64, 0, 0x8c, GP, FREE64},
        {"not present", CODE64, 0, 0x6c, NP, FREE64},
        {"a 16-bit gate", CODE64, 0, 0xe4, GP, FREE64},
        {"a task gate", TASK64, 0, 0xe5, GP, FREE64},
        {"to the hole", CODE64, 0x8000, 0xec, GP, 0},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        set_up_long(&w);
        enter_ring3_64(&w);
        put64(&w, GDT + FREE64, core_gate(cases[i].selector, HANDLERS, cases[i].rights));
        put64(&w, GDT + FREE64 + 8, cases[i].high);
        put64(&w, DATA, (uint64_t)(FREE64 | 3) << 32);
        PROGRAM(&w, 0xff, 0x1c, 0x25, 0, 0, 2, 0);
        run(&w);
        cr_assert_eq(w.vector, cases[i].vector, "%s: vector %u", cases[i].what, w.vector);
        cr_assert_eq(frame64(&w, 0), cases[i].error_code, "%s: %lx", cases[i].what, frame64(&w, 0));
        tear_down(&w);
    }
}

Test(long_mode, descriptor_tables_and_the_task_register_have_64_bit_bases)
{
    struct world w;
    set_up_long(&w);
    put64(&w, GDT + FREE64, core_descriptor(0x12345678, 0x67, 0x89, 0));
    put64(&w, GDT + FREE64 + 8, 0xffff8000);
    put64(&w, GDT + FREE64 + 16, core_descriptor(0x9abcdef0, 0xff, 0x82, 0));
    put64(&w, GDT + FREE64 + 24, 0x7fff);
    put(&w, DATA, "\x34\x12\x00\x00\x20\x00\x00\x90\xff\xff", 10);
    PROGRAM(&w, 0x66, 0xb8, FREE64, 0, 0x0f, 0x00, 0xd8,  /* ltr */
            0xb0, FREE64 + 16, 0x0f, 0x00, 0xd0,          /* lldt */
            0x0f, 0x01, 0x1c, 0x25, 0, 0, 2, 0,           /* lidt [DATA] */
            0x0f, 0x01, 0x0c, 0x25, 0x40, 0, 2, 0,        /* sidt [DATA+40h] */
            0x0f, 0x01, 0x04, 0x25, 0x60, 0, 2, 0, 0xf4); /* sgdt [DATA+60h] */
    run(&w);
    cr_assert_eq(w.vector, NR_VECTORS);
    cr_assert_eq(w.state.tr.hidden.base, 0xffff800012345678);
    cr_assert_eq(get32(&w, GDT + FREE64 + 4) >> 8 & 0xff, 0x8b);
    cr_assert_eq(w.state.ldtr.hidden.base, 0x7fff9abcdef0);
    cr_assert_eq(w.state.idt_base, 0xffff900000200000);
    cr_assert_eq(w.state.idt_limit, 0x1234);
    cr_assert_eq(get64(&w, DATA + 0x42), 0xffff900000200000);
    cr_assert_eq(get64(&w, DATA + 0x62), GDT);
    tear_down(&w);
}

/* ---- Segments in 64-bit code ---- */

Test(long_mode, data_segments_have_no_base_and_no_limit_in_64_bit_code)
{
    struct world w;
    set_up_long(&w);
    put64(&w, GDT + FREE64, core_descriptor(0x1000, 0xf, 0x91, 0)); /* read-only, 16 bytes from 1000h */
    PROGRAM(&w, 0xb8, FREE64, 0, 0, 0, 0x8e, 0xd8, 0x31, 0xc0, 0x8e, 0xc0, 0x8e,
            0xd0,                                            /* ds; es and ss null */
            0xc6, 0x04, 0x25, 0, 0, 2, 0, 7,                 /* mov byte [DATA],7 */
            0x50, 0x8a, 0x04, 0x25, 0, 0, 2, 0, 0xaa, 0xf4); /* push; mov al,[DATA]; stosb */
    w.state.gpr[CPU_DI] = DATA + 8;
    run(&w);
    cr_assert_eq(w.vector, NR_VECTORS);
    cr_assert_eq(get32(&w, DATA + 8), 7);
    cr_assert_eq(w.state.segment[DEC_SEG_SS].selector, 0);
    cr_assert_eq(w.state.segment[DEC_SEG_DS].selector, FREE64);
    tear_down(&w);
}

Test(long_mode, ring_3_may_not_have_a_null_stack_segment)
{
    struct world w;
    set_up_long(&w);
    enter_ring3_64(&w);
    PROGRAM(&w, 0xb8, 3, 0, 0, 0, 0x8e, 0xd0);
    run(&w);
    cr_assert_eq(w.vector, GP);
    tear_down(&w);
}

Test(long_mode, swapgs_and_the_base_instructions_move_64_bits)
{
    struct world w;
    set_up_long(&w);
    w.state.cr4 |= CR4_FSGSBASE;
    w.state.segment[DEC_SEG_GS].hidden.base = DATA;
    put64(&w, DATA + 8, 0x1111);
    put64(&w, DATA + 0x108, 0x2222);
    PROGRAM(&w, 0xb9, 2, 1, 0, 0xc0, 0xb8, 0, 1, 2, 0, 0x31, 0xd2, 0x0f,
            0x30,                                           /* wrmsr kernel_gs_base, DATA+100h */
            0x65, 0x48, 0x8b, 0x1c, 0x25, 8, 0, 0, 0,       /* mov rbx,gs:[8] */
            0x0f, 0x01, 0xf8,                               /* swapgs */
            0x65, 0x48, 0x8b, 0x34, 0x25, 8, 0, 0, 0,       /* mov rsi,gs:[8] */
            0xf3, 0x48, 0x0f, 0xae, 0xc9,                   /* rdgsbase rcx */
            0x48, 0xf7, 0xd9, 0xf3, 0x48, 0x0f, 0xae, 0xd1, /* neg rcx; wrfsbase rcx */
            0xf3, 0x0f, 0xae, 0xc2, 0xf4);                  /* rdfsbase edx */
    run(&w);
    cr_assert_eq(w.vector, NR_VECTORS);
    cr_assert_eq(w.state.gpr[CPU_BX], 0x1111);
    cr_assert_eq(w.state.gpr[CPU_SI], 0x2222);
    cr_assert_eq(w.state.segment[DEC_SEG_GS].hidden.base, DATA + 0x100);
    cr_assert_eq(w.state.segment[DEC_SEG_FS].hidden.base, 0ull - (DATA + 0x100));
    cr_assert_eq(w.state.gpr[CPU_DX], 0u - (DATA + 0x100));
    cr_assert_eq(w.core[0].cpu->kernel_gs_base, DATA);
    tear_down(&w);
}

/* ---- SYSCALL, SYSRET, SYSENTER, SYSEXIT ---- */

static void set_up_calls(struct world *w)
{
    set_up_long(w);
    /* SYSRET wants 32-bit code, data, 64-bit code of ring 3 in a row from STAR[63:48]; SYSEXIT four more. */
    put64(w, GDT + 0x60, 0x00cffb000000ffff);
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++) {
        struct cpu *cpu = w->core[kind].cpu;
        cpu->star = (uint64_t)0x63 << 48 | (uint64_t)0x33 << 32;
        cpu->lstar = HANDLERS;
        cpu->sfmask = EFLAGS_IF | EFLAGS_DF;
        cpu->sysenter_cs = 0x33;
        cpu->sysenter_esp = STACK0;
        cpu->sysenter_eip = HANDLERS;
    }
}

Test(long_mode, syscall_saves_rip_and_flags_and_sysret_goes_back)
{
    struct world w;
    set_up_calls(&w);
    enter_ring3_64(&w);
    w.state.rflags = 0x602 | EFLAGS_CF;
    put(&w, HANDLERS, "\x9c\x58\x48\x0f\x07", 5); /* pushf; pop rax; sysretq */
    PROGRAM(&w, 0x0f, 0x05, 0x9c, 0x5b, 0x8c, 0xce, 0x8c, 0xd7,
            0xf4); /* syscall; pushf; pop rbx; cs, ss; hlt */
    run(&w);
    cr_assert_eq(w.vector, GP);
    cr_assert_eq(w.state.gpr[CPU_AX], 3);
    cr_assert_eq(w.state.gpr[CPU_BX], 0x603);
    cr_assert_eq(w.state.gpr[CPU_CX], CODE + 2);
    cr_assert_eq(w.state.gpr[11], 0x603);
    cr_assert_eq((uint32_t)w.state.gpr[CPU_SI], 0x73);
    cr_assert_eq((uint32_t)w.state.gpr[CPU_DI], 0x6b);
    cr_assert_eq(frame64(&w, 1), CODE + 8);
    tear_down(&w);
}

Test(long_mode, syscall_enters_flat_segments_of_ring_0)
{
    struct world w;
    set_up_calls(&w);
    enter_ring3_64(&w);
    put(&w, HANDLERS, "\xf4", 1);
    PROGRAM(&w, 0x0f, 0x05);
    run(&w);
    cr_assert_eq(w.state.rip, HANDLERS + 1);
    cr_assert_eq(w.state.segment[DEC_SEG_CS].selector, 0x30);
    cr_assert_eq(w.state.segment[DEC_SEG_SS].selector, 0x38);
    cr_assert_eq(w.state.segment[DEC_SEG_CS].hidden.dpl, 0);
    cr_assert_eq(w.state.gpr[CPU_SP], STACK3);
    tear_down(&w);
}

static const struct {
    const char *what;
    uint8_t bytes[8];
    bool is_ring3, is_compatible, is_off;
    uint64_t rcx, rdx;
    unsigned vector;
} refused_calls[] = {
    {"syscall in compatibility mode", {0x0f, 0x05, 0xf4}, true, true, false, 0, 0, UD},
    {"syscall without SCE", {0x0f, 0x05, 0xf4}, true, false, true, 0, 0, UD},
    {"sysret in compatibility mode", {0x0f, 0x07, 0xf4}, false, true, false, 0, 0, UD},
    {"sysret in ring 3", {0x48, 0x0f, 0x07, 0xf4}, true, false, false, 0, 0, GP},
    {"sysret to the hole", {0x48, 0x0f, 0x07, 0xf4}, false, false, false, 0x800000000000, 0, GP},
    {"sysexit in ring 3", {0x48, 0x0f, 0x35, 0xf4}, true, false, false, 0, 0, GP},
    {"sysexit to the hole", {0x48, 0x0f, 0x35, 0xf4}, false, false, false, 0, 0x800000000000, GP},
    {"sysexit, its stack in the hole", {0x48, 0x0f, 0x35, 0xf4}, false, false, false, 0x800000000000, 0, GP},
    {"swapgs in ring 3", {0x0f, 0x01, 0xf8, 0xf4}, true, false, false, 0, 0, GP},
    {"swapgs in compatibility mode", {0x0f, 0x01, 0xf8, 0xf4}, false, true, false, 0, 0, UD},
    {"rdfsbase without its CR4 bit", {0xf3, 0x48, 0x0f, 0xae, 0xc0, 0xf4}, false, false, false, 0, 0, UD},
    {"cmpxchg16b not aligned", {0x48, 0x0f, 0xc7, 0x4c, 0x24, 0xf8, 0xf4}, false, false, false, 0, 0, GP},
    {"mov cr8 above 15", {0x41, 0x0f, 0x22, 0xc1, 0x44, 0x0f, 0x22, 0xc1}, false, false, false, 16, 0, GP},
};

Test(long_mode, fast_calls_are_refused_where_the_manual_says)
{
    for (unsigned i = 0; i < sizeof refused_calls / sizeof *refused_calls; i++) {
        struct world w;
        set_up_calls(&w);
        if (refused_calls[i].is_ring3)
            enter_ring3_64(&w);
        if (refused_calls[i].is_compatible)
            w.state.segment[DEC_SEG_CS] = refused_calls[i].is_ring3 ? core_segment(CODE3, 0x00cffb000000ffff)
                                                                    : core_segment(CODE0, 0x00cf9b000000ffff);
        if (refused_calls[i].is_off)
            w.state.efer &= ~(uint64_t)EFER_SCE;
        w.state.gpr[CPU_CX] = refused_calls[i].rcx;
        w.state.gpr[CPU_DX] = refused_calls[i].rdx;
        put(&w, CODE, refused_calls[i].bytes, sizeof refused_calls[i].bytes);
        if (refused_calls[i].bytes[0] == 0x41)
            put(&w, CODE, "\x44\x0f\x22\xc1", 4);
        run(&w);
        cr_assert_eq(w.vector, refused_calls[i].vector, "%s: vector %u", refused_calls[i].what, w.vector);
        tear_down(&w);
    }
}

Test(long_mode, sysenter_and_sysexit_in_64_bit_code)
{
    struct world w;
    set_up_calls(&w);
    enter_ring3_64(&w);
    w.state.rflags = 0x202;
    w.state.gpr[CPU_CX] = STACK3 - 64;
    w.state.gpr[CPU_DX] = CODE + 2;
    put(&w, HANDLERS, "\x9c\x58\x48\x0f\x35", 5);          /* pushf; pop rax; sysexitq */
    PROGRAM(&w, 0x0f, 0x34, 0x8c, 0xce, 0x8c, 0xd7, 0xf4); /* sysenter; cs, ss; hlt */
    run(&w);
    cr_assert_eq(w.vector, GP);
    cr_assert_eq(w.state.gpr[CPU_AX], 2);
    cr_assert_eq((uint32_t)w.state.gpr[CPU_SI], 0x53);
    cr_assert_eq((uint32_t)w.state.gpr[CPU_DI], 0x5b);
    cr_assert_eq(frame64(&w, 1), CODE + 6);
    cr_assert_eq(frame64(&w, 4), STACK3 - 64);
    tear_down(&w);
}

Test(long_mode, sysenter_and_sysexit_in_32_bit_code)
{
    struct world w;
    set_up(&w);
    enter_ring3(&w);
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++) {
        w.core[kind].cpu->sysenter_cs = CODE0;
        w.core[kind].cpu->sysenter_esp = STACK0 - 8;
        w.core[kind].cpu->sysenter_eip = HANDLERS;
    }
    w.state.gpr[CPU_CX] = STACK3 - 64;
    w.state.gpr[CPU_DX] = CODE + 2;
    put(&w, HANDLERS, "\x89\xe0\x0f\x35", 4);              /* mov eax,esp; sysexit */
    PROGRAM(&w, 0x0f, 0x34, 0x8c, 0xce, 0x8c, 0xd7, 0xf4); /* sysenter; cs, ss; hlt */
    run(&w);
    cr_assert_eq(w.vector, GP);
    cr_assert_eq(w.state.gpr[CPU_AX], STACK0 - 8);
    cr_assert_eq(w.state.gpr[CPU_SI], CODE0 + 16 + 3);
    cr_assert_eq(w.state.gpr[CPU_DI], CODE0 + 24 + 3);
    cr_assert_eq(frame(&w, 1), CODE + 6);
    tear_down(&w);
}

Test(long_mode, cmpxchg16b_compares_and_exchanges_16_bytes)
{
    for (unsigned is_equal = 0; is_equal < 2; is_equal++) {
        struct world w;
        set_up_long(&w);
        PROGRAM(&w, 0xf0, 0x48, 0x0f, 0xc7, 0x0e, 0xf4);
        put64(&w, DATA, 0x1111111111111111);
        put64(&w, DATA + 8, 0x2222222222222222);
        w.state.gpr[CPU_SI] = DATA;
        w.state.gpr[CPU_AX] = 0x1111111111111111;
        w.state.gpr[CPU_DX] = 0x2222222222222221 + is_equal;
        w.state.gpr[CPU_BX] = 0x3333333333333333;
        w.state.gpr[CPU_CX] = 0x4444444444444444;
        w.state.rflags = 0x8d7 ^ (is_equal ? EFLAGS_ZF : 0);
        run(&w);
        cr_assert_eq(w.vector, NR_VECTORS);
        cr_assert_eq(w.state.rflags, 0x897 | (is_equal ? EFLAGS_ZF : 0));
        cr_assert_eq(get64(&w, DATA), is_equal ? 0x3333333333333333 : 0x1111111111111111);
        cr_assert_eq(get64(&w, DATA + 8), is_equal ? 0x4444444444444444 : 0x2222222222222222);
        cr_assert_eq(w.state.gpr[CPU_DX], 0x2222222222222222);
        tear_down(&w);
    }
}
