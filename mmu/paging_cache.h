/*
 * The paging-structure caches of a paging unit (SDM 3A 4.10.3): where a walk may begin further down than at
 * the root, and what a walk leaves for the next one. Their contents are architectural, as those of TLBs are:
 * what is in here is used, however stale.
 */
#ifndef LK_MMU_PAGING_CACHE_H
#define LK_MMU_PAGING_CACHE_H

#include "mmu/paging.h"
#include "tlb/tlb.h"

struct paging_caches {
    unsigned nr;
    struct tlb *of[NR_TLB_STRUCTURES]; /* NULL where there is none; not owned */
};

void paging_caches_init(struct paging_caches *caches, struct tlb *const of[NR_TLB_STRUCTURES]);

/*
 * Looks for the deepest table on the way to `linear` that is known for the PCID. Each cache that the kind of
 * paging has a use for is asked (and counts) until one has it. False: the walk begins at the root.
 */
bool paging_caches_find(struct paging_caches *caches, const struct paging_mode *mode, unsigned pcid,
                        struct laddr linear, struct walk_start *start);

/*
 * Puts in what a walk that found its page has read on the way to it. All these entries are present, have no
 * reserved bits set, and are marked as accessed, which is what the manual asks for (SDM 3A 4.10.3.1). `start`
 * is where it began; NULL: at the root.
 */
void paging_caches_learn(struct paging_caches *caches, unsigned pcid, const struct walk *walk,
                         const struct walk_start *start);

#endif
