#!/bin/sh
# No room includes what stands above it.
exec "$LK_SOURCE/tools/check_includes"
