#!/bin/sh
# The pipeline simulated latch by latch (tests/oracle/ticked) agrees with the timed model, the short form.
exec "$LK_SOURCE/tests/oracle/ticked/run" --quick
