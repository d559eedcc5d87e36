/*
 * Long mode: transfers, gates, IST, SYSCALL, non-canonical addresses, paging in four levels, what is invalid (SDM 3A 5.8, 6.14,
 * SDM 2, 64-bit mode).
 *
 * run: code64
 */
#include "system.inc"
#include "long.inc"

    .set A, FREE
    .set GATE, FREE+0x10
    .set CONFORM, FREE+0x20
    .set CODE1, FREE+0x28
    .set DATA1, FREE+0x30
    .set USER16, FREE+0x38
    .set VECTOR, 0x90
    .set IDT_GATE, idt64+VECTOR*16

    PROGRAM
    SET_DESCRIPTOR CONFORM, 0, 0xfffff, CODE_CONFORMING, LONG|GRANULAR
    SET_DESCRIPTOR CODE1, 0, 0xfffff, CODE_READ|DPL1, LONG|GRANULAR
    SET_DESCRIPTOR DATA1, 0, 0xfffff, DATA_WRITE|DPL1, BIG|GRANULAR
    SET_DESCRIPTOR USER16, code16, 0xffff, CODE_READ|DPL3, 0
    LONG_MODE

/* Opcodes that 64-bit mode does not have. */
    .macro GONE text, bytes:vararg
    CASE64 "gone: \text"
    .byte \bytes
    nop
    nop
    nop
    nop
    nop
    nop
    nop
    END64
    .endm
    .irp opcode, 0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0xce, 0xd6
    GONE "\opcode", \opcode
    .endr
    GONE "bound", 0x62, 0x08
    GONE "82", 0x82, 0xc0, 0x01
    GONE "call far direct", 0x9a, 0, 0, 0, 0, 8, 0
    GONE "jmp far direct", 0xea, 0, 0, 0, 0, 8, 0
    GONE "aam", 0xd4, 0x0a
    GONE "aad", 0xd5, 0x0a
    GONE "sysenter with no MSR", 0x0f, 0x34
    GONE "lahf", 0x9f
    GONE "arpl is movslq", 0x63, 0xc8
    GONE "lock rex.w cmpxchg16b of a register", 0xf0, 0x48, 0x0f, 0xc7, 0xc8

