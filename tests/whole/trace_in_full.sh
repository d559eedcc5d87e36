#!/bin/sh
# Traces, which have most of what a core does in short, against an observer that is told of all in full and takes no short
# ways (tests/oracle/trace_in_full.c): the bundled guest, and small ones that change their own code and remap its pages.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"

# in_full NAME IMAGE CONFIG [PATH=VALUE ...]: its first cycles
in_full() {
    name=$1 image=$2 config=$LK_SOURCE/configs/$3
    shift 3
    settings=
    for setting in "$@"; do
        settings="$settings -s $setting"
    done
    # shellcheck disable=SC2086 # words
    timeout 60 "$LK" run -q "$image" -o "$name" --trace "$name.trace" --max-cycles 3M -c "$config" $settings \
        >console 2>err </dev/null
    "$LK_BUILD/tests/trace_in_full" "$name.trace" "$image" "$config" "$@" >counts 2>&1 || complain "$name: $(cat counts)"
    echo "$name: $(tail -n 1 counts)"
}

in_full default "$LK_KERNEL" default.json
in_full tiny "$LK_KERNEL" tiny.json cache.unified_l1=true mmu.hit_under_walk=true
for guest in code paging shadow; do
    build_guest $guest
    in_full $guest $guest.elf default.json
    in_full "$guest in a small machine" $guest.elf tiny.json
done
finish
