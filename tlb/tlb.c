#include "tlb/tlb.h"

#include "sim/base/snap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct array {
    uint64_t nr_sets, nr_ways;
    uint64_t random; /* the generator's state */
    enum tlb_replacement replacement;
    unsigned pages;
    unsigned
        pages_held; /* sizes that were put in since the last flush of everything: others are not looked for */
    struct tlb_entry *entries; /* nr_sets x nr_ways */
    /* The entries that may hold something, each once (is_listed): a flush need not look at the others. */
    uint32_t *listed;
    uint64_t nr_listed;
};

struct tlb {
    struct tlb_params params;
    struct tlb_stats stats;
    uint64_t clock;   /* counts uses: lookups that hit, fills, shortcuts */
    uint64_t settled; /* what of it is in the statistics, or is not to be */
    uint64_t last_id;
    struct array array[TLB_MAX_ARRAYS];
};

struct tlb *tlb_create(const struct tlb_params *params)
{
    struct tlb *tlb = calloc(1, sizeof *tlb);
    if (!tlb)
        return NULL;
    tlb->params = *params;
    for (unsigned i = 0; i < params->nr_arrays; i++) {
        const struct tlb_array_params *from = &params->array[i];
        struct array *array = &tlb->array[i];
        array->nr_ways = from->nr_ways;
        array->nr_sets = from->nr_entries / from->nr_ways;
        array->pages = from->pages;
        array->replacement = from->replacement;
        array->random = from->seed;
        array->entries = calloc(from->nr_entries, sizeof *array->entries);
        array->listed = calloc(from->nr_entries, sizeof *array->listed);
        if (!array->entries || !array->listed) {
            tlb_destroy(tlb);
            return NULL;
        }
    }
    return tlb;
}

void tlb_destroy(struct tlb *tlb)
{
    if (!tlb)
        return;
    for (unsigned i = 0; i < TLB_MAX_ARRAYS; i++) {
        free(tlb->array[i].entries);
        free(tlb->array[i].listed);
    }
    free(tlb);
}

/* The first entry of the page's set. Most have a power of two of sets, which needs no division. */
static inline struct tlb_entry *set_of(const struct array *array, uint64_t page_number)
{
    uint64_t mask = array->nr_sets - 1;
    uint64_t set = (array->nr_sets & mask) == 0 ? page_number & mask : page_number % array->nr_sets;
    return &array->entries[set * array->nr_ways];
}

/* The entry that holds the page, or NULL. */
static struct tlb_entry *find(const struct array *array, enum tlb_page page, uint64_t page_number,
                              unsigned pcid)
{
    struct tlb_entry *entries = set_of(array, page_number);
    for (uint64_t way = 0; way < array->nr_ways; way++)
        if (entries[way].page_number == page_number && entries[way].page == page && entries[way].id &&
            (entries[way].pcid == pcid || (entries[way].flags & TLB_GLOBAL)))
            return &entries[way];
    return NULL;
}

/* A use that is no shortcut's. */
static void use(struct tlb *tlb, struct tlb_entry *entry)
{
    entry->last_use = ++tlb->clock;
    tlb->settled++;
}

/* When it was used is of use to a tree of PLRU still. */
static void drop(struct tlb_entry *entry, bool is_listed)
{
    *entry = (struct tlb_entry){.is_listed = is_listed, .last_use = entry->last_use};
}

/* The entry of any page size that translates `at` for a PCID, or NULL. */
static struct tlb_entry *find_any(const struct tlb *tlb, struct laddr at, unsigned pcid)
{
    for (unsigned i = 0; i < tlb->params.nr_arrays; i++) {
        const struct array *array = &tlb->array[i];
        for (unsigned pages = array->pages_held; pages; pages &= pages - 1) {
            enum tlb_page page = pages & -pages;
            struct tlb_entry *entry = find(array, page, at.v >> tlb_page_shift(page), pcid);
            if (entry)
                return entry;
        }
    }
    return NULL;
}

