#!/bin/sh
# Boots the bundled guest's PAE flavour on QEMU: the same sources with three levels of page tables, NX, and memory above
# 4 GiB. Usage: pae_on_qemu.sh KERNEL (the two-level one; the other lies beside it). Status 77: no QEMU.
set -u
kernel=${1:?usage: pae_on_qemu.sh KERNEL}
pae=${kernel%.elf}-pae.elf
command -v qemu-system-i386 >/dev/null || { echo "no qemu-system-i386: skipped"; exit 77; }
[ -r "$pae" ] || { echo "$pae: not readable"; exit 1; }

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

complain() {
    echo "FAILED: $1"
    failed=1
}

# boot KERNEL TEXT MEMORY COMMAND-LINE [QEMU OPTION...]: the console goes to TEXT; must power off.
boot() {
    image=$1 text=$2 memory=$3 append=$4
    shift 4
    timeout 60 qemu-system-i386 -m "$memory" -display none -monitor none -no-reboot -serial "file:$text" -kernel "$image" \
        -append "$append" "$@" 2>/dev/null || complain "$append: QEMU status $?"
    tr -d '\r' <"$text" >"$text.lf" && mv "$text.lf" "$text"
    grep -q '^Power down\.$' "$text" || complain "$append: did not power off"
}

# has TEXT EXTENDED-REGEX: some line matches.
has() {
    grep -Eq "$2" "$1" || complain "no line like: $2"
}

boot "$pae" "$work/pae" 1G "" -cpu max
has "$work/pae" '^lookaside guest, i386-pae: '
has "$work/pae" '^  PDPTE\[0\] at [0-9a-f]+    page directory at [0-9a-f]+  P$'
has "$work/pae" '^  PDE\[091\] at [0-9a-f]+ = [0-9a-f]+067  P RW user A D$'
has "$work/pae" '^  PTE\[145\] at [0-9a-f]+ = 8[0-9a-f]+067  P RW user A D NX$'
has "$work/pae" '^  value there         = 6b6f6f6c by its linear address, 6b6f6f6c by its physical one$'
has "$work/pae" '^leaked pages: 0$'

# A program cannot tell how many levels there are.
boot "$kernel" "$work/two-level" 1G ""
for text in pae two-level; do
    sed -n '/^init: /p; /demand faults/p' "$work/$text" >"$work/$text.init"
done
cmp -s "$work/pae.init" "$work/two-level.init" || complain "init says: $(diff "$work/pae.init" "$work/two-level.init")"

# Without NX, everything but that.
boot "$pae" "$work/text" 64M "" -cpu qemu32,-nx
has "$work/text" '^  PTE\[145\] at [0-9a-f]+ = 0[0-9a-f]+067  P RW user A D$'
has "$work/text" '^init\[1\]: exited with status 0$'
for row in "$pae:max:^crash\[1\]: segfault at [0-9a-f]+ ip [0-9a-f]+ sp [0-9a-f]+ error 1[45]$" \
    "$pae:qemu32,-nx:^crash: still alive$" "$kernel:max:^crash: still alive$"; do
    rest=${row#*:}
    boot "${row%%:*}" "$work/text" 64M "init=crash crash.by=data" -cpu "${rest%%:*}"
    has "$work/text" "${rest#*:}"
done

# Frames above 4 GiB are highmem like others.
boot "$pae" "$work/text" 4608M "" -cpu max
has "$work/text" '^  HighMem +229376 +[0-9]{7} +9[0-9]{5} '
has "$work/text" '^init\[1\]: exited with status 0$'
has "$work/text" '^leaked pages: 0$'

# A processor that has no PAE: one line that says so, and no more.
timeout 3 qemu-system-i386 -cpu 486 -m 64M -display none -monitor none -no-reboot -serial "file:$work/text" -kernel "$pae" \
    2>/dev/null
[ "$(tr -d '\r' <"$work/text")" = "This kernel needs a processor with PAE." ] || complain "on a 486: $(cat "$work/text")"

# The labs about memory hold on three levels, too (status 1: passed).
while read -r lab options; do
    timeout 60 qemu-system-i386 -cpu max -m 64M -display none -monitor none -no-reboot -serial "file:$work/text" -kernel "$pae" \
        -device isa-debug-exit,iobase=0xf4,iosize=4 -append "quiet lab=$lab $options" 2>/dev/null </dev/null
    status=$?
    [ $status = 1 ] || complain "lab $lab: status $status: $(cat "$work/text")"
done <<END
segments
hidden-part
null-selector
walk
page-tables
address-spaces
segmentation
kernel-memory
boot
switch
tasks
stress
forkbomb
flat
privilege
rodata
supervisor
zones highmem=24M
highmem highmem=24M
bootmem mem=48M
buddy
fragmentation
compaction
lru
watermarks
slab
kmalloc
slab-debug
vmalloc highmem=24M
limits
cma cma=16M
maps
demand
cow
faults
areas
END

[ $failed = 0 ] && echo "PAE boots as it should"
exit $failed
