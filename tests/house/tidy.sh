#!/bin/sh
# clang-tidy finds nothing in the simulator's own files (.clang-tidy says what it looks for).
cd "$LK_SOURCE" || exit 70
tidy=$(command -v clang-tidy-14 || command -v clang-tidy) || { echo "clang-tidy is not installed"; exit 77; }
[ -f "$LK_BUILD/compile_commands.json" ] || { echo "no compile_commands.json"; exit 77; }
# Only what is compiled has a command line to go by. One file a process: several in one confuse its va_list checker.
git -c safe.directory='*' ls-files -- 'sim/*.c' 'cpu/*.c' 'mmu/*.c' 'tlb/*.c' 'cache/*.c' 'dma/*.c' |
    while read -r file; do
        grep -q "\"file\": \"$LK_SOURCE/$file\"" "$LK_BUILD/compile_commands.json" && echo "$file"
    done | xargs -P "$(nproc)" -n 1 "$tidy" --quiet -p "$LK_BUILD" 2>/dev/null
