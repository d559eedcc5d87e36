/* 64-bit code: addresses, operand sizes, the stack, branches, and what is not canonical. */
#include "tests/unit/long_fixture.h"

#define BELOW_HOLE 0x00007fffffffffffull
#define ABOVE_HOLE 0xffff800000000000ull
#define TOP (0ull - 0x200000) /* where the low 2 MiB are once more, at the end of the address space */

static const struct {
    const char *what;
    uint8_t bytes[16];
    unsigned vector; /* NR_VECTORS: it must run into the HLT behind it */
    uint64_t rax;
} sums[] = {
    {"mov rax,imm64", {0x48, 0xb8, 8, 7, 6, 5, 4, 3, 2, 1, 0xf4}, NR_VECTORS, 0x0102030405060708},
    {"mov rax,imm32 is sign-extended",
     {0x48, 0xc7, 0xc0, 0, 0, 0, 0x80, 0xf4},
     NR_VECTORS,
     0xffffffff80000000},
    {"mov eax,imm32 clears the upper half", {0xb8, 0, 0, 0, 0x80, 0xf4}, NR_VECTORS, 0x80000000},
    {"mov al leaves the rest", {0xb0, 1, 0xf4}, NR_VECTORS, 0x1122334455667701},
    {"mov spl is not ah", {0x40, 0xb4, 9, 0x48, 0x89, 0xe0, 0xf4}, NR_VECTORS, STACK0 | 9},
    {"lea rax,[rip+9]", {0x48, 0x8d, 0x05, 9, 0, 0, 0, 0xf4}, NR_VECTORS, CODE + 16},
    {"mov rax,[rip-2]", {0x48, 0x8b, 0x05, 0xf9, 0xff, 0xff, 0xff, 0xf4}, NR_VECTORS, 0xf4fffffff9058b48},
    {"lea eax,[eip+9]", {0x67, 0x8d, 0x05, 9, 0, 0, 0, 0xf4}, NR_VECTORS, CODE + 16},
    {"mov rax,[moffs64]", {0x48, 0xa1, 0, 0, 2, 0, 0, 0, 0, 0, 0xf4}, NR_VECTORS, 0x8877665544332211},
    {"mov al,[moffs64] above",
     {0xa0, 0, 0, 0xe2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf4},
     NR_VECTORS,
     0x1122334455667711},
    {"mov rax,gs:[rbx]", {0x65, 0x48, 0x8b, 0x03, 0xf4}, NR_VECTORS, 0x8877665544332211},
    {"mov rax,gs:[rbx+rsi*2]", {0x65, 0x48, 0x8b, 0x04, 0x73, 0xf4}, NR_VECTORS, 0x8877665544332211},
    {"mov rax,gs:[rip+x]",
     {0x65, 0x48, 0x8b, 0x05, 0xf8, 0xff, 0xfe, 0xff, 0xf4},
     NR_VECTORS,
     0x8877665544332211},
    {"cs: and ds: are ignored",
     {0x2e, 0x3e, 0x48, 0x8b, 0x04, 0x25, 0, 0, 2, 0, 0xf4},
     NR_VECTORS,
     0x8877665544332211},
    {"mov rax,[eax]",
     {0x31, 0xc0, 0x05, 0, 0, 2, 0, 0x67, 0x48, 0x8b, 0x00, 0xf4},
     NR_VECTORS,
     0x8877665544332211},
    {"movsxd rax,[mem]", {0x48, 0x63, 0x04, 0x25, 4, 0, 2, 0, 0xf4}, NR_VECTORS, 0xffffffff88776655},
    {"cdqe", {0xb8, 0, 0, 0, 0x80, 0x48, 0x98, 0xf4}, NR_VECTORS, 0xffffffff80000000},
    {"cqo", {0x48, 0x0f, 0xba, 0xe8, 63, 0x48, 0x99, 0x48, 0x92, 0xf4}, NR_VECTORS, ~0ull},
    {"push and pop are 64 bits", {0x6a, 0xff, 0x58, 0xf4}, NR_VECTORS, ~0ull},
    {"push word", {0x66, 0x6a, 0xff, 0x48, 0x89, 0xe0, 0xf4}, NR_VECTORS, STACK0 - 2},
    {"shl rax,63", {0x48, 0xc1, 0xe0, 63, 0xf4}, NR_VECTORS, 0},
    {"shr rax,40", {0x48, 0xc1, 0xe8, 40, 0xf4}, NR_VECTORS, 0x112233},
    {"bswap rax", {0x48, 0x0f, 0xc8, 0xf4}, NR_VECTORS, 0x8877665544332211},
    {"call pushes 8 bytes", {0xe8, 0, 0, 0, 0, 0x58, 0xf4}, NR_VECTORS, CODE + 5},
    {"66 does not narrow a call", {0x66, 0xe8, 0, 0, 0, 0, 0x58, 0xf4}, NR_VECTORS, CODE + 6},
    {"r8 to r15", {0x49, 0x89, 0xc7, 0x4c, 0x89, 0xf8, 0xf4}, NR_VECTORS, 0x1122334455667788},
    {"mov rax,cr3", {0x0f, 0x20, 0xd8, 0xf4}, NR_VECTORS, PML4},
    {"loop takes rcx", {0x48, 0xff, 0xc1, 0xe2, 1, 0xf4, 0x48, 0x91, 0xf4}, NR_VECTORS, 1ull << 32},
    {"loop with 67 takes ecx",
     {0x48, 0xff, 0xc1, 0x67, 0xe2, 1, 0xf4, 0x48, 0x91, 0xf4},
     NR_VECTORS,
     0x1122334455667788},
    {"push es is undefined", {0x06, 0xf4}, UD, 0},
    {"daa is undefined", {0x27, 0xf4}, UD, 0},
    {"far jump ptr16:32 is undefined", {0xea, 0xf4}, UD, 0},
    {"a load below the hole", {0x48, 0x8b, 0x02, 0xf4}, PF, 0},
    {"a load that leaves the lower half", {0x48, 0x8b, 0x42, 1, 0xf4}, GP, 0},
    {"a load in the hole", {0x48, 0x8b, 0x42, 16, 0xf4}, GP, 0},
    {"a store in the hole", {0x48, 0x89, 0x42, 16, 0xf4}, GP, 0},
    {"a load through rbp in the hole", {0x48, 0x89, 0xd5, 0x48, 0x8b, 0x45, 16, 0xf4}, SS, 0},
    {"a push in the hole", {0x48, 0x8d, 0x62, 32, 0x50, 0xf4}, SS, 0},
    {"a pop in the hole", {0x48, 0x8d, 0x62, 32, 0x58, 0xf4}, SS, 0},
    {"a jump into the hole", {0x48, 0x83, 0xc2, 32, 0xff, 0xe2, 0xf4}, GP, 0},
    {"a call into the hole", {0x48, 0x83, 0xc2, 32, 0xff, 0xd2, 0xf4}, GP, 0},
    {"a return into the hole", {0x48, 0x83, 0xc2, 32, 0x52, 0xc3, 0xf4}, GP, 0},
    {"lodsq in the hole", {0x48, 0x8d, 0x72, 32, 0x48, 0xad, 0xf4}, GP, 0},
    {"invlpg in the hole is nothing", {0x0f, 0x01, 0x7a, 32, 0x48, 0x31, 0xc0, 0xf4}, NR_VECTORS, 0},
};

