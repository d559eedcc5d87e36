/* Task switches: what is saved, loaded and linked, and each check of SDM 3A table 7-1 with its error code. */
#include "tests/unit/world_fixture.h"

enum {
    OTHER = 0x5400,    /* the second task's TSS */
    FAR_TSS = 0x33fc0, /* a TSS that straddles two pages */
    TASK2 = 0x40,      /* its descriptor */
    GATE2 = 0x48,      /* a task gate to it */
    LDT2 = 0x50,       /* an LDT's descriptor */
    STACK2 = 0x8000,
    CODE2 = 0x12000, /* where the second task begins */
};

struct tss {
    uint32_t eip, eflags, gpr[8], segment[6], ldt, cr3, trap;
};

static void put_tss(struct world *w, uint32_t at, const struct tss *tss)
{
    put32(w, at + 4, STACK0 - 0x400);
    put32(w, at + 8, DATA0);
    put32(w, at + 28, tss->cr3);
    put32(w, at + 32, tss->eip);
    put32(w, at + 36, tss->eflags);
    for (unsigned i = 0; i < 8; i++)
        put32(w, at + 40 + i * 4, tss->gpr[i]);
    for (unsigned i = 0; i < 6; i++)
        put32(w, at + 72 + i * 4, tss->segment[i]);
    put32(w, at + 96, tss->ldt);
    put32(w, at + 100, tss->trap | 0x68u << 16);
}

static struct tss plain_tss(void)
{
    return (struct tss){
        .eip = CODE2,
        .eflags = 2,
        .gpr = {0x100, 0x101, 0x102, 0x103, STACK2, 0x105, 0x106, 0x107},
        .segment = {DATA0, CODE0, DATA0, DATA0, DATA0, 0},
        .cr3 = DIRECTORY,
    };
}

/* Two tasks; the second one halts. */
static void set_up_tasks(struct world *w, const struct tss *second)
{
    set_up(w);
    put64(w, GDT + TASK2, core_descriptor(OTHER, 0x67, 0x89, 0));
    put64(w, GDT + GATE2, core_gate(TASK2, 0, 0x85));
    put64(w, GDT + LDT2, core_descriptor(LDT, 0x1f, 0x82, 0));
    put_tss(w, OTHER, second);
    put32(w, TSS + 28, DIRECTORY);
    put(w, CODE2, "\xf4", 1);
    for (unsigned reg = 0; reg < 8; reg++)
        if (reg != CPU_SP)
            w->state.gpr[reg] = 0x11111111 * (reg + 1);
}

static void put_far(struct world *w, uint8_t opcode, uint16_t selector)
{
    const uint8_t code[] = {opcode, 0, 0, 0, 0, (uint8_t)selector, (uint8_t)(selector >> 8), 0xf4};
    put(w, CODE, code, sizeof code);
}

enum { JMP = 0xea, CALL = 0x9a };

static unsigned type_of(const struct world *w, uint16_t selector)
{
    return get32(w, GDT + (selector & 0xfff8u) + 4) >> 8 & 15;
}

static void expect_old_task_saved(const struct world *w, uint32_t eip, uint32_t eflags)
{
    cr_assert_eq(get32(w, TSS + 32), eip, "saved EIP %x", get32(w, TSS + 32));
    cr_assert_eq(get32(w, TSS + 36), eflags, "saved EFLAGS %x", get32(w, TSS + 36));
    for (unsigned reg = 0; reg < 8; reg++)
        cr_assert_eq(get32(w, TSS + 40 + reg * 4), reg == CPU_SP ? STACK0 : 0x11111111 * (reg + 1));
    for (unsigned seg = 0; seg < 6; seg++)
        cr_assert_eq(get32(w, TSS + 72 + seg * 4) & 0xffff, seg == DEC_SEG_CS ? CODE0 : DATA0);
}

