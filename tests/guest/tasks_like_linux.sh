#!/bin/sh
# Programs of the C library that check signals, processes, threads with futexes, FPU registers, sockets and splice say the
# same on this machine's Linux, on the bundled guest on lookaside, and on it on QEMU. They are linked statically and lie on a
# small ext2 disk. A host that does not run i386 programs leaves QEMU to compare with. Status 77: no 32-bit C library, no
# mke2fs, or nothing to compare with.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
programs="signals futexes fpu badframes threads sockets splices unixes"
# This one gives up root's rights, which it must have.
[ "$(id -u)" != 0 ] || programs="$programs jobs"
command -v mke2fs >/dev/null || { echo "no mke2fs: skipped"; exit 77; }

mkdir -p root/dev root/proc root/tmp
for name in $programs; do
    gcc -m32 -std=gnu17 -O2 -pthread -static -s -o "root/$name" "$LK_SOURCE/guest/user/glibc/$name.c" 2>gcc.err ||
        { echo "no static 32-bit C library: skipped"; exit 77; }
done
mke2fs -q -t ext2 -O none,filetype -b 1024 -d root disk.img 16M >mke2fs.out 2>&1 || { complain "mke2fs"; finish; }

# What is told about a process that a signal ended is the kernel's own word.
of_program() {
    tr -d '\r' | grep -v -e '^Power down\.$' -e 'segfault at'
}

# on_qemu NAME: NAME.qemu
on_qemu() {
    timeout 60 qemu-system-i386 -m 64M -display none -monitor none -no-reboot -serial stdio -kernel "$LK_KERNEL" \
        -append "quiet root=/dev/hda init=/$1" -drive if=ide,format=raw,file=disk.img,snapshot=on 2>err </dev/null |
        of_program >"$1.qemu"
}

has_qemu=true runs_i386=true
command -v qemu-system-i386 >/dev/null || has_qemu=false
runs_here root/fpu || runs_i386=false
$has_qemu || $runs_i386 || { echo "no i386 programs on this host, and no QEMU: skipped"; exit 77; }
$runs_i386 || echo "no i386 programs on this host: compared with QEMU alone"

for name in $programs; do
    ! $has_qemu || on_qemu "$name"
    if $runs_i386; then
        timeout 60 "root/$name" >"$name.said" 2>&1 || { complain "$name on this machine: status $?: $(cat "$name.said")"; continue; }
        ! $has_qemu || cmp -s "$name.said" "$name.qemu" || complain "$name on QEMU: $(diff "$name.said" "$name.qemu") $(cat err)"
    else
        cp "$name.qemu" "$name.said"
    fi
    grep -q ok "$name.said" || complain "$name says nothing: $(cat "$name.said")"
    timeout 120 "$LK" run "$LK_KERNEL" -q -a "quiet root=/dev/hda init=/$name" --disk disk.img,snapshot </dev/null 2>err |
        of_program >"$name.lookaside"
    cmp -s "$name.said" "$name.lookaside" || complain "$name on lookaside: $(diff "$name.said" "$name.lookaside") $(cat err)"
done
finish
