#include "dma/disk.h"

#include "sim/base/snap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The memory of a snapshot comes in chunks; a bit for each sector says whether it was written. */
enum { CHUNK_SECTORS = 128, MASK_BITS = 64 };

struct chunk {
    uint64_t written[CHUNK_SECTORS / MASK_BITS];
    uint8_t bytes[CHUNK_SECTORS][DISK_SECTOR_BYTES];
};

struct disk {
    const char *file;
    enum disk_mode mode;
    int fd;
    uint64_t nr_sectors;
    struct chunk **chunks; /* DISK_SNAPSHOT; NULL where nothing was written */
    struct disk_host_errors errors;
};

static bool refuse(struct disk *disk, int error)
{
    if (disk->errors.nr_errors++ == 0)
        disk->errors.first_errno = error;
    return false;
}

/* ---- Opening ---- */

static bool has_sectors(struct disk *disk, struct diag *diag)
{
    struct stat there;
    if (fstat(disk->fd, &there) != 0)
        return diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: cannot read: %s", disk->file, strerror(errno));
    if (!S_ISREG(there.st_mode))
        return diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: is a %s; allowed for a disk: a regular file",
                        disk->file, S_ISDIR(there.st_mode) ? "directory" : "device, pipe or socket");
    if (there.st_size == 0 || there.st_size % DISK_SECTOR_BYTES != 0)
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: %lld bytes; allowed for a disk: a multiple of 512, at least 512", disk->file,
                        (long long)there.st_size);
    disk->nr_sectors = (uint64_t)there.st_size / DISK_SECTOR_BYTES;
    return true;
}

