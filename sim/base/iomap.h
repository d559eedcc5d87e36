/*
 * Who answers at which port, and at which physical address outside RAM. A device registers ranges; overlaps
 * are refused at registration with both names. What nobody claims reads all ones, ignores writes, and is
 * counted.
 */
#ifndef LK_SIM_BASE_IOMAP_H
#define LK_SIM_BASE_IOMAP_H

#include "sim/base/diag.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * `offset` counts from the range's base; `size` is 1, 2 or 4 bytes (8 as well for memory). Values are
 * zero-extended.
 */
typedef uint64_t io_read_fn(void *opaque, uint64_t offset, unsigned size);
typedef void io_write_fn(void *opaque, uint64_t offset, unsigned size, uint64_t value);

enum { IO_WIDTH_1 = 1, IO_WIDTH_2 = 2, IO_WIDTH_4 = 4, IO_WIDTH_8 = 8 };

struct io_range {
    const char *name;
    uint64_t base, size;
    /*
     * IO_WIDTH_* ORed. A wider access is split into the widest accepted, lowest address first, where it
     * crosses the end of the range too; one narrower than all accepted is nobody's.
     */
    unsigned widths;
    io_read_fn *read;   /* NULL: nobody answers reads */
    io_write_fn *write; /* NULL: nobody takes writes */
    void *opaque;
};

struct iomap;

/*
 * `what` names the address space in messages and statistics: "port" or "memory". NULL when memory is short.
 */
struct iomap *iomap_create(const char *what);
void iomap_destroy(struct iomap *map);

/* Copies `range`. On overlap adds a line with both names and returns false. */
bool iomap_add(struct iomap *map, const struct io_range *range, struct diag *diag);

/* Takes away the range that begins at `base`, which has to be there. May be called from within a device. */
void iomap_remove(struct iomap *map, uint64_t base);

uint64_t iomap_read(struct iomap *map, uint64_t address, unsigned size);
void iomap_write(struct iomap *map, uint64_t address, unsigned size, uint64_t value);

/* Accesses that nobody answered. */
struct iomap_stats {
    uint64_t unclaimed_reads, unclaimed_writes;
};
const struct iomap_stats *iomap_stats(const struct iomap *map);

/* For a range that passes some accesses on to nobody: counts one. */
void iomap_count_unclaimed(struct iomap *map, bool is_write);

/* What it counted, for checkpoints; the ranges are their owners' (sim/base/snap.h). */
struct snap;
void iomap_snap(struct iomap *map, struct snap *snap);

#endif
