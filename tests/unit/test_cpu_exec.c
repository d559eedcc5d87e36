/*
 * Instructions that are restarted, stacks, flags, 16-bit code, ports, stale translations, interrupts, and
 * code that writes over itself.
 */
#include "tests/unit/world_fixture.h"

/* ---- Page faults leave nothing behind ---- */

struct restart_case {
    const char *what;
    uint8_t bytes[8];
};

Test(cpu_exec, what_a_page_fault_stops_has_changed_no_register_and_runs_when_the_page_is_there)
{
    /* EBX points to the page that is missing; ESP to its end; EDX across its beginning. */
    static const struct restart_case cases[] = {
        {"mov [ebx],eax", {0x89, 0x03}},
        {"mov byte [ebx],5", {0xc6, 0x03, 5}},
        {"add [ebx],eax", {0x01, 0x03}},
        {"adc [edx],eax, across pages", {0x11, 0x02}},
        {"mov [edx],eax, across pages", {0x89, 0x02}},
        {"inc dword [ebx]", {0xff, 0x03}},
        {"neg dword [edx]", {0xf7, 0x1a}},
        {"xchg [edx],eax", {0x87, 0x02}},
        {"xadd [ebx],eax", {0x0f, 0xc1, 0x03}},
        {"cmpxchg [ebx],ecx", {0x0f, 0xb1, 0x0b}},
        {"cmpxchg8b [edx]", {0x0f, 0xc7, 0x0a}},
        {"shl dword [ebx],3", {0xc1, 0x23, 3}},
        {"shld [edx],eax,cl", {0x0f, 0xa5, 0x02}},
        {"bts dword [ebx],5", {0x0f, 0xba, 0x2b, 5}},
        {"setc [ebx]", {0x0f, 0x92, 0x03}},
        {"push eax", {0x50}},
        {"push dword [edx]", {0xff, 0x32}},
        {"push ds", {0x1e}},
        {"pusha", {0x60}},
        {"pushf", {0x9c}},
        {"call +0", {0xe8, 0, 0, 0, 0}},
        {"enter 16,3", {0xc8, 16, 0, 3}},
        {"pop dword [edx], from a good stack", {0x87, 0xe5, 0x8f, 0x02}},
        {"stosd", {0xab}},
        {"movsd", {0xa5}},
        {"insd", {0x6d}},
        {"sgdt [edx]", {0x0f, 0x01, 0x02}},
        {"mov [ebx],ds", {0x8c, 0x1b}},
        {"popa", {0x61}},
        {"les eax,[edx]", {0xc4, 0x02}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        bool has_good_stack = cases[i].bytes[0] == 0x87 && cases[i].bytes[1] == 0xe5;
        set_up(&w);
        put(&w, CODE, cases[i].bytes, sizeof cases[i].bytes);
        put64(&w, IDT + PF * 8, core_gate(CODE0, HANDLERS + PF * 16, 0x8e));
        enter_ring3(&w);
        w.state.rflags = 0x3202;
        const uint64_t gpr[8] = {0x11111111, 0x22222201, GONE - 2, GONE, GONE + 0x1000, DATA, DATA, GONE};
        memcpy(w.state.gpr, gpr, sizeof gpr);
        if (cases[i].bytes[0] == 0x61)
            w.state.gpr[CPU_SP] = GONE - 16;
        w.state.gpr[CPU_BP] = has_good_stack ? STACK3 : DATA + 64;
        struct cpu_state before = w.state;
        uint64_t begin = CODE;
        if (has_good_stack) { /* after the XCHG */
            before.gpr[CPU_SP] = STACK3;
            before.gpr[CPU_BP] = GONE + 0x1000;
            begin += 2;
        }
        uint8_t page[2 * PAGE_BYTES];
        memcpy(page, w.core[0].ram.host + GONE - PAGE_BYTES, sizeof page);
        run(&w);
        cr_assert_eq(w.vector, PF, "%s: vector %u", cases[i].what, w.vector);
        cr_assert_eq(frame(&w, 1), begin, "%s: at %x", cases[i].what, frame(&w, 1));
        cr_assert_eq(frame(&w, 4), before.gpr[CPU_SP], "%s: esp %x", cases[i].what, frame(&w, 4));
        cr_assert_eq(w.state.cr2 & ~(uint64_t)PAGE_MASK, GONE, "%s", cases[i].what);
        for (unsigned reg = 0; reg < 8; reg++)
            if (reg != CPU_SP)
                cr_assert_eq(w.state.gpr[reg], before.gpr[reg], "%s: register %u", cases[i].what, reg);
        cr_assert_eq(frame(&w, 3) & 0xcd5, before.rflags & 0xcd5, "%s: flags", cases[i].what);
        cr_assert_arr_eq(page, w.core[0].ram.host + GONE - PAGE_BYTES, sizeof page, "%s: memory",
                         cases[i].what);
        tear_down(&w);
    }
}

/* ---- Stack instructions ---- */

Test(cpu_exec, enter_copies_the_frame_pointers_of_the_enclosing_levels)
{
    struct world w;
    set_up(&w);
    PROGRAM(&w, 0xc8, 8, 0, 3, 0xf4); /* enter 8,3 */
    w.state.gpr[CPU_BP] = DATA + 0x100;
    put32(&w, DATA + 0xfc, 0x1111);
    put32(&w, DATA + 0xf8, 0x2222);
    run(&w);
    cr_assert_eq(w.state.gpr[CPU_BP], STACK0 - 4);
    cr_assert_eq(w.state.gpr[CPU_SP], STACK0 - 16 - 8);
    cr_assert_eq(get32(&w, STACK0 - 4), DATA + 0x100);
    cr_assert_eq(get32(&w, STACK0 - 8), 0x1111);
    cr_assert_eq(get32(&w, STACK0 - 12), 0x2222);
    cr_assert_eq(get32(&w, STACK0 - 16), STACK0 - 4);
    tear_down(&w);
}

Test(cpu_exec, pusha_pushes_the_old_esp_and_popa_skips_it)
{
    struct world w;
    set_up(&w);
    PROGRAM(&w, 0x60, 0xb8, 9, 0, 0, 0, 0x61, 0xf4); /* pusha; mov eax,9; popa */
    for (unsigned reg = 0; reg < 8; reg++)
        w.state.gpr[reg] = reg == CPU_SP ? STACK0 : 0x100 + reg;
    run(&w);
    for (unsigned reg = 0; reg < 8; reg++)
        cr_assert_eq(w.state.gpr[reg], reg == CPU_SP ? STACK0 : 0x100 + reg);
    cr_assert_eq(get32(&w, STACK0 - 4), 0x100);
    cr_assert_eq(get32(&w, STACK0 - 20), STACK0);
    tear_down(&w);
}

/* The flags after POPF of all ones, from ring 3 or 0 with this IOPL. */
static uint32_t popf(bool is_ring3, uint32_t flags, bool is_16bit)
{
    struct world w;
    set_up(&w);
    if (is_ring3)
        enter_ring3(&w);
    if (is_16bit)
        PROGRAM(&w, 0x66, 0x9d, 0xcd, END3);
    else
        PROGRAM(&w, 0x9d, 0xcd, END3);
    uint32_t top = (is_ring3 ? STACK3 : STACK0) - 4;
    put32(&w, top, 0xfffffeff); /* all but TF */
    w.state.gpr[CPU_SP] = top;
    w.state.rflags = flags | 2;
    run(&w);
    uint32_t after = frame(&w, 2);
    tear_down(&w);
    return after;
}

Test(cpu_exec, popf_changes_what_cpl_and_iopl_allow)
{
    enum { ALWAYS = 0x244cd5 | 2, IF = 0x200, IOPL = 0x3000 };
    cr_assert_eq(popf(false, 0, false), ALWAYS | IF | IOPL);
    cr_assert_eq(popf(true, 0, false), ALWAYS);
    cr_assert_eq(popf(true, IF, false), ALWAYS | IF);
    cr_assert_eq(popf(true, IOPL, false), ALWAYS | IF | IOPL);
    cr_assert_eq(popf(false, 0, true), (ALWAYS & 0xffff) | IF | IOPL);
}

/* ---- 16-bit code ---- */

Test(cpu_exec, code_and_stack_of_16_bits_wrap_at_64_kib)
{
    struct world w;
    set_up(&w);
    PROGRAM(&w, 0x68, 0x34, 0x12, 0x8b, 0x00, 0xf4); /* push 1234h; mov ax,[bx+si] */
    w.state.segment[DEC_SEG_CS] = core_segment(FREE, core_descriptor(CODE, 0xffff, 0x9b, 0));
    w.state.segment[DEC_SEG_SS] = core_segment(FREE, core_descriptor(DATA, 0xffff, 0x93, 0));
    w.state.segment[DEC_SEG_DS] = core_segment(FREE, core_descriptor(DATA, 0xffff, 0x93, 0));
    w.state.rip = 0;
    w.state.gpr[CPU_SP] = 0xabcd0100;
    w.state.gpr[CPU_BX] = 0x5555fffe;
    w.state.gpr[CPU_SI] = 0x66660100;
    w.state.gpr[CPU_AX] = 0x77770000;
    run(&w);
    cr_assert_eq(w.state.gpr[CPU_SP], 0xabcd00fe);
    cr_assert_eq(w.state.gpr[CPU_AX], 0x77771234, "at FFFEh + 100h, cut to 16 bits");
    tear_down(&w);
}

/* ---- Ports ---- */

static unsigned out_from_ring3(uint32_t base, uint32_t word_at, uint32_t bits, uint8_t opcode, uint8_t port)
{
    struct world w;
    set_up(&w);
    enter_ring3(&w);
    const uint8_t code[] = {opcode, port, 0xcd, END3};
    put(&w, CODE, code, sizeof code);
    put32(&w, TSS + 100, base << 16);
    put32(&w, TSS + 0x68 + word_at, bits);
    w.state.tr = core_segment(TASK, core_descriptor(TSS, 0x68 + 15, 0x8b, 0));
    run(&w);
    unsigned vector = w.vector;
    tear_down(&w);
    return vector;
}

Test(cpu_exec, the_io_bitmap_opens_ports_to_ring_3)
{
    enum { OUT8 = 0xe6, OUT32 = 0xe7 };
    cr_assert_eq(out_from_ring3(0x68, 0, 0, OUT8, 0x11), END3);
    cr_assert_eq(out_from_ring3(0x68, 0, 1u << 17, OUT8, 0x11), GP);
    cr_assert_eq(out_from_ring3(0x68, 0, 1u << 20, OUT32, 0x11), GP, "the last of four bytes");
    cr_assert_eq(out_from_ring3(0x68, 0, 1u << 21, OUT32, 0x11), END3);
    cr_assert_eq(out_from_ring3(0x68, 12, 0, OUT8, 14 * 8), END3);
    cr_assert_eq(out_from_ring3(0x68, 12, 0, OUT8, 15 * 8), GP,
                 "the byte behind must be within the limit too");
    cr_assert_eq(out_from_ring3(0x200, 0, 0, OUT8, 0x11), GP, "no bitmap");
}

/* ---- The task register ---- */

Test(cpu_exec, ltr_marks_the_task_busy_and_refuses_a_busy_one)
{
    struct world w;
    set_up(&w);
    PROGRAM(&w, 0x0f, 0x00, 0xd8, 0x0f, 0x00, 0xd8); /* ltr ax; ltr ax */
    put64(&w, GDT + FREE, core_descriptor(TSS, 0x67, 0x89, 0));
    w.state.gpr[CPU_AX] = FREE;
    run(&w);
    cr_assert_eq(w.vector, GP);
    cr_assert_eq(frame(&w, 0), FREE);
    cr_assert_eq(frame(&w, 1), CODE + 3);
    cr_assert_eq(get32(&w, GDT + FREE + 4) >> 8 & 0xff, 0x8b);
    cr_assert_eq(w.state.tr.selector, FREE);
    tear_down(&w);
}

/* ---- Stale translations (in-order only: functional mode has no TLBs to be stale) ---- */

/*
 * Reads a page, changes its entry, does `bytes`, and reads again. Returns whether the old translation was
 * used.
 */
static bool is_stale_after(const uint8_t *bytes, size_t nr_bytes, bool is_global)
{
    struct core core;
    struct world w;
    set_up(&w);
    core = w.core[CORE_INORDER];
    uint8_t code[64] = {0xa1, 0, 0, 2, 0}; /* mov eax,[20000h] */
    size_t nr = 5;
    const uint8_t change[] = {0xc7, 0x05, 0x80, 0x20, 0, 0, 7, 0x30, 0x02, 0};
    memcpy(code + nr, change, sizeof change); /* mov dword [2080h],23007h */
    nr += sizeof change;
    memcpy(code + nr, bytes, nr_bytes);
    nr += nr_bytes;
    const uint8_t again[] = {0xa1, 0, 0, 2, 0, 0xf4};
    memcpy(code + nr, again, sizeof again);
    core_put(&core, CODE, code, nr + sizeof again);
    core_put32(&core, DATA, 0x01d);
    core_put32(&core, DATA + 0x3000, 0x4e3);
    core_put32(&core, pte_of(DATA), DATA | 7 | (is_global ? 0x100 : 0));
    w.state.cr4 = CR4_PSE | CR4_PGE;
    w.state.gpr[CPU_BX] = DIRECTORY;
    w.state.gpr[CPU_CX] = CR4_PSE;
    w.state.gpr[CPU_DX] = CR0_PE | CR0_PG;
    cpu_set_state(core.cpu, &w.state);
    cr_assert_eq(cpu_run(core.cpu, 100000), CPU_STOP_HALTED);
    uint64_t read = cpu_state(core.cpu).gpr[CPU_AX];
    cr_assert(read == 0x01d || read == 0x4e3, "read %lx", read);
    tear_down(&w);
    return read == 0x01d;
}

Test(cpu_exec, stale_entries_live_until_what_the_manual_says_drops_them)
{
    static const uint8_t nothing[] = {0x90}, invlpg[] = {0x0f, 0x01, 0x3d, 0, 0, 2, 0},
                         cr3[] = {0x0f, 0x22, 0xdb}, other[] = {0x0f, 0x01, 0x3d, 0, 0, 3, 0},
                         cr4[] = {0x0f, 0x22, 0xe1}, wp[] = {0x0f, 0x22, 0xc2};
    cr_assert(is_stale_after(nothing, sizeof nothing, false));
    cr_assert(is_stale_after(other, sizeof other, false), "INVLPG of another page");
    cr_assert_not(is_stale_after(invlpg, sizeof invlpg, false));
    cr_assert_not(is_stale_after(invlpg, sizeof invlpg, true), "INVLPG drops global entries too");
    cr_assert_not(is_stale_after(cr3, sizeof cr3, false));
    cr_assert(is_stale_after(cr3, sizeof cr3, true), "a global entry outlives MOV to CR3");
    cr_assert_not(is_stale_after(cr4, sizeof cr4, true), "and not a change of CR4.PGE");
    cr_assert(is_stale_after(wp, sizeof wp, false), "CR0.WP drops nothing");
}

/* ---- Interrupts ---- */

Test(cpu_exec, an_interrupt_comes_after_the_instruction_behind_sti)
{
    struct world w;
    set_up(&w);
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++) {
        w.core[kind].interrupt_port = 0x50;
        w.core[kind].vector = 0x21;
    }
    PROGRAM(&w, 0xe6, 0x50, 0x40, 0xfb, 0x40, 0x40, 0xf4); /* out 50h,al; inc eax; sti; inc eax; inc eax */
    run(&w);
    cr_assert_eq(w.vector, 0x21);
    cr_assert_eq(frame(&w, 0), CODE + 5);
    cr_assert_eq(w.state.gpr[CPU_AX], 2);
    tear_down(&w);
}

