/* Program start: the kernel leaves argc, argv[], NULL, envp[], NULL on the stack. */
    .globl _start
_start:
    xorl %ebp, %ebp             /* the outermost frame */
    movl (%esp), %eax
    leal 4(%esp), %ecx          /* argv */
    leal 8(%esp,%eax,4), %edx   /* envp */
    andl $-16, %esp
    subl $4, %esp
    pushl %edx
    pushl %ecx
    pushl %eax
    call main
    pushl %eax
    call exit

    .section .note.GNU-stack, "", @progbits
