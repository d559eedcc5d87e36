/*
 * Walks of all kinds of paging over random tables, and over all combinations of rights, against a walker that
 * is written out from the manual's figures and tables, level by level, with none of our headers' numbers (SDM
 * 3A 4.3 to 4.7, tables 4-3 to 4-20).
 */
#include "mmu/paging.h"

#include <criterion/criterion.h>
#include <string.h>

/* ---- Memory whose every entry is made up when it is first read ---- */

enum { MAX_WRITES = 8 };

static struct {
    uint64_t seed;
    unsigned physical_bits;
    uint64_t (*make)(uint64_t at);
    unsigned nr_writes;
    uint64_t at[MAX_WRITES], value[MAX_WRITES];
} memory;

static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static uint64_t read_entry(void *opaque, struct walk_step *step)
{
    (void)opaque;
    uint64_t value = memory.make(step->at.v);
    return step->size_bytes == 4 ? (uint32_t)value : value;
}

static void update_entry(void *opaque, const struct walk_step *step, uint64_t value)
{
    (void)opaque;
    cr_assert_lt(memory.nr_writes, MAX_WRITES);
    memory.at[memory.nr_writes] = step->at.v;
    memory.value[memory.nr_writes++] = value;
}

/* Mostly present, mostly good; high address bits, reserved bits and XD now and then. */
static uint64_t random_entry(uint64_t at)
{
    uint64_t r = mix(memory.seed ^ at), s = mix(r), value = s & 0x1f7e;
    value |= s & ((1ull << memory.physical_bits) - 1) & ~0xfffull;
    value |= r % 16 ? 1 : 0;
    value |= (r >> 4) % 8 ? 6 : 0;
    value |= (r >> 7) % 4 ? 0 : 0x80;
    if ((r >> 9) % 4)
        value &= ~0x3fffe000ull; /* few large pages would have none of these bits set */
    if ((r >> 11) % 16 == 0)
        value |= s & 0xfff0000000000000;
    if ((r >> 15) % 16 == 0)
        value |= 1ull << (r >> 19) % 52;
    if ((r >> 25) % 8 == 0)
        value |= 1ull << 63;
    return value;
}

/* ---- The manual's walker ---- */

struct machine {
    enum paging_kind kind;
    uint64_t cr3, pdpte[4];
    unsigned maxphyaddr;
    bool wp, pse, pge, smep, smap, nxe, pages_of_1gib;
};

struct asked {
    uint64_t linear;
    bool is_write, is_fetch, is_user, is_ac;
};

struct outcome {
    bool is_fault;
    uint64_t error_code, physical, page_bytes;
    bool user, writable, no_execute, global;
    unsigned pat_pcd_pwt;
    unsigned nr_entries;
    uint64_t entry_at[5], entry[5];
};

static struct outcome page_fault(const struct machine *m, const struct asked *a, struct outcome o,
                                 bool is_present, bool is_reserved)
{
    bool shows_fetch = a->is_fetch && (m->smep || (m->nxe && m->kind != PAGING_TWO_LEVEL));
    o.is_fault = true;
    o.error_code = (is_present ? 1u : 0u) + (a->is_write ? 2u : 0u) + (a->is_user ? 4u : 0u) +
                   (is_reserved ? 8u : 0u) + (shows_fetch ? 16u : 0u);
    return o;
}

/* SDM 3A 4.6.1, bullet by bullet. */
static bool is_permitted(const struct machine *m, const struct asked *a, const struct outcome *o)
{
    if (!a->is_user) {
        if (a->is_fetch && !o->user)
            return !o->no_execute;
        if (a->is_fetch)
            return !m->smep && !o->no_execute;
        if (!a->is_write && !o->user)
            return true;
        if (!a->is_write)
            return !m->smap || a->is_ac;
        if (!o->user)
            return m->wp ? o->writable : true;
        if (m->wp)
            return o->writable && (m->smap ? a->is_ac : true);
        return m->smap ? a->is_ac : true;
    }
    if (!o->user)
        return false;
    if (a->is_fetch)
        return !o->no_execute;
    return a->is_write ? o->writable : true;
}

static uint64_t bits(uint64_t value, unsigned high, unsigned low)
{
    return value >> low & ((2ull << (high - low)) - 1);
}

