#!/bin/sh
# The 8237As' registers, here and on QEMU; and a copy by them, which is right where they snoop and is not where they do not, as the
# driver flushes nothing.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
checks_itself isa_dma
for coherence in snoop none; do
    "$LK" run -q -s machine.ram=64MiB -s dma.coherence=$coherence -a copy --max-cycles 1G -o copy isa_dma.elf >out 2>said </dev/null
    status=$?
    stats_add_up copy/stats.json
    case $coherence$status in
    snoop33) ;;
    none35) [ "$(count copy/stats.json dma.stale_bytes_read)" -gt 0 ] || complain "none: no stale byte was counted" ;;
    *) complain "$coherence: status $status: $(grep -v '^ok ' said)" ;;
    esac
    [ "$(count copy/stats.json dma.isa.bytes_written)" = 4096 ] || complain "$coherence: bytes written"
done
finish
