/* Images of disks for tests: files without a name that end with the test. */
#ifndef LK_TESTS_UNIT_DISK_FIXTURE_H
#define LK_TESTS_UNIT_DISK_FIXTURE_H

#include "dma/disk.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IMAGE_NAME_CHARS = 64 };

struct disk_image {
    char name[IMAGE_NAME_CHARS];
    int fd;
};

/* Byte `i` of sector `sector` of a new image. */
static inline uint8_t image_byte(uint64_t sector, size_t i)
{
    return (uint8_t)(sector * 7 + i + (i >> 8) * 3 + 1);
}

static inline void fill_sector(uint8_t *to, uint64_t sector)
{
    for (size_t i = 0; i < DISK_SECTOR_BYTES; i++)
        to[i] = image_byte(sector, i);
}

static inline struct disk_image make_image(uint64_t nr_sectors)
{
    struct disk_image image = {.name = "/tmp/lookaside.disk.XXXXXX"};
    uint8_t bytes[DISK_SECTOR_BYTES];
    image.fd = mkstemp(image.name);
    cr_assert_geq(image.fd, 0);
    for (uint64_t i = 0; i < nr_sectors; i++) {
        fill_sector(bytes, i);
        cr_assert_eq(write(image.fd, bytes, sizeof bytes), (ssize_t)sizeof bytes);
    }
    return image;
}

static inline struct disk *open_image(const struct disk_image *image, enum disk_mode mode)
{
    struct diag diag;
    diag_init(&diag);
    struct disk *disk = disk_open(&(struct disk_source){.file = image->name, .mode = mode}, &diag);
    cr_assert_not_null(disk, "%s", diag.nr_lines ? diag.lines[0] : "");
    diag_fini(&diag);
    return disk;
}

static inline void destroy_image(struct disk_image *image)
{
    unlink(image->name);
    close(image->fd);
}

#endif
