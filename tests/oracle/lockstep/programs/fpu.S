/*
 * When x87, MMX and SSE instructions fault, and what the state instructions write: #NM by EM, TS and MP (SDM 3A table 2-2),
 * #MF where an instruction waits, #XM and OSXMMEXCPT, reserved bits of MXCSR, alignment, images of FSAVE, FSTENV and FXSAVE.
 */
#include "system.inc"

    .set MP, 2
    .set EM, 4
    .set TS, 8
    .set NE, 0x20
    .set OSFXSR, 0x200
    .set OSXMMEXCPT, 0x400

    PROGRAM
    .macro CONTROLS cr0, cr4
    movl %cr0, %eax
    andl $~(MP|EM|TS|NE), %eax
    orl $\cr0, %eax
    movl $\cr4, %ecx
    movl %ecx, %cr4
    movl %eax, %cr0
    .endm
    .macro CLEAN
    CONTROLS NE, OSFXSR|OSXMMEXCPT
    fninit
    frstor clean_image
    movl $0x1f80, mxcsr
    ldmxcsr mxcsr
    .endm

/* Each kind of instruction under each of the bits. */
    .macro TRY text, cr0, cr4, instruction
    CLEAN
    CASE "cr0 \cr0 cr4 \cr4: \text"
    CONTROLS \cr0, \cr4
    \instruction
    END
    .endm
    .macro TRY_ALL cr0, cr4
    TRY "fld1", \cr0, \cr4, "fld1"
    TRY "fnop", \cr0, \cr4, "fnop"
    TRY "fninit", \cr0, \cr4, "fninit"
    TRY "fnstsw ax", \cr0, \cr4, "fnstsw %ax"
    TRY "fnstcw", \cr0, \cr4, "fnstcw area"
    TRY "fldcw", \cr0, \cr4, "fldcw control"
    TRY "fwait", \cr0, \cr4, "fwait"
    TRY "fnsave", \cr0, \cr4, "fnsave area"
    TRY "frstor", \cr0, \cr4, "frstor clean_image"
    TRY "emms", \cr0, \cr4, "emms"
    TRY "paddb mm", \cr0, \cr4, "paddb %mm1, %mm2"
    TRY "movd to mm", \cr0, \cr4, "movd %eax, %mm3"
    TRY "movaps", \cr0, \cr4, "movaps %xmm1, %xmm2"
    TRY "movups from memory", \cr0, \cr4, "movups numbers, %xmm2"
    TRY "paddd xmm", \cr0, \cr4, "paddd %xmm1, %xmm2"
    TRY "addps", \cr0, \cr4, "addps %xmm1, %xmm2"
    TRY "cvtpi2ps", \cr0, \cr4, "cvtpi2ps %mm1, %xmm2"
    TRY "movdq2q", \cr0, \cr4, "movdq2q %xmm1, %mm2"
    TRY "ldmxcsr", \cr0, \cr4, "ldmxcsr mxcsr"
    TRY "stmxcsr", \cr0, \cr4, "stmxcsr area"
    TRY "crc32", \cr0, \cr4, "crc32l %ecx, %eax"
    TRY "popcnt", \cr0, \cr4, "popcntl %ecx, %eax"
    TRY "movnti", \cr0, \cr4, "movnti %ecx, area"
    TRY "sfence", \cr0, \cr4, "sfence"
    TRY "lfence", \cr0, \cr4, "lfence"
    TRY "maskmovq", \cr0, \cr4, "movl $area, %edi; maskmovq %mm1, %mm2"
    TRY "pshufb mm", \cr0, \cr4, "pshufb %mm1, %mm2"
    TRY "pshufb xmm", \cr0, \cr4, "pshufb %xmm1, %xmm2"
    TRY "pcmpistri", \cr0, \cr4, "pcmpistri $0, %xmm1, %xmm2"
    TRY "roundps", \cr0, \cr4, "roundps $0, %xmm1, %xmm2"
    .endm
    TRY_ALL NE, OSFXSR|OSXMMEXCPT
    TRY_ALL NE, 0
    TRY_ALL NE|TS, OSFXSR
    TRY_ALL NE|TS|MP, OSFXSR
    TRY_ALL NE|MP, OSFXSR
    TRY_ALL NE|EM, OSFXSR
    TRY_ALL NE|EM|TS, OSFXSR
    TRY_ALL NE|EM|MP, 0
    TRY "fxsave with TS", NE|TS, OSFXSR, "fxsave area"
    TRY "fxrstor with TS", NE|TS, OSFXSR, "fxrstor area"
    TRY "clts in ring 0", NE|TS, OSFXSR, "clts; fld1"
    TRY "clts in ring 3", NE|TS, OSFXSR, "USER; clts"

