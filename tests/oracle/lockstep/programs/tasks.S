/*
 * Task switches by JMP, CALL, gates, interrupts and IRET, and what goes wrong in them (SDM 3A 7).
 *
 * run: fullqemu
 */
#include "system.inc"

    .set A, FREE+0x00
    .set TSS2, FREE+0x08
    .set GATE, FREE+0x10
    .set LDT2, FREE+0x18
    .set TSS3, FREE+0x20    /* 16 bits */
    .set FAULTS, FREE+0x40  /* TSSs of tasks for #TS, #NP, #SS, #GP, #PF */
    .set VECTOR, 0x90

    PROGRAM

/* tss2 as a task that begins at `eip` in ring 0, or in ring 3. */
    .macro TASK eip, cs=CODE, ss=DATA, esp=ring2_stack_end, flags=2
    call fill_tss2
    movl $\eip, tss2+0x20
    movl $\flags, tss2+0x24
    movl $\esp, tss2+0x38
    movl $\cs, tss2+0x4c
    movl $\ss, tss2+0x50
    .endm

/* What a case left in both TSSs, as cases of their own; and everything as it was. */
    .macro LEFT text
    CASE "\text: the old TSS"
    movl tss+0x20, %eax
    movl tss+0x24, %ecx
    movl tss+0x38, %edx
    movl tss+0x48, %ebx
    movl tss+0x4c, %esi
    movl tss+0x54, %edi
    movl tss+0x28, %ebp
    NOTE 0, %esi
    movl gdt+TSS_SELECTOR+4, %esi
    END
    CASE "\text: the new TSS"
    movl tss2, %eax
    movl tss2+0x20, %ecx
    movl tss2+0x24, %edx
    movl tss2+0x38, %ebx
    movl gdt+TSS2+4, %esi
    str %edi
    movl %cr0, %ebp
    END
    call tasks_again
    .endm

/* One way into a task, from ring 0. */
    .macro TRY text, instruction
    CASE "\text"
    \instruction
    END
    LEFT "\text"
    .endm


    call tasks_again
    TASK task_look
    TRY "jmp to a TSS", "ljmp $TSS2, $0x1234"
    TASK task_look
    TRY "call to a TSS", "lcall $TSS2, $0x1234"
    TASK task_look
    SET_GATE gdt+GATE, TSS2, 0, P|5
    TRY "jmp through a task gate", "ljmp $GATE, $0"
    TASK task_look
    TRY "call through a task gate", "lcall $GATE, $0"
    TASK task_look
    SET_GATE idt+VECTOR*8, TSS2, 0, P|DPL3|5
    TRY "interrupt through a task gate", "int $VECTOR"
    TASK task_look
    TRY "interrupt through a task gate from ring 3", "USER; int $VECTOR"
    TASK task_look
    SET_GATE idt+VECTOR*8, TSS2, 0, P|5
    TRY "interrupt through a task gate of DPL 0 from ring 3", "USER; int $VECTOR"
    TASK task_return
    TRY "call, and IRET back", "lcall $TSS2, $0; movl $0x11111111, %ebx"
    TASK task_return
    SET_GATE idt+VECTOR*8, TSS2, 0, P|DPL3|5
    TRY "interrupt, and IRET back to ring 3", "USER; int $VECTOR; movl $0x11111111, %ebx"
    TASK task_look, USER_CODE, USER_DATA, user_stack_end, 0x3202
    TRY "jmp to a task in ring 3", "ljmp $TSS2, $0"
    TASK task_look, USER_CODE, USER_DATA, user_stack_end, 0x3202
    TRY "call to a task in ring 3", "lcall $TSS2, $0"
    TASK task_look, CODE, DATA, ring2_stack_end, 0x4002
    movl $TSS2, %eax
    movw %ax, tss
    orb $2, gdt+TSS2+5
    TRY "IRET with NT to a busy TSS", "pushl $0x4002; popfl; iretl"
    TASK task_look
    movl $TSS2, %eax
    movw %ax, tss
    TRY "IRET with NT to a TSS that is not busy", "pushl $0x4002; popfl; iretl"
    TASK task_look
    movw $0, tss
    TRY "IRET with NT and no back link", "pushl $0x4002; popfl; iretl"
    TASK task_look
    movw $0x0c, tss
    TRY "IRET with NT to the LDT", "pushl $0x4002; popfl; iretl"
    TASK task_look
    movw $DATA, tss
    TRY "IRET with NT to data", "pushl $0x4002; popfl; iretl"
    TASK task_look
    movw $0x1008, tss
    TRY "IRET with NT beyond the GDT", "pushl $0x4002; popfl; iretl"