/* The entry numbered `index` of the table at `table`; rights add up. */
static uint64_t take(struct outcome *o, uint64_t table, uint64_t index, unsigned entry_bytes)
{
    uint64_t at = table + index * entry_bytes, value = memory.make(at);
    if (entry_bytes == 4)
        value = bits(value, 31, 0);
    o->entry_at[o->nr_entries] = at;
    o->entry[o->nr_entries++] = value;
    o->writable &= bits(value, 1, 1) == 1;
    o->user &= bits(value, 2, 2) == 1;
    o->no_execute |= entry_bytes == 8 && bits(value, 63, 63) == 1;
    return value;
}

static struct outcome map(const struct machine *m, const struct asked *a, struct outcome o, uint64_t leaf,
                          uint64_t first_byte, uint64_t page_bytes)
{
    o.page_bytes = page_bytes;
    o.physical = first_byte + a->linear % page_bytes;
    o.global = m->pge && bits(leaf, 8, 8);
    o.pat_pcd_pwt =
        (unsigned)(bits(leaf, 4, 3) | (page_bytes == 4096 ? bits(leaf, 7, 7) : bits(leaf, 12, 12)) << 2);
    if (!is_permitted(m, a, &o))
        return page_fault(m, a, o, true, false);
    return o;
}

static struct outcome walk_32bit(const struct machine *m, const struct asked *a, struct outcome o)
{
    uint64_t pde = take(&o, bits(m->cr3, 31, 12) << 12, bits(a->linear, 31, 22), 4);
    if (!bits(pde, 0, 0))
        return page_fault(m, a, o, false, false);
    if (m->pse && bits(pde, 7, 7)) { /* table 4-4, M being the minimum of 40 and MAXPHYADDR */
        unsigned M = m->maxphyaddr < 40 ? m->maxphyaddr : 40;
        if (bits(pde, 21, 21) || (M < 40 && bits(pde, 20, M - 19)))
            return page_fault(m, a, o, true, true);
        uint64_t high = M > 32 ? bits(pde, M - 20, 13) : 0;
        return map(m, a, o, pde, high << 32 | bits(pde, 31, 22) << 22, 4u << 20);
    }
    uint64_t pte = take(&o, bits(pde, 31, 12) << 12, bits(a->linear, 21, 12), 4);
    if (!bits(pte, 0, 0))
        return page_fault(m, a, o, false, false);
    return map(m, a, o, pte, bits(pte, 31, 12) << 12, 4096);
}

/*
 * What tables 4-9 to 4-11 and 4-15 to 4-20 reserve of the upper half: XD without NXE, address bits, PAE:
 * 62-52.
 */
static bool is_high_reserved(const struct machine *m, uint64_t entry)
{
    return (!m->nxe && bits(entry, 63, 63)) || (m->kind == PAGING_PAE && bits(entry, 62, 52)) ||
           (m->maxphyaddr < 52 && bits(entry, 51, m->maxphyaddr));
}

static struct outcome walk_page_directory(const struct machine *m, const struct asked *a, struct outcome o,
                                          uint64_t directory)
{
    uint64_t pde = take(&o, directory, bits(a->linear, 29, 21), 8);
    if (!bits(pde, 0, 0))
        return page_fault(m, a, o, false, false);
    if (is_high_reserved(m, pde) || (bits(pde, 7, 7) && bits(pde, 20, 13)))
        return page_fault(m, a, o, true, true);
    if (bits(pde, 7, 7))
        return map(m, a, o, pde, bits(pde, 51, 21) << 21, 2u << 20);
    uint64_t pte = take(&o, bits(pde, 51, 12) << 12, bits(a->linear, 20, 12), 8);
    if (!bits(pte, 0, 0))
        return page_fault(m, a, o, false, false);
    if (is_high_reserved(m, pte))
        return page_fault(m, a, o, true, true);
    return map(m, a, o, pte, bits(pte, 51, 12) << 12, 4096);
}

static struct outcome walk_pae(const struct machine *m, const struct asked *a, struct outcome o)
{
    uint64_t pdpte = m->pdpte[bits(a->linear, 31, 30)];
    if (!bits(pdpte, 0, 0))
        return page_fault(m, a, o, false, false);
    return walk_page_directory(m, a, o, bits(pdpte, 51, 12) << 12);
}

