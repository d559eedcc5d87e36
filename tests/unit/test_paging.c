/*
 * Two-level page walks over all combinations of rights, against the manual's tables read anew (SDM 3A 4.6.1,
 * 4.7, 4.8), and descriptors against a bit-by-bit reading of figure 3-8.
 */
#include "mmu/paging.h"
#include "mmu/segment.h"

#include <criterion/criterion.h>
#include <string.h>

enum { DIRECTORY = 0x1000, TABLE = 0x2000, FRAME = 0x5000, MEMORY_BYTES = 0x4000 };

static uint8_t memory_bytes[MEMORY_BYTES];

static uint64_t read_entry(void *opaque, struct walk_step *step)
{
    uint32_t value;
    (void)opaque;
    memcpy(&value, memory_bytes + step->at.v, sizeof value);
    return value;
}

static void update_entry(void *opaque, const struct walk_step *step, uint64_t value)
{
    uint32_t entry = (uint32_t)value;
    (void)opaque;
    memcpy(memory_bytes + step->at.v, &entry, sizeof entry);
}

static void put(uint32_t at, uint32_t value)
{
    memcpy(memory_bytes + at, &value, sizeof value);
}

static uint32_t get(uint32_t at)
{
    uint32_t value;
    memcpy(&value, memory_bytes + at, sizeof value);
    return value;
}

/* What the manual says of an access; *error is the code of the fault that it makes. */
static bool manual_allows(uint32_t pde, uint32_t pte, bool wp, bool is_user, enum mmu_access access,
                          uint32_t *error)
{
    bool is_present = (pde & 1) && (pte & 1), both_rw = (pde & 2) && (pte & 2),
         both_us = (pde & 4) && (pte & 4);
    *error = (is_present ? 1u : 0u) | (access == MMU_WRITE ? 2u : 0u) | (is_user ? 4u : 0u);
    if (!is_present)
        return false;
    if (is_user)
        return both_us && (access != MMU_WRITE || both_rw);
    return access != MMU_WRITE || both_rw || !wp;
}

Test(paging, every_combination_of_rights_does_what_the_manual_says)
{
    const struct walk_memory memory = {.read = read_entry, .update = update_entry};
    uint32_t linear = 0x12345678, pde_at = DIRECTORY + (linear >> 22) * 4,
             pte_at = TABLE + (linear >> 12 & 0x3ff) * 4;
    for (unsigned bits = 0; bits < 64 * 2 * 2 * 3; bits++) {
        uint32_t pde = TABLE | (bits & 7), pte = FRAME | (bits >> 3 & 7), expected;
        bool wp = bits >> 6 & 1, is_user = bits >> 7 & 1;
        enum mmu_asker asker = is_user ? MMU_USER : MMU_SUPERVISOR;
        enum mmu_access access = bits >> 8;
        struct paging_mode mode = {
            .cr0 = CR0_PE | CR0_PG | (wp ? CR0_WP : 0), .cr3 = DIRECTORY, .cr4 = CR4_PSE | CR4_PGE};
        struct walk walk = {.linear = laddr(linear), .access = access, .asker = asker};
        struct tlb_entry entry;
        put(pde_at, pde);
        put(pte_at, pte);
        bool is_allowed = paging_walk(&mode, &memory, &walk, NULL, &entry);
        cr_assert_eq(is_allowed, manual_allows(pde, pte, wp, is_user, access, &expected), "bits %x", bits);
        if (is_allowed) {
            cr_assert_eq(entry.frame.v, FRAME);
            cr_assert_eq(entry.page_number, linear >> 12);
            cr_assert_eq(get(pde_at), pde | PTE_A);
            cr_assert_eq(get(pte_at), pte | PTE_A | (access == MMU_WRITE ? PTE_D : 0u));
        } else {
            cr_assert_eq(walk.error_code, expected, "bits %x", bits);
            cr_assert_eq(get(pde_at), pde, "a walk that faults marks nothing");
            cr_assert_eq(get(pte_at), pte);
        }
    }
}

