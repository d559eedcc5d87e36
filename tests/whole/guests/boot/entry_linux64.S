/* The 64-bit entry is 200h behind the 32-bit one, which is not to be taken here. */
    .text
    .globl _start
_start:
    .code32
    hlt
    .org 0x200
    .code64
    movq $stack_end, %rsp
    pushq $0x10
    pushq $1f
    lretq
1:  movl $0x18, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movq %rsi, %rdi
    xorl %esi, %esi
    movq %cr0, %rdx
    pushfq
    popq %rcx
    call told
