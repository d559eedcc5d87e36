#!/bin/sh
# `trace info` and `trace cycles`: what they print of a real run, and exit status and one line for each mistake, under
# sanitizers too.
set -u
failures=0

fail() {
    echo "$*"
    failures=$((failures + 1))
}

# expect STATUS WORD ARGUMENT...: one line on stderr with WORD
expect() {
    status=$1 word=$2
    shift 2
    for program in "$LK" "${LK_ASAN:-}"; do
        [ -x "$program" ] || continue
        timeout 60 "$program" trace "$@" >out 2>err </dev/null
        got=$?
        if [ "$got" != "$status" ] || [ "$(wc -l <err)" != 1 ] || ! grep -qF -- "$word" err; then
            fail "$program trace $*: status $got, wanted $status and one line with \"$word\": $(cat err)"
        fi
    done
}

"$LK" run "$LK_KERNEL" -c "$LK_SOURCE/configs/tiny.json" -o run.d --trace t --max-cycles 200000 >console 2>err </dev/null
[ $? = 80 ] || fail "run: $(tail -n 1 err)"

# One line a cycle between the heading and the empty line, each at most 110 columns.
"$LK" trace cycles t --from 150000 --to 150999 --stages >cycles || fail "trace cycles: status $?"
[ "$(sed '/^$/,$d' cycles | sed 1d | wc -l)" = 1000 ] || fail "trace cycles: not one line a cycle"
[ "$(sed -n 2p cycles | awk '{ print $1 }')" = 150000 ] || fail "trace cycles: begins elsewhere"
awk 'length > 110 { exit 1 }' cycles || fail "trace cycles: lines of more than 110 columns"
"$LK" trace cycles t --to 5000 --instructions >instructions || fail "trace cycles --instructions: status $?"
grep -q 'cli$' instructions || grep -q ' cli ' instructions || fail "trace cycles: the guest's first instruction is not there"
grep -q 'l1i miss, from dram' instructions || fail "trace cycles: no miss is shown"

# Counts of the trace are those of the run.
instructions=$(sed -n 's/.*"cpu0.instructions": \([0-9]*\).*/\1/p' run.d/stats.json)
"$LK" trace info t >info || fail "trace info: status $?"
grep -q "^instructions  *$instructions\$" info || fail "trace info: not $instructions instructions: $(cat info)"

if command -v python3 >python.path; then
    "$LK" trace cycles t --from 100000 --to 100100 --json | python3 -c '
import json, sys
trace = json.load(sys.stdin)
assert [c["cycle"] for c in trace["cycles"]] == list(range(100000, 100101))
numbers = {i["number"] for i in trace["instructions"] if "number" in i}
assert all(set(c[s]) <= numbers for c in trace["cycles"] for s in ("fetch", "decode", "execute", "memory", "write"))
' || fail "trace cycles --json"
    # Where a cycle is one slot, the listing of the whole run gives the run's counts.
    "$LK" run "$LK_KERNEL" -c "$LK_SOURCE/configs/tiny.json" -s cpu.width=1 -o narrow.d --trace narrow --max-cycles 200000 >console 2>err </dev/null
    "$LK" trace cycles narrow --to 400000 --json >listing || fail "trace cycles --json of a whole run: status $?"
    python3 "$LK_SOURCE/tests/whole/trace_listing.py" listing narrow.d/stats.json || fail "trace cycles --json: other counts than the run's"
    "$LK" trace info t --json | python3 -m json.tool >json || fail "trace info --json"
fi

: >empty
head -c -1000 t >cut # the index is gone, and some of the last chunk
cp t damaged && printf XX | dd of=damaged bs=1 seek=3000 conv=notrunc 2>dd.log
expect 64 "no subcommand"
expect 64 "info, cycles, konata" cycle t
expect 64 "no file named" info
expect 64 "--from" cycles t --form 3
expect 64 "its value is missing" cycles t --from
expect 64 "12x" cycles t --from 12x
expect 64 "lies behind" cycles t --from 9 --to 8
expect 64 "holds the cycles" cycles t --from 99999999999
expect 64 "a word too many" info t t
expect 64 "only for cycles and what converts" info t --to 5
expect 64 "only for what converts" cycles t -o x
expect 64 "no kind of record" csv t --kinds instructions,loads
expect 64 "two addresses, the lower one first" csv t --address 5-4
expect 73 "none/x" vcd t -o none/x
expect 65 "damaged" konata damaged -o x
expect 0 "no index" perfetto cut -o x
expect 66 "No such file" info nothing
expect 66 "not a regular file" cycles .
expect 65 "no trace" info empty
expect 65 "no trace" cycles "$LK_KERNEL"
expect 65 "damaged" cycles damaged --from 0 --to 200000
expect 0 "no index" info cut

[ "$failures" = 0 ]
