/* Caches of the kernel's objects that can do with fewer when memory runs low (mm/shrinker.c). */
#pragma once

#include "list.h"
#include "types.h"

struct shrinker {
    struct list_head list;
    /* Objects that could go. */
    unsigned long (*count_objects)(void);
    /*
     * Frees up to nr of them, and returns how many. Never sleeps: it may be called wherever memory is
     * allocated, by who holds whatever lock.
     */
    unsigned long (*scan_objects)(unsigned long nr);
};

void register_shrinker(struct shrinker *shrinker);
/*
 * Of the objects of each cache frees as large a part as nr_scanned is of nr_pages, and the slabs that are
 * empty then. Returns how many pages were freed.
 */
unsigned long shrink_slab(unsigned long nr_scanned, unsigned long nr_pages);
