/* Task switches: SDM 3A 7.2, 7.3 with tables 7-1 and 7-2; SDM 2A CALL, INT n, IRET, JMP. Paging is off. */
#include "system.inc"

    .set T2, (FREE + 0x00)      /* the TSS of the second task */
    .set T2_GATE, (FREE + 0x08) /* a task gate to it */
    .set A, (FREE + 0x10)
    .set T3, (FREE + 0x18)      /* a task for faults */
    .set LDT2, (FREE + 0x20)
    .set B, (FREE + 0x28)
    .set C16, (FREE + 0x30)     /* the code of a 16-bit task */
    .set V16, 0x90              /* a vector with a task gate to T2 */
    .set TSS_SIZE, 0x68

    PROGRAM

/* A case with the tasks as they are at first. */
    .macro TASK text:vararg
    CASE \text
    call reset_tasks
    .endm

/* What lies in the second task's TSS, before the switch: offset as in the manual's figure. */
    .macro T2_HAS offset, value
    movl $\value, tss2 + \offset
    .endm

/* Faults of this vector go to the third task, which notes the error code and the task that it came from. */
    .macro FAULT_TASK vector
    SET_GATE idt+\vector*8, T3, 0, (P | 5)
    .endm

    TASK "jmp to a TSS"
    ljmp $T2, $0
    END
    TASK "jmp to a TSS: the flags that are saved"
    pushl $0x200cd5
    popfl
    ljmp $T2, $0
    END
    TASK "what that left: descriptors"
    ljmp $T2, $0
    NOTE_MEMORY 0, gdt + T2 + 4
    END
    TASK "jmp through a task gate"
    ljmp $T2_GATE, $0x12345678
    END
    TASK "call of a TSS"
    lcall $T2, $0
    END
    TASK "call through a task gate"
    lcall $T2_GATE, $0
    END
    TASK "int through a task gate"
    int $V16
    END
    TASK "call, and iret back"
    T2_HAS 32, task2_iret
    lcall $T2, $0
    movl gdt + T2 + 4, %ecx
    movl gdt + TSS_SELECTOR + 4, %edx
    str %ebx
    pushfl
    popl %esi
    movl %cr0, %edi
    END
    TASK "call, iret back, and again: the task goes on behind its iret"
    T2_HAS 32, task2_iret
    lcall $T2, $0
    lcall $T2, $0
    movl tss2 + 40, %ecx
    movl tss2 + 36, %edx
    END
    TASK "int through a task gate, and iret back"
    T2_HAS 32, task2_iret
    int $V16
    movl tss2 + 36, %edx
    END
    TASK "nested calls"
    T2_HAS 32, task2_calls
    lcall $T2, $0
    movl tss3, %ecx
    movl tss2, %edx
    END
    TASK "a call of a task that called us"
    T2_HAS 32, task2_calls_back
    lcall $T2, $0
    END
    TASK "jmp clears the busy bit, and back"
    T2_HAS 32, task2_jumps_back
    ljmp $T2, $0
    movl gdt + T2 + 4, %ecx
    movl gdt + TSS_SELECTOR + 4, %edx
    movl %cr0, %edi
    END
    TASK "jmp with NT set"
    pushl $0x4002
    popfl
    ljmp $T2, $0
    END
    TASK "the new flags: all that a TSS can load, but VM"
    T2_HAS 36, 0x247ed7
    lcall $T2, $0
    END
    TASK "local breakpoints end with a task switch"
    movl $0x755, %eax
    movl %eax, %dr7
    T2_HAS 32, task2_reads_dr7
    ljmp $T2, $0
    END
    xorl %eax, %eax
    movl %eax, %dr7

