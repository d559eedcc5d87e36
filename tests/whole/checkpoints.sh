#!/bin/sh
# Checkpoints (docs/checkpoints.md): a run that goes from one to the next in new machines counts the same to the byte, at
# random cycles, in each model, with disks, DMA and an IOMMU at work; so does another process, by another compiler too.
# What does not fit is refused by name, what is damaged too. Takes 15 seconds.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
configs=$LK_SOURCE/configs
for name in ends ide nic iommu isa_dma paging interrupts apic vga; do
    build_guest $name
done
truncate -s 64M disk.img

seed=0
# passes IMAGE END NR ARGUMENTS WORD...: by checkpoints as in one go
passes() {
    image=$1 end=$2 nr=$3 words=$4
    shift 4
    seed=$((seed + 1))
    timeout 120 "$LK_BUILD/tests/checkpoints" "$image" "$end" $seed "$nr" "$words" "$@" ||
        complain "$image, seed $seed, $*: status $?"
}
for machine in default tiny modern noncoherent i486; do
    passes "$LK_KERNEL" 60000000 6 init=init "$configs/$machine.json"
done
passes "$LK_KERNEL" 40000000 10 init=init cpu.model=functional
passes "$LK_KERNEL" 60000000 4 init=init cpu.predictor=tage cache.l1d.replacement=srrip cache.l2.prefetcher=stream \
    cache.l1d.prefetcher=stride tlb.l1d.replacement=random dram.preset=ddr4-2400
for model in functional inorder; do
    set -- cpu.model=$model machine.ram=64MiB
    passes paging.elf 54000 8 $model "$@"
    passes interrupts.elf 15000000 8 $model "$@"
    passes apic.elf 23000000 6 $model "$@"
    passes vga.elf 41000000 6 $model "$@"
    passes iommu.elf 51000 8 $model "$@" iommu.present=true
    passes nic.elf 4000000 8 $model "$@" nic.present=true
    passes isa_dma.elf 11000 8 $model "$@"
    passes ide.elf 100000000 6 $model "$@" disk=disk.img disk.sector_cycles=100 disk.seek_cycles=1000
done
passes iommu.elf 1000000 8 inorder machine.ram=64MiB iommu.present=true dma.coherence=none

# ---- Another process ----