static struct outcome walk_pml4(const struct machine *m, const struct asked *a, struct outcome o,
                                uint64_t pml4)
{
    uint64_t pml4e = take(&o, pml4, bits(a->linear, 47, 39), 8);
    if (!bits(pml4e, 0, 0))
        return page_fault(m, a, o, false, false);
    if (is_high_reserved(m, pml4e) || bits(pml4e, 7, 7))
        return page_fault(m, a, o, true, true);
    uint64_t pdpte = take(&o, bits(pml4e, 51, 12) << 12, bits(a->linear, 38, 30), 8);
    if (!bits(pdpte, 0, 0))
        return page_fault(m, a, o, false, false);
    if (is_high_reserved(m, pdpte))
        return page_fault(m, a, o, true, true);
    if (bits(pdpte, 7, 7)) {
        if (!m->pages_of_1gib || bits(pdpte, 29, 13))
            return page_fault(m, a, o, true, true);
        return map(m, a, o, pdpte, bits(pdpte, 51, 30) << 30, 1u << 30);
    }
    return walk_page_directory(m, a, o, bits(pdpte, 51, 12) << 12);
}

static struct outcome walk_pml5(const struct machine *m, const struct asked *a, struct outcome o)
{
    uint64_t pml5e = take(&o, bits(m->cr3, 51, 12) << 12, bits(a->linear, 56, 48), 8);
    if (!bits(pml5e, 0, 0))
        return page_fault(m, a, o, false, false);
    if (is_high_reserved(m, pml5e) || bits(pml5e, 7, 7))
        return page_fault(m, a, o, true, true);
    return walk_pml4(m, a, o, bits(pml5e, 51, 12) << 12);
}

static struct outcome manual_walk(const struct machine *m, const struct asked *a)
{
    struct outcome o = {.user = true, .writable = true};
    switch (m->kind) {
    case PAGING_TWO_LEVEL:
        return walk_32bit(m, a, o);
    case PAGING_PAE:
        return walk_pae(m, a, o);
    case PAGING_FOUR_LEVEL:
        return walk_pml4(m, a, o, bits(m->cr3, 51, 12) << 12);
    default:
        return walk_pml5(m, a, o);
    }
}

/* ---- Ours beside it ---- */

static struct paging_mode mode_of(const struct machine *m)
{
    bool is_long = m->kind >= PAGING_FOUR_LEVEL;
    struct paging_mode mode = {
        .cr0 = CR0_PE | CR0_PG | (m->wp ? CR0_WP : 0),
        .cr3 = m->cr3,
        .cr4 = (m->pse ? CR4_PSE : 0) | (m->pge ? CR4_PGE : 0) | (m->smep ? CR4_SMEP : 0) |
               (m->smap ? CR4_SMAP : 0) | (m->kind >= PAGING_PAE ? CR4_PAE : 0) |
               (m->kind == PAGING_FIVE_LEVEL ? CR4_LA57 : 0),
        .efer = (is_long ? EFER_LME | EFER_LMA : 0) | (m->nxe ? EFER_NXE : 0),
        .physical_bits = m->maxphyaddr,
        .has_1gib_pages = m->pages_of_1gib,
    };
    memcpy(mode.pdpte, m->pdpte, sizeof mode.pdpte);
    return mode;
}

/* What `nr_above` entries say to a walk that begins behind them. */
static struct walk_start start_behind(const struct outcome *o, unsigned nr_above, unsigned entry_bytes)
{
    struct walk_start start = {.level = nr_above, .rights = 6};
    for (unsigned i = 0; i < nr_above; i++) {
        start.rights &= o->entry[i];
        start.no_execute |= o->entry[i] & 1ull << 63;
    }
    uint64_t last = o->entry[nr_above - 1];
    start.table = bits(last, entry_bytes == 4 ? 31 : 51, 12) << 12;
    start.pat_index = (unsigned)bits(last, 4, 3);
    return start;
}

/* A walk that skips the first entries, as a paging-structure cache lets it (SDM 3A 4.10.3.2). */
static void compare_from(const struct paging_mode *mode, const struct walk *whole,
                         const struct tlb_entry *whole_entry, const struct outcome *o, unsigned nr_above)
{
    const struct walk_memory reached = {.read = read_entry, .update = update_entry};
    struct walk walk = {.linear = whole->linear, .access = whole->access, .asker = whole->asker};
    struct walk_start start = start_behind(o, nr_above, paging_entry_bytes(whole->kind));
    struct tlb_entry entry;
    unsigned nr_marked = 0;
    for (unsigned i = nr_above; !whole->is_fault && i < o->nr_entries; i++) {
        bool sets_dirty = whole->access == MMU_WRITE && i + 1 == o->nr_entries && !(o->entry[i] & 64);
        nr_marked += sets_dirty || !(o->entry[i] & 32);
    }
    memory.nr_writes = 0;
    bool is_good = paging_walk(mode, &reached, &walk, &start, &entry);
    cr_assert_eq(is_good, !whole->is_fault);
    cr_assert_eq(walk.first_level, nr_above);
    cr_assert_eq(walk.error_code, whole->error_code);
    cr_assert_eq(walk.nr_steps, whole->nr_steps - nr_above);
    for (unsigned i = 0; i < walk.nr_steps; i++) {
        cr_assert_eq(walk.step[i].at.v, whole->step[i + nr_above].at.v);
        cr_assert_eq(walk.step[i].pat_index, whole->step[i + nr_above].pat_index);
    }
    cr_assert_eq(memory.nr_writes, nr_marked, "only what it read is marked");
    if (is_good)
        cr_assert(entry.frame.v == whole_entry->frame.v && entry.flags == whole_entry->flags &&
                  entry.page == whole_entry->page && entry.page_number == whole_entry->page_number &&
                  entry.pat_index == whole_entry->pat_index);
}

