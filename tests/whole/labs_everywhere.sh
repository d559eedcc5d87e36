#!/bin/sh
# All labs (`lookaside lab all`) hold with both of the guest's kernels on a machine whose caches and TLBs are tiny, and on one
# whose devices do not snoop; tests/whole/guest_labs.sh has them on the default machine.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"

try() {
    "$LK" lab all -k "$1" -c "$LK_SOURCE/configs/$2.json" >"$1.$2" 2>"$1.$2.err" </dev/null
    echo $? >"$1.$2.status"
}

for config in tiny noncoherent; do
    try i386 $config &
    try i386-pae $config
    wait
    for kernel in i386 i386-pae; do
        run=$kernel.$config
        tail -n 1 $run | grep -q '^[1-9][0-9]* labs: [1-9][0-9]* passed, 0 failed, [0-9]* skipped$' && [ "$(cat $run.status)" = 0 ] ||
            complain "$run: status $(cat $run.status): $(grep -A9 FAILED $run; tail -n 1 $run; cat $run.err)"
    done
done
finish
