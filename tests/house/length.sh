#!/bin/sh
# No source file has more than 800 lines: it would hold more than one thing.
cd "$LK_SOURCE" || exit 70
git -c safe.directory='*' ls-files -- '*.c' '*.h' '*.def' '*.S' '*.inc' '*.sh' '*.py' dev |
    xargs awk 'FNR == 801 { print FILENAME ": more than 800 lines"; bad = 1 } END { exit bad }'