Test(paging, large_pages_need_pse_and_their_reserved_bits_fault)
{
    const struct walk_memory memory = {.read = read_entry, .update = update_entry};
    uint32_t linear = 0xc0123456, pde_at = DIRECTORY + (linear >> 22) * 4;
    for (unsigned bit = 12; bit < 22; bit++) {
        struct paging_mode mode = {.cr0 = CR0_PE | CR0_PG, .cr3 = DIRECTORY, .cr4 = CR4_PSE | CR4_PGE};
        struct walk walk = {.linear = laddr(linear), .access = MMU_READ};
        struct tlb_entry entry;
        put(pde_at, 0x00c00000 | PTE_P | PTE_RW | PTE_PS | PTE_G | 1u << bit);
        bool is_allowed = paging_walk(&mode, &memory, &walk, NULL, &entry);
        cr_assert_eq(is_allowed, bit == 12, "bit 12 is PAT, 13 to 21 are reserved without PSE-36");
        if (is_allowed) {
            cr_assert_eq(entry.page, TLB_PAGE_4M);
            cr_assert_eq(entry.frame.v, 0x00c00000);
            cr_assert(entry.flags & TLB_GLOBAL);
        } else {
            cr_assert_eq(walk.error_code, PF_P | PF_RSVD);
        }
    }
}

Test(paging, descriptors_are_read_bit_by_bit_as_the_manual_draws_them)
{
    uint64_t raw = 0x9ec3fa5b1d7e2846;
    for (unsigned n = 0; n < 10000; n++) {
        raw = raw * 6364136223846793005u + 1442695040888963407u;
        struct descriptor d = segment_decode(raw);
        uint32_t low = (uint32_t)raw, high = (uint32_t)(raw >> 32);
        uint32_t limit = (low & 0xffff) | (high & 0x000f0000);
        uint32_t base = low >> 16 | (high & 0xff) << 16 | (high & 0xff000000);
        cr_assert_eq(d.base, base);
        cr_assert_eq(d.limit_bytes, high & 1u << 23 ? limit * 4096 + 4095 : limit);
        cr_assert_eq(d.type, high >> 8 & 15);
        cr_assert_eq(d.is_code_or_data, high >> 12 & 1);
        cr_assert_eq(d.dpl, high >> 13 & 3);
        cr_assert_eq(d.is_present, high >> 15 & 1);
        cr_assert_eq(d.is_big, high >> 22 & 1);
    }
}

Test(paging, limits_of_segments_hold_to_the_byte)
{
    struct segment up = {.is_usable = true,
                         .hidden = {.limit_bytes = 0xfff, .type = SEGMENT_WRITABLE, .is_big = true}};
    cr_assert(segment_allows(&up, 0xffc, 4, true));
    cr_assert_not(segment_allows(&up, 0xffd, 4, true));
    cr_assert(segment_allows(&up, 0xfff, 1, false));
    cr_assert_not(segment_allows(&up, 0x1000, 1, false));
    cr_assert_not(segment_allows(&up, UINT32_MAX, 2, false), "no wrap-around");
    struct segment down = up;
    down.hidden.type |= SEGMENT_EXPAND_DOWN;
    cr_assert_not(segment_allows(&down, 0xfff, 1, true));
    cr_assert(segment_allows(&down, 0x1000, 4, true));
    cr_assert(segment_allows(&down, 0xfffffffc, 4, true));
    cr_assert_not(segment_allows(&down, 0xfffffffd, 4, true));
    down.hidden.is_big = false;
    cr_assert(segment_allows(&down, 0xfffe, 2, true));
    cr_assert_not(segment_allows(&down, 0xffff, 2, true));
    struct segment code = {.is_usable = true, .hidden = {.limit_bytes = UINT32_MAX, .type = SEGMENT_CODE}};
    cr_assert_not(segment_allows(&code, 0, 1, false), "execute-only");
    code.hidden.type |= SEGMENT_READABLE;
    cr_assert(segment_allows(&code, 0, 1, false));
    cr_assert_not(segment_allows(&code, 0, 1, true));
    up.is_usable = false;
    cr_assert_not(segment_allows(&up, 0, 1, false), "the null selector faults when used");
}
