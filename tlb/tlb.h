/*
 * A translation lookaside buffer: one or two arrays, each set-associative and holding one or more page sizes
 * (a split L1 as the P6 has it: one array for 4 KiB pages, one for all larger pages; a shared L2: one array
 * for all). Its contents are architectural: what is in here is used, however stale (SDM 3A 4.10).
 *
 * Recency is kept as the number of the use: a hit anywhere is one store. So the CPU may keep host-side
 * shortcuts to entries: while the entry still has the id that the shortcut remembers, a hit through it counts
 * the TLB's clock up by one and stores the new count in `last_use`, which is all that tlb_lookup does for a
 * hit, but for the search. No policy asks for more: LRU and the tree of PLRU follow from the order of the
 * last uses, FIFO from that of the ids, and random replacement remembers nothing of hits.
 */
#ifndef LK_TLB_TLB_H
#define LK_TLB_TLB_H

#include "sim/base/addr.h"
#include "sim/base/stats.h"

enum { TLB_MAX_ARRAYS = 2 };

/* Page sizes, as bits of a set; the last two are only those of what a paging-structure entry spans. */
enum tlb_page {
    TLB_PAGE_4K = 1,
    TLB_PAGE_4M = 2,
    TLB_PAGE_2M = 4,
    TLB_PAGE_1G = 8,
    TLB_PAGES_LARGE = TLB_PAGE_4M | TLB_PAGE_2M | TLB_PAGE_1G,
    TLB_SPAN_512G = 16,
    TLB_SPAN_256T = 32,
};

/*
 * The paging-structure caches (SDM 3A 4.10.3.1), by the entry that they hold, the deepest first. Each is a
 * TLB of its own: the page of an entry is what the paging-structure entry spans, its frame the table that it
 * leads to, its flags the rights that it and all above it leave, its pat_index that of accesses to the table.
 */
enum tlb_structure { TLB_PDE, TLB_PDPTE, TLB_PML4E, TLB_PML5E, NR_TLB_STRUCTURES };

enum tlb_flag {
    TLB_USER = 1,
    TLB_WRITABLE = 2,
    TLB_DIRTY = 4, /* the dirty bit in memory is known to be set */
    TLB_GLOBAL = 8,
    TLB_NO_EXECUTE = 16,
};

struct tlb_entry {
    uint64_t page_number; /* linear address / page size */
    struct paddr frame;   /* where the page begins */
    enum tlb_page page;
    unsigned flags;    /* TLB_* */
    uint16_t pcid;     /* whose it is, unless it is global (SDM 3A 4.10.1) */
    uint8_t pat_index; /* what the entry in memory says of the memory type (SDM 3A 4.9.2) */
    bool is_listed;    /* the TLB's own */
    cycle_t ready;     /* the translation is not known before; the TLB itself does not look at it */
    uint64_t id;       /* never the same twice, and larger with each fill; 0: the way is empty */
    uint64_t last_use; /* the TLB's clock at the last hit or fill; of an empty way, from when it was not */
};

/* Which entry of a full set goes (docs/memory.md, "Translation"); numbered as the words of the key. */
enum tlb_replacement { TLB_LRU, TLB_PLRU, TLB_RANDOM, TLB_FIFO };

struct tlb_array_params {
    uint64_t nr_entries, nr_ways;     /* entries is a multiple of ways; any number of sets */
    unsigned pages;                   /* TLB_PAGE_* ORed */
    enum tlb_replacement replacement; /* TLB_PLRU: ways are a power of two */
    uint64_t seed;                    /* TLB_RANDOM: the generator's first state, not 0 */
};

struct tlb_params {
    unsigned nr_arrays;
    struct tlb_array_params array[TLB_MAX_ARRAYS];
};

struct tlb_stats {
#define STAT(name, unit, sentence) uint64_t name;
#include "tlb/tlb_stats.def"
#undef STAT
};

struct tlb;

/* NULL when memory is short. */
struct tlb *tlb_create(const struct tlb_params *params);
void tlb_destroy(struct tlb *tlb);

static inline unsigned tlb_page_shift(enum tlb_page page)
{
    return page == TLB_PAGE_4K     ? 12
           : page == TLB_PAGE_2M   ? 21
           : page == TLB_PAGE_4M   ? 22
           : page == TLB_PAGE_1G   ? 30
           : page == TLB_SPAN_512G ? 39
                                   : 48;
}

/*
 * Looks `at` up for the process-context identifier that is current (SDM 3A 4.10.1), counts, and makes the
 * entry that hits the most recently used of its set. NULL on a miss. The entry stays where it is until it is
 * replaced or dropped.
 */
struct tlb_entry *tlb_lookup(struct tlb *tlb, struct laddr at, unsigned pcid);

/* The same where a shortcut says that `entry` is what would be found. */
void tlb_hit(struct tlb *tlb, struct tlb_entry *entry);

/*
 * Puts an entry in (id and last_use are given here), in place of one of the same page, else in the first
 * empty way of its set, else of the entry that the policy names, and returns it.
 */
struct tlb_entry *tlb_fill(struct tlb *tlb, const struct tlb_entry *entry);

/* The same where tlb_lookup has just missed that page for that PCID: it is not looked for again. */
struct tlb_entry *tlb_fill_missed(struct tlb *tlb, const struct tlb_entry *entry);

/* Drops all entries, or all that are not global. */
void tlb_flush(struct tlb *tlb, bool keep_global);

/* Drops all entries of one PCID that are not global. */
void tlb_flush_pcid(struct tlb *tlb, unsigned pcid);

/* Drops what translates `at` for a PCID, of any page size; and global entries, unless they are to be kept. */
void tlb_invalidate(struct tlb *tlb, struct laddr at, unsigned pcid, bool keep_global);

/*
 * The clock that shortcuts count up. What they did since the last call becomes accesses and hits by
 * tlb_settle; how many that are is tlb_nr_shortcuts. Uses of an entry that is in no TLB may count it up too:
 * tlb_discard_shortcuts.
 */
uint64_t *tlb_clock(struct tlb *tlb);
uint64_t tlb_nr_shortcuts(const struct tlb *tlb);
void tlb_settle(struct tlb *tlb);
void tlb_discard_shortcuts(struct tlb *tlb);

const struct tlb_stats *tlb_stats(const struct tlb *tlb);
bool tlb_register_stats(struct tlb *tlb, struct stat_registry *registry, const char *path);

/*
 * For windows and tests. The entry in a way of a set of an array, the most recently used first; id 0 when
 * empty.
 */
const struct tlb_params *tlb_params(const struct tlb *tlb);
const struct tlb_entry *tlb_view(const struct tlb *tlb, unsigned array, uint64_t set, uint64_t way);

/* For checkpoints (sim/base/snap.h): its state; that of an entry that lies anywhere. */
struct snap;
void tlb_snap(struct tlb *tlb, struct snap *snap);
void tlb_entry_snap(struct tlb_entry *entry, struct snap *snap);
/* The entries are numbered from 1 on. 0: it is not one of them; NULL: there is no such one. */
uint64_t tlb_entry_number(const struct tlb *tlb, const struct tlb_entry *entry);
struct tlb_entry *tlb_entry_numbered(struct tlb *tlb, uint64_t number);

#endif
