/*
 * A boot sector that a BIOS reads from a disk: it reads sector 3 by cylinder, head and sector, and sector 4 by the extended
 * read of LBA, prints both, and writes what it has of them to sector 9. Ends with port F4h: status 33, or 35 where the BIOS
 * says no.
 */
    .code16
    .globl _start
_start:
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7c00, %sp
    movb %dl, (drive - _start + 0x7c00)
    movw $0x0201, %ax           /* read a sector: cylinder 0, head 0, sector 4 from 1 on */
    movw $0x0004, %cx
    movb $0, %dh
    movw $0x8000, %bx
    int $0x13
    jc 9f
    movb $0x42, %ah             /* extended read */
    movb (drive - _start + 0x7c00), %dl
    movw $(packet - _start + 0x7c00), %si
    int $0x13
    jc 9f
    movw $0x8000, %si
    call print
    movw $0x8200, %si
    call print
    movb $'!', 0x8200 + 511
    movb (drive - _start + 0x7c00), %dl
    movb $0, %dh
    movw $0x0302, %ax           /* write two sectors: from sector 10 on */
    movw $0x000a, %cx
    movw $0x8000, %bx
    int $0x13
    jc 9f
    movb $16, %al
    outb %al, $0xf4
9:  movb $17, %al
    outb %al, $0xf4

print:
    lodsb
    testb %al, %al
    jz 1f
    movb $0x0e, %ah
    movw $7, %bx
    int $0x10
    jmp print
1:  ret

drive:
    .byte 0
packet:
    .byte 16, 0
    .word 1                     /* sector, to 0000:8200h */
    .word 0x8200, 0
    .quad 4
    .org 510
    .word 0xaa55
