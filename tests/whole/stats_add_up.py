"""What must hold between the counters of every stats.json, of any machine and guest."""
import json
import sys


def not_filled(stats, caches):
    """Misses that brought no line in: with CR0.CD set they are asked of the level below as they are."""
    return sum(max(0, stats[name + ".misses"] - stats[name + ".fills"]) for name in caches)


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
        reasons = ("cpu0.tlb.l2.misses", "cpu0.mmu.dirty_walks", "cpu0.mmu.permission_walks", "cpu0.mmu.refuted_walks")
        yield from rule("cpu0.mmu.walks, " + " + ".join(reasons), stats["cpu0.mmu.walks"], sum(stats[name] for name in reasons))
        if "cpu0.tlb.pde.accesses" in stats:
            from_root = stats["cpu0.mmu.permission_walks"] + stats["cpu0.mmu.refuted_walks"]
            yield from rule("cpu0.tlb.pde.accesses, walks that need not begin at the root", stats["cpu0.tlb.pde.accesses"],
                            stats["cpu0.mmu.walks"] - from_root)
        for name in ("walks", "walk_cycles"):
            parts = sum(stats[f"cpu0.mmu.{kind}_{name}"] for kind in ("load", "store", "fetch"))
            yield from rule(f"cpu0.mmu.{name}, its parts", stats["cpu0.mmu." + name], parts)
        mmu = {name.removeprefix("cpu0.mmu."): n for name, n in stats.items() if name.startswith("cpu0.mmu.")}
        levels = ("pte", "pde", "pdpte", "pml4e", "pml5e")
        buckets = sum(n for name, n in mmu.items() if name.startswith("walks_") and "_cycles" in name)
        yield from rule("cpu0.mmu.walks, by how long they took", mmu["walks"], buckets)
        yield from rule("cpu0.mmu.walk_reads, by level", mmu["walk_reads"], sum(mmu[level + "_reads"] for level in levels))
        yield from rule("cpu0.mmu.walk_cycles, reads by level and updates", mmu["walk_cycles"],
                        sum(mmu[level + "_read_cycles"] for level in levels) + mmu["walk_update_cycles"])
        lookups = stats["cpu0.tlb.l1i.misses"] + stats["cpu0.tlb.l1d.misses"]
        yield from rule("cpu0.tlb.l2.accesses, L1 TLB misses", stats["cpu0.tlb.l2.accesses"], lookups)
    if "iommu.requests" in stats:
        found = stats["iommu.context_hits"] + stats["iommu.context_misses"]
        yield from rule("iommu.requests, contexts found and read", stats["iommu.requests"], found)
        if stats["iommu.iotlb_hits"] + stats["iommu.iotlb_misses"] > stats["iommu.requests"]:
            yield "iommu: more addresses looked up than requests"
        if not stats["iommu.faults_lost"] <= stats["iommu.faults"] <= stats["iommu.requests"]:
            yield "iommu: more faults than requests"
    if "dma.engine.bursts" in stats:
        # Each channel's first one may have been read before what is counted here began.
        halves = 32 * sum(max(0, stats[f"dma.ch{i}.descriptors"] - 1) for i in range(8) if f"dma.ch{i}.descriptors" in stats)
        for name in ("bytes_read", "bytes_written"):
            if stats["dma.engine." + name] < halves:
                yield f"dma.engine.{name}: {stats['dma.engine.' + name]}, less than the descriptors alone: {halves}"
    if "nic.frames_sent" in stats:
        # A frame that is on its way may have been moved in part.
        nic = {name.removeprefix("nic."): n for name, n in stats.items() if name.startswith("nic.")}
        if stats["dma.nic.bytes_written"] < nic["bytes_received"] + 8 * nic["descriptors_received"]:
            yield f"dma.nic.bytes_written: {stats['dma.nic.bytes_written']}, less than frames and descriptors received"
        if stats["dma.nic.bytes_read"] < 16 * (nic["descriptors_sent"] + nic["descriptors_received"]):
            yield f"dma.nic.bytes_read: {stats['dma.nic.bytes_read']}, less than the descriptors"
        if nic["frames_received"] > nic["descriptors_received"] or nic["failures"] != stats["dma.nic.faults"]:
            yield "nic: more frames than descriptors, or other failures than faults"
    if "dram.reads" in stats:
        rows = stats["dram.row_hits"] + stats["dram.row_misses"] + stats["dram.row_conflicts"]
        yield from rule("DRAM reads + writes, rows", stats["dram.reads"] + stats["dram.writes"], rows)
        opened = stats["dram.row_misses"] + stats["dram.row_conflicts"]
        yield from rule("dram.activates, row misses + conflicts", stats["dram.activates"], opened)
        reads = sum(stats["cpu0.mmu.walk_reads_" + level] for level in ("l1d", "l2", "l3", "dram"))
        if reads > stats["cpu0.mmu.walk_reads"]:
            yield f"cpu0.mmu.walk_reads: {stats['cpu0.mmu.walk_reads']}, by level {reads}"
        caches = [name for name in ("cache.l1i0", "cache.l1d0", "cache.l2", "cache.l3") if name + ".accesses" in stats]
        down = ("writebacks", "clean_puts", "write_throughs")
        for name in caches:
            if stats[name + ".evictions"] > stats[name + ".fills"]:
                yield f"{name}: more put out than brought in"
            if stats[name + ".prefetch_useful"] + stats[name + ".prefetch_useless"] > stats[name + ".prefetches"]:
                yield f"{name}: more prefetched lines used or lost than asked for"
        if "cache.l2.accesses" in stats and (stats["cpu0.mmu.walk_reads_l1d"] > 0 or reads == 0):  # else the walker asks the L2
            from_above = sum(stats[f"{name}.{what}"] for name in caches if name.startswith("cache.l1") for what in ("fills", *down))
            unfilled = not_filled(stats, [name for name in caches if name.startswith("cache.l1")])
            if not from_above <= stats["cache.l2.accesses"] <= from_above + unfilled:
                yield f"cache.l2.accesses: {stats['cache.l2.accesses']}, what the L1s read and sent down {from_above} (+ {unfilled})"
        if "cache.l3.accesses" in stats:
            # a line that is put into the L2 whole is not read from below
            from_above = sum(stats["cache.l2." + what] for what in ("misses", "prefetches", *down))
            if stats["cache.l3.accesses"] > from_above + not_filled(stats, ["cache.l2"]):
                yield f"cache.l3.accesses: {stats['cache.l3.accesses']}, from above {from_above}"
        last = caches if caches[-1].startswith("cache.l1") else caches[-1:]
        writes = sum(stats[f"{name}.{what}"] for name in last for what in ("writebacks", "write_throughs"))
        uncached = sum(stats[name + ".uncached"] for name in last)
        writes += stats["dma.lines_written"] + stats["dma.interventions"]
        uncached += not_filled(stats, last)
        if not writes <= stats["dram.writes"] <= writes + uncached:
            yield f"dram.writes: {stats['dram.writes']}, from the last caches {writes}, past them {uncached}"


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