/* Plain 64-bit instructions. */
    .macro PLAIN text, instruction
    CASE64 "plain: \text"
    \instruction
    END64
    .endm
    PLAIN "32-bit results clear the high half", "movl %ecx, %eax; addl $1, %edx; xchgl %ebx, %ebx"
    PLAIN "xchg eax, eax as 87", ".byte 0x87, 0xc0"
    PLAIN "nop is no xchg", ".byte 0x90"
    PLAIN "xchg r8d, eax", ".byte 0x41, 0x90"
    PLAIN "16- and 8-bit results keep the rest", "movw %cx, %ax; movb %ch, %dh; movb $1, %sil"
    PLAIN "cmov that does not move clears the high half", "cmpl %eax, %eax; cmovnel %ecx, %eax"
    PLAIN "movslq", "movl $0x80000001, %ecx; movslq %ecx, %rax; movswq %cx, %rdx"
    PLAIN "cqo, cdqe", "movabsq $0x8000000000000000, %rax; cqo; movl $0x80000000, %eax; cdqe"
    PLAIN "bswap", "bswapq %rax; bswapl %ecx"
    PLAIN "mul", "mulq %rcx"
    PLAIN "imul", "imulq %rcx"
    PLAIN "imul with an immediate", "imulq $-3, %rcx, %rax"
    PLAIN "div", "xorl %edx, %edx; movl $0x12345, %ecx; divq %rcx"
    PLAIN "div overflow", "movq $-1, %rdx; divq %rcx"
    PLAIN "idiv overflow", "movabsq $0x8000000000000000, %rax; cqo; movq $-1, %rcx; idivq %rcx"
    PLAIN "idiv", "cqo; movl $0x77777, %ecx; idivq %rcx"
    PLAIN "shift by 63 and 65", "movb $65, %cl; shlq %cl, %rax; sarq $63, %rdx; andl $0xff, %eax"
    PLAIN "shift by 33 of 32 bits", "movb $33, %cl; shll %cl, %eax"
    PLAIN "shld", "shldq $12, %rax, %rdx"
    PLAIN "rcl", "stc; rclq $1, %rax; rclq $1, %rax"
    PLAIN "bt with a register beyond 64", "movl $room, %edi; movq $200, %rcx; btsq %rcx, (%rdi); movq room+24, %rax"
    PLAIN "bt with a negative register", "movl $room+64, %edi; movq $-3, %rcx; btcq %rcx, (%rdi); movq room+56, %rax"
    PLAIN "bsf of the high half", "bsfq %rax, %rdx; bsrq %rax, %rcx; cmpl %eax, %eax"
    PLAIN "mov of 64-bit immediates and absolute addresses", "movabsq $room, %rdi; movabsq %rax, room+8; movabsq room+8, %rax"
    PLAIN "rip-relative", "leaq room(%rip), %rax; movq room(%rip), %rcx; lea room(%eip), %edx"
    PLAIN "rip-relative with an immediate behind", "movl $0x1234567, room(%rip); movl room, %eax"
    PLAIN "addresses of 32 bits wrap", "movl $room, %edi; movabsq $0xffffffff00000000, %rcx; addq %rcx, %rdi; movl (%edi), %eax"
    PLAIN "push of 64 and 16 bits", "pushq $-5; pushw $0x1234; movq (%rsp), %rax; movq %rsp, %rcx"
    PLAIN "push imm32 is sign-extended", "pushq $-0x12345678; popq %rax"
    PLAIN "pop to memory by rsp", "pushq %rax; popq 8(%rsp); movq 8(%rsp), %rcx"
    PLAIN "push fs", "movl $-1, %eax; pushq %rax; popq %rax; .byte 0x0f, 0xa0; popq %rcx"
    PLAIN "enter and leave", "movq %rsp, %rbp; enter $32, $0; movq %rsp, %rax; leave"
    PLAIN "enter of level 3", "movq %rsp, %rbp; enter $32, $3; movq %rsp, %rax; movq (%rsp), %rcx"
    PLAIN "pushfq and popfq", "pushq $0x240cd7; popfq; pushfq; popq %rax; pushw $0; popfw; pushfq; popq %rcx"
    PLAIN "loop with rcx and ecx", "movabsq $0x100000001, %rcx; addr32 loop 775f; incl %eax; 775:"
    PLAIN "jecxz", "movabsq $0x100000000, %rcx; addr32 jrcxz 775f; incl %eax; 775:"
    PLAIN "jrcxz", "movabsq $0x100000000, %rcx; jrcxz 775f; incl %eax; 775:"
    PLAIN "string with 32-bit addresses", "movl $room, %esi; movl $room+16, %edi; bts $40, %rsi; bts $40, %rdi; movl $2, %ecx; bts $40, %rcx; addr32 rep movsq"
    PLAIN "rep stosq", "movl $room+128, %edi; movl $4, %ecx; rep stosq; movq room+152, %rdx"
    PLAIN "repne scasq", "movl $room+128, %edi; movl $9, %ecx; xorl %eax, %eax; repne scasq"
    PLAIN "lodsl clears the high half", "movl $room, %esi; lodsl"
    PLAIN "xlat", "movl $room, %ebx; movl $3, %eax; xlatb"
    PLAIN "xadd", "xaddq %rax, %rcx"
    PLAIN "cmpxchg, not equal", "cmpxchgq %rdx, %rcx"
    PLAIN "cmpxchgl, equal, memory", "movl $room, %edi; movl (%rdi), %eax; bts $50, %rax; cmpxchgl %ecx, (%rdi)"
    PLAIN "cmpxchg8b in 64-bit mode", "movl $room, %edi; cmpxchg8b (%rdi)"
    PLAIN "cmpxchg16b, not equal", "movl $room, %edi; cmpxchg16b (%rdi)"
    PLAIN "cmpxchg16b, equal", "movl $room, %edi; movq (%rdi), %rax; movq 8(%rdi), %rdx; cmpxchg16b (%rdi); movq 8(%rdi), %rsi"
    PLAIN "cmpxchg16b, not aligned", "movl $room+8, %edi; cmpxchg16b (%rdi)"
    PLAIN "rex before another prefix counts not", ".byte 0x48, 0x66, 0x01, 0xc8"
    PLAIN "two rex", ".byte 0x48, 0x40, 0x01, 0xc8"
    PLAIN "66 with rex.w", ".byte 0x66, 0x48, 0x01, 0xc8"
    PLAIN "r13 as base, r12 with SIB", "movl $room, %r13d; movl $room, %r12d; movq (%r13), %rax; movq (%r12), %rcx; movq 8(%r12,%rax,1), %rdx"
    PLAIN "lea of 32 bits", "leal (%rax,%rcx,4), %edx; leaw (%rax), %bx"
    PLAIN "mov from cr0 is 64 bits wide", "movq %cr0, %rax; .byte 0x0f, 0x20, 0xd9"
    PLAIN "cr8", "movl $5, %eax; movq %rax, %cr8; movq %cr8, %rcx; xorl %eax, %eax; movq %rax, %cr8"
    PLAIN "cr8, a reserved bit", "movl $16, %eax; movq %rax, %cr8"
    PLAIN "sgdt writes 10 bytes", "movl $room, %edi; movq $-1, 8(%rdi); sgdt (%rdi); movq (%rdi), %rax; movq 8(%rdi), %rcx"
    PLAIN "sldt, str, smsw", "sldt %rax; str %rcx; smsw %rdx"
    PLAIN "66 jmp", ".byte 0x66, 0xe9, 0, 0, 0, 0"
    PLAIN "66 call", "data16 call 775f; 775: movq %rsp, %rax"
    PLAIN "in does not clear the high half of rax for a byte", "inb $0x60, %al; movb $0, %al"
    PLAIN "lar and lsl", "movl $CODE64, %ecx; larl %ecx, %eax; andl $0xfff0ffff, %eax; lslq %rcx, %rdx"
    PLAIN "mov to ss null in ring 0", "xorl %eax, %eax; movl %eax, %ss"
    PLAIN "mov to ss null in ring 3", "USER64; xorl %eax, %eax; movl %eax, %ss"
    PLAIN "mov to ss null, RPL 3, in ring 3", "USER64; movl $3, %eax; movl %eax, %ss"
    PLAIN "mov to ds null, and an access", "xorl %eax, %eax; movl %eax, %ds; movq room, %rax"
    PLAIN "segment limits do not matter", "movl $FREE, %eax; movw $0, gdt+FREE; movl $0x00409300, gdt+FREE+4; movl %eax, %ds; movl %eax, %es; movq room, %rcx"
    PLAIN "write through cs", "movl %eax, %cs:room"
    PLAIN "mov to gs clears the base", "movl $DATA64, %eax; movl %eax, %gs; movl $GS_BASE, %ecx; rdmsr"

