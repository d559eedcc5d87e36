#!/bin/sh
# Debian's gdb on the bundled guest sees what it sees on QEMU, and a run that it stopped, stepped and went on with has the
# statistics of one that nobody watched. A client of our own sends what gdb never would.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
session=$LK_SOURCE/tests/whole/gdb_session.gdb

# serve NAME OPTION...: the bundled guest waits for gdb at $port
serve() {
    served=$1
    shift
    serve_gdb "$served" -a init=init "$@" "$LK_KERNEL"
}

# debug NAME: gdb's session at $port, in the guest's folder; what it said, but for words that name the debugger, and what
# the kernel maps of devices, which are not the same on QEMU
debug() {
    (cd "$LK_BUILD/guest" && timeout 120 gdb -nx -q -batch -ex "set \$port=$port" -x "$session" "$LK_KERNEL") >"$1" 2>&1
    sed -i 's/\r$//; /^----/,$!d; s/^\[Inferior 1 (.*) detached\]$/detached/; /^00000000f88/d' "$1"
}

for model in inorder functional; do
    timeout 120 "$LK" run -q -a init=init -s cpu.model=$model -o plain.$model "$LK_KERNEL" >plain.$model.console 2>err </dev/null ||
        complain "plain, $model: status $?"
done

if command -v gdb >/dev/null; then
    for model in inorder functional; do
        serve debugged.$model -s cpu.model=$model
        debug said.$model
        wait $run || complain "debugged, $model: status $?"
        cmp plain.$model/stats.json debugged.$model/stats.json || complain "$model: gdb changed the statistics"
        cmp plain.$model.console debugged.$model.console || complain "$model: gdb changed what the guest says"
    done
    cmp said.inorder said.functional || complain "gdb sees something else in the other model"
    # What a symbol table and a disassembler say, which are not gdb's.
    entry=$(nm "$LK_KERNEL" | sed -n 's/ T start_kernel$//p')
    grep -q "^eip *0x$entry " said.inorder || complain "start_kernel is at $entry, but: $(grep '^eip' said.inorder)"
    objdump -d --no-show-raw-insn --start-address="0x$entry" "$LK_KERNEL" | sed -n 's/^ *[0-9a-f]*:[[:space:]]*\([a-z]*\).*/\1/p' |
        head -n 6 >expected
    sed -n '/^=>/,$p' said.inorder | head -n 6 | sed 's/.*>:[[:space:]]*\([a-z]*\).*/\1/' | cmp - expected ||
        complain "the first instructions of start_kernel are not those of objdump"
    for words in "in page_walk_demo" "^cr2 12345670, error code 2" "^New value = [0-9]" "main (argc=1" "sys_brk (regs=" "^detached"; do
        grep -q "$words" said.inorder || complain "gdb did not come to: $words"
    done
    if command -v qemu-system-i386 >/dev/null; then
        port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
        qemu-system-i386 -m 1G -display none -serial null -monitor none -no-reboot -S -gdb "tcp:127.0.0.1:$port" \
            -kernel "$LK_KERNEL" -append init=init 2>qemu.err &
        qemu=$!
        sleep 2
        debug said.qemu
        kill $qemu 2>/dev/null
        cmp said.inorder said.qemu || complain "gdb saw something else on QEMU: $(diff said.inorder said.qemu | head)"
    else
        echo "no qemu-system-i386: not compared"
    fi
else
    echo "no gdb: only packets of our own"
fi

# Packets by hand, and what is none; the run goes on to its end with the statistics of the plain one.
for model in inorder functional; do
    serve client.$model -s cpu.model=$model
    timeout 100 python3 "$LK_SOURCE/tests/whole/gdb_client.py" "$port" "$LK_KERNEL" || complain "packets, $model"
    wait $run || complain "client, $model: status $?"
    cmp plain.$model/stats.json client.$model/stats.json || complain "$model: packets changed the statistics"
done
# Who comes to a bad end is shown as it is, and then the status is told.
serve fault -a lkdtm=null
timeout 60 python3 "$LK_SOURCE/tests/whole/gdb_client.py" "$port" crash || complain "the crash is not seen as it should"
wait $run
[ $? = 82 ] || complain "a panic under gdb has another status"

# Steps go over interrupts, with the cycles of a run that nobody steps.
build_guest ends
for model in inorder functional; do
    set -- -s machine.ram=64MiB -s cpu.model=$model -a spin_ticks --max-cycles 600k ends.elf
    timeout 60 "$LK" run -q -o ticks "$@" >out 2>err </dev/null
    for history in 0 64; do
        serve_gdb stepped --gdb-history-mib $history "$@"
        timeout 60 python3 "$LK_SOURCE/tests/whole/gdb_client.py" "$port" steps || complain "steps over interrupts, $model, $history"
        wait $run
        cmp ticks/stats.json stepped/stats.json || complain "$model, $history: steps over interrupts changed the statistics"
    done
done

# A second --gdb on the port is a mistake in the command line; so is what is no port.
serve taken
"$LK" run -q "--gdb=$port" demo -o second >out 2>err </dev/null
[ $? = 64 ] && grep -q "^lookaside: --gdb: port $port" err || complain "a port in use: $(cat err)"
kill $run
wait $run
for option in --gdb=x --gdb=65536 --gdb-arch=arm --gdb-wait=1; do
    "$LK" run -q $option demo -o second >out 2>err </dev/null
    [ $? = 64 ] && [ "$(wc -l <err)" = 1 ] || complain "$option: $(cat err)"
done
finish
