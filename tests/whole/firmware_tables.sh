#!/bin/sh
# What firmware leaves for kernels, as a guest reads it: parsed by firmware_tables.py, its code disassembled by iasl.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
build_guest dump
for machine in "8 1 max" "64 1 p6" "3072 1 x86-64" "16 0 max"; do
    # shellcheck disable=SC2086
    set -- $machine
    timeout 100 "$LK" run -q -s cpu.model=functional -s cpu.isa=$3 -s cpu.apic=$([ $2 = 1 ] && echo true || echo false) -s "machine.ram=$1MiB" -a "$1" -o out dump.elf \
        >said 2>memory </dev/null
    status=$?
    [ $status = 33 ] && [ "$(wc -c <memory)" = 196608 ] ||
        { complain "$machine: status $status, $(wc -c <memory) bytes"; continue; }
    head -c 65536 memory >low
    tail -c 131072 memory >top
    python3 "$LK_SOURCE/tests/whole/firmware_tables.py" low top $(($1 * 1048576 - 131072)) "$2" "dsdt$1.aml" ||
        complain "$machine: its tables"
    command -v iasl >/dev/null || { echo "no iasl: the DSDT is not disassembled"; continue; }
    { iasl -d "dsdt$1.aml" && iasl "dsdt$1.dsl"; } >iasl.said 2>&1 && grep -q ' 0 Errors' iasl.said ||
        complain "$machine: iasl: $(tail -20 iasl.said)"
    grep -q 'PNP0A03' "dsdt$1.dsl" || complain "$machine: no PCI root in the DSDT"
done
finish
