#include "tests/oracle/naive_structures.h"

#include <stdlib.h>

/* A test that runs out of memory has nothing to say. */
static void *take_memory(uint64_t nr, uint64_t size)
{
    void *memory = calloc(nr, size);
    if (!memory)
        abort();
    return memory;
}

static const uint64_t page_sizes[] = {4096, 2u << 20, 4u << 20, 1u << 30, 1ull << 39, 1ull << 48};
enum { NR_PAGE_SIZES = sizeof page_sizes / sizeof *page_sizes };

static unsigned pages_of(uint64_t page_bytes)
{
    return page_bytes == 4096 ? NAIVE_SMALL : NAIVE_LARGE;
}

void naive_tlb_add_array(struct naive_tlb *tlb, unsigned pages, enum naive_tlb_policy policy,
                         uint64_t nr_entries, uint64_t nr_ways, uint64_t seed)
{
    struct naive_array *array = &tlb->array[tlb->nr_arrays++];
    array->pages = pages;
    array->policy = policy;
    array->random = seed;
    array->tree = take_memory(nr_entries, sizeof *array->tree);
    array->nr_ways = nr_ways;
    array->nr_sets = nr_entries / nr_ways;
    array->entries = take_memory(nr_entries, sizeof *array->entries);
}

/* The bits from the root to an entry then point to the halves that it is not in. */
static void touch(struct naive_tlb *tlb, struct naive_array *array, struct naive_page *entry)
{
    uint64_t index = (uint64_t)(entry - array->entries), way = index % array->nr_ways, first = 0;
    bool *bits = &array->tree[index - way];
    entry->last_used = ++tlb->time;
    if (array->policy != NAIVE_TLB_PLRU)
        return;
    for (uint64_t node = 1, nr = array->nr_ways; nr > 1; nr /= 2) {
        bool is_in_higher = way >= first + nr / 2;
        bits[node] = !is_in_higher;
        first += is_in_higher ? nr / 2 : 0;
        node = 2 * node + is_in_higher;
    }
}

/* The entry of a full set that goes. */
static struct naive_page *choose_victim(struct naive_array *array, uint64_t set)
{
    struct naive_page *entries = &array->entries[set * array->nr_ways], *victim = entries;
    if (array->policy == NAIVE_TLB_RANDOM) {
        array->random ^= array->random << 13;
        array->random ^= array->random >> 7;
        array->random ^= array->random << 17;
        return &entries[array->random % array->nr_ways];
    }
    if (array->policy == NAIVE_TLB_PLRU) {
        uint64_t node = 1;
        while (node < array->nr_ways)
            node = 2 * node + array->tree[set * array->nr_ways + node];
        return &entries[node - array->nr_ways];
    }
    for (uint64_t way = 1; way < array->nr_ways; way++) {
        bool is_older = array->policy == NAIVE_TLB_FIFO ? entries[way].filled < victim->filled
                                                        : entries[way].last_used < victim->last_used;
        victim = is_older ? &entries[way] : victim;
    }
    return victim;
}

/* An entry for this page in this array, or NULL. */
static struct naive_page *find_page(struct naive_array *array, uint64_t number, uint64_t page_bytes,
                                    uint64_t pcid)
{
    if (!(array->pages & pages_of(page_bytes)))
        return NULL;
    for (uint64_t way = 0; way < array->nr_ways; way++) {
        struct naive_page *entry = &array->entries[number % array->nr_sets * array->nr_ways + way];
        if (entry->is_valid && entry->number == number && entry->page_bytes == page_bytes &&
            (entry->is_global || entry->pcid == pcid))
            return entry;
    }
    return NULL;
}

struct naive_page *naive_tlb_lookup(struct naive_tlb *tlb, uint64_t linear, uint64_t pcid)
{
    tlb->counts.accesses++;
    for (unsigned i = 0; i < tlb->nr_arrays * NR_PAGE_SIZES; i++) {
        uint64_t page_bytes = page_sizes[i % NR_PAGE_SIZES];
        struct naive_array *array = &tlb->array[i / NR_PAGE_SIZES];
        struct naive_page *entry = find_page(array, linear / page_bytes, page_bytes, pcid);
        if (entry) {
            tlb->counts.hits++;
            touch(tlb, array, entry);
            return entry;
        }
    }
    tlb->counts.misses++;
    return NULL;
}

void naive_tlb_fill(struct naive_tlb *tlb, struct naive_page page)
{
    struct naive_array *array = &tlb->array[0];
    if (!(array->pages & pages_of(page.page_bytes)))
        array = &tlb->array[1];
    struct naive_page *victim = find_page(array, page.number, page.page_bytes, page.pcid);
    for (uint64_t way = 0; !victim && way < array->nr_ways; way++) {
        struct naive_page *entry = &array->entries[page.number % array->nr_sets * array->nr_ways + way];
        if (!entry->is_valid)
            victim = entry;
    }
    if (!victim) {
        victim = choose_victim(array, page.number % array->nr_sets);
        tlb->counts.evictions++;
    }
    *victim = page;
    victim->is_valid = true;
    touch(tlb, array, victim);
    victim->filled = tlb->time;
    tlb->counts.fills++;
}

void naive_tlb_flush(struct naive_tlb *tlb, bool keep_global)
{
    tlb->counts.flushes++;
    for (unsigned i = 0; i < tlb->nr_arrays; i++) {
        struct naive_array *array = &tlb->array[i];
        for (uint64_t e = 0; e < array->nr_sets * array->nr_ways; e++) {
            if (!keep_global || !array->entries[e].is_global)
                array->entries[e].is_valid = false;
        }
    }
}

void naive_tlb_flush_pcid(struct naive_tlb *tlb, uint64_t pcid)
{
    tlb->counts.flushes++;
    for (unsigned i = 0; i < tlb->nr_arrays; i++) {
        struct naive_array *array = &tlb->array[i];
        for (uint64_t e = 0; e < array->nr_sets * array->nr_ways; e++) {
            if (array->entries[e].pcid == pcid && !array->entries[e].is_global)
                array->entries[e].is_valid = false;
        }
    }
}

void naive_tlb_invalidate(struct naive_tlb *tlb, uint64_t linear, uint64_t pcid, bool keep_global)
{
    tlb->counts.invalidations++;
    for (unsigned i = 0; i < tlb->nr_arrays; i++) {
        struct naive_array *array = &tlb->array[i];
        for (uint64_t e = 0; e < array->nr_sets * array->nr_ways; e++) {
            struct naive_page *entry = &array->entries[e];
            if (entry->is_valid && linear / entry->page_bytes == entry->number &&
                (entry->is_global ? !keep_global : entry->pcid == pcid))
                entry->is_valid = false;
        }
    }
}

void naive_tlb_free(struct naive_tlb *tlb)
{
    for (unsigned i = 0; i < tlb->nr_arrays; i++) {
        free(tlb->array[i].entries);
        free(tlb->array[i].tree);
    }
}
