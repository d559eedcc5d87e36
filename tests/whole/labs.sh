#!/bin/sh
# `lookaside lab latency`: the plateaus of a machine are what its configuration says, to the cycle where nothing but the cache
# takes part; machines in configs/ that bear a name have the latencies that were published about them
# (labs_published.py); the picture is drawn where there is a gnuplot, and missed by one line where there is none.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"

# lab NAME ARGUMENT...: its JSON
lab() {
    name=$1
    shift
    "$LK" lab latency --json -o "$name" "$@" >"$name.json" 2>"$name.err" </dev/null ||
        complain "lab $*: status $?: $(cat "$name.err")"
}

"$LK" lab list | grep -q '^latency ' || complain "lab list has no latency"

lab default
lab tiny -c "$LK_SOURCE/configs/tiny.json"
lab ddr4 -s dram.preset=ddr4-2400 -s dram.banks=16 -s cpu.frequency=3GHz
lab slow -s cache.l1d.latency_cycles=5 -s cache.l2.latency_cycles=20 -s cpu.isa=i486 -s dram.policy=closed
python3 "$LK_SOURCE/tests/whole/labs_published.py" default.json tiny.json ddr4.json slow.json ||
    failures=$((failures + 1))

# Machines at the edges of what a configuration allows: no level but one, levels that cannot be seen, hardly any RAM.
"$LK" lab latency -o edge -s machine.ram=4MiB -s cache.levels=1 -s cache.l1d.size=16 -s cache.l1d.ways=1 \
    -s cache.l1d.line=16 -s cache.l1i.line=16 -s cpu.fetch_bytes=16 >text 2>err </dev/null || complain "edge: status $?: $(cat err)"
grep -q '^L1D .*not reached' text || complain "a cache of one line shows a plateau: $(head -n 5 text)"
"$LK" lab latency -o edge -s machine.ram=16MiB -s cache.l2.size=64MiB >text 2>err </dev/null || complain "edge: status $?: $(cat err)"
grep -q '^DRAM .*not reached' text || complain "a DRAM behind an L2 larger than the RAM shows a plateau: $(head -n 5 text)"

for machine in "$LK_SOURCE"/configs/*.json; do
    name=$(basename "$machine" .json)
    grep -q '// published:' "$machine" || continue
    lab "$name" -c "$machine"
    python3 "$LK_SOURCE/tests/whole/labs_published.py" --of "$machine" "$name.json" || failures=$((failures + 1))
done

if command -v gnuplot >/dev/null; then
    grep -q '</svg>' default/latency.svg || complain "no picture, or half of one"
    grep -q 'L1D: 3 cycles' default/latency.svg || complain "the picture's plateaus have no names"
    [ -s default.err ] && complain "it says something: $(cat default.err)"
fi
mkdir bin
PATH=$PWD/bin "$LK" lab latency -c "$LK_SOURCE/configs/tiny.json" -o none >text 2>err </dev/null || complain "without gnuplot: status $?"
[ "$(wc -l <err)" = 1 ] && grep -q gnuplot err || complain "without gnuplot: $(cat err)"
[ -e none ] && complain "without gnuplot a folder is left"
grep -q '^L1D ' text || complain "the table has no L1D"

# refused STATUS WORD ARGUMENT...: one line, nothing on stdout, nothing written
refused() {
    wanted=$1 word=$2
    shift 2
    "$LK" lab "$@" >out 2>err </dev/null
    status=$?
    [ $status = "$wanted" ] || complain "lab $*: status $status, wanted $wanted"
    [ "$(wc -l <err)" = 1 ] && grep -qF -- "$word" err || complain "lab $*: $(cat err)"
    [ -s out ] && complain "lab $*: wrote to stdout"
    [ -e lookaside.out ] && complain "lab $*: left output"
}
echo '{"dram": {"tCL": "x"}}' >bad.json
refused 64 'no such lab' nosuch
refused 64 'too many' list latency
refused 64 'too many' latency latency
refused 64 'no such option' latency --fast
refused 64 'wants an argument' latency -c
refused 64 'no such key' latency -s dram.tcl=1
refused 64 'functional' latency -s cpu.model=functional
refused 65 'dram.tCL' latency -c bad.json
refused 66 'nowhere.json' latency -c nowhere.json
if command -v gnuplot >/dev/null; then
    refused 73 '/dev/null' latency -o /dev/null
    refused 73 'nowhere/out' latency -o nowhere/out
fi
# The time line of memory management: well-formed, with a panel for each zone, its marks, and who was stopped.
refused 73 '/dev/null' watermarks -o /dev/null
"$LK" lab watermarks -o drawn >text 2>err </dev/null || complain "lab watermarks: status $?: $(cat text err)"
grep -qx 'picture: drawn/watermarks.svg' text && python3 - <<'END' || complain "watermarks.svg: $(head -c 300 drawn/watermarks.svg)"
import re
import xml.etree.ElementTree as tree
name = "{http://www.w3.org/2000/svg}"
root = tree.parse("drawn/watermarks.svg").getroot()
texts = ["".join(text.itertext()) for text in root.iter(name + "text")]
said = open("text").read()
for zone, low in re.findall(r"zone (\w+): \d+ pages; min \d+, low (\d+),", said):
    assert f"zone {zone}: free pages" in texts and f"low {low}" in texts, (zone, low)
times = int(re.search(r"direct reclaim +(\d+) times", said)[1])
assert any(text.startswith(f"{times} times, ") for text in texts), times
assert "kswapd awake" in texts and len(list(root.iter(name + "rect"))) > 20
END
"$LK" lab >out 2>err && complain "lab without a word: status 0"
[ -s out ] && complain "lab without a word: wrote to stdout"
"$LK" lab latency --help | grep -q -- --json || complain "lab latency --help says nothing of --json"
finish