struct tlb_entry *tlb_lookup(struct tlb *tlb, struct laddr at, unsigned pcid)
{
    struct tlb_entry *entry = find_any(tlb, at, pcid);
    if (entry) {
        tlb_hit(tlb, entry);
        return entry;
    }
    tlb->stats.accesses++;
    tlb->stats.misses++;
    return NULL;
}

void tlb_hit(struct tlb *tlb, struct tlb_entry *entry)
{
    tlb->stats.accesses++;
    tlb->stats.hits++;
    use(tlb, entry);
}

/* The first empty way, else the one that was not used for the longest time. */
static struct tlb_entry *longest_unused(const struct array *array, struct tlb_entry *set)
{
    struct tlb_entry *found = set;
    uint64_t oldest = set->id ? set->last_use : 0;
    for (uint64_t way = 1; way < array->nr_ways && oldest > 0; way++) {
        uint64_t last_use = set[way].id ? set[way].last_use : 0;
        if (last_use < oldest) {
            oldest = last_use;
            found = &set[way];
        }
    }
    return found;
}

static struct tlb_entry *filled_first(const struct array *array, struct tlb_entry *set)
{
    struct tlb_entry *found = set;
    for (uint64_t way = 1; way < array->nr_ways; way++)
        found = set[way].id < found->id ? &set[way] : found;
    return found;
}

static uint64_t latest_use(const struct tlb_entry *entries, uint64_t nr)
{
    uint64_t latest = 0;
    for (uint64_t i = 0; i < nr; i++)
        latest = entries[i].last_use > latest ? entries[i].last_use : latest;
    return latest;
}

/* Each bit of the tree points to the half that was not used last; no use yet: to the lower. */
static struct tlb_entry *pointed_at(const struct array *array, struct tlb_entry *set)
{
    for (uint64_t half = array->nr_ways / 2; half > 0; half /= 2)
        set += latest_use(set, half) > latest_use(set + half, half) ? half : 0;
    return set;
}

/* xorshift64 (Marsaglia, "Xorshift RNGs", 2003) */
static struct tlb_entry *any(struct array *array, struct tlb_entry *set)
{
    uint64_t x = array->random;
    assert(array->nr_ways > 0);
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    array->random = x;
    return &set[x % array->nr_ways];
}

static struct tlb_entry *choose_place(struct array *array, struct tlb_entry *set)
{
    if (array->replacement == TLB_LRU)
        return longest_unused(array, set);
    for (uint64_t way = 0; way < array->nr_ways; way++)
        if (!set[way].id)
            return &set[way];
    return array->replacement == TLB_PLRU   ? pointed_at(array, set)
           : array->replacement == TLB_FIFO ? filled_first(array, set)
                                            : any(array, set);
}

/* Where an entry that is not there yet goes. */
static struct tlb_entry *make_room(struct tlb *tlb, struct array *array, uint64_t page_number)
{
    struct tlb_entry *place = choose_place(array, set_of(array, page_number));
    tlb->stats.evictions += place->id != 0;
    if (!place->is_listed)
        array->listed[array->nr_listed++] = (uint32_t)(place - array->entries);
    return place;
}

static struct array *array_for(struct tlb *tlb, enum tlb_page page)
{
    struct array *array = tlb->array;
    while (!(array->pages & page))
        array++;
    return array;
}

static struct tlb_entry *put_in(struct tlb *tlb, struct array *array, struct tlb_entry *place,
                                const struct tlb_entry *entry)
{
    *place = *entry;
    place->is_listed = true;
    place->id = ++tlb->last_id;
    array->pages_held |= entry->page;
    use(tlb, place);
    tlb->stats.fills++;
    return place;
}

struct tlb_entry *tlb_fill(struct tlb *tlb, const struct tlb_entry *entry)
{
    struct array *array = array_for(tlb, entry->page);
    /* A refill (to note a dirty bit, say) takes the place of the old entry of the same page. */
    struct tlb_entry *place = find(array, entry->page, entry->page_number, entry->pcid);
    return put_in(tlb, array, place ? place : make_room(tlb, array, entry->page_number), entry);
}

