/* Real mode, entered from protected mode and left again: segments, wraps, faults, interrupts, big limits (SDM 3A 20.1, 9.9). */
#include "system.inc"

/* Linear places: the code of a case at 1000:0100, the kernel of real mode at 0800:0000, data 2000, 3000, stack 4000. */
    .set AT, 0x10000
    .set KERNEL_AT, 0x8000

    .macro REAL name
    CASE "\name"
    movl $775f, %esi
    movl $776f-775f, %ecx
    call enter_real
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
    .macro ONE text, instruction
    REAL "\text"
    \instruction
    END16
    .endm

    PROGRAM
    movl $kernel16, %esi
    movl $KERNEL_AT, %edi
    movl $kernel16_end-kernel16, %ecx
    rep movsb
/* The vectors: 256 stubs of 8 bytes at 0800:stubs16. */
    xorl %edi, %edi
    movl $(KERNEL_AT<<12)+stubs16-kernel16, %eax
    movl $256, %ecx
1:  stosl
    addl $8, %eax
    loop 1b
    SET_DESCRIPTOR FREE, KERNEL_AT, 0xffff, CODE_READ, 0
    SET_DESCRIPTOR FREE+8, 0, 0xffff, DATA_WRITE, 0
    SET_DESCRIPTOR FREE+16, 0, 0xfffff, DATA_WRITE, GRANULAR

    ONE "registers as they are", "nop"
    ONE "segment loads", "movw $0xffff, %ax; movw %ax, %ds; movw $0x12, %bx; movw %bx, %gs; movw (%bx), %ax"
    ONE "mov to cs", ".byte 0x8e, 0xc8"
    ONE "word at ffff", "movw $0xffff, %bx; movw (%bx), %ax"
    ONE "byte at ffff", "movw $0xffff, %bx; movb (%bx), %al"
    ONE "dword at fffd", "movw $0xfffd, %bx; movl (%bx), %eax"
    ONE "word at ffff of the stack", "movw $0xffff, %bp; movw (%bp), %ax"
    ONE "32-bit address within", "movl $0x1000, %ebx; movl (%ebx,%ebx,4), %eax"
    ONE "32-bit address beyond", "movl $0x10000, %ebx; movb (%ebx), %al"
    ONE "effective address wraps", "movw $0xfff0, %bx; movw $0x20, %si; movb 0x10(%bx,%si), %al"
    ONE "push at 0", "movw $0, %sp; pushw %ax; movw %sp, %bx; movw $0x8000, %sp"
    ONE "pop at ffff", "movw $0xffff, %sp; popw %ax"
    ONE "esp with a high half", "movl $0x12348000, %esp; pushw %ax; popl %ebx"
    ONE "call and ret", "call 777f; jmp 778f; 777: movw $7, %ax; ret; 778:"
    ONE "far call and return", "lcall $0x800, $(far_return-kernel16)"
    ONE "far call of 32 bits", "lcalll $0x800, $(far_return32-kernel16)"
    ONE "far jump", "ljmp $0x1010, $777f-775b; 777: nop"
    ONE "far jump through memory", "movw $777f-775b+0x100, %bx; pushw $0x1000; pushw %bx; movw %sp, %bp; ljmp *(%bp); 777: movw $0x8000, %sp"
    ONE "jump of 32 bits beyond 64 KiB", "data32 jmp .+0x20000"
    ONE "ret imm", "pushw $777f-775b+0x100; ret $6; 777:"
    ONE "retl", "pushl $777f-775b+0x100; retl; 777:"
    ONE "retl beyond 64 KiB", "pushl $0x10100; retl"
    ONE "int", "movw $0x1234, %ax; int $0x21"
    ONE "int3", "int3"
    ONE "into", "movb $0x7f, %al; incb %al; into"
    ONE "int1", ".byte 0xf1"
    ONE "div by zero", "xorw %cx, %cx; divw %cx"
    ONE "aam 0", "aam $0"
    ONE "bound", "movw $0x40, %bx; movl $0x00050003, (%bx); movw $9, %ax; boundw %ax, (%bx)"
    ONE "ud2", ud2
    ONE "arpl", "arpl %ax, %bx"
    ONE "lar", "lar %ax, %bx"
    ONE "verr", "verr %ax"
    ONE "sldt", "sldt %ax"
    ONE "lldt", "lldt %ax"
    ONE "str", "str %ax"
    ONE "ltr", "ltr %ax"
    ONE "lock nop", ".byte 0xf0, 0x90"
    ONE "les of a register", ".byte 0xc4, 0xc0"
    ONE "16 bytes", ".fill 15, 1, 0x66; nop"
    ONE "smsw", "smsw %ax; smsw %ebx"
    ONE "sgdt", "movw $0x40, %bx; sgdt (%bx); movl (%bx), %eax; movw 4(%bx), %cx"
    ONE "lgdt of 24 bits", "movw $0x40, %bx; sgdt (%bx); movb $0x99, 5(%bx); lgdtw (%bx); movw $0x48, %bx; sgdt (%bx); movl (%bx), %eax; movw 4(%bx), %cx"
    ONE "mov from cr0", "movl %cr0, %eax"
    ONE "clts", clts
    ONE "cli, sti", "cli; pushfw; popw %ax"
    ONE "popf", "pushw $0x7cd7; popfw; pushfw; popw %ax; pushw $2; popfw"
    ONE "popfl", "pushl $0x247cd7; popfl; pushfl; popl %eax; pushl $2; popfl"
    ONE "pushf and iret", "pushfw; pushw %cs; pushw $777f-775b+0x100; iretw; 777:"
    ONE "iretl", "pushl $0x3002; pushl $0x1000; pushl $777f-775b+0x100; iretl; 777: pushfw; popw %ax"
    ONE "iret at sp fffb", "movw $0xfffb, %sp; iretw"
    ONE "rep movsb wraps", "movw $0xfffe, %si; movw $0x100, %di; movw $4, %cx; rep movsb"
    ONE "movsw at ffff", "movw $0xffff, %si; movw $0x100, %di; movsw"
    ONE "stosw at ffff", "movw $0xffff, %di; stosw"
    ONE "rep movsl with 32-bit addresses to the end", "movl $0xfff8, %esi; movl $0x100, %edi; movl $4, %ecx; addr32 rep movsl"
    ONE "lodsw backwards", "std; movw $1, %si; lodsw; lodsw"
    ONE "loop uses cx", "movl $0x10001, %ecx; loop 777f; incw %ax; 777:"
    ONE "loopl uses ecx", "movl $0x10001, %ecx; addr32 loop 777f; incw %ax; 777:"
    ONE "jcxz", "movl $0x10000, %ecx; jcxz 777f; incw %ax; 777:"
    ONE "xlat", "movw $0xfff0, %bx; movb $0x20, %al; xlatb"
    ONE "lds", "movw $0x40, %bx; movl $0x12345678, (%bx); lds (%bx), %ax"
    ONE "lss", "movw $0x40, %bx; movl $0x40006000, (%bx); lss (%bx), %sp"
    ONE "enter and leave", "movw $0x7000, %bp; enter $16, $2; movw %sp, %ax; leave"
    ONE "pushaw", "pushaw; movw %sp, %bp; movw 6(%bp), %ax; popaw"
    ONE "pushaw at sp 9", "movw $9, %sp; pushaw"
    ONE "popal", "pushal; popal"
    ONE "pushw imm8", "pushw $-2; popw %ax; pushl $-2; popl %ebx"
    ONE "mul, imul, cwd", "movw $-300, %ax; cwd; movw $77, %cx; imulw %cx; mull %ecx"
    ONE "shld", "movb $5, %cl; shldw %cl, %ax, %dx; shrdl $9, %eax, %ebx"
    ONE "in and out", "movw $0x80, %dx; outb %al, %dx"
    ONE "single step", "pushw $0x0102; popfw; nop; nop"
    ONE "single step of mov ss", "pushw $0x0102; movw %ss, %ax; popfw; movw %ax, %ss; nop; nop"
    ONE "ip wraps?", "ljmp $0x0f00, $0xfffe"
    ONE "int beyond the limit of the IDT", "movw $0x40, %bx; movw $0x1ff, (%bx); movl $0, 2(%bx); lidtl (%bx); int $0x90"
    ONE "exception beyond the limit of the IDT: gate 0 to 12 are there", "movw $0x40, %bx; movw $0x37, (%bx); movl $0, 2(%bx); lidtl (%bx); int $0x21"
    ONE "an IDT elsewhere", "movw $0x40, %bx; movw $0x3ff, (%bx); movl $0x30000, 2(%bx); movl $0x0800|0, %eax; movl $(KERNEL_AT<<12)+stubs16-kernel16+8*0x55, 0x1084; movw $0x3000, %ax; movw %ax, %es; movl $(KERNEL_AT<<12)+stubs16-kernel16+8*0x55, %es:0x84; movl $(KERNEL_AT<<12)+stubs16-kernel16+8*0x80, %es:0x200; lidtl (%bx); int $0x21"
    ONE "protected mode for a moment: DS keeps its base", "movl %cr0, %eax; incw %ax; movl %eax, %cr0; decw %ax; movl %eax, %cr0; movw (0), %bx"
    ONE "big real mode", "movl %cr0, %eax; incw %ax; movl %eax, %cr0; movw $FREE+16, %cx; movw %cx, %ds; decw %ax; movl %eax, %cr0; movl $0x100000, %ebx; movl (%ebx), %edx; xorw %cx, %cx; movw %cx, %ds; movl 4(%ebx), %esi"
    ONE "smaller limits stay as well", "movl %cr0, %eax; incw %ax; movl %eax, %cr0; movw $DATA16, %cx; movw %cx, %es; decw %ax; movl %eax, %cr0; movw $0x2000, %cx; movw %cx, %es; movw %es:0x10, %dx"
    FINISH

