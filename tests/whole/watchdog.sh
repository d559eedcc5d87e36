#!/bin/sh
# --watchdog-cycles: what ends by it, what does not, and whether the calls and branches that are then named are there:
# the names as nm has them, each return address behind a call in objdump's listing.
set -u
. "$LK_SOURCE/tests/whole/lib.sh"
build_guest ends

# check_calls SAID ELF NAME ...: the calls in SAID are those of ELF, and these functions are among them, in this order
check_calls() {
    python3 - "$@" <<'END' || failures=$((failures + 1))
import re
import subprocess
import sys

said, elf, *wanted = sys.argv[1:]


def tool(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


starts = {}
for line in tool("nm", elf).splitlines():
    words = line.split()
    if len(words) == 3 and words[1] in "tT":
        starts.setdefault(words[2], set()).add(int(words[0], 16))
behind_calls, was_call = set(), False
for line in tool("objdump", "-d", "--no-show-raw-insn", elf).splitlines():
    found = re.match(r" *([0-9a-f]+):\t(\w+)", line)
    if found and was_call:
        behind_calls.add(int(found[1], 16))
    if found:
        was_call = found[2] == "call"
text = open(said).read()
calls = re.findall(r"^  ([0-9a-f]{8}) (\? )?([\w.]+)\+(0x[0-9a-f]+|0)$", text, re.M)
assert calls, f"no calls in {text}"
for at, _, name, offset in calls:
    assert int(at, 16) - int(offset, 16) in starts[name], f"{at} is not {name}+{offset}"
for at, unsure, name, _ in calls[1:]:
    assert unsure or int(at, 16) in behind_calls, f"{at} in {name} is behind no call"
names = iter([name for _, _, name, _ in calls])
missing = [name for name in wanted if name not in names]
assert not missing, f"{missing} not in this order among {calls}"
END
}

for model in functional inorder; do
    for way in loop loop_stores loop_string loop_faults loop_ticks; do
        timeout 60 "$LK" run -q -s cpu.model=$model -s machine.ram=64MiB -a $way --watchdog-cycles 300k --max-cycles 20M -o out ends.elf \
            >/dev/null 2>said.$model.$way </dev/null
        status=$?
        [ $status = 83 ] || complain "$way, $model: status $status: $(cat said.$model.$way)"
    done
    grep -Eq '^ +[0-9]+ times from loop(\+0x[0-9a-f]+)? to loop' said.$model.loop ||
        complain "loop, $model: its branch is missing: $(cat said.$model.loop)"
    # What ends by itself, and what keeps on saying something, is left alone.
    for way in exit_42:42 halt:82 log_text:0; do
        timeout 60 "$LK" run -q -s cpu.model=$model -s machine.ram=64MiB -a "${way%:*}" --watchdog-cycles 1k -o out ends.elf \
            >/dev/null 2>said </dev/null
        status=$?
        [ $status = "${way#*:}" ] || [ $status = 83 ] || complain "${way%:*}, $model: status $status: $(cat said)"
    done
    timeout 60 "$LK" run -q -s cpu.model=$model -a quiet --watchdog-cycles 100M -o out "$LK_KERNEL" >/dev/null 2>said </dev/null
    status=$?
    [ $status = 0 ] || complain "a boot with a watchdog, $model: status $status: $(cat said)"
done

# The bundled kernel waits for a key: idle, in pid 0.
timeout 60 "$LK" run -q -a "quiet init=cat" --watchdog-cycles 50M -o out "$LK_KERNEL" >/dev/null 2>said </dev/null
status=$?
[ $status = 83 ] || complain "init=cat: status $status: $(cat said)"
check_calls said "$LK_KERNEL" start_kernel

# The same calls from a System.map, which has labels too; and what is none.
nm "$LK_KERNEL" >System.map
mkdir stripped
strip -o "stripped/${LK_KERNEL##*/}" "$LK_KERNEL"
timeout 60 "$LK" run -q -a "quiet init=cat" --watchdog-cycles 50M --symbols System.map -o out2 "stripped/${LK_KERNEL##*/}" >/dev/null 2>said2 </dev/null
sed -n "/^calls/,/start_kernel/p" said >calls
sed -n "/^calls/,/start_kernel/p" said2 >calls2
[ "$(wc -l <calls)" -gt 3 ] && cmp calls calls2 || complain "a System.map gives other names"
cmp out/stats.txt out2/stats.txt || complain "symbols change the statistics"
printf 'no map\n' >nomap
for file in nomap nowhere; do
    "$LK" run -q --symbols $file "$LK_KERNEL" >/dev/null 2>said </dev/null
    status=$?
    [ $status = 66 ] && [ "$(wc -l <said)" = 1 ] && grep -q "$file" said || complain "--symbols $file: status $status: $(cat said)"
done
finish
