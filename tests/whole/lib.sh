# For the scripts of this folder, which tests/run starts in an empty folder of their own.
# shellcheck shell=sh
guests=$LK_SOURCE/tests/whole/guests
failures=0

complain() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# The last line of a script.
finish() {
    [ $failures = 0 ] && exit 0
    echo "$failures failed"
    exit 1
}

# build_guest NAME: guests/NAME.c becomes NAME.elf here
build_guest() {
    gcc -m32 -std=gnu17 -O1 -Wall -Wextra -Werror -ffreestanding -fno-pic -no-pie -fno-stack-protector \
        -fcf-protection=none -fno-asynchronous-unwind-tables -march=i686 -mno-sse -mno-mmx -nostdlib -static \
        -Wl,-Ttext-segment=0x100000 -Wl,--build-id=none -Wl,-z,noexecstack \
        -o "$1.elf" "$guests/entry.S" "$guests/guest.c" "$guests/$1.c" || { complain "$1 does not build"; finish; }
}

# runs_here PROGRAM: the host runs programs of its kind; not all run those for i386. A shell would take what the kernel
# refuses for a script.
runs_here() {
    python3 -c 'import subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)' "$1" 2>/dev/null </dev/null
}

# stats_add_up FILE...: what must hold in every stats.json, of every machine and guest
stats_add_up() {
    python3 "$LK_SOURCE/tests/whole/stats_add_up.py" "$@" || failures=$((failures + 1))
}

# count FILE NAME: that counter of a stats.json
count() {
    sed -n "s/^ *\"$2\": \\([0-9]*\\),*\$/\\1/p" "$1"
}

# checks_itself NAME: guests/NAME.c finds nothing wrong in either model and on QEMU, where all but what only a TLB can
# show is the same. The guest is told on what it runs.
checks_itself() {
    build_guest "$1"
    for model in functional inorder; do
        timeout 60 "$LK" run -q -s cpu.model=$model -s machine.ram=64MiB -a $model --max-cycles 1G -o "$1.$model" \
            "$1.elf" >out 2>"$1.$model.said" </dev/null
        status=$?
        stats_add_up "$1.$model/stats.json"
        [ $status = 33 ] && ! grep -v '^ok ' "$1.$model.said" && [ -s "$1.$model.said" ] ||
            complain "$1, $model: status $status: $(grep -v '^ok ' "$1.$model.said" | head)"
    done
    command -v qemu-system-i386 >/dev/null || { echo "no qemu-system-i386: not compared"; return; }
    # QEMU's clock is the host's: where that is busy, ticks get lost, and the guest is given another try.
    for attempt in 1 2 3 4 5; do
        timeout 60 qemu-system-i386 -m 64M -display none -monitor none -serial none -no-reboot -debugcon "file:$1.qemu.said" \
            -device isa-debug-exit,iobase=0xf4,iosize=4 -kernel "$1.elf" -append qemu 2>qemu.err
        status=$?
        [ $status = 33 ] && break
        sleep $attempt
    done
    [ $status = 33 ] || complain "$1, QEMU: status $status: $(grep -v '^ok ' "$1.qemu.said" | head)"
    cmp "$1.functional.said" "$1.qemu.said" || complain "$1: QEMU checked something else"
}

# serve_gdb NAME WORD...: a run with these words, which waits for gdb at $port, as process $run; its input is $input, or none
serve_gdb() {
    name=$1
    shift
    : >"$name.err"
    timeout 120 "$LK" run -q --gdb=0 --gdb-wait -o "$name" "$@" >"$name.console" 2>"$name.err" <"${input:-/dev/null}" &
    run=$!
    for attempt in $(seq 100); do
        port=$(sed -n 's/.*target remote 127.0.0.1:\([0-9]*\).*/\1/p' "$name.err")
        [ -n "$port" ] && return
        sleep 0.1
    done
    complain "$name: no port after $attempt tries: $(cat "$name.err")"
    finish
}
