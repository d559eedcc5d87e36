#!/bin/sh
# glibc's start-up code and small programs on a bare core, in 32 and 64 bits (tests/oracle/user_programs.sh).
exec "$LK_SOURCE/tests/oracle/user_programs.sh" "$LK_BUILD" "$(dirname "$LK_ASAN")"
