/* Far jumps, calls, returns and IRET to every kind of destination, and call gates (SDM 3A 5.8, SDM 2A JMP, CALL, RET, IRET). */
#include "system.inc"

    .set A, FREE+0x00
    .set B, FREE+0x08
    .set GATE, FREE+0x10
    .set USER16, FREE+0x18 /* 16-bit code of ring 3 at `code16` */
    .set CODE1, FREE+0x20  /* code and data of ring 1 */
    .set DATA1, FREE+0x28
    .set RING0_16, FREE+0x30
    .set CONFORM, FREE+0x38

    PROGRAM
    SET_DESCRIPTOR USER16, code16, 0xffff, CODE_READ|DPL3, 0
    SET_DESCRIPTOR CODE1, 0, 0xfffff, CODE_READ|DPL1, BIG|GRANULAR
    SET_DESCRIPTOR DATA1, 0, 0xfffff, DATA_WRITE|DPL1, BIG|GRANULAR
    SET_DESCRIPTOR RING0_16, code16, 0xffff, CODE_READ, 0
    SET_DESCRIPTOR CONFORM, 0, 0xfffff, CODE_CONFORMING, BIG|GRANULAR
    movl $DATA1+1, tss+0x10

/* The same destination by JMP, CALL, RET and IRET, from rings 0 and 3. */
    .macro ALL_WAYS text, selector
    CASE "jmp to \text"
    ljmp $\selector, $1f
1:  END
    CASE "call to \text"
    lcall $\selector, $1f
1:  END
    CASE "ret to \text"
    pushl $\selector
    pushl $1f
    lretl
1:  END
    CASE "iret to \text"
    pushfl
    pushl $\selector
    pushl $1f
    iretl
1:  END
    CASE "jmp from ring 3 to \text"
    USER
    ljmp $\selector, $1f
1:  END
    CASE "call from ring 3 to \text"
    USER
    lcall $\selector, $1f
1:  END
    CASE "ret from ring 3 to \text"
    USER
    pushl $\selector
    pushl $1f
    lretl
1:  END
    CASE "iret from ring 3 to \text"
    USER
    pushfl
    pushl $\selector
    pushl $1f
    iretl
1:  END
    .endm

    .macro KIND text, access, flags, rpl
    SET_DESCRIPTOR A, 0, 0xfffff, \access, \flags
    ALL_WAYS "\text, RPL \rpl", A+\rpl
    .endm

    .irp rpl, 0, 3
    ALL_WAYS "null, RPL \rpl", \rpl
    ALL_WAYS "beyond the GDT, RPL \rpl", 0x1008+\rpl
    ALL_WAYS "a missing LDT, RPL \rpl", 0x0c+\rpl
    KIND "code", CODE_READ, BIG|GRANULAR, \rpl
    KIND "execute-only code", CODE_ONLY, BIG|GRANULAR, \rpl
    KIND "code that is not present", CODE_READ-P, BIG|GRANULAR, \rpl
    KIND "code of ring 1", CODE_READ|DPL1, BIG|GRANULAR, \rpl
    KIND "code of ring 3", CODE_READ|DPL3, BIG|GRANULAR, \rpl
    KIND "conforming code", CODE_CONFORMING, BIG|GRANULAR, \rpl
    KIND "conforming code of ring 3", CODE_CONFORMING|DPL3, BIG|GRANULAR, \rpl
    KIND "conforming code, not present", CODE_CONFORMING-P, BIG|GRANULAR, \rpl
    KIND "data", DATA_WRITE, BIG|GRANULAR, \rpl
    .endr
    .irp type, 0, 2, 6, 7, 8, 10, 13, 14, 15
    KIND "system type \type", P|\type, BIG|GRANULAR, 0
    .endr
    SET_DESCRIPTOR A, 0, 0x10, CODE_READ, BIG
    ALL_WAYS "code with a limit before the target", A
    SET_DESCRIPTOR A, 0, 0x10, CODE_READ|DPL3, BIG
    ALL_WAYS "code of ring 3 with a limit before the target", A+3

    CASE "jmp marks the segment accessed"
    SET_DESCRIPTOR A, 0, 0xfffff, P|S|0xa, BIG|GRANULAR
    ljmp $A, $1f
