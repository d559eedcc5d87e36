/*
 * What surrounds a case on the real CPU: copied to NATIVE_FRAME, and called there. Everything that it touches lies
 * below 2 GiB, so that it needs no register for itself, not even RSP. A case is entered by IRETQ, which sets the mode of
 * the code, the flags and the stack in one go, and left by a jump to native_store or native_store_taken, or by a signal.
 */
#include "tests/oracle/host_frame.h"

#define AT(field) (NATIVE_AREA + (field))

    .section .rodata
    .globl native_frame, native_frame_store, native_frame_store_taken, native_frame_leave, native_frame_signal
    .globl native_frame_end

native_frame:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, AT(AREA_SAVED_SP)
    rdfsbase %rax
    movq %rax, AT(AREA_HOST_FS)
    fxsave64 AT(AREA_HOST_FX)
    fxrstor64 AT(AREA_FX)
    cmpl $0, AT(AREA_HAS_SELECTORS)
    je 1f
    movw AT(AREA_SELECTOR + 0), %es
    movw AT(AREA_SELECTOR + 6), %ds
    movw AT(AREA_SELECTOR + 8), %fs
    movw AT(AREA_SELECTOR + 10), %gs
    jmp 2f
1:  movq AT(AREA_FS_BASE), %rax
    wrfsbase %rax
    movq AT(AREA_GS_BASE), %rax
    wrgsbase %rax
2:  movl $1, AT(AREA_IS_RUNNING)
    movq AT(AREA_GPR + 8 * 0), %rax
    movq AT(AREA_GPR + 8 * 1), %rcx
    movq AT(AREA_GPR + 8 * 2), %rdx
    movq AT(AREA_GPR + 8 * 3), %rbx
    movq AT(AREA_GPR + 8 * 5), %rbp
    movq AT(AREA_GPR + 8 * 6), %rsi
    movq AT(AREA_GPR + 8 * 7), %rdi
    movq AT(AREA_GPR + 8 * 8), %r8
    movq AT(AREA_GPR + 8 * 9), %r9
    movq AT(AREA_GPR + 8 * 10), %r10
    movq AT(AREA_GPR + 8 * 11), %r11
    movq AT(AREA_GPR + 8 * 12), %r12
    movq AT(AREA_GPR + 8 * 13), %r13
    movq AT(AREA_GPR + 8 * 14), %r14
    movq AT(AREA_GPR + 8 * 15), %r15
    movq $AT(AREA_IRET), %rsp
    iretq

native_frame_store_taken:
    movl $1, AT(AREA_IS_TAKEN)
native_frame_store:
    movl $0, AT(AREA_IS_RUNNING)
    movq %rax, AT(AREA_OUT_GPR + 8 * 0)
    movq %rcx, AT(AREA_OUT_GPR + 8 * 1)
    movq %rdx, AT(AREA_OUT_GPR + 8 * 2)
    movq %rbx, AT(AREA_OUT_GPR + 8 * 3)
    movq %rsp, AT(AREA_OUT_GPR + 8 * 4)
    movq %rbp, AT(AREA_OUT_GPR + 8 * 5)
    movq %rsi, AT(AREA_OUT_GPR + 8 * 6)
    movq %rdi, AT(AREA_OUT_GPR + 8 * 7)
    movq %r8, AT(AREA_OUT_GPR + 8 * 8)
    movq %r9, AT(AREA_OUT_GPR + 8 * 9)
    movq %r10, AT(AREA_OUT_GPR + 8 * 10)
    movq %r11, AT(AREA_OUT_GPR + 8 * 11)
    movq %r12, AT(AREA_OUT_GPR + 8 * 12)
    movq %r13, AT(AREA_OUT_GPR + 8 * 13)
    movq %r14, AT(AREA_OUT_GPR + 8 * 14)
    movq %r15, AT(AREA_OUT_GPR + 8 * 15)
    movq $NATIVE_STACK_TOP, %rsp
    pushfq
    popq AT(AREA_OUT_FLAGS)
    pushq $2
    popfq
    fxsave64 AT(AREA_OUT_FX)
    movw %ss, AT(AREA_OUT_SELECTOR + 4)
    movw %es, AT(AREA_OUT_SELECTOR + 0)
    movw %ds, AT(AREA_OUT_SELECTOR + 6)
    movw %fs, AT(AREA_OUT_SELECTOR + 8)
    movw %gs, AT(AREA_OUT_SELECTOR + 10)
    rdfsbase %rax
    movq %rax, AT(AREA_OUT_FS_BASE)
    rdgsbase %rax
    movq %rax, AT(AREA_OUT_GS_BASE)
native_frame_leave:
    fxrstor64 AT(AREA_HOST_FX)
    movl $0x2b, %eax
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movq AT(AREA_HOST_FS), %rax
    wrfsbase %rax
    movq AT(AREA_SAVED_SP), %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret

/* What the kernel calls: C needs its FS. %rdi, %rsi and %rdx are the handler's arguments. */
native_frame_signal:
    movw %es, AT(AREA_OUT_SELECTOR + 0)
    movw %ds, AT(AREA_OUT_SELECTOR + 6)
    movw %fs, AT(AREA_OUT_SELECTOR + 8)
    movw %gs, AT(AREA_OUT_SELECTOR + 10)
    rdfsbase %rax
    movq %rax, AT(AREA_OUT_FS_BASE)
    rdgsbase %rax
    movq %rax, AT(AREA_OUT_GS_BASE)
    movq AT(AREA_HOST_FS), %rax
    wrfsbase %rax
    pushq $2
    popfq
    jmpq *AT(AREA_ON_SIGNAL)
native_frame_end:

    .section .note.GNU-stack, "", @progbits
