#!/bin/sh
# The bundled guest with the trace on: the same statistics and the same trace each time, the same statistics as with
# it off, and the counts that naive models of the TLBs and caches get from the traced addresses (tests/oracle/naive_counts.c).
set -u
failures=0

fail() {
    echo "$*"
    failures=$((failures + 1))
}

# run DIRECTORY ARGUMENT...: the guest; its output directory
run() {
    directory=$1
    shift
    timeout 300 "$LK" run "$LK_KERNEL" -o "$directory" "$@" >console 2>err </dev/null ||
        fail "run $*: status $?: $(tail -n 1 err)"
}

# agree NAME ARGUMENT...: a run with these arguments against the models
agree() {
    name=$1
    shift
    run "$name" --trace "$name.trace" "$@"
    "$LK_BUILD/tests/naive_counts" "$name.trace" "$name/stats.json" "$name/config.effective.json" >counts 2>&1 ||
        fail "$name: $(cat counts)"
    tail -n 1 counts
}

agree default -c "$LK_SOURCE/configs/default.json"
agree tiny -c "$LK_SOURCE/configs/tiny.json"
# One way, an odd number of sets, narrow fetches, and a walker that passes the L1D by.
agree odd -c "$LK_SOURCE/configs/tiny.json" -s mmu.walk_through=l2 -s tlb.l1d.entries=7 -s tlb.l1d.ways=1 \
    -s tlb.l2.entries=15 -s tlb.l2.ways=5 -s cpu.fetch_bytes=16 -s cache.l1d.ways=1 -s cache.l1i.line=32 \
    -s cache.l1d.line=32 -s cache.l2.line=32
# Memories with a clock: banks, groups, ranks, refresh.
agree ddr2 -c "$LK_SOURCE/configs/tiny.json" -s dram.preset=ddr2-800 -s dram.ranks=2
agree ddr4 -c "$LK_SOURCE/configs/tiny.json" -s dram.preset=ddr4-2400 -s dram.banks=16 -s dram.channels=2 \
    -s dram.policy=closed -s dram.mapping=row:column:rank:bank:channel -s cpu.frequency=3700MHz

run again -c "$LK_SOURCE/configs/tiny.json" --trace again.trace
cmp tiny/stats.json again/stats.json || fail "two traced runs have other statistics"
cmp tiny.trace again.trace || fail "two traced runs have other traces"
run untraced -c "$LK_SOURCE/configs/tiny.json"
cmp tiny/stats.json untraced/stats.json || fail "the trace changes the statistics"

# The models are able to disagree.
"$LK_BUILD/tests/naive_counts" tiny.trace tiny/stats.json default/config.effective.json >counts 2>&1 &&
    fail "the models found the wrong configuration right"

[ "$failures" = 0 ]
