/* Which labs there are. */
#include "sim/lab.h"
#include "sim/lab_checks.h"
#include "sim/lab_disk.h"

#include <string.h>

/* ---- What can be seen from outside only ---- */

/* Each load of an uncached page is a read of the DRAM; one of a cached page is none, once it is there. */
static void check_uncached(struct lab_result *result)
{
    enum { NR_LOADS = 512, STRAY = 32 }; /* guest/labs/uncached.c; what else the machine may do meanwhile */
    static const char *const cached[] = {"loads, write-back", "loads, PWT"}, *const uncached[] = {
                                                                                 "loads, PCD",
                                                                                 "loads, PCD and PWT",
                                                                                 "loads, PAT"};
    const struct lab_outcome *outcome = &result->outcomes[0];
    for (size_t i = 0; i < sizeof cached / sizeof *cached; i++) {
        uint64_t reads = lab_count(outcome, cached[i], LAB_DRAM_READS);
        lab_claim(result, reads <= STRAY, "%s: %llu DRAM reads for %d loads", cached[i],
                  (unsigned long long)reads, NR_LOADS);
    }
    for (size_t i = 0; i < sizeof uncached / sizeof *uncached; i++) {
        uint64_t reads = lab_count(outcome, uncached[i], LAB_DRAM_READS);
        lab_claim(result, reads >= NR_LOADS && reads <= NR_LOADS + STRAY, "%s: %llu DRAM reads for %d loads",
                  uncached[i], (unsigned long long)reads, NR_LOADS);
    }
}

/* A copy has two streams of lines, each of them larger than an L1; looking at the page cache has one. */
static void check_copies(struct lab_result *result)
{
    const struct lab_outcome *outcome = &result->outcomes[0];
    uint64_t copied = lab_count(outcome, "read", LAB_L1D_MISSES),
             looked = lab_count(outcome, "mmap again", LAB_L1D_MISSES);
    lab_claim(result, looked > 0 && 2 * copied >= 3 * looked,
              "read() misses the L1D for the page cache and for the buffer, %llu times; a mapping %llu times",
              (unsigned long long)copied, (unsigned long long)looked);
}

static void check_dirty(struct lab_result *result)
{
    const struct lab_outcome *outcome = &result->outcomes[0];
    uint64_t fast = lab_count(outcome, "a writer below the threshold", LAB_CYCLES),
             slow = lab_count(outcome, "a writer above it", LAB_CYCLES);
    lab_claim(result, fast > 0 && slow > fast, "the writer that is stopped takes %llu cycles instead of %llu",
              (unsigned long long)slow, (unsigned long long)fast);
}

/*
 * What the driver forgot is named: the function, and both values. guest/labs/stale.c has the values, and the
 * functions of the driver. Where devices snoop nothing is to be seen.
 */
static void check_stale(struct lab_result *result)
{
    enum { OLD = 0x0B501E7E, SENT = 0x5E47DA7A, RECEIVED = 0x4EC0DA7A };
    static const struct {
        enum cache_stale_kind kind;
        const char *function;
        uint32_t memory, cpu;
        const char *claim;
    } forgotten[] = {
        {CACHE_STALE_DEVICE_READ, "forgetful_send", OLD, SENT, "a stale read of the device's"},
        {CACHE_STALE_CPU_READ, "forgetful_receive", RECEIVED, OLD, "a stale read of the CPU's"},
        {CACHE_STALE_UPDATE_LOST, "forgetful_reuse", RECEIVED, OLD, "a lost update"},
    };
    const struct lab_outcome *snoops = &result->outcomes[0], *unaided = &result->outcomes[1];
    lab_claim(result, snoops->nr_stale == 0, "on %s: no stale reads, no lost updates", snoops->machine);
    for (size_t i = 0; i < sizeof forgotten / sizeof *forgotten; i++) {
        bool is_named = false;
        for (unsigned j = 0; j < unaided->nr_stale; j++) {
            const struct lab_stale *stale = &unaided->stale[j];
            is_named |= stale->stale.kind == forgotten[i].kind && stale->function &&
                        strcmp(stale->function, forgotten[i].function) == 0 &&
                        (uint32_t)stale->stale.memory_value == forgotten[i].memory &&
                        (uint32_t)stale->stale.cpu_value == forgotten[i].cpu;
        }
        lab_claim(result, is_named, "on %s: %s is named: %s, memory %08x, the CPU %08x", unaided->machine,
                  forgotten[i].claim, forgotten[i].function, forgotten[i].memory, forgotten[i].cpu);
    }
    for (unsigned j = 0; j < unaided->nr_stale; j++) {
        const char *function = unaided->stale[j].function;
        lab_claim(result, function && strncmp(function, "forgetful_", 10) == 0,
                  "on %s: what is named is the driver that forgot: %s", unaided->machine,
                  function ? function : "nobody");
    }
}

