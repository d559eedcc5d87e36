#include "sim/base/iomap.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* A device that notes each access; it reads as its offset plus 0x10, repeated in every byte. */
struct access {
    bool is_write;
    uint64_t offset, value;
    unsigned size;
};

struct recorder {
    struct access accesses[64];
    unsigned nr_accesses;
};

static struct iomap *map;
static struct diag diag;
static struct recorder recorder;

static uint64_t record_read(void *opaque, uint64_t offset, unsigned size)
{
    struct recorder *to = opaque;
    to->accesses[to->nr_accesses++] = (struct access){.offset = offset, .size = size};
    return (offset + 0x10) * UINT64_C(0x0101010101010101);
}

static void record_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct recorder *to = opaque;
    to->accesses[to->nr_accesses++] =
        (struct access){.is_write = true, .offset = offset, .size = size, .value = value};
}

static bool add(const char *name, uint64_t base, uint64_t size, unsigned widths)
{
    struct io_range range = {.name = name,
                             .base = base,
                             .size = size,
                             .widths = widths,
                             .read = record_read,
                             .write = record_write,
                             .opaque = &recorder};
    return iomap_add(map, &range, &diag);
}

static void expect(unsigned index, bool is_write, uint64_t offset, unsigned size, uint64_t value)
{
    cr_assert_lt(index, recorder.nr_accesses);
    const struct access *access = &recorder.accesses[index];
    cr_assert_eq(access->is_write, is_write);
    cr_assert_eq(access->offset, offset);
    cr_assert_eq(access->size, size);
    if (is_write)
        cr_assert_eq(access->value, value);
}

static void setup(void)
{
    map = iomap_create("port");
    diag_init(&diag);
    memset(&recorder, 0, sizeof(recorder));
}

static void teardown(void)
{
    iomap_destroy(map);
    diag_fini(&diag);
}

TestSuite(iomap, .init = setup, .fini = teardown);

Test(iomap, access_reaches_the_device_with_its_offset)
{
    cr_assert(add("pit", 0x40, 4, IO_WIDTH_1));
    cr_assert_eq(iomap_read(map, 0x42, 1), 0x12);
    iomap_write(map, 0x43, 1, 0xabcd);
    expect(0, false, 2, 1, 0);
    expect(1, true, 3, 1, 0xcd);
    cr_assert_eq(iomap_stats(map)->unclaimed_reads, 0);
}

Test(iomap, nobody_reads_as_ones_of_the_right_size_and_is_counted)
{
    cr_assert_eq(iomap_read(map, 0x80, 1), 0xff);
    cr_assert_eq(iomap_read(map, 0x80, 2), 0xffff);
    cr_assert_eq(iomap_read(map, 0x80, 4), 0xffffffff);
    cr_assert_eq(iomap_read(map, 0x80, 8), UINT64_MAX);
    iomap_write(map, 0x80, 4, 1);
    cr_assert_eq(iomap_stats(map)->unclaimed_reads, 4);
    cr_assert_eq(iomap_stats(map)->unclaimed_writes, 1);
}

Test(iomap, wide_access_is_split_lowest_address_first)
{
    cr_assert(add("bytes", 0x100, 8, IO_WIDTH_1));
    cr_assert_eq(iomap_read(map, 0x102, 4), 0x15141312);
    for (unsigned i = 0; i < 4; i++)
        expect(i, false, 2 + i, 1, 0);
    recorder.nr_accesses = 0;
    iomap_write(map, 0x100, 4, 0x44332211);
    for (unsigned i = 0; i < 4; i++)
        expect(i, true, i, 1, 0x11 * (i + 1));
}

Test(iomap, widest_accepted_piece_is_taken)
{
    cr_assert(add("words", 0x100, 16, IO_WIDTH_1 | IO_WIDTH_2));
    iomap_write(map, 0x100, 4, 0x44332211);
    expect(0, true, 0, 2, 0x2211);
    expect(1, true, 2, 2, 0x4433);
    cr_assert_eq(recorder.nr_accesses, 2);
}

Test(iomap, access_across_two_devices_is_split_between_them)
{
    cr_assert(add("b", 0x104, 4, IO_WIDTH_4 | IO_WIDTH_2 | IO_WIDTH_1));
    cr_assert(add("a", 0x100, 4, IO_WIDTH_4 | IO_WIDTH_2 | IO_WIDTH_1));
    cr_assert_eq(iomap_read(map, 0x102, 4), 0x10101212);
    expect(0, false, 2, 2, 0);
    expect(1, false, 0, 2, 0);
}

Test(iomap, part_outside_a_device_reads_ones_and_counts_once)
{
    cr_assert(add("a", 0x100, 2, IO_WIDTH_1 | IO_WIDTH_2));
    cr_assert_eq(iomap_read(map, 0x100, 4), 0xffff1010);
    cr_assert_eq(iomap_stats(map)->unclaimed_reads, 1);
}

Test(iomap, access_narrower_than_anything_accepted_is_nobodys)
{
    cr_assert(add("dword", 0xcf8, 4, IO_WIDTH_4));
    cr_assert_eq(iomap_read(map, 0xcf8, 1), 0xff);
    cr_assert_eq(iomap_read(map, 0xcf8, 4), 0x10101010);
    cr_assert_eq(recorder.nr_accesses, 1);
    cr_assert_eq(iomap_stats(map)->unclaimed_reads, 1);
}

Test(iomap, overlap_is_refused_with_both_names)
{
    cr_assert(add("first", 0x100, 8, IO_WIDTH_1));
    const uint64_t bases[] = {0xff, 0x100, 0x104, 0x107, 0xf0};
    const uint64_t sizes[] = {2, 8, 1, 100, 0x100};
    for (int i = 0; i < 5; i++) {
        cr_assert_not(add("second", bases[i], sizes[i], IO_WIDTH_1));
        cr_assert_not_null(strstr(diag.lines[i], "first"));
        cr_assert_not_null(strstr(diag.lines[i], "second"));
    }
    cr_assert(add("below", 0xf8, 8, IO_WIDTH_1));
    cr_assert(add("above", 0x108, 8, IO_WIDTH_1));
}

Test(iomap, range_at_the_top_of_the_address_space_works)
{
    cr_assert(add("top", UINT64_MAX - 7, 8, IO_WIDTH_1 | IO_WIDTH_8));
    cr_assert_eq(iomap_read(map, UINT64_MAX, 1), 0x17);
    cr_assert_eq(iomap_read(map, UINT64_MAX - 7, 8), UINT64_C(0x1010101010101010));
}

/* The oracle: an owner for each of 4096 ports. */
Test(iomap, finds_the_same_owner_as_a_plain_table)
{
    static int owner[4096];
    unsigned seed = 7;
    for (int i = 1; i <= 300; i++) {
        unsigned base = (unsigned)rand_r(&seed) % 4080, size = 1 + (unsigned)rand_r(&seed) % 16;
        bool is_free = true;
        for (unsigned at = base; at < base + size; at++)
            is_free &= owner[at] == 0;
        cr_assert_eq(add("x", base, size, IO_WIDTH_1), is_free);
        for (unsigned at = base; is_free && at < base + size; at++)
            owner[at] = (int)base + 1;
    }
    for (unsigned at = 0; at < 4096; at++) {
        recorder.nr_accesses = 0;
        iomap_read(map, at, 1);
        cr_assert_eq(recorder.nr_accesses, owner[at] ? 1 : 0);
        if (owner[at])
            cr_assert_eq(recorder.accesses[0].offset, at - (unsigned)(owner[at] - 1));
    }
}
