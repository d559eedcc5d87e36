#!/bin/sh
# The first instructions of the bundled guest's boot beside QEMU; ./dev oracle lockstep_guest goes further.
exec "$LK_SOURCE/tests/oracle/lockstep/guest" 20000
