/*
 * Segment registers, limits, transfers between rings, and faults on the way to a handler: each check of the
 * manual, with the error code that it makes.
 */
#include "tests/unit/world_fixture.h"

/* ---- Segment loads ---- */

/* MOV seg, AX of a descriptor with these rights: the vector and error code that come of it. */
static void expect_load(unsigned seg, unsigned rights, uint16_t selector, unsigned vector, uint32_t error)
{
    struct world w;
    set_up(&w);
    uint8_t code[] = {0x8e, (uint8_t)(0xc0 | seg << 3), 0xf4};
    put(&w, CODE, code, sizeof code);
    put64(&w, GDT + FREE, core_descriptor(0x12345, 0x6789, rights, 4));
    w.state.gpr[CPU_AX] = selector;
    run(&w);
    cr_assert_eq(w.vector, vector, "segment %u, rights %x, selector %x: vector %u", seg, rights, selector,
                 w.vector);
    if (vector == NR_VECTORS) {
        cr_assert_eq(w.state.segment[seg].selector, selector);
        if ((selector & ~3) != 0) {
            cr_assert_eq(w.state.segment[seg].hidden.base, 0x12345);
            cr_assert_eq(get32(&w, GDT + FREE + 4) >> 8 & 0xff, rights | 1, "the accessed bit in memory");
        }
    } else {
        bool has_code = vector != UD;
        if (has_code)
            cr_assert_eq(frame(&w, 0), error, "segment %u, rights %x: error code %x", seg, rights,
                         frame(&w, 0));
        cr_assert_eq(frame(&w, has_code), CODE);
    }
    tear_down(&w);
}

Test(cpu_exec, loads_of_data_segments_check_type_privilege_and_presence)
{
    expect_load(DEC_SEG_DS, 0x92, FREE, NR_VECTORS, 0);
    expect_load(DEC_SEG_DS, 0x90, FREE, NR_VECTORS, 0); /* read-only */
    expect_load(DEC_SEG_DS, 0x98, FREE, GP, FREE);      /* execute-only code */
    expect_load(DEC_SEG_DS, 0x9a, FREE, NR_VECTORS, 0); /* readable code */
    expect_load(DEC_SEG_DS, 0x92, FREE + 3, GP, FREE);  /* RPL 3, DPL 0 */
    expect_load(DEC_SEG_DS, 0xf2, FREE + 3, NR_VECTORS, 0);
    expect_load(DEC_SEG_ES, 0x9e, FREE + 3, NR_VECTORS, 0); /* conforming: no privilege check */
    expect_load(DEC_SEG_ES, 0x12, FREE, NP, FREE);
    expect_load(DEC_SEG_GS, 0x89, FREE, GP, FREE); /* a TSS */
    expect_load(DEC_SEG_FS, 0x92, NR_DESCRIPTORS * 8, GP, NR_DESCRIPTORS * 8);
    expect_load(DEC_SEG_FS, 0x92, FREE | 4, GP, FREE | 4); /* there is no LDT */
    expect_load(DEC_SEG_FS, 0x92, 3, NR_VECTORS, 0);       /* null */
}

Test(cpu_exec, loads_of_the_stack_segment_want_exactly_this_ring)
{
    expect_load(DEC_SEG_SS, 0x92, FREE, NR_VECTORS, 0);
    expect_load(DEC_SEG_SS, 0x92, 0, GP, 0);
    expect_load(DEC_SEG_SS, 0x90, FREE, GP, FREE);
    expect_load(DEC_SEG_SS, 0x9a, FREE, GP, FREE);
    expect_load(DEC_SEG_SS, 0xf2, FREE, GP, FREE);
    expect_load(DEC_SEG_SS, 0x92, FREE + 1, GP, FREE);
    expect_load(DEC_SEG_SS, 0x12, FREE, SS, FREE);
}

Test(cpu_exec, cs_cannot_be_loaded_by_mov)
{
    expect_load(DEC_SEG_CS, 0x9a, FREE, UD, 0);
}

