/*
 * What QEMU cannot survive in long mode: compared with Bochs only.
 *
 * run: code64 noqemu
 */
#include "system.inc"
#include "long.inc"

    PROGRAM
    LONG_MODE
    CASE64 "PG cannot be cleared in 64-bit mode"
    movq %cr0, %rax
    btrq $31, %rax
    movq %rax, %cr0
    END64
    CASE64 "PAE cannot be cleared in long mode"
    movq %cr4, %rax
    btrq $5, %rax
    movq %rax, %cr4
    END64
    CASE64 "LME cannot be changed with paging on"
    WRITE_MSR EFER, 0x801
    END64
    CASE64 "the high half of cr4"
    movq %cr4, %rax
    btsq $40, %rax
    movq %rax, %cr4
    END64
    CASE64 "a reserved bit of cr3"
    movq %cr3, %rax
    btsq $60, %rax
    movq %rax, %cr3
    END64
    FINISH64