/* Addresses that are not canonical. */
    .macro BAD text, instruction
    CASE64 "not canonical: \text"
    movabsq $0x0000800000000000, %rdi
    movq %rdi, %rsi
    \instruction
    END64
    .endm
    BAD "read", "movq (%rdi), %rax"
    BAD "write", "movq %rax, (%rdi)"
    BAD "the last canonical byte and the next", "movq -4(%rdi), %rax"
    BAD "through rbp", "movq %rdi, %rbp; movq (%rbp), %rax"
    BAD "push in ring 3", "USER64; movabsq $0x0000800000000000, %rsp; pushq %rax; addq $8, %rsp; pushq %rax; pushq %rax"
    BAD "pop in ring 3", "USER64; movabsq $0x0000800000000000, %rsp; popq %rax"
    BAD "call in ring 3", "USER64; movabsq $0x0000800000000008, %rsp; call 775f; 775:"
    BAD "ret to", "USER64; movabsq $0x0000800000000000, %rdi; pushq %rdi; ret"
    BAD "jmp to", "jmp *%rdi"
    BAD "call to", "USER64; movabsq $0x0000800000000000, %rdi; call *%rdi"
    BAD "stosb", "stosb"
    BAD "movsb", "movl $room, %esi; movsb"
    BAD "lgdt", "lgdt (%rdi)"
    BAD "invlpg is a nop", "invlpg (%rdi)"
    BAD "prefetch is a nop", "prefetcht0 (%rdi)"
    BAD "lea", "leaq (%rdi,%rdi), %rax"
    BAD "fs base", "movl $FS_BASE, %ecx; movl $0, %eax; movl $0x8000, %edx; wrmsr"
    BAD "gs base and offset", "movl $GS_BASE, %ecx; movl $0xfffff000, %eax; movl $0x7fff, %edx; wrmsr; movl $0x2000, %edi; movq %gs:(%rdi), %rax"
    BAD "wrmsr lstar", "movl $LSTAR, %ecx; movl $0, %eax; movl $0x8000, %edx; wrmsr"
    BAD "iretq to", "pushq $USER_DATA64; pushq $user_stack_end; pushq $2; pushq $USER_CODE64; pushq %rdi; iretq"
    BAD "lretq to, same ring", "pushq $CODE64; pushq %rdi; lretq"
    BAD "lretq to ring 3", "pushq $USER_DATA64; pushq $user_stack_end; pushq $USER_CODE64; pushq %rdi; lretq"
    BAD "jmp far to", "movq %rdi, room; movl $CODE64, room+8; rex.w ljmp *room"
    BAD "address of ffff8...", "shlq $1, %rdi; subq $8, %rdi; shlq $15, %rdi; movq (%rdi), %rax"

