/* The programs, as files inside the kernel's image. The build passes the folder with -I. */
.macro USER_PROGRAM name
    .section .user_images, "a"
    .balign 4096
image_\name:
    .incbin "\name"
image_end_\name:

    .section .rodata.str, "a"
name_\name:
    .asciz "\name"

    .section user_programs, "a"
    .balign 4
    .long name_\name, image_\name, image_end_\name
.endm

    USER_PROGRAM init
    USER_PROGRAM spin
    USER_PROGRAM touch
    USER_PROGRAM crash
    USER_PROGRAM cat
    USER_PROGRAM delays
    USER_PROGRAM demand
    USER_PROGRAM swap
    USER_PROGRAM zram
    USER_PROGRAM cow
    USER_PROGRAM faults
    USER_PROGRAM files
    USER_PROGRAM flat
    USER_PROGRAM areas
    USER_PROGRAM memcg
    USER_PROGRAM memcgswap
    USER_PROGRAM oom
    USER_PROGRAM storm
    USER_PROGRAM squeeze
    USER_PROGRAM pipes
    USER_PROGRAM privilege
    USER_PROGRAM rodata
    USER_PROGRAM stress
    USER_PROGRAM supervisor
    USER_PROGRAM switch
    USER_PROGRAM tasks
    USER_PROGRAM forkbomb
    USER_PROGRAM zerocopy

    .section .note.GNU-stack, "", @progbits
