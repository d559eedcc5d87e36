#!/bin/sh
# The bundled guest prints the same on both models and on QEMU, for several command lines and sizes of memory.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
command -v qemu-system-i386 >/dev/null || { echo "no qemu-system-i386"; exit 77; }

qemu() {
    timeout 60 qemu-system-i386 -m "$1" -display none -monitor none -no-reboot -serial "file:qemu.text" \
        -kernel "$LK_KERNEL" -append "$2" 2>qemu.err
}

ours() {
    timeout 60 "$LK" run -q -s cpu.model="$1" -s "machine.ram=$2iB" -a "$3" -o "$1" --max-cycles 100G "$LK_KERNEL" \
        >"$1.text" 2>"$1.err" </dev/null
}

without_returns() {
    tr -d '\r' <"$1" >"$1.lf"
}

# agree MEMORY ARGUMENTS: all three power off, with the same text
agree() {
    memory=$1 arguments=$2
    qemu "$memory" "$arguments" || complain "QEMU, $memory, $arguments: status $?"
    without_returns qemu.text
    for model in functional inorder; do
        ours $model "$memory" "$arguments" || complain "$model, $memory, $arguments: status $?: $(tail -n 1 $model.err)"
        stats_add_up $model/stats.json
        without_returns $model.text
        cmp qemu.text.lf $model.text.lf ||
            complain "$memory, $arguments: $model differs from QEMU: $(diff qemu.text.lf $model.text.lf | head -n 5)"
    done
    [ -s qemu.text.lf ] || complain "$memory, $arguments: nothing printed"
}

for memory in 64M 1G 2G; do
    agree $memory "init=init"
done
agree 16M "init=init"
agree 64M "init=spin spin.loops=20000"
agree 64M "init=touch touch.mib=2 touch.rounds=2"
agree 1G "first=1 second=two"
agree 1G "mem=100M"
agree 1G "quiet"
for way in null text rodata kernel stack priv selector divide ud; do
    agree 64M "init=crash crash.by=$way"
done

# Of the registers that a panic shows, EDI, FS and GS may be still as the loader left them. QEMU leaves RF clear in the
# flags that a fault pushes, against SDM 3B 17.3.1.1.
but_for_the_loader() {
    sed 's/ EDI: [0-9a-f]*//; s/ FS: [0-9a-f]* GS: [0-9a-f]*//; s/ EFLAGS: 0001/ EFLAGS: 0000/' "$1" >"$1.shown"
}

# A panic: status 82, and the same words as QEMU prints before it goes on without end.
for way in null write divide bug panic; do
    : >qemu.text
    qemu 64M "lkdtm=$way" &
    pid=$!
    tries=0
    until grep -q '^Kernel panic' qemu.text || [ $tries = 100 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    sleep 0.2
    kill $pid 2>/dev/null
    wait $pid 2>/dev/null
    without_returns qemu.text
    but_for_the_loader qemu.text.lf
    for model in functional inorder; do
        ours $model 64M "lkdtm=$way"
        status=$?
        [ $status = 82 ] || complain "$model, lkdtm=$way: status $status"
        grep -q '^lookaside: the guest panicked' $model.err || complain "$model, lkdtm=$way: $(cat $model.err)"
        stats_add_up $model/stats.json
        without_returns $model.text
        but_for_the_loader $model.text.lf
        cmp qemu.text.lf.shown $model.text.lf.shown ||
            complain "lkdtm=$way: $model differs from QEMU: $(diff qemu.text.lf $model.text.lf | head -n 5)"
    done
done
finish
