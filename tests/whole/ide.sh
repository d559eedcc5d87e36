#!/bin/sh
# Disks: a small guest that works one by PIO and by DMA, here and on QEMU's PIIX3; what its image holds after that; images that
# are no disks; a host that cannot write; and SeaBIOS, which boots from one.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"

# image FACTOR MORE NAME: 64 MiB, where dword j of sector i is i * FACTOR + j + MORE
image() {
    python3 - "$@" <<'END'
import array, sys
factor, more = int(sys.argv[1]), int(sys.argv[2])
with open(sys.argv[3], "wb") as file:
    for i in range(131072):
        first = i * factor + more & 0xffffffff
        file.write(array.array("I", range(first, first + 128) if first < 0xffffff00 else
                               [first + j & 0xffffffff for j in range(128)]).tobytes())
END
}
image 1000003 0 old
image 2000003 5 new
build_guest ide
build_guest ide_three
echo '{"machine": {"ram": "64MiB"}, "disk": {"sector_cycles": 100, "seek_cycles": 1000}}' >quick.json

# What the guest finds, in both models and on QEMU. The in-order model works the last 4 MiB only.
for model in functional inorder; do
    cp old $model.img
    timeout 100 "$LK" run -q -s cpu.model=$model -c quick.json -a $model --max-cycles 4G --disk $model.img \
        -o $model ide.elf >out 2>$model.said </dev/null
    status=$?
    stats_add_up $model/stats.json
    [ $status = 33 ] && ! grep -v '^ok ' $model.said && [ -s $model.said ] ||
        complain "$model: status $status: $(grep -v '^ok ' $model.said | head)"
done
cmp functional.img new || complain "the image after the guest"
cp old other.img
"$LK" run -c quick.json -a inorder --max-cycles 4G --disk other.img,snapshot -o again ide.elf >out 2>said </dev/null
cmp again/stats.json inorder/stats.json || complain "a second run has other statistics"
grep -q '^  disks  *[0-9]* sectors read, [0-9]* written' said || complain "no word about disks: $(tail -5 said)"
head -c 1M new >slave.img
head -c 2M new >secondary.img
cp old three.img
"$LK" run -q -c quick.json --max-cycles 1G --disk three.img --disk slave.img --disk secondary.img -o three ide_three.elf \
    >out 2>three.said </dev/null
[ $? = 33 ] || complain "three disks: $(grep -v '^ok ' three.said | head)"

# qemu GUEST OPTION ...: the guest on QEMU, its words into qemu.said
qemu() {
    guest=$1
    shift
    timeout 100 qemu-system-i386 -m 64M -nodefaults -display none -no-reboot -debugcon file:qemu.said \
        -device isa-debug-exit,iobase=0xf4,iosize=4 -kernel "$guest.elf" -append qemu "$@"
    [ $? = 33 ] || complain "QEMU, $guest: $(grep -v '^ok ' qemu.said | head)"
}
if command -v qemu-system-i386 >/dev/null; then
    cp old qemu.img
    qemu ide -drive if=ide,format=raw,index=0,file=qemu.img
    cmp functional.said qemu.said || complain "QEMU checked something else"
    cmp qemu.img new || complain "the image after QEMU"
    qemu ide_three -drive if=ide,format=raw,index=0,file=three.img -drive if=ide,format=raw,index=1,file=slave.img \
        -drive if=ide,format=raw,index=2,file=secondary.img
    cmp three.said qemu.said || complain "QEMU checked something else of three disks"
fi

# Devices that do not snoop: a driver that flushes notices nothing, and one that does not gets other bytes.
for word in flush inorder; do
    cp old other.img
    timeout 100 "$LK" run -q -s dma.coherence=none -c quick.json -a $word --max-cycles 1G --disk other.img -o $word \
        ide.elf >out 2>said </dev/null
    case $word$? in
    flush33) cmp said functional.said ;;
    flush*) complain "with flushes: $(grep -v '^ok ' said | head)" ;;
    inorder33) complain "it was right without flushes" ;;
    *) [ "$(count $word/stats.json dma.stale_bytes_read)" -gt 0 ] || complain "no stale byte was counted" ;;
    esac
