/* Interrupt vectors. */
#pragma once

#define X86_TRAP_DE 0
#define X86_TRAP_DB 1
#define X86_TRAP_NMI 2
#define X86_TRAP_BP 3
#define X86_TRAP_OF 4
#define X86_TRAP_UD 6
#define X86_TRAP_NM 7
#define X86_TRAP_DF 8
#define X86_TRAP_GP 13
#define X86_TRAP_PF 14
#define X86_TRAP_MF 16
#define X86_TRAP_AC 17
#define X86_TRAP_XF 19
#define NR_EXCEPTIONS 32

/* The 8259s are told to use the vectors behind the exceptions. */
#define FIRST_EXTERNAL_VECTOR 0x20
#define NR_IRQS 16
#define IA32_SYSCALL_VECTOR 0x80

/* Error code of a page fault (SDM 3A 4.7). */
#define X86_PF_PROT 0x1u /* the page was present */
#define X86_PF_WRITE 0x2u
#define X86_PF_USER 0x4u
#define X86_PF_INSTR 0x10u
