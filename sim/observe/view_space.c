/* The address space that is in use: its areas, and which of their pages are there. */
#include "sim/observe/view_mappings.h"
#include "sim/observe/view_model.h"

#include <stdio.h>
#include <stdlib.h>

/* Pages that lie further apart than this are not shown as one stretch, where only the page tables tell. */
enum { MAX_HOLE_BYTES = 1 << 20 };

static bool is_alike(const struct view_area *area, const struct view_mapping *mapping, uint8_t rights)
{
    return mapping->linear >= area->end && mapping->linear - area->end <= MAX_HOLE_BYTES &&
           ((area->rights ^ rights) & (VIEW_AREA_USER | VIEW_AREA_EXECUTE)) == 0;
}

static uint8_t rights_of(const struct view_mapping *mapping)
{
    return (uint8_t)(VIEW_AREA_READ | (mapping->rights & PTE_RW ? VIEW_AREA_WRITE : 0) |
                     (mapping->rights & PTE_XD ? 0 : VIEW_AREA_EXECUTE) |
                     (mapping->rights & PTE_US ? VIEW_AREA_USER : 0));
}

static uint64_t mapping_end(const struct view_mapping *mapping)
{
    return mapping->linear + mapping->nr_frames * PAGE_BYTES;
}

/* Without the kernel's own areas: stretches of pages that are mapped, user ones apart from others. */
static void find_stretch(void *opaque, const struct view_mapping *mapping)
{
    struct view_space *space = opaque;
    uint8_t rights = rights_of(mapping);
    struct view_area *last = space->nr_areas ? &space->area[space->nr_areas - 1] : NULL;
    if (last && is_alike(last, mapping, rights)) {
        last->end = mapping_end(mapping);
        last->rights |= rights & VIEW_AREA_WRITE;
    } else if (space->nr_areas < VIEW_MAX_AREAS) {
        space->area[space->nr_areas++] =
            (struct view_area){.start = mapping->linear, .end = mapping_end(mapping), .rights = rights};
    } else {
        space->is_cut = true;
    }
}

/* What is mapped outside of the kernel's areas of the process is the kernel's own: one stretch more. */
static void find_kernel(void *opaque, const struct view_mapping *mapping)
{
    if (!(mapping->rights & PTE_US))
        find_stretch(opaque, mapping);
}

struct counting {
    struct view_space *space;
    const struct view_memory *memory;
    /* By area and cell: pages that are there, by their owner. */
    uint32_t (*nr_by_owner)[VIEW_AREA_CELLS][NR_VIEW_OWNERS];
};

static void count_page(void *opaque, const struct view_mapping *mapping)
{
    struct counting *counting = opaque;
    struct view_space *space = counting->space;
    for (unsigned i = 0; i < space->nr_areas; i++) {
        struct view_area *area = &space->area[i];
        if (mapping->linear >= area->end || mapping_end(mapping) <= area->start)
            continue;
        uint64_t nr_pages = (area->end - area->start) / PAGE_BYTES;
        for (pfn_t n = 0; n < mapping->nr_frames; n++) {
            uint64_t linear = mapping->linear + n * PAGE_BYTES;
            pfn_t pfn = mapping->first + n;
            if (linear < area->start || linear >= area->end)
                continue;
            uint64_t cell = (linear - area->start) / PAGE_BYTES * area->nr_cells / nr_pages;
            uint8_t owner =
                pfn < counting->memory->nr_frames ? counting->memory->owner[pfn] : VIEW_OWNER_RESERVED;
            counting->nr_by_owner[i][cell][owner]++;
            area->nr_present++;
        }
    }
    if (mapping->rights & PTE_US)
        space->nr_user_pages += mapping->nr_frames;
}

static void count_table(void *opaque, pfn_t frame)
{
    (void)frame;
    ((struct counting *)opaque)->space->nr_tables++;
}

static void settle_cells(struct view_area *area, uint32_t nr_by_owner[VIEW_AREA_CELLS][NR_VIEW_OWNERS])
{
    uint64_t nr_pages = (area->end - area->start) / PAGE_BYTES;
    for (unsigned c = 0; c < area->nr_cells; c++) {
        /* Page i lies in cell i * nr_cells / nr_pages. */
        uint64_t first = (c * nr_pages + area->nr_cells - 1) / area->nr_cells,
                 end = ((c + 1) * nr_pages + area->nr_cells - 1) / area->nr_cells;
        unsigned most = 0;
        uint64_t nr_present = 0;
        for (unsigned owner = 0; owner < NR_VIEW_OWNERS; owner++) {
            nr_present += nr_by_owner[c][owner];
            most = nr_by_owner[c][owner] > nr_by_owner[c][most] ? owner : most;
        }
        area->cell[c] = (struct view_area_cell){
            .nr_pages = (uint32_t)(end - first), .nr_present = (uint32_t)nr_present, .owner = (uint8_t)most};
    }
}

static void take_areas(struct view_space *space, const struct guest_area *area, unsigned nr)
{
    static const char *const names[] = {[GUEST_AREA_OTHER] = "",
                                        [GUEST_AREA_CODE] = "text",
                                        [GUEST_AREA_HEAP] = "heap",
                                        [GUEST_AREA_STACK] = "stack"};
    space->is_cut = nr > VIEW_MAX_AREAS - 1; /* one is left for the kernel */
    space->nr_areas = space->is_cut ? VIEW_MAX_AREAS - 1 : nr;
    for (unsigned i = 0; i < space->nr_areas; i++) {
        space->area[i] = (struct view_area){
            .start = area[i].start, .end = area[i].end, .rights = (uint8_t)(area[i].rights | VIEW_AREA_USER)};
        snprintf(space->area[i].name, sizeof space->area[i].name, "%s", names[area[i].kind]);
    }
}

bool view_collect_space(struct view_space *space, const struct ram *ram, const struct paging_mode *mode,
                        const struct view_memory *memory, const struct guest_kernel *kernel,
                        const struct guest_task *task)
{
    *space = (struct view_space){.is_paging = mode && paging_kind(mode) != PAGING_OFF};
    if (!mode || !space->is_paging)
        return true;
    space->root = mode->cr3 & ~(uint64_t)PAGE_MASK;
    struct guest_area area[GUEST_MAX_AREAS];
    unsigned nr = kernel && task ? guest_kernel_areas(kernel, task, area) : 0;
    space->has_areas = nr > 0;
    take_areas(space, area, nr);
    const struct view_mapping_visitor finder = {space, nr ? find_kernel : find_stretch, NULL, false};
    view_visit_mappings(ram, mode, &finder);
    struct counting counting = {.space = space, .memory = memory};
    counting.nr_by_owner = calloc(VIEW_MAX_AREAS, sizeof *counting.nr_by_owner);
    if (!counting.nr_by_owner)
        return false;
    for (unsigned i = 0; i < space->nr_areas; i++) {
        uint64_t nr_pages = (space->area[i].end - space->area[i].start) / PAGE_BYTES;
        space->area[i].nr_cells = nr_pages < VIEW_AREA_CELLS ? (unsigned)nr_pages : VIEW_AREA_CELLS;
    }
    const struct view_mapping_visitor counter = {&counting, count_page, count_table, false};
    view_visit_mappings(ram, mode, &counter);
    for (unsigned i = 0; i < space->nr_areas; i++)
        settle_cells(&space->area[i], counting.nr_by_owner[i]);
    free(counting.nr_by_owner);
    return true;
}
