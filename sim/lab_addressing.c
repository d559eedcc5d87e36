/* Labs about segments, page tables and TLBs: what is to be seen from outside. */
#include "sim/lab_checks.h"

#include <inttypes.h>

/* An access by a segment register reads no descriptor; a load of one reads one. */
void lab_check_hidden_part(struct lab_result *result)
{
    enum { NR_ACCESSES = 1024 }; /* guest/labs/hidden_part.c */
    const struct lab_outcome *outcome = &result->outcomes[0];
    uint64_t idle = lab_count(outcome, "1024 accesses by FS", LAB_DESCRIPTOR_READS),
             loads = lab_count(outcome, "1024 loads of FS", LAB_DESCRIPTOR_READS);
    lab_claim(result, lab_count(outcome, "1024 accesses by FS", LAB_INSTRUCTIONS) > NR_ACCESSES && idle == 0,
              "%d accesses by FS: %" PRIu64 " descriptors read", NR_ACCESSES, idle);
    lab_claim(result, loads == NR_ACCESSES, "%d loads of FS: %" PRIu64 " descriptors read", NR_ACCESSES,
              loads);
}

/*
 * On the way in the processor reads the gate and the descriptors of the kernel's CS and SS, on the way out
 * those of the program's CS and SS; what else there is the kernel loads itself.
 */
void lab_check_privilege(struct lab_result *result)
{
    enum { NR_CALLS = 64, READS_OF_CPU = 5, LOADS_OF_CPU = 4 }; /* guest/user/privilege.c */
    const struct lab_outcome *outcome = &result->outcomes[0];
    uint64_t reads = lab_count(outcome, "64 system calls", LAB_DESCRIPTOR_READS),
             loads = lab_count(outcome, "64 system calls", LAB_SEGMENT_LOADS);
    lab_claim(result,
              reads >= (uint64_t)NR_CALLS * READS_OF_CPU && loads >= (uint64_t)NR_CALLS * LOADS_OF_CPU,
              "a system call loads %" PRIu64 " segment registers and reads %" PRIu64 " descriptors",
              loads / NR_CALLS, reads / NR_CALLS);
}

/* Loads that the TLB translates, and loads that walk, each through so many entries. */
static void check_walks(struct lab_result *result, const char *translated, const char *flushed,
                        unsigned nr_entries)
{
    enum { NR_LOADS = 64 }; /* guest/labs/walk.c, long_mode_code.S */
    const struct lab_outcome *outcome = &result->outcomes[0];
    uint64_t walks = lab_count(outcome, flushed, LAB_WALKS),
             reads = lab_count(outcome, flushed, LAB_WALK_READS),
             idle = lab_count(outcome, translated, LAB_WALKS);
    lab_claim(result, lab_count(outcome, translated, LAB_INSTRUCTIONS) > NR_LOADS && idle < NR_LOADS / 4,
              "%d loads that the TLB translates: %" PRIu64 " walks", NR_LOADS, idle);
    lab_claim(result, walks >= NR_LOADS && walks < NR_LOADS + NR_LOADS / 4,
              "%d loads, each after INVLPG: %" PRIu64 " walks", NR_LOADS, walks);
    lab_claim(result, walks > 0 && reads == walks * nr_entries, "they read %" PRIu64 " entries, %u each",
              reads, nr_entries);
}

/*
 * A walk of the guest's two or three levels reads two entries: PAE's first level is in the processor
 * since CR3 was loaded.
 */
void lab_check_walk(struct lab_result *result)
{
    check_walks(result, "64 loads", "64 loads, each after INVLPG", 2);
}

void lab_check_walk64(struct lab_result *result)
{
    check_walks(result, "64 loads in 64-bit mode", "64 loads in 64-bit mode, each after INVLPG", 4);
}

/*
 * A turn reads 16 pages; what the kernel needs for a switch is global, so that the pages of the program
 * that must be walked to are those and a few for its code and stack.
 */
