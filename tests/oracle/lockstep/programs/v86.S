/*
 * Virtual-8086 mode, with and without its extensions, and protected mode's virtual interrupts (SDM 3A 20.2, 20.3, 20.4).
 *
 * run: fullqemu
 */
#include "system.inc"

    .set VM, 0x20000
    .set IOPL3, 0x3000
    .set VIF, 0x80000
    .set VIP, 0x100000
    .set AT, 0x10000        /* the code runs at 1000:0100 */
    .set MAP, tss+0x100     /* the I/O bitmap, once it is moved; the redirection map lies before it */

/* Goes on in virtual-8086 mode; the code up to END16 is copied. */
    .macro V86 name, flags
    CASE "\name"
    movl $775f, %esi
    movl $AT+0x100, %edi
    movl $776f-775f, %ecx
    rep movsb
    pushl $0x6000
    pushl $0x5000
    pushl $0x2000
    pushl $0x4000
    pushl $0x3000
    pushl $0x8000
    pushl $VM|2|\flags
    pushl $AT>>4
    pushl $0x100
    movl $0x0c0c0c0c, %ecx
    movl $0x05050010, %esi
    movl $0x0d010020, %edi
    iretl
    .code16
775:
    .endm
    .macro END16
    int $COMPLETED_VECTOR
776:
    .code32
772:
    call end_case
    .endm
    .macro ONE text, flags, instruction
    V86 "\text", \flags
    \instruction
    END16
    .endm

    PROGRAM
/* 1000:0080 is where interrupts of 8086 code go: 0:84h (vector 21h) and the others. */
    movl $handler16, %esi
    movl $AT+0x80, %edi
    movl $32, %ecx
    rep movsb
    movl $0, %edi
    movl $AT*0x1000+0x80, %eax
    movl $256, %ecx
    rep stosl
    movw $0x1234, 0x30000+0x7ffe
    movw $0x100, tss+0x66
    movl $MAP-32, %edi
    movl $-1, %eax
    movl $8, %ecx
    rep stosl

    .macro ALL text, flags
    ONE "\text: cli", \flags, "cli; nop"
    ONE "\text: sti", \flags, "sti; nop"
    ONE "\text: pushf", \flags, "pushfw; popw %ax"
    ONE "\text: pushfl", \flags, "pushfl; popl %eax"
    ONE "\text: popf of 0202h", \flags, "pushw $0x0202; popfw"
    ONE "\text: popf of 0002h", \flags, "pushw $0x0002; popfw"
    ONE "\text: popf of 7fd7h but TF", \flags, "pushw $0x7ed7; popfw; pushfl; popl %eax"
    ONE "\text: popf of TF", \flags, "pushw $0x0102; popfw; nop"
    ONE "\text: popfl", \flags, "pushl $0x257ed7; popfl"
    ONE "\text: int 21h", \flags, "int $0x21"
    ONE "\text: int3", \flags, "int3"
    ONE "\text: into", \flags, "movb $0x7f, %al; incb %al; into"
    ONE "\text: int1", \flags, ".byte 0xf1"
    ONE "\text: iret", \flags, "pushw $0x0202; pushw $AT>>4; pushw $775f-777f+0x100; 777: iretw; 775:"
    ONE "\text: iretl", \flags, "pushl $0x0202; pushl $AT>>4; pushl $0x180; iretl"
    ONE "\text: in", \flags, "inb $0x80, %al; xorb %al, %al"
    ONE "\text: out", \flags, "outb %al, $0x80"
    ONE "\text: hlt", \flags, hlt
    ONE "\text: a page of instructions", \flags, "movw %sp, %bp; pushw %ds; popw %ax; pushl %ds; popl %ebx; lcall $0x1000, $0x98"
    .endm
    ALL "IOPL 3", IOPL3
    ALL "IOPL 0", 0
    ALL "IOPL 3, IF", IOPL3|0x200
    CASE "VME is switched on"
    movl $1, %eax
    movl %eax, %cr4
    movl %cr4, %ebx
    END
    ALL "VME, IOPL 3", IOPL3
    ALL "VME, IOPL 0", 0
    ALL "VME, IOPL 0, VIF", VIF
    ALL "VME, IOPL 0, VIP", VIP
    ALL "VME, IOPL 3, VIP", IOPL3|VIP
    CASE "all software interrupts go to 8086 code"
    movl $MAP-32, %edi
    xorl %eax, %eax
    movl $4, %ecx
    rep stosl
    END
    ALL "VME, redirected, IOPL 3", IOPL3
    ALL "VME, redirected, IOPL 0", 0
    ALL "VME, redirected, IOPL 0, VIF", VIF
    ALL "VME, redirected, IOPL 3, IF", IOPL3|0x200
    CASE "VME is switched off"
    xorl %eax, %eax
    movl %eax, %cr4
    movl $MAP-32, %edi
    movl $-1, %eax
    movl $4, %ecx
    rep stosl
    END

