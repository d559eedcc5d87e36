#!/bin/sh
# The `config` subcommand: exit statuses, one line a mistake, nothing on stdout where there is a mistake.
set -u
failures=0

# expect STATUS NR_LINES_ON_STDERR ARGUMENT...
expect() {
    status=$1 lines=$2
    shift 2
    for program in "$LK" "$LK_ASAN"; do
        [ -x "$program" ] || continue
        "$program" "$@" >out 2>err </dev/null
        got=$?
        if [ "$got" != "$status" ] || [ "$(wc -l <err)" != "$lines" ]; then
            echo "$program $*: status $got, wanted $status; $(wc -l <err) lines, wanted $lines:"
            cat err
            failures=$((failures + 1))
        fi
        if [ "$status" != 0 ] && [ -s out ]; then
            echo "$program $*: wrote to stdout"
            failures=$((failures + 1))
        fi
    done
}

echo '{"tlb": {"l1d": {"wayz": 4}}, "cpu": {"width": "two"}}' >two.json
echo '{"cache": {"l1d": {"size": 3000, "ways": 3}}}' >geometry.json
: >empty.json
head -c 3000000 /dev/zero | tr '\0' '[' >huge.json
head -c 500 "$LK" >binary.json
mkdir folder

expect 0 2 config check "$LK_SOURCE/configs/default.json" "$LK_SOURCE/configs/tiny.json"
expect 0 0 config show
expect 0 0 config show -c "$LK_SOURCE/configs/tiny.json" -s tlb.l1d.ways=4 --set=cpu.width=1
expect 0 0 config schema
expect 0 0 config --help
expect 64 1 config
expect 64 1 config frobnicate
expect 64 1 config check
expect 64 1 config show --frobnicate
expect 64 1 config show -s
expect 64 2 config show -s a=b -s c=d
expect 64 1 config show -s cache.l1d.ways=3
expect 65 2 config check two.json
expect 65 1 config check geometry.json
expect 65 1 config check empty.json
expect 65 1 config check huge.json
expect 65 1 config check binary.json
expect 66 1 config check none.json
expect 66 1 config check folder
"$LK" config schema | python3 -m json.tool >/dev/null || failures=$((failures + 1))
"$LK" config show --json | python3 -m json.tool >/dev/null || failures=$((failures + 1))
"$LK" config show >/dev/full 2>err
[ $? = 73 ] || { echo "a full disk is not told"; failures=$((failures + 1)); }
exit $((failures > 0))
