/*
 * A disk's sectors, in a raw image: a file whose byte n is byte n of the disk. What a disk has to say to the
 * PC is ata.h; this is what a host's file can do.
 *
 * A host's error (no room, a file that has become shorter, an I/O error) is the answer to one request and
 * nothing more: the guest gets a disk error, and the next request is tried again.
 */
#ifndef LK_DMA_DISK_H
#define LK_DMA_DISK_H

#include "sim/base/diag.h"

#include <stdbool.h>
#include <stdint.h>

enum { DISK_SECTOR_BYTES = 512 };

enum disk_mode {
    DISK_READ_WRITE,
    DISK_READ_ONLY, /* writes are refused */
    DISK_SNAPSHOT,  /* writes are kept in memory, as far as there are any, and lost with the disk */
};

struct disk_source {
    const char *file; /* NULL: no disk */
    enum disk_mode mode;
};

struct disk;

/*
 * Opens an image and locks it (flock) against others of its kind, here and in other programs: any number
 * may read, or one may write. `file` outlives the disk. On failure adds a line of status 66 for a file
 * that cannot be read or written, 65 for one that is no whole number of sectors, and returns NULL.
 */
struct disk *disk_open(const struct disk_source *source, struct diag *diag);
void disk_close(struct disk *disk);

uint64_t disk_nr_sectors(const struct disk *disk);
bool disk_is_read_only(const struct disk *disk);

/* One sector, which is below disk_nr_sectors. False: the host cannot. */
bool disk_read(struct disk *disk, uint64_t sector, void *to) __attribute__((warn_unused_result));
bool disk_write(struct disk *disk, uint64_t sector, const void *from) __attribute__((warn_unused_result));
/* All that was written is on the host's disk when it returns. False: the host cannot say so. */
bool disk_flush(struct disk *disk) __attribute__((warn_unused_result));

/* What the host refused, to tell a person: how often, and the first reason (an errno; 0: a short file). */
struct disk_host_errors {
    uint64_t nr_errors;
    int first_errno;
    const char *file;
};
struct disk_host_errors disk_host_errors(const struct disk *disk);

/* What a snapshot's guest has written, for checkpoints (sim/base/snap.h); the image stays where it is. */
struct snap;
void disk_snap(struct disk *disk, struct snap *snap);

#endif