static void expect_in_second_task(const struct world *w, uint32_t rip, uint32_t eflags)
{
    cr_assert_eq(w->state.rip, rip, "rip %lx", w->state.rip);
    cr_assert_eq(w->state.rflags, eflags, "rflags %lx", w->state.rflags);
    for (unsigned reg = 0; reg < 8; reg++)
        cr_assert_eq(w->state.gpr[reg], reg == CPU_SP ? STACK2 : 0x100 + reg);
    cr_assert_eq(w->state.tr.selector, TASK2);
    cr_assert_eq(w->state.tr.hidden.base, OTHER);
    cr_assert_eq(w->state.tr.hidden.type, SYSTEM_TSS_BUSY);
    cr_assert_eq(w->state.segment[DEC_SEG_CS].selector, CODE0);
    cr_assert_eq(w->state.segment[DEC_SEG_SS].selector, DATA0);
    cr_assert(w->state.segment[DEC_SEG_FS].is_usable);
    cr_assert_not(w->state.segment[DEC_SEG_GS].is_usable);
    cr_assert_eq(w->state.cr0 & CR0_TS, CR0_TS);
}

Test(tasks, a_jump_saves_loads_and_moves_the_busy_bit)
{
    static const uint16_t ways[] = {TASK2, GATE2};
    for (unsigned i = 0; i < 2; i++) {
        struct world w;
        struct tss second = plain_tss();
        set_up_tasks(&w, &second);
        put_far(&w, JMP, ways[i]);
        w.state.rflags = 0x8d7;
        run(&w);
        expect_old_task_saved(&w, CODE + 7, 0x8d7);
        expect_in_second_task(&w, CODE2 + 1, 2);
        cr_assert_eq(type_of(&w, TASK), SYSTEM_TSS_AVAILABLE);
        cr_assert_eq(type_of(&w, TASK2), SYSTEM_TSS_BUSY);
        cr_assert_eq(get32(&w, OTHER), 0, "no link");
        cr_assert_eq(cpu_stats(w.core[0].cpu)->task_switches, 1);
        tear_down(&w);
    }
}

Test(tasks, a_call_links_and_sets_nt_and_iret_goes_back)
{
    struct world w;
    struct tss second = plain_tss();
    set_up_tasks(&w, &second);
    put_far(&w, CALL, TASK2);
    put(&w, CODE2, "\xf4", 1);
    run(&w);
    expect_in_second_task(&w, CODE2 + 1, 0x4002);
    cr_assert_eq(get32(&w, OTHER), TASK);
    cr_assert_eq(type_of(&w, TASK), SYSTEM_TSS_BUSY);
    cr_assert_eq(type_of(&w, TASK2), SYSTEM_TSS_BUSY);
    tear_down(&w);

    set_up_tasks(&w, &second);
    put_far(&w, CALL, GATE2);
    put(&w, CODE2, "\x40\xcf\x43\xf4", 4); /* inc eax; iret; inc ebx; hlt */
    run(&w);
    cr_assert_eq(w.state.rip, CODE + 8);
    cr_assert_eq(w.state.rflags, 2);
    for (unsigned reg = 0; reg < 8; reg++)
        cr_assert_eq(w.state.gpr[reg], reg == CPU_SP ? STACK0 : 0x11111111 * (reg + 1));
    cr_assert_eq(w.state.tr.selector, TASK);
    cr_assert_eq(type_of(&w, TASK), SYSTEM_TSS_BUSY);
    cr_assert_eq(type_of(&w, TASK2), SYSTEM_TSS_AVAILABLE);
    cr_assert_eq(get32(&w, OTHER + 40), 0x101, "EAX of the task that was left");
    cr_assert_eq(get32(&w, OTHER + 32), CODE2 + 2);
    cr_assert_eq(get32(&w, OTHER + 36), 2, "NT is clear in its image");
    tear_down(&w);
}

