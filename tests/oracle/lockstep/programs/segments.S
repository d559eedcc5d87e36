/* Loads of segment registers and accesses through them: each check of SDM 3A 5.2 to 5.6 and 6.15. */
#include "system.inc"

    .set A, (FREE+0x00)
    .set B, (FREE+0x08)

    PROGRAM

/* Each segment register with a selector that is wrong in one way. */
    .macro LOAD_CASES register
    CASE "\register: null"
    xorl %ecx, %ecx
    movl %ecx, %\register
    END
    CASE "\register: null with RPL 3"
    movl $3, %ecx
    movl %ecx, %\register
    END
    CASE "\register: beyond the GDT"
    movl $0x1008, %ecx
    movl %ecx, %\register
    END
    CASE "\register: in the LDT, but there is none"
    movl $0x0c, %ecx
    movl %ecx, %\register
    END
    CASE "\register: code that cannot be read"
    SET_DESCRIPTOR A, 0, 0xfffff, CODE_ONLY, BIG|GRANULAR
    movl $A, %ecx
    movl %ecx, %\register
    END
    CASE "\register: code that can be read"
    SET_DESCRIPTOR A, 0, 0xfffff, CODE_READ, BIG|GRANULAR
    movl $A, %ecx
    movl %ecx, %\register
    END
    CASE "\register: conforming code of ring 0, RPL 3"
    SET_DESCRIPTOR A, 0, 0xfffff, CODE_CONFORMING, BIG|GRANULAR
    movl $A+3, %ecx
    movl %ecx, %\register
    END
    CASE "\register: data that cannot be written"
    SET_DESCRIPTOR A, 0, 0xfffff, DATA_READ, BIG|GRANULAR
    movl $A, %ecx
    movl %ecx, %\register
    END
    CASE "\register: RPL 3, DPL 0"
    SET_DESCRIPTOR A, 0, 0xfffff, DATA_WRITE, BIG|GRANULAR
    movl $A+3, %ecx
    movl %ecx, %\register
    END
    CASE "\register: RPL 3, DPL 3"
    SET_DESCRIPTOR A, 0, 0xfffff, DATA_WRITE|DPL3, BIG|GRANULAR
    movl $A+3, %ecx
    movl %ecx, %\register
    END
    CASE "\register: RPL 0, DPL 3"
    SET_DESCRIPTOR A, 0, 0xfffff, DATA_WRITE|DPL3, BIG|GRANULAR
    movl $A, %ecx
    movl %ecx, %\register
    END
    CASE "\register: not present"
    SET_DESCRIPTOR A, 0, 0xfffff, S|3, BIG|GRANULAR
    movl $A, %ecx
    movl %ecx, %\register
    END
    CASE "\register: not present, RPL 3"
    SET_DESCRIPTOR A, 0, 0xfffff, S|3, BIG|GRANULAR
    movl $A+3, %ecx
    movl %ecx, %\register
    END
    .irp type, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    CASE "\register: system type \type"
    SET_DESCRIPTOR A, 0, 0x1000, P|\type, 0
    movl $A, %ecx
    movl %ecx, %\register
    END
    .endr
    CASE "\register: from ring 3, DPL 0"
    SET_DESCRIPTOR A, 0, 0xfffff, DATA_WRITE, BIG|GRANULAR
    USER
    movl $A+3, %ecx
    movl %ecx, %\register
    END
    CASE "\register: from ring 3, conforming code of ring 0"
    SET_DESCRIPTOR A, 0, 0xfffff, CODE_CONFORMING, BIG|GRANULAR
    USER
    movl $A+3, %ecx
    movl %ecx, %\register
    END
    CASE "\register: from ring 3, RPL 0, DPL 3"
    SET_DESCRIPTOR A, 0, 0xfffff, DATA_WRITE|DPL3, BIG|GRANULAR
    USER
    movl $A, %ecx
    movl %ecx, %\register
    END
    CASE "\register: the accessed bit is set"
    SET_DESCRIPTOR A, 0, 0xfffff, P|S|2, BIG|GRANULAR
    movl $A, %ecx
    movl %ecx, %\register
    NOTE_MEMORY 0, %cs:gdt+A + 4
    END
    .endm

    LOAD_CASES ds
    LOAD_CASES es
    LOAD_CASES fs
    LOAD_CASES gs
    LOAD_CASES ss

    CASE "mov cs, ecx"
    .byte 0x8e, 0xc9
    END
    CASE "mov segment register 6"
    .byte 0x8e, 0xf1
    END
    CASE "the accessed bit stays off where the load fails"
    SET_DESCRIPTOR A, 0, 0xfffff, S|2, BIG|GRANULAR
    movl $A, %ecx
    movl %ecx, %es
    END
    CASE "what that left"
    NOTE_MEMORY 0, gdt+A + 4
    END

