/*
 * PAE paging in 32-bit mode (SDM 3A 4.4, 4.6): PDPTE registers, rights with NX, 2 MiB pages, reserved bits, SMEP and SMAP.
 */
#include "system.inc"

    .set PG, 0x80000000
    .set WP, 0x00010000
    .set PAE, 0x20
    .set PGE, 0x80
    .set SMEP, 0x100000
    .set SMAP, 0x200000
    .set EFER, 0xc0000080
    .set NXE, 0x800
    .set NX, 0x80000000         /* in the upper half of an entry */
    .set TEST, 0x40000000       /* the linear page that is tried: the second directory's first table, its first entry */
    .set AC, 0x40000

    PROGRAM
/* The first 32 MiB are mapped one to one in pages of 2 MiB, for supervisor and user. */
    movl $0xe7, %eax
    call map_low
    movl $directory1, pdpt+8
    orl $1, pdpt+8
    movl $table+7, directory1
    movl $pdpt, %eax
    movl %eax, %cr3
    movl $PAE, %eax
    movl %eax, %cr4
    movl $NXE, %eax
    call set_efer
    movl %cr0, %eax
    orl $PG, %eax
    movl %eax, %cr0
    jmp 1f
1:  movl $directory1, watch
    movl $table, watch+4

    .macro SET_PAGE pde, pde_high, pte, pte_high, wp = 0
    movl $table+\pde, directory1
    movl $\pde_high, directory1+4
    movl $target+\pte, table
    movl $\pte_high, table+4
    movl %cr0, %eax
    andl $~WP, %eax
    orl $\wp, %eax
    movl %eax, %cr0
    movl %cr3, %eax
    movl %eax, %cr3
    .endm

    .macro RIGHTS pde, pde_high, pte, pte_high, wp = 0
    CASE "pde \pde,\pde_high pte \pte,\pte_high wp \wp: read by the supervisor"
    SET_PAGE \pde, \pde_high, \pte, \pte_high, \wp
    movl TEST, %ebx
    END
    CASE "pde \pde,\pde_high pte \pte,\pte_high wp \wp: write by the supervisor"
    SET_PAGE \pde, \pde_high, \pte, \pte_high, \wp
    movl %ebx, TEST+4
    END
    CASE "pde \pde,\pde_high pte \pte,\pte_high wp \wp: code of the supervisor"
    SET_PAGE \pde, \pde_high, \pte, \pte_high, \wp
    movl $TEST+0x800, %edx
    jmp *%edx
    END
    CASE "pde \pde,\pde_high pte \pte,\pte_high wp \wp: read by the user"
    SET_PAGE \pde, \pde_high, \pte, \pte_high, \wp
    USER
    movl TEST, %ebx
    END
    CASE "pde \pde,\pde_high pte \pte,\pte_high wp \wp: write by the user"
    SET_PAGE \pde, \pde_high, \pte, \pte_high, \wp
    USER
    movl %ebx, TEST+4
    END
    CASE "pde \pde,\pde_high pte \pte,\pte_high wp \wp: code of the user"
    SET_PAGE \pde, \pde_high, \pte, \pte_high, \wp
    USER
    movl $TEST+0x800, %edx
    jmp *%edx
    END
    .endm
    movw $0x80cd, target+0x800
    .irp pde, 0x3, 0x7
    .irp pte, 0x1, 0x5, 0x7
    RIGHTS \pde, 0, \pte, 0
    RIGHTS \pde, 0, \pte, 0, WP
    .endr
    .endr
    RIGHTS 7, 0, 7, NX
    RIGHTS 7, NX, 7, 0
    RIGHTS 7, NX, 5, NX
    RIGHTS 3, NX, 7, NX
    RIGHTS 7, 0, 6, 0
    RIGHTS 7, 0, 6, NX
    RIGHTS 6, NX, 7, 0
/* Reserved bits (SDM 3A table 4-11): 62 to 52, and what lies beyond the physical address. */
    RIGHTS 7, 0, 7, 0x00100000
    RIGHTS 7, 0x40000000, 7, 0
    RIGHTS 7, 0x00080000, 7, 0
    CASE "a reserved bit in an entry that is not present"
    SET_PAGE 7, 0, 6, 0x00100000
    movl TEST, %ebx
    END
    CASE "NX without EFER.NXE is a reserved bit"
    SET_PAGE 7, 0, 7, NX
    xorl %eax, %eax
    call set_efer
    movl %cr3, %eax
    movl %eax, %cr3
    movl TEST, %ebx
    END
    CASE "NXE again; a fetch's error code without it has no I/D"
    SET_PAGE 7, 0, 6, 0
    xorl %eax, %eax
    call set_efer
    movl $TEST+0x800, %edx
    jmp *%edx
    END
    movl $NXE, %eax
    call set_efer