/* Privilege. */
    TASK "from ring 3: a TSS of ring 0"
    USER
    lcall $T2 + 3, $0
    END
    TASK "from ring 3: a TSS of ring 3"
    SET_DESCRIPTOR T2, tss2, 0x67, (P | DPL3 | 9), 0
    USER
    lcall $T2 + 3, $0
    END
    TASK "from ring 3: a gate of ring 0"
    USER
    lcall $T2_GATE + 3, $0
    END
    TASK "from ring 3: a gate of ring 3 to a TSS of ring 0"
    SET_GATE gdt+T2_GATE, T2, 0, (P | DPL3 | 5)
    USER
    lcall $T2_GATE + 3, $0
    END
    TASK "from ring 3: int through a gate of ring 0"
    USER
    int $V16
    END
    TASK "from ring 3: int through a gate of ring 3"
    SET_GATE idt+V16*8, T2, 0, (P | DPL3 | 5)
    USER
    int $V16
    END
    TASK "from ring 3 and back there by iret"
    SET_GATE idt+V16*8, T2, 0, (P | DPL3 | 5)
    T2_HAS 32, task2_iret
    USER
    int $V16
    END
    TASK "a task of ring 3"
    T2_HAS 76, USER_CODE
    T2_HAS 80, USER_DATA
    T2_HAS 72, USER_DATA
    T2_HAS 84, USER_DATA
    T2_HAS 88, USER_DATA
    T2_HAS 56, user_stack_end
    lcall $T2, $0
    END
    TASK "a task of ring 1"
    SET_DESCRIPTOR A, 0, 0xfffff, (CODE_READ | DPL1), (BIG | GRANULAR)
    SET_DESCRIPTOR B, 0, 0xfffff, (DATA_WRITE | DPL1), (BIG | GRANULAR)
    T2_HAS 76, (A+1)
    T2_HAS 80, (B+1)
    T2_HAS 72, USER_DATA
    T2_HAS 84, USER_DATA
    T2_HAS 88, USER_DATA
    lcall $T2, $0
    END
    TASK "RPL above the TSS's DPL"
    ljmp $T2 + 1, $0
    END
    TASK "RPL above the gate's DPL"
    ljmp $T2_GATE + 2, $0
    END

/* What is refused: the old task goes on. */
    .macro REFUSED text, access, limit
    TASK "jmp: TSS \text"
    SET_DESCRIPTOR T2, tss2, \limit, \access, 0
    ljmp $T2, $0
    END
    TASK "call: TSS \text"
    SET_DESCRIPTOR T2, tss2, \limit, \access, 0
    lcall $T2, $0
    END
    TASK "call through a gate: TSS \text"
    SET_DESCRIPTOR T2, tss2, \limit, \access, 0
    lcall $T2_GATE, $0
    END
    TASK "int: TSS \text"
    SET_DESCRIPTOR T2, tss2, \limit, \access, 0
    int $V16
    END
    .endm
    REFUSED "busy", (P | 0xb), 0x67
    REFUSED "not present", 9, 0x67
    REFUSED "too short", (P | 9), 0x66
    REFUSED "of 16 bits too short", (P | 1), 0x2a
    REFUSED "is an LDT", (P | 2), 0x67
    REFUSED "is an interrupt gate", (P | 0xe), 0x67

    .macro BAD_GATE text, selector, access
    TASK "jmp: gate \text"
    SET_GATE gdt+T2_GATE, \selector, 0, \access
    ljmp $T2_GATE, $0
    END
    TASK "int: gate \text"
    SET_GATE idt+V16*8, \selector, 0, \access
    int $V16
    END
    .endm
    BAD_GATE "not present", T2, 5
    BAD_GATE "names the LDT", (T2 | 4), (P | 5)
    BAD_GATE "names null", 0, (P | 5)
    BAD_GATE "names what is beyond the GDT", 0x1008, (P | 5)
    BAD_GATE "names data", DATA, (P | 5)
    BAD_GATE "has an RPL", (T2 + 3), (P | 5)

/* IRET with NT. */
    .macro LINK text, selector, access
    TASK "iret: \text"
    SET_DESCRIPTOR T2, tss2, 0x67, \access, 0
    movw $\selector, tss
    pushl $0x4002
    popfl
    iretl
    END
    .endm
    LINK "to a busy task", T2, (P | 0xb)
    LINK "to a task that is not busy", T2, (P | 9)
    LINK "to a task that is not present", T2, 0xb
    LINK "link is null", 0, (P | 0xb)
    LINK "link names the LDT", (T2 | 4), (P | 0xb)
    LINK "link is beyond the GDT", 0x1008, (P | 0xb)
    LINK "link is data", DATA, (P | 0xb)
    LINK "link to a 16-bit task that is not busy", T2, (P | 1)
    TASK "iret: NT is clear in the image of the task that is left"
    SET_DESCRIPTOR T2, tss2, 0x67, (P | 0xb), 0
    movw $T2, tss
    pushl $0x4ad7
    popfl
    iretl
    END
    TASK "iret: to a busy task, from ring 3"
    SET_DESCRIPTOR T2, tss2, 0x67, (P | 0xb), 0
    movw $T2, tss
    USER
    pushl $0x4002
    popfl
    iretl
    END

