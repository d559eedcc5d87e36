#!/bin/sh
# configs/tiny.json makes the same guest miss much more, everywhere, and say the same.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"

for machine in default tiny; do
    "$LK" run -q -c "$LK_SOURCE/configs/$machine.json" -o $machine "$LK_KERNEL" >$machine.console 2>err </dev/null ||
        complain "$machine: status $?: $(cat err)"
    stats_add_up $machine/stats.json
done
cmp default.console tiny.console || complain "the console text depends on the caches"

# more FACTOR COUNTER: with tiny.json so many times as often
more() {
    few=$(count default/stats.json "$2")
    many=$(count tiny/stats.json "$2")
    echo "$2: $few and $many"
    [ "${many:-0}" -gt $((${few:-0} * $1)) ] || complain "$2: $few by default, $many with tiny.json: not $1 times"
}
more 50 cpu0.tlb.l1d.misses
more 20 cpu0.tlb.l2.misses
more 20 cpu0.mmu.walks
more 20 cache.l1i0.misses
more 1 cache.l1d0.misses
more 20 cpu0.cpi_stack.dtlb
more 1 cpu0.cycles

# What does not depend on them.
for counter in cpu0.instructions cpu0.page_faults cpu0.software_interrupts cpu0.mmu.faults_not_present board.com1_sent; do
    a=$(count default/stats.json $counter) b=$(count tiny/stats.json $counter)
    [ "$a" = "$b" ] || echo "$counter: $a and $b"
done
finish