/* #MF comes with the next instruction that waits. */
    .macro PENDING text, instruction
    CLEAN
    CASE "pending: \text"
    fldcw unmasked
    fldz
    fld1
    fdivp %st, %st(1) /* 0 / 1 */
    fld1
    fdiv %st(1), %st /* 1 / 0: ZE, unmasked */
    \instruction
    END
    .endm
    PENDING "nothing", ""
    PENDING "fwait", "fwait"
    PENDING "fld1", "fld1"
    PENDING "fnop", "fnop"
    PENDING "fnstsw", "fnstsw %ax"
    PENDING "fstsw", "fwait; fnstsw %ax"
    PENDING "fnstcw", "fnstcw area"
    PENDING "fldcw", "fldcw control"
    PENDING "fnclex, fld1", "fnclex; fld1"
    PENDING "fninit, fld1", "fninit; fld1"
    PENDING "fnsave, fld1", "fnsave area; fld1"
    PENDING "fnstenv, fld1", "fnstenv area; fld1"
    PENDING "fldenv", "fldenv clean_image"
    PENDING "frstor", "frstor clean_image"
    PENDING "emms", "emms"
    PENDING "movd", "movd %eax, %mm1"
    PENDING "movaps", "movaps %xmm1, %xmm2"
    PENDING "fxsave", "fxsave area"
    PENDING "fxrstor", "fxrstor area"
    PENDING "ffree", "ffree %st(3)"
    PENDING "fld from a bad address", "movl $0x1008, %ecx; fldl (%ecx)"
    PENDING "stores of x87", "fsts area"
    PENDING "cvtpi2ps", "cvtpi2ps %mm1, %xmm1"
    PENDING "cvtps2pi", "cvtps2pi %xmm1, %mm1"
    PENDING "fldcw that masks it", "fnclex; fldcw control; fld1"
    PENDING "fldcw unmasks what is set", "fnclex; fldcw control; fldz; fld1; fdiv %st(1), %st; fldcw unmasked; fld1"
    PENDING "user", "USER; fld1"

/* The registers' images. */
    .macro IMAGE text, instruction
    CLEAN
    CASE "image: \text"
    movl $area, %edi
    movl $128, %ecx
    xorl %eax, %eax
    rep stosl
    fld1
    fldpi
    fldz
    fldl2e
    fchs
    ffree %st(2)
    fincstp
    fcoml numbers
    \instruction
    END
    .endm
    IMAGE "fnsave", "fnsave area; movl area, %eax; movl area+4, %ebx; movl area+8, %ecx"
    IMAGE "fnstenv", "fnstenv area; movl area, %eax; movl area+4, %ebx; movl area+8, %ecx"
    IMAGE "fnsave, 16-bit", "data16 fnsave area; movl area, %eax; movzwl area+4, %ebx"
    IMAGE "fnstenv, 16-bit", "data16 fnstenv area; movl area, %eax; movzwl area+4, %ebx"
    IMAGE "fnsave, frstor", "fnsave area; frstor area; fnstsw %ax"
    IMAGE "fnsave and frstor, 16-bit", "data16 fnsave area; data16 frstor area; fnstsw %ax"
    IMAGE "fnstenv, fldenv", "fnstenv area; fninit; fldenv area; fnstsw %ax"
    IMAGE "fxsave", "fxsave area; movl area, %eax; movzbl area+4, %ebx; movl area+24, %ecx"
    IMAGE "fxsave, fxrstor", "fxsave area; fninit; xorps %xmm1, %xmm1; fxrstor area; fnstsw %ax"
    IMAGE "mmx tags everything", "movd %ecx, %mm1; fnstenv area; movl area+8, %ecx; fnstsw %ax"
    IMAGE "mmx writes the exponent", "movd %ecx, %mm1; fnsave area; movl area+28, %eax; movl area+38, %ebx; movl area+46, %ecx"
    IMAGE "emms empties", "movd %ecx, %mm1; emms; fnstenv area; movl area+8, %ecx"