/* ECX bytes at ESI are the code. Called from a case: the return address is not used. */
enter_real:
    movl $AT+0x100, %edi
    rep movsb
    movl $0x0c0c0c0c, %ecx
    movl $0x05050010, %esi
    movl $0x0d010020, %edi
    lidt real_idt
    pushl %eax
    movl $FREE+8, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    popl %eax
    movl $FREE+8, %ebp
    movl %ebp, %ss
    movl $0x0b0e0b0e, %ebp
    movl $0x8000, %esp
    ljmp $FREE, $0

    .balign 16
    .code16
kernel16:
    pushl %eax
    movl %cr0, %eax
    andb $0xfe, %al
    movl %eax, %cr0
    ljmp $KERNEL_AT>>4, $1f-kernel16
1:  movw $0x2000, %ax
    movw %ax, %ds
    movw $0x3000, %ax
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    popl %eax
    pushw $0x4000
    popw %ss
    movl $0x8000, %esp
    pushw $2
    popfw
    ljmp $AT>>4, $0x100
far_return:
    movw %sp, %bp
    movl %ss:(%bp), %edx
    lretw
far_return32:
    movw %sp, %bp
    movl %ss:(%bp), %edx
    lretl

    .balign 8
stubs16:
    .set number, 0
    .rept 256
    .balign 8
    pushw $number
    .byte 0xe9
    .word record16-(.+2)
    .set number, number+1
    .endr
