/* What the small guests of tests/whole begin with: multiboot entry, GDT, exception stubs, and the way into ring 3. */
#define MULTIBOOT_MAGIC 0x1badb002
#define CODE 0x08
#define DATA 0x10
#define USER_CODE 0x1b
#define USER_DATA 0x23
#define TSS 0x28

    .text /* its beginning is in the first 8 KiB of the file, as the header must be */
    .balign 4
    .long MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC

    .globl _start
_start:
    movl $stack_top, %esp
    lgdt gdt_pointer
    movl $tss, %eax
    movw %ax, gdt + TSS + 2
    shrl $16, %eax
    movb %al, gdt + TSS + 4
    movb %ah, gdt + TSS + 7
    ljmp $CODE, $1f
1:  movl $DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %eax, %fs
    movl %eax, %gs
    movl $TSS, %eax
    ltr %ax
    pushl %ebx
    call start

/* enter_user(eip, esp): to ring 3; returns when an exception or interrupt 80h there has been recorded. */
    .globl enter_user
enter_user:
    movl 4(%esp), %ecx
    movl 8(%esp), %edx
    pushal
    movl %esp, kernel_esp
    movl %esp, tss + 4
    pushl $USER_DATA
    pushl %edx
    pushl $2
    pushl $USER_CODE
    pushl %ecx
    movl $USER_DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    iret

    .globl leave_user
leave_user:
    movl kernel_esp, %esp
    popal
    ret

/* Exceptions: every frame gets an error code. */
    .macro stub vector
    .balign 16
    .if \vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17
    .else
    pushl $0
    .endif
    pushl $\vector
    jmp common
    .endm

    .balign 16
    .globl stubs
stubs:
    .set vector, 0
    .rept 256
    .altmacro
    stub %vector
    .noaltmacro
    .set vector, vector + 1
    .endr

common:
    pushal
    movl $DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    cld
    pushl %esp
    call trap
    addl $4, %esp
    popal
    addl $8, %esp
    iret

    .data
    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9a000000ffff
    .quad 0x00cf92000000ffff
    .quad 0x00cffa000000ffff
    .quad 0x00cff2000000ffff
    .quad 0x0000890000000067
gdt_end:
gdt_pointer:
    .word gdt_end - gdt - 1
    .long gdt
    .balign 8
    .globl tss
tss:
    .long 0, 0, DATA
    .skip 92

    .bss
    .balign 16
kernel_esp:
    .skip 4
    .skip 16384
stack_top:

    .section .note.GNU-stack, "", @progbits
