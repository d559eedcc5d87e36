#include "mmu/mmu.h"

#include "cache/content.h"

#include <stddef.h>
#include <string.h>

void mmu_init(struct mmu *mmu, const struct mmu_params *params)
{
    memset(mmu, 0, sizeof *mmu);
    mmu->params = *params;
    mmu->untimed.id = 1;
    paging_caches_init(&mmu->caches, params->structure);
    memory_types_init(&mmu->types, params->physical_bits);
    mmu->address_mask = UINT64_MAX;
}

/* Memory as a walk sees it; `now` moves on with every read. */
struct walk_context {
    struct mmu *mmu;
    cycle_t now;
};

/* What is not RAM answers a read with all ones. */
static inline uint64_t read_entry(const struct mmu *mmu, const struct walk_step *step)
{
    const struct ram *ram = mmu->params.ram;
    bool is_long = step->size_bytes == sizeof(uint64_t), is_there = ram_has(ram, step->at, step->size_bytes);
    uint64_t value = UINT64_MAX;
    uint32_t half = UINT32_MAX;
    if (is_there && is_long) /* copies of constant size are single loads */
        memcpy(&value, ram->host + step->at.v, sizeof value);
    else if (is_there)
        memcpy(&half, ram->host + step->at.v, sizeof half);
    return is_long ? value : half;
}

/* An access of the walker: the entry above says of what type the memory is (SDM 3A 4.9.2). */
static struct cache_answer access_cache(struct mmu *mmu, const struct walk_step *step, bool is_write,
                                        cycle_t now)
{
    enum memory_type type = memory_type_of(&mmu->types, step->at, step->pat_index);
    enum cache_use use = mmu_cache_use(mmu, type, is_write);
    if (mmu->params.content)
        cache_content_begin(mmu->params.content, step->at, step->size_bytes);
    struct cache_answer answer = cache_access_as(mmu->params.walk_cache, use, step->at, is_write, now);
    if (mmu->params.requested)
        mmu->params.requested(mmu->params.opaque, step->at, use, is_write, now, answer);
    return answer;
}

static void count_read(struct mmu *mmu, enum served_by served_by)
{
    mmu->stats.walk_reads_l1d += served_by == SERVED_BY_L1;
    mmu->stats.walk_reads_l2 += served_by == SERVED_BY_L2;
    mmu->stats.walk_reads_l3 += served_by == SERVED_BY_L3;
    mmu->stats.walk_reads_dram += served_by == SERVED_BY_DRAM;
}

static uint64_t timed_read(void *opaque, struct walk_step *step)
{
    struct walk_context *context = opaque;
    struct mmu *mmu = context->mmu;
    step->at.v &= mmu->address_mask;
    if (mmu->params.is_timed && ram_has(mmu->params.ram, step->at, step->size_bytes)) {
        struct cache_answer answer = access_cache(mmu, step, false, context->now);
        count_read(mmu, answer.served_by);
        step->served_by = answer.served_by;
        context->now = answer.ready;
    }
    step->ready = context->now;
    return read_entry(mmu, step);
}

static void timed_update(void *opaque, const struct walk_step *step, uint64_t value)
{
    struct walk_context *context = opaque;
    struct mmu *mmu = context->mmu;
    if (!ram_has(mmu->params.ram, step->at, step->size_bytes))
        return;
    mmu->stats.accessed_sets += !(step->value & PTE_A);
    mmu->stats.dirty_sets += (value & ~step->value & PTE_D) != 0;
    if (mmu->params.is_timed)
        context->now = access_cache(mmu, step, true, context->now).ready;
    ram_write(mmu->params.ram, step->at, &value, step->size_bytes);
    mmu->params.entry_written(mmu->params.opaque, step->at);
}

static void add(struct mmu *mmu, size_t row, uint64_t n)
{
    uint64_t *counter = (uint64_t *)(void *)((char *)&mmu->stats + row);
    *counter += n;
}

#define ROW(name) offsetof(struct mmu_stats, name)

/* By how many levels there are below. */
static const size_t level_reads[WALK_MAX_STEPS] = {ROW(pte_reads), ROW(pde_reads), ROW(pdpte_reads),
                                                   ROW(pml4e_reads), ROW(pml5e_reads)};
static const size_t level_read_cycles[WALK_MAX_STEPS] = {ROW(pte_read_cycles), ROW(pde_read_cycles),
                                                         ROW(pdpte_read_cycles), ROW(pml4e_read_cycles),
                                                         ROW(pml5e_read_cycles)};

