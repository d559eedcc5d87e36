/*
 * A Linux kernel by the 32-bit or the 64-bit protocol (Linux/x86 boot protocol): where its code goes, and
 * struct boot_params, command line and initrd for it.
 */
#ifndef LK_SIM_LOAD_LINUX_BOOT_H
#define LK_SIM_LOAD_LINUX_BOOT_H

#include "sim/load/handover.h"
#include "sim/load/linux_header.h"

struct linux_params {
    const struct memory_map *map;
    const char *arguments; /* the command line; NULL for none */
    const struct file_map
        *modules; /* one after the other they are the initrd, each from a multiple of 4 on */
    size_t nr_modules;
    bool is_64;    /* by the 64-bit protocol */
    uint64_t rsdp; /* physical; 0: there is none */
};

/* Adds where the unpacked kernel goes that plan->file is, an ELF executable, and the entry. */
bool linux_plan_unpacked(struct load_plan *plan, const struct linux_params *params, struct diag *diag);

/* Adds where the code goes and the entry. */
bool linux_plan(struct load_plan *plan, const struct linux_header *header, const struct linux_params *params,
                struct diag *diag);

/* Makes all the rest for a checked plan; the files of `params` are to stay until handover_load(). */
bool linux_hand_over(struct handover *handover, const struct load_plan *plan,
                     const struct linux_header *header, const struct linux_params *params, struct diag *diag);

#endif