struct tlb_entry *tlb_fill_missed(struct tlb *tlb, const struct tlb_entry *entry)
{
    struct array *array = array_for(tlb, entry->page);
    return put_in(tlb, array, make_room(tlb, array, entry->page_number), entry);
}

/* Drops all entries, or all that are not global; or, if that is not NULL, only those of a PCID. */
static void flush(struct tlb *tlb, bool keep_global, const unsigned *pcid)
{
    tlb->stats.flushes++;
    for (unsigned i = 0; i < tlb->params.nr_arrays; i++) {
        struct array *array = &tlb->array[i];
        uint64_t nr_kept = 0;
        if (!keep_global)
            array->pages_held = 0;
        for (uint64_t j = 0; j < array->nr_listed; j++) {
            struct tlb_entry *entry = &array->entries[array->listed[j]];
            bool is_kept = (keep_global && (entry->flags & TLB_GLOBAL)) || (pcid && entry->pcid != *pcid);
            if (entry->id && is_kept)
                array->listed[nr_kept++] = array->listed[j];
            else
                drop(entry, false);
        }
        array->nr_listed = nr_kept;
    }
}

void tlb_flush(struct tlb *tlb, bool keep_global)
{
    flush(tlb, keep_global, NULL);
}

void tlb_flush_pcid(struct tlb *tlb, unsigned pcid)
{
    flush(tlb, true, &pcid);
}

/* A way that holds the page for the PCID, or globally if that counts. */
static struct tlb_entry *find_victim(struct array *array, enum tlb_page page, struct laddr at, unsigned pcid,
                                     bool keep_global)
{
    uint64_t page_number = at.v >> tlb_page_shift(page);
    struct tlb_entry *entries = set_of(array, page_number);
    for (uint64_t way = 0; way < array->nr_ways; way++) {
        bool is_global = entries[way].flags & TLB_GLOBAL;
        if (entries[way].id && entries[way].page_number == page_number && entries[way].page == page &&
            (is_global ? !keep_global : entries[way].pcid == pcid))
            return &entries[way];
    }
    return NULL;
}

void tlb_invalidate(struct tlb *tlb, struct laddr at, unsigned pcid, bool keep_global)
{
    tlb->stats.invalidations++;
    for (unsigned i = 0; i < tlb->params.nr_arrays; i++) {
        struct array *array = &tlb->array[i];
        for (unsigned pages = array->pages_held; pages; pages &= pages - 1) {
            struct tlb_entry *entry;
            while ((entry = find_victim(array, pages & -pages, at, pcid, keep_global)))
                drop(entry, true);
        }
    }
}

uint64_t *tlb_clock(struct tlb *tlb)
{
    return &tlb->clock;
}

uint64_t tlb_nr_shortcuts(const struct tlb *tlb)
{
    return tlb->clock - tlb->settled;
}

void tlb_settle(struct tlb *tlb)
{
    tlb->stats.accesses += tlb_nr_shortcuts(tlb);
    tlb->stats.hits += tlb_nr_shortcuts(tlb);
    tlb->settled = tlb->clock;
}

void tlb_discard_shortcuts(struct tlb *tlb)
{
    tlb->settled = tlb->clock;
}

const struct tlb_stats *tlb_stats(const struct tlb *tlb)
{
    return &tlb->stats;
}

bool tlb_register_stats(struct tlb *tlb, struct stat_registry *registry, const char *path)
{
    static const struct stat_row rows[] = {
#define STAT(name, unit, sentence) STAT_ROW(struct tlb_stats, name, unit, sentence),
#include "tlb/tlb_stats.def"
#undef STAT
    };
    return stat_register(registry, path, rows, sizeof rows / sizeof *rows, &tlb->stats);
}

const struct tlb_params *tlb_params(const struct tlb *tlb)
{
    return &tlb->params;
}