/* What a walk that began in cycle `from` and ended in cycle `to` adds to the counters of cycles. */
static void count_walk_cycles(struct mmu *mmu, const struct walk *walk, cycle_t from, cycle_t to)
{
    static const size_t walk_cycles[] = {[MMU_READ] = ROW(load_walk_cycles),
                                         [MMU_WRITE] = ROW(store_walk_cycles),
                                         [MMU_FETCH] = ROW(fetch_walk_cycles)};
    /* Each bucket ends where the number of cycles has one bit more. */
    enum { FIRST_BUCKET_BITS = 3, NR_BUCKETS = 8, CYCLE_BITS = 64 };
    static const size_t buckets[NR_BUCKETS] = {ROW(walks_0_to_7_cycles),     ROW(walks_8_to_15_cycles),
                                               ROW(walks_16_to_31_cycles),   ROW(walks_32_to_63_cycles),
                                               ROW(walks_64_to_127_cycles),  ROW(walks_128_to_255_cycles),
                                               ROW(walks_256_to_511_cycles), ROW(walks_512_cycles_up)};
    unsigned bits = CYCLE_BITS - (unsigned)__builtin_clzll((to - from) >> (FIRST_BUCKET_BITS - 1) | 1) - 1;
    mmu->stats.walk_cycles += to - from;
    add(mmu, walk_cycles[walk->access], to - from);
    add(mmu, buckets[bits < NR_BUCKETS ? bits : NR_BUCKETS - 1], 1);
    unsigned below = paging_nr_levels(walk->kind) - walk->first_level;
    for (unsigned i = 0; i < walk->nr_steps; i++) {
        add(mmu, level_read_cycles[--below], walk->step[i].ready - from);
        from = walk->step[i].ready;
    }
    mmu->stats.walk_update_cycles += to - from;
}

/* Without timing a walk takes no cycles, and is counted in a third of the host's instructions. */
static void count_walk(struct mmu *mmu, const struct walk *walk, cycle_t from, cycle_t to)
{
    static const size_t walks[] = {
        [MMU_READ] = ROW(load_walks), [MMU_WRITE] = ROW(store_walks), [MMU_FETCH] = ROW(fetch_walks)};
    mmu->stats.walks++;
    mmu->stats.walk_reads += walk->nr_steps;
    add(mmu, walks[walk->access], 1);
    unsigned below = paging_nr_levels(walk->kind) - walk->first_level;
    for (unsigned i = 0; i < walk->nr_steps; i++)
        add(mmu, level_reads[--below], 1);
    if (mmu->params.is_timed)
        count_walk_cycles(mmu, walk, from, to);
    else
        mmu->stats.walks_0_to_7_cycles++;
}

static void count_l2_hit(struct mmu *mmu, enum mmu_access access)
{
    uint64_t *const hits[] = {&mmu->stats.load_l2_hits, &mmu->stats.store_l2_hits, &mmu->stats.fetch_l2_hits};
    ++*hits[access];
}

static void drop_from(struct tlb *tlb, enum mmu_drop what, unsigned pcid, struct laddr at)
{
    switch (what) {
    case MMU_DROP_ADDRESS:
        tlb_invalidate(tlb, at, pcid, true);
        break;
    case MMU_DROP_CONTEXT:
        tlb_flush_pcid(tlb, pcid);
        break;
    case MMU_DROP_ALL:
        tlb_flush(tlb, false);
        break;
    case MMU_DROP_ALL_BUT_GLOBAL:
        tlb_flush(tlb, true);
        break;
    case MMU_DROP_PAGE:
    case MMU_DROP_FAULTED:
        tlb_invalidate(tlb, at, pcid, false);
        break;
    }
}

static void drop_structures(struct mmu *mmu, enum mmu_drop what, unsigned pcid, struct laddr at)
{
    for (unsigned i = 0; i < NR_TLB_STRUCTURES; i++)
        if (mmu->caches.of[i])
            drop_from(mmu->caches.of[i], what, pcid, at);
}

/* Walks from `start` (NULL: the root) in cycle *now, which moves, and counts. Fills `entry` on success. */
static bool walk_from(struct mmu *mmu, const struct walk_start *start, cycle_t *now, struct tlb_entry *entry)
{
    struct walk_context context = {.mmu = mmu, .now = *now};
    struct walk_memory memory = {.opaque = &context, .read = timed_read, .update = timed_update};
    mmu->nr_walks_seen++;
    bool is_good = paging_walk(&mmu->mode, &memory, &mmu->last_walk, start, entry);
    count_walk(mmu, &mmu->last_walk, *now, context.now);
    *now = context.now;
    return is_good;
}

/* The walker that is free first; the walk begins in cycle *now, which moves. NULL: there is always one. */
static cycle_t *take_walker(struct mmu *mmu, cycle_t *now)
{
    cycle_t *first = NULL;
    for (unsigned i = 0; i < mmu->params.nr_walkers; i++)
        first = first && *first <= mmu->walker_free[i] ? first : &mmu->walker_free[i];
    if (first && *first > *now) {
        mmu->stats.walker_wait_cycles += *first - *now;
        *now = *first;
    }
    return first;
}

