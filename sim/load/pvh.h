/*
 * A kernel that starts by the PVH boot protocol (Xen, docs/misc/pvh and public/arch-x86/hvm/start_info.h): an
 * ELF executable with a note that holds its 32-bit entry; EBX points to a struct hvm_start_info.
 */
#ifndef LK_SIM_LOAD_PVH_H
#define LK_SIM_LOAD_PVH_H

#include "sim/load/handover.h"

struct pvh_params {
    const struct memory_map *map;
    const char *arguments; /* the command line; NULL for none */
    const struct file_map *modules;
    const char *const *module_arguments; /* each may be NULL */
    size_t nr_modules;
    uint64_t rsdp; /* physical; 0: there is none */
};

/* Adds the segments; the entry is `entry`, the note's. */
bool pvh_plan(struct load_plan *plan, uint64_t entry, struct diag *diag);

/* Makes all the rest for a checked plan; the files of `params` are to stay until handover_load(). */
bool pvh_hand_over(struct handover *handover, const struct load_plan *plan, const struct pvh_params *params,
                   struct diag *diag);

#endif
