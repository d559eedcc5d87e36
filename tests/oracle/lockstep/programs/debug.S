/* Single steps, breakpoints in DR0 to DR3, DR6, DR7, RF, general detect (SDM 3B 17.2, 17.3). */
#include "system.inc"

    .set CR4_DE, 8

/* Sets DR7 with the breakpoints' addresses, clears DR6; the record has DR6 and DR7 in extra0 and extra1. */
    .macro WATCH dr7, dr0=0, dr1=0
    movl $\dr0, %eax
    movl %eax, %dr0
    movl $\dr1, %eax
    movl %eax, %dr1
    xorl %eax, %eax
    movl %eax, %dr6
    movl $\dr7, %eax
    movl %eax, %dr7
    .endm
    .macro CLEAN text
    CASE "\text: DR6"
    movl %dr6, %ebx
    movl %dr7, %ecx
    xorl %eax, %eax
    movl %eax, %dr7
    movl %eax, %dr6
    END
    .endm
    .macro TRY text, dr7, dr0, dr1, instruction
    CASE "\text"
    WATCH \dr7, \dr0, \dr1
    \instruction
    END
    CLEAN "\text"
    .endm
    .macro STEP text, instruction
    CASE "step: \text"
    xorl %eax, %eax
    movl %eax, %dr6
    pushl $0x102
    popfl
    \instruction
    nop
    nop
    END
    CLEAN "step: \text"
    .endm

    PROGRAM
    SET_DESCRIPTOR FREE, 0, 0xfffff, P|S|2, BIG|GRANULAR
    .set X0, 0x00000000 /* kinds and lengths of breakpoint 0, in DR7's upper half */
    .set W1_0, 0x00010000
    .set W2_0, 0x00050000
    .set W4_0, 0x000d0000
    .set RW1_0, 0x00030000
    .set RW2_0, 0x00070000
    .set RW4_0, 0x000f0000
    .set IO1_0, 0x00020000
    .set L0, 1
    .set G0, 2
    .set L1, 4
    .set GD, 0x2000

    STEP "nop", nop
    STEP "popf clears TF: one more trap", "pushl $2; popfl"
    STEP "mov ss holds it back", "movl %ss, %eax; movl %eax, %ss; nop"
    STEP "pop ss holds it back", "pushl %ss; popl %ss; nop"
    STEP "sti holds only interrupts back", "sti; nop"
    STEP "int n", "int $0x90"
    STEP "int3", "int3"
    STEP "into that is not taken", "xorl %eax, %eax; into"
    STEP "iret", "pushl $2; pushl $CODE; pushl $775f; iretl; 775:"
    STEP "iret that sets TF", "pushl $0x102; pushl $CODE; pushl $775f; iretl; 775: nop"
    STEP "rep movsb", "movl $room, %esi; movl $room+16, %edi; movl $3, %ecx; rep movsb"
    STEP "rep with count 0", "xorl %ecx, %ecx; rep movsb"
    STEP "repe cmpsb", "movl $room, %esi; movl $room+16, %edi; movl $3, %ecx; repe cmpsb"
    STEP "a fault", "ud2"
    STEP "a page of nothing: call", "call 775f; 775: popl %eax"
    STEP "pushf shows TF", "pushfl; popl %eax"
    STEP "cpuid", "xorl %eax, %eax; cpuid; xorl %eax, %eax; xorl %ebx, %ebx; xorl %ecx, %ecx; xorl %edx, %edx"
    STEP "jump", "jmp 775f; nop; 775:"
    STEP "from ring 3", "USER"
    CASE "step in ring 3"
    USER
    pushl $0x102
    popfl
    nop
    END
    CLEAN "step in ring 3"
    CASE "lret to ring 3 with TF"
    xorl %eax, %eax
    movl %eax, %dr6
    pushl $USER_DATA
    pushl $user_stack_end
    pushl $0x102
    pushl $USER_CODE
    pushl $1f
    iretl
1:  nop
    nop
    END
    CLEAN "lret to ring 3 with TF"

/* Instruction breakpoints. */
    TRY "x", L0, 775f, 0, "nop; 775: incl %ecx; incl %ecx"
    TRY "x, global", G0, 775f, 0, "nop; 775: incl %ecx; incl %ecx"
    TRY "x, off", 0, 775f, 0, "nop; 775: incl %ecx; incl %ecx"
    TRY "x, the other matches too but is off", L0, 775f, 775f, "nop; 775: incl %ecx; incl %ecx"
    TRY "x, two", L0|L1, 775f, 775f, "nop; 775: incl %ecx; incl %ecx"
    TRY "x, in the middle of an instruction", L0, 775f+1, 0, "nop; 775: movl $5, %ecx; incl %ecx"
    TRY "x, at a prefix", L0, 775f, 0, "nop; 775: movw $5, %cx; incl %ecx"
    TRY "x, behind mov ss", L0, 775f, 0, "movl %ss, %eax; movl %eax, %ss; 775: incl %ecx; incl %ecx"
    TRY "x, behind sti", L0, 775f, 0, "sti; 775: incl %ecx; incl %ecx"
    TRY "x, an instruction that faults", L0, 775f, 0, "nop; 775: ud2"
    TRY "x, rep movsb", L0, 775f, 0, "movl $room, %esi; movl $room+16, %edi; movl $3, %ecx; 775: rep movsb"
    TRY "x, RF lets it pass", L0, 775f, 0, "pushl $0x10002; pushl $CODE; pushl $775f; iretl; 775: incl %ecx; incl %ecx"
    TRY "x, RF is for one instruction", L0, 776f, 0, "pushl $0x10002; pushl $CODE; pushl $775f; iretl; 775: incl %ecx; 776: incl %ecx"
    TRY "x, RF and rep movsb", L0, 775f, 0, "movl $room, %esi; movl $room+16, %edi; movl $3, %ecx; pushl $0x10002; pushl $CODE; pushl $775f; iretl; 775: rep movsb; incl %ebx"
    TRY "x, popf does not set RF", L0, 775f, 0, "pushl $0x10002; popfl; 775: incl %ecx"
    TRY "x, with a single step before it", L0, 775f, 0, "pushl $0x102; popfl; nop; 775: incl %ecx"
    TRY "x, in ring 3", L0, 775f, 0, "USER; nop; 775: incl %ecx"
    TRY "x, a target of a jump", L0, 775f, 0, "jmp 775f; nop; 775: incl %ecx"
    TRY "x, the handler's first instruction", L0, handler, 0, "int $0x91"

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

/* Registers. */
    CASE "reserved bits of DR6"
    movl $-1, %eax
    movl %eax, %dr6
    movl %dr6, %ebx
    xorl %eax, %eax
    movl %eax, %dr6
    movl %dr6, %ecx
    END
    CASE "reserved bits of DR7"
    movl $0x0000dc00, %eax
    movl %eax, %dr7
    movl %dr7, %ebx
    xorl %eax, %eax
    movl %eax, %dr7
    movl %dr7, %ecx
    END
    CASE "general detect"
    WATCH GD, 0, 0
    movl %dr0, %eax
    END
    CLEAN "general detect"
    CASE "general detect, mov to dr7"
    WATCH GD, 0, 0
    movl %eax, %dr7
    END
    CLEAN "general detect, mov to dr7"
    CASE "general detect in ring 3: #GP"
    WATCH GD, 0, 0
    USER
    movl %dr0, %eax
    END
    CLEAN "general detect in ring 3: #GP"
    FINISH
handler:
    nop

    .data
    .balign 16
room:
    .skip 64