static void compare(const struct machine *m, const struct asked *a)
{
    const struct walk_memory reached = {.read = read_entry, .update = update_entry};
    struct paging_mode mode = mode_of(m);
    struct walk walk = {.linear = laddr(a->linear),
                        .access = a->is_fetch   ? MMU_FETCH
                                  : a->is_write ? MMU_WRITE
                                                : MMU_READ,
                        .asker = a->is_user ? MMU_USER
                                 : a->is_ac ? MMU_SUPERVISOR_AC
                                            : MMU_SUPERVISOR};
    struct tlb_entry entry;
    memset(&entry, 0xaa, sizeof entry);
    memory.nr_writes = 0;
    bool is_good = paging_walk(&mode, &reached, &walk, NULL, &entry);
    struct outcome o = manual_walk(m, a);
    cr_assert_eq(walk.kind, m->kind);
    cr_assert_eq(is_good, !o.is_fault, "kind %u, linear %lx: fault %u", m->kind, a->linear, o.is_fault);
    cr_assert_eq(walk.nr_steps, o.nr_entries);
    cr_assert_eq(walk.first_level, 0);
    for (unsigned i = 0; i < o.nr_entries; i++)
        cr_assert(walk.step[i].at.v == o.entry_at[i] && walk.step[i].value == o.entry[i]);
    if (o.is_fault) {
        cr_assert_eq(walk.error_code, o.error_code, "kind %u: %x, not %lx", m->kind, walk.error_code,
                     o.error_code);
        cr_assert_eq(memory.nr_writes, 0, "a walk that faults marks nothing");
        for (unsigned nr_above = 1; nr_above < o.nr_entries; nr_above++)
            compare_from(&mode, &walk, &entry, &o, nr_above);
        return;
    }
    cr_assert_eq(entry.frame.v + a->linear % o.page_bytes, o.physical);
    cr_assert_eq(1ull << tlb_page_shift(entry.page), o.page_bytes);
    cr_assert_eq(entry.page_number, a->linear / o.page_bytes);
    cr_assert_eq(!!(entry.flags & TLB_USER), o.user);
    cr_assert_eq(!!(entry.flags & TLB_WRITABLE), o.writable);
    cr_assert_eq(!!(entry.flags & TLB_NO_EXECUTE), o.no_execute);
    cr_assert_eq(!!(entry.flags & TLB_GLOBAL), o.global);
    cr_assert_eq(!!(entry.flags & TLB_DIRTY), a->is_write || bits(o.entry[o.nr_entries - 1], 6, 6));
    cr_assert_eq(entry.pat_index, o.pat_pcd_pwt);
    unsigned nr_marked = 0;
    for (unsigned i = 0; i < o.nr_entries; i++) {
        uint64_t marked = o.entry[i] | 32;
        if (a->is_write && i == o.nr_entries - 1)
            marked |= 64;
        if (marked == o.entry[i])
            continue;
        cr_assert_lt(nr_marked, memory.nr_writes, "entry %u should have been marked", i);
        cr_assert_eq(memory.at[nr_marked], o.entry_at[i]);
        cr_assert_eq(memory.value[nr_marked++], marked);
    }
    cr_assert_eq(memory.nr_writes, nr_marked);
    for (unsigned nr_above = 1; nr_above < o.nr_entries; nr_above++)
        compare_from(&mode, &walk, &entry, &o, nr_above);
}

