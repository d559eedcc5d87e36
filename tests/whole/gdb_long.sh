#!/bin/sh
# Debian's gdb in 64-bit code: its disassembly, its registers of 64 bits and the effect of instructions are those that
# objdump shows of the program; breakpoints, watchpoints and the way back as in 32 bits. Takes 2 seconds.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
command -v gdb >/dev/null || { echo "no gdb"; exit 77; }
programs=$LK_SOURCE/tests/oracle/lockstep/programs
gcc -m64 -c "-I$programs" "$programs/long.S" -o long.o &&
    ld -m elf_x86_64 -T "$programs/link.ld" -z max-page-size=4096 --no-warn-rwx-segments long.o -o long.elf &&
    objcopy -O elf32-i386 long.elf image.elf || { complain "long.S does not build"; finish; }

# What stands before each case: registers are filled. Behind the flags, a number is moved into each.
begin=$(nm long.elf | sed -n 's/ t begin_case64$//p')
objdump -d --no-show-raw-insn --start-address="0x$begin" long.elf | sed -n 's/^ *\([0-9a-f]*\):[[:space:]]*/\1 /p' | head -n 60 >code
first=$(awk '$2 == "movabs" { print $1; exit }' code)
awk '$2 == "movabs" && !end { split($3, part, /[$,%]/); print part[4], part[2]; next } seen && !end { end = 1 } $2 == "movabs" { seen = 1 }' code |
    head -n 8 >numbers
[ "$(wc -l <numbers)" = 8 ] || complain "no numbers in the code: $(cat code)"
count=$(awk -v first="$first" '$1 == first { on = 1 } on { n++; if ($2 == "movabs" && ++moves == 8) { print n; exit } }' code)
# begin_case64 stores EDX as the second thing it does.
edx_at=$(awk '$2 == "mov" && $3 ~ /^%edx,0x/ { sub(/.*,/, "", $3); print $3; exit }' code)

{
    cat <<END
hbreak *0x$begin
continue
printf "at %lx cs %x lma %d\\n", \$rip, (unsigned)\$cs, ((unsigned long)\$efer >> 10) & 1
delete
x/8i \$rip
hbreak *0x$first
continue
stepi $count
END
    sed 's/^\([a-z0-9]*\) .*/printf "\1 %lx\\n", $\1/' numbers
    cat <<END
printf "now %lx %d %d\\n", \$rip, \$cycles, \$insns
reverse-stepi $count
printf "first %lx\\n", \$rip
stepi $count
printf "now %lx %d %d\\n", \$rip, \$cycles, \$insns
delete
watch *(unsigned *)$edx_at
continue
continue
printf "written %lx %d\\n", \$rip, \$insns
reverse-continue
stepi
printf "written %lx %d\\n", \$rip, \$insns
delete
set \$r9 = 0x1122334455667788
printf "r9 %lx\\n", \$r9
set \$xmm15.v2_int64[1] = 0x0123456789abcdef
printf "xmm15 %lx\\n", \$xmm15.v2_int64[1]
x/xw 0xffff800000000000
kill
END
} >script

for model in inorder functional; do
    serve_gdb long.$model --gdb-arch x86-64 -s cpu.model=$model -s machine.ram=32MiB image.elf
    timeout 60 gdb -nx -q -batch -ex "set pagination off" -ex "set confirm off" -ex "target remote 127.0.0.1:$port" \
        -x script long.elf >said 2>&1
    wait $run
    grep -qx "at ${begin#"${begin%%[!0]*}"} cs 800 lma 1" said || complain "$model: not in 64-bit code"
    sed -n 's/^\(=>\)* *0x[0-9a-f]* <begin_case64[^>]*>:[[:space:]]*\([a-z]*\).*/\2/p' said | head -n 8 >disassembled
    head -n 8 code | cut -d ' ' -f 2 | cmp - disassembled || complain "$model: gdb disassembles something else than objdump"
    sed 's/ 0x/ /' numbers >expected
    grep -E "^($(cut -d ' ' -f 1 numbers | paste -sd '|')) " said | cmp - expected || complain "$model: registers are not what was moved there"
    [ "$(grep -c '^now' said)" = 2 ] && [ "$(grep '^now' said | sort -u | wc -l)" = 1 ] || complain "$model: back and forth is elsewhere"
    grep -qx "first $first" said || complain "$model: the steps back end elsewhere than at $first"
    [ "$(grep -c '^written' said)" = 2 ] && [ "$(grep '^written' said | sort -u | wc -l)" = 1 ] || complain "$model: another last write"
    grep -qx "r9 1122334455667788" said && grep -qx "xmm15 123456789abcdef" said || complain "$model: a register is not what was set"
    grep -q "Cannot access memory at address 0xffff800000000000" said || complain "$model: what is not mapped is memory"
    [ "$failures" = 0 ] || tail -n 40 said
done
finish
