/*
 * What a multiboot loader hands to the kernel (Multiboot 0.6.96, 3.3): memory map, command line, modules, the
 * loader's name. It is placed as QEMU places it, so that guests find the same: the information and the memory
 * map in low memory (above the image if that has something there), strings and modules on the pages above the
 * image.
 */
#ifndef LK_SIM_LOAD_MULTIBOOT_INFO_H
#define LK_SIM_LOAD_MULTIBOOT_INFO_H

#include "sim/load/plan.h"

#define MULTIBOOT_LOADER_MAGIC 0x2badb002u

struct multiboot_params {
    const struct load_plan *plan; /* checked */
    const struct memory_map *map;
    const char *arguments; /* of the kernel; NULL for none */
    const struct file_map *modules;
    const char *const *module_arguments; /* each may be NULL */
    size_t nr_modules;
};

struct multiboot_info;

/* Lays everything out and makes the bytes, but writes none. On failure adds a line and returns NULL. */
struct multiboot_info *multiboot_info_create(const struct multiboot_params *params, struct diag *diag);
void multiboot_info_destroy(struct multiboot_info *info);

/* Writes it, modules and all. */
void multiboot_info_load(const struct multiboot_info *info, struct ram *ram);

struct paddr multiboot_info_at(const struct multiboot_info *info);

/* The first address above the modules. */
struct paddr multiboot_info_end(const struct multiboot_info *info);

#endif
