"""Checks what `lookaside trace` converts against the rules of each format, written from the formats' own documents, and
against the counts of the run: trace_formats.py STATS.JSON FILE..., each named t.konata, t.json, t.vcd or t.csv, of one whole
trace."""

import collections
import csv
import json
import re
import sys

stats_file, *files = sys.argv[1:]
stats = json.load(open(stats_file, encoding="utf-8"))
failures = []


def want(is_good, text):
    if not is_good:
        failures.append(text)


def same(what, ours, counter):
    theirs = sum(stats[name] for name in counter.split("+"))
    want(ours == theirs, f"{what}: {ours}, but {counter} is {theirs}")


def konata(file):
    """Kanata log 0004: every line a command with its fields, an instruction declared before it is spoken of, stages within
    its life, cycles that go forward, one retirement each, serial numbers of those that retire."""
    lines = open(file, encoding="utf-8", newline="").read().split("\n")
    want(lines[0] == "Kanata\t0004" and lines[-1] == "", "konata: first line, last line")
    forms = {
        "C=": r"C=\t\d+",
        "C": r"C\t[1-9]\d*",
        "I": r"I\t\d+\t\d+\t\d+",
        "L": r"L\t\d+\t[012]\t[^\t]*",
        "S": r"S\t\d+\t[01]\t[^\t]+",
        "E": r"E\t\d+\t[01]\t[^\t]+",
        "R": r"R\t\d+\t\d+\t[01]",
    }
    order = {"F": 0, "D": 1, "X": 2, "M": 3, "W": 4, "E": 0}
    alive, opened = {}, {}
    declared = retired = flushed = 0
    cycle = None
    residence = collections.Counter()
    for number, line in enumerate(lines[1:-1], 2):
        command, *fields = line.split("\t")
        if command not in forms or not re.fullmatch(forms[command], line):
            want(False, f"konata: line {number}: {line!r}")
            return
        if command == "C=":
            want(cycle is None, f"konata: line {number}: a second C=")
            cycle = int(fields[0])
        elif command == "C":
            want(cycle is not None, f"konata: line {number}: no C= before")
            cycle += int(fields[0])
        elif command == "I":
            want(int(fields[0]) == declared, f"konata: line {number}: not numbered in order")
            declared += 1
            alive[fields[0]] = True
        else:
            want(fields[0] in alive, f"konata: line {number}: {fields[0]} is not alive")
        if command == "S":
            lane = (fields[0], fields[1])
            if fields[1] == "0":
                if lane in opened:
                    stage, since = opened[lane]
                    want(order[fields[2]] > order[stage], f"konata: line {number}: back to stage {fields[2]}")
                    residence[stage] += cycle - since
                    want(cycle > since, f"konata: line {number}: no time in {stage}")
            else:
                want(lane not in opened, f"konata: line {number}: two stalls at once")
            opened[lane] = (fields[2], cycle)
        elif command == "E":
            want(opened.pop((fields[0], fields[1]), ("",))[0] == fields[2], f"konata: line {number}: not open")
        elif command == "R":
            want((fields[0], "0") in opened, f"konata: line {number}: never was in a stage")
            stage, since = opened.pop((fields[0], "0"), ("", 0))
            opened.pop((fields[0], "1"), None)
            residence[stage] += cycle - since
            want(int(fields[1]) == retired, f"konata: line {number}: retirements are not numbered in order")
            retired += fields[2] == "0"
            flushed += fields[2] == "1"
            del alive[fields[0]]
    want(not alive, f"konata: {len(alive)} never end")
    same("konata: retired", retired, "cpu0.instructions")
    same("konata: flushed", flushed, "cpu0.exceptions+cpu0.interrupts")
    want(residence["X"] >= retired, "konata: each instruction is a cycle in X at least")


