#!/bin/sh
# Interrupts, the APICs, paging and changing code: small guests that check the machine they run on (guests/), in both models and on
# QEMU.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
for name in interrupts apic paging code; do
    checks_itself $name
done
finish