/* Of the total of a way: all regions whose names begin with it. */
static uint64_t cycles_of(const struct lab_outcome *outcome, const char *way)
{
    uint64_t cycles = 0;
    for (unsigned i = 0; i < outcome->nr_regions; i++) {
        if (strncmp(outcome->regions[i].name, way, strlen(way)) == 0)
            cycles += outcome->regions[i].counts[LAB_CYCLES];
    }
    return cycles;
}

/* Each way was measured on each machine on which it is right. */
static void check_coherence(struct lab_result *result)
{
    for (unsigned i = 0; i < result->nr_outcomes; i++) {
        const struct lab_outcome *outcome = &result->outcomes[i];
        uint64_t uncached = cycles_of(outcome, "uncached: "), flushed = cycles_of(outcome, "flushed: ");
        lab_claim(result, flushed > 0 && uncached > flushed,
                  "on %s: uncached memory costs %llu cycles, flushing %llu", outcome->machine,
                  (unsigned long long)uncached, (unsigned long long)flushed);
        lab_claim(result, outcome->nr_stale == 0, "on %s: no stale reads, no lost updates", outcome->machine);
    }
    uint64_t snooped = cycles_of(&result->outcomes[0], "snooped: "),
             unaided = cycles_of(&result->outcomes[1], "flushed: ");
    lab_claim(result, snooped > 0 && snooped < unaided,
              "a device that snoops costs %llu cycles, one that does not, with flushing, %llu",
              (unsigned long long)snooped, (unsigned long long)unaided);
    lab_claim(result, cycles_of(&result->outcomes[1], "snooped: ") == 0, "on %s snooping is not tried",
              result->outcomes[1].machine);
}

/* The bounce buffer changes hands as any other memory does. */
static void check_zone(struct lab_result *result)
{
    for (unsigned i = 0; i < result->nr_outcomes; i++) {
        const struct lab_outcome *outcome = &result->outcomes[i];
        uint64_t direct = lab_count(outcome, "memory of ZONE_DMA", LAB_CYCLES),
                 bounced = lab_count(outcome, "bounced", LAB_CYCLES);
        lab_claim(result, direct > 0 && bounced > direct, "on %s: a page takes %llu cycles, bounced %llu",
                  outcome->machine, (unsigned long long)direct, (unsigned long long)bounced);
        lab_claim(result, outcome->nr_stale == 0, "on %s: no stale reads, no lost updates", outcome->machine);
    }
}

/* What guest/labs/disk.c wrote is in the file, and nothing else is changed. */
static void check_disk(struct lab_result *result)
{
    enum { SECTOR_WORDS = 128, NR_SECTORS = 128, PIO_SECTOR = 4096, DMA_SECTOR = 6144 };
    for (unsigned i = 0; i < result->nr_outcomes; i++) {
        const struct lab_outcome *outcome = &result->outcomes[i];
        unsigned nr_wrong = 0;
        for (uint32_t j = 0; j < LAB_DISK_WORDS; j++) {
            uint32_t sector = j / SECTOR_WORDS;
            bool is_written = sector - PIO_SECTOR < NR_SECTORS || sector - DMA_SECTOR < NR_SECTORS;
            nr_wrong += outcome->disk[j] != (is_written ? ~lab_disk_word(j) : lab_disk_word(j));
        }
        lab_claim(result, nr_wrong == 0,
                  "on %s: the image's file has what was written, and nothing else changed", outcome->machine);
        lab_claim(result, outcome->nr_stale == 0, "on %s: no stale reads, no lost updates", outcome->machine);
        uint64_t pio = lab_count(outcome, "read by PIO", LAB_INSTRUCTIONS),
                 dma = lab_count(outcome, "read by DMA", LAB_INSTRUCTIONS);
        lab_claim(result, dma > 0 && dma < pio,
                  "on %s: 64 KiB cost the CPU %llu instructions by PIO, %llu by DMA", outcome->machine,
                  (unsigned long long)pio, (unsigned long long)dma);
    }
}

