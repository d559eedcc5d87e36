/* Disk images: what each mode keeps and where, against a plain array; locks; what the host refuses. */
#include "tests/unit/disk_fixture.h"

#include <signal.h>
#include <sys/resource.h>

enum { NR_SECTORS = 1000 };

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return *state >> 33;
}

static void read_file(const struct disk_image *image, uint8_t *bytes)
{
    cr_assert_eq(pread(image->fd, bytes, NR_SECTORS * DISK_SECTOR_BYTES, 0), NR_SECTORS * DISK_SECTOR_BYTES);
}

/* Random requests and what an array does with them. */
static void work(struct disk *disk, uint8_t *expected, uint64_t seed)
{
    uint8_t bytes[DISK_SECTOR_BYTES];
    for (unsigned i = 0; i < 5000; i++) {
        uint64_t sector = next_random(&seed) % NR_SECTORS;
        uint8_t *here = expected + sector * DISK_SECTOR_BYTES;
        if (next_random(&seed) & 1) {
            for (size_t j = 0; j < sizeof bytes; j++)
                here[j] = bytes[j] = (uint8_t)next_random(&seed);
            cr_assert(disk_write(disk, sector, bytes));
        } else {
            cr_assert(disk_read(disk, sector, bytes));
            cr_assert_arr_eq(bytes, here, sizeof bytes);
        }
    }
    cr_assert(disk_flush(disk));
}

Test(disk, writes_the_file_or_keeps_what_is_written)
{
    static uint8_t before[NR_SECTORS * DISK_SECTOR_BYTES], expected[sizeof before], after[sizeof before];
    struct disk_image image = make_image(NR_SECTORS);
    read_file(&image, before);
    memcpy(expected, before, sizeof before);
    struct disk *disk = open_image(&image, DISK_SNAPSHOT);
    cr_assert_eq(disk_nr_sectors(disk), NR_SECTORS);
    work(disk, expected, 1);
    disk_close(disk);
    read_file(&image, after);
    cr_assert_arr_eq(after, before, sizeof before);
    memcpy(expected, before, sizeof before);
    disk = open_image(&image, DISK_READ_WRITE);
    work(disk, expected, 2);
    cr_assert_eq(disk_host_errors(disk).nr_errors, 0);
    disk_close(disk);
    read_file(&image, after);
    cr_assert_arr_eq(after, expected, sizeof expected);
    destroy_image(&image);
}

Test(disk, a_read_only_one_is_not_written)
{
    uint8_t bytes[DISK_SECTOR_BYTES] = {0}, wanted[DISK_SECTOR_BYTES];
    struct disk_image image = make_image(8);
    struct disk *disk = open_image(&image, DISK_READ_ONLY);
    cr_assert(disk_is_read_only(disk));
    cr_assert_not(disk_write(disk, 3, bytes));
    cr_assert(disk_read(disk, 3, bytes));
    fill_sector(wanted, 3);
    cr_assert_arr_eq(bytes, wanted, sizeof wanted);
    disk_close(disk);
    destroy_image(&image);
}

/* The status and a part of the one line of an image that cannot be opened. */
static void refuses(const char *name, enum disk_mode mode, enum exit_status status, const char *words)
{
    struct diag diag;
    diag_init(&diag);
    cr_assert_null(disk_open(&(struct disk_source){.file = name, .mode = mode}, &diag));
    cr_assert_eq(diag.nr_lines, 1);
    cr_assert_eq(diag.status, status);
    cr_assert(strstr(diag.lines[0], name) && strstr(diag.lines[0], words), "%s", diag.lines[0]);
    diag_fini(&diag);
}

Test(disk, many_may_read_or_one_may_write)
{
    struct disk_image image = make_image(8);
    struct disk *a = open_image(&image, DISK_READ_ONLY), *b = open_image(&image, DISK_SNAPSHOT);
    refuses(image.name, DISK_READ_WRITE, EXIT_STATUS_NO_INPUT, "has it");
    disk_close(a);
    disk_close(b);
    a = open_image(&image, DISK_READ_WRITE);
    refuses(image.name, DISK_READ_WRITE, EXIT_STATUS_NO_INPUT, "has it");
    refuses(image.name, DISK_SNAPSHOT, EXIT_STATUS_NO_INPUT, "writes it");
    disk_close(a);
    destroy_image(&image);
}

Test(disk, refuses_what_is_no_disk)
{
    struct disk_image image = make_image(2);
    refuses("/tmp", DISK_READ_ONLY, EXIT_STATUS_NO_INPUT, "a directory");
    refuses("/tmp/no such file", DISK_READ_WRITE, EXIT_STATUS_NO_INPUT, "No such file");
    refuses("/dev/null", DISK_READ_WRITE, EXIT_STATUS_NO_INPUT, "a regular file");
    cr_assert_eq(ftruncate(image.fd, 1000), 0);
    refuses(image.name, DISK_READ_WRITE, EXIT_STATUS_BAD_DATA, "1000 bytes");
    cr_assert_eq(ftruncate(image.fd, 0), 0);
    refuses(image.name, DISK_READ_WRITE, EXIT_STATUS_BAD_DATA, "0 bytes");
    destroy_image(&image);
}

Test(disk, what_the_host_cannot_do_fails_that_request_only)
{
    uint8_t bytes[DISK_SECTOR_BYTES] = {1};
    struct disk_image image = make_image(16);
    struct disk *disk = open_image(&image, DISK_READ_WRITE);
    cr_assert_eq(ftruncate(image.fd, 8 * DISK_SECTOR_BYTES + 100), 0);
    cr_assert_not(disk_read(disk, 8, bytes));
    cr_assert(disk_read(disk, 7, bytes));
    cr_assert_eq(disk_host_errors(disk).nr_errors, 1);
    cr_assert_eq(disk_host_errors(disk).first_errno, 0);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){4 * DISK_SECTOR_BYTES, before.rlim_max}), 0);
    cr_assert_not(disk_write(disk, 4, bytes));
    cr_assert(disk_write(disk, 3, bytes));
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    cr_assert(disk_write(disk, 4, bytes));
    cr_assert_eq(disk_host_errors(disk).nr_errors, 2);
    disk_close(disk);
    destroy_image(&image);
}