/* The selector and the descriptor. */
    TASK task_look
    TRY "jmp to a busy TSS: our own", "ljmp $TSS_SELECTOR, $0"
    TASK task_look
    TRY "call to a busy TSS: our own", "lcall $TSS_SELECTOR, $0"
    TASK task_look
    andb $0x7f, gdt+TSS2+5
    TRY "jmp to a TSS that is not present", "ljmp $TSS2, $0"
    TASK task_look
    andb $0x7f, gdt+TSS2+5
    TRY "call to a TSS that is not present", "lcall $TSS2, $0"
    TASK task_look
    movw $0x66, gdt+TSS2
    TRY "jmp to a TSS that is too short", "ljmp $TSS2, $0"
    TASK task_look
    movw $0x66, gdt+TSS2
    TRY "interrupt to a TSS that is too short", "int $VECTOR"
    TASK task_look
    TRY "jmp with RPL 3 from ring 0", "ljmp $TSS2+3, $0"
    TASK task_look
    TRY "jmp from ring 3 to DPL 0", "USER; ljmp $TSS2+3, $0"
    TASK task_look
    orb $0x60, gdt+TSS2+5
    TRY "jmp from ring 3 to DPL 3", "USER; ljmp $TSS2+3, $0"
    TASK task_look
    SET_GATE gdt+GATE, TSS2, 0, P|DPL3|5
    TRY "jmp from ring 3 through a gate of DPL 3", "USER; ljmp $GATE+3, $0"
    TASK task_look
    TRY "call from ring 3 through a gate of DPL 3", "USER; lcall $GATE+3, $0"
    TASK task_look
    SET_GATE gdt+GATE, TSS2, 0, P|5
    TRY "jmp from ring 3 through a gate of DPL 0", "USER; ljmp $GATE+3, $0"
    TASK task_look
    SET_GATE gdt+GATE, TSS2, 0, 5
    TRY "jmp through a gate that is not present", "ljmp $GATE, $0"
    .irp selector, 0, 3, 0x0c, 0x1008, DATA, CODE, TSS_SELECTOR, TSS2+4
    TASK task_look
    SET_GATE gdt+GATE, \selector, 0, P|DPL3|5
    TRY "jmp through a gate to selector \selector", "ljmp $GATE, $0"
    TASK task_look
    SET_GATE idt+VECTOR*8, \selector, 0, P|DPL3|5
    TRY "interrupt through a gate to selector \selector", "int $VECTOR"
    .endr
    SET_GATE idt+VECTOR*8, TSS2, 0, P|DPL3|5
    TASK task_look
    TRY "ret to a TSS", "pushl $TSS2; pushl $0; lretl"
    TASK task_look
    TRY "iret to a TSS", "pushfl; pushl $TSS2; pushl $0; iretl"

