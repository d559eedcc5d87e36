/* Single steps, instruction breakpoints, DR6, DR7, RF, general detect (SDM 3B 17.2, 17.3). */
#include "system.inc"
#include "debug.inc"

    PROGRAM
    SET_DESCRIPTOR FREE, 0, 0xfffff, P|S|2, BIG|GRANULAR
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
