#!/bin/sh
# Debian's memtest86+, both images, by the 32-bit and the 64-bit boot protocol: it finds the machine, begins its tests, and sees no error.
# Its screen is on COM1. The clock is slow, for it waits five seconds for keys.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
[ -r /boot/memtest86+x64.bin ] || { echo "no memtest86+ here"; exit 77; }

# memtest IMAGE OPTION...
memtest() {
    image=$1
    shift
    timeout 120 "$LK" run -q -s cpu.model=functional -s machine.ram=8MiB -s cpu.frequency=50MHz --max-insns 1G -a console=ttyS0 \
        -o out.d "$@" "/boot/$image" >screen 2>err </dev/null
    status=$?
    [ $status = 80 ] || complain "$image $*: status $status: $(cat err)"
    sed 's/\x1b\[[0-9;?]*[A-Za-z]/\n/g' screen | tr -d '\0\r' >lines
    for words in 'Status: Testing' 'Errors: 0 ' '#[0-9]*  *\[' 'of 7.'; do
        grep -aq "$words" lines || complain "$image $*: nothing about '$words'"
    done
    grep -a 'Errors: [1-9]' lines && complain "$image $*: found errors"
}
memtest memtest86+x64.bin
memtest memtest86+x64.bin --boot linux32
memtest memtest86+ia32.bin -s cpu.isa=p6
finish