Test(tasks, a_task_that_was_left_by_iret_goes_on_behind_it)
{
    struct world w;
    struct tss second = plain_tss();
    set_up_tasks(&w, &second);
    static const uint8_t code[] = {CALL, 0, 0, 0, 0, TASK2, 0, CALL, 0, 0, 0, 0, TASK2, 0, 0xf4};
    put(&w, CODE, code, sizeof code);
    put(&w, CODE2, "\x40\xcf\x43\xf4", 4);
    run(&w);
    expect_old_task_saved(&w, CODE + 14, 2);
    cr_assert_eq(w.state.rip, CODE2 + 4);
    cr_assert_eq(w.state.gpr[CPU_BX], 0x104);
    tear_down(&w);
}

Test(tasks, an_interrupt_through_a_task_gate_is_a_nested_task)
{
    struct world w;
    struct tss second = plain_tss();
    set_up_tasks(&w, &second);
    PROGRAM(&w, 0xcd, 0x20, 0xf4);
    put64(&w, IDT + 0x20 * 8, core_gate(TASK2, 0, 0x85));
    run(&w);
    expect_old_task_saved(&w, CODE + 2, 2);
    expect_in_second_task(&w, CODE2 + 1, 0x4002);
    cr_assert_eq(get32(&w, OTHER), TASK);
    tear_down(&w);
}

Test(tasks, a_fault_through_a_task_gate_pushes_its_error_code_on_the_new_stack)
{
    struct world w;
    struct tss second = plain_tss();
    set_up_tasks(&w, &second);
    PROGRAM(&w, 0xa1, 0x10, 0x80, 0x02, 0x00); /* mov eax,[GONE + 10h] */
    put64(&w, IDT + PF * 8, core_gate(TASK2, 0, 0x85));
    run(&w);
    expect_old_task_saved(&w, CODE, 0x10002);
    cr_assert_eq(w.state.rip, CODE2 + 1);
    cr_assert_eq(w.state.gpr[CPU_SP], STACK2 - 4);
    cr_assert_eq(frame(&w, 0), 0);
    cr_assert_eq(w.state.cr2, GONE + 0x10);
    tear_down(&w);

    /* The width is that of the TSS. */
    set_up_tasks(&w, &second);
    PROGRAM(&w, 0xcd, 0x21);
    put64(&w, IDT + GP * 8, core_gate(TASK2, 0, 0x85));
    put64(&w, IDT + 0x21 * 8, 0);
    put64(&w, GDT + TASK2, core_descriptor(OTHER, 0x2b, 0x81, 0));
    const uint16_t tss16[22] = {0,   0,   0,      0, 0, 0, 0,     0x2000, 2,     0xa,   0xc,
                                0xd, 0xb, STACK2, 1, 2, 3, DATA0, FREE,   DATA0, DATA0, 0};
    put(&w, OTHER, tss16, sizeof tss16);
    put64(&w, GDT + FREE, core_descriptor(0x10000, 0xffff, 0x9b, 0));
    run(&w);
    cr_assert_eq(w.state.rip, 0x2001);
    cr_assert_eq(w.state.gpr[CPU_SP], STACK2 - 2);
    cr_assert_eq(frame(&w, 0) & 0xffff, 0x21 * 8 + 2);
    cr_assert_eq(w.state.gpr[CPU_AX], 0xa);
    cr_assert_eq(w.state.gpr[CPU_BX], 0xb);
    cr_assert_eq(w.state.gpr[CPU_DI], 3);
    cr_assert_eq(w.state.rflags, 0x4002);
    cr_assert_not(w.state.segment[DEC_SEG_FS].is_usable);
    cr_assert_eq(w.state.tr.hidden.type, SYSTEM_TSS16_BUSY);
    cr_assert_eq(get32(&w, OTHER) & 0xffff, TASK);
    tear_down(&w);
}

