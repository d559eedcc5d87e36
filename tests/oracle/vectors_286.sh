#!/bin/sh
# The vectors captured from an 80286, through the program of that name:  vectors_286.sh PROGRAM [--full]
# They are looked for in $LK_VECTORS, then in ../shared/vectors beside the project; without them: 77, skipped.
set -eu
program=$1
each=50
[ "${2:-}" = --full ] && each=1
root=$(cd "$(dirname "$0")/../.." && pwd)
vectors=${LK_VECTORS:-$root/../shared/vectors}
archive=$vectors/80286-real-mode.tar.xz
if [ ! -r "$archive" ]; then
    echo "vectors_286: skipped: no $archive (LK_VECTORS names another folder)"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -xJf "$archive" -C "$work"
status=0
"$program" --each $each "$vectors/metadata.json" "$work"/sub1000/*.MOO || status=1
"$program" --inorder --each $((each * 10)) "$vectors/metadata.json" "$work"/sub1000/*.MOO || status=1
exit $status
