#!/bin/sh
# The examples of docs/cli.md and docs/checkpoints.md end as they say, the page knows every option, and docs/statistics.md is that of a run.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
ln -s "$LK_SOURCE/configs" configs
ln -s "$LK_BUILD" build

nr_examples=0
cat "$LK_SOURCE/docs/cli.md" "$LK_SOURCE/docs/checkpoints.md" >pages
while IFS= read -r line; do
    case $line in
    '$ '*)
        command=${line#'$ '}
        sh -c "$command" >said.out 2>said.err </dev/null
        status=$?
        ;;
    '# exit status '*)
        nr_examples=$((nr_examples + 1))
        [ "$line" = "# exit status $status" ] || complain "$command: status $status, not as on the page: $line: $(cat said.err)"
        ;;
    esac
done <pages
[ $nr_examples -ge 10 ] || complain "only $nr_examples examples found"

"$LK" run --help | grep -oE -- '--[a-z-]+' | sort -u >options
for option in $(cat options); do
    [ $option = --help ] || grep -qF -- "$option" "$LK_SOURCE/docs/cli.md" || complain "docs/cli.md lacks $option"
done

# The functions that the guest's page names are there.
nr_names=0
for name in $(grep -v '^| glibc' "$LK_SOURCE/guest/one-malloc.md" | grep -oE '`[a-z][a-z0-9_]+`' | tr -d '`' | sort -u); do
    nr_names=$((nr_names + 1))
    (cd "$LK_SOURCE" && grep -rqw --include='*.[chS]' -- "$name" guest cpu mmu tlb cache) || complain "guest/one-malloc.md: $name is nowhere"
done
[ $nr_names -ge 60 ] || complain "guest/one-malloc.md: only $nr_names names found"

"$LK" run -q demo --max-cycles 1000 -o run >said.out 2>said.err </dev/null
python3 "$LK_SOURCE/tools/statistics_page" run/stats.txt >statistics.md
diff "$LK_SOURCE/docs/statistics.md" statistics.md ||
    complain "docs/statistics.md is not that of this version: tools/statistics_page run/stats.txt"
finish