Test(cpu_exec, access_through_a_null_selector_faults_and_its_load_does_not)
{
    struct world w;
    set_up(&w);
    PROGRAM(&w, 0x31, 0xc0, 0x8e, 0xd8, 0xa1, 0, 0, 2, 0); /* xor eax,eax; mov ds,ax; mov eax,[20000h] */
    run(&w);
    cr_assert_eq(w.vector, GP);
    cr_assert_eq(frame(&w, 0), 0);
    cr_assert_eq(frame(&w, 1), CODE + 4);
    tear_down(&w);
}

/* ---- Limits ---- */

/* A load of four bytes at `offset` of a data segment. */
static unsigned load_at(uint32_t offset, uint32_t limit, unsigned rights, unsigned flags)
{
    struct world w;
    set_up(&w);
    PROGRAM(&w, 0x8b, 0x03, 0xf4); /* mov eax,[ebx] */
    w.state.gpr[CPU_BX] = offset;
    w.state.segment[DEC_SEG_DS] = core_segment(FREE, core_descriptor(0, limit, rights, flags));
    run(&w);
    unsigned vector = w.vector;
    tear_down(&w);
    return vector;
}

Test(cpu_exec, limits_are_those_of_the_descriptor)
{
    cr_assert_eq(load_at(DATA, DATA + 3, 0x93, 4), NR_VECTORS);
    cr_assert_eq(load_at(DATA + 1, DATA + 3, 0x93, 4), GP);
    cr_assert_eq(load_at(DATA + 0xffc, DATA >> 12, 0x93, 12), NR_VECTORS);
    cr_assert_eq(load_at(DATA + 0xffd, DATA >> 12, 0x93, 12), GP);
    cr_assert_eq(load_at(DATA, DATA - 1, 0x97, 4), NR_VECTORS); /* expand-down: above the limit */
    cr_assert_eq(load_at(DATA - 1, DATA - 1, 0x97, 4), GP);
    cr_assert_eq(load_at(0xfffc, 0xfff, 0x97, 0), NR_VECTORS); /* B = 0: up to FFFFh */
    cr_assert_eq(load_at(0xfffd, 0xfff, 0x97, 0), GP);
}

/* Loads and a read-modify-write through FS or GS. Every dword of memory that they reach holds its address. */
static void put_accesses(struct world *w, unsigned seg)
{
    uint8_t prefix = seg == DEC_SEG_FS ? 0x64 : 0x65;
    const uint8_t code[] = {
        prefix, 0xa1, 0x10, 0,    0,    0,          /* mov eax,fs:[10h] */
        prefix, 0x8b, 0x4b, 4,                      /* mov ecx,fs:[ebx+4] */
        prefix, 0x8b, 0x54, 0xb3, 8,                /* mov edx,fs:[ebx+esi*4+8] */
        prefix, 0x8b, 0x3d, 0xfc, 0xff, 0xff, 0xff, /* mov edi,fs:[-4] */
        prefix, 0x8d, 0x2d, 0x30, 0,    0,    0,    /* lea ebp,fs:[30h] */
        prefix, 0xff, 0x05, 0x20, 0,    0,    0,    /* inc dword fs:[20h] */
        0xcd,   END3,                               /* int 30h */
    };
    put(w, CODE, code, sizeof code);
    for (uint32_t at = DATA; at < DATA + 3 * PAGE_BYTES; at += 4)
        put32(w, at, at);
}

/* Runs that in a ring with such a descriptor, in a world that may have run it with others. */
static void run_through(struct world *w, unsigned seg, unsigned ring, uint64_t descriptor)
{
    w->state.rip = CODE;
    if (ring == 3)
        enter_ring3(w);
    w->state.gpr[CPU_BX] = 0x40;
    w->state.gpr[CPU_SI] = 2;
    w->state.segment[seg] = core_segment((uint16_t)(FREE | ring), descriptor);
    run(w);
}