/* Faults of the new task; the ones that leave no stack go to a task. */
    .macro WRONG text, offset, selector, base, limit, access, flags
    TASK "new task: \text"
    SET_DESCRIPTOR A, \base, \limit, \access, \flags
    FAULT_TASK 10
    FAULT_TASK 11
    FAULT_TASK 12
    FAULT_TASK 13
    T2_HAS \offset, \selector
    lcall $T2, $0
    END
    .endm
    WRONG "CS null", 76, 0, 0, 0, 0, 0
    WRONG "CS null with RPL 3", 76, 3, 0, 0, 0, 0
    WRONG "CS beyond the GDT", 76, 0x1008, 0, 0, 0, 0
    WRONG "CS in an LDT that is not there", 76, 0xc, 0, 0, 0, 0
    WRONG "CS is data", 76, A, 0, 0xfffff, DATA_WRITE, (BIG | GRANULAR)
    WRONG "CS is a system segment", 76, A, 0, 0xfffff, (P | 2), (BIG | GRANULAR)
    WRONG "CS DPL above RPL", 76, A, 0, 0xfffff, (CODE_READ | DPL3), (BIG | GRANULAR)
    WRONG "CS conforming, DPL above RPL", 76, A, 0, 0xfffff, (CODE_CONFORMING | DPL3), (BIG | GRANULAR)
    WRONG "CS conforming, good", 76, A, 0, 0xfffff, CODE_CONFORMING, (BIG | GRANULAR)
    WRONG "CS execute-only, good", 76, A, 0, 0xfffff, CODE_ONLY, (BIG | GRANULAR)
    WRONG "CS not present", 76, A, 0, 0xfffff, (S | 0xb), (BIG | GRANULAR)
    WRONG "CS too short for EIP", 76, A, 0, 0xff, CODE_READ, BIG
    WRONG "SS null", 80, 0, 0, 0, 0, 0
    WRONG "SS beyond the GDT", 80, 0x1008, 0, 0, 0, 0
    WRONG "SS is code", 80, A, 0, 0xfffff, CODE_READ, (BIG | GRANULAR)
    WRONG "SS is read-only", 80, A, 0, 0xfffff, DATA_READ, (BIG | GRANULAR)
    WRONG "SS DPL 3", 80, A, 0, 0xfffff, (DATA_WRITE | DPL3), (BIG | GRANULAR)
    WRONG "SS RPL 3", 80, (A + 3), 0, 0xfffff, DATA_WRITE, (BIG | GRANULAR)
    WRONG "SS not present", 80, A, 0, 0xfffff, (S | 3), (BIG | GRANULAR)
    .irp offset, 72, 84, 88, 92
    WRONG "data segment at \offset beyond the GDT", \offset, 0x1008, 0, 0, 0, 0
    WRONG "data segment at \offset is a system segment", \offset, A, 0, 0xfffff, (P | 9), (BIG | GRANULAR)
    WRONG "data segment at \offset cannot be read", \offset, A, 0, 0xfffff, CODE_ONLY, (BIG | GRANULAR)
    WRONG "data segment at \offset RPL above DPL", \offset, (A + 3), 0, 0xfffff, DATA_WRITE, (BIG | GRANULAR)
    WRONG "data segment at \offset conforming, RPL 3", \offset, (A + 3), 0, 0xfffff, CODE_CONFORMING, (BIG | GRANULAR)
    WRONG "data segment at \offset not present", \offset, A, 0, 0xfffff, (S | 3), (BIG | GRANULAR)
    WRONG "data segment at \offset null", \offset, 0, 0, 0, 0, 0
    .endr
    WRONG "LDT null", 96, 0, 0, 0, 0, 0
    WRONG "LDT in itself", 96, (LDT2 | 4), 0, 0, 0, 0
    WRONG "LDT beyond the GDT", 96, 0x1008, 0, 0, 0, 0
    WRONG "LDT is data", 96, DATA, 0, 0, 0, 0
    WRONG "LDT not present", 96, A, ldt, 15, 2, 0
    WRONG "LDT good", 96, LDT2, 0, 0, 0, 0
    TASK "new task: segments of its LDT"
    T2_HAS 96, LDT2
    T2_HAS 76, 0x0c
    T2_HAS 92, 0x14
    lcall $T2, $0
    END
    TASK "new task: DS not present, on its own stack"
    SET_DESCRIPTOR A, 0, 0xfffff, (S | 3), (BIG | GRANULAR)
    T2_HAS 84, A
    lcall $T2, $0
    END
    TASK "new task: GS bad, after int: #TS without EXT"
    T2_HAS 92, 0x1008
    int $V16
    END
    TASK "new task: GS bad, after a fault: #DF"
    T2_HAS 92, 0x1008
    SET_GATE idt+13*8, T2, 0, (P | 5)
    movl $0x1008, %ecx
    movl %ecx, %es
    END
    TASK "new task: GS bad, after #UD: #TS with EXT"
    T2_HAS 92, 0x1008
    SET_GATE idt+6*8, T2, 0, (P | 5)
    ud2
    END

