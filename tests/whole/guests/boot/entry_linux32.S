/* The 32-bit entry: selectors are loaded anew, which takes a GDT that has them. */
    .text
    .globl _start
_start:
    ljmp $0x10, $1f
1:  movl $0x18, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $stack_end, %esp
    pushfl
    popl %edx
    movl %cr0, %ecx
    pushl %edx
    pushl %ecx
    orl %ebp, %ebx
    orl %edi, %ebx
    pushl %ebx
    pushl %esi
    call told