/* MXCSR. */
    .macro MXCSR text, value, instruction
    CLEAN
    CASE "mxcsr: \text"
    movl $\value, mxcsr
    ldmxcsr mxcsr
    \instruction
    END
    .endm
    MXCSR "bit 16 is reserved", 0x11f80, ""
    MXCSR "bit 31 is reserved", 0x80001f80, ""
    MXCSR "DAZ is there", 0x1fc0, ""
    MXCSR "flags are kept", 0x1fbf, "stmxcsr area; movl area, %eax"
    MXCSR "divide by zero, unmasked", 0x1d80, "movups numbers, %xmm1; xorps %xmm2, %xmm2; divps %xmm2, %xmm1"
    MXCSR "divide by zero, masked", 0x1f80, "movups numbers, %xmm1; xorps %xmm2, %xmm2; divps %xmm2, %xmm1; stmxcsr area; movl area, %eax"
    MXCSR "invalid, unmasked", 0x1f00, "xorps %xmm1, %xmm1; xorps %xmm2, %xmm2; divps %xmm2, %xmm1"
    MXCSR "precision, unmasked", 0x0f80, "movups numbers, %xmm1; sqrtps %xmm1, %xmm1"
    MXCSR "a set flag unmasked faults not", 0x1d84, "movups numbers, %xmm1; addps %xmm1, %xmm1"
    MXCSR "unmasked, without OSXMMEXCPT", 0x1d80, "movl $OSFXSR, %eax; movl %eax, %cr4; movups numbers, %xmm1; xorps %xmm2, %xmm2; divps %xmm2, %xmm1"
    MXCSR "after the exception the flag is set", 0x1f80, "stmxcsr area; movl area, %eax"
    MXCSR "denormal, unmasked", 0x1e80, "movups denormals, %xmm1; addps %xmm1, %xmm1"
    MXCSR "denormal, unmasked, DAZ", 0x1ec0, "movups denormals, %xmm1; addps %xmm1, %xmm1"
    MXCSR "comiss of a quiet NaN", 0x1f00, "movups nans, %xmm1; comiss %xmm1, %xmm1"
    MXCSR "ucomiss of a quiet NaN", 0x1f00, "movups nans, %xmm1; ucomiss %xmm1, %xmm1"
    MXCSR "cvttss2si out of range", 0x1f00, "movups nans, %xmm1; cvttss2si %xmm1, %eax"

/* Alignment. */
    .macro ADDRESS text, instruction
    CLEAN
    CASE "address: \text"
    \instruction
    END
    .endm
    ADDRESS "movaps", "movaps numbers+4, %xmm1"
    ADDRESS "movups", "movups numbers+4, %xmm1"
    ADDRESS "addps", "addps numbers+4, %xmm1"
    ADDRESS "movdqa to memory", "movdqa %xmm1, area+8"
    ADDRESS "lddqu", "lddqu numbers+3, %xmm1"
    ADDRESS "pcmpistri", "pcmpistri $0, numbers+1, %xmm1"
    ADDRESS "pshufd", "pshufd $0, numbers+1, %xmm1"
    ADDRESS "paddb mm", "paddb numbers+1, %mm1"
    ADDRESS "fxsave", "fxsave area+8"
    ADDRESS "fxrstor", "fxrstor area+8"
    ADDRESS "movntps", "movntps %xmm1, area+4"
    ADDRESS "fxrstor of a bad MXCSR", "fxsave area; orl $0x10000, area+24; fxrstor area"
    ADDRESS "movaps through a null segment", "xorl %ecx, %ecx; movl %ecx, %es; movaps %es:numbers, %xmm1"
    ADDRESS "movaps, beyond the limit and not aligned", "SET_DESCRIPTOR FREE, 0, 0xfff, DATA_WRITE, BIG; movl $FREE, %ecx; movl %ecx, %es; movaps %es:numbers+4, %xmm1"
    ADDRESS "lock movaps", ".byte 0xf0, 0x0f, 0x28, 0xca"
    ADDRESS "lock fld", ".byte 0xf0, 0xd9, 0x05; .long numbers"
    CLEAN
    CONTROLS 0, 0
    FINISH

    .data
    .balign 16
numbers:
    .float 1.5, -2.25, 3.75, 1e10
    .double 1.125
    .balign 16
denormals:
    .long 1, 2, 3, 4
nans:
    .long 0x7fc00001, 0x7fc00002, 0x7f800000, 0
mxcsr:
    .long 0x1f80
control:
    .word 0x037f
unmasked:
    .word 0x037b /* ZM clear */
clean_image:
    .long 0xffff037f, 0xffff0000, 0xffffffff, 0, 0, 0, 0
    .skip 80
    .section .scratch
    .balign 64
    .globl area
area:
    .skip 1024