/* Accesses through a segment in ES. `size` bytes at `offset`. */
    .macro ACCESS text, offset, base, limit, access, flags, instruction
    CASE "es access: \text"
    SET_DESCRIPTOR A, \base, \limit, \access, \flags
    movl $A, %ecx
    movl %ecx, %es
    movl $\offset, %edi
    \instruction
    END
    .endm

    ACCESS "byte at the limit", 0xfff, room, 0xfff, DATA_WRITE, BIG, "movb %es:(%edi), %al"
    ACCESS "byte beyond the limit", 0x1000, room, 0xfff, DATA_WRITE, BIG, "movb %es:(%edi), %al"
    ACCESS "word that ends at the limit", 0xffe, room, 0xfff, DATA_WRITE, BIG, "movw %es:(%edi), %ax"
    ACCESS "word across the limit", 0xfff, room, 0xfff, DATA_WRITE, BIG, "movw %es:(%edi), %ax"
    ACCESS "dword that ends at the limit", 0xffc, room, 0xfff, DATA_WRITE, BIG, "movl %es:(%edi), %eax"
    ACCESS "dword across the limit", 0xffd, room, 0xfff, DATA_WRITE, BIG, "movl %es:(%edi), %eax"
    ACCESS "dword written across the limit", 0xffe, room, 0xfff, DATA_WRITE, BIG, "movl %eax, %es:(%edi)"
    ACCESS "dword across 4 GiB, flat", 0xfffffffe, 0, 0xfffff, DATA_WRITE, (BIG|GRANULAR), "movl %es:(%edi), %eax"
    ACCESS "granular limit, last byte", 0x1fff, room, 1, DATA_WRITE, (BIG|GRANULAR), "movb %es:(%edi), %al"
    ACCESS "granular limit, beyond", 0x2000, room, 1, DATA_WRITE, (BIG|GRANULAR), "movb %es:(%edi), %al"
    ACCESS "limit 0, byte 0", 0, room, 0, DATA_WRITE, BIG, "movb %es:(%edi), %al"
    ACCESS "limit 0, byte 1", 1, room, 0, DATA_WRITE, BIG, "movb %es:(%edi), %al"
    ACCESS "limit 0, word 0", 0, room, 0, DATA_WRITE, BIG, "movw %es:(%edi), %ax"
    ACCESS "write to read-only", 0, room, 0xfff, DATA_READ, BIG, "movb %al, %es:(%edi)"
    ACCESS "read-modify-write of read-only", 0, room, 0xfff, DATA_READ, BIG, "addl %eax, %es:(%edi)"
    ACCESS "read of read-only", 0, room, 0xfff, DATA_READ, BIG, "movb %es:(%edi), %al"
    ACCESS "write to code", 0, room, 0xfff, CODE_READ, BIG, "movb %al, %es:(%edi)"
    ACCESS "read of code", 0, room, 0xfff, CODE_READ, BIG, "movb %es:(%edi), %al"
    ACCESS "expand-down 32: below", 0xfff, room, 0xfff, DATA_DOWN, BIG, "movb %es:(%edi), %al"
    ACCESS "expand-down 32: above", 0x1000, room, 0xfff, DATA_DOWN, BIG, "movb %es:(%edi), %al"
    ACCESS "expand-down 32: dword across", 0xffd, room, 0xfff, DATA_DOWN, BIG, "movl %es:(%edi), %eax"
    ACCESS "expand-down 16: at FFFFh", 0xffff, room, 0xff, DATA_DOWN, 0, "movb %es:(%edi), %al"
    ACCESS "expand-down 16: at 10000h", 0x10000, room, 0xff, DATA_DOWN, 0, "movb %es:(%edi), %al"
    ACCESS "expand-down 16: word across FFFFh", 0xffff, room, 0xff, DATA_DOWN, 0, "movw %es:(%edi), %ax"
    ACCESS "expand-down 16: below", 0xff, room, 0xff, DATA_DOWN, 0, "movb %es:(%edi), %al"
    ACCESS "expand-down, granular", 0x1000, room, 0, DATA_DOWN, (BIG|GRANULAR), "movb %es:(%edi), %al"
    ACCESS "expand-down, granular, below", 0xfff, room, 0, DATA_DOWN, (BIG|GRANULAR), "movb %es:(%edi), %al"
    ACCESS "stosl across the limit", 0xffd, room, 0xfff, DATA_WRITE, BIG, "stosl"
    ACCESS "rep stosl up to the limit", 0xff0, room, 0xfff, DATA_WRITE, BIG, "movl $8, %ecx; rep stosl"
    ACCESS "scasb beyond the limit", 0x1000, room, 0xfff, DATA_WRITE, BIG, "scasb"
    ACCESS "cmpxchg8b across the limit", 0xff9, room, 0xfff, DATA_WRITE, BIG, "cmpxchg8b %es:(%edi)"
    ACCESS "bts far above the limit", 0, room, 0xfff, DATA_WRITE, BIG, "movl $0x8000, %ecx; btsl %ecx, %es:(%edi)"
    ACCESS "xadd on read-only", 0, room, 0xfff, DATA_READ, BIG, "xaddl %eax, %es:(%edi)"
    ACCESS "cmpxchg on read-only, not equal", 0, room, 0xfff, DATA_READ, BIG, "cmpxchgl %ecx, %es:(%edi)"
    ACCESS "les beyond the limit", 0xffc, room, 0xfff, DATA_WRITE, BIG, "les %es:(%edi), %eax"
    ACCESS "16-bit address", 0x10010, room, 0xfff, DATA_WRITE, BIG, "movb %es:(%di), %al"
    ACCESS "base added", 4, room, 0xfff, DATA_WRITE, BIG, "movl %es:(%edi), %eax"

    CASE "ds null: access"
    xorl %ecx, %ecx
    movl %ecx, %ds
    movl (%ecx), %eax
    END
    CASE "es null: stosb"
    xorl %ecx, %ecx
    movl %ecx, %es
    stosb
    END
    CASE "gs null: write"
    xorl %ecx, %ecx
    movl %ecx, %gs
    movl %eax, %gs:room
    END

