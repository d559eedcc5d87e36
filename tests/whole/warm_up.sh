#!/bin/sh
# --warm-up (docs/checkpoints.md): what a run counts behind it is what the same instructions count in a run that is timed
# from the start, miss by miss, and what TLBs and caches hold as it ends is the same, line by line; without it they are
# cold. Takes 3 seconds.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
build_guest warm
configs=$LK_SOURCE/configs
nr_pages=400
before=200k # cycles, within the work before the passes
missed=200000 # longer than the region, shorter than with the work behind it

run() {
    name=$1
    shift
    timeout 60 "$LK" run -q -o "$name" -s machine.ram=64MiB "$@" warm.elf >"$name.console" 2>"$name.err" </dev/null
    [ $? = 33 ] || complain "$name: $(cat "$name.err")"
}

# What must not depend on how the run came to its region: all but cycles and what is measured in them.
misses() {
    sed -n 's/^ *"\(cpu0.tlb[^"]*\|cpu0.mmu.[^"]*\|cache[^"]*\|cpu0.branches\|cpu0.mispredicts\|cpu0.instructions\)": /\1 /p' "$1" |
        grep -v cycles
}

for machine in default tiny modern; do
    run $machine.whole -c "$configs/$machine.json"
    run $machine.warm -c "$configs/$machine.json" --fast-forward $before --warm-up marker
    run $machine.cold -c "$configs/$machine.json" --fast-forward marker
    for way in whole warm cold; do
        misses $machine.$way/roi-1.1.json >$machine.$way.misses
    done
    [ "$(wc -l <$machine.whole.misses)" -gt 40 ] || complain "$machine: what is compared: $(cat $machine.whole.misses)"
    diff $machine.whole.misses $machine.warm.misses || complain "$machine: a warm region counts something else"
    cmp -s $machine.whole.misses $machine.cold.misses && complain "$machine: a cold region counts the same"
done
# Where nobody warms, each page costs a walk; a TLB of 64 entries forgets all 400, one of 512 in sets of 4 does not.
walks=$(count default.cold/roi-1.1.json cpu0.mmu.load_walks)
[ "$walks" -ge $nr_pages ] || complain "cold: $walks walks to $nr_pages pages"
[ "$(count default.warm/roi-1.1.json cpu0.tlb.l1d.misses)" -ge $((2 * nr_pages)) ] || complain "warm: the L1 DTLB has all pages"
[ "$(count default.warm/roi-1.1.json cpu0.mmu.load_walks)" -lt $((nr_pages / 10)) ] || complain "warm: the L2 TLB has few pages"

# What was counted before is in no file, and in no trace and profile either; the cycles go on.
run counted --fast-forward $before --warm-up 100k
[ "$(count counted/stats.json cpu0.cycles)" -lt "$(count default.whole/stats.json cpu0.cycles)" ] || complain "the warm-up is counted"
run traced --fast-forward $before --warm-up 100k --trace traced.trace
cmp counted/stats.json traced/stats.json || complain "a trace changed what a run counts behind its warm-up"
"$LK" trace info traced.trace >info || complain "the trace behind a warm-up: $(cat info)"
awk -v instructions="$(count counted/stats.json cpu0.instructions)" '/^instructions/ { found = $2 == instructions } END { exit !found }' info ||
    complain "the trace is not of the $(count counted/stats.json cpu0.instructions) instructions that are counted: $(cat info)"
run ended --fast-forward $before --warm-up 1G
grep -q -e '--warm-up: the guest ended before it was over' ended.err || complain "a guest that ends too soon: $(cat ended.err)"

# A region that is over before the warm-up is: one line, which is true, and no counts of it.
run missed --fast-forward marker --warm-up $missed
[ "$(grep -c ^lookaside: missed.err)" = 1 ] && grep -q -e "--warm-up: region 1 began and ended within the warm-up of $missed cycles" missed.err ||
    complain "a region within the warm-up: $(cat missed.err)"
[ -z "$(ls missed/roi-* 2>/dev/null)" ] || complain "a region within the warm-up is counted: $(ls missed)"

# The arrays themselves at the begin of the region, with their recency, as the monitor shows them. The guest empties the
# caches behind where the forwarding ends, so that no line is left of what ran before.
if command -v gdb >/dev/null; then
    for way in "--warm-up marker" "--fast-forward $before --warm-up marker"; do
        # shellcheck disable=SC2086 # two words
        serve_gdb shown -s machine.ram=64MiB -a flush $way warm.elf
        timeout 60 gdb -nx -q -batch -ex "target remote 127.0.0.1:$port" -ex 'monitor info tlb' -ex 'monitor info cache l1i' \
            -ex 'monitor info cache l1d' -ex 'monitor info cache l2' -ex 'monitor info registers' warm.elf >"shown.${way%% *}" 2>&1
        wait $run
        sed -i '/^cycle/d' "shown.${way%% *}"
    done
    [ "$(wc -l <shown.--warm-up)" -gt 1000 ] || complain "what is shown: $(head shown.--warm-up)"
    cmp shown.--warm-up shown.--fast-forward || complain "the arrays differ: $(diff shown.--warm-up shown.--fast-forward | head)"
else
    echo "no gdb: the arrays are not compared"
fi

# refused STATUS TEXT OPTION...
refused() {
    wanted=$1 text=$2
    shift 2
    "$LK" run -q -o refused "$@" >out 2>refused.err </dev/null
    status=$?
    [ $status = "$wanted" ] && [ "$(wc -l <refused.err)" = 1 ] && grep -q -e "$text" refused.err || complain "$*: status $status: $(cat refused.err)"
}
refused 64 'functional, which has nothing to warm' -s cpu.model=functional --warm-up 1M warm.elf
refused 64 'marker, which --fast-forward ends at' --fast-forward marker --warm-up marker warm.elf
refused 64 "'x' is no count" --warm-up x warm.elf
finish
