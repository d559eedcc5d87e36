/*
 * Breakpoints on data and ports (SDM 3B 17.2). QEMU 7.2 fails an assertion of its own when one is met in a single step.
 *
 * run: noqemu
 */
#include "system.inc"
#include "debug.inc"

    PROGRAM
    SET_DESCRIPTOR FREE, 0, 0xfffff, P|S|2, BIG|GRANULAR
/* Data breakpoints. */
    TRY "w1", L0|W1_0, room, 0, "movb $1, room; incl %ecx"
    TRY "w1, the next byte", L0|W1_0, room+1, 0, "movb $1, room; incl %ecx"
    TRY "w1, within a dword", L0|W1_0, room+3, 0, "movl $1, room; incl %ecx"
    TRY "w4, one byte of it", L0|W4_0, room, 0, "movb $1, room+3; incl %ecx"
    TRY "w4, across", L0|W4_0, room+4, 0, "movl $1, room+2; incl %ecx"
    TRY "w4, behind", L0|W4_0, room, 0, "movb $1, room+4; incl %ecx"
    TRY "w2, address not aligned", L0|W2_0, room+1, 0, "movb $1, room; incl %ecx"
    TRY "w1, read", L0|W1_0, room, 0, "movb room, %al; incl %ecx"
    TRY "rw1, read", L0|RW1_0, room, 0, "movb room, %al; incl %ecx"
    TRY "rw4, read-modify-write", L0|RW4_0, room, 0, "incl room; incl %ecx"
    TRY "rw1, movsb reads", L0|RW1_0, room, 0, "movl $room, %esi; movl $room+16, %edi; movsb; incl %ecx"
    TRY "w1, movsb writes", L0|W1_0, room+16, 0, "movl $room, %esi; movl $room+16, %edi; movsb; incl %ecx"
    TRY "w1, rep movsb, second iteration", L0|W1_0, room+17, 0, "movl $room, %esi; movl $room+16, %edi; movl $5, %ecx; rep movsb; incl %ecx"
    TRY "w4, push", L0|W4_0, stack_end-4, 0, "pushl %eax; incl %ecx"
    TRY "rw4, pop", L0|RW4_0, stack_end-4, 0, "subl $4, %esp; popl %eax; incl %ecx"
    TRY "w4, call", L0|W4_0, stack_end-4, 0, "call 775f; 775: incl %ecx"
    TRY "rw4, ret", L0|RW4_0, stack_end-4, 0, "movl $775f, %eax; pushl %eax; movl $0, %ebx; ret; 775: incl %ecx"
    TRY "w4, xchg", L0|W4_0, room, 0, "xchgl %eax, room; incl %ecx"
    TRY "w4, cmpxchg that does not store", L0|W4_0, room, 0, "movl $0x77777777, %eax; cmpxchgl %ecx, room; incl %ecx"
    TRY "rw4, a fetch is none", L0|RW4_0, 775f, 0, "jmp 775f; 775: incl %ecx"
    TRY "w4, and a single step", L0|W4_0, room, 0, "pushl $0x102; popfl; movl $1, room; incl %ecx"
    TRY "w1, mov ss drops it or not", L0|RW4_0, room+32, 0, "movl $DATA, room+32; movl %dr7, %ebx; movw room+32, %ss; nop; nop"
    TRY "w4, an instruction that faults after it", L0|RW4_0, room, 0, "movl room, %eax; ud2"
    TRY "w4, GDT: the accessed bit", L0|W4_0, gdt+FREE+4, 0, "movl $FREE, %eax; movl %eax, %es; incl %ecx"
    TRY "rw4, GDT: read of a descriptor", L0|RW4_0, gdt+FREE, 0, "movl $FREE, %eax; movl %eax, %es; incl %ecx"
    TRY "x and data together", L0|L1|0x00d00000, 775f, room, "movl $1, room; 775: incl %ecx"

/* I/O breakpoints. */
    CASE "DE is switched on"
    movl $CR4_DE, %eax
    movl %eax, %cr4
    END
    TRY "io1, out", L0|IO1_0, 0x80, 0, "outb %al, $0x80; incl %ecx"
    TRY "io1, another port", L0|IO1_0, 0x80, 0, "outb %al, $0x81; incl %ecx"
    TRY "io1, in", L0|IO1_0, 0x80, 0, "inb $0x80, %al; xorl %eax, %eax; incl %ecx"
    TRY "io1, outsb", L0|IO1_0, 0x80, 0, "movl $0x80, %edx; movl $room, %esi; outsb; incl %ecx"
    CASE "DR4 with DE"
    movl %dr4, %eax
    END
    CASE "mov to DR5 with DE"
    movl %eax, %dr5
    END
    CASE "DE is switched off"
    xorl %eax, %eax
    movl %eax, %cr4
    movl %dr4, %ebx
    movl %dr5, %ecx
    END

    FINISH

    .data
    .balign 16
room:
    .skip 64
