#!/bin/sh
# No source file has more than 800 lines (it would hold more than one thing), no line of C more than 110 columns.
cd "$LK_SOURCE" || exit 70
bad=0
files=$(git -c safe.directory='*' ls-files -- '*.c' '*.h' '*.def' '*.S' '*.inc' '*.sh' '*.py' dev)
# shellcheck disable=SC2086 # the names have no blanks
set -- $files
awk 'FNR == 801 { print FILENAME ": more than 800 lines"; bad = 1 } END { exit bad }' "$@" || bad=1
if printf '%s\n' "$@" | grep '[.][ch]$' | LC_ALL=C.UTF-8 xargs grep -nHE '.{111}'; then
    echo "the lines above have more than 110 columns"
    bad=1
fi
exit $bad