static void expect_through(unsigned seg, unsigned ring)
{
    enum { BASE = DATA + PAGE_BYTES, READ_MODIFY_WRITE = CODE + 29, BELOW_BASE = CODE + 15 };
    unsigned rights = ring == 3 ? 0xf3 : 0x93;
    struct world w;
    set_up(&w);
    put_accesses(&w, seg);
    struct cpu_state before = w.state;
    for (uint32_t base = BASE; base <= BASE + 0x104; base += 0x104) {
        w.state = before;
        run_through(&w, seg, ring, core_descriptor(base, 0xfffff, rights, 12));
        cr_assert_eq(w.vector, END3, "segment %u, ring %u, base %x: vector %u", seg, ring, base, w.vector);
        cr_assert_eq(w.state.gpr[CPU_AX], base + 0x10);
        cr_assert_eq(w.state.gpr[CPU_CX], base + 0x44);
        cr_assert_eq(w.state.gpr[CPU_DX], base + 0x50);
        cr_assert_eq(w.state.gpr[CPU_DI], base - 4);
        cr_assert_eq(w.state.gpr[CPU_BP], 0x30, "an address is no access");
        cr_assert_eq(get32(&w, base + 0x20), base + 0x21);
    }
    w.state = before;
    run_through(&w, seg, ring, core_descriptor(BASE, 0xfffff, rights - 2, 12));
    cr_assert_eq(w.vector, GP, "a write to a read-only segment");
    cr_assert_eq(frame(&w, 1), READ_MODIFY_WRITE);
    w.state = before;
    run_through(&w, seg, ring, core_descriptor(BASE, 0x53, rights, 4));
    cr_assert_eq(w.vector, GP, "beyond a limit");
    cr_assert_eq(frame(&w, 1), BELOW_BASE);
    tear_down(&w);
}

Test(cpu_exec, a_base_of_fs_or_gs_is_added_and_code_that_ran_with_another_segment_sees_the_new_one)
{
    expect_through(DEC_SEG_FS, 0);
    expect_through(DEC_SEG_FS, 3);
    expect_through(DEC_SEG_GS, 0);
    expect_through(DEC_SEG_GS, 3);
}

Test(cpu_exec, code_that_loads_fs_again_and_again_uses_each_segment_in_turn)
{
    struct world w;
    set_up(&w);
    PROGRAM(&w, 0x8e, 0xe0,               /* mov fs,ax */
            0x64, 0x8b, 0x1d, 0, 0, 0, 0, /* mov ebx,fs:[0] */
            0x01, 0xde, 0x91, 0x4a,       /* add esi,ebx; xchg eax,ecx; dec edx */
            0x75, 0xf1, 0xf4);            /* jnz CODE; hlt */
    put64(&w, GDT + FREE, core_descriptor(DATA, 0xfffff, 0x93, 12));
    put64(&w, GDT + FREE + 8, core_descriptor(DATA + 0x100, 3, 0x93, 4));
    put32(&w, DATA, 0x1000);
    put32(&w, DATA + 0x100, 1);
    w.state.gpr[CPU_AX] = FREE;
    w.state.gpr[CPU_CX] = FREE + 8;
    w.state.gpr[CPU_DX] = 5;
    run(&w);
    cr_assert_eq(w.vector, NR_VECTORS);
    cr_assert_eq(w.state.gpr[CPU_SI], 0x3002);
    tear_down(&w);
}

Test(cpu_exec, a_push_below_an_expand_down_stack_is_a_stack_fault)
{
    struct world w;
    set_up(&w);
    PROGRAM(&w, 0x50, 0x50); /* push eax; push eax */
    w.state.segment[DEC_SEG_SS] = core_segment(FREE, core_descriptor(0, 0x8fff, 0x97, 4));
    w.state.gpr[CPU_SP] = 0x9004;
    run(&w);
    cr_assert_eq(w.stop, CPU_STOP_SHUTDOWN, "the handler's frame has no room either, nor has that of #DF");
    struct cpu_fault_record record[CPU_FAULT_HISTORY];
    unsigned nr = cpu_fault_history(w.core[0].cpu, record);
    cr_assert_eq(record[nr - 1].vector, SS);
    cr_assert_eq(record[nr - 1].rip, CODE + 1);
    cr_assert_eq(w.state.gpr[CPU_SP], 0x9000);
    tear_down(&w);
}

