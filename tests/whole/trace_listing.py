"""The listing of a whole run, cycle by cycle (`trace cycles --json`), against the run's statistics.

usage: trace_listing.py LISTING STATS      the run has cpu.width = 1, so that a cycle is one slot
"""
import collections
import json
import sys


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        listing = json.load(file)
    with open(sys.argv[2], encoding="utf-8") as file:
        stats = json.load(file)
    waits = collections.Counter(cycle.get("wait") for cycle in listing["cycles"])
    parts = [part for row in listing["instructions"] for part in row["parts"]]
    translations = [part for part in parts if "translation" in part]
    accesses = [part for part in parts if "access" in part]
    steps = [step for part in translations for step in part.get("walk", [])]
    stack = {name: value for name, value in stats.items() if name.startswith("cpu0.cpi_stack.")}

    def tlb_misses(is_fetch):
        return sum((part["translation"] == "fetch") == is_fetch and part["tlb"] != "l1" for part in translations)

    def cache_misses(is_fetch):
        return sum((part["access"] == "fetch") == is_fetch and part["served_by"] not in ("l1", "device") and "in_flight" not in part for part in accesses)

    walk_misses = sum(step["served_by"] != "l1" for step in steps)
    rows = [
        ("cycles", len(listing["cycles"]), stats["cpu0.cycles"]),
        ("instructions", sum("number" in row for row in listing["instructions"]), stats["cpu0.instructions"]),
        ("cycles in which an instruction issued", waits[None], stack["cpu0.cpi_stack.base"]),
        ("cycles that were waited", len(listing["cycles"]) - waits[None], sum(stack.values()) - stack["cpu0.cpi_stack.base"]),
        ("page walks", sum("walk" in part for part in translations), stats["cpu0.mmu.walks"]),
        ("misses of the ITLB", tlb_misses(True), stats["cpu0.tlb.l1i.misses"]),
        ("misses of the DTLB", tlb_misses(False), stats["cpu0.tlb.l1d.misses"]),
        ("misses of the L1I", cache_misses(True), stats["cache.l1i0.misses"]),
        ("misses of the L1D", cache_misses(False) + walk_misses, stats["cache.l1d0.misses"]),
    ]
    wrong = [f"{what}: {listed} listed, {counted} counted" for what, listed, counted in rows if listed != counted]
    print("\n".join(wrong) or f"{len(rows)} counts agree: {', '.join(f'{what} {listed}' for what, listed, _ in rows)}")
    return 1 if wrong else 0


sys.exit(main())