/* Each machine has copied what the other did, and none has seen stale data. */
static void check_iommu(struct lab_result *result)
{
    static const char *const one_address = "by address and length, through the IOMMU",
                             *const lists = "by a list of pieces";
    uint64_t behind = lab_count(&result->outcomes[0], one_address, LAB_CYCLES),
             unaided = lab_count(&result->outcomes[1], one_address, LAB_CYCLES),
             without = lab_count(&result->outcomes[2], lists, LAB_CYCLES);
    lab_claim(result, behind > 0 && unaided > 0 && without > 0,
              "16 frames take %llu cycles by one address, %llu where the driver has to flush, %llu by lists "
              "without an "
              "IOMMU",
              (unsigned long long)behind, (unsigned long long)unaided, (unsigned long long)without);
    for (unsigned i = 0; i < result->nr_outcomes; i++)
        lab_claim(result, result->outcomes[i].nr_stale == 0, "on %s: no stale reads, no lost updates",
                  result->outcomes[i].machine);
}

/* No sync is missing anywhere: what was read is right, and not by luck. */
static void check_random(struct lab_result *result)
{
    for (unsigned i = 0; i < result->nr_outcomes; i++)
        lab_claim(result, result->outcomes[i].nr_stale == 0, "on %s: no stale reads, no lost updates",
                  result->outcomes[i].machine);
}

/* ---- The rows ---- */

