#!/bin/sh
# clang-tidy finds nothing in the simulator's own files (.clang-tidy says what it looks for).
cd "$LK_SOURCE" || exit 70
tidy=$(command -v clang-tidy-14 || command -v clang-tidy) || { echo "clang-tidy is not installed"; exit 77; }
[ -f "$LK_BUILD/compile_commands.json" ] || { echo "no compile_commands.json"; exit 77; }
commands=$(mktemp -d)
trap 'rm -rf "$commands"' EXIT

# The executors are compiled once a model: one of the commands is enough. Files that are not in git are nobody's yet.
git -c safe.directory='*' ls-files -- sim cpu mmu tlb cache dma |
    python3 -c '
import json, os, sys
known = {os.path.join(os.getcwd(), name.strip()) for name in sys.stdin}
with open(sys.argv[1]) as database:
    chosen = {entry["file"]: entry for entry in json.load(database) if entry["file"] in known}
with open(sys.argv[2] + "/compile_commands.json", "w") as database:
    json.dump(list(chosen.values()), database)
print("\n".join(sorted(chosen)))
' "$LK_BUILD/compile_commands.json" "$commands" >"$commands/files" || exit 70

# One file a process: several in one confuse the va_list checker. The static analyzer takes minutes for each file of
# executors, which are hundreds of small functions from rows; the other checks look at them.
run() {
    xargs -r -P "$(nproc)" -n 1 "$tidy" --quiet -p "$commands" "$@" 2>/dev/null
}
status=0
grep '/cpu/exec_' "$commands/files" | run '--checks=-clang-analyzer-*' || status=1
grep -v '/cpu/exec_' "$commands/files" | run || status=1
exit $status
