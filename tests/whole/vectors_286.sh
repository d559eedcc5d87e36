#!/bin/sh
# Instructions captured from an 80286, on a bare core: a sample of them (tests/oracle/vectors_286.sh --full runs all).
exec "$LK_SOURCE/tests/oracle/vectors_286.sh" "$LK_BUILD/tests/vectors_286"
