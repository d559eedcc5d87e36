/*
 * LAR, LSL, VERR, VERW and ARPL over all kinds of descriptors (SDM 3A 5.10).
 *
 * run: fullqemu
 */
#include "system.inc"

    .set A, FREE

/* What the five instructions say of a selector: registers and ZF, as bits of EBX. */
    .macro ASK
    movl $0x0a0a0a0a, %eax
    movl $0x0d0d0d0d, %edx
    xorl %ebx, %ebx
    lar %ecx, %eax
    setz %bl
    lsl %ecx, %edx
    setz %bh
    shll $8, %ebx
    verr %cx
    setz %bl
    verw %cx
    lahf
    andb $0x40, %ah
    orb %ah, %bl
    movl $0x0a0a0a0a, %eax
    lar %ecx, %eax
    andl $0xfff0ffff, %eax /* bits 16 to 19 are undefined (SDM 2A LAR) */
    movl $0x05050505, %esi
    lsl %cx, %si
    movl $0x0e0e0e0e, %edi
    lar %cx, %di
    .endm

    PROGRAM
    .irp present, 0, 0x80
    .irp type, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    .irp dpl, 0, 0x60
    CASE "system type \type, P \present, DPL bits \dpl: ring 0"
    SET_DESCRIPTOR A, 0x12345678, 0x56789, \present|\type|\dpl, 5
    movl $A, %ecx
    ASK
    END
    CASE "system type \type, P \present, DPL bits \dpl: ring 0, RPL 3"
    movl $A+3, %ecx
    ASK
    END
    CASE "system type \type, P \present, DPL bits \dpl: ring 3"
    USER
    movl $A+3, %ecx
    ASK
    END
    CASE "segment type \type, P \present, DPL bits \dpl: ring 0"
    SET_DESCRIPTOR A, 0x12345678, 0x56789, S|\present|\type|\dpl, 0xd
    movl $A, %ecx
    ASK
    END
    CASE "segment type \type, P \present, DPL bits \dpl: ring 0, RPL 3"
    movl $A+3, %ecx
    ASK
    END
    CASE "segment type \type, P \present, DPL bits \dpl: ring 3"
    USER
    movl $A+3, %ecx
    ASK
    END
    .endr
    .endr
    .endr
    .irp selector, 0, 3, 0x0c, 0x1000, 0x1008, 0xfff8, 0xffff
    CASE "selector \selector"
    movl $\selector, %ecx
    ASK
    END
    CASE "selector \selector from ring 3"
    USER
    movl $\selector, %ecx
    ASK
    END
    .endr
    CASE "limits: not granular"
    SET_DESCRIPTOR A, 0x12345678, 0xabcde, DATA_WRITE, BIG
    movl $A, %ecx
    ASK
    END
    CASE "limits: granular 0"
    SET_DESCRIPTOR A, 0x12345678, 0, DATA_WRITE, BIG|GRANULAR
    movl $A, %ecx
    ASK
    END
    CASE "limits: expand-down"
    SET_DESCRIPTOR A, 0x12345678, 0x1234, DATA_DOWN, GRANULAR
    movl $A, %ecx
    ASK
    END

    .irp destination, 0x1230, 0x1231, 0x1233
    .irp source, 0, 1, 2, 3
    CASE "arpl \destination, \source"
    movl $0xabcd0000+\destination, %eax
    movl $\source, %ecx
    arpl %cx, %ax
    setz %dl
    END
    .endr
    .endr
    CASE "arpl to memory"
    movl $0x00aa1230, word
    movl $3, %ecx
    arpl %cx, word
    movl word, %eax
    END
    CASE "lar of a selector in memory"
    movl $0xffff0010, word
    lar word, %eax
    andl $0xfff0ffff, %eax
    lsl word, %edx
    verr word
    setz %bl
    END
    CASE "sgdt"
    movl $0, word
    movl $0, word+4
    sgdt word
    movl word, %eax
    movl word+4, %edx
    END
    CASE "sidt with a 16-bit operand"
    movl $-1, word
    movl $-1, word+4
    data16 sidt word
    movl word, %eax
    movl word+4, %edx
    END
    CASE "smsw, str, sldt to registers and memory"
    movl $-1, %eax
    smsw %eax
    movl $-1, %ecx
    smsw %cx
    movl $-1, %edx
    str %edx
    movl $-1, %ebx
    sldt %ebx
    movl $-1, word
    str word
    movl word, %esi
    END
    CASE "lmsw can set PE, MP, EM, TS but not clear PE"
    movl %cr0, %edi
    movl $0x0e, %eax
    lmsw %ax
    movl %cr0, %edx
    movl %edi, %cr0
    END
    CASE "clts"
    movl %cr0, %edi
    movl %edi, %eax
    orl $8, %eax
    movl %eax, %cr0
    movl %cr0, %ecx
    clts
    movl %cr0, %edx
    movl %edi, %cr0
    END
    FINISH

    .data
    .balign 16
word:
    .long 0, 0
