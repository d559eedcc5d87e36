#!/bin/sh
# Traces in the formats of other programs, against the formats' rules and the counts of the run (trace_formats.py); GTKWave's own
# reader where there is one; and traces of which only a part was wanted.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
build_guest paging
build_guest isa_dma

# converted NAME FORMATS ARGUMENT...: a run of that guest, traced, in each of these formats
converted() {
    guest=$1
    formats=$2
    shift 2
    timeout 60 "$LK" run -q -c "$LK_SOURCE/configs/tiny.json" -s machine.ram=64MiB --max-cycles 1G --trace t -o "$guest.d" "$@" \
        "$guest.elf" >out 2>said </dev/null
    rm -f t.konata t.json t.vcd t.csv
    for format in $formats; do
        "$LK" trace "${format%:*}" t -o "t.${format#*:}" 2>said || complain "$guest: ${format%:*}: $(cat said)"
    done
    python3 "$LK_SOURCE/tests/whole/trace_formats.py" "$guest.d/stats.json" t.* || complain "$guest: see above"
}

converted paging "konata:konata perfetto:json vcd:vcd csv:csv" -a inorder
"$LK" trace csv t | cmp - t.csv || complain "csv: other text on standard output"
if command -v vcd2fst >/dev/null; then
    vcd2fst t.vcd waves.fst >out 2>&1 && [ -s waves.fst ] || complain "vcd2fst: $(cat out)"
fi
"$LK" trace csv t --from 100000 --to 100100 >window || complain "csv --from: status $?"
[ "$(wc -l <window)" -lt 120 ] && [ "$(wc -l <window)" -gt 20 ] || complain "a window of 101 cycles has $(wc -l <window) lines"

# Only kinds, only addresses: exactly the lines of the whole that are meant.
"$LK" trace csv t --kinds exceptions | cut -d, -f 1-4 >exceptions
cut -d, -f 1-4 t.csv | grep -v '^insn' | diff - exceptions || complain "--kinds exceptions: not those of the whole trace"
"$LK" trace csv t --kinds instructions --address 0x100000-0x1000ff | cut -d, -f 1-10 >low
cut -d, -f 1-10 t.csv | grep -E '^(event|insn,[0-9]*,[0-9],0x1000[0-9a-f]{2},)' | cut -d, -f 2-5 >wanted
cut -d, -f 2-5 low | cmp - wanted || complain "--address: not the instructions there"

# The same chosen when it is recorded; the directory of the first process that the guest makes; and no region.
traced() {
    name=$1
    shift
    timeout 60 "$LK" run -q -c "$LK_SOURCE/configs/tiny.json" -s machine.ram=64MiB --max-cycles 1G --trace "$name" -o part.d \
        -a inorder "$@" paging.elf >out 2>said </dev/null
    cmp part.d/stats.json paging.d/stats.json || complain "$name: other statistics"
}
traced part --trace-kinds exceptions,controls
"$LK" trace csv part | cut -d, -f 1-4 | diff - exceptions || complain "--trace-kinds: not the exceptions of the whole trace"
"$LK" trace info part --json | grep -q '"instructions": 0,' || complain "--trace-kinds records instructions"
traced part --trace-region 7
"$LK" trace info part --json | grep -q '"instructions": 0,' || complain "--trace-region records what is in no region"
traced part --trace-process 0
insns=$("$LK" trace info part --json | sed -n 's/.*"instructions": \([0-9]*\),/\1/p')
[ "$insns" -gt 0 ] && [ "$insns" -lt "$(count paging.d/stats.json cpu0.instructions)" ] ||
    complain "--trace-process 0: $insns instructions before the first MOV to CR3"

# What the guest's memory management is at, from begin to end; how much is free; what has neither is an instant.
build_guest mm_events
converted mm_events "perfetto:json"
python3 - t.json <<'END' || complain "perfetto: the guest's memory management"
import json
import sys
events = json.load(open(sys.argv[1], encoding="utf-8"))["traceEvents"]
ends = {event["id"]: event["ts"] for event in events if event["ph"] == "e" and event["cat"] == "guest"}
works = sorted((event["ts"], event["name"], event["args"], ends[event["id"]]) for event in events if event["ph"] == "b" and event["cat"] == "guest")
names = [name for _, name, _, _ in works]
assert names == ["kswapd", "direct reclaim", "direct reclaim", "wait for a disk"], names
(swapd, _, words, swapd_end), (seven, _, _, seven_end), (eight, _, last, eight_end), (disk, _, cut, disk_end) = works
assert swapd < seven < eight < seven_end < swapd_end < eight_end < disk <= disk_end, works
assert words == {"begin": "kswapd wakes: zone 1, order 2", "end": "kswapd sleeps: 40 pages reclaimed"}, words
assert last["end"] == "direct reclaim ends: pid 8, 33 pages" and cut["end"] == "not within this trace", works
counts = [(event["name"], event["args"]["n"]) for event in events if event["ph"] == "C" and "free" in event["name"]]
assert counts == [("free pages of zone 1", 500), ("free pages of zone 1", 90)], counts
instants = [event["name"] for event in events if event["ph"] == "i" and event["s"] == "g"]
assert [any(text in name for name in instants) for text in ("not above low", "pid 9", "pid 7", "kswapd")] == [True, True, False, False], instants
END

converted isa_dma "perfetto:json" -a copy
[ "$(count isa_dma.d/stats.json dma.lines_written)" -gt 0 ] || complain "isa_dma: no line of a device"
finish