static void count_fault(struct mmu *mmu, uint32_t error_code)
{
    if (error_code & PF_RSVD)
        mmu->stats.faults_reserved++;
    else if (error_code & PF_P)
        mmu->stats.faults_protection++;
    else
        mmu->stats.faults_not_present++;
}

/*
 * Walks, counts, and on success fills `entry`. Returns the answer but for its entry. A walk that is to
 * confirm a violation begins at the root, and so does a second one where one that began further down found a
 * page fault: what is held must not make a fault that the tables in memory do not (docs/memory.md,
 * "Translation").
 */
static struct mmu_answer walk(struct mmu *mmu, struct laddr at, enum mmu_access access, enum mmu_asker asker,
                              bool is_confirming, cycle_t now, struct tlb_entry *entry, bool *is_good)
{
    struct walk *record = &mmu->last_walk;
    record->linear = at;
    record->access = access;
    record->asker = asker;
    cycle_t *walker = take_walker(mmu, &now);
    struct walk_start start, *from = NULL;
    if (mmu->caches.nr && !is_confirming &&
        paging_caches_find(&mmu->caches, &mmu->mode, mmu_pcid(mmu), at, &start))
        from = &start;
    *is_good = walk_from(mmu, from, &now, entry);
    if (from && !*is_good) {
        mmu->refuted = *record;
        mmu->stats.refuted_walks++;
        drop_structures(mmu, MMU_DROP_FAULTED, mmu_pcid(mmu), at);
        from = NULL;
        *is_good = walk_from(mmu, NULL, &now, entry);
    }
    if (walker)
        *walker = now;
    if (!*is_good)
        count_fault(mmu, record->error_code);
    else if (mmu->caches.nr)
        paging_caches_learn(&mmu->caches, mmu_pcid(mmu), record, from);
    return (struct mmu_answer){.error_code = record->error_code, .ready = now};
}

static bool is_usable(const struct mmu *mmu, const struct tlb_entry *entry, enum mmu_access access,
                      enum mmu_asker asker)
{
    return paging_allows(&mmu->mode, entry->flags, access, asker) &&
           (access != MMU_WRITE || (entry->flags & TLB_DIRTY));
}

struct mmu_answer mmu_translate(struct mmu *mmu, struct laddr at, enum mmu_access access,
                                enum mmu_asker asker, cycle_t now)
{
    if (!(mmu->mode.cr0 & CR0_PG)) {
        mmu->untimed = (struct tlb_entry){.id = mmu->untimed.id,
                                          .page_number = at.v >> PAGE_SHIFT,
                                          .frame = paddr(at.v & ~(uint64_t)PAGE_MASK),
                                          .page = TLB_PAGE_4K,
                                          .flags = TLB_USER | TLB_WRITABLE | TLB_DIRTY};
        return (struct mmu_answer){.entry = &mmu->untimed, .ready = now};
    }
    bool is_good;
    if (!mmu->params.is_timed) {
        struct mmu_answer answer = walk(mmu, at, access, asker, false, now, &mmu->untimed, &is_good);
        answer.entry = is_good ? &mmu->untimed : NULL;
        return answer;
    }

    unsigned pcid = mmu_pcid(mmu);
    struct tlb *l1 = access == MMU_FETCH ? mmu->params.itlb : mmu->params.dtlb;
    struct tlb_entry *entry = tlb_lookup(l1, at, pcid);
    if (entry && entry->ready > now)
        now = entry->ready;
    if (entry && is_usable(mmu, entry, access, asker))
        return (struct mmu_answer){.entry = entry, .found_in = MMU_FOUND_L1, .ready = now};
    enum mmu_found found_in = entry ? MMU_FOUND_L1 : MMU_FOUND_NOWHERE;
    if (!entry) {
        now += mmu->params.l2_tlb_latency_cycles;
        entry = tlb_lookup(mmu->params.l2_tlb, at, pcid);
        if (entry && entry->ready > now)
            now = entry->ready;
        if (entry && is_usable(mmu, entry, access, asker)) {
            count_l2_hit(mmu, access);
            entry = tlb_fill_missed(l1, entry);
            entry->ready = mmu->params.is_hit_under_walk ? now : 0;
            return (struct mmu_answer){.entry = entry, .found_in = MMU_FOUND_L2, .ready = now};
        }
        found_in = entry ? MMU_FOUND_L2 : MMU_FOUND_NOWHERE;
    }
    /*
     * A violation that an entry shows is confirmed in memory before it becomes a fault: the manual lets a
     * stale entry fault (SDM 3A 4.10.4.3), and no guest can rely on that it does.
     */
    bool is_confirming = entry && !paging_allows(&mmu->mode, entry->flags, access, asker);
    mmu->stats.permission_walks += is_confirming;
    mmu->stats.dirty_walks += entry && !is_confirming;
    struct tlb_entry fresh;
    struct mmu_answer answer = walk(mmu, at, access, asker, is_confirming, now, &fresh, &is_good);
    answer.found_in = found_in;
    if (!is_good)
        return answer;
    fresh.pcid = (uint16_t)pcid;
    fresh.ready = mmu->params.is_hit_under_walk ? answer.ready : 0;
    if (found_in == MMU_FOUND_NOWHERE) {
        tlb_fill_missed(mmu->params.l2_tlb, &fresh);
        answer.entry = tlb_fill_missed(l1, &fresh);
    } else {
        tlb_fill(mmu->params.l2_tlb, &fresh);
        answer.entry = tlb_fill(l1, &fresh);
    }
    return answer;
}

