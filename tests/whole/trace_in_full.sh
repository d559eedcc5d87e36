#!/bin/sh
# Traces, which have most of what a core does in short, against an observer that is told of all in full and takes no short
# ways (tests/oracle/trace_in_full.c): the bundled guest, and small ones that change their own code and remap its pages.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"

# in_full NAME IMAGE CONFIG [PATH=VALUE ...]: its first cycles
in_full() {
    name=$1 image=$2 config=$LK_SOURCE/configs/$3
    shift 3
    settings=
    for setting in "$@"; do
        settings="$settings -s $setting"
    done
    # shellcheck disable=SC2086 # words
    timeout 60 "$LK" run -q "$image" -o "$name" --trace "$name.trace" --max-cycles 3M -c "$config" $settings \
        >console 2>err </dev/null
    "$LK_BUILD/tests/trace_in_full" "$name.trace" "$image" "$config" "$@" >counts 2>&1 || complain "$name: $(cat counts)"
    echo "$name: $(tail -n 1 counts)"
}

in_full default "$LK_KERNEL" default.json
in_full tiny "$LK_KERNEL" tiny.json cache.unified_l1=true mmu.hit_under_walk=true
for guest in code paging shadow; do
    build_guest $guest
    in_full $guest $guest.elf default.json
    in_full "$guest in a small machine" $guest.elf tiny.json
done

# The same addresses again and again, with another page behind them, another base of CS, 16-bit code, and in ring 3: what is
# known of an instruction there must be told apart by all of these, also where the change was made from the page itself.
cat >modes.S <<'END'
    .set CODE, 0x500000         /* the linear page; its table entry names one of two frames */
    .set TABLE, 0x401000
    .set STACK, 0x300000
    .long 0x1badb002, 0, -0x1badb002
    .globl _start
_start:
    movl $STACK, %esp
    lgdt gdtr
    lidt idtr
    ljmp $8, $1f
1:  movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $stop, %eax            /* the gate of #BP, for ring 3 too */
    movw %ax, idt+3*8
    movw $8, idt+3*8+2
    movw $0xee00, idt+3*8+4
    shrl $16, %eax
    movw %ax, idt+3*8+6
    movl $tss, %eax
    movw %ax, gdt+48+2
    shrl $16, %eax
    movb %al, gdt+48+4
    movb %ah, gdt+48+7
    movl $48, %eax
    ltr %ax
    movl $STACK-0x1000, tss+4
    movl $16, tss+8
    movl $TABLE+7, 0x400000     /* 0 to 4 MiB and 4 to 8 MiB, one to one */
    movl $TABLE+0x1007, 0x400004
    movl $7, %eax
    movl $TABLE, %edi
1:  stosl
    addl $0x1000, %eax
    cmpl $0x800007, %eax
    jb 1b
    movl $0x600000, %edi        /* two frames of code: INC EAX or DEC EAX, and INT3 */
    movl $0x40, %eax
    call fill
    movl $0x601000, %edi
    movl $0x48, %eax
    call fill
    movl $0x400000, %eax
    movl %eax, %cr3
    movl %cr0, %eax
    orl $0x80000000, %eax
    movl %eax, %cr0

    movl $480, %ebp
next:                           /* each with each: first some times in a row, then by turns */
    movl %ebp, %eax
    movl $2, %esi
    cmpl $160, %ebp
    jb 1f
    movl $16, %esi
    shrl $5, %eax
1:
    xorl %edx, %edx
    movl $5, %ecx
    divl %ecx
    movl $0x600007, %ebx        /* the frame to begin in, and that to come to */
    movl $0x600007, %eax
    testl %esi, %ebp
    jz 1f
    addl $0x1000, %ebx
1:  testl $4, %ebp
    jz 1f
    addl $0x1000, %eax
1:  movl $STACK, %esp
    cmpl $4, %edx
    jne 1f
    pushl $35
    pushl $STACK-0x2000
1:  pushl $2
    pushl modes(, %edx, 8)
    pushl modes+4(, %edx, 8)
    movl $CODE+0x100, %ecx
    testl $8, %ebp
    jnz 1f
    movl %eax, %ebx             /* or all of it before the page is entered */
    movl $enter, %ecx
1:  movl %ebx, TABLE+(CODE>>12)*4
    invlpg CODE
    jmp *%ecx
enter:                          /* copied to both frames */
    movl %eax, TABLE+(CODE>>12)*4
    invlpg CODE
    iret
enter_end:
stop:                           /* from ring 3 DS and ES are null */
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    decl %ebp
    jnz next
    cli
    hlt

fill:
    movl $20, %ecx
    rep stosb
    movb $0xcc, (%edi)
    addl $0x100-20, %edi
    movl $enter, %esi
    movl $enter_end-enter, %ecx
    rep movsb
    ret

    .align 8
gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
    .quad 0x00cffb000000ffff, 0x00cff3000000ffff /* ring 3 */
    .quad 0x00cf9b001000ffff    /* base 1000h */
    .quad 0x0000890000000067    /* the TSS */
    .quad 0x008f9b000000ffff    /* 16 bits */
gdtr:
    .word 63
    .long gdt
idt:
    .fill 32, 8, 0
idtr:
    .word 255
    .long idt
modes:                          /* CS, EIP: all are CODE */
    .long 8, CODE, 40, CODE-0x1000, 56, CODE, 8, CODE, 27, CODE
tss:
    .fill 104, 1, 0
END
gcc -m32 -nostdlib -static -no-pie -Wl,-Ttext-segment=0x100000 -Wl,--build-id=none -Wl,--no-warn-rwx-segments -Wl,-N -o modes.elf modes.S || complain "modes.S does not build"
in_full modes modes.elf default.json
# It has come through all of them, in both frames.
"$LK" trace csv modes.trace -o modes.csv
for way in "0,0x500000,40," "0,0x500000,48," "3,0x500000,40," "3,0x500000,48,"; do
    grep -q "^insn,[0-9]*,$way" modes.csv || complain "modes: no $way in the trace"
done
grep -q '"inc ax"' modes.csv && grep -q '"dec ax"' modes.csv || complain "modes: no 16-bit code"
finish