/* Far transfers. */
    .macro TO text, selector, access, flags
    CASE64 "jmp far to \text"
    SET_DESCRIPTOR64 A, \access, \flags
    movl $775f, room
    movl $\selector, room+4
    ljmpl *room
775:
    END64
    CASE64 "lretq to \text"
    pushq $\selector
    pushq $775f
    lretq
775:
    END64
    CASE64 "iretq to \text"
    pushq $USER_DATA64
    pushq $user_stack_end
    pushq $2
    pushq $\selector
    pushq $775f
    iretq
775:
    END64
    CASE64 "call far to \text"
    movl $775f, room
    movl $\selector, room+4
    lcalll *room
775:
    END64
    .endm
    .macro SET_DESCRIPTOR64 selector, access, flags
    movl $0xffff, gdt+\selector
    movl $0xf0000|((\access)<<8)|((\flags)<<20), gdt+\selector+4
    .endm
    TO "64-bit code", A, CODE_READ, LONG|GRANULAR
    TO "64-bit code, RPL 3", A+3, CODE_READ, LONG|GRANULAR
    TO "code with L and D", A, CODE_READ, LONG|BIG|GRANULAR
    TO "compatibility mode", A, CODE_READ, BIG|GRANULAR
    TO "16-bit compatibility mode", A, CODE_READ, 0
    TO "64-bit code of ring 3", A+3, CODE_READ|DPL3, LONG|GRANULAR
    TO "64-bit code of ring 3, RPL 0", A, CODE_READ|DPL3, LONG|GRANULAR
    TO "compatibility code of ring 3", A+3, CODE_READ|DPL3, BIG|GRANULAR
    TO "conforming 64-bit code", A, CODE_CONFORMING, LONG|GRANULAR
    TO "code not present", A, CODE_READ-P, LONG|GRANULAR
    TO "data", A, DATA_WRITE, BIG|GRANULAR
    TO "null", 0, CODE_READ, LONG|GRANULAR
    TO "an available TSS", A, P|9, 0
    TO "a task gate", A, P|5, 0
    TO "a 32-bit TSS type 1", A, P|1, 0
    TO "a 16-bit call gate", A, P|4, 0

    .macro RETURN text, ss, esp, flags, cs, eip
    CASE64 "iretq: \text"
    pushq $\ss
    pushq $\esp
    pushq $\flags
    pushq $\cs
    pushq $\eip
    iretq
    END64
    .endm
    RETURN "to ring 0, null ss", 0, ring2_stack_end, 2, CODE64, completed
    RETURN "to ring 0, ss RPL 3", USER_DATA64, ring2_stack_end, 2, CODE64, completed
    RETURN "to ring 0, data ss", DATA64, ring2_stack_end, 2, CODE64, completed
    RETURN "to ring 1, null ss RPL 1", 1, ring2_stack_end, 2, CODE1+1, completed
    RETURN "to ring 1, null ss RPL 0", 0, ring2_stack_end, 2, CODE1+1, completed
    RETURN "to ring 1", DATA1+1, ring2_stack_end, 2, CODE1+1, completed
    RETURN "to ring 3, null ss", 3, user_stack_end, 2, USER_CODE64, completed
    RETURN "to ring 3, ss of ring 0", DATA64+3, user_stack_end, 2, USER_CODE64, completed
    RETURN "to ring 3", USER_DATA64, user_stack_end, 0x3202, USER_CODE64, completed
    RETURN "to ring 3, compatibility", USER_DATA64, user_stack_end, 0x3202, USER_CODE32, completed
    RETURN "to ring 3, compatibility, null ss", 3, user_stack_end, 0x3202, USER_CODE32, completed
    RETURN "to ring 3, 16 bits", USER_DATA64, user_stack_end, 2, USER16+3, 0
    RETURN "with VM set: it is ignored", DATA64, ring2_stack_end, 0x20002, CODE64, completed
    RETURN "with NT set in the image", DATA64, ring2_stack_end, 0x4002, CODE64, completed
    CASE64 "iretq with NT set"
    pushq $0x4002
    popfq
    iretq
    END64
    CASE64 "iretl in 64-bit mode"
    pushq $2 /* read as dwords: flags, 0 */
    subq $12, %rsp
    movl $completed, (%rsp)
    movl $CODE64, 4(%rsp)
    movl $2, 8(%rsp)
    movl $ring2_stack_end, 12(%rsp)
    movl $DATA64, 16(%rsp)
    iretl
    END64

