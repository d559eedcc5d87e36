/* The header by which an image says that it wants a multiboot 1 loader (Multiboot 0.6.96, 3.1). */
#ifndef LK_SIM_LOAD_MULTIBOOT_HEADER_H
#define LK_SIM_LOAD_MULTIBOOT_HEADER_H

#include "sim/load/plan.h"

enum { MULTIBOOT_SEARCHED_BYTES = 8192 };

enum multiboot_flag {
    MULTIBOOT_ALIGN_MODULES = 1 << 0,
    MULTIBOOT_MEMORY_INFO = 1 << 1,
    MULTIBOOT_VIDEO_MODE = 1 << 2,
    MULTIBOOT_REQUIRED = 0xffff, /* the loader must know these, or refuse */
    MULTIBOOT_ADDRESSES = 1 << 16,
};

struct multiboot_header {
    uint64_t offset; /* in the file */
    uint32_t flags;
    /* With MULTIBOOT_ADDRESSES: where to load what, physical. */
    uint32_t header_at, load_at, load_end, bss_end, entry;
};

/* Whether there is one, be its contents good or not. */
bool multiboot_has_header(const struct file_map *file);

/* Adds a line when the file's first 8 KiB have none, saying what is there, or when it asks too much. */
bool multiboot_find_header(const struct file_map *file, struct multiboot_header *header, struct diag *diag);

/* The plan of an image whose header has MULTIBOOT_ADDRESSES. */
bool multiboot_plan(struct load_plan *plan, const struct multiboot_header *header, struct diag *diag);

#endif