/* The stack segment: #SS, and its own width; from ring 3, so that the fault finds another stack. */
    .macro STACK text, limit, access, flags, esp, instruction
    CASE "stack: \text"
    SET_DESCRIPTOR A, 0, \limit, \access|DPL3, \flags
    USER
    movl $A+3, %ecx
    movl %ecx, %ss
    movl $\esp, %esp
    \instruction
    nop
    END
    .endm
    STACK "push beyond the limit", 0x1fff, DATA_WRITE, BIG, 0x3000, "pushl %eax"
    STACK "pop beyond the limit", 0x1fff, DATA_WRITE, BIG, 0x2000, "popl %eax"
    STACK "pop across the limit", 0x1fff, DATA_WRITE, BIG, 0x1ffd, "popl %eax"
    STACK "access by ebp beyond the limit", 0x1fff, DATA_WRITE, BIG, 0x1000, "movl $0x2000, %ebp; movl (%ebp), %eax"
    STACK "access by esp beyond the limit", 0x1fff, DATA_WRITE, BIG, 0x1000, "movl 0x1000(%esp), %eax"
    STACK "call beyond the limit", 0x1fff, DATA_WRITE, BIG, 0x3000, "call 1f; 1:"
    STACK "ret beyond the limit", 0x1fff, DATA_WRITE, BIG, 0x3000, "ret"
    STACK "pushal beyond the limit", 0x1fff, DATA_WRITE, BIG, 0x2010, "pushal"
    STACK "popal beyond the limit", 0x1fff, DATA_WRITE, BIG, 0x1ff0, "popal"
    STACK "enter beyond the limit", 0x1fff, DATA_WRITE, BIG, 0x3000, "enter $16, $0"
    STACK "enter whose frame is beyond the segment", 0xfffff, DATA_DOWN, BIG, 0x200008, "enter $0x7ff8, $0"
    STACK "leave beyond the limit", 0x1fff, DATA_WRITE, BIG, 0x1000, "movl $0x2000, %ebp; leave"
    STACK "expand-down: push below", 0xfff, DATA_DOWN, (BIG|GRANULAR), 0x1000000, "pushl %eax"
    STACK "pushfl beyond the limit", 0x1fff, DATA_WRITE, BIG, 0x3000, "pushfl"
    STACK "16-bit stack, push and pop", 0xfffff, DATA_WRITE, GRANULAR, 0x10108000, "pushl %eax; popl %ebx"
    STACK "16-bit stack wraps at 0", 0xfffff, DATA_WRITE, GRANULAR, 0x10100000, "pushl %eax"
    STACK "16-bit stack, misaligned across 0", 0xfffff, DATA_WRITE, GRANULAR, 0x10100002, "pushl %eax"
    STACK "16-bit stack, leave", 0xfffff, DATA_WRITE, GRANULAR, 0x10108000, "movl $0x20207000, %ebp; leave"
    STACK "16-bit stack, enter", 0xfffff, DATA_WRITE, GRANULAR, 0x10108000, "enter $32, $1"
    STACK "16-bit stack, ret imm", 0xfffff, DATA_WRITE, GRANULAR, 0x1010fff0, "pushl $1f; ret $0x20; 1:"
    STACK "pop es on a 16-bit stack", 0xfffff, DATA_WRITE, GRANULAR, 0x10108000, "pushl $USER_DATA; popl %es"
    STACK "expand-down 16-bit stack", 0x7fff, DATA_DOWN, 0, 0x1010a000, "pushl %eax"
    STACK "expand-down 16-bit stack, below", 0x7fff, DATA_DOWN, 0, 0x10108000, "pushl %eax"

    CASE "pop ss"
    pushl $DATA
    popl %ss
    END
    CASE "pop ss, bad"
    pushl $0x1008
    popl %ss
    END
    CASE "pop ds, bad: the stack pointer stays"
    pushl $0x1008
    popl %ds
    END
    CASE "lss"
    pushl $DATA
    pushl $stack_end-64
    lss (%esp), %esp
    END
    CASE "lds, bad selector"
    pushl $0x1008
    pushl $0x12345678
    lds (%esp), %eax
    END
    CASE "lgs, null"
    pushl $0
    pushl $0x12345678
    lgs (%esp), %eax
    END
    CASE "push of segment registers"
    pushl $0x11111111
    addl $4, %esp
    pushl %ds
    movl (%esp), %eax
    END
    CASE "mov of a segment register to a 32-bit register"
    movl $0x12345678, %eax
    movl %ds, %eax
    END
    CASE "mov of a segment register to memory: 16 bits"
    movl $0x12345678, room
    movw %ds, room
    movl room, %eax
    END