/* Interrupts. */
    .macro INTERRUPT text, selector, target, access, ist=0, high=0
    CASE64 "int: \text"
    SET_GATE64 IDT_GATE, \selector, \target, \access, \ist, \high
    int $VECTOR
    END64
    CASE64 "int from ring 3: \text"
    SET_GATE64 IDT_GATE, \selector, \target, \access, \ist, \high
    USER64
    int $VECTOR
    END64
    .endm
    INTERRUPT "interrupt gate", CODE64, look, P|DPL3|14
    INTERRUPT "trap gate", CODE64, look, P|DPL3|15
    INTERRUPT "DPL 0", CODE64, look, P|14
    INTERRUPT "not present", CODE64, look, DPL3|14
    INTERRUPT "IST 1", CODE64, look, P|DPL3|14, 1
    INTERRUPT "IST 2, not aligned", CODE64, look, P|DPL3|14, 2
    INTERRUPT "IST 3 is zero: not mapped", CODE1, look, P|DPL3|14, 0
    INTERRUPT "compatibility code", CODE, look, P|DPL3|14
    INTERRUPT "null code", 0, look, P|DPL3|14
    INTERRUPT "data", DATA64, look, P|DPL3|14
    INTERRUPT "code of ring 3", USER_CODE64, look, P|DPL3|14
    INTERRUPT "conforming", CONFORM, look, P|DPL3|15
    INTERRUPT "code of ring 1", CODE1, look, P|DPL3|14
    INTERRUPT "offset not canonical", CODE64, look, P|DPL3|14, 0, 0x00008000
    .irp type, 4, 5, 6, 7, 9, 12
    INTERRUPT "type \type", CODE64, look, P|DPL3|\type
    .endr
    CASE64 "int: the stack is aligned"
    SET_GATE64 IDT_GATE, CODE64, look, P|DPL3|14
    subq $3, %rsp
    int $VECTOR
    END64
    CASE64 "int from compatibility mode"
    pushq $USER_DATA64
    pushq $user_stack_end
    pushq $2
    pushq $USER_CODE32
    pushq $in_compatibility
    iretq
    END64
    CASE64 "int beyond the IDT"
    lidt short_idt
    int $0xf0
    END64
    CASE64 "rsp0 not canonical"
    movl $0x8000, tss64+8
    USER64
    int $VECTOR
    END64

