/* What only ring 0 may do, IOPL, and the I/O permission bitmap (SDM 3A 5.9, SDM 1 19.5). */
#include "system.inc"

    .macro PRIVILEGED text, instruction
    CASE "ring 3: \text"
    USER
    \instruction
    END
    .endm

    PROGRAM
    PRIVILEGED "hlt", hlt
    PRIVILEGED "clts", clts
    PRIVILEGED "lmsw", "lmsw %ax"
    PRIVILEGED "lgdt", "lgdt (%eax)"
    PRIVILEGED "lidt", "lidt (%eax)"
    PRIVILEGED "invlpg", "invlpg (%eax)"
    PRIVILEGED "invd", invd
    PRIVILEGED "wbinvd", wbinvd
    PRIVILEGED "mov from cr0", "movl %cr0, %eax"
    PRIVILEGED "mov to cr0", "movl %eax, %cr0"
    PRIVILEGED "mov from cr3", "movl %cr3, %eax"
    PRIVILEGED "mov to cr4", "movl %eax, %cr4"
    PRIVILEGED "mov from dr0", "movl %dr0, %eax"
    PRIVILEGED "mov to dr7", "movl %eax, %dr7"
    PRIVILEGED "rdmsr", rdmsr
    PRIVILEGED "wrmsr", wrmsr
    PRIVILEGED "ltr", "ltr %ax"
    PRIVILEGED "lldt", "lldt %ax"
    PRIVILEGED "smsw", "smsw %ecx"
    PRIVILEGED "sgdt", "sgdt user_word; movl user_word, %ecx"
    PRIVILEGED "sidt", "sidt user_word; movl user_word, %ecx"
    PRIVILEGED "str", "str %ecx"
    PRIVILEGED "cli", cli
    PRIVILEGED "sti", sti
    PRIVILEGED "in", "inb $0x80, %al"
    PRIVILEGED "out", "outb %al, $0x80"
    PRIVILEGED "insb", insb
    PRIVILEGED "outsb", outsb
    PRIVILEGED "rep outsb, count 0", "xorl %ecx, %ecx; rep outsb"
    PRIVILEGED "mov to cr1", ".byte 0x0f, 0x22, 0xc8"
    PRIVILEGED "ud before the privilege: lgdt of a register", ".byte 0x0f, 0x01, 0xd7"
    PRIVILEGED "lock hlt", ".byte 0xf0, 0xf4"

/* IOPL 3: CLI, STI and ports are free. */
    .macro FREE_IO text, instruction
    CASE "IOPL 3: \text"
    pushl $0x3002
    popfl
    USER
    \instruction
    pushfl
    popl %ebx
    END
    .endm
    FREE_IO "cli", cli
    FREE_IO "in", "inb $0x80, %al; xorl %eax, %eax"
    FREE_IO "out", "outb %al, $0x80"
    FREE_IO "popf cannot lower IOPL", "pushl $2; popfl"
    FREE_IO "popf changes IF", "pushl $0x3002; popfl"
    FREE_IO "iret cannot lower IOPL", "pushl $2; pushl $USER_CODE; pushl $776f; iretl; 776:"
    CASE "IOPL 2: cli"
    pushl $0x2002
    popfl
    USER
    cli
    END
    CASE "IOPL 2: popf leaves IF"
    pushl $0x2002
    popfl
    USER
    pushl $0x3202
    popfl
    pushfl
    popl %ebx
    END

