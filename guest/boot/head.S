/*
 * The kernel's first instructions. A multiboot loader enters at _start in 32-bit protected mode with paging
 * off, EAX = magic, EBX = address of its information, segments flat, no usable stack and no usable GDTR
 * (multiboot 0.6.96, 3.2).
 */
#include "asm/multiboot.h"
#include "asm/page.h"
#include "boot_steps.h"

#define HEADER_FLAGS (MULTIBOOT_PAGE_ALIGN | MULTIBOOT_MEMORY_INFO)
#define CR0_PG_WP 0x80010000
#define CR4_PAE 0x20

/* lk_mark() of include/lookaside.h; loses EAX and EDX. */
.macro MARK id, text
    movl $\id, %eax
    movl $\text, %edx
    .byte 0x0f, 0x1f, 0x84, 0x00
    .long 0x4c410003
.endm

    .section .multiboot, "a"
    .balign 4
    .long MULTIBOOT_HEADER_MAGIC
    .long HEADER_FLAGS
    .long -(MULTIBOOT_HEADER_MAGIC + HEADER_FLAGS)

    /* Linked at its physical address. */
    .section .boot.text, "ax"
    .globl _start
_start:
    cli
    cld
    movl $boot_stack_top, %esp
    xorl %ebp, %ebp
    pushl %ebx
    pushl %eax
    MARK BOOT_STEP_ENTRY, entry_text
    call early_setup            /* EAX = physical address of the boot page directory */
    testl %eax, %eax
    jz no_way
    movl %eax, %cr3
#ifdef CONFIG_X86_PAE
    movl %cr4, %eax
    orl $CR4_PAE, %eax
    movl %eax, %cr4
#endif
    movl %cr0, %eax
    orl $CR0_PG_WP, %eax        /* WP: the kernel respects read-only user pages too */
    movl %eax, %cr0
    movl $start_high, %eax
    jmp *%eax
no_way:
    cli
    hlt
    jmp no_way
entry_text:
    .asciz "entry: 32-bit protected mode, no paging"

    .section .boot.bss, "aw", @nobits
    .balign 16
    .skip 4096
boot_stack_top:

    /* Linked at PAGE_OFFSET + physical address. */
    .text
start_high:
    movl $init_stack + (1 << (PAGE_SHIFT + 1)), %esp
    MARK BOOT_STEP_PAGING, paging_text
    call start_kernel
paging_text:
    .asciz "paging is on"

    .section .note.GNU-stack, "", @progbits
