/*
 * What QEMU cannot survive: compared with Bochs only.
 *
 * run: noqemu
 */
#include "system.inc"

    PROGRAM
    CASE "mov to cr0: PG without PE"
    movl $0x80000010, %eax
    movl %eax, %cr0
    END
    CASE "lmsw cannot set PG"
    movl $0xffff8001, %eax
    lmsw %ax
    movl %cr0, %ebx
    END
    CASE "mov to cr4: a reserved bit"
    movl $0x80000000, %eax
    movl %eax, %cr4
    END
    FINISH