/* Pages of 2 MiB. */
    .macro LARGE text, low, high, instruction
    CASE "2 MiB: \text"
    movl $\low, directory1
    movl $\high, directory1+4
    movl %cr3, %eax
    movl %eax, %cr3
    \instruction
    END
    .endm
    LARGE "read", 0x87, 0, "movl TEST+0x100000, %ebx"
    LARGE "write", 0x00200087, 0, "movl %ebx, TEST+0x1ff000"
    LARGE "write by the user, read-only", 0x85, 0, "USER; movl %ebx, TEST+0x100000"
    LARGE "read by the user, the supervisor's", 0x83, 0, "USER; movl TEST+0x100000, %ebx"
    LARGE "code, NX", 0x87, NX, "movl $TEST+0x100000, %edx; jmp *%edx"
    LARGE "read, NX", 0x87, NX, "movl TEST+0x100000, %ebx"
    LARGE "bit 12 is PAT", 0x1087, 0, "movl TEST+0x100000, %ebx"
    LARGE "bit 13 is reserved", 0x2087, 0, "movl TEST+0x100000, %ebx"
    LARGE "bit 20 is reserved, the user writes", 0x100087, 0, "USER; movl %ebx, TEST+0x100000"
    LARGE "bit 52 is reserved", 0x87, 0x00100000, "movl TEST+0x100000, %ebx"
    LARGE "not present", 0x86, 0, "movl TEST+0x100000, %ebx"

/* PDPTE registers are loaded with CR3, and by writes to CR0 and CR4 that change paging (SDM 3A 4.4.1). */
    .macro LOAD text, low, high
    CASE "pdpte: \text"
    movl $\low, pdpt+16
    movl $\high, pdpt+20
    movl %cr3, %eax
    movl %eax, %cr3
    END
    CASE "pdpte, then a read: \text"
    movl 0x80000000, %ebx
    END
    .endm
    LOAD "not present, reserved bits set", 0x1e6, 0xfff00000
    LOAD "bit 1 is reserved", directory1+3, 0
    LOAD "bit 5 is reserved", directory1+0x21, 0
    LOAD "bit 8 is reserved", directory1+0x101, 0
    LOAD "PWT, PCD and the bits for software", directory1+0xe19, 0
    LOAD "bit 52 is reserved", directory1+1, 0x00100000
    LOAD "bit 63 is reserved, with NXE too", directory1+1, NX
    LOAD "present", directory1+1, 0
    CASE "pdpte: MOV to CR4 that changes PGE loads them"
    SET_PAGE 7, 0, 7, 0
    movl $0, pdpt+16
    movl %cr4, %eax
    xorl $PGE, %eax
    movl %eax, %cr4
    movl 0x80000000, %ebx
    END
    CASE "pdpte: MOV to CR4 with a bad one"
    movl $directory1+3, pdpt+16
    movl %cr4, %eax
    xorl $PGE, %eax
    movl %eax, %cr4
    END
    CASE "pdpte: and CR4 is as it was"
    movl $0, pdpt+16
    movl %cr4, %ebx
    END
    CASE "pdpte: MOV to CR0 that sets PG with a bad one"
    movl %cr0, %eax
    andl $~PG, %eax
    movl %eax, %cr0
    movl $0x23, pdpt+16
    orl $PG, %eax
    movl %eax, %cr0
    END
    CASE "pdpte: and PG is as it was"
    movl $0, pdpt+16
    movl %cr0, %ebx
    orl $PG, %ebx
    movl %ebx, %cr0
    END
    CASE "pdpte: the table lies on 32 bytes"
    movl $pdpt, %esi
    movl $pdpt_inside, %edi
    movl $8, %ecx
    rep movsl
    movl $pdpt_inside+0x18, %eax /* PWT and PCD, and nothing else of the low bits */
    movl %eax, %cr3
    movl TEST, %ebx
    END
    movl $pdpt, %eax
    movl %eax, %cr3
    CASE "a write to CR4.PAE with paging on in protected mode"
    movl %cr4, %eax
    andl $~PAE, %eax
    movl %cr0, %ecx
    movl %ecx, %edx
    andl $~PG, %ecx
    movl %ecx, %cr0
    movl %eax, %cr4
    orl $PAE, %eax
    movl %eax, %cr4
    movl %edx, %cr0
    movl TEST, %ebx
    END

