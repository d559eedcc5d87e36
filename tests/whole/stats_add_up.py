"""What must hold between the counters of every stats.json, of any machine and guest."""
import json
import sys


def mistakes(stats):
    """A line for each rule that does not hold."""

    def rule(text, left, right):
        if left != right:
            yield f"{text}: {left} and {right}"

    stack = [name for name in stats if name.startswith("cpu0.cpi_stack.")]
    if stack:
        total = sum(stats[name] for name in stack)
        yield from rule("the CPI stack's parts, cpu0.cycles", total, stats["cpu0.cycles"])
    for name in stats:
        if not name.endswith(".accesses"):
            continue
        part = name.removesuffix(".accesses")
        found = stats[part + ".hits"] + stats[part + ".misses"]
        yield from rule(f"{name}, hits + misses", stats[name], found)
    if "cpu0.tlb.l2.misses" in stats:
        walks = sum(stats[name] for name in ("cpu0.tlb.l2.misses", "cpu0.mmu.dirty_walks", "cpu0.mmu.permission_walks"))
        yield from rule("cpu0.mmu.walks, L2 TLB misses + dirty_walks + permission_walks", stats["cpu0.mmu.walks"], walks)
        for name in ("walks", "walk_cycles"):
            parts = sum(stats[f"cpu0.mmu.{kind}_{name}"] for kind in ("load", "store", "fetch"))
            yield from rule(f"cpu0.mmu.{name}, its parts", stats["cpu0.mmu." + name], parts)
        lookups = stats["cpu0.tlb.l1i.misses"] + stats["cpu0.tlb.l1d.misses"]
        yield from rule("cpu0.tlb.l2.accesses, L1 TLB misses", stats["cpu0.tlb.l2.accesses"], lookups)
    if "dram.reads" in stats:
        rows = stats["dram.row_hits"] + stats["dram.row_misses"] + stats["dram.row_conflicts"]
        yield from rule("DRAM reads + writes, rows", stats["dram.reads"] + stats["dram.writes"], rows)
        reads = sum(stats["cpu0.mmu.walk_reads_" + level] for level in ("l1d", "l2", "dram"))
        if reads > stats["cpu0.mmu.walk_reads"]:
            yield f"cpu0.mmu.walk_reads: {stats['cpu0.mmu.walk_reads']}, by level {reads}"
        for name in ("cache.l1i0", "cache.l1d0", "cache.l2"):
            yield from rule(f"{name}.fills, misses", stats[name + ".fills"], stats[name + ".misses"])
            if stats[name + ".writebacks"] > stats[name + ".evictions"] or stats[name + ".evictions"] > stats[name + ".fills"]:
                yield f"{name}: more written back than put out, or more put out than brought in"
        from_above = sum(stats[name] for name in (
            "cache.l1i0.misses", "cache.l1d0.misses", "cache.l1i0.writebacks", "cache.l1d0.writebacks"))
        if stats["cpu0.mmu.walk_reads_l1d"] > 0 or reads == 0:  # else the walker asks the L2 itself
            yield from rule("cache.l2.accesses, L1 misses + write-backs", stats["cache.l2.accesses"], from_above)
        yield from rule("dram.writes, L2 write-backs", stats["dram.writes"], stats["cache.l2.writebacks"])


def main():
    status = 0
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8") as file:
            stats = json.load(file)
        for line in mistakes(stats):
            print(f"FAILED: {name}: {line}")
            status = 1
    return status


sys.exit(main())
