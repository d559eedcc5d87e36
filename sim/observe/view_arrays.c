/* What lies in the TLBs and caches, set by set. */
#include "sim/observe/view_heat.h"
#include "sim/observe/view_model.h"

#include <stdlib.h>
#include <string.h>

/* Comparisons in tlb_view for all cells of an array. */
enum { MAX_RANKINGS = 1 << 25 };

static struct view_shape shape_of(uint64_t nr_sets, uint64_t nr_ways)
{
    struct view_shape shape = {.nr_sets = nr_sets, .nr_ways = nr_ways, .set_step = 1};
    shape.shown_ways = nr_ways < VIEW_MAX_CELLS ? nr_ways : VIEW_MAX_CELLS;
    uint64_t room = VIEW_MAX_CELLS / shape.shown_ways;
    while ((nr_sets + shape.set_step - 1) / shape.set_step > room)
        shape.set_step *= 2;
    shape.shown_sets = (nr_sets + shape.set_step - 1) / shape.set_step;
    return shape;
}

/* Where a way of a set goes in the snapshot; VIEW_MAX_CELLS when it is not shown. */
static uint64_t cell_index(const struct view_shape *shape, uint64_t set, uint64_t way)
{
    if (set % shape->set_step || way >= shape->shown_ways)
        return VIEW_MAX_CELLS;
    return set / shape->set_step * shape->shown_ways + way;
}

static void collect_tlb_array(struct view_tlb_array *into, const struct tlb *tlb, unsigned index)
{
    const struct tlb_array_params *params = &tlb_params(tlb)->array[index];
    into->shape = shape_of(params->nr_entries / params->nr_ways, params->nr_ways);
    into->pages = params->pages;
    into->nr_valid = 0;
    /* tlb_view ranks the ways of a set anew for each. */
    into->is_shown = params->nr_entries * params->nr_ways <= MAX_RANKINGS / params->nr_ways;
    for (uint64_t set = 0; set < into->shape.nr_sets && into->is_shown; set++) {
        for (uint64_t way = 0; way < into->shape.nr_ways; way++) {
            const struct tlb_entry *entry = tlb_view(tlb, index, set, way);
            bool is_valid = entry->id != 0;
            into->nr_valid += is_valid;
            uint64_t cell = cell_index(&into->shape, set, way);
            if (cell == VIEW_MAX_CELLS)
                continue;
            into->cell[cell] = (struct view_tlb_cell){.is_valid = is_valid};
            if (is_valid)
                into->cell[cell] = (struct view_tlb_cell){.page_number = entry->page_number,
                                                          .frame = entry->frame.v,
                                                          .is_valid = true,
                                                          .flags = (uint8_t)entry->flags,
                                                          .page = (uint8_t)entry->page};
        }
    }
}

void view_collect_tlb(struct view_tlb *into, const struct tlb *tlb)
{
    into->is_there = tlb != NULL;
    if (!tlb)
        return;
    into->stats = *tlb_stats(tlb);
    into->nr_arrays = tlb_params(tlb)->nr_arrays;
    for (unsigned i = 0; i < into->nr_arrays; i++)
        collect_tlb_array(&into->array[i], tlb, i);
}

void view_collect_cache(struct view_cache *into, const struct cache *cache, const struct view_memory *memory)
{
    into->is_there = cache != NULL;
    if (!cache)
        return;
    into->stats = *cache_stats(cache);
    into->shape = shape_of(cache_nr_sets(cache), cache_nr_ways(cache));
    unsigned line_shift = cache_front(cache)->line_shift;
    into->line_bytes = 1ull << line_shift;
    into->nr_valid = into->nr_dirty = 0;
    for (uint64_t set = 0; set < into->shape.nr_sets; set++) {
        for (uint64_t way = 0; way < into->shape.nr_ways; way++) {
            struct cache_line_view line = {0};
            bool is_valid = cache_view(cache, set, way, &line);
            into->nr_valid += is_valid;
            into->nr_dirty += is_valid && line.is_dirty;
            uint64_t cell = cell_index(&into->shape, set, way);
            if (cell == VIEW_MAX_CELLS)
                continue;
            pfn_t pfn = line.line << line_shift >> PAGE_SHIFT;
            uint8_t owner = pfn < memory->nr_frames ? memory->owner[pfn] : VIEW_OWNER_RESERVED;
            into->cell[cell] = is_valid ? (struct view_cache_cell){.line = line.line,
                                                                   .is_valid = true,
                                                                   .is_dirty = line.is_dirty,
                                                                   .owner = owner}
                                        : (struct view_cache_cell){0};
        }
    }
}

/* A line that a cache holds makes its frame warmer; one in several caches counts in each. */
static void heat_by(uint8_t *heat, pfn_t nr_frames, const struct cache *cache)
{
    for (uint64_t set = 0; cache && set < cache_nr_sets(cache); set++) {
        for (uint64_t way = 0; way < cache_nr_ways(cache); way++) {
            struct cache_line_view line = {0};
            if (!cache_view(cache, set, way, &line))
                continue;
            pfn_t pfn = line.line << cache_front(cache)->line_shift >> PAGE_SHIFT;
            if (pfn < nr_frames && heat[pfn] < UINT8_MAX)
                heat[pfn]++;
        }
    }
}

bool view_collect_heat(struct view_model *model, const struct view_source *source)
{
    const struct cache *const caches[NR_VIEW_CACHES] = {source->l1i, source->l1d, source->l2, source->l3};
    pfn_t nr_frames = model->memory.nr_frames;
    free(model->heat);
    model->heat = source->l1d ? calloc(nr_frames, 1) : NULL;
    if (source->l1d && !model->heat)
        return false;
    for (unsigned i = 0; model->heat && i < NR_VIEW_CACHES; i++)
        heat_by(model->heat, nr_frames, caches[i]);
    for (pfn_t pfn = 0; model->heat && source->heat && pfn < nr_frames && pfn < source->heat->nr_frames;
         pfn++) {
        unsigned nr_lines = model->heat[pfn] + source->heat->nr_lines[pfn];
        model->heat[pfn] = (uint8_t)(nr_lines < UINT8_MAX ? nr_lines : UINT8_MAX);
    }
    return true;
}
