#!/bin/sh
# Debian's gdb goes back in the bundled guest's run, finds who wrote last, and sees at each place the registers that a run
# shows which only went forward; the run's statistics and what it prints are those of one that nobody watched. From the bad
# end of a guest the way back is open. Takes 20 seconds.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
session=$LK_SOURCE/tests/whole/gdb_reverse.gdb
command -v gdb >/dev/null || { echo "no gdb"; exit 77; }

# debug NAME WORD...: gdb with these words at $port
debug() {
    said=$1
    shift
    timeout 120 gdb -nx -q -batch -ex "set \$port=$port" "$@" "$LK_KERNEL" >"$said" 2>&1
}

for model in inorder functional; do
    timeout 120 "$LK" run -q -a init=init -s cpu.model=$model -o plain.$model "$LK_KERNEL" >plain.$model.console 2>err </dev/null ||
        complain "plain, $model: status $?"
    serve_gdb straight.$model -a init=init -s cpu.model=$model --gdb-history-mib 0 "$LK_KERNEL"
    debug straight.said -ex 'set $is_straight=1' -x "$session"
    wait $run
    serve_gdb back.$model -a init=init -s cpu.model=$model "$LK_KERNEL"
    debug back.said -ex 'set $is_straight=0' -x "$session"
    wait $run || complain "$model: status $?"
    sed -n '/^place/p' straight.said >expected
    sed -n '/^place/p' back.said >found
    [ "$(wc -l <expected)" = 8 ] || complain "$model, straight on: $(cat straight.said)"
    [ "$(wc -l <found)" = 20 ] || complain "$model, back and forth: $(cat back.said)"
    grep -vxF -f expected found && complain "$model: a place is not as it was (above)"
    grep -q "No more reverse-execution history" back.said || complain "$model: no begin of history"
    [ "$(grep -c '^insns 0$' back.said)" = 1 ] || complain "$model: the begin is another: $(grep '^insns' back.said)"
    awk '/^Old value/ { old = $4 } /^New value/ && $4 == old - 1 { back++ } END { exit back != 5 }' back.said ||
        complain "$model: the watchpoint did not see the value before: $(cat back.said)"
    cmp plain.$model/stats.json back.$model/stats.json || complain "$model: going back changed the statistics"
    # Nothing is said twice, but in the other future, from where that begins.
    python3 - plain.$model.console back.$model.console <<'END' || complain "$model: going back changed what the guest says"
import sys
plain, back = (open(name, "rb").read() for name in sys.argv[1:])
twice = len(back) - len(plain)
assert any(back == plain[:end] + plain[end - twice:] for end in range(twice, len(plain))), twice
END
done

# What is typed is typed again, at the same cycles.
printf 'Hello world\nagain\n\004' >typed
for model in inorder functional; do
    set -- -s machine.ram=64MiB -s cpu.model=$model --max-cycles 2G -a "quiet init=cat" "$LK_KERNEL"
    timeout 120 "$LK" run -q -o plain "$@" <typed >plain.console 2>err || complain "typed, $model: status $?"
    input=typed serve_gdb typed.$model "$@"
    debug typed.said -ex 'eval "target remote 127.0.0.1:%d", $port' -ex 'break sys_read' -ex continue -ex 'continue 2' -ex delete \
        -ex 'break do_exit' -ex continue -ex 'printf "exit %d\n", $cycles' -ex 'break sys_read' -ex reverse-continue \
        -ex reverse-continue -ex delete -ex 'break do_exit' -ex continue -ex 'printf "exit %d\n", $cycles' -ex delete \
        -ex reverse-continue -ex continue
    wait $run || complain "typed, $model: status $?"
    [ "$(grep -c '^exit' typed.said)" = 2 ] && [ "$(grep '^exit' typed.said | sort -u | wc -l)" = 1 ] ||
        complain "$model: another end: $(cat typed.said)"
    [ "$(count plain/stats.json board.com1_received)" = 19 ] || complain "typed, $model: not all was received"
    cmp plain/stats.json typed.$model/stats.json && cmp plain.console typed.$model.console ||
        complain "$model: going back changed what is typed"
done

# A panic: back to its begin, and there once more.
serve_gdb fault -a lkdtm=null "$LK_KERNEL"
debug fault.said -ex 'eval "target remote 127.0.0.1:%d", $port' -ex continue -ex 'printf "end %d\n", $cycles' -ex 'break panic' \
    -ex reverse-continue -ex 'backtrace 1' -ex delete -ex continue -ex 'printf "end %d\n", $cycles' -ex continue
