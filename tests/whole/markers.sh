#!/bin/sh
# What a guest can say by markers: docs/markers.md. Regions of interest, resets and dumps have statistics that add up.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
build_guest ends

run() {
    "$LK" run -q -s cpu.model="$model" -s machine.ram=64MiB -a "$1" -o "$1.d" ends.elf >out 2>err </dev/null
}

# holds FILE COUNTER LEAST MOST
holds() {
    got=$(count "$1" "$2")
    [ "${got:-0}" -ge "$3" ] && [ "$got" -le "$4" ] || complain "$model, $1: $2 is $got, wanted $3 to $4"
}

for model in functional inorder; do
    run probe
    status=$?
    [ $status = 1 ] || complain "$model: the probe's answer is $status"
    run unknown_markers || complain "$model: unknown markers: status $?: $(cat err)"
    # Three unknown ones and the one that ends the run; what only looks like one is none.
    holds unknown_markers.d/stats.json cpu0.markers 4 4

    run regions || complain "$model: regions: status $?: $(cat err)"
    files=$(cd regions.d && echo *.json)
    [ "$files" = "config.effective.json dump.1.json dump.2.json roi-5.1.json roi-5.2.json roi-6.1.json roi-6.2.json stats.json" ] ||
        complain "$model: files $files"
    stats_add_up regions.d/[drs]*.json
    # Each loop is three instructions; the compiler adds a few around it.
    holds regions.d/roi-5.1.json cpu0.instructions 3300 3340
    holds regions.d/roi-5.2.json cpu0.instructions 6300 6340
    holds regions.d/roi-6.1.json cpu0.instructions 300 320
    holds regions.d/roi-6.2.json cpu0.instructions 300 320
    holds regions.d/roi-6.1.json cpu0.stores 100 102
    holds regions.d/roi-6.1.json cpu0.markers 1 2
    holds regions.d/dump.1.json cpu0.instructions 10000 100000
    holds regions.d/dump.2.json cpu0.instructions 1500 1540
    holds regions.d/stats.json cpu0.instructions 1500 1550
    [ "$(grep -c 'region 7\|region 8' err)" = 2 ] || complain "$model: of regions 7 and 8: $(cat err)"
    [ "$(wc -l <err)" = 2 ] || complain "$model: says more: $(cat err)"
done
finish
