/* D5: how often a file's bytes are copied on their way from the disk to the network card. */
#include "sim/lab_checks.h"

#include <stdio.h>

enum { ZEROCOPY_BYTES = 15 * 4096, STORE_BYTES = 4 }; /* guest/user/zerocopy.c; of REP MOVSD */

/* A way of the guest's, and what it costs, as the fact says. */
static const struct zerocopy_way {
    const char *name;
    unsigned nr_cpu_copies, nr_switches;
} zerocopy_ways[] = {
    {"read, write", 2, 4},
    {"mmap, write", 1, 4},
    {"sendfile", 1, 2},
    {"sendfile, gathered", 0, 2},
};
enum { NR_WAYS = sizeof zerocopy_ways / sizeof *zerocopy_ways };

static uint64_t count_of(const struct lab_outcome *outcome, const char *way, const char *stretch,
                         enum lab_counter counter)
{
    char region[80];
    snprintf(region, sizeof region, "%s, %s", way, stretch);
    return lab_count(outcome, region, counter);
}

/* How many times the bytes there are, rounded to the nearest. */
static unsigned times(uint64_t bytes)
{
    return (unsigned)((bytes + ZEROCOPY_BYTES / 2) / ZEROCOPY_BYTES);
}

/*
 * The CPU's copies, by its stores, from the page cache, where no disk is driven: what a way does besides
 * copying is what the way does that copies nothing. That this is so its own stores tell, which are too few.
 */
static unsigned cpu_copies(const struct lab_outcome *outcome, const char *way)
{
    uint64_t gathered = count_of(outcome, zerocopy_ways[NR_WAYS - 1].name, "cache", LAB_STORES);
    uint64_t stores = count_of(outcome, way, "cache", LAB_STORES);
    if (stores > gathered)
        return times((stores - gathered) * STORE_BYTES);
    return (unsigned)(stores * STORE_BYTES / ZEROCOPY_BYTES);
}

static void check_way(struct lab_result *result, const struct lab_outcome *outcome,
                      const struct zerocopy_way *way)
{
    uint64_t calls = count_of(outcome, way->name, "disk", LAB_SYSTEM_CALLS);
    unsigned by_disk = times(count_of(outcome, way->name, "disk, sent", LAB_DISK_DMA));
    unsigned by_card = times(count_of(outcome, way->name, "disk, sent", LAB_NIC_DMA));
    unsigned by_cpu = cpu_copies(outcome, way->name);
    lab_claim(result, by_disk == 1 && by_card == 1 && by_cpu == way->nr_cpu_copies,
              "%s: %u copies: %u by the disk, %u by the CPU, %u by the card, on %s", way->name,
              by_disk + by_cpu + by_card, by_disk, by_cpu, by_card, outcome->machine);
    lab_claim(result, 2 * calls == way->nr_switches, "%s: %llu switches between program and kernel, on %s",
              way->name, 2 * (unsigned long long)calls, outcome->machine);
}

void lab_check_zerocopy(struct lab_result *result)
{
    for (unsigned i = 0; i < result->nr_outcomes; i++) {
        const struct lab_outcome *outcome = &result->outcomes[i];
        for (unsigned j = 0; j < NR_WAYS; j++)
            check_way(result, outcome, &zerocopy_ways[j]);
        lab_claim(result, outcome->nr_stale == 0, "on %s: no stale reads, no lost updates", outcome->machine);
    }
}