1:  NOTE_MEMORY 0, gdt+A + 4
    END
    CASE "a jmp that fails by the limit: is the segment accessed?"
    SET_DESCRIPTOR A, 0, 0x10, P|S|0xa, BIG
    ljmp $A, $1f
1:  END
    CASE "the answer"
    NOTE_MEMORY 0, gdt+A + 4
    END

/* Indirect forms, and 16 bits. */
    CASE "jmp m16:32"
    pushl $CODE
    pushl $1f
    ljmpl *(%esp)
1:  END
    CASE "call m16:32"
    pushl $CODE
    pushl $1f
    lcall *(%esp)
1:  END
    CASE "jmp m16:16 truncates"
    pushl $0
    pushl $RING0_16 << 16
    ljmpw *(%esp)
    END
    CASE "call with a 16-bit operand to 16-bit code"
    pushl $0x11111111
    pushl $0x22222222
    pushl $0x33333333
    addl $12, %esp
    lcallw $RING0_16, $code16_look-code16
    END
    CASE "call to 16-bit code, which returns"
    lcall $RING0_16, $code16_return-code16
    END
    CASE "jmp to 16-bit code: the offset is 32 bits wide"
    ljmp $RING0_16, $0x10000
    END
    CASE "retw to 16-bit code"
    pushw $RING0_16
    pushw $code16_look-code16
    lretw
    END
    CASE "lret imm, same ring"
    pushl $0x77777777
    pushl $0x66666666
    pushl $CODE
    pushl $1f
    lretl $8
1:  END

