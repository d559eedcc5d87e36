/*
 * Page tables in RAM that change at random behind the paging unit's back: what test_mmu.c and
 * test_paging_cache.c share.
 */
#ifndef LK_TESTS_UNIT_MMU_FIXTURE_H
#define LK_TESTS_UNIT_MMU_FIXTURE_H

#include "sim/base/ram.h"

#include <criterion/criterion.h>

static uint64_t mmu_seed = 1;

static uint64_t mmu_pick(uint64_t below)
{
    mmu_seed = mmu_seed * 6364136223846793005u + 1442695040888963407u;
    return (mmu_seed >> 33) % below;
}

/* Of struct mmu_params: nobody keeps decoded code here. */
static void mmu_entry_written(void *opaque, struct paddr at)
{
    (void)opaque, (void)at;
}

static void mmu_put(struct ram *ram, uint64_t at, uint64_t value)
{
    cr_assert(ram_write(ram, paddr(at), &value, sizeof value));
}

static uint64_t mmu_get(const struct ram *ram, uint64_t at)
{
    uint64_t value;
    cr_assert(ram_read(ram, paddr(at), &value, sizeof value));
    return value;
}

#endif