/* The stack has vector, IP, CS, FLAGS. */
record16:
    movl %eax, %cs:kept-kernel16
    movl %ebx, %cs:kept-kernel16+4
    popw %ax
    movzwl %ax, %eax
    movl %eax, %cs:kept-kernel16+8
    popw %ax
    movl %eax, %cs:kept-kernel16+12
    popw %ax
    movl %eax, %cs:kept-kernel16+16
    popw %ax
    movl %eax, %cs:kept-kernel16+20
    movl %esp, %cs:kept-kernel16+24
    movw %ss, %cs:kept-kernel16+28
    movw %ds, %cs:kept-kernel16+32
    movw %es, %cs:kept-kernel16+36
    movw %fs, %cs:kept-kernel16+40
    movw %gs, %cs:kept-kernel16+44
    lgdtl %cs:gdt_pointer16-kernel16
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $CODE, $from_real
    .balign 4
kept:
    .fill 12, 4, 0
gdt_pointer16:
    .word GDT_ENTRIES*8-1
    .long gdt
kernel16_end:
    .code32
from_real:
    movl $DATA, %eax
    movl %eax, %ds
    movl %eax, %ss
    .set KEPT, KERNEL_AT+kept-kernel16
    movl KEPT, %eax
    movl %eax, seen_eax
    movl KEPT+4, %eax
    movl %eax, seen_ebx
    movl KEPT+8, %eax
    movl %eax, seen_vector
    movl $0, seen_error
    movzwl KEPT+12, %eax
    movl %eax, seen_eip
    movzwl KEPT+16, %eax
    movl %eax, seen_cs
    movzwl KEPT+20, %eax
    movl %eax, seen_eflags
    movl KEPT+24, %eax
    movl %eax, seen_esp
    movzwl KEPT+28, %eax
    movl %eax, seen_ss
    movzwl KEPT+32, %eax
    movl %eax, seen_ds
    movzwl KEPT+36, %eax
    movl %eax, seen_es
    movzwl KEPT+40, %eax
    movl %eax, seen_fs
    movzwl KEPT+44, %eax
    movl %eax, seen_gs
    movl %ecx, seen_ecx
    movl %edx, seen_edx
    movl %esi, seen_esi
    movl %edi, seen_edi
    movl %ebp, seen_ebp
    lidt idt_pointer
    jmp record_seen

    .section .rodata
    .balign 4
real_idt:
    .word 0x3ff
    .long 0
