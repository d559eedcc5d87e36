#!/bin/sh
# kallsyms.sh NM IMAGE: prints assembly with the address and name of each function of a linked kernel, by address, ended
# by a row of zeroes. In front of each name is nm's letter for its kind. The table is linked in behind everything else, so that no function moves when it is.
set -eu
"$1" -n "$2" | awk '
    BEGIN { n = 0; print ".section .kallsyms, \"a\"\n.globl kallsyms\nkallsyms:" }
    $2 ~ /^[tT]$/ && $1 >= "c0000000" {
        if ($3 ~ /^(_e?text|__(boot|init)_.*)$/) next
        print ".long 0x" $1 ", name" n
        letters[n] = $2
        names[n++] = $3
    }
    END {
        print ".long 0, 0"
        for (i = 0; i < n; i++) print ".ascii \"" letters[i] "\"\nname" i ": .asciz \"" names[i] "\""
        print ".section .note.GNU-stack, \"\", @progbits"
    }'