/* What the new TSS says is checked in the new task, whose stack may be no good: the handlers are tasks. */
    .irp vector, 10, 11, 12, 13
    SET_GATE idt+\vector*8, FAULTS+(\vector-10)*8, 0, P|5
    .endr
    .macro FIELD text, offset, value, cs=CODE, ss=DATA, esp=ring2_stack_end
    TASK task_look, \cs, \ss, \esp
    movl $\value, tss2+\offset
    TRY "new \text", "ljmp $TSS2, $0"
    .endm
    .macro SELECTORS text, offset, cs=CODE, ss=DATA, esp=ring2_stack_end
    FIELD "\text: null", \offset, 0, \cs, \ss, \esp
    FIELD "\text: null, RPL 3", \offset, 3, \cs, \ss, \esp
    FIELD "\text: beyond the GDT", \offset, 0x1008, \cs, \ss, \esp
    FIELD "\text: in the LDT", \offset, 0x0c, \cs, \ss, \esp
    FIELD "\text: code", \offset, CODE, \cs, \ss, \esp
    FIELD "\text: data", \offset, DATA, \cs, \ss, \esp
    FIELD "\text: user code", \offset, USER_CODE, \cs, \ss, \esp
    FIELD "\text: user data", \offset, USER_DATA, \cs, \ss, \esp
    FIELD "\text: data with RPL 3", \offset, DATA+3, \cs, \ss, \esp
    FIELD "\text: a TSS", \offset, TSS_SELECTOR, \cs, \ss, \esp
    .endm
    SELECTORS "cs", 0x4c
    SELECTORS "ss", 0x50
    SELECTORS "ds", 0x54
    SELECTORS "fs", 0x58
    SELECTORS "es", 0x48
    SELECTORS "ds of ring 3", 0x54, USER_CODE, USER_DATA, user_stack_end
    SELECTORS "ldt", 0x60
    SET_DESCRIPTOR A, 0, 0xfffff, CODE_READ-P, BIG|GRANULAR
    FIELD "cs: not present", 0x4c, A
    SET_DESCRIPTOR A, 0, 0xfffff, DATA_WRITE-P, BIG|GRANULAR
    FIELD "ss: not present", 0x50, A
    FIELD "ds: not present", 0x54, A
    SET_DESCRIPTOR A, 0, 0xfffff, DATA_READ, BIG|GRANULAR
    FIELD "ss: read-only", 0x50, A
    SET_DESCRIPTOR A, 0, 0x10, CODE_READ, BIG
    FIELD "cs: a small limit", 0x4c, A
    SET_DESCRIPTOR A, 0, 0xfffff, CODE_CONFORMING, BIG|GRANULAR
    FIELD "cs: conforming", 0x4c, A
    SET_DESCRIPTOR A, 0, 0xfffff, CODE_ONLY, BIG|GRANULAR
    FIELD "cs: execute-only", 0x4c, A
    FIELD "ds: execute-only code", 0x54, A
    SET_DESCRIPTOR A, 0, 0xfffff, P|S|2, BIG|GRANULAR
    FIELD "es: gets accessed", 0x48, A
    SET_DESCRIPTOR LDT2, ldt2, 0x17, P|2, 0
    FIELD "ldt: good", 0x60, LDT2
    TASK task_look, 0x0c
    movl $LDT2, tss2+0x60
    TRY "new cs from the new LDT", "ljmp $TSS2, $0"
    TASK task_look, CODE, 0x14
    movl $LDT2, tss2+0x60
    TRY "new ss from the new LDT", "ljmp $TSS2, $0"
    SET_DESCRIPTOR LDT2, ldt2, 0x17, 2, 0
    FIELD "ldt: not present", 0x60, LDT2
    FIELD "flags: TF and the rest", 0x24, 0x257cd7
    FIELD "flags: T bit set", 0x64, 0x00680001

/* A 16-bit TSS. */
    .macro TASK16
    call fill_tss3
    .endm
    TASK16
    TRY "jmp to a 16-bit TSS", "ljmp $TSS3, $0"
    TASK16
    TRY "call to a 16-bit TSS", "lcall $TSS3, $0"
    TASK16
    movw $0x2a, gdt+TSS3
    TRY "jmp to a 16-bit TSS that is too short", "ljmp $TSS3, $0"
    CASE "a call from a 16-bit TSS"
    TASK16
    movl $TSS3, %ecx
    andb $0xfd, gdt+TSS3+5
    ltr %cx
    TASK task_look
    movl $0x12345678, %esi
    lcall $TSS2, $0
    END
    CASE "a call from a 16-bit TSS: what it saved"
    movzwl tss3+0x0e, %eax
    movzwl tss3+0x10, %ecx
    movzwl tss3+0x1a, %edx
    movzwl tss3+0x22, %ebx
    movzwl tss3+0x1e, %esi
    movzwl tss3+0x28, %edi
    END
    call tasks_again

    .irp vector, 10, 11, 12, 13
    SET_GATE idt+\vector*8, CODE, stubs+\vector*16, P|14
    .endr

/* TS. */
    TASK task_look
    TRY "a task switch sets TS", "ljmp $TSS2, $0"
    clts

