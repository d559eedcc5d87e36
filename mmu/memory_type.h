/*
 * Memory types: what the MTRRs and the PAT say of an address, and how an access to memory of a type uses the
 * caches (SDM 3A 11.3, 11.11, 11.12).
 */
#ifndef LK_MMU_MEMORY_TYPE_H
#define LK_MMU_MEMORY_TYPE_H

#include "cache/cache.h"
#include "sim/base/addr.h"

#include <stdbool.h>
#include <stdint.h>

/* As the MSRs encode them (SDM 3A table 11-10). */
enum memory_type {
    MEMORY_UC = 0,
    MEMORY_WC = 1,
    MEMORY_WT = 4,
    MEMORY_WP = 5,
    MEMORY_WB = 6,
    MEMORY_UC_MINUS = 7, /* in the PAT only */
};

enum { NR_FIXED_MTRRS = 11, NR_VARIABLE_MTRRS = 8 };

struct memory_types {
    uint64_t pat, default_type;
    uint64_t fixed[NR_FIXED_MTRRS]; /* 64 KiB, 16 KiB twice, 4 KiB eight times; a byte for each part */
    uint64_t base[NR_VARIABLE_MTRRS], mask[NR_VARIABLE_MTRRS];
    /* What follows from the above: between these addresses the MTRRs say WB; a bit for each WB of the PAT. */
    uint64_t plain_from, plain_to;
    unsigned plain_pats;
    unsigned physical_bits;
};

/* As firmware leaves them: everything WB but the hole below 1 MiB and the last GiB below 4 GiB. */
void memory_types_init(struct memory_types *types, unsigned physical_bits);

/* RDMSR and WRMSR of IA32_MTRRCAP, the MTRRs and IA32_PAT. False: #GP. */
bool memory_types_read(const struct memory_types *types, uint32_t msr, uint64_t *value);
bool memory_types_write(struct memory_types *types, uint32_t msr, uint64_t value);

/* Whether the MTRRs say WB, as they do of nearly all RAM, with no look at each of them. */
static inline bool memory_is_plain(const struct memory_types *types, struct paddr at)
{
    return at.v >= types->plain_from && at.v < types->plain_to;
}

/* What the MTRRs alone say. */
enum memory_type memory_type_by_mtrrs(const struct memory_types *types, struct paddr at);

/* Both together, for a page whose entry selects that entry of the PAT. Never UC-. */
enum memory_type memory_type_of_any(const struct memory_types *types, struct paddr at, unsigned pat_index);
static inline enum memory_type memory_type_of(const struct memory_types *types, struct paddr at,
                                              unsigned pat_index)
{
    if (memory_is_plain(types, at) && (types->plain_pats >> pat_index & 1))
        return MEMORY_WB;
    return memory_type_of_any(types, at, pat_index);
}

/* How an access uses the caches; no_fill is CR0.CD (SDM 3A table 11-5). */
enum cache_use memory_cache_use_of_any(enum memory_type type, bool no_fill, bool is_write);
static inline enum cache_use memory_cache_use(enum memory_type type, bool no_fill, bool is_write)
{
    return type == MEMORY_WB && !no_fill ? CACHE_USE_ALL : memory_cache_use_of_any(type, no_fill, is_write);
}

/* Their state, for checkpoints (sim/base/snap.h). */
struct snap;
void memory_types_snap(struct memory_types *types, struct snap *snap);

#endif
