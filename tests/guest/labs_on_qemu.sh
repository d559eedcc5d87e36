#!/bin/sh
# The labs on QEMU, but for those of cycles: each passes (status 1 of its debug port), or skips (5) because QEMU lacks
# what it is about. Those that panic never end there. Usage: labs_on_qemu.sh KERNEL
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
{ command -v qemu-system-i386 && command -v qemu-system-x86_64; } >/dev/null || { echo "no qemu-system-i386 or no qemu-system-x86_64: skipped"; exit 77; }

"$LK" lab list --json >list.json
python3 - <<'END'
import array
array.array("I", [(i * 0x9E3779B1 & 0xFFFFFFFF) ^ 0xD15C for i in range(1 << 20)]).tofile(open("disk.img", "wb"))
END
python3 -c 'import json
for row in json.load(open("list.json")):
    if row["lab"] not in ("latency", "oops", "bug", "clones"): print(row["lab"], row["options"])' >names
root=$LK_BUILD/guest/root-i386.ext2
while read -r name options; do
    disk=disk.img
    [ "$name" = disk ] || disk=disk.img,snapshot=on
    case $options in
    *root=*)
        [ -r "$root" ] || continue
        disk=$root,snapshot=on
        ;;
    esac
    timeout 60 qemu-system-i386 -m 64M -display none -monitor none -no-reboot -serial "file:$name.qemu" -kernel "$LK_KERNEL" \
        -device isa-debug-exit,iobase=0xf4,iosize=4 -append "quiet lab=$name $options" \
        -drive "if=ide,format=raw,file=$disk" 2>qemu.err </dev/null
    status=$?
    [ $status = 1 ] || { [ $status = 5 ] && [ "$name" != disk ]; } || complain "lab $name on QEMU: status $status: $(cat "$name.qemu" qemu.err)"
done <names
# Labs in 64-bit mode on a processor that has it, and may have PCIDs.
for name in walk64 pcid; do
    timeout 60 qemu-system-x86_64 -cpu max -m 64M -display none -monitor none -no-reboot -serial "file:$name.qemu" -kernel "$LK_KERNEL" \
        -device isa-debug-exit,iobase=0xf4,iosize=4 -append "quiet lab=$name" 2>qemu.err </dev/null
    status=$?
    [ $status = 1 ] || { [ $status = 5 ] && [ $name = pcid ]; } || complain "lab $name on QEMU: status $status: $(cat "$name.qemu" qemu.err)"
done
# The driver of the IOMMU on another one: that of QEMU's q35, with tables of three and of four levels.
for bits in 39 48; do
    timeout 60 qemu-system-i386 -M q35 -m 64M -display none -monitor none -no-reboot -serial file:q35 -kernel "$LK_KERNEL" \
        -device isa-debug-exit,iobase=0xf4,iosize=4 -device intel-iommu,aw-bits=$bits -device piix3-ide,id=piix \
        -drive if=none,id=d,format=raw,file=disk.img -device ide-hd,bus=piix.0,drive=d -append "lab=disk intel_iommu=on" \
        2>qemu.err </dev/null
    status=$?
    [ $status = 1 ] && grep -q "^DMAR: translation enabled, $((bits / 9 - 1)) levels" q35 ||
        complain "lab disk behind QEMU's IOMMU, $bits bits: status $status: $(cat q35 qemu.err)"
done
finish