/* Call gates of 16 bytes. */
    .macro CALL_GATE text, selector, target, access, high=0, type=0
    CASE64 "call gate: \text"
    SET_GATE64 gdt+GATE, \selector, \target, \access, 0, \high
    movl $\type, gdt+GATE+12
    movl $0x12345678, room
    movl $GATE, room+4
    lcalll *room
    END64
    CASE64 "call gate from ring 3: \text"
    SET_GATE64 gdt+GATE, \selector, \target, \access, 0, \high
    movl $\type, gdt+GATE+12
    movl $0x12345678, room
    movl $GATE+3, room+4
    USER64
    lcalll *room
    END64
    CASE64 "call gate, jmp: \text"
    SET_GATE64 gdt+GATE, \selector, \target, \access, 0, \high
    movl $\type, gdt+GATE+12
    movl $0x12345678, room
    movl $GATE, room+4
    ljmpl *room
    END64
    .endm
    movl $0, tss64+8
    CALL_GATE "DPL 3", CODE64, look, P|DPL3|12
    CALL_GATE "DPL 0", CODE64, look, P|12
    CALL_GATE "not present", CODE64, look, DPL3|12
    CALL_GATE "compatibility code", CODE, look, P|DPL3|12
    CALL_GATE "null", 0, look, P|DPL3|12
    CALL_GATE "ring 1", CODE1, look, P|DPL3|12
    CALL_GATE "conforming", CONFORM, look, P|DPL3|12
    CALL_GATE "not canonical", CODE64, look, P|DPL3|12, 0x8000
    CALL_GATE "the upper type is not zero", CODE64, look, P|DPL3|12, 0, 0x500
    CASE64 "call gate and lretq"
    SET_GATE64 gdt+GATE, CODE64, gate_return, P|DPL3|12
    movl $0, gdt+GATE+12
    movl $GATE+3, room+4
    USER64
    lcalll *room
    movl $0x77, %ebx
    END64

/* SYSCALL, SYSRET, SWAPGS. */
    CASE64 "syscall with SCE clear"
    syscall
    END64
    CASE64 "sysret with SCE clear"
    sysretq
    END64
    WRITE_MSR EFER, 0xd01
    WRITE_MSR STAR, 0, 0x08130800
    WRITE_MSR LSTAR, completed, 0
    WRITE_MSR CSTAR, completed, 0
    WRITE_MSR FMASK, 0x47700, 0
    CASE64 "syscall from ring 0"
    syscall
    END64
    CASE64 "syscall from ring 3"
    USER64
    pushq $0x244cd7
    popfq
    syscall
    END64
    CASE64 "sysretq"
    movl $completed, %ecx
    movl $0x3246, %r11d
    bts $17, %r11
    sysretq
    END64
    CASE64 "sysretl"
    movl $completed, %ecx
    movl $0x10246, %r11d
    sysretl
    END64
    CASE64 "sysretq to an address that is not canonical"
    movabsq $0x800000000000, %rcx
    sysretq
    END64
    CASE64 "sysretq from ring 3"
    USER64
    sysretq
    END64
    CASE64 "swapgs"
    WRITE_MSR GS_BASE, room, 0
    WRITE_MSR KERNEL_GS_BASE, room+8, 0x10
    swapgs
    movl $GS_BASE, %ecx
    rdmsr
    movl %eax, %ebx
    movl %edx, %esi
    movl $KERNEL_GS_BASE, %ecx
    rdmsr
    END64
    CASE64 "swapgs from ring 3"
    USER64
    swapgs
    END64
    CASE64 "fs base"
    WRITE_MSR FS_BASE, room+8, 0
    movq %fs:0, %rax
    movq %fs:-8, %rdx
    END64
    CASE64 "fs base of more than 32 bits, in a 32-bit address"
    WRITE_MSR FS_BASE, 0, 0x1
    movl $room, %ebx
    movq %fs:(%ebx), %rax
    END64