Test(long_code, instructions_take_64_bits_and_faults_come_where_the_manual_says)
{
    for (unsigned i = 0; i < sizeof sums / sizeof *sums; i++) {
        struct world w;
        set_up_long(&w);
        put(&w, CODE, sums[i].bytes, sizeof sums[i].bytes);
        put64(&w, DATA, 0x8877665544332211);
        put_gate64(&w, IDT64 + SS * 16, CODE64, HANDLERS + SS * 16, 0x8e, 1); /* rSP may be what is wrong */
        w.state.gpr[CPU_AX] = 0x1122334455667788;
        w.state.gpr[CPU_CX] = 1ull << 32;
        w.state.gpr[CPU_BX] = 0x10000 - 0x1000;
        w.state.gpr[CPU_SI] = 0x800;
        w.state.gpr[CPU_DX] = BELOW_HOLE - 7;
        w.state.segment[DEC_SEG_GS].hidden.base = sums[i].bytes[4] == 0x73 ? DATA - 0x10000 : DATA - 0xf000;
        if (sums[i].bytes[3] == 0x05)
            w.state.segment[DEC_SEG_GS].hidden.base = DATA;
        run(&w);
        cr_assert_eq(w.vector, sums[i].vector, "%s: vector %u at %lx", sums[i].what, w.vector,
                     frame64(&w, 1));
        if (w.vector == NR_VECTORS)
            cr_assert_eq(w.state.gpr[CPU_AX], sums[i].rax, "%s: %lx", sums[i].what, w.state.gpr[CPU_AX]);
        tear_down(&w);
    }
}

