#include "sim/base/ram.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct ram ram;

static void teardown(void)
{
    ram_fini(&ram);
}

TestSuite(ram, .fini = teardown);

Test(ram, three_gibibytes_cost_nothing_until_they_are_touched)
{
    cr_assert(ram_init(&ram, UINT64_C(3) << 30));
    uint8_t byte = 0xff;
    cr_assert(ram_read(&ram, paddr(ram.size_bytes - 1), &byte, 1));
    cr_assert_eq(byte, 0, "fresh RAM reads as zero");
}

Test(ram, what_was_written_is_read)
{
    cr_assert(ram_init(&ram, 16 * PAGE_BYTES));
    char text[16] = "";
    cr_assert(ram_write(&ram, paddr(PAGE_BYTES - 4), "lookaside", 10));
    cr_assert(ram_read(&ram, paddr(PAGE_BYTES - 4), text, 10));
    cr_assert_str_eq(text, "lookaside");
    cr_assert_eq(ram.host[PAGE_BYTES - 4], 'l');
}

Test(ram, access_that_leaves_ram_is_refused_whole)
{
    cr_assert(ram_init(&ram, 16 * PAGE_BYTES));
    uint64_t end = ram.size_bytes;
    uint8_t bytes[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    cr_assert(ram_write(&ram, paddr(end - 8), bytes, 8));
    cr_assert_not(ram_write(&ram, paddr(end - 7), bytes, 8));
    cr_assert_not(ram_write(&ram, paddr(end), bytes, 1));
    cr_assert_not(ram_read(&ram, paddr(UINT64_MAX), bytes, 8));
    cr_assert_not(ram_read(&ram, paddr(UINT64_MAX - 3), bytes, 8));
    cr_assert_not(ram_read(&ram, paddr(16), bytes, SIZE_MAX));
}

Test(ram, touched_pages_are_told_from_untouched)
{
    enum { NR_PAGES = 16384 };
    cr_assert(ram_init(&ram, (uint64_t)NR_PAGES * PAGE_BYTES));
    uint8_t *touched = malloc(NR_PAGES);
    ram.host[8000 * PAGE_BYTES + 5] = 1;
    cr_assert(ram_touched(&ram, touched, NR_PAGES));
    cr_assert_eq(touched[8000], 1);
    /* The host may back a whole huge page of 512 at once, but no more. */
    cr_assert_eq(touched[8000 - 512], 0);
    cr_assert_eq(touched[8000 + 512], 0);
    cr_assert_not(ram_touched(&ram, touched, NR_PAGES + 1));
    free(touched);
}