/* File systems that know no locks do without. */
static bool lock(const struct disk *disk, struct diag *diag)
{
    bool is_writing = disk->mode == DISK_READ_WRITE;
    if (flock(disk->fd, (is_writing ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return true;
    return diag_add(diag, EXIT_STATUS_NO_INPUT,
                    "%s: another disk or program %s; allowed: many that read, or one", disk->file,
                    is_writing ? "has it" : "writes it");
}

static bool open_image(struct disk *disk, struct diag *diag)
{
    bool is_writing = disk->mode == DISK_READ_WRITE;
    /* Without O_NONBLOCK the opening of a pipe would wait for its other end. */
    disk->fd = open(disk->file, (is_writing ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
    if (disk->fd < 0)
        return diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: cannot %s: %s%s", disk->file,
                        is_writing ? "read and write" : "read", strerror(errno),
                        is_writing && (errno == EACCES || errno == EROFS) ? "; ,ro and ,snapshot only read it"
                                                                          : "");
    if (!has_sectors(disk, diag) || !lock(disk, diag))
        return false;
    if (disk->mode != DISK_SNAPSHOT)
        return true;
    disk->chunks = calloc(disk->nr_sectors / CHUNK_SECTORS + 1, sizeof(struct chunk *));
    return disk->chunks || diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", disk->file);
}

struct disk *disk_open(const struct disk_source *source, struct diag *diag)
{
    struct disk *disk = calloc(1, sizeof *disk);
    if (!disk) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", source->file);
        return NULL;
    }
    disk->file = source->file;
    disk->mode = source->mode;
    if (!open_image(disk, diag)) {
        disk_close(disk);
        return NULL;
    }
    return disk;
}

void disk_close(struct disk *disk)
{
    if (!disk)
        return;
    for (uint64_t i = 0; disk->chunks && i * CHUNK_SECTORS < disk->nr_sectors; i++)
        free(disk->chunks[i]);
    free(disk->chunks);
    if (disk->fd >= 0)
        close(disk->fd);
    free(disk);
}

/* ---- What is in it ---- */

uint64_t disk_nr_sectors(const struct disk *disk)
{
    return disk->nr_sectors;
}

bool disk_is_read_only(const struct disk *disk)
{
    return disk->mode == DISK_READ_ONLY;
}

static uint64_t written_bit(uint64_t sector)
{
    return UINT64_C(1) << sector % MASK_BITS;
}

/* Where the memory of a snapshot has the sector; NULL where it was not written. */
static uint8_t *kept(const struct disk *disk, uint64_t sector)
{
    struct chunk *chunk = disk->chunks ? disk->chunks[sector / CHUNK_SECTORS] : NULL;
    unsigned i = sector % CHUNK_SECTORS;
    return chunk && (chunk->written[i / MASK_BITS] & written_bit(sector)) ? chunk->bytes[i] : NULL;
}

bool disk_read(struct disk *disk, uint64_t sector, void *to)
{
    const uint8_t *bytes = kept(disk, sector);
    if (bytes) {
        memcpy(to, bytes, DISK_SECTOR_BYTES);
        return true;
    }
    for (size_t done = 0; done < DISK_SECTOR_BYTES;) {
        ssize_t got = pread(disk->fd, (uint8_t *)to + done, DISK_SECTOR_BYTES - done,
                            (off_t)(sector * DISK_SECTOR_BYTES + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return refuse(disk, got < 0 ? errno : 0);
        done += (size_t)got;
    }
    return true;
}

static bool keep(struct disk *disk, uint64_t sector, const void *from)
{
    struct chunk **chunk = &disk->chunks[sector / CHUNK_SECTORS];
    if (!*chunk)
        *chunk = calloc(1, sizeof **chunk);
    if (!*chunk)
        return refuse(disk, ENOMEM);
    unsigned i = sector % CHUNK_SECTORS;
    memcpy((*chunk)->bytes[i], from, DISK_SECTOR_BYTES);
    (*chunk)->written[i / MASK_BITS] |= written_bit(sector);
    return true;
}

bool disk_write(struct disk *disk, uint64_t sector, const void *from)
{
    if (disk->mode == DISK_READ_ONLY)
        return false;
    if (disk->mode == DISK_SNAPSHOT)
        return keep(disk, sector, from);
    for (size_t done = 0; done < DISK_SECTOR_BYTES;) {
        ssize_t put = pwrite(disk->fd, (const uint8_t *)from + done, DISK_SECTOR_BYTES - done,
                             (off_t)(sector * DISK_SECTOR_BYTES + done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return refuse(disk, put < 0 ? errno : EIO);
        done += (size_t)put;
    }
    return true;
}

bool disk_flush(struct disk *disk)
{
    if (disk->mode != DISK_READ_WRITE || fdatasync(disk->fd) == 0)
        return true;
    return refuse(disk, errno);
}

struct disk_host_errors disk_host_errors(const struct disk *disk)
{
    struct disk_host_errors errors = disk->errors;
    errors.file = disk->file;
    return errors;
}

/* ---- Checkpoints ---- */

static void chunk_snap(struct chunk *chunk, struct snap *snap)
{
    SNAP_ARRAY(snap, chunk->written);
    for (unsigned i = 0; i < CHUNK_SECTORS; i++)
        if (chunk->written[i / MASK_BITS] & written_bit(i))
            SNAP_ARRAY(snap, chunk->bytes[i]);
}

static void drop_chunks(struct disk *disk)
{
    for (uint64_t i = 0; i * CHUNK_SECTORS < disk->nr_sectors; i++) {
        free(disk->chunks[i]);
        disk->chunks[i] = NULL;
    }
}

static void load_chunks(struct disk *disk, uint64_t nr, struct snap *snap)
{
    drop_chunks(disk);
    for (uint64_t i = 0; i < nr && snap_is_good(snap); i++) {
        uint64_t index = 0;
        SNAP_BELOW(snap, index, disk->nr_sectors / CHUNK_SECTORS + 1);
        SNAP_REQUIRE(snap, index * CHUNK_SECTORS < disk->nr_sectors && !disk->chunks[index]);
        if (!snap_is_good(snap))
            return;
        disk->chunks[index] = calloc(1, sizeof **disk->chunks);
        if (!disk->chunks[index]) {
            snap_out_of_memory(snap);
            return;
        }
        chunk_snap(disk->chunks[index], snap);
    }
}

void disk_snap(struct disk *disk, struct snap *snap)
{
    uint64_t nr = 0;
    snap_same(snap, "the disk's number of sectors", disk->nr_sectors);
    SNAP_OPEN(snap, disk);
    SNAP_SKIP(snap, disk->file);
    SNAP_SKIP(snap, disk->mode);
    SNAP_SKIP(snap, disk->fd);
    SNAP_SKIP(snap, disk->nr_sectors);
    SNAP_SKIP(snap, disk->chunks); /* below */
    SNAP_SKIP(snap, disk->errors); /* this host's */
    SNAP_CLOSE(snap, disk);
    if (disk->mode != DISK_SNAPSHOT)
        return;
    for (uint64_t i = 0; i * CHUNK_SECTORS < disk->nr_sectors; i++)
        nr += disk->chunks[i] != NULL;
    SNAP(snap, nr);
    if (snap->is_load) {
        load_chunks(disk, nr, snap);
        return;
    }
    for (uint64_t i = 0; i * CHUNK_SECTORS < disk->nr_sectors; i++) {
        if (!disk->chunks[i])
            continue;
        SNAP(snap, i);
        chunk_snap(disk->chunks[i], snap);
    }
}
