/* Two-level paging: every combination of rights, error codes, CR2, accessed and dirty bits, 4 MiB pages (SDM 3A 4.3, 4.6, 4.7). */
#include "system.inc"

    .set PG, 0x80000000
    .set WP, 0x00010000
    .set TEST, 0x40000000       /* the linear page that is tried: entry 256 of the directory, entry 0 of its table */
    .set TEST_PDE, directory+TEST/0x400000*4
    .set PSE, 0x10

    PROGRAM
/* The first 32 MiB are mapped one to one, for supervisor and user. */
    movl $tables, %edi
    movl $0x007, %eax
1:  stosl
    addl $0x1000, %eax
    cmpl $0x2000000, %eax
    jb 1b
    movl $directory, %edi
    movl $tables+0x007, %eax
    movl $8, %ecx
1:  stosl
    addl $0x1000, %eax
    loop 1b
    movl $table+0x007, TEST_PDE
    movl $directory, %eax
    movl %eax, %cr3
    movl %cr0, %eax
    orl $PG, %eax
    movl %eax, %cr0
    jmp 1f
1:  movl $TEST_PDE, watch
    movl $table, watch+4

    .macro SET_PAGE pde, pte, wp
    movl $table+\pde, TEST_PDE
    movl $target+\pte, table
    movl %cr0, %eax
    andl $~WP, %eax
    orl $\wp, %eax
    movl %eax, %cr0
    movl %cr3, %eax
    movl %eax, %cr3
    .endm

    .macro RIGHTS pde, pte, wp
    CASE "pde \pde pte \pte wp \wp: supervisor read"
    SET_PAGE \pde, \pte, \wp
    movl TEST, %ebx
    END
    CASE "pde \pde pte \pte wp \wp: supervisor write"
    SET_PAGE \pde, \pte, \wp
    movl %ebx, TEST+4
    END
    CASE "pde \pde pte \pte wp \wp: supervisor read-modify-write"
    SET_PAGE \pde, \pte, \wp
    addl %ebx, TEST+8
    END
    CASE "pde \pde pte \pte wp \wp: user read"
    SET_PAGE \pde, \pte, \wp
    USER
    movl TEST, %ebx
    END
    CASE "pde \pde pte \pte wp \wp: user write"
    SET_PAGE \pde, \pte, \wp
    USER
    movl %ebx, TEST+4
    END
    CASE "pde \pde pte \pte wp \wp: user code"
    SET_PAGE \pde, \pte, \wp
    USER
    movl $TEST+0x800, %edx
    jmp *%edx
    END
    .endm
    movw $0x80cd, target+0x800
    .irp wp, 0, WP
    .irp pde, 0x1, 0x3, 0x5, 0x7
    .irp pte, 0x1, 0x3, 0x5, 0x7
    RIGHTS \pde, \pte, \wp
    .endr
    .endr
    .irp pte, 0, 6, 0xffe-0x1000
    RIGHTS 7, \pte, \wp
    .endr
    RIGHTS 6, 7, \wp
    .endr
    RIGHTS 0x67, 0x67, 0
    RIGHTS 0xfff-0x80-0x1000, 0xfff-0x1000, 0 /* all ignored bits set */

/* Accesses that cross into a page that is not there. */
    SET_PAGE 7, 7, 0
    movl $0, table+4
    .macro CROSS text, instruction
    CASE "across pages: \text"
    movl $TEST+0xffe, %ebx
    movl $TEST+0xffe, %edi
    movl $TEST+0xffe, %esi
    \instruction
    END
    .endm
    CROSS "read", "movl (%ebx), %eax"
    CROSS "write", "movl %eax, (%ebx)"
    CROSS "what the write left", "movw target+0xffe, %ax"
    CROSS "read-modify-write", "incl (%ebx)"
    CROSS "xchg", "xchgl %eax, (%ebx)"
    CROSS "push to memory", "pushl (%ebx)"
    CROSS "pop to memory", "pushl %eax; popl (%ebx)"
    CROSS "movsl from", "movl $target, %edi; movsl"
    CROSS "movsl to", "movl $target, %esi; movsl"
    CROSS "rep movsb into", "movl $target, %esi; movl $16, %ecx; rep movsb"
    CROSS "rep stosw", "movl $4, %ecx; rep stosw"
    CROSS "rep lodsb", "movl $4, %ecx; rep lodsb"
    CROSS "rep movsl backwards", "std; movl $TEST+0x1004, %esi; movl $target+0x100, %edi; movl $4, %ecx; rep movsl"
    CROSS "repe cmpsb", "movl $TEST+0xffc, %edi; movl $8, %ecx; movl $target+0xffc, %esi; repe cmpsb"
    CROSS "repne scasb", "movl $0x5a, %eax; movl $9, %ecx; repne scasb"
    CROSS "cmpxchg8b", "cmpxchg8b (%ebx)"
    CROSS "les", "les (%ebx), %eax"
    CROSS "sgdt", "sgdt (%ebx)"
    CROSS "bts by register", "movl $8*4, %ecx; btsl %ecx, (%ebx)"
    CROSS "call through memory", "call *(%ebx)"
    CROSS "fetch", "movw $0x05c7, target+0xffe; jmp *%ebx"
    CROSS "fetch of the next page's first byte", "movw $0x9090, target+0xffe; jmp *%ebx"
    CROSS "enter", "movl %esp, %ecx; movl %ebx, %ebp; leave"
    CROSS "user stack", "USER; movl $TEST+0x1000, %esp; popl %eax"
    CROSS "user stack, pushal", "USER; movl $TEST+0x1010, %esp; pushal"
    CROSS "user stack, call", "USER; movl $TEST+0x1002, %esp; call 775f; 775:"