const struct lab_row lab_rows[] = {
    {.name = "latency",
     .fact = "-",
     .sentence = "what a load takes, against the size of what it works on: each level's plateau",
     .run = lab_latency},
    {.name = "segments",
     .fact = "A1",
     .sentence = "selector (index, TI, RPL) and offset: base of descriptor table[index], plus offset",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "hidden-part",
     .fact = "A2",
     .sentence = "a segment register keeps the descriptor that it was loaded with; accesses read none",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .check = lab_check_hidden_part},
    {.name = "null-selector",
     .fact = "A3",
     .sentence = "the null selector can be loaded into a data register, and faults when used",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "flat",
     .fact = "A4",
     .key = "kernel code: base 0",
     .sentence = "user and kernel segments with base 0 and 4 GiB: segmentation changes nothing",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "privilege",
     .fact = "A5",
     .sentence = "a change of privilege loads CS and SS, and ESP from the TSS; who loads the kernel's ends",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .check = lab_check_privilege},
    {.name = "walk",
     .fact = "A6",
     .key = "INVLPG and a load that walks",
     .sentence = "an address is cut up into indices and an offset: the walk from CR3 to the byte",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .check = lab_check_walk},
    {.name = "walk64",
     .fact = "A6",
     .key = "64 loads, each after INVLPG",
     .sentence = "in 64-bit mode: 9/9/9/9/12 bits, and a walk of four levels",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .check = lab_check_walk64},
    {.name = "page-tables",
     .fact = "A7",
     .sentence = "a flat table has 2^20 entries, 4 MiB a process; what a process has is a few pages",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "address-spaces",
     .fact = "A8",
     .sentence = "each process has its own tables: the same address holds different data in two",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .check = lab_check_address_spaces},
    {.name = "rodata",
     .fact = "A9",
     .key = "a program writes to a constant",
     .sentence = "a constant lies in .rodata, mapped read-only: who writes to it gets SIGSEGV",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "supervisor",
     .fact = "A10",
     .key = "a program reads the kernel's memory",
     .sentence = "the kernel is mapped, but not for programs (U/S): who touches it gets SIGSEGV",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "uncached",
     .fact = "A11",
     .key = "a load, uncached (PCD) ",
     .sentence = "PCD/PWT/PAT in an entry make a page uncached; measured latency shows it",
     .check = check_uncached},
    {.name = "switch",
     .fact = "A12",
     .key = "two turns and two switches of processes",
     .sentence = "a process switch flushes TLB entries that are not global, a thread switch does not",
     .machines = {{"64 MiB, an L2 TLB of 512 entries",
                   {"machine.ram=64MiB", "tlb.l2.entries=512", "tlb.l2.ways=4"}}},
     .check = lab_check_switch},
    {.name = "pcid",
     .fact = "A12",
     .key = "with PCIDs: 0 walks",
     .sentence = "with PCIDs, which 64-bit mode has, a process switch leaves the TLB as it is",
     .machines = {{"64 MiB, an L2 TLB of 512 entries",
                   {"machine.ram=64MiB", "tlb.l2.entries=512", "tlb.l2.ways=4"}}},
     .check = lab_check_pcid},
    {.name = "addresses",
     .fact = "A13",
     .key = "ff, written there",
     .sentence = "one byte has three addresses: physical 0, virtual 0xC0000000, bus 0x80000000",
     .machines = {{"a machine with dma.bus_offset = 2 GiB",
                   {"dma.bus_offset=2048MiB", "dma.address_bits=64", "machine.ram=64MiB"}}}},
    {.name = "segmentation",
     .fact = "A14",
     .sentence = "segments fragment memory externally, pages internally: the same sequence both ways",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "dma-coherence",
     .fact = "D1",
     .key = "flushed",
     .sentence = "three ways to be coherent: uncached memory, hardware that snoops, a driver that flushes",
     .machines = {{"a machine that snoops", {"dma.coherence=snoop", "machine.ram=64MiB"}},
                  {"a machine that does not snoop", {"dma.coherence=none", "machine.ram=64MiB"}}},
     .check = check_coherence},
    {.name = "dma-stale",
     .fact = "D2",
     .key = "on a machine that does not snoop: a stale read of the device's",
     .sentence =
         "on a machine that does not snoop, a driver that leaves the sync out reads stale data: caught",
     .machines = {{"a machine that snoops", {"dma.coherence=snoop", "machine.ram=64MiB"}},
                  {"a machine that does not snoop",
                   {"dma.coherence=none", "machine.ram=64MiB", "cache.l1d.size=32KiB", "cache.l1d.ways=8",
                    "cache.l2.size=512KiB", "cache.l2.ways=8"}}},
     .check = check_stale},
    {.name = "dma-zone",
     .fact = "D3",
     .sentence = "a 24-bit device needs ZONE_DMA (GFP_DMA) or a bounce buffer",
     .machines = {{"a machine whose engine drives 24 bits",
                   {"dma.address_bits=24", "dma.bus_offset=0KiB", "machine.ram=64MiB"}},
                  {"one that does not snoop either",
                   {"dma.address_bits=24", "dma.bus_offset=0KiB", "dma.coherence=none",
                    "machine.ram=64MiB"}}},
     .check = check_zone},
    {.name = "iommu",
     .fact = "D4",
     .sentence = "scattered frames become contiguous for the device through the IOMMU",
     .machines = {{"a machine with an IOMMU",
                   {"iommu.present=true", "dma.coherence=snoop", "dma.address_bits=64", "dma.bus_offset=0KiB",
                    "machine.ram=64MiB"}},
                  {"one with an IOMMU that does not snoop",
                   {"iommu.present=true", "dma.coherence=none", "dma.address_bits=64", "dma.bus_offset=0KiB",
                    "machine.ram=64MiB"}},
                  {"one without",
                   {"iommu.present=false", "dma.coherence=snoop", "dma.address_bits=64",
                    "dma.bus_offset=0KiB", "machine.ram=64MiB"}}},
     .options = "intel_iommu=on",
     .check = check_iommu},
    {.name = "dma-random",
     .fact = "-",
     .sentence = "the DMA API at random, against a model: flushed, bounced, behind an IOMMU, with highmem",
     .machines =
         {{"a machine that snoops",
           {"dma.coherence=snoop", "dma.address_bits=64", "dma.bus_offset=2048MiB", "machine.ram=64MiB"}},
          {"one that does not snoop",
           {"dma.coherence=none", "cache.l1d.prefetcher=next-line", "cache.l1d.prefetch_degree=4",
            "dma.address_bits=64", "dma.bus_offset=2048MiB", "machine.ram=64MiB"}},
          {"one that does not snoop, with 24 address bits",
           {"dma.coherence=none", "cache.l1d.prefetcher=next-line", "cache.l1d.prefetch_degree=4",
            "dma.address_bits=24", "dma.bus_offset=0KiB", "machine.ram=64MiB"}},
          {"one that does not snoop, with an IOMMU",
           {"dma.coherence=none", "cache.l1d.prefetcher=next-line", "cache.l1d.prefetch_degree=4",
            "dma.address_bits=64", "dma.bus_offset=0KiB", "machine.ram=64MiB", "iommu.present=true"}}},
     .options = "highmem=24M intel_iommu=on",
     .check = check_random},
    {.name = "disk",
     .fact = "-",
     .key = "read by DMA",
     .sentence = "a disk by PIO, where the CPU moves each word, and by its bus master, which does it alone",
     .machines = {{"a machine that snoops", {"dma.coherence=snoop", "machine.ram=64MiB"}},
                  {"a machine that does not snoop", {"dma.coherence=none", "machine.ram=64MiB"}},
                  {"a machine with an IOMMU", {"iommu.present=true", "machine.ram=64MiB"}}},
     .options = "intel_iommu=on",
     .has_disk = true,
     .check = check_disk},
    {.name = "zerocopy",
     .fact = "D5",
     .key = "sendfile, gathered: 2 copies",
     .sentence =
         "from disk to network: read and write copy 4 times, mmap and write 3, sendfile 3, gathered 2",
     .machines = {{"a machine with a network card, which snoops",
                   {"nic.present=true", "nic.wire=loopback", "dma.coherence=snoop", "machine.ram=64MiB"}},
                  {"one whose devices do not snoop",
                   {"nic.present=true", "nic.wire=loopback", "dma.coherence=none", "machine.ram=64MiB"}}},
     .has_disk = true,
     .check = lab_check_zerocopy},
    {.name = "zones",
     .fact = "Z1",
     .sentence = "zones DMA, NORMAL and HIGHMEM; requests fall back downwards, with lowmem reserves",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .options = "highmem=24M"},
    {.name = "highmem",
     .fact = "Z2",
     .sentence = "lowmem is mapped one to one; highmem by kmap, kmap_atomic (fixmap) and vmap",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .options = "highmem=24M"},
    {.name = "bootmem",
     .fact = "Z4",
     .sentence = "memblock before the buddy system exists; mem= keeps RAM away, ioremap reaches it",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .options = "mem=48M"},
    {.name = "buddy",
     .fact = "B1",
     .sentence = "blocks of 1 to 1024 pages, aligned to their size; split downwards, merged when freed",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "fragmentation",
     .fact = "B2",
     .sentence = "big blocks can be rare though much is free; grouping by mobility helps",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "compaction",
     .fact = "B2",
     .sentence = "big blocks can be rare though much is free; compaction moves pages together",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "slab",
     .fact = "S1",
     .sentence = "caches of objects on slabs of pages; constructors, lists, and a fast path that is hot",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "kmalloc",
     .fact = "S2",
     .sentence = "kmalloc gives up to 128 KiB of lowmem; kfree may keep the pages",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "slab-debug",
     .fact = "S3",
     .sentence = "red zones, poison and owner find an overwrite and a use after free, and the culprit",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "vmalloc",
     .fact = "V1",
     .key = "vmalloc of 128 KiB",
     .sentence = "vmalloc: frames not contiguous, from highmem; its cost against kmalloc's",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .options = "highmem=24M"},
    {.name = "limits",
     .fact = "V2",
     .sentence = "kmalloc gives 128 KiB, __get_free_pages 4 MiB, vmalloc as far as its area goes",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "cma",
     .fact = "C1",
     .key = "a page moved",
     .sentence = "a contiguous block in a region that movable pages use: they move, nobody notices",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .options = "cma=16M"},
    {.name = "maps",
     .fact = "F1",
     .key = "every second one",
     .sentence = "areas (start, end, permissions) in an ordered tree; /proc/PID/maps",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "demand",
     .fact = "F2",
     .key = "a write to a page of zeroes",
     .sentence = "mapped memory costs nothing until it is touched: the zero page, then a page each",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "malloc",
     .fact = "F3",
     .key = "writing to it takes",
     .sentence = "glibc: small pieces from the heap, which keeps them; large ones from mmap, which does not",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .options = "root=/dev/hda ro",
     .has_root = true},
    {.name = "starts",
     .fact = "F6",
     .key = "the first time",
     .sentence = "a second start of a program finds it in the page cache: no major faults, and faster",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .options = "root=/dev/hda ro",
     .has_root = true},
    {.name = "sizes",
     .fact = "P1",
     .key = "process 1 has",
     .sentence =
         "VSS >= RSS >= PSS >= USS, of three processes that share a program's and the C library's code",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .options = "root=/dev/hda ro",
     .has_root = true},
    {.name = "leak",
     .fact = "P2",
     .key = "what leaks has",
     .sentence = "the USS of a program that leaks rises at every look, that of another swings and returns",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .options = "root=/dev/hda ro",
     .has_root = true},
    {.name = "clones",
     .fact = "F5",
     .key = "fork of the large",
     .sentence = "fork's cost grows with the program's memory, pthread_create's does not",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .options = "root=/dev/hda ro",
     .has_root = true},
    {.name = "cow",
     .fact = "F5",
     .key = "fork of one with",
     .sentence = "fork copies page tables, not pages; copy on write; its cost grows with the parent",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "kernel-memory",
     .fact = "L1",
     .sentence = "kernel calls for kernel memory get it at once; only user memory is lazy",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .check = lab_check_kernel_memory},
    {.name = "faults",
     .fact = "F4",
     .sentence =
         "faults outside of areas, against permissions, on the kernel: SIGSEGV; in system calls: EFAULT",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "areas",
     .fact = "F8",
     .key = "256 pages of stack",
     .sentence = "the stack grows on fault; mremap, mprotect, munmap, and fork, at random against a model",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "tasks",
     .fact = "T1",
     .sentence = "tasks on a list, in a tree, in a hash; states; zombies, orphans, threads; numbers",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "files",
     .fact = "T7",
     .sentence = "inodes and names, hard and symbolic links, mounts, flock and fcntl locks",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "pipes",
     .fact = "T6",
     .sentence = "pipes and FIFOs: what they hold, their ends, SIGPIPE; poll, select, sendfile",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "forkbomb",
     .fact = "-",
     .sentence = "a program that only copies itself, under a limit of processes: the machine goes on",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "stress",
     .fact = "-",
     .sentence = "many processes map, move, protect, write and fork at random, against models",
     .machines = {{"24 MiB", {"machine.ram=24MiB"}}, {"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "cache",
     .fact = "R1",
     .sentence = "pages of files, blocks of devices, and anonymous pages; what free says, and is available",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .options = "root=/dev/hda",
     .has_root = true},
    {.name = "copies",
     .fact = "R2",
     .sentence = "read() and write() copy between the page cache and a buffer, a mapping does not: counted",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .options = "root=/dev/hda",
     .has_root = true,
     .check = check_copies},
    {.name = "swap",
     .fact = "R6",
     .key = "a major fault",
     .sentence = "pages that are not used wait on a disk; a major fault brings one back",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .has_disk = true},
    {.name = "zram",
     .fact = "R7",
     .key = "compressed to",
     .sentence = "swap in memory, compressed: memory won, cycles paid, no disk",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .options = "zram=16M"},
    {.name = "dirty",
     .fact = "R8",
     .sentence =
         "dirty pages: the flusher and its four settings, writers that are stopped, sync, drop_caches",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .options = "root=/dev/hda",
     .has_root = true,
     .check = check_dirty},
    {.name = "lru",
     .fact = "R3",
     .sentence = "of 4 pages used as 1 2 3 4 1 2 5, 3 goes; a pass over a big file spares the working set",
     .machines = {{"32 MiB", {"machine.ram=32MiB"}}}},
    {.name = "watermarks",
     .fact = "R4",
     .key = "his delay",
     .sentence = "kswapd works between low and high, and nobody waits; below min, who asks reclaims himself",
     .machines = {{"32 MiB", {"machine.ram=32MiB"}}},
     .has_timeline = true,
     .check = lab_check_watermarks},
    {.name = "swappiness",
     .fact = "R5",
     .sentence = "swappiness moves reclaim between pages of files and pages of processes",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .has_disk = true},
    {.name = "oom",
     .fact = "R9",
     .sentence = "points are pages and oom_score_adj; the highest is ended, one with -1000 never; oom_adj",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}}},
    {.name = "memcg",
     .fact = "R9",
     .sentence = "memory cgroups: a limit reclaims, and ends processes, inside the group only",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .has_disk = true},
    {.name = "memcgswap",
     .fact = "R5",
     .key = "pages of the process in swap",
     .sentence = "a memory cgroup's swappiness says what goes at its limit: pages of processes or of files",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .options = "zram=16M",
     .has_disk = true},
    {.name = "delays",
     .fact = "R10",
     .sentence = "what tasks wait for: CPU, disk, swap, reclaim; pressure; sums are the time that went by",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .has_disk = true},
    {.name = "boot",
     .fact = "T8",
     .key = "what only the boot",
     .sentence = "from the entry to the first task: each step of the boot, with its cycle",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .shows_steps = true,
     .check = lab_check_boot},
    {.name = "oops",
     .fact = "T9",
     .sentence = "a bad pointer of the kernel's: registers, call trace and names, and the end (status 82)",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .panics = true,
     .check = lab_check_oops},
    {.name = "bug",
     .fact = "T9",
     .sentence = "BUG(): the line in the source, then the same",
     .machines = {{"64 MiB", {"machine.ram=64MiB"}}},
     .panics = true,
     .check = lab_check_bug},
};
const unsigned nr_lab_rows = sizeof lab_rows / sizeof *lab_rows;