run() {
    name=$1
    shift
    timeout 120 "${lookaside:-$LK}" run -q -o "$name" "$@" >"$name.console" 2>"$name.err" </dev/null
}
same() {
    cmp "$1/stats.json" "$2/stats.json" || complain "$1 and $2: other statistics"
}
for machine in tiny noncoherent; do
    run $machine -c "$configs/$machine.json" -a init=init "$LK_KERNEL" || complain "$machine: status $?"
    run making -c "$configs/$machine.json" -a init=init --checkpoint-dir $machine.at --checkpoint-at 1k,20M --checkpoint-at 9M \
        "$LK_KERNEL" || complain "$machine, making: status $?"
    same $machine making
    [ "$(ls $machine.at | wc -l)" = 3 ] || complain "$machine: $(ls $machine.at)"
    for file in "$machine.at"/*; do
        run went_on --restore "$file" || complain "$file: status $?: $(cat went_on.err)"
        same $machine went_on
        tail -c "$(wc -c <went_on.console)" $machine.console | cmp - went_on.console || complain "$file: other text"
    done
done
# By the other compiler, with sanitizers.
other=${LK_ASAN:-}
if [ -x "$other" ]; then
    lookaside=$other run by_other --restore tiny.at || complain "other compiler: status $?: $(cat by_other.err)"
    same tiny by_other
    lookaside=$other run other_made -c "$configs/tiny.json" -a init=init --checkpoint-dir other.at --checkpoint-at 1k,9M,20M \
        "$LK_KERNEL"
    diff -r tiny.at other.at || complain "other compiler: other checkpoints"
    rm -r other.at
else
    echo "no build by another compiler ($other): not compared"
fi

run traced --restore tiny.at --trace tiny.trace --trace-to 20100k || complain "with a trace: $(cat traced.err)"
same tiny traced
[ -s tiny.trace ] || complain "no trace of a run that goes on"

# ---- Marker 6, regions that are under way, and SIGTERM ----

run marked -s machine.ram=64MiB -a checkpoints --checkpoint-dir marked.at ends.elf
[ $? = 5 ] && [ "$(ls marked.at | wc -l)" = 3 ] || complain "marker 6: $(ls marked.at) $(cat marked.err)"
run unmarked -s machine.ram=64MiB -a checkpoints ends.elf
same marked unmarked
latest=$(find marked.at -name '*.checkpoint' | sort | tail -n 1)
run later --restore marked.at
[ $? = 5 ] || complain "the latest in a directory: $(cat later.err)"
for file in stats roi-5.3; do
    cmp marked/$file.json later/$file.json || complain "$file, after a checkpoint"
done

"$LK" run -q -o ended -s machine.ram=64MiB -a loop_ticks --checkpoint-dir ended.at ends.elf >out 2>ended.err </dev/null &
sleep 0.5
kill -TERM $!
wait $!
status=$?
[ $status = 75 ] || complain "SIGTERM: status $status: $(cat ended.err)"
now=$(count ended/stats.json cpu0.cycles)
run on --restore ended.at --max-cycles $((now + 1000000))
[ $? = 80 ] || complain "after SIGTERM: $(cat on.err)"
run through -s machine.ram=64MiB -a loop_ticks --max-cycles $((now + 1000000)) ends.elf
same on through

bios=/usr/share/seabios/bios-256k.bin
if [ -f $bios ]; then
    run firmware -s machine.ram=64MiB --firmware $bios --checkpoint-dir firmware.at --checkpoint-at 15M --max-cycles 30M
    run firmware_on --restore firmware.at --max-cycles 30M
    same firmware firmware_on
else
    echo "no $bios: no firmware"
fi

# ---- --fast-forward, and a functional checkpoint that goes on timed ----

run slow -a init=init "$LK_KERNEL"
run fast --fast-forward 9M -a init=init "$LK_KERNEL" || complain "--fast-forward: status $?: $(cat fast.err)"
cmp slow.console fast.console || complain "--fast-forward: other text"
stats_add_up fast/stats.json
[ "$(count fast/stats.json cpu0.tlb.l1d.misses)" -gt 0 ] || complain "--fast-forward: never timed"
run regions -s machine.ram=64MiB --fast-forward marker -a regions ends.elf || complain "--fast-forward marker: $(cat regions.err)"
[ -f regions/roi-5.1.json ] && [ "$(count regions/roi-5.1.json cache.l1d0.accesses)" -gt 0 ] ||
    complain "--fast-forward marker: $(ls regions)"
run functional -s cpu.model=functional -a init=init --checkpoint-dir functional.at --checkpoint-at 9M "$LK_KERNEL"
run timed --restore functional.at -s cpu.model=inorder -s cache.l1d.size=64KiB || complain "functional, then timed: $(cat timed.err)"
cmp slow.console functional.console || complain "functional: other text"
stats_add_up timed/stats.json

# ---- What is refused ----

# refused STATUS TEXT OPTION...: in one line with TEXT, and nothing is written
refused() {
    wanted=$1 text=$2
    shift 2
    rm -rf refused.d
    run refused.d "$@"
    status=$?
    [ $status = "$wanted" ] && [ "$(wc -l <refused.d.err)" = 1 ] && grep -q -e "$text" refused.d.err && [ ! -e refused.d ] ||
        complain "$*: status $status: $(cat refused.d.err)"
}
refused 65 'cache.l1d.size: it goes on with' --restore "$latest" -s cache.l1d.size=64KiB
refused 65 'cpu.model: it goes on with' --restore "$latest" -s cpu.model=functional
refused 65 'cpu.isa: it goes on with' --restore functional.at -s cpu.model=inorder -s cpu.isa=i486
refused 65 'another image' --restore "$latest" paging.elf
refused 65 'disk 0: it goes on with none' --restore "$latest" --disk disk.img
refused 64 'the checkpoint has the guest' --restore "$latest" -a more
refused 64 'wants --checkpoint-dir' --checkpoint-at 5 ends.elf
refused 64 'no count' --checkpoint-at 5,x --checkpoint-dir d ends.elf
refused 66 'cannot read' --restore nowhere
mkdir empty
refused 66 'holds no checkpoint' --restore empty
refused 65 'not a checkpoint' --restore ends.elf
cp "$latest" damaged
printf '\377' | dd of=damaged bs=1 seek=24 conv=notrunc 2>dd.err
refused 65 'version 255; allowed: 1' --restore damaged
size=$(wc -c <"$latest")
for at in 0 10 33 40 100 1000 $((size / 2)) $((size - 10)) $((size - 1)); do
    cp "$latest" damaged
    head -c "$at" "$latest" >cut
    refused 65 . --restore cut
    byte=$(od -An -tu1 -j "$at" -N 1 "$latest")
    # shellcheck disable=SC2059 # an octal escape
    printf "\\$(printf %o $((byte ^ 64)))" | dd of=damaged bs=1 seek="$at" conv=notrunc 2>dd.err
    refused 65 . --restore damaged
done
cp disk.img written.img
"$LK" run -q -o w -s machine.ram=64MiB -s disk.sector_cycles=100 -a inorder --checkpoint-dir w.at --checkpoint-at 40M \
    --max-cycles 60M --disk written.img ide.elf >out 2>err </dev/null
refused 65 'has other contents' --restore w.at
finish
