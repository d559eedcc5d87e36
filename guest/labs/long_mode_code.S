/* The way into 64-bit mode and back (SDM 3A 9.8.5), and what runs there. */
#include "asm/page.h"
#include "asm/segment.h"

#define MSR_EFER 0xC0000080
#define EFER_LME 0x100
#define CR0_PG 0x80000000
#define CR4_PAE 0x20
#define CR4_PCIDE 0x20000
#define CR3_KEEP 63              /* bit: a load of CR3 drops nothing */
#define CODE_SELECTOR_64 (24 * 8) /* LAB_GDT_ENTRY of segment.h */

/* struct long_mode */
#define ADDRESS 0
#define CR3_OF 8
#define SUM_OF 24

#define NR_LOADS 64
#define NR_SWITCHES 64
#define NR_PAGES 16
#define WORD_STEP (4096 + 64) /* each word in another page, and in another set of the cache */

    .macro REGION_BEGIN id, text
    movl $\id, %eax
    movl $\text, %edx
    .byte 0x0f, 0x1f, 0x84, 0x00
    .long 0x4c410003
    movl $\id, %eax
    .byte 0x0f, 0x1f, 0x84, 0x00
    .long 0x4c410001
    .endm
    .macro REGION_END id
    movl $\id, %eax
    .byte 0x0f, 0x1f, 0x84, 0x00
    .long 0x4c410002
    .endm

    .text
    .balign 4096
    .globl long_mode_page
long_mode_page:
/*
 * void long_mode_enter(u32 cr3, void (*code)(void), struct long_mode *run). Paging is off between the
 * kernel's tables and those of 64-bit mode, so the page with this code must be mapped at its physical
 * address, too, by both.
 */
    .globl long_mode_enter
    .type long_mode_enter, @function
long_mode_enter:
    pushl %ebp
    pushl %ebx
    pushl %esi
    pushl %edi
    movl 20(%esp), %eax
    movl 24(%esp), %ebx
    movl 28(%esp), %ebp
    movl %cr4, %edi
    pushl %edi
    movl %cr3, %esi
    pushl %esi
    movl $1f - PAGE_OFFSET, %edx
    jmp *%edx
1:  movl %cr0, %ecx
    andl $~CR0_PG, %ecx
    movl %ecx, %cr0
    orl $CR4_PAE, %edi
    movl %edi, %cr4
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_LME, %eax
    wrmsr
    movl %cr0, %ecx
    orl $CR0_PG, %ecx
    movl %ecx, %cr0             /* long mode, with a code segment of 32 bits */
    ljmp $CODE_SELECTOR_64, $2f
    .code64
2:  movl %esp, %esp             /* a move of 32 bits clears the upper half */
    movl %ebx, %ebx
    movl %ebp, %edi
    call *%rbx
    ljmp *way_back(%rip)
way_back:
    .long 3f
    .word __KERNEL_CS
    .code32
3:  popl %esi
    popl %edi
    movl $4f - PAGE_OFFSET, %edx
    jmp *%edx
4:  movl %cr0, %ecx
    andl $~CR0_PG, %ecx
    movl %ecx, %cr0             /* no long mode any more */
    movl $MSR_EFER, %ecx
    rdmsr
    andl $~EFER_LME, %eax
    wrmsr
    movl %edi, %cr4
    movl %esi, %cr3
    movl %cr0, %ecx
    orl $CR0_PG, %ecx
    movl %ecx, %cr0
    movl $5f, %edx
    jmp *%edx
5:  popl %edi
    popl %esi
    popl %ebx
    popl %ebp
    ret
    .size long_mode_enter, . - long_mode_enter
    .if . - long_mode_page > 4096
    .error "more than a page"
    .endif

/* ---- 64-bit code, with RDI = struct long_mode; all registers may be changed ---- */

    .code64
/* Loads the first page's word over and over, then each time after INVLPG. */
    .globl long_mode_walk
    .type long_mode_walk, @function
long_mode_walk:
    movq ADDRESS(%rdi), %rsi
    movl (%rsi), %ebx
    movl %ebx, SUM_OF(%rdi)
    movl $0, SUM_OF + 4(%rdi)
    REGION_BEGIN 1000, loads_text
    movl $NR_LOADS, %ecx
1:  movl (%rsi), %ebx
    decl %ecx
    jnz 1b
    REGION_END 1000
    REGION_BEGIN 1001, invlpg_text
    movl $NR_LOADS, %ecx
1:  invlpg (%rsi)
    movl (%rsi), %ebx
    decl %ecx
    jnz 1b
    REGION_END 1001
    ret
    .size long_mode_walk, . - long_mode_walk

/*
 * NR_SWITCHES times the other address space, of which a word of each page is read. R8 and R9: what CR3 is
 * loaded with.
 */
switch_spaces:
    movl $NR_SWITCHES, %ecx
1:  movq %r8, %cr3
    xchgq %r8, %r9
    movl %ecx, %edx             /* the first count is even: address space 0 */
    andl $1, %edx
    movq ADDRESS(%rdi), %rsi
    xorl %ebx, %ebx
2:  movl (%rsi,%rbx), %eax
    addq %rax, SUM_OF(%rdi,%rdx,8)
    addl $WORD_STEP, %ebx
    cmpl $NR_PAGES * WORD_STEP, %ebx
    jne 2b
    decl %ecx
    jnz 1b
    ret

    .globl long_mode_switch
    .type long_mode_switch, @function
long_mode_switch:
    movq $0, SUM_OF(%rdi)
    movq $0, SUM_OF + 8(%rdi)
    movq CR3_OF(%rdi), %r8
    movq CR3_OF + 8(%rdi), %r9
    call switch_spaces
    REGION_BEGIN 1002, switch_text
    call switch_spaces
    REGION_END 1002
    movq CR3_OF(%rdi), %rax
    movq %rax, %cr3
    ret
    .size long_mode_switch, . - long_mode_switch

/* The same with a PCID for each address space, whose translations stay: CR4.PCIDE (SDM 3A 4.10.1). */
    .globl long_mode_switch_pcid
    .type long_mode_switch_pcid, @function
long_mode_switch_pcid:
    movq $0, SUM_OF(%rdi)
    movq $0, SUM_OF + 8(%rdi)
    movq CR3_OF(%rdi), %rax
    movq %rax, %cr3
    movq %cr4, %rax
    orq $CR4_PCIDE, %rax
    movq %rax, %cr4
    movq CR3_OF(%rdi), %r8
    movq CR3_OF + 8(%rdi), %r9
    incq %r8
    addq $2, %r9
    btsq $CR3_KEEP, %r8
    btsq $CR3_KEEP, %r9
    call switch_spaces
    REGION_BEGIN 1003, switch_pcid_text
    call switch_spaces
    REGION_END 1003
    movq CR3_OF(%rdi), %rax
    movq %rax, %cr3
    movq %cr4, %rax
    andq $~CR4_PCIDE, %rax
    movq %rax, %cr4
    ret
    .size long_mode_switch_pcid, . - long_mode_switch_pcid
    .code32

loads_text:
    .asciz "64 loads in 64-bit mode"
invlpg_text:
    .asciz "64 loads in 64-bit mode, each after INVLPG"
switch_text:
    .asciz "64 switches, each drops all"
switch_pcid_text:
    .asciz "64 switches with PCIDs"

    .section .note.GNU-stack, "", @progbits
