/* Caches of objects that can be made smaller when memory runs low (include/shrinker.h). */
#include "shrinker.h"
#include "compiler.h"
#include "slab.h"
#include "vmstat.h"

static LIST_HEAD(shrinkers);

void register_shrinker(struct shrinker *shrinker)
{
    list_add_tail(&shrinker->list, &shrinkers);
}

/* Of each cache, the part that nr_scanned is of nr_pages. */
static void scan_caches(unsigned long nr_scanned, unsigned long nr_pages)
{
    unsigned long part = nr_pages / max(nr_scanned, 1ul);
    const struct shrinker *shrinker;
    list_for_each_entry(shrinker, &shrinkers, list)
    {
        unsigned long nr = shrinker->count_objects();
        count_vm_events(SLABS_SCANNED, shrinker->scan_objects(part > 1 ? (nr + part - 1) / part : nr));
    }
}

/* A slab goes only when all its objects are free. */
unsigned long shrink_slab(unsigned long nr_scanned, unsigned long nr_pages)
{
    scan_caches(nr_scanned, nr_pages);
    return kmem_cache_shrink_all();
}
