#!/bin/sh
# Boots the bundled guest on QEMU and checks its console. Usage: boot_on_qemu.sh KERNEL
# Exit status 77 (skipped, for CTest) where there is no QEMU.
set -u
kernel=${1:?usage: boot_on_qemu.sh KERNEL}
command -v qemu-system-i386 >/dev/null || { echo "no qemu-system-i386: skipped"; exit 77; }
[ -r "$kernel" ] || { echo "$kernel: not readable"; exit 1; }

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
text=$work/console
failed=0

# qemu MEMORY COMMAND-LINE [QEMU OPTION...]: the console goes to $text.
qemu() {
    memory=$1 append=$2
    shift 2
    exec timeout 60 qemu-system-i386 -m "$memory" -display none -monitor none -no-reboot -serial "file:$text" \
        -kernel "$kernel" -append "$append" "$@" 2>/dev/null
}

unix_lines() {
    tr -d '\r' <"$text" >"$text.lf" && mv "$text.lf" "$text"
}

complain() {
    echo "FAILED: $what: $1"
    failed=1
}

# has EXTENDED-REGEX: some line matches.
has() {
    grep -Eq "$1" "$text" || complain "no line like: $1"
}

# hasnt EXTENDED-REGEX: no line matches.
hasnt() {
    if grep -Eq "$1" "$text"; then complain "unexpected: $(grep -E "$1" "$text" | head -n 1)"; fi
}

# powers_off, as qemu: boots, ends by itself, and leaves no page behind.
powers_off() {
    what=$*
    (qemu "$@") || complain "QEMU status $?"
    unix_lines
    case $2 in *quiet*) ;; *) has '^leaked pages: 0$' ;; esac
    has '^Power down\.$'
    hasnt 'panic|BUG|FAILED'
}