/* SMEP and SMAP: what is mapped one to one is the supervisor's now. */
    movl $0xe3, %eax
    call map_low
    movl %cr3, %eax
    movl %eax, %cr3
    .macro GUARD text, cr4, pte, pte_high, instruction
    CASE "\text"
    movl $PAE|\cr4, %eax
    movl %eax, %cr4
    SET_PAGE 7, 0, \pte, \pte_high
    \instruction
    END
    .endm
    .macro FLAG_AC
    pushfl
    orl $AC, (%esp)
    popfl
    .endm
    GUARD "smep: code of the user", SMEP, 7, 0, "movl $TEST+0x800, %edx; jmp *%edx"
    GUARD "smep: code of the supervisor", SMEP, 3, 0, "movl $TEST+0x800, %edx; jmp *%edx"
    GUARD "smep: code that is not there", SMEP, 6, 0, "movl $TEST+0x800, %edx; jmp *%edx"
    GUARD "smep: code of the user, NX", SMEP, 7, NX, "movl $TEST+0x800, %edx; jmp *%edx"
    GUARD "smep: data of the user", SMEP, 7, 0, "movl TEST, %ebx"
    GUARD "smep off: code of the user", 0, 7, 0, "movl $TEST+0x800, %edx; jmp *%edx"
    GUARD "smap: read", SMAP, 7, 0, "movl TEST, %ebx"
    GUARD "smap: write", SMAP, 7, 0, "movl %ebx, TEST"
    GUARD "smap: write, read-only, WP clear", SMAP, 5, 0, "movl %ebx, TEST"
    GUARD "smap: read-modify-write", SMAP, 7, 0, "incl TEST"
    GUARD "smap: not present", SMAP, 6, 0, "movl TEST, %ebx"
    GUARD "smap: data of the supervisor", SMAP, 3, 0, "movl TEST, %ebx"
    GUARD "smap: code of the user", SMAP, 7, 0, "movl $TEST+0x800, %edx; jmp *%edx"
    GUARD "smap: stac, then a read", SMAP, 7, 0, "stac; movl TEST, %ebx"
    GUARD "smap: stac, then a write", SMAP, 7, 0, "stac; movl %ebx, TEST"
    GUARD "smap: stac, clac, then a read", SMAP, 7, 0, "stac; movl TEST, %ebx; clac; movl TEST, %ecx"
    GUARD "smap: popf sets AC", SMAP, 7, 0, "FLAG_AC; movl TEST, %ebx"
    GUARD "smap: popf clears AC", SMAP, 7, 0, "FLAG_AC; movl TEST, %ebx; pushfl; andl $~AC, (%esp); popfl; movl TEST, %ecx"
    GUARD "smap: rep movsb from the user", SMAP, 7, 0, "movl $TEST, %esi; movl $scratch_page, %edi; movl $4, %ecx; rep movsb"
    GUARD "smap: stac without CR4.SMAP", 0, 7, 0, "stac; movl TEST, %ebx"
    SET_DESCRIPTOR FREE, TEST+0x10, 0x1f, P|2, 0
    GUARD "smap: a descriptor is read implicitly, whatever AC is", SMAP, 7, 0, "stac; movl $FREE, %ecx; lldt %cx; movl $0xc, %ecx; movl %ecx, %es"
    GUARD "smap: the same, the supervisor's page", SMAP, 3, 0, "movl $FREE, %ecx; lldt %cx; movl $0xc, %ecx; movl %ecx, %es"
    xorl %ecx, %ecx
    lldt %cx
    GUARD "smap: sgdt writes explicitly", SMAP, 7, 0, "stac; sgdt TEST+0x40; clac; sgdt TEST+0x40"
    GUARD "smap and smep: both", SMAP|SMEP, 7, 0, "stac; movl TEST, %ebx; movl $TEST+0x800, %edx; jmp *%edx"
    movl $0xe7, %eax
    call map_low
    movl $PAE, %eax
    movl %eax, %cr4
    CASE "stac in ring 3"
    USER
    stac
    END
    CASE "clac in ring 3"
    USER
    clac
    END
    movl %cr0, %eax
    andl $~PG, %eax
    movl %eax, %cr0
    xorl %eax, %eax
    movl %eax, %cr4
    FINISH

/* EAX: what the entries of the first directory have in their low bits. */
map_low:
    movl $directory0, %edi
    movl $16, %ecx
    xorl %edx, %edx
1:  stosl
    movl %edx, (%edi)
    addl $4, %edi
    addl $0x200000, %eax
    loop 1b
    movl $directory0+1, pdpt
    ret

/* EAX: its lower half. */
set_efer:
    movl $EFER, %ecx
    xorl %edx, %edx
    wrmsr
    ret

    .data
    .balign 4096
pdpt:
    .skip 0x40
pdpt_inside:
    .skip 4096-0x40
directory0:
    .skip 4096
directory1:
    .skip 4096
table:
    .skip 4096
target:
    .fill 16, 1, 0x5a
    .quad 0, 0x00cf93000000ffff, 0, 0
    .fill 4096-48, 1, 0x5a
scratch_page:
    .skip 4096