Test(cpu_exec, code_that_runs_over_the_limit_of_cs_faults_there)
{
    struct world w;
    set_up(&w);
    PROGRAM(&w, 0x90, 0x90, 0x90, 0x40, 0xb8, 1, 2, 3, 4, 0xf4);
    w.state.segment[DEC_SEG_CS] = core_segment(CODE0, core_descriptor(0, CODE + 6, 0x9b, 4));
    run(&w);
    cr_assert_eq(w.vector, GP, "the MOV's last two bytes are beyond");
    cr_assert_eq(frame(&w, 0), 0);
    cr_assert_eq(frame(&w, 1), CODE + 4);
    cr_assert_eq(w.state.gpr[CPU_AX], 1);
    tear_down(&w);
}

/* ---- Transfers between rings ---- */

Test(cpu_exec, an_interrupt_from_ring_3_switches_to_the_stack_of_the_tss_and_iret_goes_back)
{
    struct world w;
    set_up(&w);
    enter_ring3(&w);
    PROGRAM(&w, 0xcd, TRAP3, 0xcd, END3);
    put(&w, HANDLERS + TRAP3 * 16, "\xcf", 1); /* iret */
    w.state.rflags = 0x202;
    run(&w);
    cr_assert_eq(w.vector, END3);
    cr_assert_eq(w.state.gpr[CPU_SP], STACK0 - 20);
    cr_assert_eq(frame(&w, 0), CODE + 4);
    cr_assert_eq(frame(&w, 1), CODE3);
    cr_assert_eq(frame(&w, 2), 0x202);
    cr_assert_eq(frame(&w, 3), STACK3);
    cr_assert_eq(frame(&w, 4), DATA3);
    cr_assert_eq(w.state.segment[DEC_SEG_SS].selector, DATA0);
    cr_assert_eq(w.state.segment[DEC_SEG_CS].selector, CODE0);
    cr_assert_eq(w.state.rflags & 0x200, 0, "an interrupt gate clears IF");
    tear_down(&w);
}

Test(cpu_exec, a_trap_gate_leaves_if_and_a_gate_of_ring_0_is_closed_to_ring_3)
{
    struct world w;
    set_up(&w);
    enter_ring3(&w);
    PROGRAM(&w, 0xcd, TRAP3);
    w.state.rflags = 0x202;
    run(&w);
    cr_assert_eq(w.vector, TRAP3);
    cr_assert_eq(w.state.rflags & 0x200, 0x200);
    tear_down(&w);

    set_up(&w);
    enter_ring3(&w);
    PROGRAM(&w, 0xcd, 0x20);
    run(&w);
    cr_assert_eq(w.vector, GP);
    cr_assert_eq(frame(&w, 0), 0x20 * 8 + 2, "IDT, and not external");
    cr_assert_eq(frame(&w, 1), CODE);
    tear_down(&w);
}

Test(cpu_exec, iret_to_ring_3_drops_data_segments_of_ring_0)
{
    struct world w;
    set_up(&w);
    PROGRAM(&w, 0xcf);
    const uint32_t pushed[] = {CODE + 0x100, CODE3, 0x3202, STACK3, DATA3};
    put(&w, STACK0 - sizeof pushed, pushed, sizeof pushed);
    put(&w, CODE + 0x100, "\xcd\x30", 2);
    put64(&w, GDT + FREE, 0x00cff3000000ffff);
    w.state.segment[DEC_SEG_GS] = core_segment(FREE + 3, 0x00cff3000000ffff);
    w.state.gpr[CPU_SP] = STACK0 - sizeof pushed;
    run(&w);
    cr_assert_eq(w.vector, END3);
    cr_assert_not(w.state.segment[DEC_SEG_DS].is_usable);
    cr_assert_not(w.state.segment[DEC_SEG_ES].is_usable);
    cr_assert(w.state.segment[DEC_SEG_GS].is_usable);
    cr_assert_eq(frame(&w, 2), 0x3202, "IF and IOPL came from the frame");
    tear_down(&w);
}

