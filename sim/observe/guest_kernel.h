/*
 * What can be known of the guest's kernel from its own structures, whichever kernel it is: the bundled one,
 * by its note (guest_note.h), or Linux (linux_guest.h). Of others nothing.
 */
#ifndef LK_SIM_OBSERVE_GUEST_KERNEL_H
#define LK_SIM_OBSERVE_GUEST_KERNEL_H

#include "sim/observe/linux_guest.h"

struct guest_kernel {
    const struct ram *ram;
    bool has_note;
    struct guest_note note;
    struct linux_guest *linux_guest; /* NULL: none, or not yet */
    unsigned nr_vain_looks;          /* for Linux */
};

/* `note`: the contents of the image's ELF note; NULL when it has none. */
void guest_kernel_init(struct guest_kernel *kernel, const struct ram *ram, const void *note,
                       size_t note_bytes);
void guest_kernel_fini(struct guest_kernel *kernel);

/*
 * Before the kernel is asked, whenever the machine has run in between: a Linux that is new is found, one that
 * is gone is forgotten. A search in vain is repeated only every so many calls if `is_cheap`.
 */
void guest_kernel_look(struct guest_kernel *kernel, bool is_cheap);

/* "Linux 6.1.0-50-686-pae", "the bundled kernel"; NULL: nothing is known. */
const char *guest_kernel_name(const struct guest_kernel *kernel, char *text, size_t size);

/* Why tasks, areas and zones are not known, for people; NULL: they are. */
const char *guest_kernel_lacks(const struct guest_kernel *kernel);

/*
 * The owner of each frame, enum guest_owner; in free_order, which was 0 and may be NULL, the order of the
 * free block that it lies in. False: not known.
 */
bool guest_kernel_owners(const struct guest_kernel *kernel, uint8_t *owner, uint8_t *free_order,
                         pfn_t nr_frames);

/* As guest_note_zone, guest_note_current_task, guest_note_tasks and guest_note_areas. */
bool guest_kernel_zone(const struct guest_kernel *kernel, unsigned index, struct guest_zone *zone);
bool guest_kernel_current_task(const struct guest_kernel *kernel, struct guest_task *task);
void guest_kernel_tasks(const struct guest_kernel *kernel,
                        bool (*each)(void *opaque, const struct guest_task *task), void *opaque);
unsigned guest_kernel_areas(const struct guest_kernel *kernel, const struct guest_task *task,
                            struct guest_area area[GUEST_MAX_AREAS]);

#endif
