#!/bin/sh
# `lookaside lab`: the plateaus of a machine are what its configuration says, to the cycle where nothing but the cache
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

# Labs that check themselves: all pass on the default machine; they say so as JSON too; on QEMU, where nothing counts
# cycles, each passes (status 1 of its debug port) or skips (5).
"$LK" lab all --json >all.json 2>json.err </dev/null &
as_json=$!
"$LK" lab all >all 2>err </dev/null || complain "lab all: status $?: $(cat all err)"
nr_labs=$("$LK" lab list | grep -vc '^latency ')
[ "$(tail -n 1 all)" = "$nr_labs labs: $nr_labs passed, 0 failed, 0 skipped" ] || complain "lab all: $(tail -n 1 all)"
wait $as_json || complain "lab all --json: status $?: $(cat json.err)"
"$LK" lab list --json >list.json
python3 - "$nr_labs" <<'END' || complain "JSON of lab all or lab list"
import json, sys
labs, rows = json.load(open("all.json")), json.load(open("list.json"))
assert labs["passed"] == len(labs["labs"]) == int(sys.argv[1]) and labs["failed"] == labs["skipped"] == 0
assert [lab["lab"] for lab in labs["labs"]] == [row["lab"] for row in rows if row["lab"] != "latency"]
for lab in labs["labs"]:
    said = [list(line)[0] for machine in lab["machines"] for line in machine["lines"]] + \
           [list(claim)[0] for claim in lab["claims"]]
    assert "holds" in said and "failed" not in said, lab["lab"]
END
python3 - <<'END'
import array
array.array("I", [(i * 0x9E3779B1 & 0xFFFFFFFF) ^ 0xD15C for i in range(1 << 20)]).tofile(open("disk.img", "wb"))
END
python3 -c 'import json
for row in json.load(open("list.json")):
    if row["lab"] != "latency": print(row["lab"], row["options"])' >names
while read -r name options; do
    command -v qemu-system-i386 >/dev/null || { echo "no qemu-system-i386: labs not run there"; break; }
    timeout 60 qemu-system-i386 -m 64M -display none -monitor none -no-reboot -serial "file:$name.qemu" -kernel "$LK_KERNEL" \
        -device isa-debug-exit,iobase=0xf4,iosize=4 -append "quiet lab=$name $options" \
        -drive if=ide,format=raw,file=disk.img 2>qemu.err </dev/null
    status=$?
    [ $status = 1 ] || { [ $status = 5 ] && [ "$name" != disk ]; } || complain "lab $name on QEMU: status $status: $(cat "$name.qemu" qemu.err)"
done <names
# The driver of the IOMMU on another one: that of QEMU's q35, with tables of three and of four levels.
for bits in 39 48; do
    command -v qemu-system-i386 >/dev/null || break
    timeout 60 qemu-system-i386 -M q35 -m 64M -display none -monitor none -no-reboot -serial file:q35 -kernel "$LK_KERNEL" \
        -device isa-debug-exit,iobase=0xf4,iosize=4 -device intel-iommu,aw-bits=$bits -device piix3-ide,id=piix \
        -drive if=none,id=d,format=raw,file=disk.img -device ide-hd,bus=piix.0,drive=d -append "lab=disk intel_iommu=on" \
        2>qemu.err </dev/null
    status=$?
    [ $status = 1 ] && grep -q "^DMAR: translation enabled, $((bits / 9 - 1)) levels" q35 ||
        complain "lab disk behind QEMU's IOMMU, $bits bits: status $status: $(cat q35 qemu.err)"
done
# A disk that refuses writes: the driver says so, and goes on reading.
"$LK" run -q -a 'quiet lab=disk' --disk disk.img,ro -o refused demo >text 2>err </dev/null
status=$?
[ $status = 1 ] && grep -q '^ok: read by DMA' text && grep -q '^FAILED: write by DMA' text &&
    grep -q '^FAILED: write by PIO' text || complain "a disk that cannot be written: status $status: $(cat text)"
# With an L1D of one line, and nothing below it, cached loads are as slow as others; a guest that lacks the lab panics.
"$LK" lab uncached -s cache.levels=1 -s cache.l1d.size=16 -s cache.l1d.ways=1 -s cache.l1d.line=16 -s cache.l1i.line=16 \
    -s cpu.fetch_bytes=16 >text 2>err </dev/null
status=$?
[ $status = 1 ] && grep -q '^  FAILED ' text && grep -q '^FAILED: ' text || complain "a lab that fails: status $status"
# What a driver forgot is told at the end of any run, with the function's name; of a machine that snoops, nothing.
"$LK" run -c "$LK_SOURCE/configs/noncoherent.json" -a 'quiet lab=dma-stale' -o stale demo >text 2>err </dev/null ||
    complain "dma-stale on configs/noncoherent.json: status $?"
for function in forgetful_send forgetful_receive forgetful_reuse; do
    grep -q "cycle [0-9]*: .*$function+0x" err || complain "no word of $function: $(grep -A9 differed err)"
done
"$LK" run -a 'quiet lab=dma-stale' -o stale demo >text 2>err </dev/null || complain "dma-stale on default.json: status $?"
grep -q 'differed' err && complain "a machine that snoops tells of stale data: $(cat err)"
"$LK" run -q -a 'quiet lab=nothing' -o nothing demo >text 2>err </dev/null
status=$?
[ $status = 82 ] || complain "a lab that is not there: status $status"
grep -q 'no lab nothing' text || complain "a lab that is not there: $(cat text)"

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
"$LK" lab >out 2>err && complain "lab without a word: status 0"
[ -s out ] && complain "lab without a word: wrote to stdout"
"$LK" lab latency --help | grep -q -- --json || complain "lab latency --help says nothing of --json"
finish