Test(cpu_exec, far_call_and_return_within_a_ring_and_to_an_outer_one)
{
    struct world w;
    set_up(&w);
    PROGRAM(&w, 0x9a, 0, 1, 1, 0, FREE, 0, 0xf4); /* call FREE:CODE+100h */
    put64(&w, GDT + FREE, 0x00cf9a000000ffff);
    put(&w, CODE + 0x100, "\x40\xca\x08\x00", 4); /* inc eax; retf 8 */
    run(&w);
    cr_assert_eq(w.state.rip, CODE + 8);
    cr_assert_eq(w.state.gpr[CPU_AX], 1);
    cr_assert_eq(w.state.gpr[CPU_SP], STACK0 + 8);
    cr_assert_eq(get32(&w, GDT + FREE + 4) >> 8 & 1, 1, "a load of CS sets the accessed bit in memory");
    tear_down(&w);

    set_up(&w);
    PROGRAM(&w, 0xca, 4, 0); /* retf 4 */
    const uint32_t pushed[] = {CODE + 0x100, CODE3, 0xdead, STACK3, DATA3};
    put(&w, STACK0 - sizeof pushed, pushed, sizeof pushed);
    put(&w, CODE + 0x100, "\xcd\x30", 2);
    w.state.gpr[CPU_SP] = STACK0 - sizeof pushed;
    run(&w);
    cr_assert_eq(w.vector, END3);
    cr_assert_eq(frame(&w, 3), STACK3 + 4, "both stacks drop the parameters");
    tear_down(&w);
}

/* The fault that a far jump to `selector` makes, from ring 0. */
static void expect_jump(uint64_t descriptor, uint16_t selector, unsigned vector, uint32_t error)
{
    struct world w;
    set_up(&w);
    const uint8_t code[] = {0xea, 0, 1, 1, 0, (uint8_t)selector, (uint8_t)(selector >> 8)};
    put(&w, CODE, code, sizeof code);
    put(&w, CODE + 0x100, "\xf4", 1);
    put64(&w, GDT + FREE, descriptor);
    run(&w);
    cr_assert_eq(w.vector, vector, "%lx: vector %u", descriptor, w.vector);
    if (vector != NR_VECTORS)
        cr_assert_eq(frame(&w, 0), error);
    tear_down(&w);
}

Test(cpu_exec, far_jumps_check_type_privilege_presence_and_limit)
{
    expect_jump(0x00cf9a000000ffff, FREE, NR_VECTORS, 0);
    expect_jump(0x00cf9a000000ffff, FREE + 1, GP, FREE); /* RPL > CPL */
    expect_jump(0x00cffa000000ffff, FREE, GP, FREE);     /* DPL > CPL */
    expect_jump(0x00cf92000000ffff, FREE, GP, FREE);     /* data */
    expect_jump(0x00cf1a000000ffff, FREE, NP, FREE);
    expect_jump(0x00409a000000ffff, FREE, GP, 0); /* beyond the limit */
    expect_jump(0, 0, GP, 0);
    expect_jump(0, NR_DESCRIPTORS * 8, GP, NR_DESCRIPTORS * 8);
}

/* ---- Faults in delivery ---- */