Test(tasks, a_16_bit_tss_saves_words)
{
    struct world w;
    struct tss second = plain_tss();
    set_up_tasks(&w, &second);
    put_far(&w, JMP, TASK2);
    w.state.tr = core_segment(TASK, core_descriptor(TSS, 0x2b, 0x83, 0));
    put64(&w, GDT + TASK, core_descriptor(TSS, 0x2b, 0x83, 0));
    w.state.rflags = 0x200002;
    run(&w);
    expect_in_second_task(&w, CODE2 + 1, 2);
    cr_assert_eq(get32(&w, TSS + 14), 0x00020007u, "IP and FLAGS");
    cr_assert_eq(get32(&w, TSS + 18), 0x22221111, "AX and CX");
    cr_assert_eq(get32(&w, TSS + 32), DATA0 << 16 | 0x8888, "DI and ES");
    cr_assert_eq(get32(&w, TSS + 40), DATA0, "DS; the LDT is not written");
    cr_assert_eq(type_of(&w, TASK), SYSTEM_TSS16_AVAILABLE);
    tear_down(&w);
}

Test(tasks, cr3_and_the_ldt_are_the_new_tasks)
{
    enum { DIRECTORY2 = 0x34000 };
    struct world w;
    struct tss second = plain_tss();
    second.cr3 = DIRECTORY2;
    second.ldt = LDT2;
    second.segment[DEC_SEG_GS] = 0xc;
    set_up_tasks(&w, &second);
    put_far(&w, JMP, TASK2);
    put32(&w, DIRECTORY2, TABLE | 7);
    put64(&w, LDT + 8, core_descriptor(0x1234, 0xff, 0x93, 4));
    run(&w);
    cr_assert_eq(w.state.rip, CODE2 + 1);
    cr_assert_eq(w.state.cr3, DIRECTORY2);
    cr_assert_eq(w.state.ldtr.selector, LDT2);
    cr_assert_eq(w.state.ldtr.hidden.base, LDT);
    cr_assert_eq(w.state.segment[DEC_SEG_GS].hidden.base, 0x1234);
    tear_down(&w);

    set_up_tasks(&w, &second);
    put_far(&w, JMP, TASK2);
    put64(&w, LDT + 8, core_descriptor(0x1234, 0xff, 0x93, 4));
    w.state.cr0 &= ~(uint64_t)CR0_PG;
    run(&w);
    cr_assert_eq(w.state.cr3, DIRECTORY, "not loaded where paging is off");
    tear_down(&w);
}

/* ---- Faults of the old task: nothing has changed ---- */

/* The first fault, with the second task's descriptor and the old TSS's limit as given. */
static void expect_refusal(uint8_t opcode, uint16_t selector, uint64_t descriptor, uint64_t gate,
                           unsigned vector, uint32_t error)
{
    struct world w;
    struct tss second = plain_tss();
    set_up_tasks(&w, &second);
    put64(&w, GDT + TASK2, descriptor);
    put64(&w, GDT + GATE2, gate);
    put_far(&w, opcode, selector);
    run(&w);
    cr_assert_eq(w.vector, vector, "%lx: vector %u", descriptor, w.vector);
    cr_assert_eq(frame(&w, 0), error, "%lx: error code %x", descriptor, frame(&w, 0));
    cr_assert_eq(frame(&w, 1), CODE);
    cr_assert_eq(w.state.tr.selector, TASK);
    cr_assert_eq(get32(&w, TSS + 32), 0, "nothing was saved");
    cr_assert_eq(get32(&w, OTHER), 0);
    cr_assert_eq(w.state.cr0 & CR0_TS, 0);
    cr_assert_eq(type_of(&w, TASK), SYSTEM_TSS_BUSY);
    tear_down(&w);
}

