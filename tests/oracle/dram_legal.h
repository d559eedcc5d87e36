/*
 * Whether a stream of commands keeps the standard's distances, pair by pair: a third statement of the rules,
 * which knows nothing of accesses, answers or the order in which anything is decided.
 */
#ifndef LK_TESTS_ORACLE_DRAM_LEGAL_H
#define LK_TESTS_ORACLE_DRAM_LEGAL_H

#include "tests/oracle/naive_dram.h"

enum { DRAM_LEGAL_PAST = 96 };

struct dram_legal {
    const struct naive_dram_config *config;
    struct naive_dram_sent past[DRAM_LEGAL_PAST]; /* the last commands of all channels, a ring */
    uint64_t nr_sent, nr_pairs;
    const char *broken; /* the first rule that was broken, or NULL */
    struct naive_dram_sent first, second;
};

/* For naive_dram's `watch`. */
void dram_legal_watch(void *legal, const struct naive_dram_sent *sent);

#endif