/* Returns to ring 3: stacks, segments that must go. */
    .macro OUTWARD text, ss, esp, cs, eip
    CASE "ret outward: \text"
    pushl $\ss
    pushl $\esp
    pushl $\cs
    pushl $\eip
    lretl
    END
    CASE "iret outward: \text"
    pushl $\ss
    pushl $\esp
    pushl $0x3202
    pushl $\cs
    pushl $\eip
    iretl
    END
    .endm
    OUTWARD "plain", USER_DATA, user_stack_end, USER_CODE, user_end
    OUTWARD "null stack", 0, user_stack_end, USER_CODE, user_end
    OUTWARD "null stack with RPL 3", 3, user_stack_end, USER_CODE, user_end
    OUTWARD "stack of ring 0", DATA, user_stack_end, USER_CODE, user_end
    OUTWARD "stack of ring 0 with RPL 3", DATA+3, user_stack_end, USER_CODE, user_end
    OUTWARD "stack of ring 1", DATA1+1, user_stack_end, USER_CODE, user_end
    OUTWARD "code as stack", USER_CODE, user_stack_end, USER_CODE, user_end
    OUTWARD "stack beyond the GDT", 0x100b, user_stack_end, USER_CODE, user_end
    OUTWARD "to ring 1", DATA1+1, ring1_stack_end, CODE1+1, user_end
    OUTWARD "to ring 1, stack RPL 3", DATA1+3, ring1_stack_end, CODE1+1, user_end
    OUTWARD "to conforming code, RPL 3", USER_DATA, user_stack_end, CONFORM+3, user_end
    OUTWARD "to 16-bit code", USER_DATA, user_stack_end, USER16+3, 0
    SET_DESCRIPTOR A, 0, 0xfffff, DATA_WRITE|DPL3-P, BIG|GRANULAR
    OUTWARD "stack not present", A+3, user_stack_end, USER_CODE, user_end
    SET_DESCRIPTOR A, 0, 0xfffff, DATA_READ|DPL3, BIG|GRANULAR
    OUTWARD "stack read-only", A+3, user_stack_end, USER_CODE, user_end
    SET_DESCRIPTOR A, 0, 0xfffff, DATA_WRITE|DPL3, GRANULAR
    OUTWARD "16-bit stack", A+3, 0x12348000, USER_CODE, user_end
    SET_DESCRIPTOR A, 0, 0x10, CODE_READ|DPL3, BIG
    OUTWARD "eip beyond the limit", USER_DATA, user_stack_end, A+3, 0x11

    CASE "ret outward: data segments of ring 0 become null"
    SET_DESCRIPTOR A, 0, 0xfffff, DATA_WRITE|DPL3, BIG|GRANULAR
    SET_DESCRIPTOR B, 0, 0xfffff, CODE_CONFORMING, BIG|GRANULAR
    pushl $USER_DATA
    pushl $user_stack_end
    pushl $USER_CODE
    pushl $user_end
    movl $A, %ecx
    movl %ecx, %es
    movl $B, %ecx
    movl %ecx, %fs
    movl $CODE1, %ecx
    lretl
    END
    CASE "ret outward to ring 1: segments of rings 0, 1, 3"
    pushl $DATA1+1
    pushl $ring1_stack_end
    pushl $CODE1+1
    pushl $user_end
    movl $USER_DATA, %ecx
    movl %ecx, %es
    movl $DATA1, %ecx
    movl %ecx, %fs
    lretl
    END
    CASE "ret imm outward: both stacks"
    pushl $USER_DATA
    pushl $user_stack_end-64
    pushl $0x55555555
    pushl $0x44444444
    pushl $USER_CODE
    pushl $user_end
    lretl $8
    END
    CASE "retw outward"
    movw $0x1234, 0x8000
    pushw $USER_DATA
    pushw $0x8000
    pushw $USER16+3
    pushw $0
    lretw
    END
    CASE "iretw outward"
    pushw $USER_DATA
    pushw $0x8000
    pushw $0x0202
    pushw $USER16+3
    pushw $0
    iretw
    END

/* IRET and flags. */
    .macro FLAGS text, value
    CASE "iret in ring 0, flags \text"
    pushl $\value
    pushl $CODE
    pushl $1f
    iretl
1:  pushfl
    popl %eax
    END
    CASE "iret in ring 3, flags \text"
    USER
    pushl $\value
    pushl $USER_CODE
    pushl $1f
    iretl
1:  pushfl
    popl %eax
    END
    CASE "popf in ring 3, flags \text"
    USER
    pushl $\value
    popfl
    pushfl
    popl %eax
    END
    CASE "popf in ring 0, flags \text"
    pushl $\value
    popfl
    pushfl
    popl %eax
    END
    .endm
    FLAGS "all low", 0x0fd5-0x100-0x200
    FLAGS "iopl 3", 0x3002
    FLAGS "ac, id", 0x240002
    FLAGS "nt is no help", 0x8002
    FLAGS "vif, vip", 0x180002
    FLAGS "rf", 0x10002
    CASE "popfw keeps the high half"
    pushl $0x240002
    popfl
    pushw $0x0003
    popfw
    pushfl
    popl %eax
    END
    CASE "iretw keeps the high half of eflags"
    pushl $0x240002
    popfl
    pushw $0x0003
    pushw $RING0_16
    pushw $0
    iretw
    END
    CASE "pushf shows neither VM nor RF"
    pushl $0x10002
    pushl $CODE
    pushl $1f
    iretl
1:  pushfl
    popl %eax
    END
    CASE "iret from ring 3 with NT set"
    USER
    pushl $0x4002
    popfl
    pushl $2
    pushl $USER_CODE
    pushl $1f
    iretl
1:  END

