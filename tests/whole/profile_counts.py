"""Counts a traced run by instruction and by call stack, and compares a profile of the same run with that:
profile_counts.py TRACE.CSV PROFILE STATS.JSON. Stacks follow here from return addresses, not from the stack pointer."""

import collections
import csv
import json
import re
import sys

trace, profile, stats_file = sys.argv[1:4]
stats = json.load(open(stats_file, encoding="utf-8"))
failures = []

counted = collections.Counter()  # by level and address
stacks = collections.Counter()  # by the first addresses of what was called, outermost first
stack, others = [], []  # (first address, where it returns to; None: what does not return so); stacks that were left
begins, returns_to = "thread", None


def innermost(frames, at):
    return max((i for i, frame in enumerate(frames) if frame[1] == at), default=None)


for row in csv.DictReader(open(trace, encoding="utf-8", newline="")):
    if row["event"] != "insn":
        if begins == "left" and int(row["error_code"] or "0", 16) & 4:  # the first instruction out there has failed
            others.append(stack)
            stack = [(int(row["linear"], 16), None)]
        if begins == "call":  # so has the first one of what was called
            stack.append((int(row["linear"], 16), returns_to))
        begins, returns_to = "handler", None
        continue
    if begins == "left":
        if row["privilege"] == "3":
            others.append(stack)
            stack, begins = [], "thread"
        else:
            begins = None
    at, text, length = int(row["linear"], 16), row["text"], len(row["bytes"]) // 2
    if begins == "return":  # from the innermost call that returns here, on this stack or on one that was left
        found = innermost(stack, at)
        for other in others if found is None else []:
            if innermost(other, at) is not None:
                others.remove(other)
                stack = other
                found = innermost(stack, at)
                break
        if found is not None:
            del stack[found:]
    elif begins:
        stack.append((at, returns_to))
    begins = returns_to = None
    counted[int(row["privilege"]), at] += 1
    stacks[tuple(frame[0] for frame in stack)] += 1
    word = text.split(" ")[0]
    if word == "call":
        begins, returns_to = "call", at + length
    elif word in ("int", "int3"):
        begins = "handler"
    elif word == "ret":
        begins = "return"
    elif word in ("iret", "iretd"):
        handlers = [i for i, frame in enumerate(stack) if i and frame[1] is None]
        if handlers:
            del stack[handlers[-1] :]
        else:
            begins = "left"

ours, paths, named = collections.Counter(), collections.Counter(), {}
totals = None
for line in open(profile, encoding="utf-8"):
    word, *fields = line.split()
    if word == "events":
        names = fields
    elif word == "code":
        ours[int(fields[1]), int(fields[2], 16)] += int(fields[3 + names.index("instructions")])
    elif word == "stack":
        number, parent, to = int(fields[0]), int(fields[1]), int(fields[7], 16)
        named[number] = ((to,) if parent == number else named[parent] + (to,))
        paths[named[number]] += int(fields[9 + names.index("instructions")])
    elif word == "total":
        totals = dict(zip(names, map(int, fields)))

for name, counter in (
    ("instructions", "cpu0.instructions"), ("itlb_misses", "cpu0.tlb.l1i.misses"), ("dtlb_misses", "cpu0.tlb.l1d.misses"),
    ("walks", "cpu0.mmu.walks"), ("walk_cycles", "cpu0.mmu.walk_cycles"), ("l1i_misses", "cache.l1i0.misses"),
    ("l1d_misses", "cache.l1d0.misses"), ("l2_misses", "cache.l2.misses"), ("page_faults", "cpu0.page_faults"),
    ("mispredicts", "cpu0.mispredicts"),
):
    if totals[name] != stats[counter]:
        failures.append(f"{name}: {totals[name]}, but {counter} is {stats[counter]}")
if totals["cycles"] // 64 != stats["cpu0.cycles"]:
    failures.append(f"cycles: {totals['cycles'] / 64}, but cpu0.cycles is {stats['cpu0.cycles']}")


def compare(what, wanted, got, form):
    for key in sorted(set(wanted) | set(got)):
        if wanted[key] != got[key]:
            failures.append(f"{what} {form(key)}: {got[key]} instructions, the trace has {wanted[key]}")


compare("level and address", counted, ours, lambda key: f"{key[0]} {key[1]:08x}")
if len(stacks) > 1:
    compare("stack", stacks, +paths, lambda key: " ".join(f"{at:x}" for at in key))
for failure in failures[:int(sys.argv[4]) if len(sys.argv) > 4 else 12]:
    print(failure)
print(f"{sum(counted.values())} instructions at {len(counted)} addresses, in {len(stacks)} stacks: {len(failures)} failures")
sys.exit(bool(failures))
