#!/bin/sh
# `--profile`: a profile changes nothing, has the sums of stats.json, and the counts by instruction and stack of a traced run
# (profile_counts.py); what `lookaside profile` makes of it; and what it says to files that are none.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
build_guest paging

# run DIRECTORY ARGUMENT...: the guest that faults, goes to ring 3 and comes back
run() {
    directory=$1
    shift
    timeout 60 "$LK" run -q -c "$LK_SOURCE/configs/tiny.json" -s machine.ram=64MiB -a inorder -o "$directory" "$@" paging.elf \
        >out 2>said </dev/null
}
run plain
run traced --trace t
run profiled --profile p
run again --profile p2
cmp plain/stats.json profiled/stats.json || complain "a profile changes the statistics"
cmp p p2 || complain "two profiles of one run differ"
"$LK" trace csv t -o t.csv
python3 "$LK_SOURCE/tests/whole/profile_counts.py" t.csv p profiled/stats.json || complain "see above"

# The bundled guest: processes with names, threads of a kernel that switches stacks; only the sums have another source.
timeout 60 "$LK" run -q -o demo --profile d "$LK_KERNEL" >out 2>said </dev/null || complain "demo: status $?"
timeout 60 "$LK" run -q -o demo0 "$LK_KERNEL" >out 2>said </dev/null
cmp demo/stats.json demo0/stats.json || complain "demo: a profile changes the statistics"
cycles=$(count demo/stats.json cpu0.cycles)
"$LK" profile flame d -o folded || complain "flame: status $?"
[ "$(awk '{ sum += $NF } END { print sum }' folded)" = "$cycles" ] || complain "flame: not the cycles of the run"
[ "$(awk '{ $NF = ""; print }' folded | sort | uniq -d | wc -l)" = 0 ] || complain "flame: a stack has two lines"
grep -q '^init (1);.*;\[int 80h\];entry_INT80_32;do_int80_syscall_32;sys_write;' folded || complain "flame: no write from init"
grep -q '^init (1);.*\[#PF\];.*;handle_mm_fault' folded || complain "flame: no page fault of init"
grep -q ';start_kernel;.*;init_page ' folded || complain "flame: no start_kernel"
grep -q '^init (1);.*;\[irq' folded || grep -q ';\[irq 20h\];' folded || complain "flame: no interrupt"
"$LK" profile top d --json --limit 0 >top.json || complain "top: status $?"
"$LK" profile diff d d --json >same.json || complain "diff: status $?"
"$LK" profile diff p d --json --limit 0 >diff.json || complain "diff: status $?"
python3 - "$LK_KERNEL" demo/stats.json <<'EOF' || complain "top or diff: see above"
import json, subprocess, sys
top, same, diff = (json.load(open(f)) for f in ("top.json", "same.json", "diff.json"))
stats = json.load(open(sys.argv[2]))
assert top["total"]["cycles"] == stats["cpu0.cycles"] and not top["is_cut"]
assert sum(r["instructions"] for r in top["rows"]) == stats["cpu0.instructions"]
assert [r["cycles"] for r in top["rows"]] == sorted((r["cycles"] for r in top["rows"]), reverse=True)
assert all(r["change"] == 0 for r in same["rows"])
assert abs(sum(r["change"] for r in diff["rows"]) - (diff["after"] - diff["before"])) <= len(diff["rows"])
# The names are nm's.
names = {line.split()[-1] for line in subprocess.run(["nm", sys.argv[1]], capture_output=True, text=True).stdout.splitlines()}
unknown = [r["name"] for r in top["rows"] if r["where"] == "kernel" and r["name"] not in names | {"[unknown]"}]
assert not unknown, unknown
EOF
"$LK" profile top d --lines --limit 5 | grep -q '\.c:[0-9]' || complain "top --lines: no line of C"
"$LK" profile top d --processes | grep -q 'user - init (1)' || complain "top --processes: no init"
"$LK" profile annotate d init_page >text || complain "annotate: status $?"
wanted=$("$LK" profile top d --limit 0 | awk '$NF == "kernel" && $(NF - 2) == "init_page" { print $3 }')
[ "$(awk 'length($4) == 8 && $4 ~ /^c[0-9a-f]+$/ { sum += $2 } END { print sum }' text)" = "$wanted" ] ||
    complain "annotate: not the $wanted instructions that top says"
