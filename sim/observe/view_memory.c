/* Whose each frame is: from the kernel's page descriptors, or from what the hardware knows. */
#include "sim/observe/view_mappings.h"
#include "sim/observe/view_model.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((int)VIEW_OWNER_RESERVED == (int)GUEST_OWNER_RESERVED &&
                   (int)VIEW_OWNER_DMA == (int)GUEST_OWNER_DMA,
               "the first owners are the guest's");

const char *view_owner_name(enum view_owner owner)
{
    static const char *const names[NR_VIEW_OWNERS] = {
#define OWNER(id, name, colour) [VIEW_OWNER_##id] = name,
#include "sim/observe/view_owners.def"
#undef OWNER
    };
    return names[owner];
}

/* Sums what lies in RAM only; a kernel that is being set up, or a stranger's, may say anything. */
static void clip_zone(struct view_zone *zone, pfn_t nr_frames)
{
    pfn_t start = zone->guest.start_pfn, spanned = zone->guest.spanned_pages;
    zone->start = start < nr_frames ? start : nr_frames;
    pfn_t room = nr_frames - zone->start;
    zone->nr_frames = spanned < room ? spanned : room;
}

unsigned view_collect_zones(struct view_zone zone[GUEST_MAX_ZONES], const struct ram *ram,
                            const struct guest_kernel *kernel)
{
    unsigned nr_zones = 0;
    for (unsigned i = 0; kernel && i < GUEST_MAX_ZONES; i++) {
        struct view_zone *next = &zone[nr_zones];
        *next = (struct view_zone){.has_counts = true};
        if (!guest_kernel_zone(kernel, i, &next->guest))
            continue;
        clip_zone(next, ram->size_bytes / PAGE_BYTES);
        if (next->nr_frames)
            nr_zones++;
    }
    return nr_zones;
}

/* The host's pages that were never written are not read either: that would only make the host back them. */
static void collect_contents(struct view_memory *memory, const struct ram *ram)
{
    static const uint8_t zeroes[PAGE_BYTES];
    bool is_known = ram_touched(ram, memory->owner, memory->nr_frames);
    for (pfn_t pfn = 0; pfn < memory->nr_frames; pfn++) {
        bool may_hold_data = !is_known || memory->owner[pfn];
        bool is_used = may_hold_data && memcmp(ram->host + pfn * PAGE_BYTES, zeroes, PAGE_BYTES) != 0;
        memory->owner[pfn] = is_used ? VIEW_OWNER_TOUCHED : VIEW_OWNER_UNUSED;
    }
}

/* A frame may be mapped more than once; what says most stays: page table, then user, then kernel. */
static void mark(struct view_memory *memory, pfn_t pfn, enum view_owner owner)
{
    if (pfn >= memory->nr_frames || memory->owner[pfn] == VIEW_OWNER_PAGE_TABLE)
        return;
    if (memory->owner[pfn] == VIEW_OWNER_MAPPED_USER && owner == VIEW_OWNER_MAPPED_KERNEL)
        return;
    memory->owner[pfn] = (uint8_t)owner;
}

/* Frames that hold nothing but zeroes keep saying so: a kernel maps all of RAM at once, used or not. */
static void mark_mapped(struct view_memory *memory, pfn_t first, pfn_t nr_frames, uint64_t rights)
{
    enum view_owner owner = rights & PTE_US ? VIEW_OWNER_MAPPED_USER : VIEW_OWNER_MAPPED_KERNEL;
    for (pfn_t pfn = first; pfn < first + nr_frames && pfn < memory->nr_frames; pfn++)
        if (memory->owner[pfn] != VIEW_OWNER_UNUSED)
            mark(memory, pfn, owner);
}

static void take_page(void *opaque, const struct view_mapping *mapping)
{
    mark_mapped(opaque, mapping->first, mapping->nr_frames, mapping->rights);
}

static void take_table(void *opaque, pfn_t frame)
{
    mark(opaque, frame, VIEW_OWNER_PAGE_TABLE);
}

bool view_collect_memory(struct view_memory *memory, const struct ram *ram, const struct mmu *mmu,
                         const struct guest_kernel *kernel)
{
    pfn_t nr_frames = ram->size_bytes / PAGE_BYTES;
    if (nr_frames != memory->nr_frames) {
        uint8_t *owner = realloc(memory->owner, nr_frames);
        memory->owner = owner ? owner : memory->owner;
        uint8_t *free_order = realloc(memory->free_order, nr_frames);
        memory->free_order = free_order ? free_order : memory->free_order;
        if (!owner || !free_order)
            return false;
        memory->nr_frames = nr_frames;
    }
    memset(memory->free_order, 0, nr_frames);
    memory->is_from_note =
        kernel && guest_kernel_owners(kernel, memory->owner, memory->free_order, nr_frames);
    if (!memory->is_from_note) {
        collect_contents(memory, ram);
        const struct view_mapping_visitor visitor = {memory, take_page, take_table, false};
        if (mmu)
            view_visit_mappings(ram, &mmu->mode, &visitor);
    }
    memset(memory->nr_by_owner, 0, sizeof memory->nr_by_owner);
    for (pfn_t pfn = 0; pfn < nr_frames; pfn++)
        memory->nr_by_owner[memory->owner[pfn]]++;
    memory->nr_zones = view_collect_zones(memory->zone, ram, memory->is_from_note ? kernel : NULL);
    if (memory->nr_zones == 0) {
        memory->nr_zones = 1;
        memory->zone[0] = (struct view_zone){.guest.name = "RAM", .nr_frames = nr_frames};
    }
    return true;
}