void lab_check_switch(struct lab_result *result)
{
    enum { NR_TURNS = 2 * 64, NR_PAGES = 16, NR_OTHER_PAGES = 3 }; /* guest/user/switch.c */
    static const char *const threads = "64 turns, two threads", *const processes = "64 turns, two processes";
    const struct lab_outcome *outcome = &result->outcomes[0];
    uint64_t flushes = lab_count(outcome, processes, LAB_TLB_FLUSHES),
             walks = lab_count(outcome, processes, LAB_WALKS),
             walks_of_threads = lab_count(outcome, threads, LAB_WALKS);
    lab_claim(result, flushes >= NR_TURNS && walks >= NR_TURNS * NR_PAGES,
              "%d turns of two processes: the TLB was flushed %" PRIu64 " times, %" PRIu64 " walks", NR_TURNS,
              flushes, walks);
    lab_claim(result, walks > 0 && walks <= NR_TURNS * (NR_PAGES + NR_OTHER_PAGES),
              "after a flush, %d pages and at most %d others are walked to: the kernel's are global",
              NR_PAGES, NR_OTHER_PAGES);
    lab_claim(result,
              lab_count(outcome, threads, LAB_INSTRUCTIONS) > NR_TURNS && walks_of_threads < NR_TURNS / 4,
              "%d turns of two threads: %" PRIu64 " walks", NR_TURNS, walks_of_threads);
    lab_claim(result, lab_count(outcome, threads, LAB_TLB_FLUSHES) < NR_TURNS / 4,
              "the TLB was flushed %" PRIu64 " times", lab_count(outcome, threads, LAB_TLB_FLUSHES));
}

/* 16 pages are read after each switch: all of them are walked to, or none. */
void lab_check_pcid(struct lab_result *result)
{
    enum { NR_SWITCHES = 64, NR_PAGES = 16 }; /* guest/labs/long_mode_code.S */
    static const char *const plain = "64 switches, each drops all", *const tagged = "64 switches with PCIDs";
    const struct lab_outcome *outcome = &result->outcomes[0];
    uint64_t walks = lab_count(outcome, plain, LAB_WALKS),
             walks_tagged = lab_count(outcome, tagged, LAB_WALKS),
             cycles = lab_count(outcome, plain, LAB_CYCLES),
             cycles_tagged = lab_count(outcome, tagged, LAB_CYCLES);
    lab_claim(result, walks >= NR_SWITCHES * NR_PAGES,
              "%d switches without PCIDs, then %d pages: %" PRIu64 " walks", NR_SWITCHES, NR_PAGES, walks);
    lab_claim(result,
              lab_count(outcome, tagged, LAB_INSTRUCTIONS) > NR_SWITCHES && walks_tagged < NR_SWITCHES,
              "with PCIDs: %" PRIu64 " walks", walks_tagged);
    lab_claim(result, cycles_tagged > 0 && cycles > cycles_tagged,
              "%" PRIu64 " cycles without PCIDs, %" PRIu64 " with them", cycles, cycles_tagged);
}

/* Each load of CR3 drops what the TLB knows of the other process. */
void lab_check_address_spaces(struct lab_result *result)
{
    enum { NR_SWITCHES = 64 }; /* guest/labs/page_tables.c */
    const struct lab_outcome *outcome = &result->outcomes[0];
    uint64_t flushes = lab_count(outcome, "64 switches", LAB_TLB_FLUSHES),
             walks = lab_count(outcome, "64 switches", LAB_WALKS);
    lab_claim(result, flushes == NR_SWITCHES && walks >= NR_SWITCHES,
              "%d switches: the TLB was flushed %" PRIu64 " times, %" PRIu64 " walks followed", NR_SWITCHES,
              flushes, walks);
}

void lab_check_kernel_memory(struct lab_result *result)
{
    enum { NR_PAGES = 256 }; /* guest/labs/kernel_memory.c */
    const struct lab_outcome *outcome = &result->outcomes[0];
    static const struct {
        const char *region;
        uint64_t faults;
    } regions[] = {{"touching kmalloc's pages", 0},
                   {"touching vmalloc's pages", 0},
                   {"touching the process's pages", NR_PAGES},
                   {"touching them again", 0}};
    for (unsigned i = 0; i < sizeof regions / sizeof *regions; i++) {
        uint64_t faults = lab_count(outcome, regions[i].region, LAB_PAGE_FAULTS);
        lab_claim(result,
                  lab_count(outcome, regions[i].region, LAB_INSTRUCTIONS) > 0 && faults == regions[i].faults,
                  "%s: %" PRIu64 " page faults", regions[i].region, faults);
    }
}