/* CR2 and the error code of a page fault in delivery, #DF. */
    CASE "page fault whose gate lies in a missing page: #DF"
    movl $idt, %esi
    movl $target+0xf90, %edi
    movl $28, %ecx
    rep movsl
    lidt idt_cut
    movl TEST+0x1800, %eax
    END
    lidt idt_pointer
    CASE "#GP whose gate lies in a missing page, with that of #PF: #DF"
    movl $idt, %esi
    movl $target+0xf98, %edi
    movl $26, %ecx
    rep movsl
    lidt idt_cut2
    movl $0x1008, %eax
    movl %eax, %es
    END
    lidt idt_pointer
    CASE "INT whose gate lies in a missing page"
    movl $idt, %esi
    movl $target+0xf88, %edi
    movl $30, %ecx
    rep movsl
    lidt idt_missing
    int $0x20
    END
    lidt idt_pointer
    .macro MOVE_GDT
    movl $gdt, %esi
    movl $target+0xf00, %edi
    movl $16, %ecx
    rep movsl
    lgdt gdt_missing
    .endm
    CASE "segment load whose descriptor lies in a missing page"
    MOVE_GDT
    movl $0x100, %ecx
    movl %ecx, %es
    END
    CASE "the same from ring 3: the table is read as supervisor"
    MOVE_GDT
    movl $second+3, table+4
    movl %cr3, %eax
    movl %eax, %cr3
    USER
    movl $0x103, %ecx
    movl %ecx, %es
    END
    CASE "ring 3 reads that table itself"
    USER
    movl TEST+0x1000, %eax
    END
    CASE "a descriptor in a read-only page, accessed bit clear, WP clear"
    MOVE_GDT
    movl $second+1, table+4
    movl %cr3, %eax
    movl %eax, %cr3
    movl $0x108, %ecx
    movl %ecx, %es
    END
    CASE "a descriptor in a read-only page, accessed bit clear, WP set"
    MOVE_GDT
    movb $0xf2, second+8+5
    movl %cr0, %eax
    orl $WP, %eax
    movl %eax, %cr0
    movl $0x108, %ecx
    movl %ecx, %es
    END
    CASE "a descriptor in a read-only page, accessed bit set, WP set"
    MOVE_GDT
    movb $0xf3, second+8+5
    movl $0x108, %ecx
    movl %ecx, %es
    END
    movl $0, table+4

/* The TLB: what is stale may be used or not, but after INVLPG and MOV CR3 it is not. */
    CASE "invlpg"
    SET_PAGE 7, 7, 0
    movl TEST, %ebx
    movl $0, table
    invlpg TEST
    movl TEST, %ebx
    END
    CASE "mov to cr3"
    SET_PAGE 7, 7, 0
    movl TEST, %ebx
    movl $0, table
    movl %cr3, %eax
    movl %eax, %cr3
    movl TEST, %ebx
    END
    CASE "from not present to present needs nothing"
    SET_PAGE 7, 0, 0
    movl $target+7, table
    movl TEST, %ebx
    END
    CASE "the dirty bit comes with the first write"
    SET_PAGE 7, 7, 0
    movl TEST, %ebx
    movl table, %ecx
    movl %ebx, TEST
    END
    CASE "a failed user write sets nothing but what the walk needs"
    SET_PAGE 7, 5, 0
    USER
    movl %ebx, TEST
    END
    CASE "cmpxchg that does not store sets the dirty bit"
    SET_PAGE 7, 7, 0
    movl $0x12345, %eax
    cmpxchgl %ebx, TEST+0x20
    END
    CASE "rep movsb with count 0 touches nothing"
    SET_PAGE 7, 7, 0
    xorl %ecx, %ecx
    movl $TEST, %esi
    movl $TEST, %edi
    rep movsb
    END