def perfetto(file):
    """Trace Event Format: known phases with what each must have, slices of a thread that nest, pairs of asynchronous
    events."""
    trace = json.load(open(file, encoding="utf-8"))
    slices, asynchronous = collections.defaultdict(list), {}
    seen, counted = collections.Counter(), collections.Counter()
    for event in trace["traceEvents"]:
        phase = event["ph"]
        want(phase in "XiCMbe", f"perfetto: {event}")
        want(isinstance(event["pid"], int) and isinstance(event["name"], str), f"perfetto: {event}")
        if phase != "M":
            want(isinstance(event["ts"], int) and event["ts"] >= 0, f"perfetto: {event}")
        if phase == "X":
            want(isinstance(event["dur"], int) and event["dur"] >= 0, f"perfetto: {event}")
            slices[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
            seen[event["name"].split(" ")[0]] += 1
        elif phase == "b":
            key = event["cat"], event["id"]
            want(key not in asynchronous, f"perfetto: begun twice: {key}")
            asynchronous[key] = event["ts"]
            seen[event["cat"]] += 1
        elif phase == "e":
            want(asynchronous.pop((event["cat"], event["id"]), event["ts"] + 1) <= event["ts"], f"perfetto: {event}")
        elif phase == "i":
            want(event["s"] in "tpg", f"perfetto: {event}")
            seen["instant"] += event["s"] == "t"
        elif phase == "C":
            counted[event["name"].split(" per")[0]] += event["args"]["n"]
    want(not asynchronous, "perfetto: never ended")
    for thread, those in slices.items():
        stack = []
        for begin, end in sorted(those, key=lambda s: (s[0], -s[1])):
            while stack and stack[-1] <= begin:
                stack.pop()
            want(not stack or end <= stack[-1], f"perfetto: slices of {thread} overlap at {begin}")
            stack.append(end)
    same("perfetto: walks", seen["walk"], "cpu0.mmu.walks")
    steps = sum(seen[level] for level in ("PML5E", "PML4E", "PDPTE", "PDE", "PTE"))
    same("perfetto: steps of walks", steps, "cpu0.mmu.walk_reads")
    same("perfetto: instants", seen["instant"], "cpu0.exceptions+cpu0.interrupts")
    same("perfetto: lines of devices", seen["line"], "dma.snoops")
    want(counted["instructions"] <= stats["cpu0.instructions"] <= counted["instructions"] + 2000, "perfetto: counters")


def vcd(file):
    """Value change dump: declarations, then times that only grow, and values of declared signals as wide as they are."""
    words = open(file, encoding="ascii").read()
    head, body = words.split("$enddefinitions $end\n", 1)
    want("$timescale 1 ns $end" in head, "vcd: no timescale")
    want(head.count("$scope") == head.count("$upscope"), "vcd: scopes")
    width, name = {}, {}
    for match in re.finditer(r"\$var wire (\d+) (\S) (\w+)(?: \[(\d+):0\])? \$end", head):
        width[match[2]], name[match[2]] = int(match[1]), match[3]
        want(match[1] == "1" or int(match[4]) == int(match[1]) - 1, f"vcd: {match[0]}")
    value, time = {}, None
    area, rises = collections.Counter(), collections.Counter()
    for line in body.split("\n")[:-1]:
        if line.startswith("#"):
            now = int(line[1:])
            want(time is None or now > time, f"vcd: time {line} does not grow")
            for symbol, is_value in value.items():
                area[name[symbol]] += is_value * (now - time)
            time = now
        elif line in ("$dumpvars", "$end"):
            continue
        else:
            match = re.fullmatch(r"(?:b([01]+) |([01]))(\S)", line)
            if not match or match[3] not in width:
                want(False, f"vcd: {line!r}")
                return
            digits = match[1] or match[2]
            want(len(digits) <= width[match[3]], f"vcd: {line!r} is too wide")
            if match[3] in value and name[match[3]] in ("exception", "interrupt"):
                rises[name[match[3]]] += int(digits, 2)
            value[match[3]] = int(digits, 2)
    same("vcd: issued", area["issued"], "cpu0.instructions")
    same("vcd: results", area["results"], "cpu0.instructions")
    same("vcd: exceptions", rises["exception"], "cpu0.exceptions")
    same("vcd: interrupts", rises["interrupt"], "cpu0.interrupts")
    want(all(value[s] == 0 for s in value if name[s] in ("fetching", "decoded", "memory", "l1d_misses", "dtlb_walks")),
         "vcd: something never ends")


def table(file):
    rows = list(csv.DictReader(open(file, encoding="utf-8", newline="")))
    total, kinds, last = collections.Counter(), collections.Counter(), -1
    for row in rows:
        kinds[row["event"]] += 1
        for column in ("loads", "stores", "devices", "itlb_misses", "dtlb_misses", "l2tlb_hits", "walks", "l1i_misses"):
            total[column] += int(row[column])
        if row["event"] == "insn":
            want(int(row["number"]) == last + 1, f"csv: {row}")
            last = int(row["number"])
            want(int(row["asked"]) <= int(row["fetched"]) <= int(row["issued"]) <= int(row["done"]), f"csv: {row}")
            want(1 <= len(bytes.fromhex(row["bytes"])) <= 15, f"csv: {row}")
    same("csv: instructions", kinds["insn"], "cpu0.instructions")
    same("csv: exceptions", kinds["exception"], "cpu0.exceptions")
    same("csv: interrupts", kinds["interrupt"], "cpu0.interrupts")
    same("csv: ITLB misses", total["itlb_misses"], "cpu0.tlb.l1i.misses")
    same("csv: DTLB misses", total["dtlb_misses"], "cpu0.tlb.l1d.misses")
    same("csv: hits of the L2 TLB", total["l2tlb_hits"], "cpu0.tlb.l2.hits")
    same("csv: walks", total["walks"], "cpu0.mmu.walks")
    # Both halves of a split are accesses, unless it faulted.
    most = stats["cpu0.loads"] + stats["cpu0.stores"] + stats["cpu0.splits"]
    want(most - stats["cpu0.splits"] <= total["loads"] + total["stores"] <= most, "csv: loads and stores")
    same("csv: accesses of devices", total["devices"], "cpu0.device_accesses")
    same("csv: L1I misses", total["l1i_misses"], "cache.l1i0.misses+cache.l1i0.hits_in_flight")


checks = {"konata": konata, "json": perfetto, "vcd": vcd, "csv": table}
for one in files:
    checks[one.split(".")[-1]](one)
for failure in failures[:20]:
    print(failure)
print(f"{stats['cpu0.instructions']} instructions: {len(failures)} failures")
sys.exit(bool(failures))
