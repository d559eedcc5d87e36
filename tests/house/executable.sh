#!/bin/sh
# What can be run (its first line says by whom) has the permission to: tests/run passes everything else by.
cd "$LK_SOURCE" || exit 70
bad=0
for file in $(git -c safe.directory='*' ls-files -- tests tools .ci dev); do
    [ "$(head -c 2 "$file" | tr -d '\0')" = '#!' ] && [ ! -x "$file" ] && echo "$file: begins with #! and is not executable" && bad=1
done
exit $bad