/* 4 MiB pages. */
    .macro LARGE text, pde, cr4, instruction
    CASE "4 MiB: \text"
    movl $\cr4, %eax
    movl %eax, %cr4
    movl $\pde, TEST_PDE
    movl %cr3, %eax
    movl %eax, %cr3
    \instruction
    END
    .endm
    LARGE "read", 0x000000e7, PSE, "movl TEST+0x100000, %ebx"
    LARGE "write", 0x000000e7-0x60, PSE, "movl %ebx, TEST+0x1f00000"
    LARGE "write to 4 MiB", 0x004000e7-0x60, PSE, "movl %ebx, TEST+0x300000"
    LARGE "user read of supervisor's", 0x000000e3, PSE, "USER; movl TEST+0x100000, %ebx"
    LARGE "user write to read-only", 0x000000e5, PSE, "USER; movl %ebx, TEST+0x300000"
    LARGE "not present", 0x000000e6, PSE, "movl TEST+0x100000, %ebx"
    LARGE "reserved bits 21 to 13", 0x002000e7, PSE, "movl TEST+0x100000, %ebx"
    LARGE "reserved bit 21, user write", 0x002000e7, PSE, "USER; movl %ebx, TEST+0x100000"
    LARGE "PSE-36 bits", 0x000020e7-0x60, PSE, "xorl %ebx, %ebx"
    LARGE "PS without CR4.PSE is a table", table+0x87, 0, "movl TEST, %ebx"
    LARGE "user code", 0x000000e7-0x60, PSE, "USER; movl $TEST+user_code, %edx; jmp *%edx"
    CASE "CR4 and paging as they were"
    xorl %eax, %eax
    movl %eax, %cr4
    movl $table+7, TEST_PDE
    movl %cr3, %eax
    movl %eax, %cr3
    END

/* Code that is changed as it runs. */
    CASE "a store to the next instruction"
    movb $0x41, 1f /* INC ECX for INC EAX */
1:  incl %eax
    END
    CASE "a store to an instruction far ahead, in a loop"
    movl $3, %ebx
2:  incb 1f+1
1:  addb $0x10, %al
    decl %ebx
    jnz 2b
    END
    CASE "a store through another mapping"
    movl $alias_page+3, table
    invlpg TEST
    movb $0x42, TEST+(1f-alias_page) /* INC EDX */
    jmp 1f
    .pushsection .data
    .balign 4096
alias_page:
    nop
1:  incl %eax
    int $COMPLETED_VECTOR
    .balign 4096
    .popsection
    END
    CASE "rep stosb over the code that follows"
    movl $1f, %edi
    movl $3, %ecx
    movb $0x43, %al /* INC EBX */
    rep stosb
1:  incl %edx
    incl %edx
    incl %edx
    END
    CASE "the page of the code is mapped elsewhere"
    movl $code_page1+7, table
    invlpg TEST
    movl $TEST, %edx
    call *%edx
    movl %eax, %ebx
    movl $code_page2+7, table
    invlpg TEST
    movl $TEST, %edx
    call *%edx
    END
    movl %cr0, %eax
    andl $~PG, %eax
    movl %eax, %cr0
    FINISH
user_code:
    nop
    int $COMPLETED_VECTOR

    .section .rodata
    .balign 4
idt_cut:
    .word 0x7ff
    .long TEST+0xf90
    .balign 4
idt_cut2:
    .word 0x7ff
    .long TEST+0xf98
    .balign 4
idt_missing:
    .word 0x7ff
    .long TEST+0xf88
    .balign 4
gdt_missing:
    .word 0xfff
    .long TEST+0xf00

    .data
    .balign 4096
directory:
    .skip 4096
table:
    .skip 4096
tables:
    .skip 8*4096
target:
    .fill 4096, 1, 0x5a
second:
    DESCRIPTOR 0, 0xfffff, DATA_WRITE|DPL3, BIG|GRANULAR
    DESCRIPTOR 0, 0xfffff, P|S|DPL3|2, BIG|GRANULAR
    .balign 4096
code_page1:
    movl $1, %eax
    ret
    .balign 4096
code_page2:
    movl $2, %eax
    ret
    .balign 4096