/* Faults through task gates. */
    TASK "#GP through a task gate"
    FAULT_TASK 13
    movl $0x1008, %ecx
    movl %ecx, %es
    END
    TASK "#UD through a task gate: no error code"
    SET_GATE idt+6*8, T2, 0, (P | 5)
    ud2
    END
    TASK "#DF through a task gate"
    SET_RAW A, 0, 0
    FAULT_TASK 8
    movl $0, idt + 13 * 8 + 4
    movl $0x1008, %ecx
    movl %ecx, %es
    END
    TASK "#DF because there is no stack"
    FAULT_TASK 8
    movl $0x1008, tss + 8
    USER
    ud2
    END
    TASK "#GP through a task gate whose TSS is busy: #DF"
    FAULT_TASK 8
    SET_GATE idt+13*8, TSS_SELECTOR, 0, (P | 5)
    movl $0x1008, %ecx
    movl %ecx, %es
    END
    TASK "#UD through a task gate whose TSS is busy: #GP with EXT"
    SET_GATE idt+6*8, TSS_SELECTOR, 0, (P | 5)
    ud2
    END
    TASK "#GP through a task gate to a 16-bit TSS"
    SET_DESCRIPTOR T2, tss16, 0x2b, (P | 1), 0
    SET_GATE idt+13*8, T2, 0, (P | 5)
    movl $0x1008, %ecx
    movl %ecx, %es
    END
    TASK "#GP through a task gate: no room for the error code"
    FAULT_TASK 8
    SET_GATE idt+13*8, T2, 0, (P | 5)
    SET_DESCRIPTOR A, 0, 0xfff, DATA_WRITE, BIG
    T2_HAS 80, A
    T2_HAS 56, 0x2000
    movl $0x1008, %ecx
    movl %ecx, %es
    END

/* 16-bit TSSs. */
    TASK "jmp to a 16-bit TSS"
    SET_DESCRIPTOR T2, tss16, 0x2b, (P | 1), 0
    ljmp $T2, $0
    END
    TASK "call of a 16-bit TSS, and back"
    SET_DESCRIPTOR T2, tss16, 0x2b, (P | 1), 0
    movw $task16_iret - task16, tss16 + 14
    pushl $0x200002
    popfl
    lcall $T2, $0
    movl tss16, %ecx
    movl tss16 + 14, %edx
    movl tss16 + 16, %esi
    END
    TASK "from a 16-bit TSS: what is saved"
    SET_DESCRIPTOR T2, tss16, 0x2b, (P | 1), 0
    movw $task16_jumps - task16, tss16 + 14
    ljmp $T2, $0
    END
    TASK "a 16-bit TSS that is too short to leave"
    SET_DESCRIPTOR A, tss16, 0x28, (P | 1), 0
    movl $A, %ecx
    ltr %cx
    ljmp $T2, $0
    END
    TASK "a 16-bit TSS that is just long enough to leave"
    SET_DESCRIPTOR A, tss16, 0x29, (P | 1), 0
    movl $A, %ecx
    ltr %cx
    ljmp $T2, $0
    END
    TASK "a 32-bit TSS that is just long enough to leave"
    SET_DESCRIPTOR A, tss, 0x5f, (P | 9), 0
    movl $A, %ecx
    ltr %cx
    ljmp $T2, $0
    END
    TASK "a 32-bit TSS that is too short to leave"
    SET_DESCRIPTOR A, tss, 0x5e, (P | 9), 0
    movl $A, %ecx
    ltr %cx
    ljmp $T2, $0
    END
    TASK "a TSS with an LDT of 16 bits' task"
    SET_DESCRIPTOR T2, tss16, 0x2b, (P | 1), 0
    movw $LDT2, tss16 + 42
    movw $0x14, tss16 + 40
    ljmp $T2, $0
    END

    TASK "the T bit"
    T2_HAS 100, 0x00680001
    lcall $T2, $0
    END
    TASK "the T bit of the task that is left means nothing"
    movb $1, tss + 100
    lcall $T2, $0
    END
    movb $0, tss + 100