Test(tasks, what_jump_and_call_check)
{
    const uint64_t good = core_descriptor(OTHER, 0x67, 0x89, 0), gate = core_gate(TASK2, 0, 0x85);
    static const uint8_t opcodes[] = {JMP, CALL};
    for (unsigned i = 0; i < 2; i++) {
        uint8_t opcode = opcodes[i];
        expect_refusal(opcode, TASK2 + 1, good, gate, GP, TASK2); /* RPL > DPL */
        expect_refusal(opcode, TASK2, core_descriptor(OTHER, 0x67, 0x8b, 0), gate, GP, TASK2);
        expect_refusal(opcode, TASK2, core_descriptor(OTHER, 0x67, 0x09, 0), gate, NP, TASK2);
        expect_refusal(opcode, TASK2, core_descriptor(OTHER, 0x66, 0x89, 0), gate, TS, TASK2);
        expect_refusal(opcode, TASK2, core_descriptor(OTHER, 0x2a, 0x81, 0), gate, TS, TASK2);
        expect_refusal(opcode, GATE2 + 1, good, gate, GP, GATE2);
        expect_refusal(opcode, GATE2, good, core_gate(TASK2, 0, 0x05), NP, GATE2);
        expect_refusal(opcode, GATE2, good, core_gate(TASK2 | 4, 0, 0x85), GP, TASK2 | 4);
        expect_refusal(opcode, GATE2, good, core_gate(0, 0, 0x85), GP, 0);
        expect_refusal(opcode, GATE2, good, core_gate(NR_DESCRIPTORS * 8, 0, 0x85), GP, NR_DESCRIPTORS * 8);
        expect_refusal(opcode, GATE2, good, core_gate(DATA0, 0, 0x85), GP, DATA0);
        expect_refusal(opcode, GATE2, core_descriptor(OTHER, 0x67, 0x8b, 0), gate, GP, TASK2);
        expect_refusal(opcode, GATE2, core_descriptor(OTHER, 0x67, 0x09, 0), gate, NP, TASK2);
        expect_refusal(opcode, LDT2, good, gate, GP, LDT2);
    }
}

Test(tasks, the_gates_dpl_counts_for_int_n_and_not_for_faults)
{
    struct world w;
    struct tss second = plain_tss();
    set_up_tasks(&w, &second);
    enter_ring3(&w);
    PROGRAM(&w, 0xcd, 0x20);
    put64(&w, IDT + 0x20 * 8, core_gate(TASK2, 0, 0x85));
    run(&w);
    cr_assert_eq(w.vector, GP);
    cr_assert_eq(frame(&w, 0), 0x20 * 8 + 2);
    tear_down(&w);

    set_up_tasks(&w, &second);
    enter_ring3(&w);
    PROGRAM(&w, 0xf4);
    put64(&w, IDT + GP * 8, core_gate(TASK2, 0, 0x85));
    run(&w);
    cr_assert_eq(w.state.rip, CODE2 + 1);
    cr_assert_eq(get32(&w, STACK2 - 4), 0, "error code");
    tear_down(&w);
}

/* IRET with NT and this link. */
static void expect_bad_link(uint16_t link, uint64_t descriptor, unsigned vector, uint32_t error)
{
    struct world w;
    struct tss second = plain_tss();
    set_up_tasks(&w, &second);
    PROGRAM(&w, 0xcf);
    put32(&w, TSS, link);
    put64(&w, GDT + TASK2, descriptor);
    w.state.rflags = 0x4002;
    run(&w);
    cr_assert_eq(w.vector, vector, "link %x: vector %u", link, w.vector);
    cr_assert_eq(frame(&w, 0), error, "link %x: error code %x", link, frame(&w, 0));
    cr_assert_eq(frame(&w, 1), CODE);
    cr_assert_eq(w.state.tr.selector, TASK);
    tear_down(&w);
}

Test(tasks, what_iret_checks)
{
    expect_bad_link(0, 0, TS, 0);
    expect_bad_link(TASK2 | 4, 0, TS, TASK2 | 4);
    expect_bad_link(NR_DESCRIPTORS * 8, 0, TS, NR_DESCRIPTORS * 8);
    expect_bad_link(DATA0, 0, TS, DATA0);
    expect_bad_link(TASK2, core_descriptor(OTHER, 0x67, 0x89, 0), TS, TASK2); /* not busy */
    expect_bad_link(TASK2, core_descriptor(OTHER, 0x67, 0x0b, 0), NP, TASK2);
    expect_bad_link(TASK2, core_descriptor(OTHER, 0x66, 0x8b, 0), TS, TASK2);
}

