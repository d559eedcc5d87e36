/* Multiboot 1 (0.6.96, 3.1 and 3.2): a stack, flat segments of our own, and then the C part. */
    .section .multiboot, "a"
    .align 4
    .long 0x1badb002, 0, -0x1badb002

    .text
    .globl _start
_start:
    movl $stack_top, %esp
    lgdt gdt_register
    ljmp $0x08, $1f
1:  movw $0x10, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw %ax, %fs
    movw %ax, %gs
    pushl %ebx
    call lab_main
2:  hlt
    jmp 2b

/*
 * unsigned *chase(unsigned *at, unsigned nr_rounds): 128 loads a round, each of the address that the one
 * before it brought. The loop costs a cycle or a few in 128 loads.
 */
    .globl chase
    .balign 64
chase:
    movl 4(%esp), %eax
    movl 8(%esp), %ecx
    testl %ecx, %ecx
    jz 2f
    .balign 64
1:  .rept 128
    movl (%eax), %eax
    .endr
    decl %ecx
    jnz 1b
2:  testl %eax, %eax        /* waits for the last one */
    ret

    .data
    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff
    .quad 0x00cf93000000ffff
gdt_register:
    .word . - gdt - 1
    .long gdt

    .bss
    .balign 4096
    .skip 4096
stack_top:
