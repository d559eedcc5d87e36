#!/bin/sh
# What kernels find that are loaded by the Linux/x86 boot protocols, by PVH, as flat images and as boot sectors: small
# ones, made here, say it themselves.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
boot=$guests/boot
ram=64MiB

# code BITS NAME ENTRY [OPTION...]: the kernel ENTRY.S and told.c at 1 MiB, in NAME.elf and NAME.bin
code() {
    bits=$1 name=$2 entry=$3
    shift 3
    gcc -m"$bits" -std=gnu17 -O1 -Wall -Wextra -Werror -ffreestanding -fno-pic -no-pie -fno-stack-protector \
        -fcf-protection=none -fno-asynchronous-unwind-tables -mno-sse -mno-mmx -mno-red-zone -nostdlib -static \
        -Wl,-T,"$boot/kernel.lds" -Wl,--build-id=none -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments "$@" -o "$name.elf" "$boot/$entry.S" "$boot/told.c" &&
        objcopy -O binary -R '.note*' --gap-fill 0 "$name.elf" "$name.bin" || { complain "$name does not build"; finish; }
}

# linux BITS XLOADFLAGS: linuxBITS.img, a bzImage
linux() {
    code "$1" "linux$1" "entry_linux$1" -DLINUX
    gcc -c -Wa,-I. -DCODE_BYTES="$(wc -c <"linux$1.bin")" -DXLOADFLAGS="$2" -o setup.o "$boot/setup.S" &&
        objcopy -O binary -j .text setup.o setup.bin && cat setup.bin "linux$1.bin" >"linux$1.img"
}

# says MODEL NAME OPTION...: NAME.said is what the guest said
says() {
    model=$1 name=$2
    shift 2
    timeout 60 "$LK" run -q -s cpu.model="$model" -s machine.ram=$ram --max-cycles 100M -o out.d "$@" >out 2>"$name.said" </dev/null
    status=$?
    [ $status = 33 ] || complain "$name, $model: status $status: $(cat "$name.said")"
}

ranges='range 0 9fc00 1
range 9fc00 400 2
range f0000 10000 2
range 100000 3ee0000 1
range 3fe0000 20000 2
range fffc0000 40000 2'

printf 'the first' >one
printf 'second' >two
linux 32 0
linux 64 1
code 32 pvh entry_pvh
for model in functional inorder; do
    for protocol in 32 64; do
        cr0=1 && [ $protocol = 64 ] && cr0=80000001
        printf 'registers 0\ncr0 %s\ninterrupts 0\nloader ff\nheader 53726448\ntext root=/dev/ram0 quiet\ninitrd the first\0\0\0second\n%s\n' \
            $cr0 "$ranges" >wanted
        says $model linux linux$protocol.img -a "root=/dev/ram0 quiet" --initrd one --initrd two
        cmp linux.said wanted || complain "linux $protocol, $model: $(cat linux.said)"
    done
    # A kernel with a 64-bit entry starts at the other one where the CPU has no such mode: here that halts.
    timeout 60 "$LK" run -q -s cpu.model=$model -s cpu.isa=p6 -o out.d linux64.img >out 2>err </dev/null
    [ $? = 82 ] || complain "linux64 on a P6, $model: $(cat err)"
    timeout 60 "$LK" run -q -s cpu.model=$model --boot linux32 -o out.d linux64.img >out 2>err </dev/null
    [ $? = 82 ] || complain "linux64 by the 32-bit protocol, $model: $(cat err)"

    printf 'registers 0\ncr0 1\ninterrupts 0\nmagic 336ec578\ntext root=/dev/ram0 quiet\ninitrd the first\ninitrd second\n%s\n' \
        "$ranges" >wanted
    says $model pvh pvh.elf -a "root=/dev/ram0 quiet" --initrd one --initrd two
    cmp pvh.said wanted || complain "pvh, $model: $(cat pvh.said)"
    says $model flat pvh.bin --boot flat32 --load-at 0x100000 --entry 0x$(nm pvh.elf | sed -n 's/ T _start//p')
done

for kind in "" -DBIOS; do
    gcc -c $kind -o sector.o "$boot/sector.S" && objcopy -O binary -j .text sector.o sector.img
    for options in "" "--boot flat16" "--boot flat16 --load-at 0x7c00"; do
        [ -z "$options" ] || [ -z "$kind" ] || continue
        # shellcheck disable=SC2086 # words
        timeout 60 "$LK" run -q -o out.d --max-cycles 1G $options sector.img >out 2>err </dev/null
        status=$?
        if [ -z "$kind" ]; then
            [ $status = 35 ] || complain "boot sector $options: status $status: $(cat err)"
        else
            [ $status = 82 ] && grep -q "interrupt 13h came, and no BIOS" err ||
                complain "boot sector that calls a BIOS: status $status: $(cat err)"
        fi
    done
done

finish