const struct tlb_entry *tlb_view(const struct tlb *tlb, unsigned array, uint64_t set, uint64_t way)
{
    static const struct tlb_entry empty;
    const struct array *from = &tlb->array[array];
    const struct tlb_entry *entries = &from->entries[set * from->nr_ways];
    for (uint64_t i = 0; i < from->nr_ways; i++) {
        uint64_t nr_newer = 0;
        for (uint64_t j = 0; j < from->nr_ways; j++)
            nr_newer += entries[j].id && entries[j].last_use > entries[i].last_use;
        if (entries[i].id && nr_newer == way)
            return &entries[i];
    }
    return &empty;
}

void tlb_entry_snap(struct tlb_entry *entry, struct snap *snap)
{
    enum { NR_PAT_ENTRIES = 8 };
    SNAP_OPEN(snap, entry);
    SNAP(snap, entry->page_number);
    SNAP(snap, entry->frame.v);
    SNAP(snap, entry->page);
    SNAP(snap, entry->flags);
    SNAP(snap, entry->pcid);
    SNAP_BELOW(snap, entry->pat_index, NR_PAT_ENTRIES);
    SNAP_SKIP(snap, entry->is_listed); /* the list is made anew */
    SNAP(snap, entry->ready);
    SNAP(snap, entry->id);
    SNAP(snap, entry->last_use);
    SNAP_CLOSE(snap, entry);
}

static void list_anew(struct array *array, uint64_t nr_entries)
{
    array->nr_listed = 0;
    for (uint64_t i = 0; i < nr_entries; i++) {
        array->entries[i].is_listed = array->entries[i].id != 0;
        if (array->entries[i].is_listed)
            array->listed[array->nr_listed++] = (uint32_t)i;
    }
}

static void array_snap(struct array *array, uint64_t nr_entries, struct snap *snap)
{
    SNAP_OPEN(snap, array);
    SNAP_SKIP(snap, array->nr_sets); /* of the configuration, as are the next three */
    SNAP_SKIP(snap, array->nr_ways);
    SNAP_SKIP(snap, array->replacement);
    SNAP_SKIP(snap, array->pages);
    SNAP(snap, array->random);
    SNAP(snap, array->pages_held);
    SNAP_SKIP(snap, array->entries); /* its own struct, below */
    SNAP_SKIP(snap, array->listed);  /* follows from the entries */
    SNAP_SKIP(snap, array->nr_listed);
    SNAP_CLOSE(snap, array);
    for (uint64_t i = 0; i < nr_entries; i++)
        tlb_entry_snap(&array->entries[i], snap);
    if (snap->is_load)
        list_anew(array, nr_entries);
}

void tlb_snap(struct tlb *tlb, struct snap *snap)
{
    SNAP_OPEN(snap, tlb);
    SNAP_SKIP(snap, tlb->params);
    SNAP_COUNTERS(snap, tlb->stats);
    SNAP(snap, tlb->clock);
    SNAP(snap, tlb->settled);
    SNAP(snap, tlb->last_id);
    for (unsigned i = 0; i < tlb->params.nr_arrays; i++)
        array_snap(&tlb->array[i], tlb->params.array[i].nr_entries, snap);
    SNAP_SKIP(snap, tlb->array); /* those that there are: above */
    SNAP_CLOSE(snap, tlb);
}

uint64_t tlb_entry_number(const struct tlb *tlb, const struct tlb_entry *entry)
{
    uint64_t first = 1;
    for (unsigned i = 0; i < tlb->params.nr_arrays; i++) {
        uint64_t nr_entries = tlb->params.array[i].nr_entries;
        if (entry >= tlb->array[i].entries && entry < tlb->array[i].entries + nr_entries)
            return first + (uint64_t)(entry - tlb->array[i].entries);
        first += nr_entries;
    }
    return 0;
}

struct tlb_entry *tlb_entry_numbered(struct tlb *tlb, uint64_t number)
{
    for (unsigned i = 0; i < tlb->params.nr_arrays && number > 0; i++) {
        if (number <= tlb->params.array[i].nr_entries)
            return &tlb->array[i].entries[number - 1];
        number -= tlb->params.array[i].nr_entries;
    }
    return NULL;
}
