/*
 * Images without a header: bytes for one place, and boot sectors. No firmware has been there: in real mode
 * each interrupt has a handler nevertheless. Those of the two 8259s acknowledge theirs; any other ends the
 * run with a word about it (marker 8, docs/markers.md), for the guest counts on a BIOS.
 */
#ifndef LK_SIM_LOAD_FLAT_IMAGE_H
#define LK_SIM_LOAD_FLAT_IMAGE_H

#include "sim/load/handover.h"

enum { BOOT_SECTOR_AT = 0x7c00, BOOT_SECTOR_BYTES = 512 };

/* Whether the file begins with a sector that ends in 55h AAh. */
bool is_boot_sector(const struct file_map *file);

/* The file's first sector at 7C00h, which is also the entry. */
bool boot_sector_plan(struct load_plan *plan, struct diag *diag);

/*
 * All of the file at load_at, 0: 7C00h in real mode, else 1 MiB. `entry` 0 is the first byte. What is not
 * allowed is a line.
 */
bool flat_plan(struct load_plan *plan, enum load_mode mode, uint64_t load_at, uint64_t entry,
               struct diag *diag);

/* For a checked plan of either kind: handlers in real mode, else a GDT, in long mode page tables as well. */
bool flat_hand_over(struct handover *handover, const struct load_plan *plan, enum load_mode mode,
                    struct diag *diag);

#endif