/* What is as in real mode, and what is not. */
    .macro ANY text, instruction
    ONE "\text", IOPL3, "\instruction"
    .endm
    ANY "segments", "movw $0x1234, %ax; movw %ax, %ds; movw $0xffff, %ax; movw %ax, %es; movw %ax, %gs"
    ANY "access at ffff", "movw $0xffff, %bx; movb (%bx), %al"
    ANY "word at ffff", "movw $0xffff, %bx; movw (%bx), %ax"
    ANY "word at ffff of the stack", "movw $0xffff, %bp; movw (%bp), %ax"
    ANY "dword at fffd, written", "movw $0xfffd, %bx; movl %eax, (%bx)"
    ANY "32-bit address beyond 64 KiB", "movl $0x10000, %ebx; movb (%ebx), %al"
    ANY "32-bit address within", "movl $0x1000, %ebx; addr32 movb (%ebx,%ebx), %al"
    ANY "push at 0 wraps", "movw $0, %sp; pushw %ax"
    ANY "push at 1", "movw $1, %sp; pushw %ax"
    ANY "pop at ffff", "movw $0xffff, %sp; popw %ax"
    ANY "far jump", "ljmp $0x1010, $0x8; .byte 0x90"
    ANY "far call and return", "lcall $0x1000, $0x98"
    ANY "jump beyond 64 KiB", "data32 jmp .+0x20000"
    ANY "loadall is not there", ".byte 0x0f, 0x05"
    ANY "arpl", "arpl %ax, %bx"
    ANY "lar", "lar %ax, %bx"
    ANY "verr", "verr %ax"
    ANY "sldt", "sldt %ax"
    ANY "str", "str %ax"
    ANY "lldt", "lldt %ax"
    ANY "ltr", "ltr %ax"
    ANY "lgdt", "lgdt (%bx)"
    ANY "sgdt", "sgdt (%bx); movl (%bx), %eax"
    ANY "smsw", "smsw %ax"
    ANY "lmsw", "lmsw %ax"
    ANY "clts", clts
    ANY "mov from cr0", "movl %cr0, %eax"
    ANY "mov to dr0", "movl %eax, %dr0"
    ANY "invd", invd
    ANY "rdmsr", rdmsr
    ANY "rdtsc", "rdtsc; xorl %eax, %eax; xorl %edx, %edx"
    ANY "ud2", ud2
    ANY "div by zero", "xorw %cx, %cx; divw %cx"
    ANY "bound", "boundw %ax, (%bx)"
    ANY "int of a gate with DPL 0", "int $0x40"
    ANY "in with the bitmap clear", "movw $0x80, %dx; outb %al, %dx"
    ANY "rep movsb wraps at 64 KiB", "movw $0xfffe, %si; movw $0x100, %di; movw $4, %cx; rep movsb"
    ANY "movsw at ffff", "movw $0xffff, %si; movw $0x100, %di; movsw"
    ANY "enter and leave", "enter $16, $1; leave"
    ANY "pushaw, popaw", "pushaw; movw %sp, %bp; movw (%bp), %ax; popaw"
    ANY "lds", "movw $0x40, %bx; movl $0x12345678, (%bx); lds (%bx), %ax; movw %ds, %dx"
    ANY "ret imm", "pushw $0x180; ret $6"
    ANY "xlat", "movw $0xfff0, %bx; movb $0x20, %al; xlatb"
    ANY "aam 0", "aam $0"
    ANY "pop ss", "pushw $0x3100; popw %ss; nop"
    CASE "the bitmap allows port 80h"
    movb $0xfe, MAP+0x10
    END
    ANY "out, allowed", "outb %al, $0x80"
    ANY "out, not allowed", "outb %al, $0x81"
    ANY "outsw, partly allowed", "movw $0x80, %dx; outsw"

/* A gate that leads elsewhere than ring 0. */
    CASE "int through a gate to conforming code"
    SET_DESCRIPTOR FREE, 0, 0xfffff, CODE_CONFORMING, BIG|GRANULAR
    SET_GATE idt+0x41*8, FREE, 0, P|DPL3|14
    END
    ANY "conforming", "int $0x41"
    CASE "a gate to ring 1"
    SET_DESCRIPTOR FREE, 0, 0xfffff, CODE_READ|DPL1, BIG|GRANULAR
    SET_GATE idt+0x41*8, FREE, 0, P|DPL3|14
    END
    ANY "ring 1", "int $0x41"
    CASE "a 16-bit gate"
    SET_DESCRIPTOR FREE, code16, 0xffff, CODE_READ, 0
    SET_GATE idt+0x41*8, FREE, 0, P|DPL3|6
    END
    ANY "16-bit gate", "int $0x41"
    CASE "iret with VM from ring 3"
    USER
    pushl $VM|2
    pushl $USER_CODE
    pushl $1f
    iretl
1:  pushfl
    popl %eax
    END
    CASE "eip beyond 64 KiB"
    pushl $0
    pushl $0
    pushl $0
    pushl $0
    pushl $0x3000
    pushl $0x8000
    pushl $VM|2
    pushl $AT>>4
    pushl $0x10000
    iretl
    END

/* PVI. */
    .macro PVI text, flags, instruction
    CASE "PVI: \text"
    pushl $USER_DATA
    pushl $user_stack_end
    pushl $2|\flags
    pushl $USER_CODE
    pushl $775f
    iretl
775:
    \instruction
    END
    .endm
    movl $2, %eax
    movl %eax, %cr4
    .irp flags, 0, VIF, VIP, VIF|VIP, 0x200, IOPL3, IOPL3|VIP
    PVI "cli, flags \flags", \flags, "cli; nop"
    PVI "sti, flags \flags", \flags, "sti; nop"
    PVI "pushf, flags \flags", \flags, "pushfl; popl %eax"
    PVI "popf, flags \flags", \flags, "pushl $0x202; popfl"
    PVI "iret, flags \flags", \flags, "pushl $0x202; pushl $USER_CODE; pushl $777f; iretl; 777:"
    .endr
    FINISH

/* 24 bytes at 1000:0080; at 98h a far return. */
    .code16
handler16:
    movw %sp, %bp
    movl %ss:(%bp), %eax
    movzwl %ss:4(%bp), %edx
    pushfl
    popl %ebx
    iretw
    .org handler16+0x18
    lretw
    .balign 16
code16:
    movw %sp, %bp
    movl %ss:(%bp), %eax
    movl %ss:4(%bp), %ecx
    int $COMPLETED_VECTOR
    .code32