/* Control registers. */
    CASE64 "a reserved bit of EFER"
    WRITE_MSR EFER, 0x80000d01
    END64
    CASE64 "LMA is written as it is"
    WRITE_MSR EFER, 0x901
    movl $EFER, %ecx
    rdmsr
    END64
    CASE64 "the high half of cr0"
    movq %cr0, %rax
    btsq $40, %rax
    movq %rax, %cr0
    END64
    CASE64 "an MSR that is not there"
    movl $0xc0001234, %ecx
    rdmsr
    END64
    CASE64 "wrmsr of an MSR that is not there"
    movl $0xc0001234, %ecx
    wrmsr
    END64
    CASE64 "dr7, the high half"
    movabsq $0x100000400, %rax
    movq %rax, %dr7
    END64
    CASE64 "ltr of a 16-byte descriptor, busy"
    movl $TSS64, %eax
    ltr %ax
    END64
    CASE64 "lldt of a 16-byte descriptor"
    SET_DESCRIPTOR64 A, P|2, 0
    movl $0, gdt+A+8
    movl $0, gdt+A+12
    movl $A, %eax
    lldt %ax
    sldt %ecx
    END64
    CASE64 "lldt, the upper type is not zero"
    movl $0x100, gdt+A+12
    movl $A, %eax
    lldt %ax
    END64

/* Compatibility mode: segments count again. */
    .macro COMPAT text, instruction
    CASE64 "compatibility: \text"
    pushq $USER_DATA64
    pushq $user_stack_end
    pushq $2
    pushq $USER_CODE32
    pushq $776f
    iretq
    .code32
776:
    movl $A+3, %ecx
    \instruction
    int $COMPLETED_VECTOR
    .code64
    END64
    .endm
    SET_DESCRIPTOR64 A, DATA_WRITE|DPL3, BIG
    movw $0x1000, gdt+A
    movb $0x40, gdt+A+6
    COMPAT "limit", "movl %ecx, %es; movl %es:0x1000, %eax"
    COMPAT "within the limit", "movl %ecx, %es; movl %es:0xffd, %eax"
    COMPAT "null segment", "xorl %ecx, %ecx; movl %ecx, %es; movl %es:(%ecx), %eax"
    COMPAT "inc and dec are back", "incl %eax; decl %ebx"
    COMPAT "addresses are 32 bits wide", "movl $0xffffffff, %ebx; movl room+1(%ebx), %eax"
    COMPAT "pushal, popal, daa, aam", "pushal; popal; movl $0x99, %eax; daa; aam"
    COMPAT "bound", "movl $room, %ebx; bound %ebx, (%ebx)"
    COMPAT "syscall", "syscall"
    COMPAT "ljmp to 64-bit code", "ljmp $USER_CODE64, $completed"
    COMPAT "lcall to 64-bit code", "lcall $USER_CODE64, $completed"
    COMPAT "ljmp to a TSS", "ljmp $TSS64+3, $0"
    COMPAT "iretl with NT", "pushl $0x4002; popfl; iretl"
    COMPAT "call gate to 64-bit code", "lcall $GATE+3, $0; movl $0x55, %ebx"
    COMPAT "lar of a gate", "movl $GATE+3, %ecx; larl %ecx, %eax"
    COMPAT "swapgs is not there", ".byte 0x0f, 0x01, 0xf8"
    COMPAT "sgdt", "sgdt room; movl room, %eax; movl room+4, %ebx"