void mmu_drop(struct mmu *mmu, enum mmu_drop what, unsigned pcid, struct laddr at)
{
    mmu->untimed.id++;
    if (!mmu->params.is_timed)
        return;
    drop_from(mmu->params.itlb, what, pcid, at);
    drop_from(mmu->params.dtlb, what, pcid, at);
    drop_from(mmu->params.l2_tlb, what, pcid, at);
    /* INVLPG drops all that a paging-structure cache holds of the PCID (SDM 3A 4.10.4.1). */
    drop_structures(mmu, what == MMU_DROP_PAGE ? MMU_DROP_CONTEXT : what, pcid, at);
}

void mmu_set_mode(struct mmu *mmu, const struct paging_mode *mode)
{
    uint64_t cr0_changes = mmu->mode.cr0 ^ mode->cr0, cr4_changes = mmu->mode.cr4 ^ mode->cr4;
    bool is_pcide_cleared = cr4_changes & mmu->mode.cr4 & CR4_PCIDE;
    bool is_smep_set = cr4_changes & mode->cr4 & CR4_SMEP;
    mmu->mode = *mode;
    mmu->untimed.id++;
    if ((cr0_changes & CR0_PG) || (cr4_changes & (CR4_PGE | CR4_PSE | CR4_PAE | CR4_LA57)) ||
        is_pcide_cleared || is_smep_set)
        mmu_drop(mmu, MMU_DROP_ALL, 0, laddr(0));
}

void mmu_load_cr3(struct mmu *mmu, const struct paging_mode *mode, bool keeps_entries)
{
    mmu->mode = *mode;
    mmu->untimed.id++;
    if (!keeps_entries)
        mmu_drop(mmu, MMU_DROP_CONTEXT, mmu_pcid(mmu), laddr(0));
}

void mmu_invalidate(struct mmu *mmu, struct laddr at)
{
    mmu_drop(mmu, MMU_DROP_PAGE, mmu_pcid(mmu), at);
}

void mmu_drop_faulted(struct mmu *mmu, struct laddr at)
{
    mmu_drop(mmu, MMU_DROP_FAULTED, mmu_pcid(mmu), at);
}

void mmu_set_a20(struct mmu *mmu, bool is_open)
{
    const uint64_t a20 = 1ull << 20;
    mmu->address_mask = is_open ? UINT64_MAX : ~a20;
    mmu->untimed.id++;
}

static uint64_t peek_read(void *opaque, struct walk_step *step)
{
    step->at.v &= ((const struct mmu *)opaque)->address_mask;
    return read_entry(opaque, step);
}

static void peek_update(void *opaque, const struct walk_step *step, uint64_t value)
{
    (void)opaque, (void)step, (void)value;
}

bool mmu_peek(const struct mmu *mmu, struct laddr at, struct walk *walk, struct paddr *physical)
{
    *walk = (struct walk){.linear = at, .asker = MMU_SUPERVISOR_AC};
    if (!(mmu->mode.cr0 & CR0_PG)) {
        *physical = paddr(at.v & mmu->address_mask);
        return true;
    }
    struct walk_memory memory = {.opaque = (void *)(uintptr_t)mmu, .read = peek_read, .update = peek_update};
    struct tlb_entry entry;
    if (!paging_walk(&mmu->mode, &memory, walk, NULL, &entry))
        return false;
    *physical = mmu_physical(mmu, &entry, at);
    return true;
}

bool mmu_register_stats(struct mmu *mmu, struct stat_registry *registry, const char *path)
{
    static const struct stat_row rows[] = {
#define STAT(name, unit, sentence) STAT_ROW(struct mmu_stats, name, unit, sentence),
#include "mmu/mmu_stats.def"
#undef STAT
    };
    return stat_register(registry, path, rows, sizeof rows / sizeof *rows, &mmu->stats);
}
