#!/bin/sh
# What a guest reads by RDPMC around a region of interest is what the region's statistics say: docs/pmu.md, each row.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"

# EVENT UMASK STATISTIC, from the page's table; the codes in decimal as the guest says them, too.
sed -n 's/^| \(..\)H | \(..\)H | `.*` | .* | `\(.*\)` |$/\1 \2 \3/p' "$LK_SOURCE/docs/pmu.md" >rows
nr_rows=$(wc -l <rows)
[ "$nr_rows" -ge 30 ] || complain "only $nr_rows rows found in docs/pmu.md"
sed 's/^\(..\) \(..\) .*/0x\2\1,/' rows >events.h
CPATH=$PWD build_guest counters

for model in functional inorder; do
    timeout 120 "$LK" run -q -s cpu.model=$model -s machine.ram=64MiB --max-cycles 1G -o $model counters.elf \
        >out 2>$model.said </dev/null
    status=$?
    [ $status = 33 ] || complain "$model: status $status: $(tail -n 3 $model.said)"
    region=0
    while read -r event umask statistic; do
        region=$((region + 1))
        code=$((0x$umask$event))
        said=$(sed -n "${region}s/^$code \([0-9]*\)\$/\1/p" $model.said)
        file=$model/roi-$region.1.json
        case $statistic in
        *' - '*) counted=$(($(count "$file" "${statistic% - *}") - $(count "$file" "${statistic#* - }"))) ;;
        *) counted=$(count "$file" "$statistic") ;;
        esac
        # The region begins and ends a few instructions and fetch blocks later than the readings.
        case $model,$statistic in
        functional,*) slack=0 ;;
        *,cpu0.cycles*) slack=60 ;;
        *,cache.l1i0.*) slack=8 ;;
        *) slack=0 ;;
        esac
        case $model,$statistic in
        functional,cpu0.mmu.* | functional,cpu0.tlb.* | functional,cache.*) counted=0 ;;
        esac
        difference=$((${said:--1000} - ${counted:--2000}))
        [ "${difference#-}" -le $slack ] ||
            complain "$model: event $event/$umask: the guest read ${said:-nothing}, $statistic is ${counted:-missing}"
        echo "$model $event/$umask $statistic: $said"
    done <rows
done
finish