wait $run
[ $? = 82 ] || complain "a panic seen twice has another status"
[ "$(grep -c 'SIGABRT' fault.said)" = 2 ] && [ "$(grep '^end' fault.said | sort -u | wc -l)" = 1 ] &&
    grep -q '^#0  panic' fault.said || complain "the panic is not met again: $(cat fault.said)"

# The two ends of a processor: a triple fault, and HLT for good. One step back it stands before the instruction.
for last in ud2 hlt; do
    cat >$last.S <<END
    .long 0x1badb002, 0, -0x1badb002
    .globl _start
_start:
    lidt none
    nop
last:
    $last
none:
    .word 0
    .long 0
END
    gcc -m32 -nostdlib -static -no-pie -Wl,-Ttext-segment=0x100000 -Wl,--build-id=none -o $last.elf $last.S || complain "$last.S does not build"
    serve_gdb $last -s machine.ram=32MiB $last.elf
    timeout 60 gdb -nx -q -batch -ex "target remote 127.0.0.1:$port" -ex continue -ex 'printf "end %d\n", $cycles' -ex reverse-stepi \
        -ex 'printf "%d\n", $pc == (long)&last' -ex reverse-stepi -ex 'printf "%d\n", $pc == (long)&last - 1' \
        -ex reverse-continue -ex continue -ex 'printf "end %d\n", $cycles' -ex continue $last.elf >$last.said 2>&1
    wait $run
    status=$?
    [ "$(grep -c '^1$' $last.said)" = 2 ] && [ "$(grep -c '^end' $last.said)" = 2 ] &&
        [ "$(grep '^end' $last.said | sort -u | wc -l)" = 1 ] || complain "$last: $(cat $last.said)"
    [ $status = 81 ] || [ $status = 82 ] || complain "$last: status $status"
done

# A step back goes over the handler of an interrupt, to where that came in, as a step goes forward over it; from within the
# handler it leads to the same place. "interrupts into" leads into it.
cat >ticks.gdb <<'END'
set pagination off
set width 0
eval "target remote 127.0.0.1:%d", $port
define where
    printf "$arg0 %d %d %x %x\n", $insns, $cycles, (unsigned)$eip, (unsigned)$esp
end
tbreak do_execve
continue
tbreak scheduler_tick if was_user
continue
set $nr = 0
while $nr < 500 && ($cs & 3) == 0
    reverse-stepi
    set $nr = $nr + 1
end
where before
stepi
where behind
reverse-stepi
where before
reverse-stepi
where earlier
stepi
where before
stepi
where behind
monitor interrupts into
reverse-stepi
where back
reverse-stepi
printf "ring %d\n", $cs & 3
kill
END
serve_gdb ticks -a "quiet init=spin" "$LK_KERNEL"
debug ticks.said -x ticks.gdb
wait $run
for place in before:3 behind:2 earlier:1 back:1 ring:1; do
    [ "$(grep -c "^${place%:*} " ticks.said)" = "${place#*:}" ] && [ "$(grep "^${place%:*} " ticks.said | sort -u | wc -l)" = 1 ] ||
        complain "ticks, ${place%:*}: $(cat ticks.said)"
done
awk '/^before/ { before = $2; at = $4; stack = $5 } /^earlier/ { earlier = $2 } /^behind/ { behind = $2 }
    /^back/ { back = $2; is_same = $4 == at && $5 == stack } /^ring 0/ { is_in = 1 }
    END { exit !(before == earlier + 1 && behind == back + 1 && back > before + 50 && is_same && is_in) }' ticks.said ||
    complain "ticks: $(cat ticks.said)"

# What only goes forward says so.
serve_gdb traced -a init=init --trace t.lkt "$LK_KERNEL"
grep -q "no going back with --trace" traced.err || complain "--trace: $(cat traced.err)"
debug traced.said -ex 'eval "target remote 127.0.0.1:%d", $port' -ex stepi -ex reverse-stepi -ex kill
wait $run
grep -qi "does not support" traced.said || complain "gdb goes back in a traced run: $(cat traced.said)"
for words in "--gdb-history-mib x" "--gdb-history-mib -1" "--gdb --gdb-history-mib 1 --trace t.lkt"; do
    # shellcheck disable=SC2086 # words
    "$LK" run -q $words demo -o second >out 2>err </dev/null
    [ $? = 64 ] && [ "$(wc -l <err)" = 1 ] || complain "$words: $(cat err)"
done
finish
