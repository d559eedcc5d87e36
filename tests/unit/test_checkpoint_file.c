#include "sim/snapshot/checkpoint_file.h"
#include "sim/snapshot/digest.h"
#include "sim/snapshot/ram_snap.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NR_NUMBERS = 400000, ROOM = 1 << 20, RAM_BYTES = 64 << 20, ZSTD_UNUSED_BIT_AT = 44 };

static char directory[] = "/tmp/test_checkpoint_file.XXXXXX", file[64], damaged[64];
static struct diag diag;
static uint64_t numbers[NR_NUMBERS];

static void setup(void)
{
    cr_assert(mkdtemp(directory));
    snprintf(file, sizeof file, "%s/whole", directory);
    snprintf(damaged, sizeof damaged, "%s/damaged", directory);
    diag_init(&diag);
    for (uint64_t i = 0; i < NR_NUMBERS; i++)
        numbers[i] = i / 1000;
}

static void teardown(void)
{
    unlink(file);
    unlink(damaged);
    rmdir(directory);
    diag_fini(&diag);
}

TestSuite(checkpoint_file, .init = setup, .fini = teardown);

static void make(uint32_t nr)
{
    struct checkpoint_file *checkpoint = checkpoint_file_create(file, &diag);
    cr_assert(checkpoint);
    struct snap *snap = checkpoint_file_snap(checkpoint);
    snap_section(snap, "numbers");
    SNAP(snap, nr);
    SNAP_VALUES(snap, numbers, nr);
    cr_assert_neq(access(file, F_OK), 0); /* no half file bears the name */
    cr_assert(checkpoint_file_finish(checkpoint));
}

/* Whether all is there and as it was. */
static bool read_back(const char *name)
{
    uint32_t nr = 0;
    uint64_t *found = calloc(NR_NUMBERS, sizeof *found);
    struct checkpoint_file *checkpoint = checkpoint_file_open(name, &diag);
    bool is_good = checkpoint != NULL;
    if (checkpoint) {
        struct snap *snap = checkpoint_file_snap(checkpoint);
        snap_section(snap, "numbers");
        SNAP_BELOW(snap, nr, NR_NUMBERS + 1);
        SNAP_VALUES(snap, found, nr);
        is_good = checkpoint_file_finish(checkpoint);
    }
    if (is_good)
        cr_assert_eq(memcmp(found, numbers, nr * sizeof *found), 0, "read as good, and is not");
    free(found);
    return is_good;
}

static size_t bytes_of(const char *name, uint8_t bytes[ROOM])
{
    FILE *from = fopen(name, "rbe");
    cr_assert(from);
    size_t nr_bytes = fread(bytes, 1, ROOM, from);
    fclose(from);
    return nr_bytes;
}

static void put(const uint8_t *bytes, size_t nr_bytes)
{
    FILE *to = fopen(damaged, "wbe");
    cr_assert(to && fwrite(bytes, 1, nr_bytes, to) == nr_bytes);
    fclose(to);
}

Test(checkpoint_file, of_many_chunks)
{
    make(NR_NUMBERS);
    cr_assert(read_back(file));
    cr_assert_eq(diag.nr_lines, 0);
}

/*
 * A bit anywhere, an end anywhere, a byte too many: always one line of status 65, and no byte of it is
 * used.
 */
Test(checkpoint_file, each_damage_is_seen)
{
    static uint8_t bytes[ROOM];
    make(100);
    size_t nr_bytes = bytes_of(file, bytes);
    for (size_t i = 0; i < 2 * nr_bytes + 1; i++) {
        size_t at = i % nr_bytes;
        diag_fini(&diag);
        diag_init(&diag);
        if (i < nr_bytes) {
            /* Nothing depends on reserved bytes, nor on a bit of zstd's head (RFC 8878, 3.1.1.1.1). */
            if ((at >= 28 && at < 32) || at == ZSTD_UNUSED_BIT_AT)
                continue;
            bytes[at] ^= (uint8_t)(1 << at % 8);
            put(bytes, nr_bytes);
            bytes[at] ^= (uint8_t)(1 << at % 8);
        } else if (i < 2 * nr_bytes) {
            put(bytes, at);
        } else {
            put(bytes, nr_bytes + 1);
            cr_assert(read_back(damaged)); /* what follows is not looked at */
            continue;
        }
        cr_assert_not(read_back(damaged), "byte %zu", i);
        cr_assert_eq(diag.nr_lines, 1, "byte %zu: %zu lines", i, diag.nr_lines);
        cr_assert_eq(diag.status, EXIT_STATUS_BAD_DATA);
    }
}

Test(checkpoint_file, what_was_not_read_is_a_mistake)
{
    make(100);
    struct checkpoint_file *checkpoint = checkpoint_file_open(file, &diag);
    snap_section(checkpoint_file_snap(checkpoint), "numbers");
    cr_assert_not(checkpoint_file_finish(checkpoint));
    cr_assert_eq(diag.status, EXIT_STATUS_BAD_DATA);
}

Test(checkpoint_file, where_nothing_can_be_written)
{
    cr_assert_not(checkpoint_file_create("/nowhere/at/all", &diag));
    cr_assert_eq(diag.status, EXIT_STATUS_NO_OUTPUT);
    struct checkpoint_file *checkpoint = checkpoint_file_create(file, &diag);
    checkpoint_file_abandon(checkpoint);
    cr_assert_neq(access(file, F_OK), 0);
}

/* Of RAM only pages with something in them are written; all others become zeros. */
Test(checkpoint_file, ram_is_sparse)
{
    struct ram ram, other;
    cr_assert(ram_init(&ram, RAM_BYTES) && ram_init(&other, RAM_BYTES));
    ram.host[0] = 1;
    ram.host[5 * PAGE_BYTES + 77] = 2;
    memset(ram.host + 6 * PAGE_BYTES, 3, 600 * PAGE_BYTES);
    ram.host[9000 * PAGE_BYTES] = 0; /* touched */
    ram.host[RAM_BYTES - 1] = 4;
    memset(other.host, 0xee, RAM_BYTES / 2);
    struct checkpoint_file *checkpoint = checkpoint_file_create(file, &diag);
    ram_snap(&ram, checkpoint_file_snap(checkpoint));
    cr_assert(checkpoint_file_finish(checkpoint));
    checkpoint = checkpoint_file_open(file, &diag);
    ram_snap(&other, checkpoint_file_snap(checkpoint));
    cr_assert(checkpoint_file_finish(checkpoint));
    cr_assert_eq(memcmp(ram.host, other.host, RAM_BYTES), 0);
    ram_fini(&ram);
    ram_fini(&other);
}

Test(checkpoint_file, digests)
{
    struct digest first, second;
    uint8_t bytes[100] = {1, 2, 3};
    put(bytes, sizeof bytes);
    cr_assert(digest_file(damaged, &first));
    cr_assert_eq(first.nr_bytes, sizeof bytes);
    for (unsigned i = 0; i < sizeof bytes * 8; i++) {
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        put(bytes, sizeof bytes);
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        cr_assert(digest_file(damaged, &second));
        cr_assert_neq(first.hash, second.hash, "bit %u", i);
    }
    cr_assert_not(digest_file("/nowhere", &first));
}
