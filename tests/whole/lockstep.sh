#!/bin/sh
# The system-level programs of tests/oracle/lockstep, the short form: lookaside beside QEMU and Bochs.
exec "$LK_SOURCE/tests/oracle/lockstep/run" --build "$LK_BUILD"
