#!/bin/sh
# The network card: a guest that checks it here and on QEMU's e1000; one that asks a host, here and in QEMU's user network; one that
# sends and receives over the wire, its frames read by a reader of its own; the same by a checkpoint; what is no capture file.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
pcap="python3 $LK_SOURCE/tests/whole/nic_pcap.py"

build_guest nic
build_guest nic_host
build_guest nic_wire

# qemu GUEST OPTION ...: the guest on QEMU's e1000, its words into GUEST.qemu.said, its status into GUEST.status. It waits for its
# clock most of the time, and so the rest goes on meanwhile.
qemu() {
    guest=$1
    shift
    timeout 100 qemu-system-i386 -m 64M -nic none "$@" -display none -monitor none -serial none -no-reboot \
        -debugcon "file:$guest.qemu.said" -device isa-debug-exit,iobase=0xf4,iosize=4 -kernel "$guest.elf" -append qemu 2>"$guest.err"
    echo $? >"$guest.status"
}
if command -v qemu-system-i386 >/dev/null; then
    # Without its own throttle of interrupts, which is there even if ITR is 0.
    qemu nic -netdev hubport,hubid=0,id=n -device e1000,netdev=n,romfile=,mitigation=off &
    qemu nic_host -netdev user,id=n -device e1000,netdev=n,romfile= &
fi

for model in functional inorder; do
    timeout 60 "$LK" run -q -s cpu.model=$model -s machine.ram=64MiB --nic silent --max-cycles 1G -o $model nic.elf \
        >out 2>$model.said </dev/null
    status=$?
    stats_add_up $model/stats.json
    [ $status = 33 ] && ! grep -v '^ok ' $model.said && [ -s $model.said ] ||
        complain "$model: status $status: $(grep -v '^ok ' $model.said | head)"
done
cmp functional.said inorder.said || complain "the models checked something else"

# The host at the other end of the cable says what QEMU's user network says, and more.
for word in udp plain; do
    timeout 60 "$LK" run -q -s machine.ram=64MiB --nic host --max-cycles 1G -a $word -o host nic_host.elf >out 2>host.said </dev/null
    status=$?
    stats_add_up host/stats.json
    [ $status = 33 ] && ! grep -v '^ok ' host.said && [ -s host.said ] || complain "host, $word: $(grep -v '^ok ' host.said | head)"
done

# What the card asks for, against the naive models of caches and DRAM.
timeout 60 "$LK" run -q -c "$LK_SOURCE/configs/tiny.json" -s machine.ram=64MiB --nic host --trace trace -o traced nic_host.elf \
    >out 2>said </dev/null
"$LK_BUILD/tests/naive_counts" trace traced/stats.json traced/config.effective.json >counts 2>&1 || complain "$(cat counts)"
grep -q ' [1-9][0-9]* lines of devices' counts || complain "no lines of devices: $(cat counts)"

# Devices that do not snoop: a driver that does not flush gets other bytes.
timeout 60 "$LK" run -q -s dma.coherence=none -s machine.ram=64MiB --nic silent --max-cycles 1G -o stale nic.elf >out 2>said </dev/null
[ $? != 33 ] && [ "$(count stale/stats.json dma.stale_bytes_read)" -gt 0 ] || complain "no stale byte was read"

# Frames that come and go, by each kind of file.
$pcap make came ns '<'
for kind in 'us <' 'us >' 'ns <' 'ns >'; do
    # shellcheck disable=SC2086
    $pcap make in $kind
    timeout 60 "$LK" run -q -s machine.ram=64MiB --nic silent,receive=in,send=out.pcap --max-cycles 1G -o wire nic_wire.elf \
        >out 2>said </dev/null
    [ $? = 33 ] || complain "$kind: $(cat said)"
    $pcap answers came >wanted
    $pcap show out.pcap >found
    cmp wanted found && [ "$(wc -l <found)" = 3 ] || complain "$kind: other answers"
    [ "$($pcap times out.pcap)" = good ] || complain "$kind: at other times"
    [ "$kind" = 'us <' ] || cmp wire/stats.json first.json || complain "$kind: other statistics"
    cp wire/stats.json first.json
done
[ "$(count first.json nic.frames_received) $(count first.json dma.nic.faults)" = '3 0' ] || complain "counts of frames"

# From a checkpoint between the second and the third, with the same file, and with others.
timeout 60 "$LK" run -q -s machine.ram=64MiB --nic silent,receive=in --max-cycles 1G --checkpoint-dir at --checkpoint-at 2M -o making \
    nic_wire.elf >out 2>said </dev/null
timeout 60 "$LK" run -q --restore at --nic silent,receive=in,send=rest.pcap --max-cycles 1G -o restored >out 2>said </dev/null
[ $? = 33 ] || complain "from a checkpoint: $(cat said)"
cmp restored/stats.json first.json || complain "from a checkpoint: other statistics"
$pcap show rest.pcap >found
tail -n 1 wanted | cmp - found || complain "from a checkpoint: what was sent"
head -c 24 in >empty
timeout 60 "$LK" run -q --restore at --nic silent,receive=empty -o other >out 2>said </dev/null
[ $? = 65 ] && grep -q 'number of frames in the file' said || complain "another file: $(cat said)"

# expect STATUS WORDS OPTION...
expect() {
    wanted=$1 words=$2
    shift 2
    "$LK" run -q -s cpu.model=functional -s machine.ram=64MiB -o bad.d "$@" nic.elf >out 2>said </dev/null
    status=$?
    [ $status = "$wanted" ] && [ "$(wc -l <said)" = 1 ] && grep -q -- "$words" said && [ ! -e bad.d ] ||
        complain "$*: status $status: $(cat said)"
}
$pcap make good us '<'
head -c 110 good >short
head -c 90 good >shorter
printf 'not a capture file at all' >other
{ head -c 20 good && printf '\161\0\0\0'; } >raw
expect 66 'none: cannot read: No such file' --nic silent,receive=none
expect 66 '\.: is no regular file' --nic silent,receive=.
expect 65 'short: byte 100: the file ends within a record' --nic silent,receive=short
expect 65 'shorter: byte 24: the file ends within a frame' --nic silent,receive=shorter
expect 65 'other: no pcap file; allowed: a pcap file of Ethernet' --nic silent,receive=other
expect 65 'raw: link type 113; allowed' --nic silent,receive=raw
expect 73 'no/sent: cannot be written' --nic silent,send=no/sent
expect 64 "'loop': allowed: silent, loopback, unplugged, host, send=FILE" --nic loop
expect 64 "'0x': allowed\|'0x' is no count" --nic silent,receive=good@0x
expect 64 "'silent' is one too many; allowed: 1" --nic silent --nic silent

if command -v qemu-system-i386 >/dev/null; then
    wait
    for guest in nic nic_host; do
        [ "$(cat $guest.status)" = 33 ] || complain "$guest, QEMU: $(grep -v '^ok ' $guest.qemu.said | head)"
    done
    cmp functional.said nic.qemu.said || complain "QEMU checked something else"
    cmp host.said nic_host.qemu.said || complain "QEMU's host says something else"
fi
finish
