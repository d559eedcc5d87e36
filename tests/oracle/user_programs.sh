#!/usr/bin/env bash
# Statically linked programs of both sizes (tests/oracle/programs) on a bare core in all models, against the same files
# on the CPU this runs on:  user_programs.sh [BUILD_FOLDER ...]
# A host that runs no i386 programs leaves these to QEMU's user mode.
# The first build runs all in all models; others, which are slow, all in the functional one and one in all.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
: "${LK_BUILD:=$root/build}"
[ $# -gt 0 ] || set -- "$LK_BUILD"
: "${LK_SOURCE:=$root}"
. "$root/tests/whole/lib.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nr_runs=0 failures=0 skipped= why=

# compile SIZE NAME OPTION...
compile() {
    size=$1 name=$2
    shift 2
    gcc "-m$size" -static -O2 -w -D_GNU_SOURCE "$@" "$root/tests/oracle/programs/$name.c" -o "$work/$name$size" -lm 2>"$work/log"
}

# check BUILD NAME MODEL...
check() {
    build=$1 program=$2
    shift 2
    for model in "$@"; do
        timeout 500 "$build/tests/user_programs" "$model" "$work/$program" >"$work/out" 2>"$work/err" </dev/null
        status=$?
        nr_runs=$((nr_runs + 1))
        if [ $status != "$expected" ] || ! cmp -s "$work/native.out" "$work/out" || ! cmp -s "$work/native.err" "$work/err"; then
            echo "$program, $model, $build: status $status, not $expected"
            diff "$work/native.out" "$work/out" | head -n 10
            diff "$work/native.err" "$work/err" | head -n 5
            failures=$((failures + 1))
        fi
    done
}

for size in 32 64; do
    # The programs tell their name.
    runner=(bash -c 'exec -a program "$0"')
    if [ $size = 32 ] && compile $size hello && ! runs_here "$work/hello32"; then
        runner=()
        ! command -v qemu-i386 >/dev/null || runner=(qemu-i386 -0 program)
    fi
    for name in hello numbers strings vectors; do
        options=
        [ $name = vectors ] && options="-O3"
        [ $name$size = vectors32 ] && options="-O3 -msse2 -mfpmath=sse"
        # shellcheck disable=SC2086 # a list of words
        if ! compile $size $name $options; then
            skipped="$skipped $name$size"
            why=$(head -n 1 "$work/log")
            continue
        fi
        if [ ${#runner[@]} = 0 ]; then
            skipped="$skipped $name$size"
            why="no i386 programs on this host, and no qemu-i386"
            continue
        fi
        (cd "$work" && "${runner[@]}" "./$name$size") >"$work/native.out" 2>"$work/native.err" </dev/null
        expected=$?
        for folder in "$@"; do
            if [ "$folder" = "$1" ] || [ $name = hello ]; then
                check "$folder" "$name$size" functional inorder watched
            else
                check "$folder" "$name$size" functional
            fi
        done
    done
done
[ -z "$skipped" ] || echo "left out:$skipped ($why)"
echo "$nr_runs runs of programs, $failures differ from the host"
[ $nr_runs != 0 ] || exit 77
[ $failures = 0 ]
