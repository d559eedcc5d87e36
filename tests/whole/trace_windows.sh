#!/bin/sh
# A trace of some cycles (--trace-from, --trace-to) has of these what a trace of the whole run has, the same instructions with
# the same accesses, and nothing that does not touch them. Most windows begin and end in loops, whose instructions the
# core tells of in short.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"

# trace NAME ARGUMENT...: a traced run
trace() {
    name=$1
    shift
    timeout 60 "$LK" run -q "$LK_KERNEL" -o out -a "quiet init=stress" -s machine.ram=64MiB --max-cycles 900k --trace $name.trace "$@" \
        >console 2>err </dev/null
}

trace whole
for window in 1000:1400 100000:100800 500003:504321 650000:700000 700001:700300 890000:3000000; do
    trace part --trace-from ${window%:*} --trace-to ${window#*:}
    "$LK" trace csv part.trace -o part.csv || complain "$window: no table"
    "$LK" trace csv whole.trace -o whole.csv --from ${window%:*} --to ${window#*:} || complain "$window: no table of the whole"
    python3 - ${window%:*} ${window#*:} <<'END' || complain "$window: other rows"
import csv
import sys
first, last = map(int, sys.argv[1:])


def inside(name):
    rows = []
    with open(name, encoding="ascii") as file:
        for row in csv.DictReader(file):
            if row["event"] != "insn":
                continue
            begin, end = int(row["asked"]), max(int(row["done"]), int(row["issued"]))
            assert begin <= last and end >= first, row
            if first <= begin and end <= last:
                rows.append(row)
    return rows


of_whole, of_part = inside("whole.csv"), inside("part.csv")
assert len(of_whole) == len(of_part), (len(of_whole), len(of_part))
for one, other in zip(of_whole, of_part):
    assert one == other, (one, other)
print(f"{len(of_part)} instructions in cycles {first} to {last}")
END
done
finish
