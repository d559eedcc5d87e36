#!/bin/sh
# Boots the bundled guest on QEMU with an ext2 file system of mke2fs's as its root, and runs guest/user/glibc/mappings.c
# there, dynamically linked by the host's compiler: first as init, then once more from what the disk has become. Then
# e2fsck looks at the disk. The program, compiled for what the host runs, must say the same on Linux. Usage: files_on_qemu.sh
# KERNEL. Status 77: no QEMU, no compiler for i386, or no e2fsprogs.
set -u
kernel=${1:?usage: files_on_qemu.sh KERNEL}
source=$(dirname "$0")/../../guest/user/glibc
PATH=$PATH:/sbin:/usr/sbin
for tool in qemu-system-i386 mke2fs e2fsck; do
    command -v $tool >/dev/null || { echo "no $tool: skipped"; exit 77; }
done

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

complain() {
    echo "FAILED: $1"
    failed=1
}

mkdir -p "$work/root/bin" "$work/root/dev" "$work/root/lib" "$work/root/proc" "$work/root/tmp" "$work/tmp"
gcc -m32 -std=gnu17 -O2 -o "$work/root/bin/mappings" "$source/mappings.c" 2>/dev/null ||
    { echo "no gcc -m32: skipped"; exit 77; }
# Not every host that compiles for i386 runs such programs.
gcc -std=gnu17 -O2 -o "$work/mappings" "$source/mappings.c" || complain "gcc"
for library in libc.so.6 ld-linux.so.2; do
    cp "$(gcc -m32 -print-file-name=$library)" "$work/root/lib/" || { echo "no $library for i386: skipped"; exit 77; }
done

# What Linux says.
"$work/mappings" "$work/tmp" 300 >"$work/linux" || complain "on Linux"

# boot IMAGE TEXT
boot() {
    timeout 100 qemu-system-i386 -m 128M -display none -monitor none -no-reboot -serial "file:$2" -kernel "$kernel" \
        -append "root=/dev/hda init=/bin/mappings" -drive "file=$1,format=raw,if=ide" 2>/dev/null ||
        complain "QEMU status $?"
    tr -d '\r' <"$2" >"$2.lf" && mv "$2.lf" "$2"
}

for block_bytes in 1024 4096; do
    image=$work/$block_bytes
    mke2fs -q -F -t ext2 -b $block_bytes -d "$work/root" "$image" 16m >/dev/null 2>&1 || complain "mke2fs"
    for run in first second; do
        boot "$image" "$work/text"
        grep -q '^leaked pages: 0$' "$work/text" || complain "blocks of $block_bytes bytes, the $run run: leaked pages"
        grep '^mappings: ' "$work/text" >"$work/guest"
        cmp -s "$work/linux" "$work/guest" ||
            { diff "$work/linux" "$work/guest"; complain "blocks of $block_bytes bytes, the $run run: not what Linux says"; }
        e2fsck -fn "$image" >"$work/e2fsck" 2>&1 ||
            { cat "$work/e2fsck"; complain "blocks of $block_bytes bytes, after the $run run: e2fsck"; }
    done
done
[ $failed = 0 ] && echo "files are what they are on Linux"
exit $failed