/* Paging in four levels. */
    .set TEST, 0x40000000 /* entry 1 of level 3 */
    .macro PAGE text, level3entry, directoryentry, tableentry, instruction
    CASE64 "page: \text"
    movq $\level3entry, %rax
    movq %rax, level3+8
    movabsq $\directoryentry, %rax
    movq %rax, test_directory
    movabsq $\tableentry, %rax
    movq %rax, test_table
    movq %cr3, %rax
    movq %rax, %cr3
    \instruction
    END64
    .endm
    movl $test_table, watch
    movl $test_directory, watch+4
    .set NX, 0x8000000000000000
    PAGE "read", test_directory+7, test_table+7, target+7, "movq TEST, %rax"
    PAGE "write", test_directory+7, test_table+7, target+7, "movq %rdx, TEST+8"
    PAGE "level 3 not present", test_directory+6, test_table+7, target+7, "movq TEST, %rax"
    PAGE "directory not present", test_directory+7, test_table+6, target+7, "movq TEST, %rax"
    PAGE "table not present", test_directory+7, test_table+7, target+6, "movq TEST, %rax"
    PAGE "level 3 supervisor", test_directory+3, test_table+7, target+7, "USER64; movq TEST, %rax"
    PAGE "directory read-only", test_directory+7, test_table+5, target+7, "USER64; movq %rax, TEST"
    PAGE "fetch", test_directory+7, test_table+7, target+7, "movl $TEST+0x800, %ebx; jmp *%rbx"
    PAGE "fetch, NX in the table", test_directory+7, test_table+7, NX+target+7, "movl $TEST+0x800, %ebx; jmp *%rbx"
    PAGE "fetch, NX in the directory", test_directory+7, NX+test_table+7, target+7, "movl $TEST+0x800, %ebx; jmp *%rbx"
    PAGE "fetch in ring 3, NX", test_directory+7, test_table+7, NX+target+7, "USER64; movl $TEST+0x800, %ebx; jmp *%rbx"
    PAGE "fetch in ring 3, supervisor and NX", test_directory+7, test_table+7, NX+target+3, "USER64; movl $TEST+0x800, %ebx; jmp *%rbx"
    PAGE "read of NX", test_directory+7, test_table+7, NX+target+7, "movq TEST, %rax"
    PAGE "reserved bit 51 in the table", test_directory+7, test_table+7, 0x0008000000000000+target+7, "movq TEST, %rax"
    PAGE "reserved bit 50 in the directory, write", test_directory+7, 0x0004000000000000+test_table+7, target+7, "USER64; movq %rax, TEST"
    PAGE "ignored bits 52 to 58", test_directory+7, 0x01f0000000000000+test_table+7, 0x01f0000000000000+target+7, "movq TEST, %rax"
    PAGE "2 MiB", test_directory+7, 0x87, 0, "movq TEST+0x100000, %rax"
    PAGE "2 MiB, reserved bit 13", test_directory+7, 0x2087, 0, "movq TEST+0x100000, %rax"
    PAGE "2 MiB, NX", test_directory+7, NX+0x87, 0, "movl $TEST+completed, %ebx; jmp *%rbx"
    PAGE "1 GiB", 0x87, 0, 0, "movq TEST+0x100000, %rax"
    PAGE "1 GiB, reserved bit 13", 0x2087, 0, 0, "movq TEST+0x100000, %rax"
    PAGE "level 4 not present", test_directory+7, test_table+7, target+7, "movabsq $0x8000000000, %rdi; movq (%rdi), %rax"
    PAGE "level 4 not present, upper half", test_directory+7, test_table+7, target+7, "movabsq $0xffff800000000000, %rdi; movq %rax, (%rdi)"
    PAGE "across 4 KiB", test_directory+7, test_table+7, target+7, "movq TEST+0xffc, %rax"
    WRITE_MSR EFER, 0x501
    PAGE "NX is reserved without NXE", test_directory+7, test_table+7, NX+target+7, "movq TEST, %rax"
    PAGE "NX is reserved without NXE, fetch", test_directory+7, test_table+7, NX+target+7, "movl $TEST+0x800, %ebx; jmp *%rbx"
    PAGE "fetch without NXE, not present", test_directory+7, test_table+7, target+6, "movl $TEST+0x800, %ebx; jmp *%rbx"
    WRITE_MSR EFER, 0xd01
    FINISH64

    .code64
completed:
    nop
    int $COMPLETED_VECTOR
look:
    movq (%rsp), %rax
    movq 8(%rsp), %rcx
    movq 16(%rsp), %rdx
    movq 24(%rsp), %rsi
    movq 32(%rsp), %rdi
    movq %rsp, %rbp
    pushfq
    popq %rbx
    movl %ss, %r8d
    int $COMPLETED_VECTOR
gate_return:
    movq %rsp, %rax
    lretq
    .code32
in_compatibility:
    int $VECTOR
    int $COMPLETED_VECTOR
    .balign 16
    .code16
code16:
    nop
    int $COMPLETED_VECTOR
    .code32

    .section .rodata
    .balign 8
short_idt:
    .word 0xeff
    .quad idt64
    .data
    .balign 4096
target:
    .fill 0x800, 1, 0x5a
    .byte 0xcd, 0x80
    .balign 4096
test_directory:
    .skip 4096
test_table:
    .skip 4096
    .balign 16
room:
    .byte 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    .skip 0x2000
