/*
 * A ROM instead of a BIOS for Bochs: enters the bundled guest as a multiboot loader does (Multiboot 0.6.96, 3.2). The guest
 * itself is put into RAM by Bochs. Assembled by bochs.py with ENTRY, IMAGE_START, IMAGE_END, RAM_KIB and COMMAND_LINE;
 * 64 KiB, linked at F0000h.
 */
#define RAM_BLOCK_BYTES 0x20000
    .code16
start16:
    cli
    lgdtl %cs:gdt_pointer - start16
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl $8, $start32

    .code32
start32:
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    movw %ax, %ss
    /*
     * Bochs takes a block of the host's memory for a block of RAM when that is touched first, the next in turn, but reads
     * the image into one stretch: its blocks must be touched in their order before the guest touches any.
     */
    movl $IMAGE_START, %esi
next_block:
    testb %al, (%esi)
    addl $RAM_BLOCK_BYTES, %esi
    cmpl $IMAGE_END, %esi
    jb next_block
    movl $0x2BADB002, %eax
    movl $multiboot_info, %ebx
    ljmpl $8, $ENTRY

    .balign 8
gdt:
    .quad 0, 0x00CF9A000000FFFF, 0x00CF92000000FFFF
gdt_pointer:
    .word 23
    .long gdt

multiboot_info:
    .long 5                 /* memory size and command line are given */
    .long 639, RAM_KIB - 1024
    .long 0
    .long command_line
    .fill 28, 4, 0
command_line:
    .asciz COMMAND_LINE

    .org 0xFFF0             /* where the processor starts */
    .code16
    ljmpw $0xF000, $0
    .org 0x10000