# panics, as qemu: boots, and stops with a panic, the machine still on.
panics() {
    what=$*
    : >"$text"
    qemu "$@" &
    pid=$!
    tries=0
    until grep -q '^Kernel panic' "$text" || [ $tries = 100 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    # Time enough to go on, if it wrongly would.
    sleep 0.2
    kill $pid 2>/dev/null || complain "the machine went off"
    wait $pid 2>/dev/null
    unix_lines
    has '^Kernel panic - not syncing: '
    hasnt 'Power down'
}

# The default program, with every size of memory the zones care about.
for memory in 4M 16M 64M 1G 2G; do
    powers_off $memory ""
    has '^init: hello from ring 3, pid 1, init$'
    has '^init\[1\]: exited with status 0$'
    has '^Node 0, zone +DMA( +[0-9]+){11} *$'
done
[ "$(grep -c '^Node 0, zone  HighMem  ' "$text")" = 2 ] || complain "buddyinfo is not printed twice"

powers_off 1G "first=1 second=2"
cp "$text" "$work/reference"
has '^Kernel command line: first=1 second=2$'
has '^ +12 +0060 00000000 fffff  1   10   0 kernel code$'
has '^ +15 +007b 00000000 fffff  1    2   3 user data$'
has '^  Normal +4096 +225280 '
has '^  HighMem +229376 +32736 '
has '^Page walk of 12345670: page 12345, offset 670$'
has '^  PDE\[048\] at [0-9a-f]+ = [0-9a-f]+067  P RW user A D$'
has '^  PTE\[345\] at [0-9a-f]+ = [0-9a-f]+067  P RW user A D$'
has '^  physical address    = [0-9a-f]+000 \+ 670 = [0-9a-f]+670$'
has '^  value there         = 6b6f6f6c by its linear address, 6b6f6f6c by its physical one$'
has '^init: .*EFAULT: ok$'
has '^init\[1\]: [0-9]+ demand faults: [1-9][0-9]* text, [1-9][0-9]* data, [1-9][0-9]* bss, 6[0-9] heap, 0 mmap, 3[3-9] stack'

# The text depends on neither the kind of CPU nor on where the loader puts a longer command line or the file's name.
powers_off 1G "first=1 second=2" -cpu max
cmp -s "$text" "$work/reference" || complain "the console differs from the default CPU's"
cp "$kernel" "$work/a-kernel-with-quite-another-name"
kernel_saved=$kernel kernel=$work/a-kernel-with-quite-another-name
powers_off 1G "first=1 second=2"
cmp -s "$text" "$work/reference" || complain "the console depends on the kernel's file name"
kernel=$kernel_saved

# CPUs that have no 4 MiB or no global pages.
powers_off 1G "" -cpu qemu32,-pse,-pge
has '^init\[1\]: exited with status 0$'
powers_off 64M "" -cpu qemu32,-pge
has '^init\[1\]: exited with status 0$'

# A module in memory is kept out of the allocator's way.
dd if=/dev/urandom of="$work/module" bs=1024 count=300 2>/dev/null
powers_off 64M "" -initrd "$work/module"
has '^init\[1\]: exited with status 0$'

# Command line.
powers_off 64M "mem=32M"
has '^  Normal +4096 +4096 +4096 '
powers_off 64M "init=spin spin.loops=1000 quiet"
has '^spin: checksum 9a231927$'
hasnt 'Zones'
powers_off 64M "init=touch touch.mib=2 touch.rounds=2"
has '^touch: checksum '
has '^touch\[1\]: .* 1022 heap'

# More processes than memory: some are ended, the first one is not, and everything comes back.
powers_off 32M "init=storm"
has '^storm: some were ended for want of memory: ok$'
has '^storm: some were not: ok$'
has '^Out of memory: Killed process [0-9]+ .storm. total-vm:[0-9]+kB, anon-rss:[0-9]+kB, file-rss:[0-9]+kB, shmem-rss:0kB, UID:0 pgtables:[0-9]+kB oom_score_adj:0$'
has '^storm invoked oom-killer: gfp_mask=0x[0-9a-f]+.GFP_HIGHUSER_MOVABLE., order=0, oom_score_adj=0$'
has '^Mem-Info:$'
has '^Normal free:[0-9]+kB min:[0-9]+kB low:[0-9]+kB high:[0-9]+kB '
has '^\[  pid  \]   uid  tgid total_vm      rss nr_ptes .*oom_score_adj name$'
has '^\[ +[0-9]+\] +0 +[0-9]+ +[0-9]+ +[0-9]+ .* 0 storm$'
has "^storm: the first one's memory: ok$"
has '^storm\[1\]: exited with status 0$'

# What a program must not do ends the program, with one line of report.
for row in null:11:segfault text:11:segfault rodata:11:segfault kernel:11:segfault stack:11:segfault \
    priv:11:'trap general protection' selector:11:'trap general protection' divide:8:'trap divide error' \
    ud:4:'trap invalid opcode'; do
    way=${row%%:*} rest=${row#*:}
    powers_off 64M "init=crash crash.by=$way"
    has "^crash\[1\]:? ${rest#*:}"
    has "^crash\[1\]: killed by signal ${rest%%:*} "
    hasnt 'still alive'
done

# What the kernel must not do ends in a panic: QEMU is still there, halted.
for row in null:'BUG: unable to handle kernel NULL pointer dereference at 00000000' \
    write:'BUG: unable to handle kernel paging request at fe000000' divide:'divide error: 0000' \
    bug:'kernel BUG at guest/kernel/lkdtm.c:[0-9]+!' panic:'Kernel panic - not syncing: lkdtm'; do
    panics 64M "lkdtm=${row%%:*}"
    has "^${row#*:}"
done
panics 64M "lkdtm=write"
has '^EIP is at lkdtm\+0x'
has '^ \[<c01[0-9a-f]+>\] rest_init\+0x'
has '^ \[<c01[0-9a-f]+>\] start_kernel\+0x'
panics 64M "mem=1M"
has '^Kernel panic - not syncing: memory ends at 0009fc00, before the kernel does'
panics 64M "init=nothing"
has '^Kernel panic - not syncing: No working init found: nothing'

[ $failed = 0 ] && echo "all boots as they should be"
exit $failed
