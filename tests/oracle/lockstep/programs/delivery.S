/* Interrupts and exceptions through every kind of gate, and what goes wrong on the way (SDM 3A 6.10 to 6.15, SDM 2A INT n). */
#include "system.inc"

    .set A, FREE+0x00
    .set CODE1, FREE+0x08
    .set DATA1, FREE+0x10
    .set RING0_16, FREE+0x18
    .set CONFORM, FREE+0x20
    .set VECTOR, 0x90
    .set GATE, idt+VECTOR*8

    PROGRAM
    SET_DESCRIPTOR CODE1, 0, 0xfffff, CODE_READ|DPL1, BIG|GRANULAR
    SET_DESCRIPTOR DATA1, 0, 0xfffff, DATA_WRITE|DPL1, BIG|GRANULAR
    SET_DESCRIPTOR RING0_16, code16, 0xffff, CODE_READ, 0
    SET_DESCRIPTOR CONFORM, 0, 0xfffff, CODE_CONFORMING, BIG|GRANULAR
    movl $DATA1+1, tss+0x10

    .macro GATE_CASES text, selector, target, access
    CASE "int from ring 0: \text"
    SET_GATE GATE, \selector, \target, \access
    pushl $0x3fd7-0x100
    popfl
    int $VECTOR
    END
    CASE "int from ring 3: \text"
    SET_GATE GATE, \selector, \target, \access
    USER
    int $VECTOR
    END
    CASE "int from ring 1: \text"
    SET_GATE GATE, \selector, \target, \access
    pushl $DATA1+1
    pushl $ring1_stack_end
    pushl $CODE1+1
    pushl $1f
    lretl
1:  int $VECTOR
    END
    .endm
    GATE_CASES "interrupt gate", CODE, look, P|DPL3|14
    GATE_CASES "trap gate", CODE, look, P|DPL3|15
    GATE_CASES "interrupt gate, DPL 0", CODE, look, P|14
    GATE_CASES "trap gate, DPL 1", CODE, look, P|DPL1|15
    GATE_CASES "not present", CODE, look, DPL3|14
    GATE_CASES "not present, DPL 0", CODE, look, 14
    GATE_CASES "16-bit interrupt gate", RING0_16, 0, P|DPL3|6
    GATE_CASES "16-bit trap gate", RING0_16, 0, P|DPL3|7
    GATE_CASES "32-bit gate to 16-bit code", RING0_16, 0, P|DPL3|14
    GATE_CASES "null code", 0, look, P|DPL3|14
    GATE_CASES "null code, RPL 3", 3, look, P|DPL3|14
    GATE_CASES "beyond the GDT", 0x1008, look, P|DPL3|14
    GATE_CASES "in a missing LDT", 0x0c, look, P|DPL3|14
    GATE_CASES "data", DATA, look, P|DPL3|14
    GATE_CASES "code of ring 3", USER_CODE, look, P|DPL3|14
    GATE_CASES "code of ring 1", CODE1, look, P|DPL3|14
    GATE_CASES "conforming", CONFORM, look, P|DPL3|15
    GATE_CASES "RPL 3 in the gate", CODE+3, look, P|DPL3|14
    .irp type, 0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13
    GATE_CASES "type \type", CODE, look, P|DPL3|\type
    .endr
    .irp type, 2, 6, 11, 14, 15
    GATE_CASES "S set, type \type", CODE, look, P|S|DPL3|\type
    .endr
    SET_DESCRIPTOR A, 0, 0xfffff, CODE_READ-P, BIG|GRANULAR
    GATE_CASES "code not present", A, look, P|DPL3|14
    SET_DESCRIPTOR A, 0, 0x10, CODE_READ, BIG
    GATE_CASES "code with a small limit", A, look, P|DPL3|14
    SET_DESCRIPTOR A, 0, 0xfffff, P|S|0xa, BIG|GRANULAR
    GATE_CASES "code gets accessed", A, look, P|DPL3|14
    CASE "the accessed bit"
    NOTE_MEMORY 0, gdt+A+4
    END

