/*
 * The first sectors of a bzImage, as its boot loader reads them (Linux/x86 boot protocol, "The Real-Mode Kernel
 * Header"). CODE_BYTES and XLOADFLAGS come from the command line of the assembler.
 */
    .code16
    .org 0x1f1
    .byte 2                     /* setup_sects */
    .word 0
    .long (CODE_BYTES + 15) / 16 /* syssize */
    .word 0, 0, 0
    .word 0xaa55
    .byte 0xeb, 0x66            /* the header ends at 0x268 */
    .ascii "HdrS"
    .word 0x20f
    .long 0
    .word 0x1000, 0
    .byte 0, 1                  /* type_of_loader, loadflags: LOADED_HIGH */
    .word 0
    .long 0x100000              /* code32_start */
    .long 0, 0, 0
    .word 0
    .byte 0, 0
    .long 0
    .long 0x7fffffff            /* initrd_addr_max */
    .long 0x1000                /* kernel_alignment */
    .byte 0, 12                 /* not relocatable */
    .word XLOADFLAGS
    .long 255                   /* cmdline_size */
    .org 0x258
    .quad 0x100000              /* pref_address */
    .long 0x100000              /* init_size */
    .org 3 * 512
