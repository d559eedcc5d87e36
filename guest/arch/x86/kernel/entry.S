/*
 * Every way into the kernel and out of it. On entry the CPU has pushed SS and ESP (only when it came from
 * user mode), EFLAGS, CS, EIP, and for some exceptions an error code; the stubs complete that to a struct
 * pt_regs.
 */
#include "asm/ptrace.h"
#include "asm/segment.h"
#include "asm/trapnr.h"

.macro EX_TABLE insn, fixup
    .section __ex_table, "a"
    .balign 8
    .long \insn, \fixup
    .previous
.endm

.macro SAVE_BELOW_FS
    pushl %fs
    pushl %es
    pushl %ds
    pushl %eax
    pushl %ebp
    pushl %edi
    pushl %esi
    pushl %edx
    pushl %ecx
    pushl %ebx
    cld
    movl $__KERNEL_DS, %edx
    movl %edx, %ds
    movl %edx, %es
.endm

.macro RESTORE_INT_REGS
    popl %ebx
    popl %ecx
    popl %edx
    popl %esi
    popl %edi
    popl %ebp
    popl %eax
.endm

    .text

/*
 * Exceptions. A stub pushes a 0 where the CPU pushes no error code, then its vector into the place of gs,
 * from where error_entry takes it.
 */
#define TRAP(vector, has_error_code, signal, name) \
    trap_##vector: ; .if !has_error_code ; pushl $0 ; .endif ; pushl $vector ; jmp error_entry ;
#include "asm/traps.def"
#undef TRAP

error_entry:
    SAVE_BELOW_FS
    movl PT_GS(%esp), %edx      /* vector */
    movl %gs, %ecx
    movl %ecx, PT_GS(%esp)
    movl PT_ORIG_AX(%esp), %ecx /* error code */
    movl $-1, PT_ORIG_AX(%esp)  /* not a system call */
    movl %esp, %eax
    pushl %ecx
    pushl %edx
    pushl %eax
    call do_trap                /* (regs, vector, error_code) */
    addl $12, %esp
    jmp ret_from_exception

/* Hardware interrupts: ~IRQ in orig_ax. */
    .altmacro
.macro IRQ_STUB irq
irq_\irq:
    pushl $~\irq
    jmp common_interrupt
.endm
    .set irq, 0
    .rept NR_IRQS
    IRQ_STUB %irq
    .set irq, irq + 1
    .endr
    .noaltmacro

common_interrupt:
    pushl %gs
    SAVE_BELOW_FS
    movl %esp, %eax
    pushl %eax
    call do_IRQ                 /* (regs) */
    addl $4, %esp
    jmp ret_from_exception

/* int 0x80: number in EAX, arguments in EBX, ECX, EDX, ESI, EDI, EBP. */
    .globl entry_INT80_32
entry_INT80_32:
    pushl %eax
    pushl %gs
    SAVE_BELOW_FS
    movl %esp, %eax
    pushl %eax
    call do_int80_syscall_32    /* (regs) */
    addl $4, %esp

ret_from_exception:
    testl $3, PT_CS(%esp)
    jz .Lreturn_to_kernel
    movl %esp, %eax
    pushl %eax
    call exit_to_user_mode      /* (regs); returns with interrupts off */
    addl $4, %esp
    RESTORE_INT_REGS
.Lpop_ds: popl %ds
.Lpop_es: popl %es
.Lpop_fs: popl %fs
.Lpop_gs: popl %gs
    addl $4, %esp               /* orig_ax */
.Liret_to_user:
    iret

/* As it was, but for FS and GS: the kernel does not use them, and what is in them may be another task's by now. */
.Lreturn_to_kernel:
    RESTORE_INT_REGS
    popl %ds
    popl %es
    addl $12, %esp              /* fs, gs, orig_ax */
    iret

/*
 * A program may have asked for a selector that is none (by now): a data segment becomes the null selector. With
 * a CS or SS like that it cannot go on: the fault is one of its own, at the place where it would have gone on.
 */
    .section .text.fixup, "ax"
.Lbad_ds: movl $0, (%esp)
    jmp .Lpop_ds
.Lbad_es: movl $0, (%esp)
    jmp .Lpop_es
.Lbad_fs: movl $0, (%esp)
    jmp .Lpop_fs
.Lbad_gs: movl $0, (%esp)
    jmp .Lpop_gs
.Lbad_iret:
    pushl $0                    /* error code */
    pushl $X86_TRAP_GP
    jmp error_entry
    .previous
    EX_TABLE .Lpop_ds, .Lbad_ds
    EX_TABLE .Lpop_es, .Lbad_es
    EX_TABLE .Lpop_fs, .Lbad_fs
    EX_TABLE .Lpop_gs, .Lbad_gs
    EX_TABLE .Liret_to_user, .Lbad_iret

/*
 * void switch_stacks(unsigned long *prev_sp, unsigned long next_sp): leaves the running task in its own
 * stack and goes on where the next one left, which is in this function as well, or in ret_from_fork if it
 * never ran.
 */
    .globl switch_stacks
switch_stacks:
    movl 4(%esp), %eax
    movl 8(%esp), %edx
    pushl %ebp
    pushl %ebx
    pushl %esi
    pushl %edi
    movl %esp, (%eax)
    movl %edx, %esp
    popl %edi
    popl %esi
    popl %ebx
    popl %ebp
    ret

/* A new task: EBX = its function, ESI = the argument, above them an empty pt_regs. */
    .globl ret_from_fork
    .type ret_from_fork, @function
ret_from_fork:
    call finish_task_switch
    pushl %esi
    call *%ebx
    addl $4, %esp
    jmp ret_from_exception
    .size ret_from_fork, . - ret_from_fork

/* The addresses of the stubs, for the IDT. */
    .section .rodata
    .balign 4
    .globl trap_entries
trap_entries:
#define TRAP(vector, has_error_code, signal, name) .long trap_##vector ;
#include "asm/traps.def"
#undef TRAP

    .globl irq_entries
irq_entries:
    .altmacro
.macro IRQ_ADDRESS irq
    .long irq_\irq
.endm
    .set irq, 0
    .rept NR_IRQS
    IRQ_ADDRESS %irq
    .set irq, irq + 1
    .endr

    .section .note.GNU-stack, "", @progbits
