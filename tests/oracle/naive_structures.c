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

static const uint64_t page_sizes[] = {4096, 2u << 20, 4u << 20, 1u << 30};
enum { NR_PAGE_SIZES = sizeof page_sizes / sizeof *page_sizes };

static unsigned pages_of(uint64_t page_bytes)
{
    return page_bytes == 4096 ? NAIVE_SMALL : NAIVE_LARGE;
}

void naive_tlb_add_array(struct naive_tlb *tlb, unsigned pages, uint64_t nr_entries, uint64_t nr_ways)
{
    struct naive_array *array = &tlb->array[tlb->nr_arrays++];
    array->pages = pages;
    array->nr_ways = nr_ways;
    array->nr_sets = nr_entries / nr_ways;
    array->entries = take_memory(nr_entries, sizeof *array->entries);
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
        struct naive_page *entry =
            find_page(&tlb->array[i / NR_PAGE_SIZES], linear / page_bytes, page_bytes, pcid);
        if (entry) {
            tlb->counts.hits++;
            entry->last_used = ++tlb->time;
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
        victim = &array->entries[page.number % array->nr_sets * array->nr_ways];
        for (uint64_t way = 1; way < array->nr_ways; way++) {
            struct naive_page *entry = &array->entries[page.number % array->nr_sets * array->nr_ways + way];
            if (entry->last_used < victim->last_used)
                victim = entry;
        }
        tlb->counts.evictions++;
    }
    *victim = page;
    victim->is_valid = true;
    victim->last_used = ++tlb->time;
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
    for (unsigned i = 0; i < tlb->nr_arrays; i++)
        free(tlb->array[i].entries);
}