/* #DF through a task gate: a bad stack in ring 0 is survived. */
    TASK task_look
    SET_GATE idt+8*8, TSS2, 0, P|5
    TRY "#SS on a bad stack: #DF by a task gate", "movl $A, %ecx; call bad_stack; movl $0x8000, %esp; pushl %eax"
    FINISH

bad_stack:
    SET_DESCRIPTOR A, 0, 0x1000, DATA_WRITE, BIG
    movl (%esp), %edx
    movl %ecx, %ss
    jmp *%edx

/* Tasks for faults: EAX vector, ECX error code, EDX the task in which it was. */
    .irp vector, 10, 11, 12, 13
fault_task\vector:
    movl $\vector, %eax
    movl fault_tss+(\vector-10)*0x68, %edx
    popl %ecx
    int $COMPLETED_VECTOR
    .endr

task_look:
    int $COMPLETED_VECTOR
task_return:
    movl $0x22222222, %eax
    iretl
    jmp task_return

/* The TSSs and TR as cases expect them. */
tasks_again:
    movw $0x2067, gdt+TSS_SELECTOR
    movb $0x89, gdt+TSS_SELECTOR+5
    movl $TSS_SELECTOR, %eax
    ltr %ax
    xorl %eax, %eax
    lldt %ax
    movl %eax, tss
    movl %eax, tss+0x60
    clts
    SET_DESCRIPTOR TSS2, tss2, 0x67, P|9, 0
    SET_DESCRIPTOR TSS3, tss3, 0x2b, P|1, 0
    movl $tss2, %edi
    movl $0x68/4, %ecx
    rep stosl
    .irp vector, 10, 11, 12, 13
    SET_DESCRIPTOR FAULTS+(\vector-10)*8, fault_tss+(\vector-10)*0x68, 0x67, P|9, 0
    movl $fault_task\vector, fault_tss+(\vector-10)*0x68+0x20
    .endr
    pushl $2
    pushl $CODE
    pushl $1f
    iretl
1:  ret
fill_tss2:
    movl $ring0_stack_end, tss2+4
    movl $DATA, tss2+8
    movl $0x0a2a2a2a, tss2+0x28
    movl $0x0c2c2c2c, tss2+0x2c
    movl $0x0d2d2d2d, tss2+0x30
    movl $0x0b2b2b2b, tss2+0x34
    movl $0x0b2e0b2e, tss2+0x3c
    movl $0x02525252, tss2+0x40
    movl $0x02d12d12, tss2+0x44
    movl $USER_DATA, tss2+0x48
    movl $USER_DATA, tss2+0x54
    movl $USER_DATA, tss2+0x58
    movl $USER_DATA, tss2+0x5c
    movl $0, tss2+0x60
    movl $0x680000, tss2+0x64
    ret
fill_tss3:
    SET_DESCRIPTOR A, task16-0x100, 0xffff, CODE_READ, 0
    movl $tss3, %edi
    movl $values16, %esi
    movl $0x2c/2, %ecx
    rep movsw
    ret

    .balign 16
    .code16
task16:
    movl %esp, %ebp
    int $COMPLETED_VECTOR
    .code32

    .section .rodata
values16:
    .word 0, 0x7000, DATA, 0, 0, 0, 0, 0x100, 2
    .word 0x1a1a, 0x1c1c, 0x1d1d, 0x1b1b, 0x7800, 0x1b1e, 0x1515, 0x1d11
    .word USER_DATA, A, DATA16, USER_DATA, 0
    .data
    .balign 16
fault_tss:
    .rept 4
    .long 0, ring0_stack_end, DATA, 0, 0, 0, 0, 0, 0, 2
    .long 0, 0, 0, 0, ring1_stack_end, 0, 0, 0
    .long DATA, CODE, DATA, DATA, DATA, DATA, 0, 0x680000
    .endr
tss2:
    .skip 0x68
    .balign 16
tss3:
    .skip 0x2c
    .balign 8
ldt2:
    DESCRIPTOR 0, 0, 0, 0
    DESCRIPTOR 0, 0xfffff, CODE_READ, BIG|GRANULAR
    DESCRIPTOR 0, 0xfffff, DATA_WRITE, BIG|GRANULAR
