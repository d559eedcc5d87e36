#!/bin/sh
# The monitor at the terminal, the ELF core and the progress line: what they show is checked against the image, and a run
# in which all of them were used has the statistics of one in which none was.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
spin="init=spin spin.loops=1000000000"
timeout 60 "$LK" run -q -a "$spin" --max-cycles 200M -o spun "$LK_KERNEL" >console 2>err </dev/null
[ $? = 80 ] || complain "the limit: $(cat err)"
timeout 60 "$LK" run -q -a init=init -o plain "$LK_KERNEL" >plain.console 2>err </dev/null || complain "plain: status $?"
timeout 60 python3 "$LK_SOURCE/tests/whole/monitor_keys.py" "$LK" "$LK_KERNEL" "$spin" || complain "the monitor at the terminal"
cmp spun/stats.json talked/stats.json || complain "the monitor changed the statistics"

timeout 60 "$LK" run -q --restore points --max-cycles 200M -o restored >console 2>err </dev/null
[ $? = 80 ] && cmp spun/stats.json restored/stats.json || complain "a run from the monitor's checkpoint has other statistics: $(cat err)"

# The checkpoint's memory, by way of a run and without one.
timeout 60 "$LK" run -q --restore points --max-cycles 1 --elf-core run.core -o restored >console 2>err </dev/null
timeout 60 "$LK" dump --elf-core dump.core points >out 2>err || complain "dump: status $?: $(cat err)"
cmp run.core dump.core || complain "dump of a checkpoint is another core than the restored run's"
for words in "" "--elf-core f" "points" "--elf-core f points points" "--elf-core" "--wrong points" "--elf-core f err" "--elf-core /nowhere/f points"; do
    # shellcheck disable=SC2086 # several words
    "$LK" dump $words >out 2>err && complain "dump $words: no mistake"
    [ "$(wc -l <err)" = 1 ] || complain "dump $words: $(cat err)"
done

# A core of a cycle and one of the end, of both kinds of paging.
for name in kernel-i386 kernel-i386-pae; do
    kernel=$LK_BUILD/guest/$name.elf
    timeout 60 "$LK" run -q -a init=init -o $name --elf-core $name.core@60M "$kernel" >console 2>err </dev/null ||
        complain "$name: status $?: $(cat err)"
    [ $name = kernel-i386-pae ] || cmp plain/stats.json $name/stats.json || complain "--elf-core changed the statistics"
    readelf -lW $name.core >segments 2>&1 && ! grep -q -i "warning" segments || complain "$name: readelf: $(cat segments)"
    command -v gdb >/dev/null || continue
    # address and size of .text, in hexadecimal, and its bytes in the file
    text=$(readelf -SW "$kernel" | sed -n 's/.* \.text  *PROGBITS  *\([0-9a-f]*\) \([0-9a-f]*\) \([0-9a-f]*\) .*/\1 \3/p')
    objcopy -O binary -j .text "$kernel" text.image
    gdb -nx -q -batch -ex 'set pagination off' -ex "dump binary memory text.core 0x${text% *} 0x${text% *}+0x${text#* }" -ex 'info registers eip' -ex 'printf "%x\n", $pc' \
        -ex 'x/1i $pc' -ex backtrace -ex 'p current_task->pid' "$kernel" $name.core >said 2>&1
    cmp text.image text.core || complain "$name: the core has another .text: $(cat said)"
    grep -q '^#0 ' said && grep -q '^\$1 = [0-9]' said || complain "$name: gdb makes nothing of the core: $(cat said)"
done
timeout 60 "$LK" run -q -a lkdtm=null -o crash --elf-core crash.core "$LK_KERNEL" >console 2>err </dev/null
[ $? = 82 ] || complain "a panic with --elf-core has another status"
if command -v gdb >/dev/null; then
    gdb -nx -q -batch -ex backtrace "$LK_KERNEL" crash.core >said 2>&1
    grep -q " in panic (\|^#[0-9]* *panic (" said || complain "the core of a dead guest has no calls: $(cat said)"
fi
# Linux's own note, for crash and its like; and a page that has more addresses than a core has room for.
build_guest core
timeout 60 "$LK" run -q -s machine.ram=64MiB -s cpu.model=functional -o core --elf-core note.core core.elf >out 2>err </dev/null
readelf -nW note.core >notes 2>&1
text=$(printf 'OSRELEASE=6.1.0-test\nPAGESIZE=4096\n' | od -An -v -tx1 | tr -d '\n')
[ "$(grep -c VMCOREINFO notes)" = 1 ] && grep -q "^ *VMCOREINFO *0x00000023.*description data:$text *$" notes ||
    complain "the note of a Linux kernel: $(cat notes)"
readelf -lW note.core >segments 2>&1
[ "$(grep -c ' LOAD .* 0x002f8000 ' segments)" = 1024 ] || complain "a page with many addresses: $(grep -c ' 0x002f8000 ' segments)"
"$LK" run -q demo -o no --elf-core /nowhere/core >out 2>err </dev/null
[ $? = 73 ] && [ "$(wc -l <err)" = 1 ] || complain "a core that cannot be written: $(cat err)"
for option in --elf-core=f@x --progress=sometimes; do
    "$LK" run -q demo -o no $option >out 2>err </dev/null
    [ $? = 64 ] && [ "$(wc -l <err)" = 1 ] || complain "$option: $(cat err)"
done
"$LK" run -q demo -o no --max-cycles 1k --elf-core f@1M >out 2>err </dev/null
grep -q 'ended before cycle 1000000' err && [ -s f ] || complain "a core of a cycle that does not come"
finish
