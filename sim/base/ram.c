#include "sim/base/ram.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

bool ram_init(struct ram *ram, uint64_t size_bytes)
{
    assert(size_bytes > 0 && size_bytes % PAGE_BYTES == 0);
    *ram = (struct ram){0};
    void *host =
        mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (host == MAP_FAILED)
        return false;
    /* A guest that uses much memory would miss the host's TLB at each turn; no huge pages, no harm. */
    (void)madvise(host, size_bytes, MADV_HUGEPAGE);
    ram->host = host;
    ram->size_bytes = size_bytes;
    return true;
}

void ram_fini(struct ram *ram)
{
    if (ram->host)
        munmap(ram->host, ram->size_bytes);
    *ram = (struct ram){0};
}

bool ram_read(const struct ram *ram, struct paddr at, void *into, size_t size_bytes)
{
    if (!ram_has(ram, at, size_bytes))
        return false;
    memcpy(into, ram->host + at.v, size_bytes);
    return true;
}

bool ram_write(struct ram *ram, struct paddr at, const void *from, size_t size_bytes)
{
    if (!ram_has(ram, at, size_bytes))
        return false;
    memcpy(ram->host + at.v, from, size_bytes);
    return true;
}

bool ram_touched(const struct ram *ram, uint8_t *touched, size_t nr_pages)
{
    if (nr_pages > ram->size_bytes / PAGE_BYTES)
        return false;
    if (nr_pages == 0)
        return true;
    if (mincore(ram->host, nr_pages * PAGE_BYTES, touched) != 0)
        return false;
    for (size_t i = 0; i < nr_pages; i++)
        touched[i] &= 1;
    return true;
}