/* Call gates. `access` has DPL and type 0Ch or 4. */
    .macro GATE_CASES text, selector, target, access, parameters, rpl
    CASE "gate, call from ring 0: \text"
    SET_GATE gdt+GATE, \selector, \target, \access, \parameters
    lcall $GATE+\rpl, $0x12345678
    END
    CASE "gate, jmp from ring 0: \text"
    SET_GATE gdt+GATE, \selector, \target, \access, \parameters
    ljmp $GATE+\rpl, $0x12345678
    END
    CASE "gate, call from ring 3: \text"
    SET_GATE gdt+GATE, \selector, \target, \access, \parameters
    USER
    pushl $0x33333333
    pushl $0x22222222
    pushl $0x11111111
    lcall $GATE+\rpl, $0x12345678
    END
    CASE "gate, jmp from ring 3: \text"
    SET_GATE gdt+GATE, \selector, \target, \access, \parameters
    USER
    ljmp $GATE+\rpl, $0x12345678
    END
    .endm
    GATE_CASES "DPL 3", CODE, gate_look, P|DPL3|0xc, 0, 3
    GATE_CASES "DPL 3, RPL 0", CODE, gate_look, P|DPL3|0xc, 0, 0
    GATE_CASES "DPL 0", CODE, gate_look, P|0xc, 0, 0
    GATE_CASES "DPL 0, RPL 3", CODE, gate_look, P|0xc, 0, 3
    GATE_CASES "DPL 1", CODE, gate_look, P|DPL1|0xc, 0, 1
    GATE_CASES "not present", CODE, gate_look, DPL3|0xc, 0, 3
    GATE_CASES "3 parameters", CODE, gate_look, P|DPL3|0xc, 3, 3
    GATE_CASES "31 parameters", CODE, gate_look, P|DPL3|0xc, 31, 3
    GATE_CASES "null code", 0, gate_look, P|DPL3|0xc, 0, 3
    GATE_CASES "null code, RPL 3", 3, gate_look, P|DPL3|0xc, 0, 3
    GATE_CASES "data", DATA, gate_look, P|DPL3|0xc, 0, 3
    GATE_CASES "code of ring 3", USER_CODE, user_end, P|DPL3|0xc, 0, 3
    GATE_CASES "conforming", CONFORM, gate_look, P|DPL3|0xc, 2, 3
    GATE_CASES "RPL in the gate is ignored", CODE+3, gate_look, P|DPL3|0xc, 1, 3
    GATE_CASES "ring 1", CODE1, gate_look1, P|DPL3|0xc, 1, 3
    GATE_CASES "16-bit, ring 0", RING0_16, 0, P|DPL3|4, 0, 3
    GATE_CASES "16-bit, 3 parameters", RING0_16, 0, P|DPL3|4, 3, 3
    movw $0x80cd, 0x1234 /* INT 80h */
    GATE_CASES "16-bit gate, 32-bit code", CODE, 0x1234, P|DPL3|4, 2, 3
    GATE_CASES "32-bit gate, 16-bit code", RING0_16, 0, P|DPL3|0xc, 2, 3
    GATE_CASES "beyond the GDT", 0x1008, gate_look, P|DPL3|0xc, 0, 3
    SET_DESCRIPTOR A, 0, 0xfffff, CODE_READ-P, BIG|GRANULAR
    GATE_CASES "code not present", A, gate_look, P|DPL3|0xc, 0, 3
    SET_DESCRIPTOR A, 0, 0x10, CODE_READ, BIG
    GATE_CASES "code with a small limit", A, gate_look, P|DPL3|0xc, 1, 3

    CASE "ret through a gate, back to ring 3 with parameters"
    SET_GATE gdt+GATE, CODE, gate_return, P|DPL3|0xc, 2
    USER
    pushl $0x22222222
    pushl $0x11111111
    lcall $GATE+3, $0
    movl %esp, %ebx
    END
    CASE "iret to a call gate"
    pushfl
    pushl $GATE
    pushl $0
    iretl
    END
    CASE "ret to a call gate"
    pushl $GATE
    pushl $0
    lretl
    END

