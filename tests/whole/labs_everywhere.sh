#!/bin/sh
# All labs (`lookaside lab all`) hold on a machine whose caches and TLBs are tiny, and on one whose devices do not snoop;
# tests/whole/guest_labs.sh has them on the default machine. Each machine has one of the guest's two kernels here, with --all
# both (./dev oracle labs).
set -u
. "$LK_SOURCE/tests/whole/lib.sh"

try() {
    "$LK" lab all -k "$1" -c "$LK_SOURCE/configs/$2.json" >"$1.$2" 2>"$1.$2.err" </dev/null
    echo $? >"$1.$2.status"
}

check() {
    run=$1.$2
    tail -n 1 $run | grep -q '^[1-9][0-9]* labs: [1-9][0-9]* passed, 0 failed, [0-9]* skipped$' && [ "$(cat $run.status)" = 0 ] ||
        complain "$run: status $(cat $run.status): $(grep -A9 FAILED $run; tail -n 1 $run; cat $run.err)"
}

both() {
    try i386 "$1" &
    try i386-pae "$2"
    wait
    check i386 "$1"
    check i386-pae "$2"
}

both noncoherent tiny
[ "${1:-}" != --all ] || both tiny noncoherent
finish
