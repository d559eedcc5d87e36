#!/bin/sh
# Mistakes in the command line, in configurations, and places that cannot be written: the exit status, one line on stderr
# for each mistake, nothing on stdout, nothing written.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"

# expect STATUS NR-LINES WORD ARGUMENT...
expect() {
    wanted=$1 nr_lines=$2 word=$3
    shift 3
    for program in "$LK" "${LK_ASAN:-}"; do
        [ -x "$program" ] || continue
        timeout 60 "$program" "$@" >out 2>err </dev/null
        status=$?
        [ $status = "$wanted" ] || complain "$*: status $status, wanted $wanted: $(cat err)"
        [ "$(wc -l <err)" = "$nr_lines" ] || complain "$*: $(wc -l <err) lines, wanted $nr_lines: $(cat err)"
        grep -qF -- "$word" err || complain "$*: nothing about '$word': $(cat err)"
        grep -q '^lookaside: ' err || [ $nr_lines -gt 1 ] || complain "$*: not lookaside's line: $(cat err)"
        [ -s out ] && complain "$*: wrote to stdout"
        [ -e lookaside.out ] || [ -e out.d ] && { complain "$*: left output"; rm -rf lookaside.out out.d; }
    done
}

run() {
    status=$1 nr_lines=$2 word=$3
    shift 3
    expect "$status" "$nr_lines" "$word" run "$@" "$LK_KERNEL" -o out.d
}

# Commands and options.
expect 64 1 frobnicate frobnicate
expect 64 1 --frobnicate --frobnicate
expect 64 1 frob trace frob
expect 64 1 "wants an image" run
expect 64 1 "wants an image" run -q
expect 64 1 one run "$LK_KERNEL" two
run 64 1 --frobnicate --frobnicate
run 64 1 -z -z
run 64 1 -z -qz
run 64 1 --quiet=yes --quiet=yes
for option in -c --config -s --set -a --arguments -o --output --initrd --trace --trace-from --max-cycles --screenshot; do
    expect 64 1 "$option: wants a value" run "$LK_KERNEL" $option
done
for option in --max-cycles --max-insns --trace-from --trace-to --trace-limit; do
    for value in "" 0 -1 x 1x 1MM 0x 99999999999999999999 1.5 "1 0"; do
        run 64 1 "$option: " --trace t $option "$value"
    done
done
run 64 1 "--screenshot" --screenshot f.png@x
run 64 1 "--view-size: '1920'; allowed" --screenshot f.png --view-size 1920
run 64 1 "--view-size: '100x100'; allowed" --screenshot f.png --view-size 100x100
run 64 1 "--view-scale: 'nan'; allowed" --screenshot f.png --view-scale nan
run 64 1 "--view-theme: 'pink'; allowed" --screenshot f.png --view-theme pink
run 64 1 "functional" --trace t -s cpu.model=functional

# One key of the configuration.
run 64 1 "a.b" -s a.b=c
run 64 1 "cpu.widht" -s cpu.widht=2
run 64 1 "path=value" -s cpu.width
run 64 1 "cpu.width" -s cpu.width=
run 64 1 "cpu.width" -s cpu.width=3
run 64 1 "cpu.width" -s cpu.width=two
run 64 1 "cpu.model" -s cpu.model=fast
run 64 1 "machine.ram" -s machine.ram=1
run 64 1 "machine.ram" -s machine.ram=4097KiB
run 64 1 "machine.ram" -s machine.ram=64EiB
run 64 1 "cache.l1d" -s cache.l1d.ways=3
run 64 2 "tlb.l1d" -s tlb.l1d.ways=0 -s tlb.l1i.ways=x
run 64 1 "tlb.l1d" -s tlb.l1d.ways=5

# Files of configuration.
bad_config() {
    nr_lines=$1 word=$2
    printf '%s\n' "$3" >bad.json
    run 65 "$nr_lines" "$word" -c bad.json
    grep -q '^lookaside: bad[.]json' err || complain "bad.json is not named: $(cat err)"
}
bad_config 1 "cpu.widht" '{"cpu": {"widht": 2}}'
bad_config 1 "cpu.width" '{"cpu": {"width": "two"}}'
bad_config 1 "cpu.width" '{"cpu": {"width": [2]}}'
bad_config 1 "cpu.width" '{"cpu": {"width": 1.5}}'
bad_config 1 "cpu" '{"cpu": 2}'
bad_config 1 "cpu.width" '{"cpu": {"width": 2, "width": 4}}'
bad_config 1 "cache.l1d" '{"cache": {"l1d": {"size": 1000, "ways": 3}}}'
bad_config 2 "wayz" '{"tlb": {"l1d": {"wayz": 4}}, "cpu": {"width": "two"}}'
bad_config 1 "bad.json" '{"include": "bad.json"}'
bad_config 1 "schema" '{"schema": "other/7"}'
bad_config 1 "bad.json:2" '{"cpu": {"width": 2}'
bad_config 1 "bad.json" '[]'
bad_config 1 "bad.json" ''
bad_config 1 "bad.json" '{} {}'
mkdir folder
run 66 1 "none.json" -c none.json
run 66 1 "folder" -c folder
echo '{"include": "none.json"}' >bad.json
run 66 1 "bad.json:1:13: include" -c bad.json
expect 66 1 "none.elf" run none.elf

# Places that cannot be written. Root may write where nobody else may.
echo file >file
run_to() {
    status=$1 nr_lines=$2 word=$3
    shift 3
    expect "$status" "$nr_lines" "$word" run "$@" "$LK_KERNEL"
}
run_to 73 1 "file" -o file
run_to 73 1 "none/out" -o none/out
run_to 73 1 "file/out" -o file/out
run_to 73 1 "none/t" --trace none/t
run_to 73 1 "folder" --trace folder
run_to 73 1 "none/f.png" --screenshot none/f.png
run_to 73 1 "folder" --screenshot folder
ln -s /dev/null device
run_to 73 1 "device: cannot be written: it is not a regular file" --trace device
[ "$(cat file)" = file ] || complain "the file that lay there is gone"
mkdir -p taken/stats.json
"$LK" run -q -o taken --max-cycles 1000 "$LK_KERNEL" >out 2>err </dev/null
status=$?
[ $status = 73 ] && [ "$(grep -c taken/stats.json err)" = 1 ] || complain "stats.json is a folder: status $status: $(cat err)"
ls taken | grep -F tmp && complain "the temporary files above were left"
ls | grep -vxE 'out|err|bad.json|folder|file|taken|device' && complain "the files above were left"
finish