Test(cpu_exec, a_fault_while_a_fault_is_delivered_is_a_double_fault_and_a_third_one_the_end)
{
    struct world w;
    set_up(&w);
    PROGRAM(&w, 0xf7, 0xf1);                        /* div ecx, which is 0 */
    put64(&w, IDT + DE * 8, core_gate(0, 0, 0x8e)); /* a gate to nowhere */
    run(&w);
    cr_assert_eq(w.vector, DF);
    cr_assert_eq(frame(&w, 0), 0);
    cr_assert_eq(frame(&w, 1), CODE);
    tear_down(&w);

    set_up(&w);
    PROGRAM(&w, 0xf7, 0xf1);
    put64(&w, IDT + DE * 8, 0);
    put64(&w, IDT + DF * 8, 0);
    run(&w);
    cr_assert_eq(w.stop, CPU_STOP_SHUTDOWN);
    tear_down(&w);
}

Test(cpu_exec, a_benign_fault_first_is_no_double_fault)
{
    struct world w;
    set_up(&w);
    PROGRAM(&w, 0x0f, 0x0b);                                   /* ud2 */
    put64(&w, IDT + UD * 8, core_gate(CODE0, HANDLERS, 0x0e)); /* not present */
    run(&w);
    cr_assert_eq(w.vector, NP);
    cr_assert_eq(frame(&w, 0), UD * 8 + 2 + 1);
    tear_down(&w);
}

/*
 * INT from ring 3 where the TSS names this stack: no handler of ring 0 can be reached, the first fault
 * counts.
 */
static void expect_stack_fault(uint16_t selector, uint64_t descriptor, unsigned vector, uint32_t error)
{
    struct world w;
    struct cpu_fault_record record[CPU_FAULT_HISTORY];
    set_up(&w);
    enter_ring3(&w);
    PROGRAM(&w, 0xcd, END3);
    put64(&w, GDT + FREE, descriptor);
    put32(&w, TSS + 8, selector);
    run(&w);
    cr_assert_eq(w.stop, CPU_STOP_SHUTDOWN);
    unsigned nr = cpu_fault_history(w.core[0].cpu, record);
    cr_assert_eq(record[nr - 1].vector, vector, "selector %x: vector %u", selector, record[nr - 1].vector);
    cr_assert_eq(record[nr - 1].error_code, error, "selector %x: error code %x", selector,
                 record[nr - 1].error_code);
    tear_down(&w);
}

Test(cpu_exec, a_bad_stack_in_the_tss_is_ts_and_one_without_room_ss)
{
    expect_stack_fault(DATA3, 0, TS, DATA3 & ~3u);
    expect_stack_fault(0, 0, TS, 0);
    expect_stack_fault(FREE, core_descriptor(0, 0xffff, 0x90, 4), TS, FREE);
    expect_stack_fault(FREE, core_descriptor(0, 0xffff, 0x12, 4), SS, FREE);
    expect_stack_fault(FREE, core_descriptor(0, 0xfff, 0x92, 4), SS, FREE); /* SDM 2A INT n: #SS(new SS) */
}

Test(cpu_exec, a_16_bit_gate_has_a_16_bit_offset_and_frame)
{
    struct world w;
    set_up(&w);
    PROGRAM(&w, 0xcd, 0x20);
    put64(&w, IDT + 0x20 * 8, core_gate(FREE, 0xffff0000 | (HANDLERS + 0x20 * 16), 0x86));
    put64(&w, GDT + FREE, core_descriptor(0, 0xffff, 0x9b, 4));
    run(&w);
    cr_assert_eq(w.vector, 0x20);
    cr_assert_eq(w.state.gpr[CPU_SP], STACK0 - 6);
    cr_assert_eq(get32(&w, STACK0 - 6), ((CODE + 2) & 0xffff) | CODE0 << 16);
    tear_down(&w);
}

Test(cpu_exec, the_image_that_a_fault_pushes_has_rf_and_that_of_int_n_has_not)
{
    struct world w;
    set_up(&w);
    PROGRAM(&w, 0x0f, 0x0b);
    run(&w);
    cr_assert_eq(frame(&w, 2), 0x10002, "SDM 3B 17.3.1.1");
    tear_down(&w);

    set_up(&w);
    PROGRAM(&w, 0xcd, 0x20);
    run(&w);
    cr_assert_eq(frame(&w, 2), 2);
    tear_down(&w);
}
