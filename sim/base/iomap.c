#include "sim/base/iomap.h"

#include "sim/base/snap.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NR_RECENT = 16 };

struct iomap {
    const char *what;
    struct io_range *ranges; /* sorted by base, disjoint */
    size_t nr_ranges;
    const struct io_range *recent[NR_RECENT]; /* answered last; guests poll, and pause by another port */
    struct iomap_stats stats;
};

struct iomap *iomap_create(const char *what)
{
    struct iomap *map = calloc(1, sizeof(*map));
    if (map)
        map->what = what;
    return map;
}

void iomap_destroy(struct iomap *map)
{
    if (!map)
        return;
    free(map->ranges);
    free(map);
}

static uint64_t last_address(const struct io_range *range)
{
    return range->base + (range->size - 1);
}

/* Index of the first range that ends at or after `address`. */
static size_t lower_bound(const struct iomap *map, uint64_t address)
{
    size_t low = 0, high = map->nr_ranges;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (last_address(&map->ranges[middle]) < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool iomap_add(struct iomap *map, const struct io_range *range, struct diag *diag)
{
    assert(range->size > 0 && last_address(range) >= range->base);
    assert(range->widths > 0 && range->widths < 16);
    size_t at = lower_bound(map, range->base);
    if (at < map->nr_ranges && map->ranges[at].base <= last_address(range)) {
        const struct io_range *other = &map->ranges[at];
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s %#" PRIx64 "-%#" PRIx64 ": wanted by %s, but %s has %#" PRIx64 "-%#" PRIx64,
                        map->what, range->base, last_address(range), range->name, other->name, other->base,
                        last_address(other));
    }
    struct io_range *ranges = realloc(map->ranges, (map->nr_ranges + 1) * sizeof(*ranges));
    if (!ranges)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", range->name);
    memmove(&ranges[at + 1], &ranges[at], (map->nr_ranges - at) * sizeof(*ranges));
    ranges[at] = *range;
    map->ranges = ranges;
    map->nr_ranges++;
    memset(map->recent, 0, sizeof map->recent);
    return true;
}

void iomap_remove(struct iomap *map, uint64_t base)
{
    size_t at = lower_bound(map, base);
    assert(at < map->nr_ranges && map->ranges[at].base == base);
    map->nr_ranges--;
    memmove(&map->ranges[at], &map->ranges[at + 1], (map->nr_ranges - at) * sizeof(*map->ranges));
    memset(map->recent, 0, sizeof map->recent);
}

static const struct io_range *find(struct iomap *map, uint64_t address)
{
    const struct io_range **recent = &map->recent[(address ^ address >> 4) % NR_RECENT];
    if (*recent && address - (*recent)->base < (*recent)->size)
        return *recent;
    size_t at = lower_bound(map, address);
    if (at == map->nr_ranges || map->ranges[at].base > address)
        return NULL;
    *recent = &map->ranges[at];
    return *recent;
}

/*
 * The widest access that `range` takes at `offset` among those of at most `size` bytes; 0 when it takes none.
 */
static unsigned piece_width(const struct io_range *range, uint64_t offset, unsigned size)
{
    if ((range->widths & size) && (size & (size - 1)) == 0 && size <= range->size - offset)
        return size;
    for (unsigned width = 8; width > 0; width /= 2) {
        if (width <= size && (range->widths & width) && width <= range->size - offset)
            return width;
    }
    return 0;
}

static uint64_t ones(unsigned size)
{
    return size >= 8 ? UINT64_MAX : (UINT64_C(1) << (8 * size)) - 1;
}

uint64_t iomap_read(struct iomap *map, uint64_t address, unsigned size)
{
    assert(size >= 1 && size <= 8);
    uint64_t value = 0;
    bool is_unclaimed = false;
    for (unsigned done = 0; done < size;) {
        const struct io_range *range = find(map, address + done);
        uint64_t offset = range ? address + done - range->base : 0;
        unsigned width = range && range->read ? piece_width(range, offset, size - done) : 0;
        uint64_t piece = 0xff;
        if (width == 0) {
            is_unclaimed = true;
            width = 1;
        } else {
            piece = range->read(range->opaque, offset, width) & ones(width);
        }
        value |= piece << (8 * done);
        done += width;
    }
    map->stats.unclaimed_reads += is_unclaimed;
    return value;
}

void iomap_write(struct iomap *map, uint64_t address, unsigned size, uint64_t value)
{
    assert(size >= 1 && size <= 8);
    bool is_unclaimed = false;
    for (unsigned done = 0; done < size;) {
        const struct io_range *range = find(map, address + done);
        uint64_t offset = range ? address + done - range->base : 0;
        unsigned width = range && range->write ? piece_width(range, offset, size - done) : 0;
        if (width == 0) {
            is_unclaimed = true;
            width = 1;
        } else {
            range->write(range->opaque, offset, width, (value >> (8 * done)) & ones(width));
        }
        done += width;
    }
    map->stats.unclaimed_writes += is_unclaimed;
}

const struct iomap_stats *iomap_stats(const struct iomap *map)
{
    return &map->stats;
}

void iomap_count_unclaimed(struct iomap *map, bool is_write)
{
    if (is_write)
        map->stats.unclaimed_writes++;
    else
        map->stats.unclaimed_reads++;
}

void iomap_snap(struct iomap *map, struct snap *snap)
{
    SNAP_OPEN(snap, map);
    SNAP_SKIP(snap, map->what);
    SNAP_SKIP(snap, map->ranges); /* their owners put them in */
    SNAP_SKIP(snap, map->nr_ranges);
    SNAP_SKIP(snap, map->recent);
    SNAP_COUNTERS(snap, map->stats);
    SNAP_CLOSE(snap, map);
}
