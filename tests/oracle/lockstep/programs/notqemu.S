/*
 * What QEMU cannot survive: compared with Bochs only.
 *
 * run: noqemu
 */
#include "system.inc"
#include "real.inc"

    PROGRAM
    REAL_MODE
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
    ONE "retl beyond 64 KiB", "pushl $0x10100; retl"
    ONE "ip wraps?", "ljmp $0x0f00, $0xfffe"
    FINISH
