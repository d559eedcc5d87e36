#include "sim/snapshot/ram_snap.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A look at the host's page tables (Linux, Documentation/admin-guide/mm/pagemap.rst). */
#define PAGEMAP_PRESENT (UINT64_C(1) << 63)
#define PAGEMAP_SWAPPED (UINT64_C(1) << 62)

enum { PAGEMAP_ENTRIES = 512 };

/* Which pages the host has backed; where it does not say, all may be. */
struct backing {
    const struct ram *ram;
    int fd;
    uint64_t first; /* of the entries that are here */
    uint64_t entries[PAGEMAP_ENTRIES];
    bool is_known;
};

static void look(struct backing *backing, uint64_t page)
{
    uint64_t host_page = (uint64_t)(uintptr_t)backing->ram->host / PAGE_BYTES + page;
    ssize_t wanted = (ssize_t)sizeof backing->entries;
    backing->first = page;
    backing->is_known = backing->fd >= 0 && pread(backing->fd, backing->entries, sizeof backing->entries,
                                                  (off_t)(host_page * sizeof(uint64_t))) == wanted;
}

static bool is_zero(const uint8_t *page)
{
    return page[0] == 0 && memcmp(page, page + 1, PAGE_BYTES - 1) == 0;
}

static bool holds_something(struct backing *backing, uint64_t page)
{
    if (page < backing->first || page - backing->first >= PAGEMAP_ENTRIES)
        look(backing, page);
    bool is_backed =
        !backing->is_known || (backing->entries[page - backing->first] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED));
    return is_backed && !is_zero(backing->ram->host + page * PAGE_BYTES);
}

static void run_snap(struct ram *ram, uint64_t first, uint64_t nr, struct snap *snap)
{
    SNAP(snap, first);
    SNAP(snap, nr);
    if (nr)
        snap_bytes(snap, ram->host + first * PAGE_BYTES, nr * PAGE_BYTES);
}

static void save(struct ram *ram, struct snap *snap)
{
    uint64_t nr_pages = ram->size_bytes / PAGE_BYTES, first = 0, nr = 0;
    struct backing backing = {.ram = ram, .fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)};
    look(&backing, 0);
    for (uint64_t page = 0; page < nr_pages && snap_is_good(snap); page++) {
        if (holds_something(&backing, page)) {
            first = nr ? first : page;
            nr++;
        } else if (nr) {
            run_snap(ram, first, nr, snap);
            nr = 0;
        }
    }
    if (nr)
        run_snap(ram, first, nr, snap);
    run_snap(ram, 0, 0, snap);
    if (backing.fd >= 0)
        close(backing.fd);
}

static void load(struct ram *ram, struct snap *snap)
{
    uint64_t nr_pages = ram->size_bytes / PAGE_BYTES, next = 0, first = 0, nr = 0;
    if (madvise(ram->host, ram->size_bytes, MADV_DONTNEED) != 0)
        memset(ram->host, 0, ram->size_bytes);
    do {
        SNAP(snap, first);
        SNAP(snap, nr);
        if (nr && (first < next || first >= nr_pages || nr > nr_pages - first))
            snap_fail(snap, "pages from %#llx on, %llu of them: not in order, or not in RAM",
                      (unsigned long long)first, (unsigned long long)nr);
        if (!snap_is_good(snap))
            return;
        next = first + nr;
        snap_bytes(snap, ram->host + first * PAGE_BYTES, nr * PAGE_BYTES);
    } while (nr);
}

void ram_snap(struct ram *ram, struct snap *snap)
{
    snap_section(snap, "ram");
    snap_same(snap, "its size in bytes", ram->size_bytes);
    if (!snap_is_good(snap))
        return;
    if (snap->is_load)
        load(ram, snap);
    else
        save(ram, snap);
}