/* The inner stack. */
    .macro INNER text, ss, esp
    CASE "inner stack: \text"
    SET_GATE GATE, CODE1, look, P|DPL3|14
    movl $\ss, tss+0x10
    movl $\esp, tss+0x0c
    USER
    int $VECTOR
    END
    .endm
    INNER "null", 0, ring1_stack_end
    INNER "RPL 0", DATA1, ring1_stack_end
    INNER "RPL 3", DATA1+3, ring1_stack_end
    INNER "DPL 0", DATA+1, ring1_stack_end
    INNER "code", CODE1+1, ring1_stack_end
    INNER "beyond the GDT", 0x1009, ring1_stack_end
    SET_DESCRIPTOR A, 0, 0xfffff, DATA_WRITE|DPL1-P, BIG|GRANULAR
    INNER "not present", A+1, ring1_stack_end
    SET_DESCRIPTOR A, 0, 0xfffff, DATA_READ|DPL1, BIG|GRANULAR
    INNER "read-only", A+1, ring1_stack_end
    SET_DESCRIPTOR A, 0, 0x1000, DATA_WRITE|DPL1, BIG
    INNER "beyond its limit", A+1, 0x2000
    INNER "good again", DATA1+1, ring1_stack_end

/* The same of exceptions, whose error codes have EXT; `vector` is broken, and mended afterwards. */
    .macro BROKEN text, vector, selector, target, access, provoke
    CASE "\text"
    pushl idt+\vector*8
    popl kept
    pushl idt+\vector*8+4
    popl kept+4
    SET_GATE idt+\vector*8, \selector, \target, \access
    \provoke
    END
    MEND \vector
    CASE "\text, from ring 3"
    SET_GATE idt+\vector*8, \selector, \target, \access
    USER
    \provoke
    END
    MEND \vector
    .endm
    .macro MEND vector
    pushl kept
    popl idt+\vector*8
    pushl kept+4
    popl idt+\vector*8+4
    .endm
    BROKEN "#UD, gate not present", 6, CODE, look, 14, ud2
    BROKEN "#UD, null code", 6, 0, look, P|14, ud2
    BROKEN "#UD, code of ring 3", 6, USER_CODE, look, P|14, ud2
    BROKEN "#UD, code beyond the GDT", 6, 0x1008, look, P|14, ud2
    BROKEN "#UD, not a gate", 6, CODE, look, P|2, ud2
    BROKEN "#UD, call gate", 6, CODE, look, P|12, ud2
    BROKEN "#GP, gate not present: #DF", 13, CODE, look, 14, "mov $0x1008, %ecx; mov %ecx, %es"
    BROKEN "#NP, null code: #DF", 11, 0, look, P|14, "int $0x91"
    BROKEN "#DE, gate not present: #DF", 0, CODE, look, 14, "xor %ecx, %ecx; div %ecx"
    BROKEN "#DE, through a 16-bit gate", 0, RING0_16, 0, P|6, "xor %ecx, %ecx; div %ecx"
    BROKEN "#GP, through a 16-bit gate", 13, RING0_16, 0, P|6, "mov $0x1008, %ecx; mov %ecx, %es"
    BROKEN "#BP, gate not present", 3, CODE, look, 14, int3
    BROKEN "#BP, DPL 0", 3, CODE, look, P|14, int3
    BROKEN "#OF, DPL 0", 4, CODE, look, P|14, "mov $0x7fffffff, %ecx; inc %ecx; into"
    BROKEN "INT1 does not ask for the DPL", 1, CODE, look, P|14, ".byte 0xf1"
    BROKEN "INT 6 with DPL 0", 6, CODE, look, P|14, "int $6"
    BROKEN "INT 13 with DPL 3 pushes no error code", 13, CODE, look, P|DPL3|14, "int $13"

    CASE "int beyond the IDT"
    lidt short_idt
    int $VECTOR
    END
    CASE "int whose gate is cut by the IDT's limit"
    lidt cut_idt
    int $14
    END
    lidt idt_pointer
    CASE "exception beyond the IDT: #GP, then #DF"
    lidt cut_idt
    xorl %ecx, %ecx
    divl %ecx
    END
    lidt idt_pointer