Test(tasks, a_page_fault_before_the_switch_leaves_the_old_task)
{
    static const struct {
        uint32_t base, limit, cr2, error;
    } cases[] = {
        {GONE, 0x67, GONE, 0},
        {GONE - 0x40, 0x67, GONE, 0},
    };
    for (unsigned i = 0; i < 2; i++) {
        struct world w;
        struct tss second = plain_tss();
        set_up_tasks(&w, &second);
        put_far(&w, CALL, TASK2);
        put64(&w, GDT + TASK2, core_descriptor(cases[i].base, cases[i].limit, 0x89, 0));
        run(&w);
        cr_assert_eq(w.vector, PF);
        cr_assert_eq(frame(&w, 0), cases[i].error);
        cr_assert_eq(frame(&w, 1), CODE);
        cr_assert_eq(w.state.cr2, cases[i].cr2);
        cr_assert_eq(get32(&w, TSS + 32), 0, "nothing was saved");
        cr_assert_eq(type_of(&w, TASK2), SYSTEM_TSS_AVAILABLE);
        tear_down(&w);
    }
    /* The old TSS is read-only: the stores of the old state would fault, none is made. */
    struct world w;
    struct tss second = plain_tss();
    set_up_tasks(&w, &second);
    put_far(&w, JMP, TASK2);
    put64(&w, GDT + TASK, core_descriptor(FAR_TSS, 0x67, 0x8b, 0));
    w.state.tr = core_segment(TASK, core_descriptor(FAR_TSS, 0x67, 0x8b, 0));
    put32(&w, pte_of(FAR_TSS + 0x67), ((FAR_TSS + 0x67) & ~0xfffu) | 5);
    run(&w);
    cr_assert_eq(w.vector, PF);
    cr_assert_eq(frame(&w, 0), 3, "a write to a page that is there");
    cr_assert_eq(w.state.cr2, (FAR_TSS + 0x67) & ~0xfffu);
    cr_assert_eq(get32(&w, FAR_TSS + 32), 0);
    cr_assert_eq(type_of(&w, TASK), SYSTEM_TSS_BUSY);
    tear_down(&w);
}

Test(tasks, tsss_that_straddle_pages_are_switched_to_and_from)
{
    struct world w;
    struct tss second = plain_tss();
    set_up_tasks(&w, &second);
    put_far(&w, CALL, TASK2);
    put_tss(&w, FAR_TSS, &second);
    put64(&w, GDT + TASK2, core_descriptor(FAR_TSS, 0x67, 0x89, 0));
    put(&w, CODE2, "\x40\xcf", 2);
    run(&w);
    cr_assert_eq(w.state.rip, CODE + 8);
    cr_assert_eq(get32(&w, FAR_TSS + 32), CODE2 + 2);
    cr_assert_eq(get32(&w, FAR_TSS + 40), 0x101);
    tear_down(&w);
}

/* ---- Faults of the new task: the switch is complete ---- */

/* The first fault of a CALL to a task whose TSS is this; it is delivered in that task if it can be at all. */
static void expect_fault_after(const struct tss *second, uint64_t descriptor, unsigned vector, uint32_t error)
{
    struct world w;
    struct cpu_fault_record record[CPU_FAULT_HISTORY];
    set_up_tasks(&w, second);
    put_far(&w, CALL, TASK2);
    put64(&w, GDT + FREE, descriptor);
    run(&w);
    unsigned nr = cpu_fault_history(w.core[0].cpu, record);
    cr_assert_neq(nr, 0, "no fault");
    cr_assert_eq(record[nr - 1].vector, vector, "%lx: vector %u", descriptor, record[nr - 1].vector);
    cr_assert_eq(record[nr - 1].error_code, error, "%lx: error code %x", descriptor,
                 record[nr - 1].error_code);
    cr_assert_eq(record[nr - 1].rip, second->eip);
    expect_old_task_saved(&w, CODE + 7, 2);
    cr_assert_eq(w.state.tr.selector, TASK2);
    cr_assert_eq(type_of(&w, TASK2), SYSTEM_TSS_BUSY);
    tear_down(&w);
}

