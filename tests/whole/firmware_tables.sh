#!/bin/sh
# What firmware leaves for kernels, as a guest reads it: parsed by firmware_tables.py, its code disassembled by iasl.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
build_guest dump
# MiB of RAM, an APIC, the processor, an IOMMU
for machine in "8 1 max 0" "64 1 p6 0" "3072 1 x86-64 1" "16 0 max 1"; do
    # shellcheck disable=SC2086
    set -- $machine
    timeout 100 "$LK" run -q -s cpu.model=functional -s cpu.isa=$3 -s cpu.apic=$([ $2 = 1 ] && echo true || echo false) \
        -s iommu.present=$([ $4 = 1 ] && echo true || echo false) -s "machine.ram=$1MiB" -a "$1" -o out dump.elf \
        >said 2>memory </dev/null
    status=$?
    [ $status = 33 ] && [ "$(wc -c <memory)" = 196608 ] ||
        { complain "$machine: status $status, $(wc -c <memory) bytes"; continue; }
    head -c 65536 memory >low
    tail -c 131072 memory >top
    rm -rf tables
    mkdir tables
    python3 "$LK_SOURCE/tests/whole/firmware_tables.py" low top $(($1 * 1048576 - 131072)) "$2" "$4" tables ||
        complain "$machine: its tables"
    command -v iasl >/dev/null || { echo "no iasl: no table is disassembled"; continue; }
    for table in tables/*.aml; do
        { iasl -d "$table" && iasl "${table%.aml}.dsl"; } >iasl.said 2>&1 && grep -q ' 0 Errors' iasl.said ||
            complain "$machine: iasl: $table: $(tail -20 iasl.said)"
    done
    grep -q 'PNP0A03' tables/DSDT.dsl || complain "$machine: no PCI root in the DSDT"
done
finish
