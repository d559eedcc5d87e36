/*
 * A Linux kernel as it lies in guest memory, by what it leaves there for those who read its dumps: the text
 * of VMCOREINFO (Documentation/admin-guide/kdump/vmcoreinfo.rst of Linux; from 6.0 on it says where the
 * kernel's symbols are), the symbols (kallsyms), and, where the kernel was built with it, the layout of its
 * structures (BTF). Nothing is asked of the image or of any file, and it does not matter where the kernel has
 * moved itself to.
 *
 * All of it is a stranger's, and may be in the middle of a change: what does not hold is not there, and no
 * chain is followed without an end. Nothing of the guest is changed.
 */
#ifndef LK_SIM_OBSERVE_LINUX_GUEST_H
#define LK_SIM_OBSERVE_LINUX_GUEST_H

#include "sim/load/elf_symbols.h"
#include "sim/observe/guest_note.h"

struct linux_guest;

/*
 * NULL: there is none in RAM, or not yet (it makes its VMCOREINFO half way through its start), or none that
 * can be read; or memory is short. Takes some hundredths of a second where there is one.
 */
struct linux_guest *linux_guest_find(const struct ram *ram);
void linux_guest_destroy(struct linux_guest *guest);

/* The kernel that was found is still where it was. */
bool linux_guest_is_there(const struct linux_guest *guest);

/* "6.1.0-50-686-pae" */
const char *linux_guest_release(const struct linux_guest *guest);

/* The kernel's own symbols, at the addresses where they are. */
const struct elf_symbols *linux_guest_symbols(const struct linux_guest *guest);

/* Whether the kernel tells the layout of its structures; without it, there are no tasks and no zones. */
bool linux_guest_has_layouts(const struct linux_guest *guest);

/*
 * The owner of each frame (enum guest_owner) by its page descriptor, and where there is none
 * GUEST_OWNER_RESERVED; free_order as in guest_kernel_owners. False: the descriptors cannot be read.
 */
bool linux_guest_owners(struct linux_guest *guest, uint8_t *owner, uint8_t *free_order, pfn_t nr_frames);

/* As guest_note_zone, of all nodes: zone `index` < GUEST_MAX_ZONES. */
bool linux_guest_zone(struct linux_guest *guest, unsigned index, struct guest_zone *zone);

/* As guest_note_current_task, of the first processor. */
bool linux_guest_current_task(struct linux_guest *guest, struct guest_task *task);

/* Calls `each` for every process until it says false, the kernel's own idle task first. */
void linux_guest_tasks(struct linux_guest *guest, bool (*each)(void *opaque, const struct guest_task *task),
                       void *opaque);

/* As guest_note_areas: by address, the first GUEST_MAX_AREAS. */
unsigned linux_guest_areas(struct linux_guest *guest, const struct guest_task *task,
                           struct guest_area area[GUEST_MAX_AREAS]);

#endif