/* An LDT. */
    CASE "lldt, and a load from it"
    SET_DESCRIPTOR B, ldt, 15, P|2, 0
    movl $B, %ecx
    lldt %cx
    movl $0x0c, %ecx
    movl %ecx, %es
    movl $4, %edi
    movl %es:(%edi), %eax
    sldt %ebx
    END
    CASE "a load beyond the LDT"
    movl $0x14, %ecx
    movl %ecx, %es
    END
    CASE "a null LDT"
    xorl %ecx, %ecx
    lldt %cx
    movl $0x0c, %ecx
    movl %ecx, %es
    END
    CASE "lldt: in the LDT"
    movl $0x0c, %ecx
    lldt %cx
    END
    CASE "lldt: beyond the GDT"
    movl $0x1008, %ecx
    lldt %cx
    END
    CASE "lldt: not present"
    SET_DESCRIPTOR B, ldt, 15, 2, 0
    movl $B, %ecx
    lldt %cx
    END
    CASE "lldt: not an LDT"
    movl $DATA, %ecx
    lldt %cx
    END
    CASE "lldt: RPL counts not"
    SET_DESCRIPTOR B, ldt, 15, P|2, 0
    movl $B+3, %ecx
    lldt %cx
    sldt %eax
    END
    CASE "lldt from ring 3"
    USER
    lldt %cx
    END
    CASE "ltr from ring 3"
    USER
    ltr %cx
    END
    CASE "sldt from ring 3"
    USER
    sldt %eax
    END
    CASE "ltr: busy"
    movl $TSS_SELECTOR, %ecx
    ltr %cx
    END
    CASE "ltr: null"
    xorl %ecx, %ecx
    ltr %cx
    END
    CASE "ltr: not present"
    SET_DESCRIPTOR B, tss, 0x67, 9, 0
    movl $B, %ecx
    ltr %cx
    END
    CASE "ltr: a 16-bit TSS, which becomes busy"
    SET_DESCRIPTOR B, tss, 0x67, P|1, 0
    movl $B, %ecx
    ltr %cx
    NOTE_MEMORY 0, gdt+B + 4
    str %ebx
    END
    CASE "ltr: an LDT"
    SET_DESCRIPTOR B, ldt, 15, P|2, 0
    movl $B, %ecx
    ltr %cx
    END
    CASE "ltr: our own again"
    andb $0xfd, gdt+TSS_SELECTOR+5
    movl $TSS_SELECTOR, %ecx
    ltr %cx
    NOTE_MEMORY 0, gdt+TSS_SELECTOR+4
    END
    FINISH

    .data
    .balign 4096
room:
    .long 0x03020100, 0x07060504, 0x0b0a0908
    .skip 0x4000-12
ldt:
    DESCRIPTOR 0, 0, 0, 0
    DESCRIPTOR 0x100000, 0xfff, DATA_WRITE|DPL3, BIG|GRANULAR
