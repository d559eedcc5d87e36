/* A boot sector: says where it is and which disk it came from; with BIOS defined it then calls one. */
    .code16
    .globl _start
_start:
    cli
    xorw %ax, %ax
    movw %ax, %ss
    movw $0x7c00, %sp
    movw %ax, %ds
    pushw %cs
    popw %bx
    orw %bx, %ax
    call 1f
1:  popw %bx
    subw $(1b - _start + 0x7c00), %bx
    orw %bx, %ax                /* 0: CS is 0 and so is what IP is beyond 7C00h */
    orw %ax, %ax
    jnz 3f
    cmpb $0x80, %dl
    jne 3f
    sti
    hlt                         /* the timer's interrupt is acknowledged, and comes again */
    hlt
#ifdef BIOS
    movw $0x0201, %ax
    int $0x13
#endif
    movb $17, %al
    outb %al, $0xf4
3:  movb $1, %al
    outb %al, $0xf4
    .org 510
    .word 0xaa55
