#!/bin/sh
# Every C file of the repository is as clang-format 14 lays it out.
cd "$LK_SOURCE" || exit 70
format=$(command -v clang-format-14 || command -v clang-format) || { echo "clang-format is not installed"; exit 77; }
git -c safe.directory='*' ls-files -- '*.c' '*.h' | xargs "$format" --dry-run -Werror --ferror-limit=1