/* The RIP-relative displacement that does not fit any more when the instruction's place is added to it. */
Test(long_code, rip_relative_addresses_reach_as_far_as_they_can)
{
    struct world w;
    set_up_long(&w);
    PROGRAM(&w, 0x48, 0x8d, 0x05, 0xff, 0xff, 0xff, 0x7f, 0x48, 0x8d, 0x1d, 0, 0, 0, 0x80, 0xf4);
    run(&w);
    cr_assert_eq(w.state.gpr[CPU_AX], CODE + 7 + 0x7fffffffull);
    cr_assert_eq(w.state.gpr[CPU_BX], CODE + 14 - 0x80000000ull);
    tear_down(&w);
}

/*
 * One page of code at two linear addresses: RIP-relative operands and return addresses follow the one that
 * runs.
 */
Test(long_code, code_runs_at_the_top_of_the_address_space)
{
    struct world w;
    set_up_long(&w);
    PROGRAM(&w, 0x48, 0x8d, 0x05, 0, 0, 0, 0, /* lea rax,[rip] */
            0xe8, 0, 0, 0, 0,                 /* call next */
            0x5b,                             /* pop rbx */
            0x4d, 0x85, 0xc0,                 /* test r8,r8 */
            0x75, 0x09,                       /* jnz end */
            0x49, 0x89, 0xc0,                 /* mov r8,rax */
            0x48, 0x29, 0xf0,                 /* sub rax,rsi: -2 MiB from here */
            0xff, 0xe2,                       /* jmp rdx */
            0xcc, 0xf4);
    w.state.gpr[CPU_SI] = 0x200000;
    w.state.gpr[CPU_DX] = TOP + CODE;
    run(&w);
    cr_assert_eq(w.vector, NR_VECTORS);
    cr_assert_eq(w.state.gpr[8], CODE + 7);
    cr_assert_eq(w.state.gpr[CPU_AX], TOP + CODE + 7);
    cr_assert_eq(w.state.gpr[CPU_BX], TOP + CODE + 12);
    tear_down(&w);
}

/* An instruction in two pages is bound to the place where it begins. */
Test(long_code, rip_relative_addresses_of_an_instruction_in_two_pages)
{
    for (unsigned before = 1; before < 7; before++) {
        struct world w;
        set_up_long(&w);
        uint32_t at = CODE + PAGE_BYTES - before;
        w.state.rip = at;
        put(&w, at, "\x48\x8b\x1d\x10\x00\x00\x00\xf4", 8); /* mov rbx,[rip+16] */
        put64(&w, at + 7 + 16, 0x123456789abcdef0);
        run(&w);
        cr_assert_eq(w.state.gpr[CPU_BX], 0x123456789abcdef0);
        cr_assert_eq(w.state.rip, at + 8);
        tear_down(&w);
    }
}

Test(long_code, an_interrupt_ends_a_halt_and_iretq_goes_on)
{
    enum { PORT = 0x77, VECTOR = 0x28 };
    struct world w;
    set_up_long(&w);
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++) {
        w.core[kind].interrupt_port = PORT;
        w.core[kind].vector = VECTOR;
    }
    put_gate64(&w, IDT64 + VECTOR * 16, CODE64, HANDLERS + VECTOR * 16, 0x8e, 1);
    put(&w, HANDLERS + VECTOR * 16, "\x48\x8b\x0c\x24\x48\xcf", 6);            /* mov rcx,[rsp]; iretq */
    PROGRAM(&w, 0xfb, 0x48, 0x83, 0xec, 5, 0xe6, PORT, 0xf4, 0x48, 0x89, 0xe3, /* sti; sub rsp,5; out; hlt */
            0xfa, 0xf4);
    run(&w);
    cr_assert_eq(w.vector, NR_VECTORS);
    cr_assert(w.state.gpr[CPU_CX] >= CODE + 7 && w.state.gpr[CPU_CX] <= CODE + 8);
    cr_assert_eq(w.state.gpr[CPU_BX], STACK0 - 5);
    tear_down(&w);
}

/* Bytes that were decoded are written over through another linear address, as a kernel patches itself. */
Test(long_code, code_patched_through_another_mapping_runs_as_it_is_now)
{
    struct world w;
    set_up_long(&w);
    PROGRAM(&w, 0xe8, 27, 0, 0, 0,                             /* call CODE+32 */
            0xc6, 0x42, 33, 7,                                 /* mov byte [rdx+33],7 */
            0xe8, 18, 0, 0, 0, 0xf4,                           /* call CODE+32; hlt */
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* */
            0xb0, 1, 0x00, 0xc3, 0xc3);                        /* mov al,1; add bl,al; ret */
    w.state.gpr[CPU_DX] = TOP + CODE;
    w.state.gpr[CPU_BX] = 0;
    run(&w);
    cr_assert_eq(w.vector, NR_VECTORS);
    cr_assert_eq(w.state.gpr[CPU_BX], 8);
    tear_down(&w);
}