/* Virtual-8086 mode by task switch. */
    TASK "a task in virtual-8086 mode"
    T2_HAS 36, 0x20002
    T2_HAS 32, 8
    T2_HAS 76, 0x10
    T2_HAS 80, 0x1000
    T2_HAS 56, 0x8000
    T2_HAS 72, 0x2001
    T2_HAS 84, 0x2002
    T2_HAS 88, 0x2003
    T2_HAS 92, 0xffff
    movl $0x00cd9090, 0x108
    movb $COMPLETED_VECTOR, 0x10b
    lcall $T2, $0
    END
    TASK "a task in virtual-8086 mode that is left by int through a task gate"
    T2_HAS 36, 0x23002
    T2_HAS 32, 8
    T2_HAS 76, 0x10
    T2_HAS 80, 0x1000
    SET_GATE idt+V16*8, T3, 0, (P | DPL3 | 5)
    movl $0x00cd9090, 0x108
    movb $V16, 0x10b
    lcall $T2, $0
    END

    call reset_tasks
    FINISH

/* All as it was: descriptors, TSSs, gates, TR, LDTR, CR0.TS. Registers and flags stay. */
reset_tasks:
    pushfl
    pushal
    movw $DATA, %ax
    movw %ax, %ds
    movw %ax, %es
    movl $plain_tss, %esi
    movl $tss2, %edi
    movl $TSS_SIZE / 4, %ecx
    rep movsl
    movl $plain_tss, %esi
    movl $tss3, %edi
    movl $TSS_SIZE / 4, %ecx
    rep movsl
    movl $task3, tss3 + 32
    movl $stack3, tss3 + 56
    movl $plain_tss16, %esi
    movl $tss16, %edi
    movl $11, %ecx
    rep movsl
    movw $0, tss
    movl $DATA, tss + 8
    SET_DESCRIPTOR T2, tss2, 0x67, (P | 9), 0
    SET_DESCRIPTOR T3, tss3, 0x67, (P | 9), 0
    SET_DESCRIPTOR LDT2, ldt, 23, (P | 2), 0
    SET_DESCRIPTOR C16, task16, 0xffff, CODE_READ, 0
    SET_GATE gdt+T2_GATE, T2, 0, (P | 5)
    SET_GATE idt+V16*8, T2, 0, (P | 5)
    .irp vector, 6, 8, 10, 11, 12, 13
    SET_GATE idt+\vector*8, CODE, stubs+\vector*16, (P | 0xe)
    .endr
    andb $0xfd, gdt + TSS_SELECTOR + 5
    movl $TSS_SELECTOR, %eax
    ltr %ax
    xorl %eax, %eax
    lldt %ax
    clts
    popal
    popfl
    ret

/* Tasks. */
task2:
    int $COMPLETED_VECTOR
task2_iret:
    incl %eax
    iretl
    addl $0x10, %eax
    iretl
task2_calls:
    movl $task3_iret, tss3 + 32
    lcall $T3, $0
    iretl
task2_calls_back:
    lcall $TSS_SELECTOR, $0
    int $COMPLETED_VECTOR
task2_jumps_back:
    ljmp $TSS_SELECTOR, $0
task2_reads_dr7:
    movl %dr7, %ecx
    int $COMPLETED_VECTOR
task3_iret:
    iretl
task3:
    popl %eax
    NOTE 0, %eax
    movzwl tss3, %eax
    NOTE 1, %eax
    movl tss2 + 32, %eax
    NOTE 2, %eax
    int $COMPLETED_VECTOR

    .code16
task16:
    int $COMPLETED_VECTOR
task16_iret:
    incw %ax
    iretw
task16_jumps:
    movl $0x12345678, %ecx
    ljmp $TSS_SELECTOR, $0
    .code32

    .data
    .balign 16
plain_tss:
    .long 0, ring0_stack_end, DATA, 0, 0, 0, 0, 0
    .long task2, 2
    .long 0x2a2a2a2a, 0x2c2c2c2c, 0x2d2d2d2d, 0x2b2b2b2b, stack2, 0x25252525, 0x26262626, 0x27272727
    .long DATA, CODE, DATA, DATA, DATA, 0
    .long 0, 0x00680000
plain_tss16:
    .word 0, 0, 0, 0, 0, 0, 0
    .word 0, 2
    .word 0x6a6a, 0x6c6c, 0x6d6d, 0x6b6b, 0x7ff0, 0x6565, 0x6666, 0x6767
    .word DATA, C16, DATA16, DATA
    .word 0
    .balign 16
tss2:
    .skip TSS_SIZE
    .balign 16
tss3:
    .skip TSS_SIZE
    .balign 16
tss16:
    .skip 48
ldt:
    DESCRIPTOR 0, 0, 0, 0
    DESCRIPTOR 0, 0xfffff, CODE_READ, BIG | GRANULAR
    DESCRIPTOR 0x100000, 0xfff, DATA_WRITE, BIG | GRANULAR

    .section .scratch
    .balign 16
    .skip 1024
stack2:
    .skip 1024
stack3:
    .skip 16