done

# Read-only, the first write fails; a snapshot is as good as the image, which stays as it was.
cp old other.img
"$LK" run -q -s cpu.model=functional -c quick.json -a functional --max-cycles 4G --disk other.img,snapshot \
    -o snapshot ide.elf >out 2>said </dev/null
[ $? = 33 ] && cmp said functional.said && cmp other.img old || complain "snapshot: $(grep -v '^ok ' said | head)"
chmod a-w other.img
"$LK" run -q -s cpu.model=functional -c quick.json -a functional --max-cycles 4G --disk other.img,ro -o ro ide.elf \
    >out 2>said </dev/null
[ $? = 35 ] && grep -q 'FAIL WRITE SECTORS: 3' said && ! grep -q 'FAIL READ' said && cmp other.img old ||
    complain "read-only: $(grep -v '^ok ' said | head)"
chmod u+w other.img

# The host's file may not reach beyond 32 MiB: the guest gets errors, and the run goes on.
(ulimit -f 65536 && exec "$LK" run -q -s cpu.model=functional -s machine.ram=64MiB -a host --max-cycles 1G --disk other.img -o host \
    ide.elf) >out 2>said </dev/null
[ $? = 33 ] && ! grep -v '^ok ' said | grep -v '^lookaside: other.img: the guest got 2 disk errors; .* too large' ||
    complain "a host that cannot write: $(grep -v '^ok ' said | head)"
[ "$(count host/stats.json disk.host_errors)" = 2 ] || complain "host errors were not counted"

# expect STATUS WORDS OPTION...
expect() {
    wanted=$1 words=$2
    shift 2
    "$LK" run -q -s cpu.model=functional -s machine.ram=64MiB -o bad.d "$@" ide.elf >out 2>said </dev/null
    status=$?
    [ $status = "$wanted" ] && [ "$(wc -l <said)" = 1 ] && grep -q -- "$words" said && [ ! -e bad.d ] ||
        complain "$*: status $status: $(cat said)"
}
head -c 1000 old >odd
: >empty
expect 66 'none: cannot read and write: No such file' --disk none
expect 66 '/dev/null: is a device' --disk /dev/null,ro
expect 66 'is a directory\|Is a directory' --disk .
expect 65 'odd: 1000 bytes; allowed for a disk: a multiple of 512' --disk odd
expect 65 'empty: 0 bytes' --disk empty
expect 66 'old: another disk or program has it' --disk old,ro --disk old
expect 66 'old: another disk or program writes it' --disk old --disk old,snapshot
expect 64 "'old,raw': allowed: FILE" --disk old,raw
expect 64 "',ro': allowed: FILE" --disk ,ro
expect 64 "'e' is one too many; allowed: 4" --disk a --disk b --disk c --disk d --disk e

# SeaBIOS boots from the disk, which reads and writes it by INT 13h.
bios=/usr/share/seabios/bios-256k.bin
[ -r $bios ] || { echo "no seabios here"; finish; }
gcc -c -o sector.o "$guests/boot/disk_sector.S" && objcopy -O binary -j .text sector.o boot.img || complain "the boot sector"
truncate -s 1M boot.img
printf 'third sector' | dd of=boot.img bs=512 seek=3 conv=notrunc status=none
printf ', fourth sector.\r\n' | dd of=boot.img bs=512 seek=4 conv=notrunc status=none
cp boot.img wanted.img
dd if=boot.img of=wanted.img bs=512 skip=3 seek=9 count=2 conv=notrunc status=none
printf '!' | dd of=wanted.img bs=1 seek=$((10 * 512 + 511)) conv=notrunc status=none
for model in functional inorder; do
    cp boot.img booted.img
    timeout 60 "$LK" run -q -s cpu.model=$model -s machine.ram=64MiB --max-cycles 8G --disk booted.img --firmware $bios -o boot.d \
        >said 2>err </dev/null
    [ $? = 33 ] && grep -q 'third sector, fourth sector' said || complain "SeaBIOS, $model: $(cat err)"
    cmp booted.img wanted.img || complain "SeaBIOS, $model: what it wrote"
done
finish
