#!/usr/bin/env bash
# The short form of ./dev fuzz: each target on a number of inputs that are the same each time, with both sanitizers.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
folder=$(dirname "$LK_ASAN")/tests/fuzz
nr=0
for program in "$folder"/short_*; do
    [ -x "$program" ] || continue
    seeds=()
    case $program in
    *_config) seeds=("$LK_SOURCE/configs") ;;
    esac
    "$program" 0 1000 "${seeds[@]}"
    # What ./dev fuzz once found.
    found=$LK_SOURCE/tests/fuzz/fuzz_${program##*/short_}.seeds
    [ ! -d "$found" ] || "$program" 0 0 "$found"
    nr=$((nr + 1))
done
[ "$nr" -gt 1 ] || { echo "no fuzz targets in $folder"; exit 1; }
