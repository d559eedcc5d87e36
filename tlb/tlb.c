#include "tlb/tlb.h"

#include <stdlib.h>
#include <string.h>

struct array {
    uint64_t nr_sets, nr_ways;
    unsigned pages;
    struct tlb_entry *entries; /* nr_sets x nr_ways, each set in recency order */
    uint64_t *mru_id;          /* by set: the id of way 0 */
};

struct tlb {
    struct tlb_params params;
    struct tlb_stats stats;
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
        array->entries = calloc(from->nr_entries, sizeof *array->entries);
        array->mru_id = calloc(array->nr_sets, sizeof *array->mru_id);
        if (!array->entries || !array->mru_id) {
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
        free(tlb->array[i].mru_id);
    }
    free(tlb);
}

static void move_to_front(struct array *array, uint64_t set, uint64_t way)
{
    struct tlb_entry *entries = &array->entries[set * array->nr_ways];
    struct tlb_entry entry = entries[way];
    memmove(entries + 1, entries, way * sizeof *entries);
    entries[0] = entry;
    array->mru_id[set] = entry.id;
}

/* The way of `set` that holds the page, or nr_ways. */
static uint64_t find(const struct array *array, uint64_t set, enum tlb_page page, uint64_t page_number)
{
    const struct tlb_entry *entries = &array->entries[set * array->nr_ways];
    uint64_t way = 0;
    while (way < array->nr_ways &&
           !(entries[way].id && entries[way].page_number == page_number && entries[way].page == page))
        way++;
    return way;
}

const struct tlb_entry *tlb_lookup(struct tlb *tlb, struct laddr at)
{
    tlb->stats.accesses++;
    for (unsigned i = 0; i < tlb->params.nr_arrays; i++) {
        struct array *array = &tlb->array[i];
        for (enum tlb_page page = TLB_PAGE_4K; page <= TLB_PAGE_4M; page <<= 1) {
            if (!(array->pages & page))
                continue;
            uint64_t page_number = at.v >> tlb_page_shift(page), set = page_number % array->nr_sets;
            uint64_t way = find(array, set, page, page_number);
            if (way == array->nr_ways)
                continue;
            move_to_front(array, set, way);
            tlb->stats.hits++;
            return &array->entries[set * array->nr_ways];
        }
    }
    tlb->stats.misses++;
    return NULL;
}

const struct tlb_entry *tlb_fill(struct tlb *tlb, const struct tlb_entry *entry)
{
    struct array *array = tlb->array;
    while (!(array->pages & entry->page))
        array++;
    uint64_t set = entry->page_number % array->nr_sets;
    struct tlb_entry *entries = &array->entries[set * array->nr_ways];
    /* A refill (to note a dirty bit, say) takes the place of the old entry of the same page; else an empty way serves. */
    uint64_t way = find(array, set, entry->page, entry->page_number);
    if (way == array->nr_ways) {
        way = 0;
        while (way < array->nr_ways - 1 && entries[way].id)
            way++;
        if (entries[way].id)
            tlb->stats.evictions++;
    }
    entries[way] = *entry;
    entries[way].id = ++tlb->last_id;
    entries[way].mru_id = &array->mru_id[set];
    move_to_front(array, set, way);
    tlb->stats.fills++;
    return entries;
}

static void drop(struct array *array, uint64_t set, uint64_t way)
{
    struct tlb_entry *entries = &array->entries[set * array->nr_ways];
    memmove(entries + way, entries + way + 1, (array->nr_ways - way - 1) * sizeof *entries);
    entries[array->nr_ways - 1] = (struct tlb_entry){.id = 0};
    array->mru_id[set] = entries[0].id;
}

void tlb_flush(struct tlb *tlb, bool keep_global)
{
    tlb->stats.flushes++;
    for (unsigned i = 0; i < tlb->params.nr_arrays; i++) {
        struct array *array = &tlb->array[i];
        for (uint64_t set = 0; set < array->nr_sets; set++) {
            struct tlb_entry *entries = &array->entries[set * array->nr_ways];
            uint64_t kept = 0;
            for (uint64_t way = 0; way < array->nr_ways && entries[way].id; way++)
                if (keep_global && (entries[way].flags & TLB_GLOBAL))
                    entries[kept++] = entries[way];
            memset(entries + kept, 0, (array->nr_ways - kept) * sizeof *entries);
            array->mru_id[set] = entries[0].id;
        }
    }
}

void tlb_invalidate(struct tlb *tlb, struct laddr at)
{
    tlb->stats.invalidations++;
    for (unsigned i = 0; i < tlb->params.nr_arrays; i++) {
        struct array *array = &tlb->array[i];
        for (enum tlb_page page = TLB_PAGE_4K; page <= TLB_PAGE_4M; page <<= 1) {
            uint64_t page_number = at.v >> tlb_page_shift(page), set = page_number % array->nr_sets;
            uint64_t way = find(array, set, page, page_number);
            if (way < array->nr_ways)
                drop(array, set, way);
        }
    }
}

void tlb_add_front_hits(struct tlb *tlb, uint64_t nr_hits)
{
    tlb->stats.accesses += nr_hits;
    tlb->stats.hits += nr_hits;
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
    return &tlb->array[array].entries[set * tlb->array[array].nr_ways + way];
}
