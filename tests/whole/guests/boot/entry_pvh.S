/* The entry that the note of owner Xen names. */
    .section .note.xen, "a", @note
    .balign 4
    .long 4, 4, 18
    .asciz "Xen"
    .long _start
    .text
    .globl _start
_start:
    lgdt gdt_pointer /* SS is not promised to be flat, nor that there is a GDT */
    movl $0x10, %eax
    movl %eax, %ss
    movl $stack_end, %esp
    pushfl
    popl %edx
    movl %cr0, %ecx
    pushl %edx
    pushl %ecx
    pushl $0
    pushl %ebx
    call told

    .balign 8
gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
    .word gdt_pointer - gdt - 1
    .long gdt
