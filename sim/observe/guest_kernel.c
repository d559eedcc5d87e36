#include "sim/observe/guest_kernel.h"

#include <stdio.h>

void guest_kernel_init(struct guest_kernel *kernel, const struct ram *ram, const void *note,
                       size_t note_bytes)
{
    *kernel = (struct guest_kernel){.ram = ram};
    kernel->has_note = guest_note_parse(&kernel->note, note, note_bytes) == NULL;
}

void guest_kernel_fini(struct guest_kernel *kernel)
{
    linux_guest_destroy(kernel->linux_guest);
    kernel->linux_guest = NULL;
}

void guest_kernel_look(struct guest_kernel *kernel, bool is_cheap)
{
    enum { VAIN_LOOKS = 64 };
    if (kernel->has_note || !kernel->ram ||
        (kernel->linux_guest && linux_guest_is_there(kernel->linux_guest)))
        return;
    guest_kernel_fini(kernel);
    if (is_cheap && kernel->nr_vain_looks++ % VAIN_LOOKS != 0)
        return;
    kernel->linux_guest = linux_guest_find(kernel->ram);
    if (kernel->linux_guest)
        kernel->nr_vain_looks = 0;
}

const char *guest_kernel_name(const struct guest_kernel *kernel, char *text, size_t size)
{
    if (!kernel->has_note && !kernel->linux_guest)
        return NULL;
    if (kernel->has_note)
        snprintf(text, size, "the bundled kernel");
    else
        snprintf(text, size, "Linux %s", linux_guest_release(kernel->linux_guest));
    return text;
}

const char *guest_kernel_lacks(const struct guest_kernel *kernel)
{
    if (kernel->has_note || (kernel->linux_guest && linux_guest_has_layouts(kernel->linux_guest)))
        return NULL;
    return kernel->linux_guest
               ? "this Linux was built without BTF, which tells the layout of its structures"
               : "no kernel is known in memory; allowed: the bundled one, Linux from 6.0 on when it "
                 "has come half way through its start";
}

static bool owners_by_note(const struct guest_kernel *kernel, uint8_t *owner, uint8_t *free_order,
                           pfn_t nr_frames)
{
    const struct guest_note *note = &kernel->note;
    struct guest_mem_map map;
    if (!guest_note_mem_map(note, kernel->ram, &map))
        return false;
    for (pfn_t pfn = 0; pfn < nr_frames; pfn++)
        owner[pfn] = (uint8_t)(pfn < map.nr_pages ? guest_note_owner(note, kernel->ram, &map, pfn)
                                                  : GUEST_OWNER_RESERVED);
    pfn_t end = map.nr_pages < nr_frames ? map.nr_pages : nr_frames;
    for (pfn_t pfn = 0; free_order && pfn < end; pfn++) {
        unsigned order;
        if (owner[pfn] == GUEST_OWNER_FREE && guest_note_free_block(note, kernel->ram, &map, pfn, &order))
            for (pfn_t i = pfn; i < end && i < pfn + (1ull << order); i++)
                free_order[i] = (uint8_t)order;
    }
    return true;
}

bool guest_kernel_owners(const struct guest_kernel *kernel, uint8_t *owner, uint8_t *free_order,
                         pfn_t nr_frames)
{
    if (kernel->linux_guest)
        return linux_guest_owners(kernel->linux_guest, owner, free_order, nr_frames);
    return kernel->has_note && owners_by_note(kernel, owner, free_order, nr_frames);
}

bool guest_kernel_zone(const struct guest_kernel *kernel, unsigned index, struct guest_zone *zone)
{
    return kernel->linux_guest ? linux_guest_zone(kernel->linux_guest, index, zone)
                               : kernel->has_note && guest_note_zone(&kernel->note, kernel->ram, index, zone);
}

bool guest_kernel_current_task(const struct guest_kernel *kernel, struct guest_task *task)
{
    return kernel->linux_guest
               ? linux_guest_current_task(kernel->linux_guest, task)
               : kernel->has_note && guest_note_current_task(&kernel->note, kernel->ram, task);
}

void guest_kernel_tasks(const struct guest_kernel *kernel,
                        bool (*each)(void *opaque, const struct guest_task *task), void *opaque)
{
    if (kernel->linux_guest)
        linux_guest_tasks(kernel->linux_guest, each, opaque);
    else if (kernel->has_note)
        guest_note_tasks(&kernel->note, kernel->ram, each, opaque);
}

unsigned guest_kernel_areas(const struct guest_kernel *kernel, const struct guest_task *task,
                            struct guest_area area[GUEST_MAX_AREAS])
{
    if (kernel->linux_guest)
        return linux_guest_areas(kernel->linux_guest, task, area);
    return kernel->has_note ? guest_note_areas(&kernel->note, kernel->ram, task, area) : 0;
}
