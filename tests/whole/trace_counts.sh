#!/bin/sh
# The bundled guest with the trace on: the same statistics and the same trace each time, the same statistics as with
# it off, and the answers and counts that naive models of the TLBs and caches give to the traced requests (tests/oracle/naive_counts.c).
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
# Each policy of TLBs, in arrays for one size of page and for all; with and without a PDE cache,
# with one walker, two, and any number.
agree tlb_random -c "$LK_SOURCE/configs/tiny.json" -s tlb.l1i.replacement=random -s tlb.l1d.replacement=fifo \
    -s tlb.l2.replacement=plru -s tlb.l1d.pages=shared -s tlb.l2.pages=split -s tlb.random_seed=7 \
    -s tlb.pde.entries=2 -s tlb.pde.ways=2 -s tlb.pde.replacement=random -s mmu.walk_through=l2 -s mmu.walkers=1
agree tlb_plru -c "$LK_SOURCE/configs/tiny.json" -s tlb.l1i.replacement=plru -s tlb.l1i.pages=shared -s tlb.l1i.ways=8 \
    -s tlb.l1d.replacement=plru -s tlb.l1d.ways=4 -s tlb.l1d_large.replacement=random -s tlb.l2.replacement=random \
    -s tlb.pde.entries=16 -s tlb.pde.replacement=plru -s mmu.hit_under_walk=true -s mmu.walkers=2
agree tlb_fifo -c "$LK_SOURCE/configs/tiny.json" -s tlb.l1i.replacement=fifo -s tlb.l1d.replacement=random \
    -s tlb.l2.replacement=fifo -s tlb.l2.pages=split -s tlb.l2.entries=15 -s tlb.l2.ways=5 -s tlb.l2_large.entries=2 \
    -s tlb.l2_large.ways=2 -s tlb.l2_large.replacement=plru
run plru_unwatched -c "$LK_SOURCE/configs/tiny.json" -s tlb.l1i.replacement=plru -s tlb.l1i.pages=shared -s tlb.l1i.ways=8 \
    -s tlb.l1d.replacement=plru -s tlb.l1d.ways=4 -s tlb.l1d_large.replacement=random -s tlb.l2.replacement=random \
    -s tlb.pde.entries=16 -s tlb.pde.replacement=plru -s mmu.hit_under_walk=true -s mmu.walkers=2
cmp tlb_plru/stats.json plru_unwatched/stats.json || fail "shortcuts change what the policies of TLBs do"

# Paging-structure caches with four levels.
programs=$LK_SOURCE/tests/oracle/lockstep/programs
gcc -m64 -c "-I$programs" "$programs/long.S" -o long.o &&
    ld -m elf_x86_64 -T "$programs/link.ld" -z max-page-size=4096 --no-warn-rwx-segments long.o -o long.elf &&
    objcopy -O elf32-i386 long.elf || fail "long.S does not build"
timeout 60 "$LK" run -q long.elf -o long -c "$LK_SOURCE/configs/tiny.json" -s machine.ram=32MiB -s tlb.pde.entries=8 \
    -s tlb.pdpte.entries=4 -s tlb.pml4e.entries=2 --trace long.trace --max-cycles 5M >console 2>err </dev/null
"$LK_BUILD/tests/naive_counts" long.trace long/stats.json long/config.effective.json >counts 2>&1 ||
    fail "long: $(cat counts)"
tail -n 1 counts
grep -q '"cpu0.tlb.pml4e.hits": [1-9]' long/stats.json || fail "long: no hit of the PML4 cache"
grep -q '"cpu0.mmu.refuted_walks": [1-9]' long/stats.json || fail "long: no refuted walk"

# Memories with a clock: banks, groups, ranks, refresh.
agree ddr2 -c "$LK_SOURCE/configs/tiny.json" -s dram.preset=ddr2-800 -s dram.ranks=2
agree ddr4 -c "$LK_SOURCE/configs/tiny.json" -s dram.preset=ddr4-2400 -s dram.banks=16 -s dram.channels=2 \
    -s dram.policy=closed -s dram.mapping=row:column:rank:bank:channel -s cpu.frequency=3700MHz

# Three levels, all prefetchers and policies, limits everywhere; a walker through the L1D.
small="-c $LK_SOURCE/configs/tiny.json -s cache.levels=3 -s cache.l3.size=64KiB"
# shellcheck disable=SC2086 # words
agree inclusive $small -s cache.l1d.prefetcher=stride -s cache.l1d.prefetch_degree=2 -s cache.l1i.prefetcher=next-line \
    -s cache.l2.prefetcher=stream -s cache.l2.inclusion=inclusive -s cache.l2.replacement=plru \
    -s cache.l1d.replacement=srrip -s cache.l1d.mshrs=4 -s cache.l1d.write_buffers=2 -s cache.l1d.bytes_per_cycle=16 \
    -s cache.l2.bytes_per_cycle=8 -s cache.l3.replacement=random -s cache.l3.prefetcher=stride
run watched_not $small -s cache.l1d.prefetcher=stride -s cache.l2.prefetcher=stride -s cache.unified_l1=true
run watched $small -s cache.l1d.prefetcher=stride -s cache.l2.prefetcher=stride -s cache.unified_l1=true --trace watched.trace
cmp watched/stats.json watched_not/stats.json || fail "the trace changes what the prefetchers do"
# shellcheck disable=SC2086
agree exclusive $small -s cache.l2.inclusion=exclusive -s cache.l3.inclusion=exclusive -s cache.l1d.write=through \
    -s cache.l1d.write_allocate=false -s cache.l1d.write_buffers=4 -s cache.l1i.replacement=fifo -s cache.unified_l1=false

run again -c "$LK_SOURCE/configs/tiny.json" --trace again.trace
cmp tiny/stats.json again/stats.json || fail "two traced runs have other statistics"
cmp tiny.trace again.trace || fail "two traced runs have other traces"
run untraced -c "$LK_SOURCE/configs/tiny.json"
cmp tiny/stats.json untraced/stats.json || fail "the trace changes the statistics"

# The models are able to disagree.
"$LK_BUILD/tests/naive_counts" tiny.trace tiny/stats.json default/config.effective.json >counts 2>&1 &&
    fail "the models found the wrong configuration right"

[ "$failures" = 0 ]
