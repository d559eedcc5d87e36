#!/bin/sh
# Debian's 686-pae kernel with busybox, booted in both models: the short form of ./dev guests. Skipped where apt has no packages.
exec "$LK_SOURCE/tests/foreign/run" --quick