/* What is wrong with the stack of the inner ring: the TSS. */
    .macro INNER text, ss, esp
    CASE "inner stack: \text"
    SET_GATE gdt+GATE, CODE1, gate_look1, P|DPL3|0xc, 1
    movl $\ss, tss+0x10
    movl $\esp, tss+0x0c
    USER
    pushl $0x11111111
    lcall $GATE+3, $0
    END
    .endm
    INNER "good", DATA1+1, ring1_stack_end
    INNER "null", 0, ring1_stack_end
    INNER "null, RPL 1", 1, ring1_stack_end
    INNER "RPL 0", DATA1, ring1_stack_end
    INNER "RPL 3", DATA1+3, ring1_stack_end
    INNER "DPL 0", DATA+1, ring1_stack_end
    INNER "code", CODE1+1, ring1_stack_end
    INNER "beyond the GDT", 0x1009, ring1_stack_end
    INNER "in a missing LDT", 0x0d, ring1_stack_end
    SET_DESCRIPTOR A, 0, 0xfffff, DATA_WRITE|DPL1-P, BIG|GRANULAR
    INNER "not present", A+1, ring1_stack_end
    SET_DESCRIPTOR A, 0, 0xfffff, DATA_READ|DPL1, BIG|GRANULAR
    INNER "read-only", A+1, ring1_stack_end
    SET_DESCRIPTOR A, 0, 0x1000, DATA_WRITE|DPL1, BIG
    INNER "beyond its limit", A+1, 0x2000
    SET_DESCRIPTOR A, 0, 0xfffff, DATA_WRITE|DPL1, GRANULAR
    INNER "16 bits wide", A+1, 0x01f08000
    SET_DESCRIPTOR A, 0, 0xfffff, P|S|DPL1|2, BIG|GRANULAR
    INNER "gets accessed", A+1, ring1_stack_end
    CASE "inner stack: the accessed bit"
    NOTE_MEMORY 0, gdt+A + 4
    END
    CASE "inner stack: the TSS ends before it"
    movl $DATA1+1, tss+0x10
    movl $ring1_stack_end, tss+0x0c
    movw $0x0f, gdt+TSS_SELECTOR
    andb $0xfd, gdt+TSS_SELECTOR+5
    movl $TSS_SELECTOR, %ecx
    ltr %cx
    USER
    lcall $GATE+3, $0
    END
    CASE "the TSS as it was"
    movw $0x2067, gdt+TSS_SELECTOR
    andb $0xfd, gdt+TSS_SELECTOR+5
    movl $TSS_SELECTOR, %ecx
    ltr %cx
    END
    FINISH

user_end:
    nop
    int $COMPLETED_VECTOR
/* What a gate left on the stack, in registers; the ring is that of the gate. */
gate_look:
    movl (%esp), %eax
    movl 4(%esp), %ecx
    movl 8(%esp), %edx
    movl 12(%esp), %ebx
    movl 16(%esp), %esi
    movl 20(%esp), %edi
    movl %esp, %ebp
    int $COMPLETED_VECTOR
gate_look1:
    movl (%esp), %eax
    movl 4(%esp), %ecx
    movl 8(%esp), %edx
    movl 12(%esp), %ebx
    movl 16(%esp), %esi
    int $COMPLETED_VECTOR
gate_return:
    movl 8(%esp), %esi
    movl 12(%esp), %edi
    lretl $8

    .balign 16
    .code16
code16:
    movw %sp, %bp
    movl %ss:(%bp), %eax
    movl %ss:4(%bp), %ecx
    movl %ss:8(%bp), %edx
    int $COMPLETED_VECTOR
code16_look:
    pushfl
    popl %ebx
    int $COMPLETED_VECTOR
code16_return:
    movl $0x16161616, %eax
    lretl
    .code32