static void expect_fault_of(unsigned seg, uint16_t selector, unsigned rights, unsigned vector)
{
    struct tss second = plain_tss();
    second.segment[seg] = selector;
    expect_fault_after(&second, core_descriptor(0, 0xfffff, rights, 12), vector, selector & 0xfffc);
}

Test(tasks, segments_of_the_new_task_are_checked_in_it)
{
    expect_fault_of(DEC_SEG_CS, 0, 0, TS);
    expect_fault_of(DEC_SEG_CS, NR_DESCRIPTORS * 8, 0, TS);
    expect_fault_of(DEC_SEG_CS, FREE, 0x93, TS);     /* data */
    expect_fault_of(DEC_SEG_CS, FREE, 0xfb, TS);     /* DPL 3, RPL 0 */
    expect_fault_of(DEC_SEG_CS, FREE + 1, 0x9b, TS); /* DPL 0, RPL 1 */
    expect_fault_of(DEC_SEG_CS, FREE, 0xff, TS);     /* conforming, DPL 3 > RPL 0 */
    expect_fault_of(DEC_SEG_CS, FREE, 0x1b, NP);
    expect_fault_of(DEC_SEG_SS, 0, 0, TS);
    expect_fault_of(DEC_SEG_SS, FREE, 0x91, TS);     /* read-only */
    expect_fault_of(DEC_SEG_SS, FREE, 0x9b, TS);     /* code */
    expect_fault_of(DEC_SEG_SS, FREE, 0xf3, TS);     /* DPL 3 */
    expect_fault_of(DEC_SEG_SS, FREE + 3, 0x93, TS); /* RPL 3 */
    expect_fault_of(DEC_SEG_SS, FREE, 0x13, SS);
    expect_fault_of(DEC_SEG_DS, FREE, 0x99, TS);     /* code that cannot be read */
    expect_fault_of(DEC_SEG_ES, FREE + 3, 0x93, TS); /* RPL 3 > DPL 0 */
    expect_fault_of(DEC_SEG_FS, FREE, 0x13, NP);
    expect_fault_of(DEC_SEG_GS, FREE, 0x89, TS);     /* a system descriptor */
    expect_fault_of(DEC_SEG_GS, FREE | 4, 0x93, TS); /* there is no LDT */
}

Test(tasks, the_ldt_of_the_new_task_is_checked_in_it)
{
    struct tss second = plain_tss();
    second.ldt = FREE;
    expect_fault_after(&second, core_descriptor(LDT, 0x1f, 0x93, 0), TS, FREE);
    expect_fault_after(&second, core_descriptor(LDT, 0x1f, 0x02, 0), TS, FREE);
    second.ldt = FREE | 4;
    expect_fault_after(&second, core_descriptor(LDT, 0x1f, 0x82, 0), TS, FREE | 4);
    second.ldt = NR_DESCRIPTORS * 8;
    expect_fault_after(&second, 0, TS, NR_DESCRIPTORS * 8);
}

Test(tasks, a_start_beyond_the_limit_of_cs_faults_in_the_new_task)
{
    struct tss second = plain_tss();
    second.segment[DEC_SEG_CS] = FREE;
    expect_fault_after(&second, core_descriptor(0, CODE2 - 1, 0x9b, 4), GP, 0);
}

