#!/bin/sh
# The same guest and configuration give the same statistics, to the byte: run twice, traced or not, in slices of any
# length, by a simulator that another compiler made, whatever stdin and the output folder are.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
arguments="init=init"

# stats NAME OPTION...: a run of the bundled guest, its results in NAME
stats() {
    name=$1
    shift
    timeout 120 "${lookaside:-$LK}" run -q -a "$arguments" -o "$name" "$@" "$LK_KERNEL" >"$name.console" 2>"$name.err" ||
        complain "$name: status $?: $(tail -n 1 "$name.err")"
    stats_add_up "$name/stats.json"
}

same() {
    cmp "$1/stats.json" "$2/stats.json" || complain "$1 and $2: other statistics"
    cmp "$1.console" "$2.console" || complain "$1 and $2: other console text"
}

# A pipe into which nobody writes.
mkfifo silent.pipe
exec 3<>silent.pipe

for machine in default tiny; do
    config=$LK_SOURCE/configs/$machine.json
    stats $machine -c "$config" </dev/null
    stats again -c "$config" </dev/null
    same $machine again
    cmp $machine/stats.txt again/stats.txt || complain "$machine: other stats.txt"
    cmp $machine/config.effective.json again/config.effective.json || complain "$machine: other config.effective.json"

    stats closed -c "$config" <&-
    same $machine closed
    stats silent -c "$config" <silent.pipe
    same $machine silent

    stats part_trace -c "$config" --trace part.trace --trace-from 20M --trace-to 20100k </dev/null
    same $machine part_trace
    stats late_limit -c "$config" --max-cycles 100G </dev/null
    same $machine late_limit
    stats late_count -c "$config" --max-insns 100G </dev/null
    same $machine late_count

done
# By the other compiler, with sanitizers.
other=${LK_ASAN:-}
if [ -x "$other" ]; then
    lookaside=$other stats other -c "$LK_SOURCE/configs/tiny.json" </dev/null
    same tiny other
else
    echo "no build by another compiler ($other): not compared"
fi
# All of a trace, and of one that stops at a size; with tiny.json trace_counts.sh does it.
stats whole_trace --trace whole.trace </dev/null
same default whole_trace
stats cut_trace --trace cut.trace --trace-limit 100k </dev/null
same default cut_trace

stats functional -s cpu.model=functional </dev/null
stats functional_again -s cpu.model=functional </dev/null
same functional functional_again

# A run to a limit, and the same limit reached in other steps.
for limit in "--max-cycles 12345678" "--max-insns 3456789"; do
    for name in limit limit_again limit_traced; do
        trace=
        [ $name = limit_traced ] && trace="--trace limit.trace --trace-from 12M"
        # shellcheck disable=SC2086 # options are words
        timeout 120 "$LK" run -q -o $name $limit $trace "$LK_KERNEL" >out 2>err </dev/null
        status=$?
        [ $status = 80 ] || complain "$limit: status $status"
        stats_add_up $name/stats.json
        cmp limit/stats.json $name/stats.json || complain "$limit, $name: other statistics"
    done
done

# slice GUEST END ARGUMENTS SETTING...: in one go, in slices, and with the stops of a debugger and of the window
slice() {
    guest=$1 end=$2 words=$3
    shift 3
    for length in 0 1 1000 steps singles; do
        "$LK_BUILD/tests/slices" "$guest" slices.$length $length "$end" "$words" "$@" || complain "slices: $guest"
        cmp slices.0 slices.$length || complain "$guest $*: in slices ($length): $(diff slices.0 slices.$length | head -n 5)"
    done
}
slice "$LK_KERNEL" 30000000 init=init
for name in interrupts paging code; do
    build_guest $name
    slice $name.elf 3000000000 functional cpu.model=functional machine.ram=64MiB
    slice $name.elf 3000000000 inorder machine.ram=64MiB cpu.fetch_bytes=8
done
bios=/usr/share/seabios/bios-256k.bin
if [ -f $bios ]; then
    slice $bios 3000000 firmware machine.ram=64MiB
else
    echo "no $bios: no code out of RAM"
fi
finish