/* Plain exceptions. */
    CASE "div by zero"
    xorl %ecx, %ecx
    divl %ecx
    END
    CASE "div overflow"
    movl $1, %ecx
    movl $1, %edx
    divl %ecx
    END
    CASE "idiv of the most negative"
    movl $0x80000000, %eax
    cltd
    movl $-1, %ecx
    idivl %ecx
    END
    CASE "idivb of -128 by -1"
    movl $0xff80, %eax
    movb $-1, %cl
    idivb %cl
    END
    CASE "aam 0"
    aam $0
    END
    CASE "into, no overflow"
    xorl %ecx, %ecx
    into
    END
    CASE "into, overflow"
    movl $0x7fffffff, %ecx
    incl %ecx
    into
    END
    CASE "bound inside"
    movl $5, %ecx
    bound %ecx, bounds
    END
    CASE "bound below"
    movl $3, %ecx
    bound %ecx, bounds
    END
    CASE "bound above"
    movl $10, %ecx
    bound %ecx, bounds
    END
    CASE "bound, signed"
    movl $-1, %ecx
    bound %ecx, bounds
    END
    CASE "bound of a register"
    .byte 0x62, 0xc9
    END
    CASE "ud2"
    ud2
    END
    CASE "ud1"
    .byte 0x0f, 0xb9, 0xc0
    END
    CASE "lock nop"
    .byte 0xf0, 0x90
    END
    CASE "lock add to a register"
    .byte 0xf0, 0x01, 0xc8
    END
    CASE "lock cmp to memory"
    .byte 0xf0, 0x39, 0x0d
    .long bounds
    END
    CASE "lock add to memory"
    xorl %ecx, %ecx
    lock addl %ecx, bounds
    END
    CASE "16 bytes of prefixes"
    .fill 15, 1, 0x66
    nop
    END
    CASE "15 bytes in all"
    .fill 14, 1, 0x3e
    nop
    END
    CASE "15 prefixes before a load that would fault"
    xorl %ecx, %ecx
    movl %ecx, %es
    .fill 13, 1, 0x26
    movl %es:(%ecx), %eax
    END
    CASE "lea of a register"
    .byte 0x8d, 0xc0
    END
    CASE "les of a register"
    .byte 0xc4, 0xc0
    END
    CASE "cmpxchg8b of a register"
    .byte 0x0f, 0xc7, 0xc8
    END
    CASE "jmp far of a register"
    .byte 0xff, 0xe8
    END
    CASE "call far of a register"
    .byte 0xff, 0xd8
    END
    CASE "ff /7"
    .byte 0xff, 0xf8
    END
    CASE "fe /2"
    .byte 0xfe, 0xd0
    END
    CASE "mov cr1"
    .byte 0x0f, 0x20, 0xc8
    END
    CASE "mov to cr5"
    .byte 0x0f, 0x22, 0xe8
    END
    CASE "invlpg of a register"
    .byte 0x0f, 0x01, 0xff
    END
    CASE "lgdt of a register"
    .byte 0x0f, 0x01, 0xd7
    END
    CASE "8f /1"
    .byte 0x8f, 0xc8
    END
    CASE "c6 /1"
    .byte 0xc6, 0xc8, 0
    END
    CASE "alignment check, in ring 3"
    movl %cr0, %eax
    orl $0x40000, %eax
    movl %eax, %cr0
    USER
    pushl $0x40202
    popfl
    movl bounds+1, %eax
    END
    CASE "alignment check, in ring 0"
    pushl $0x40002
    popfl
    movl bounds+1, %eax
    END
    CASE "alignment check of a word across 4"
    USER
    pushl $0x40202
    popfl
    movw bounds+1, %ax
    END
    CASE "alignment check of a push"
    USER
    pushl $0x40202
    popfl
    subl $2, %esp
    pushl %eax
    END
    CASE "alignment check of rep movsl"
    USER
    movl $bounds+4, %esi
    movl $bounds+9, %edi
    movl $2, %ecx
    pushl $0x40202
    popfl
    rep movsl
    END
    CASE "alignment check of cmpxchg8b at 4"
    USER
    pushl $0x40202
    popfl
    cmpxchg8b bounds+4
    END
    CASE "alignment check of bound at 4"
    USER
    movl $5, %ecx
    pushl $0x40202
    popfl
    bound %ecx, bounds+2
    END
    CASE "alignment check of sgdt"
    USER
    pushl $0x40202
    popfl
    sgdt bounds+9
    END
    CASE "alignment check with AM off"
    movl %cr0, %eax
    andl $~0x40000, %eax
    movl %eax, %cr0
    USER
    pushl $0x40202
    popfl
    movl bounds+1, %eax
    END
    FINISH

/* What the gate left on the stack. */
look:
    movl (%esp), %eax
    movl 4(%esp), %ecx
    movl 8(%esp), %edx
    movl 12(%esp), %esi
    movl 16(%esp), %edi
    movl %esp, %ebp
    pushfl
    popl %ebx
    int $COMPLETED_VECTOR

    .balign 16
    .code16
code16:
    movzwl %sp, %esi
    movl %ss:(%esi), %eax
    movl %ss:4(%esi), %ecx
    movl %ss:8(%esi), %edx
    movl %esp, %ebp
    pushfl
    popl %ebx
    int $COMPLETED_VECTOR
    .code32

    .section .rodata
    .balign 4
short_idt:
    .word 0x47f
    .long idt
    .balign 4
cut_idt:
    .word 14*8+6
    .long idt

    .data
    .balign 8
bounds:
    .long 4, 9, 0, 0
    .section .scratch, "aw", @progbits
kept:
    .long 0, 0
