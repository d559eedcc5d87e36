"""Reports of `lookaside lab latency --json` against what they must be.

usage: labs_published.py REPORT.json ...             plateaus against the report's own configuration
       labs_published.py --of CONFIG.json REPORT.json   against the lines of the configuration that begin with
                                                        // published: LEVEL LOW to HIGH cycles|ns  (and a source)
"""
import json
import re
import sys

differences = 0


def complain(text):
    global differences
    differences += 1
    print("FAILED:", text)


def plateaus(report, name):
    """By the configuration: what a cache serves to a hundredth; a DRAM between hit and conflict, and 8 % for refresh."""
    for level in report["plateaus"]:
        if not level["is_reached"]:
            complain(f"{name}: {level['level']} is not reached")
        measured, low, high = level["cycles_per_load"], level["low_cycles"], level["high_cycles"]
        if level["level"] == "DRAM":
            high = high * 1.08 + 2
        else:
            low, high = low * 0.99, high * 1.01
        if not low <= measured <= high:
            complain(f"{name}: {level['level']}: {measured} cycles a load, not {low} to {high}")
    served = [max(point["served"], key=point["served"].get) for point in report["working_sets"]]
    order = [level["level"] for level in report["plateaus"]]
    if [order.index(level) for level in served] != sorted(order.index(level) for level in served):
        complain(f"{name}: levels out of order: {served}")
    if set(served) != set(order):
        complain(f"{name}: not all levels are seen: {served}")
    if report["pages"][0]["walks"] > 10 or report["pages"][-1]["walks"] < report["pages"][-1]["loads"] // 2:
        complain(f"{name}: the pages' reach: {report['pages'][0]} {report['pages'][-1]}")


def published(config, report):
    pattern = re.compile(r"// published: (\w+) ([0-9.]+) to ([0-9.]+) (cycles|ns)\b")
    levels = {level["level"]: level for level in report["plateaus"]}
    found = pattern.findall(open(config, encoding="utf-8").read())
    if len(found) < len(levels):
        complain(f"{config}: {len(found)} published figures for {len(levels)} levels")
    for name, low, high, unit in found:
        if name not in levels:
            complain(f"{config}: the machine has no level {name}")
            continue
        measured = round(levels[name][unit + "_per_load"], 2)
        print(f"{config.split('/')[-1]}: {name} {measured:.2f} {unit}, published {low} to {high}")
        if not float(low) <= measured <= float(high):
            complain(f"{config}: {name}: {measured} {unit} a load; published {low} to {high}")


if sys.argv[1] == "--of":
    machine = json.load(open(sys.argv[3], encoding="utf-8"))
    plateaus(machine, sys.argv[3])
    published(sys.argv[2], machine)
else:
    for file in sys.argv[1:]:
        plateaus(json.load(open(file, encoding="utf-8")), file)
sys.exit(differences != 0)
