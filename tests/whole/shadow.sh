#!/bin/sh
# Code in write-protected RAM below 1 MiB, in both models and on QEMU.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
checks_itself shadow
finish
