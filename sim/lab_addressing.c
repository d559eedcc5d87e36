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