objdump -d --no-show-raw-insn "$LK_KERNEL" --disassemble=init_page | sed -n 's/^ *\([0-9a-f]*\):\t.*/\1/p' >wanted
awk '{ for (i = 1; i < NF; i++) if (length($i) == 8 && $i ~ /^[0-9a-f]+$/ && $i ~ /^c/) { print $i; break } }' text | cmp - wanted ||
    complain "annotate: not the instructions that objdump sees"
"$LK" profile callgrind d -o callgrind.out || complain "callgrind: status $?"
if command -v callgrind_annotate >/dev/null; then
    callgrind_annotate callgrind.out >annotated 2>said || complain "callgrind_annotate: $(head -n 2 said)"
    sed -n 's/^ *\([0-9,]*\) (100\.0%).*/\1/p' annotated | tr -d , | grep -qx "$cycles" ||
        complain "callgrind_annotate: not $cycles cycles: $(grep 100.0 annotated)"
    [ -s said ] && complain "callgrind_annotate: $(head -n 2 said)"
fi

# expect STATUS WORD ARGUMENT...: one line on stderr with WORD
expect() {
    status=$1 word=$2
    shift 2
    for program in "$LK" "${LK_ASAN:-}"; do
        [ -x "$program" ] || continue
        timeout 60 "$program" profile "$@" >out 2>err </dev/null
        got=$?
        [ "$got" = "$status" ] && [ "$(wc -l <err)" = 1 ] && grep -qF -- "$word" err ||
            complain "$program profile $*: status $got, wanted $status and one line with \"$word\": $(cat err)"
    done
}
# A file of half a million lines: what an address is called is not looked for once a line, which would take a minute.
awk -v copies=20 '/^(total|end|stack)/ { next } !/^code/ { print; next } { code[nr++] = $0 }
    END { for (; copies--;) for (i = 0; i < nr; i++) print code[i] }' d >many
[ "$(wc -l <many)" -gt 400000 ] || complain "many: $(wc -l <many) lines"
timeout 15 "$LK" profile top many --json --limit 0 >many.json 2>said || complain "many lines: status $?: $(cat said)"
python3 - <<'EOF' || complain "many lines: not 20 times what the file has once"
import json
once, many = ({(r["where"], r["name"]): r["instructions"] for r in json.load(open(f))["rows"]} for f in ("top.json", "many.json"))
assert many == {row: 20 * count for row, count in once.items()}
EOF
head -c 100000 d >cut
sed 's/^code 0 0 \([0-9a-f]*\) \([0-9]\)/code 0 0 \1 x\2/' d >damaged
sed 's/^\(code 0 0 [0-9a-f]*\) [0-9]*/\1 7/' d >forged
expect 0 "its end is missing" top cut
expect 0 "its end is missing" flame cut
expect 65 "damaged:" top damaged
expect 65 "this line is damaged" top forged
expect 65 "no profile" top "$LK_KERNEL"
expect 66 "No such file" top nothing
expect 64 "top, flame, annotate, diff, callgrind" pot d
expect 64 "--event: 'cycle'" top d --event cycle
expect 64 "wants two files" diff d
expect 64 "no function of this name" annotate d no_such_function
expect 64 "only for top and diff" flame d --lines
expect 66 "No such file" top d --symbols nothing
expect 65 "no ELF file" top d --symbols "$LK_SOURCE/README.md"
expect 73 "none/x" flame d -o none/x
"$LK" run -q -s cpu.model=functional --profile f "$LK_KERNEL" -o f.d >out 2>err </dev/null
[ $? = 64 ] && grep -q functional err || complain "--profile in functional mode: $(cat err)"
[ ! -e f ] || complain "a refused profile left a file"
finish
