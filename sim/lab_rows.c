/* Which labs there are. */
#include "sim/lab.h"

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

/* ---- The rows ---- */

const struct lab_row lab_rows[] = {
    {.name = "latency",
     .fact = "-",
     .sentence = "what a load takes, against the size of what it works on: each level's plateau",
     .run = lab_latency},
    {.name = "uncached",
     .fact = "A11",
     .sentence = "PCD/PWT/PAT in an entry make a page uncached; measured latency shows it",
     .check = check_uncached},
    {.name = "addresses",
     .fact = "A13",
     .sentence = "one byte has several addresses: physical 0, virtual 0xC0000000",
     .check = NULL},
};
const unsigned nr_lab_rows = sizeof lab_rows / sizeof *lab_rows;
