#!/bin/sh
# Programs of the C library that check signals, processes, threads with futexes, FPU registers, sockets and splice say the
# same on this machine's Linux, on the bundled guest on lookaside, and on it on QEMU. They are linked statically and lie on a
# small ext2 disk. Status 77: no 32-bit C library, no mke2fs, or a host that does not run i386 programs.
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

for name in $programs; do
    timeout 60 "root/$name" >"$name.host" 2>&1 || { complain "$name on this machine: status $?: $(cat "$name.host")"; continue; }
    grep -q ok "$name.host" || complain "$name says nothing on this machine"
    timeout 120 "$LK" run "$LK_KERNEL" -q -a "quiet root=/dev/hda init=/$name" --disk disk.img,snapshot </dev/null 2>err |
        of_program >"$name.lookaside"
    cmp -s "$name.host" "$name.lookaside" || complain "$name on lookaside: $(diff "$name.host" "$name.lookaside") $(cat err)"
    command -v qemu-system-i386 >/dev/null || continue
    timeout 60 qemu-system-i386 -m 64M -display none -monitor none -no-reboot -serial stdio -kernel "$LK_KERNEL" \
        -append "quiet root=/dev/hda init=/$name" -drive if=ide,format=raw,file=disk.img,snapshot=on 2>err </dev/null |
        of_program >"$name.qemu"
    cmp -s "$name.host" "$name.qemu" || complain "$name on QEMU: $(diff "$name.host" "$name.qemu") $(cat err)"
done
finish
