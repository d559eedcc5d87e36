#!/bin/sh
# Going back (sim/history.h): a machine that goes back and forth at random stops where one stops that was only ever run
# forward, with the same registers, counters and memory; with input, changes by a debugger, interrupts, DMA and disks on
# the way. Steps back go over the handlers of interrupts. Takes 15 seconds.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
for name in ide iommu isa_dma paging interrupts apic; do
    build_guest $name
done
truncate -s 64M disk.img

seed=0
# passes IMAGE BEGIN END WORD...: thirty moves
passes() {
    image=$1 begin=$2 end=$3
    shift 3
    seed=$((seed + 1))
    timeout 100 "$LK_BUILD/tests/reverse" "$image" "$begin" "$end" $seed 30 "$@" || complain "$image, seed $seed, $*: status $?"
}
for model in functional inorder; do
    set -- $model cpu.model=$model machine.ram=64MiB
    passes paging.elf 100 54000 "$@"
    passes paging.elf 100 54000 "$@" budget=200
    passes interrupts.elf 100 200000 "$@"
    passes apic.elf 100 200000 "$@"
    passes iommu.elf 100 51000 "$@" iommu.present=true
    passes isa_dma.elf 100 11000 "$@"
    passes ide.elf 200000 1000000 "$@" disk=disk.img disk.sector_cycles=100 disk.seek_cycles=1000
done
passes iommu.elf 100 51000 inorder machine.ram=64MiB iommu.present=true dma.coherence=none
# A tick in some thousand instructions, in programs, in the kernel and in repeated instructions.
passes "$LK_KERNEL" 15000000 16000000 "quiet init=stress" machine.ram=16MiB cpu.frequency=2MHz
finish