/* ---- What a guest cannot do to the host ---- */

Test(cpu_exec, code_that_writes_over_itself_for_ever_does_not_eat_the_hosts_memory)
{
    struct core core;
    struct world w;
    set_up(&w);
    core = w.core[CORE_INORDER];
    /* again: inc byte [CODE+9]; nop; nop; mov al,x; jmp again: 2 GiB of dead code if it is kept */
    static const uint8_t code[] = {0xfe, 0x05, 9, 0, 1, 0, 0x90, 0x90, 0xb0, 0, 0xeb, 0xf4};
    core_put(&core, CODE, code, sizeof code);
    cpu_set_state(core.cpu, &w.state);
    struct cpu_stats before = *cpu_stats(core.cpu);
    cpu_run(core.cpu, 1000000);
    cr_assert_gt(cpu_stats(core.cpu)->instructions - before.instructions, 10000);
    FILE *statm = fopen("/proc/self/statm", "r");
    unsigned long pages = 0, resident = 0;
    cr_assert_eq(fscanf(statm, "%lu %lu", &pages, &resident), 2);
    fclose(statm);
    /* the sanitizers keep some 300 MiB of what was freed */
    cr_assert_lt(resident, (1024ul << 20) / 4096, "%lu MiB resident", resident >> 8);
    tear_down(&w);
}