Test(tasks, a_fault_of_the_new_task_is_pushed_on_its_stack)
{
    struct world w;
    struct tss second = plain_tss();
    second.segment[DEC_SEG_DS] = FREE;
    set_up_tasks(&w, &second);
    put_far(&w, CALL, TASK2);
    put64(&w, GDT + FREE, core_descriptor(0, 0xfffff, 0x13, 12));
    run(&w);
    cr_assert_eq(w.vector, NP);
    cr_assert_eq(w.state.gpr[CPU_SP], STACK2 - 16);
    cr_assert_eq(frame(&w, 0), FREE);
    cr_assert_eq(frame(&w, 1), CODE2);
    cr_assert_eq(frame(&w, 2), CODE0);
    cr_assert_eq(frame(&w, 3), 0x14002);
    cr_assert_eq(w.state.segment[DEC_SEG_DS].selector, FREE);
    cr_assert_not(w.state.segment[DEC_SEG_DS].is_usable);
    tear_down(&w);
}

Test(tasks, a_task_of_ring_3_is_entered_there)
{
    struct world w;
    struct tss second = plain_tss();
    const uint32_t segments[] = {DATA3, CODE3, DATA3, DATA3, 0, 0};
    memcpy(second.segment, segments, sizeof segments);
    second.gpr[CPU_SP] = STACK3;
    set_up_tasks(&w, &second);
    put_far(&w, JMP, TASK2);
    put(&w, CODE2, "\xcd\x30", 2);
    run(&w);
    cr_assert_eq(w.vector, END3);
    cr_assert_eq(w.state.gpr[CPU_SP], STACK0 - 0x400 - 20, "the new TSS's stack");
    cr_assert_eq(frame(&w, 1), CODE3);
    cr_assert_eq(frame(&w, 3), STACK3);
    tear_down(&w);
}

/* ---- Double faults and traps ---- */

Test(tasks, a_double_fault_can_be_a_task)
{
    struct world w;
    struct tss second = plain_tss();
    set_up_tasks(&w, &second);
    PROGRAM(&w, 0x50); /* push eax, where there is no stack */
    w.state.gpr[CPU_SP] = GONE + 0x100;
    put64(&w, IDT + DF * 8, core_gate(TASK2, 0, 0x85));
    run(&w);
    cr_assert_eq(w.state.rip, CODE2 + 1);
    cr_assert_eq(w.state.gpr[CPU_SP], STACK2 - 4);
    cr_assert_eq(frame(&w, 0), 0);
    cr_assert_eq(get32(&w, TSS + 32), CODE);
    cr_assert_eq(get32(&w, TSS + 56), GONE + 0x100);
    tear_down(&w);
}

Test(tasks, a_busy_handler_task_makes_a_double_fault)
{
    struct world w;
    struct tss second = plain_tss();
    set_up_tasks(&w, &second);
    PROGRAM(&w, 0xf7, 0xf1); /* div ecx */
    w.state.gpr[CPU_CX] = 0;
    put64(&w, IDT + DE * 8, core_gate(TASK, 0, 0x85));
    run(&w);
    cr_assert_eq(w.vector, DF);
    struct cpu_fault_record record[CPU_FAULT_HISTORY];
    unsigned nr = cpu_fault_history(w.core[0].cpu, record);
    cr_assert_eq(record[nr - 2].vector, GP);
    cr_assert_eq(record[nr - 2].error_code, TASK + 1, "EXT");
    tear_down(&w);
}

Test(tasks, the_trap_bit_of_a_tss_traps_before_the_first_instruction)
{
    struct world w;
    struct tss second = plain_tss();
    second.trap = 1;
    set_up_tasks(&w, &second);
    put_far(&w, JMP, TASK2);
    run(&w);
    cr_assert_eq(w.vector, 1);
    cr_assert_eq(frame(&w, 0), CODE2);
    cr_assert_eq(w.state.gpr[CPU_SP], STACK2 - 12);
    tear_down(&w);
}
