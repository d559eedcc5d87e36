#!/bin/sh
# Debian's SeaBIOS comes from reset through its self test to the boot prompt, which it shows on COM1; it boots nothing, and after a
# minute of the machine's time asks for a reset. Both models see the same, so do both sizes of the image.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
bios=/usr/share/seabios
[ -r $bios/bios-256k.bin ] || { echo "no seabios here"; exit 77; }

cat >wanted <<'END'
Booting from Floppy...
Boot failed: could not read the boot disk
Booting from Hard Disk...
Boot failed: could not read the boot disk
No bootable device.  Retrying in 60 seconds.
END
for image in bios.bin bios-256k.bin; do
    for model in functional inorder; do
        timeout 60 "$LK" run -q -s cpu.model=$model -s machine.ram=64MiB --max-cycles 5G --firmware $bios/$image -o out.d \
            >said 2>err </dev/null
        status=$?
        [ $status = 80 ] || complain "$image, $model: status $status: $(cat err)"
        grep -q 'SeaBIOS (version' said || complain "$image, $model: no banner"
        tr -d '\r' <said | grep -a '^Boot\|^No boot' | cmp - wanted || complain "$image, $model: $(cat said)"
    done
done
timeout 60 "$LK" run -q -s cpu.model=functional -s machine.ram=64MiB --firmware $bios/bios-256k.bin -o out.d >said 2>err </dev/null
[ $? = 0 ] && grep -q "reset the machine" err || complain "no reset after a minute: $(cat err)"

# expect STATUS WORD ARGUMENT...
expect() {
    wanted=$1 word=$2
    shift 2
    "$LK" run -o bad.d "$@" >out 2>err </dev/null
    status=$?
    [ $status = "$wanted" ] && [ "$(wc -l <err)" = 1 ] && grep -q -- "$word" err && [ ! -s out ] ||
        complain "$*: status $status: $(cat err)"
}
: >empty
head -c 65535 $bios/bios.bin >short
head -c 4259840 /dev/zero >long
expect 66 "cannot read" --firmware none
expect 65 "of 0 bytes" --firmware empty
expect 65 "of 65535 bytes" --firmware short
expect 65 "of 4259840 bytes" --firmware long
expect 64 "not also an image" --firmware $bios/bios.bin "$LK_KERNEL"
expect 64 "not also an image" --firmware $bios/bios.bin -a text
# A firmware of zeros is no crash either.
head -c 65536 /dev/zero >zeros
timeout 60 "$LK" run -q -s machine.ram=64MiB --max-insns 100k --firmware zeros -o out.d >out 2>err </dev/null
case $? in 80 | 81 | 82) ;; *) complain "zeros: $(cat err)" ;; esac
finish