/* The bitmap: bits of ports 80h to 8Fh. */
    .macro MAP text, low, high, instruction
    CASE "bitmap: \text"
    movb $\low, io_bitmap+0x10
    movb $\high, io_bitmap+0x11
    USER
    movl $0x80, %edx
    \instruction
    END
    .endm
    MAP "byte allowed", 0xfe, 0xff, "inb (%dx), %al; xorl %eax, %eax"
    MAP "byte not allowed", 0x01, 0, "inb (%dx), %al"
    MAP "neighbour", 0x02, 0, "outb %al, $0x81"
    MAP "word, second not allowed", 0xfe, 0xff, "inw (%dx), %ax"
    MAP "word, across bytes of the map", 0x7f, 0xfe, "movl $0x87, %edx; outw %ax, (%dx)"
    MAP "word, across bytes, second not allowed", 0x7f, 0xff, "movl $0x87, %edx; outw %ax, (%dx)"
    MAP "dword, fourth not allowed", 0xf8, 0xff, "outl %eax, (%dx)"
    MAP "dword, fourth in the next byte not allowed", 0x1f, 0xff, "movl $0x85, %edx; outl %eax, (%dx)"
    MAP "outsb allowed", 0xfe, 0xff, "movl $user_word, %esi; outsb"
    MAP "rep outsw not allowed", 0xff, 0xff, "movl $user_word, %esi; movl $2, %ecx; rep outsw"
    MAP "immediate port", 0xfe, 0xff, "outb %al, $0x80"
    CASE "bitmap: IOPL allows, the map does not matter"
    movw $0xffff, io_bitmap+0x10
    pushl $0x3002
    popfl
    USER
    outb %al, $0x80
    END
    CASE "bitmap: ring 0 does not ask"
    outb %al, $0x80
    END
    CASE "bitmap: port FFFFh, whose second byte is behind the map"
    movb $0x7f, io_bitmap+0x1fff
    USER
    movl $0xffff, %edx
    inb (%dx), %al
    xorl %eax, %eax
    END

    .macro WITH_TSS text, limit, base, instruction
    CASE "TSS: \text"
    movb $0, io_bitmap+0x10
    movb $0, io_bitmap+0x11
    movw $\limit, gdt+TSS_SELECTOR
    movw $\base, tss+0x66
    andb $0xfd, gdt+TSS_SELECTOR+5
    movl $TSS_SELECTOR, %ecx
    ltr %cx
    USER
    movl $0x80, %edx
    \instruction
    END
    .endm
    WITH_TSS "no bitmap", 0x67, 0x68, "outb %al, (%dx)"
    WITH_TSS "bitmap ends before the byte", 0x68+0x0f, 0x68, "outb %al, (%dx)"
    WITH_TSS "bitmap ends at the byte: the next is read too", 0x68+0x10, 0x68, "outb %al, (%dx)"
    WITH_TSS "bitmap has the next", 0x68+0x11, 0x68, "outb %al, (%dx)"
    WITH_TSS "base beyond the limit", 0x2067, 0x3000, "outb %al, (%dx)"
    WITH_TSS "base FFFFh", 0x2067, 0xffff, "outb %al, (%dx)"
    WITH_TSS "base within the TSS proper", 0x2067, 0x10, "outb %al, (%dx)"
    CASE "TSS: a limit that has no base field"
    movw $0x64, gdt+TSS_SELECTOR
    andb $0xfd, gdt+TSS_SELECTOR+5
    movl $TSS_SELECTOR, %ecx
    ltr %cx
    END
    CASE "TSS: a 16-bit TSS has no bitmap"
    SET_DESCRIPTOR FREE, tss16, 0x1000, P|1, 0
    movl $FREE, %ecx
    ltr %cx
    USER
    outb %al, $0x80
    END
    movw $0x2067, gdt+TSS_SELECTOR
    movw $0x68, tss+0x66
    andb $0xfd, gdt+TSS_SELECTOR+5
    movl $TSS_SELECTOR, %ecx
    ltr %cx

/* CR4.TSD, CR4.PCE. */
    CASE "rdtsc in ring 3 with TSD"
    movl $4, %eax
    movl %eax, %cr4
    USER
    rdtsc
    END
    CASE "rdtsc in ring 0 with TSD"
    rdtsc
    xorl %eax, %eax
    xorl %edx, %edx
    END
    CASE "rdpmc in ring 3 without PCE"
    xorl %eax, %eax
    movl %eax, %cr4
    USER
    xorl %ecx, %ecx
    rdpmc
    END
/* Reserved bits. */
    .macro CR_CASE text, register, value
    CASE "mov to \register: \text"
    movl %cr0, %esi
    movl %cr4, %edi
    movl $\value, %eax
    movl %eax, %\register
    movl %\register, %ebx
    movl %esi, %cr0
    movl %edi, %cr4
    END
    movl $0x11, %eax
    movl %eax, %cr0
    xorl %eax, %eax
    movl %eax, %cr4
    .endm
    CR_CASE "NW without CD", cr0, 0x20000011
    CR_CASE "CD", cr0, 0x40000011
    CR_CASE "ET stays set", cr0, 0x00000001
    CR_CASE "reserved bits below 32 are ignored", cr0, 0x1ff8ffd1
    CR_CASE "AM, WP, NE, MP", cr0, 0x00050033
    CR_CASE "VME, PVI, DE, PSE", cr4, 0x1b
    CR_CASE "OSFXSR, OSXMMEXCPT", cr4, 0x600
    CR_CASE "PGE, PCE, MCE", cr4, 0x1c0
    CASE "mov to cr3 keeps PWT and PCD"
    movl $0x00123018, %eax
    movl %eax, %cr3
    movl %cr3, %ebx
    xorl %eax, %eax
    movl %eax, %cr3
    END
    CASE "mov to cr2"
    movl $0x87654321, %eax
    movl %eax, %cr2
    movl %cr2, %ebx
    END
    CASE "mov cr with a memory form of ModRM is a register"
    .byte 0x0f, 0x20, 0x00
    nop
    END
    CASE "dr6 and dr7 after reset"
    movl %dr6, %eax
    movl %dr7, %ebx
    END
    FINISH

    .data
    .balign 4
user_word:
    .long 0, 0
    .balign 16
tss16:
    .word 0
    .word 0x7000, DATA
    .skip 0x28
