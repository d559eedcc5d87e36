#!/bin/sh
# Labs that check themselves (`lookaside lab all`): all pass on the default machine, and with the guest's PAE kernel, as JSON; what a
# driver forgot is told at the end of a run; a lab that cannot hold fails. tests/guest/labs_on_qemu.sh has them on QEMU.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"

"$LK" lab all --json --kernel i386-pae >all.json 2>json.err </dev/null &
as_json=$!
"$LK" lab all >all 2>err </dev/null || complain "lab all: status $?: $(cat all err)"
nr_labs=$("$LK" lab list | grep -vc '^latency ')
# Some want the root file system, which cannot be made everywhere.
nr_skipped=0
[ -r "$LK_BUILD/guest/root-i386.ext2" ] || nr_skipped=$("$LK" lab list --json | grep -o "root=/dev/hda" | wc -l)
[ "$(tail -n 1 all)" = "$nr_labs labs: $((nr_labs - nr_skipped)) passed, 0 failed, $nr_skipped skipped" ] || complain "lab all: $(tail -n 1 all)"
"$LK" lab flat --kernel i386-pae | grep -q ', kernel-i386-pae, ' || complain "the report does not say which kernel ran"
for options in "flat --kernel i486" "latency --kernel i386-pae"; do
    # shellcheck disable=SC2086
    "$LK" lab $options >text 2>err </dev/null
    status=$?
    [ $status = 64 ] && grep -q -- '--kernel: ' err || complain "lab $options: status $status: $(cat err)"
done
wait $as_json || complain "lab all --json --kernel i386-pae: status $?: $(cat json.err)"
"$LK" lab list --json >list.json
python3 - "$nr_labs" "$nr_skipped" <<'END' || complain "JSON of lab all or lab list"
import json, sys
labs, rows = json.load(open("all.json")), json.load(open("list.json"))
nr_labs, nr_skipped = map(int, sys.argv[1:])
assert labs["passed"] == nr_labs - nr_skipped and labs["skipped"] == nr_skipped and labs["failed"] == 0 and len(labs["labs"]) == nr_labs
assert all(lab["kernel"] == "i386-pae" for lab in labs["labs"])
assert [lab["lab"] for lab in labs["labs"]] == [row["lab"] for row in rows if row["lab"] != "latency"]
for lab in labs["labs"]:
    said = [list(line)[0] for machine in lab["machines"] for line in machine["lines"]] + \
           [list(claim)[0] for claim in lab["claims"]]
    assert ("holds" in said or lab["outcome"] == "skipped") and "failed" not in said, lab["lab"]
END
python3 - <<'END'
import array
array.array("I", [(i * 0x9E3779B1 & 0xFFFFFFFF) ^ 0xD15C for i in range(1 << 20)]).tofile(open("disk.img", "wb"))
END
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
# An oops ends the run with a status of its own, in either model.
for lab in oops bug; do
    for model in functional inorder; do
        "$LK" run -q -s cpu.model=$model -s machine.ram=64MiB -a "quiet lab=$lab" -o oops demo >text 2>err </dev/null
        status=$?
        [ $status = 82 ] || complain "lab $lab, $model: status $status"
        grep -q '^lookaside: the guest panicked in cycle [0-9]*: Fatal exception' err || complain "lab $lab, $model: $(cat err)"
    done
done
"$LK" run -q -a 'quiet lab=nothing' -o nothing demo >text 2>err </dev/null
status=$?
[ $status = 82 ] || complain "a lab that is not there: status $status"
grep -q 'no lab nothing' text || complain "a lab that is not there: $(cat text)"
finish