Test(paging_walks, random_tables_of_all_kinds_walk_as_the_manual_draws_them)
{
    unsigned nr_good = 0, nr_large = 0, nr_reserved = 0;
    memory.make = random_entry;
    for (unsigned n = 0; n < 400000; n++) {
        uint64_t r = mix(n), s = mix(r);
        memory.seed = s;
        struct machine m = {.kind = (enum paging_kind)(PAGING_TWO_LEVEL + r % 4),
                            .maxphyaddr = (unsigned)(32 + (r >> 2) % 21),
                            .wp = r >> 8 & 1,
                            .pse = r >> 9 & 3,
                            .pge = r >> 11 & 1,
                            .smep = !(r >> 12 & 3),
                            .smap = !(r >> 14 & 3),
                            .nxe = r >> 16 & 3,
                            .pages_of_1gib = r >> 18 & 1};
        memory.physical_bits = m.maxphyaddr;
        m.cr3 = s & ((1ull << m.maxphyaddr) - 1) & (m.kind == PAGING_TWO_LEVEL ? 0xffffffff : UINT64_MAX);
        for (unsigned i = 0; i < 4; i++)
            m.pdpte[i] = (mix(s + i) & ((1ull << m.maxphyaddr) - 1) & ~0xfffull) | (mix(s + i) >> 61 ? 1 : 0);
        struct asked a = {.linear = mix(s + 9),
                          .is_write = (r >> 24) % 3 == 1,
                          .is_fetch = (r >> 24) % 3 == 2,
                          .is_user = r >> 32 & 1,
                          .is_ac = r >> 33 & 1};
        if (m.kind <= PAGING_PAE)
            a.linear &= 0xffffffff;
        compare(&m, &a);
        struct outcome o = manual_walk(&m, &a);
        nr_good += !o.is_fault;
        nr_large += !o.is_fault && o.page_bytes > 4096;
        nr_reserved += o.is_fault && (o.error_code & 8);
    }
    cr_assert(nr_good > 50000 && nr_large > 10000 && nr_reserved > 10000, "%u good, %u large, %u reserved",
              nr_good, nr_large, nr_reserved);
}

/*
 * Entry number i of the walk lies at page i + 1, and has the rights that `rights` says: R/W, U/S, XD, three
 * bits each.
 */
static unsigned rights;

static uint64_t entry_with_rights(uint64_t at)
{
    uint64_t page = at >> 12, mine = rights >> 3 * (page - 1);
    return (page + 1) << 12 | 1 | (mine & 1) << 1 | (mine >> 1 & 1) << 2 | (mine >> 2 & 1) << 63;
}

Test(paging_walks, every_combination_of_rights_askers_and_modes_is_what_the_manual_says, .timeout = 120)
{
    static const unsigned nr_levels[] = {
        [PAGING_TWO_LEVEL] = 2, [PAGING_PAE] = 2, [PAGING_FOUR_LEVEL] = 4, [PAGING_FIVE_LEVEL] = 5};
    memory.make = entry_with_rights;
    for (enum paging_kind kind = PAGING_TWO_LEVEL; kind <= PAGING_FIVE_LEVEL; kind++) {
        for (unsigned modes = 0; modes < 16; modes++) {
            struct machine m = {.kind = kind,
                                .cr3 = 0x1000,
                                .pdpte = {0x1001, 0x1001, 0x1001, 0x1001},
                                .maxphyaddr = 40,
                                .wp = modes & 1,
                                .smep = modes & 2,
                                .smap = modes & 4,
                                .nxe = modes & 8};
            for (unsigned ask = 0; ask < 9; ask++) {
                struct asked a = {.linear = 0x12345678,
                                  .is_write = ask % 3 == 1,
                                  .is_fetch = ask % 3 == 2,
                                  .is_user = ask / 3 == 1,
                                  .is_ac = ask / 3 == 2};
                for (rights = 0; rights < 1u << 3 * nr_levels[kind]; rights++)
                    compare(&m, &a);
            }
        }
    }
}

Test(paging_walks, pdptes_that_may_be_loaded_are_those_of_table_4_8)
{
    for (unsigned maxphyaddr = 32; maxphyaddr <= 52; maxphyaddr++) {
        struct machine m = {.kind = PAGING_PAE, .maxphyaddr = maxphyaddr, .nxe = true};
        struct paging_mode mode = mode_of(&m);
        for (unsigned bit = 1; bit < 64; bit++) {
            bool is_reserved = bit <= 2 || (bit >= 5 && bit <= 8) || bit >= maxphyaddr;
            cr_assert_eq(paging_is_good_pdpte(&mode, 1 | 1ull << bit), !is_reserved, "bit %u", bit);
            cr_assert(paging_is_good_pdpte(&mode, 1ull << bit), "not present: nothing is reserved");
        }
    }
}
