/*
 * The paging unit of a core: TLBs, the page walker, and what they read through. Linear address in,
 * guest-physical address or page fault out, with the cycles that this takes. The walker is a requester like
 * any other: it reads entries through the caches.
 *
 * In functional mode there are no TLBs, caches or cycles: every call walks.
 */
#ifndef LK_MMU_MMU_H
#define LK_MMU_MMU_H

#include "cache/cache.h"
#include "mmu/memory_type.h"
#include "mmu/paging.h"
#include "mmu/paging_cache.h"
#include "sim/base/ram.h"
#include "tlb/tlb.h"

enum { MMU_MAX_WALKERS = 16 };

struct mmu_params {
    bool is_timed;
    struct tlb *itlb, *dtlb, *l2_tlb;         /* all NULL when not timed; owned by the caller */
    struct tlb *structure[NR_TLB_STRUCTURES]; /* paging-structure caches; NULL where there is none */
    cycle_t l2_tlb_latency_cycles;
    unsigned nr_walkers; /* at most MMU_MAX_WALKERS; 0: as many as there are walks */
    /* Accesses go on while a walk is under way: what it puts in the TLBs is not there before its end. */
    bool is_hit_under_walk;
    struct cache *walk_cache;      /* in which the walker looks first; NULL when not timed */
    struct cache_content *content; /* NULL: there are no devices that do not snoop */
    struct ram *ram;
    unsigned physical_bits; /* MAXPHYADDR */
    /* Called after the walker has written an entry, for whoever caches what lies there (decoded code). */
    void (*entry_written)(void *opaque, struct paddr at);
    /* Called after each request of the walker to its cache, for observers; NULL where there is none. */
    void (*requested)(void *opaque, struct paddr at, enum cache_use use, bool is_write, cycle_t now,
                      struct cache_answer answer);
    void *opaque;
};

struct mmu_stats {
#define STAT(name, unit, sentence) uint64_t name;
#include "mmu/mmu_stats.def"
#undef STAT
};

struct mmu {
    struct mmu_params params;
    struct paging_mode mode;
    struct memory_types types;
    struct mmu_stats stats;
    struct paging_caches caches;
    cycle_t walker_free[MMU_MAX_WALKERS]; /* when each can begin a walk */
    struct walk last_walk;                /* for traces and windows */
    struct walk
        refuted; /* the last that began below the root and faulted, before last_walk confirmed it or not */
    uint64_t nr_walks_seen; /* grows with every walk, so that an observer knows whether last_walk is new */
    /*
     * A translation that no TLB holds (paging off, functional mode) is answered here. Its id changes with
     * every flush, and not with every answer: shortcuts to it stay good until then.
     */
    struct tlb_entry untimed;
    uint64_t address_mask; /* of physical addresses: without bit 20 while the A20 gate is closed */
};

enum mmu_found { MMU_FOUND_NOWHERE, MMU_FOUND_L1, MMU_FOUND_L2 };

struct mmu_answer {
    struct tlb_entry *entry; /* NULL: a page fault */
    uint32_t error_code;     /* of the page fault */
    enum mmu_found
        found_in;  /* the TLB that held the page, even if a walk had to confirm or change what it says */
    cycle_t ready; /* the cycle in which the translation (or the fault) is known */
};

/* The process-context identifier whose entries are used and made (SDM 3A 4.10.1). */
static inline unsigned mmu_pcid(const struct mmu *mmu)
{
    return mmu->mode.cr4 & CR4_PCIDE ? (unsigned)(mmu->mode.cr3 & CR3_PCID) : 0;
}

void mmu_init(struct mmu *mmu, const struct mmu_params *params);

/* Translates one access made in cycle `now`. Counts it, and leaves what it learnt in the TLBs. */
struct mmu_answer mmu_translate(struct mmu *mmu, struct laddr at, enum mmu_access access,
                                enum mmu_asker asker, cycle_t now) __attribute__((warn_unused_result));

static inline struct paddr mmu_physical(const struct mmu *mmu, const struct tlb_entry *entry, struct laddr at)
{
    uint64_t address = entry->frame.v + (at.v & ((1ull << tlb_page_shift(entry->page)) - 1));
    return paddr(address & mmu->address_mask);
}

/*
 * The A20 gate opened or closed. TLBs hold what the tables say; the mask is applied behind them, and to the
 * walker's own addresses.
 */
void mmu_set_a20(struct mmu *mmu, bool is_open);

/* How an access of the core to an address that an entry translates uses the caches. */
static inline enum memory_type mmu_memory_type(const struct mmu *mmu, const struct tlb_entry *entry,
                                               struct paddr at)
{
    if (!(mmu->mode.cr0 & CR0_PG))
        return memory_type_by_mtrrs(&mmu->types, at);
    return memory_type_of(&mmu->types, at, entry->pat_index);
}

static inline enum cache_use mmu_cache_use(const struct mmu *mmu, enum memory_type type, bool is_write)
{
    return memory_cache_use(type, mmu->mode.cr0 & CR0_CD, is_write);
}

/* A write to CR0, CR3 or CR4 took effect: drops what the manual says (SDM 3A 4.10.4.1). */
void mmu_set_mode(struct mmu *mmu, const struct paging_mode *mode);

/*
 * A write to CR3, even with the value that it has; `mode` has it, and the PDPTEs that came with it. Drops the
 * entries of the PCID that it names, unless it says that they are to be kept (SDM 3A 4.10.4.1).
 */
void mmu_load_cr3(struct mmu *mmu, const struct paging_mode *mode, bool keeps_entries);

/* INVLPG. */
void mmu_invalidate(struct mmu *mmu, struct laddr at);

/* What a page fault drops (SDM 3A 4.10.4.1). */
void mmu_drop_faulted(struct mmu *mmu, struct laddr at);

/*
 * What is to be dropped from TLBs and paging-structure caches. The first four are INVPCID's types (SDM 2A
 * INVPCID). Nothing in a paging-structure cache is global (SDM 3A 4.10.2.4).
 */
enum mmu_drop {
    MMU_DROP_ADDRESS,        /* what is not global, of one page and PCID */
    MMU_DROP_CONTEXT,        /* what is not global, of a PCID */
    MMU_DROP_ALL,            /* everything, global or not */
    MMU_DROP_ALL_BUT_GLOBAL, /* of all PCIDs */
    MMU_DROP_PAGE,    /* INVLPG: of one page, global or not, and all paging-structure entries of the PCID */
    MMU_DROP_FAULTED, /* of one page, global or not, with what the walk to it used */
    NR_INVPCID_TYPES = MMU_DROP_ALL_BUT_GLOBAL + 1,
};
void mmu_drop(struct mmu *mmu, enum mmu_drop what, unsigned pcid, struct laddr at);

/* What the tables in memory say, with no effect on anything: for debuggers, windows and reports. */
bool mmu_peek(const struct mmu *mmu, struct laddr at, struct walk *walk, struct paddr *physical);

bool mmu_register_stats(struct mmu *mmu, struct stat_registry *registry, const char *path);

/* Their state, for checkpoints (sim/base/snap.h). */
struct snap;
void mmu_snap(struct mmu *mmu, struct snap *snap);
void paging_mode_snap(struct paging_mode *mode, struct snap *snap);

#endif
