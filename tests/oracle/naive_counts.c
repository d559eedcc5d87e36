/*
 * Oracle: the counts of a run, and the cycle of each answer of its TLBs, page walker and caches, against
 * naive models of them and of the DRAM, fed with the addresses and the asking cycles of the run's trace.
 *
 *     naive_counts TRACE STATS.JSON CONFIG.EFFECTIVE.JSON
 *
 * Says each count that differs, and the first translations or requests that the models see otherwise; the
 * exit status is 1 then, 2 when it cannot tell.
 *
 * The trace has to be whole: from reset to the end, with no limit reached.
 */
#include "sim/observe/trace_reader.h"
#include "tests/oracle/naive_memory.h"
#include "tests/oracle/naive_run.h"
#include "tests/oracle/naive_structures.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Bits of page-table entries and control registers, from the manual (SDM 3A 2.5, 4.3), not from our own
 * headers.
 */
enum {
    ENTRY_PRESENT = 1,
    ENTRY_WRITABLE = 2,
    ENTRY_USER = 4,
    ENTRY_ACCESSED = 32,
    ENTRY_DIRTY = 64,
    ENTRY_GLOBAL = 256
};
#define ENTRY_NO_EXECUTE (1ull << 63)
enum { ERROR_PRESENT = 1, ERROR_RESERVED = 8 };
#define CONTROL0_WP (1u << 16)
#define CONTROL0_PAGING (1u << 31)
#define CONTROL4_GLOBAL (1u << 7)
#define CONTROL4_ANY_FLUSHES (1u << 4 | 1u << 5 | 1u << 7 | 1u << 12) /* PSE, PAE, PGE, LA57 */
#define CONTROL4_PCIDS (1u << 17)
#define CONTROL4_NO_USER_FETCH (1u << 20)
#define CONTROL3_PCID 0xfffu
#define CONTROL3_KEEP (1ull << 63)

/* The paging-structure caches, the deepest first. */
enum { NR_STRUCTURES = 4 };
static const char *const structure_names[NR_STRUCTURES] = {"pde", "pdpte", "pml4e", "pml5e"};

/* How long walks took: less than so many cycles. Levels are counted from that of the PTEs. */
enum { NR_BUCKETS = 8, NR_TABLES = 5, MAX_WALKERS = 16 };
static const struct {
    uint64_t end;
    const char *name;
} buckets[NR_BUCKETS] = {{8, "walks_0_to_7_cycles"},       {16, "walks_8_to_15_cycles"},
                         {32, "walks_16_to_31_cycles"},    {64, "walks_32_to_63_cycles"},
                         {128, "walks_64_to_127_cycles"},  {256, "walks_128_to_255_cycles"},
                         {512, "walks_256_to_511_cycles"}, {UINT64_MAX, "walks_512_cycles_up"}};
static const char *const level_names[NR_TABLES] = {"pte", "pde", "pdpte", "pml4e", "pml5e"};

enum { MAX_REPORTS = 5, MAX_WALK_REQUESTS = 32, NR_PURPOSES = 3, NR_SERVERS = 5 };

/* What walks cost, by what they were for. */
struct walk_counts {
    uint64_t walks, walk_cycles, l2_hits;
};

struct model {
    uint64_t cr0, cr4, pcid, invpcid_at, ram_bytes;
    struct naive_tlb itlb, dtlb, l2_tlb;
    struct naive_tlb structure[NR_STRUCTURES]; /* without arrays: there is none */
    bool has_refuted;                          /* the walk of the next translation is the second one */
    struct walk refuted;
    struct cfg *cfg;
    struct naive_memory memory;
    uint64_t instructions, fetches, requests, device_lines;
    /* What the caches were asked since the last translation: reads and writes of the next one's walks. */
    struct cpu_seen_request walk_request[MAX_WALK_REQUESTS];
    unsigned nr_walk_requests, next_walk_request;
    struct walk_counts of_access[NR_PURPOSES]; /* by enum mmu_access */
    uint64_t reads_served_by[NR_SERVERS];      /* by enum served_by */
    uint64_t walks, dirty_walks, permission_walks, refuted_walks, walk_reads, accessed_sets, dirty_sets;
    uint64_t faults_not_present, faults_protection, faults_reserved;
    uint64_t l2_tlb_latency, nr_walkers, walker_free[MAX_WALKERS], walker_wait_cycles;
    bool is_hit_under_walk;
    uint64_t walks_by_cycles[NR_BUCKETS], walk_cycles, update_cycles, level_reads[NR_TABLES],
        level_cycles[NR_TABLES];
    unsigned nr_differences;
};

/* ---- The models, as the run was configured ---- */

/* `name` is "tlb.l1i", or "tlb.l1i_large". */
static void add_array(struct naive_tlb *tlb, const cJSON *config, const char *name, unsigned pages)
{
    static const char *const policies[] = {
        [NAIVE_TLB_LRU] = "lru", [NAIVE_TLB_PLRU] = "plru", [NAIVE_TLB_RANDOM] = "random", "fifo"};
    char entries[64], ways[64], replacement[64];
    snprintf(entries, sizeof entries, "%s.entries", name);
    snprintf(ways, sizeof ways, "%s.ways", name);
    snprintf(replacement, sizeof replacement, "%s.replacement", name);
    enum naive_tlb_policy policy = NAIVE_TLB_LRU;
    while (policy < NAIVE_TLB_FIFO && strcmp(run_word(config, replacement), policies[policy]) != 0)
        policy++;
    naive_tlb_add_array(tlb, pages, policy, run_setting(config, entries), run_setting(config, ways),
                        run_setting(config, "tlb.random_seed"));
}

static void add_tlb(struct naive_tlb *tlb, const cJSON *config, const char *name)
{
    char pages[64], large[64];
    snprintf(pages, sizeof pages, "%s.pages", name);
    snprintf(large, sizeof large, "%s_large", name);
    bool is_shared = strcmp(run_word(config, pages), "shared") == 0;
    add_array(tlb, config, name, is_shared ? NAIVE_SMALL | NAIVE_LARGE : NAIVE_SMALL);
    if (!is_shared)
        add_array(tlb, config, large, NAIVE_LARGE);
}

static bool build_model(struct model *model, const cJSON *config, struct diag *diag)
{
    model->ram_bytes = run_setting(config, "machine.ram");
    model->l2_tlb_latency = run_setting(config, "tlb.l2.latency_cycles");
    model->nr_walkers = run_setting(config, "mmu.walkers");
    const cJSON *hit_under_walk = cJSON_GetObjectItem(config, "mmu.hit_under_walk");
    model->is_hit_under_walk = cJSON_IsTrue(cJSON_GetObjectItem(hit_under_walk, "value"));
    add_tlb(&model->itlb, config, "tlb.l1i");
    add_tlb(&model->dtlb, config, "tlb.l1d");
    add_tlb(&model->l2_tlb, config, "tlb.l2");
    for (unsigned i = 0; i < NR_STRUCTURES; i++) {
        char name[64], entries[128];
        snprintf(name, sizeof name, "tlb.%s", structure_names[i]);
        snprintf(entries, sizeof entries, "%s.entries", name);
        if (run_setting(config, entries))
            add_array(&model->structure[i], config, name, NAIVE_LARGE);
    }
    model->cfg = run_config(config, diag);
    return model->cfg && naive_memory_init(&model->memory, cfg_values(model->cfg));
}

/* ---- The paging unit ---- */

/* SMAP is not modelled: the trace does not say what EFLAGS.AC was. */
static bool is_allowed(const struct model *model, const struct naive_page *page, enum mmu_access access,
                       bool is_user)
{
    bool is_write = access == MMU_WRITE;
    if (access == MMU_FETCH && !page->is_executable)
        return false;
    if (access == MMU_FETCH && !is_user && page->is_user && (model->cr4 & CONTROL4_NO_USER_FETCH))
        return false;
    if (is_user)
        return page->is_user && (page->is_writable || !is_write);
    return !is_write || page->is_writable || !(model->cr0 & CONTROL0_WP);
}

/* What an entry at each level of a kind of paging spans. */
static const uint64_t spans[NR_PAGING_KINDS][5] = {
    [PAGING_TWO_LEVEL] = {4u << 20, 4096},
    [PAGING_PAE] = {2u << 20, 4096},
    [PAGING_FOUR_LEVEL] = {1ull << 39, 1u << 30, 2u << 20, 4096},
    [PAGING_FIVE_LEVEL] = {1ull << 48, 1ull << 39, 1u << 30, 2u << 20, 4096},
};
static const unsigned nr_levels[NR_PAGING_KINDS] = {
    [PAGING_TWO_LEVEL] = 2, [PAGING_PAE] = 2, [PAGING_FOUR_LEVEL] = 4, [PAGING_FIVE_LEVEL] = 5};

/* What the walk's last entry maps. */
static uint64_t page_bytes(const struct walk *seen)
{
    return seen->nr_steps ? spans[seen->kind][seen->first_level + seen->nr_steps - 1] : 4096;
}

/* Rights that are left below an entry. */
static void restrict_by(struct naive_page *page, uint64_t entry)
{
    page->is_user &= (entry & ENTRY_USER) != 0;
    page->is_writable &= (entry & ENTRY_WRITABLE) != 0;
    page->is_executable &= !(entry & ENTRY_NO_EXECUTE);
}

enum outcome { GOOD, NOT_PRESENT, RESERVED, NOT_ALLOWED };

/* Reads the entries that the trace says were there, from `above` on, and says what the walk found. */
static enum outcome read_entries(struct model *model, const struct walk *seen, enum mmu_access access,
                                 bool is_user, const struct naive_page *above, struct naive_page *page)
{
    bool is_write = access == MMU_WRITE;
    uint64_t last = seen->nr_steps ? seen->step[seen->nr_steps - 1].value : 0;
    *page = *above;
    model->walks++;
    for (unsigned i = 0; i < seen->nr_steps; i++) {
        model->walk_reads++;
        restrict_by(page, seen->step[i].value);
    }
    page->page_bytes = page_bytes(seen);
    page->pcid = model->pcid;
    page->is_global = (last & ENTRY_GLOBAL) && (model->cr4 & CONTROL4_GLOBAL);
    page->is_dirty = is_write || (last & ENTRY_DIRTY);
    page->number = seen->linear.v / page->page_bytes;
    if (!(last & ENTRY_PRESENT))
        return NOT_PRESENT;
    if (seen->is_fault && (seen->error_code & ERROR_RESERVED))
        return RESERVED;
    return is_allowed(model, page, access, is_user) ? GOOD : NOT_ALLOWED;
}

/* Says where the models and the run part, the first few times. */
static void differ(struct model *model, const struct trace_record *record, const char *what)
{
    const struct cpu_seen_translation *seen = &record->translation;
    if (model->nr_differences++ < MAX_REPORTS)
        printf("cycle %" PRIu64 ", linear %08" PRIx64 ": %s (run: l1 %d, l2 %d, walk %d, fault %d)\n",
               seen->asked, seen->linear.v, what, seen->is_l1_hit, seen->is_l2_hit, record->has_walk,
               seen->is_fault);
}

/*
 * The walker asks for an entry in cycle *now, which becomes that of the answer (which the caches' model has
 * confirmed). What lies outside RAM is not asked for and takes no time.
 */
static void ask_for_entry(struct model *model, const struct trace_record *record,
                          const struct walk_step *step, enum cpu_request_kind kind, uint64_t *now)
{
    if (step->at.v >= model->ram_bytes)
        return;
    if (model->next_walk_request == model->nr_walk_requests) {
        differ(model, record, "an entry was not asked for");
        return;
    }
    const struct cpu_seen_request *request = &model->walk_request[model->next_walk_request++];
    if (request->kind != kind || request->at.v != step->at.v)
        differ(model, record, "the walker asked for something else");
    if (request->asked != *now)
        differ(model, record, "the walker asked in another cycle");
    *now = request->ready;
    if (kind == CPU_REQUEST_READ)
        model->reads_served_by[request->served_by % NR_SERVERS]++;
    if (kind == CPU_REQUEST_READ && (step->ready != *now || step->served_by != request->served_by))
        differ(model, record, "the walk got another answer");
}

/* A walk's reads follow one another. */
static void time_reads(struct model *model, const struct trace_record *record, const struct walk *seen,
                       uint64_t *now)
{
    for (unsigned i = 0; i < seen->nr_steps; i++)
        ask_for_entry(model, record, &seen->step[i], CPU_REQUEST_READ, now);
}

/* Marks the entries of a walk that found its page: one write each. */
static void mark(struct model *model, const struct trace_record *record, bool is_write, uint64_t *now)
{
    const struct walk *seen = &record->walk;
    for (unsigned i = 0; i < seen->nr_steps; i++) {
        bool sets_accessed = !(seen->step[i].value & ENTRY_ACCESSED);
        bool sets_dirty = i == seen->nr_steps - 1 && is_write && !(seen->step[i].value & ENTRY_DIRTY);
        if ((!sets_accessed && !sets_dirty) || seen->step[i].at.v >= model->ram_bytes)
            continue;
        ask_for_entry(model, record, &seen->step[i], CPU_REQUEST_WRITE, now);
        model->accessed_sets += sets_accessed;
        model->dirty_sets += sets_dirty;
    }
}

/* What the walk has read on its way to the page. */
static void keep_structures(struct model *model, const struct walk *seen, const struct naive_page *above)
{
    struct naive_page page = *above;
    for (unsigned i = 0; i + 1 < seen->nr_steps; i++) {
        unsigned level = seen->first_level + i;
        struct naive_tlb *cache = &model->structure[nr_levels[seen->kind] - 2 - level];
        restrict_by(&page, seen->step[i].value);
        page.page_bytes = spans[seen->kind][level];
        page.number = seen->linear.v / page.page_bytes;
        page.pcid = model->pcid;
        page.table = seen->step[i].value & 0xffffffffff000;
        if (cache->nr_arrays)
            naive_tlb_fill(cache, page);
    }
}

/* Where the paging-structure caches let a walk begin; NULL: at the root. */
static const struct naive_page *find_structure(struct model *model, enum paging_kind kind, uint64_t linear,
                                               unsigned *level)
{
    for (unsigned i = 0; i + 1 < nr_levels[kind]; i++) {
        if (!model->structure[i].nr_arrays)
            continue;
        const struct naive_page *found = naive_tlb_lookup(&model->structure[i], linear, model->pcid);
        *level = nr_levels[kind] - 1 - i;
        if (found)
            return found;
    }
    *level = 0;
    return NULL;
}

static void invalidate_structures(struct model *model, uint64_t linear, uint64_t pcid)
{
    for (unsigned i = 0; i < NR_STRUCTURES; i++)
        naive_tlb_invalidate(&model->structure[i], linear, pcid, true);
}

/* Where the cycles went of a walk that took from `begin` to `ready`. */
static void count_cycles(struct model *model, const struct walk *seen, cycle_t begin, cycle_t ready)
{
    unsigned bucket = 0;
    while (ready - begin >= buckets[bucket].end)
        bucket++;
    model->walks_by_cycles[bucket]++;
    model->walk_cycles += ready - begin;
    for (unsigned i = 0; i < seen->nr_steps; i++) {
        unsigned level = nr_levels[seen->kind] - 1 - seen->first_level - i;
        model->level_reads[level]++;
        model->level_cycles[level] += seen->step[i].ready - begin;
        begin = seen->step[i].ready;
    }
    model->update_cycles += ready - begin;
}

/* Begins in cycle *now, and ends in what that becomes. */
static void walk(struct model *model, struct naive_tlb *l1, const struct trace_record *record,
                 bool is_confirming, uint64_t *now)
{
    const struct cpu_seen_translation *seen = &record->translation;
    const struct naive_page root = {.is_user = true, .is_writable = true, .is_executable = true};
    const struct naive_page *found = NULL;
    unsigned level = 0;
    if (!is_confirming)
        found = find_structure(model, record->walk.kind, seen->linear.v, &level);
    struct naive_page above = found ? *found : root, fresh;
    const struct walk *first = model->has_refuted ? &model->refuted : &record->walk;
    cycle_t begin = *now;
    if (first->first_level != level)
        differ(model, record, "the walk should begin at another level");
    else if (found && first->step[0].at.v / 4096 * 4096 != above.table)
        differ(model, record, "the walk should begin in another table");
    enum outcome outcome = read_entries(model, first, seen->access, seen->is_user, &above, &fresh);
    struct walk_counts *counts = &model->of_access[seen->access % NR_PURPOSES];
    counts->walks++;
    time_reads(model, record, first, now);
    if (model->has_refuted != (found && outcome != GOOD))
        differ(model, record, "another number of walks");
    if (model->has_refuted) {
        model->has_refuted = false;
        model->refuted_walks++;
        count_cycles(model, first, begin, *now);
        begin = *now;
        invalidate_structures(model, seen->linear.v, model->pcid);
        above = root;
        outcome = read_entries(model, &record->walk, seen->access, seen->is_user, &root, &fresh);
        counts->walks++;
        time_reads(model, record, &record->walk, now);
    }
    if ((outcome == GOOD) == seen->is_fault)
        differ(model, record, seen->is_fault ? "this should be no fault" : "this should be a fault");
    model->faults_not_present += outcome == NOT_PRESENT;
    model->faults_reserved += outcome == RESERVED;
    model->faults_protection += outcome == NOT_ALLOWED;
    if (outcome == GOOD)
        mark(model, record, seen->access == MMU_WRITE, now);
    count_cycles(model, &record->walk, begin, *now);
    if (outcome != GOOD)
        return;
    fresh.ready = model->is_hit_under_walk ? *now : 0;
    keep_structures(model, &record->walk, &above);
    naive_tlb_fill(&model->l2_tlb, fresh);
    naive_tlb_fill(l1, fresh);
}

/* The walker that is free first, for a walk that can begin in cycle *now, which becomes when it does. */
static uint64_t *take_walker(struct model *model, uint64_t *now)
{
    uint64_t first = 0;
    if (model->nr_walkers == 0)
        return NULL;
    for (uint64_t i = 1; i < model->nr_walkers; i++)
        first = model->walker_free[i] < model->walker_free[first] ? i : first;
    uint64_t begin = model->walker_free[first] > *now ? model->walker_free[first] : *now;
    model->walker_wait_cycles += begin - *now;
    *now = begin;
    return &model->walker_free[first];
}

static void translate(struct model *model, const struct trace_record *record)
{
    const struct cpu_seen_translation *seen = &record->translation;
    if (seen->is_refuted) {
        model->has_refuted = true;
        model->refuted = record->walk;
        return;
    }
    struct naive_tlb *l1 = seen->access == MMU_FETCH ? &model->itlb : &model->dtlb;
    bool is_write = seen->access == MMU_WRITE;
    struct naive_page *page = naive_tlb_lookup(l1, seen->linear.v, model->pcid);
    bool is_l1_hit = page != NULL, is_l2_hit = false;
    uint64_t now = seen->asked;
    if (!page) {
        now += model->l2_tlb_latency;
        page = naive_tlb_lookup(&model->l2_tlb, seen->linear.v, model->pcid);
        is_l2_hit = page != NULL;
    }
    if (page && page->ready > now)
        now = page->ready;
    bool is_good = page && is_allowed(model, page, seen->access, seen->is_user);
    bool needs_walk = !is_good || (is_write && !page->is_dirty);
    if (is_l1_hit != seen->is_l1_hit || is_l2_hit != seen->is_l2_hit)
        differ(model, record, "another TLB hit");
    if (needs_walk != record->has_walk)
        differ(model, record, needs_walk ? "a walk should have been made" : "no walk should have been made");
    model->dirty_walks += needs_walk && is_good;
    model->permission_walks += page && !is_good;
    struct walk_counts *counts = &model->of_access[seen->access % NR_PURPOSES];
    if (needs_walk && record->has_walk) {
        uint64_t *walker = take_walker(model, &now), begin = now;
        walk(model, l1, record, page && !is_good, &now);
        if (walker)
            *walker = now;
        counts->walk_cycles += now - begin;
    } else if (is_l2_hit) {
        struct naive_page copy = *page;
        copy.ready = model->is_hit_under_walk ? now : 0;
        naive_tlb_fill(l1, copy);
        counts->l2_hits++;
    }
    if (now != seen->ready)
        differ(model, record, "another cycle of the answer");
    if (model->next_walk_request != model->nr_walk_requests)
        differ(model, record, "the walker asked for more");
}

static void flush_tlbs(struct model *model, bool keep_global)
{
    naive_tlb_flush(&model->itlb, keep_global);
    naive_tlb_flush(&model->dtlb, keep_global);
    naive_tlb_flush(&model->l2_tlb, keep_global);
    for (unsigned i = 0; i < NR_STRUCTURES; i++)
        naive_tlb_flush(&model->structure[i], keep_global);
}

static void invalidate(struct model *model, uint64_t linear, uint64_t pcid, bool keep_global)
{
    naive_tlb_invalidate(&model->itlb, linear, pcid, keep_global);
    naive_tlb_invalidate(&model->dtlb, linear, pcid, keep_global);
    naive_tlb_invalidate(&model->l2_tlb, linear, pcid, keep_global);
}

static void flush_structures_of_pcid(struct model *model, uint64_t pcid)
{
    for (unsigned i = 0; i < NR_STRUCTURES; i++)
        naive_tlb_flush_pcid(&model->structure[i], pcid);
}

static void flush_pcid(struct model *model, uint64_t pcid)
{
    naive_tlb_flush_pcid(&model->itlb, pcid);
    naive_tlb_flush_pcid(&model->dtlb, pcid);
    naive_tlb_flush_pcid(&model->l2_tlb, pcid);
    flush_structures_of_pcid(model, pcid);
}

static void write_cr4(struct model *model, uint64_t value)
{
    uint64_t changes = model->cr4 ^ value;
    if ((changes & CONTROL4_ANY_FLUSHES) || (changes & value & CONTROL4_NO_USER_FETCH) ||
        (changes & model->cr4 & CONTROL4_PCIDS))
        flush_tlbs(model, false);
    if (!(value & CONTROL4_PCIDS))
        model->pcid = 0;
    model->cr4 = value;
}

static void write_cr3(struct model *model, uint64_t value)
{
    bool has_pcids = model->cr4 & CONTROL4_PCIDS;
    model->pcid = has_pcids ? value & CONTROL3_PCID : 0;
    if (!has_pcids || !(value & CONTROL3_KEEP))
        flush_pcid(model, model->pcid);
}

/* The operand of INVPCID: its type above the PCID. */
static void invpcid(struct model *model, uint64_t type, uint64_t pcid)
{
    if (type == 0) {
        invalidate(model, model->invpcid_at, pcid, true);
        invalidate_structures(model, model->invpcid_at, pcid);
    } else if (type == 1) {
        flush_pcid(model, pcid);
    } else {
        flush_tlbs(model, type == 3);
    }
}

static void control(struct model *model, const struct trace_control *seen)
{
    if (strcmp(seen->what, "cr0") == 0) {
        if ((model->cr0 ^ seen->value) & CONTROL0_PAGING)
            flush_tlbs(model, false);
        model->cr0 = seen->value;
    } else if (strcmp(seen->what, "cr4") == 0) {
        write_cr4(model, seen->value);
    } else if (strcmp(seen->what, "cr3") == 0) {
        write_cr3(model, seen->value);
    } else if (strcmp(seen->what, "invlpg") == 0) {
        invalidate(model, seen->value, model->pcid, false);
        flush_structures_of_pcid(model, model->pcid);
    } else if (strcmp(seen->what, "drop") == 0) { /* a page fault */
        invalidate(model, seen->value, model->pcid, false);
        invalidate_structures(model, seen->value, model->pcid);
    } else if (strcmp(seen->what, "invpcid at") == 0) {
        model->invpcid_at = seen->value;
    } else if (strcmp(seen->what, "invpcid") == 0) {
        invpcid(model, seen->value >> 12, seen->value & CONTROL3_PCID);
    }
}

/* ---- The caches and the DRAM ---- */

/* One request: the models must answer as the run did. */
static void request(struct model *model, const struct cpu_seen_request *seen)
{
    char why[NAIVE_WHY_CHARS];
    model->requests++;
    if (model->nr_walk_requests < MAX_WALK_REQUESTS)
        model->walk_request[model->nr_walk_requests++] = *seen;
    if (!naive_memory_request(&model->memory, seen, why) && model->nr_differences++ < MAX_REPORTS)
        printf("request %" PRIu64 ": %s\n", model->requests, why);
}

static void device(struct model *model, const struct dma_seen_line *seen)
{
    char why[NAIVE_WHY_CHARS];
    model->device_lines++;
    if (!naive_memory_device(&model->memory, seen, why) && model->nr_differences++ < MAX_REPORTS)
        printf("device line %" PRIu64 ": %s\n", model->device_lines, why);
}

/* ---- Comparing ---- */

static void compare(struct model *model, const cJSON *stats, const char *path, const char *name,
                    uint64_t counted, unsigned *nr_compared)
{
    char full[128];
    snprintf(full, sizeof full, "%s.%s", path, name);
    const cJSON *value = cJSON_GetObjectItem(stats, full);
    ++*nr_compared;
    if (cJSON_IsNumber(value) && (uint64_t)value->valuedouble == counted)
        return;
    model->nr_differences++;
    if (!cJSON_IsNumber(value))
        printf("%s: not in the statistics\n", full);
    else
        printf("%s: the run says %.0f, the model counts %" PRIu64 "\n", full, value->valuedouble, counted);
}

struct comparison {
    struct model *model;
    const cJSON *stats;
    unsigned nr_compared;
};

/* A count of the caches or the DRAM. */
static void compare_memory(void *opaque, const char *name, uint64_t counted)
{
    struct comparison *to = opaque;
    char path[128];
    snprintf(path, sizeof path, "%s", name);
    char *dot = strrchr(path, '.');
    *dot = '\0';
    compare(to->model, to->stats, path, dot + 1, counted, &to->nr_compared);
}

static unsigned compare_tlb(struct model *model, const cJSON *stats, const char *name,
                            const struct naive_tlb *tlb)
{
    unsigned nr_compared = 0;
    char path[64];
    snprintf(path, sizeof path, "cpu0.tlb.%s", name);
#define COMPARE(name) compare(model, stats, path, #name, tlb->counts.name, &nr_compared)
    COMPARE(accesses);
    COMPARE(hits);
    COMPARE(misses);
    COMPARE(fills);
    COMPARE(evictions);
    COMPARE(flushes);
    COMPARE(invalidations);
#undef COMPARE
    return nr_compared;
}

/* What walks cost, and who served their reads. */
static unsigned compare_walks(struct model *model, const cJSON *stats)
{
    static const struct {
        enum mmu_access access;
        const char *walks, *cycles, *l2_hits;
    } kinds[NR_PURPOSES] = {{MMU_READ, "load_walks", "load_walk_cycles", "load_l2_hits"},
                            {MMU_WRITE, "store_walks", "store_walk_cycles", "store_l2_hits"},
                            {MMU_FETCH, "fetch_walks", "fetch_walk_cycles", "fetch_l2_hits"}};
    unsigned nr_compared = 0;
    for (unsigned i = 0; i < NR_PURPOSES; i++) {
        const struct walk_counts *counts = &model->of_access[kinds[i].access];
        compare(model, stats, "cpu0.mmu", kinds[i].walks, counts->walks, &nr_compared);
        compare(model, stats, "cpu0.mmu", kinds[i].cycles, counts->walk_cycles, &nr_compared);
        compare(model, stats, "cpu0.mmu", kinds[i].l2_hits, counts->l2_hits, &nr_compared);
    }
    const uint64_t *by = model->reads_served_by;
    compare(model, stats, "cpu0.mmu", "walk_reads_l1d", by[SERVED_BY_L1], &nr_compared);
    compare(model, stats, "cpu0.mmu", "walk_reads_l2", by[SERVED_BY_L2], &nr_compared);
    compare(model, stats, "cpu0.mmu", "walk_reads_l3", by[SERVED_BY_L3], &nr_compared);
    compare(model, stats, "cpu0.mmu", "walk_reads_dram", by[SERVED_BY_DRAM], &nr_compared);
    return nr_compared;
}

static unsigned compare_all(struct model *model, const cJSON *stats)
{
    unsigned nr_compared = 0;
    nr_compared += compare_tlb(model, stats, "l1i", &model->itlb);
    nr_compared += compare_tlb(model, stats, "l1d", &model->dtlb);
    nr_compared += compare_tlb(model, stats, "l2", &model->l2_tlb);
    for (unsigned i = 0; i < NR_STRUCTURES; i++)
        if (model->structure[i].nr_arrays)
            nr_compared += compare_tlb(model, stats, structure_names[i], &model->structure[i]);
    struct comparison comparison = {model, stats, 0};
    naive_memory_counts(&model->memory, compare_memory, &comparison);
    nr_compared += comparison.nr_compared;
    const struct {
        const char *path, *name;
        uint64_t counted;
    } others[] = {
        {"cpu0", "instructions", model->instructions},
        {"cpu0", "fetches", model->fetches},
        {"cpu0.mmu", "walks", model->walks},
        {"cpu0.mmu", "dirty_walks", model->dirty_walks},
        {"cpu0.mmu", "permission_walks", model->permission_walks},
        {"cpu0.mmu", "refuted_walks", model->refuted_walks},
        {"cpu0.mmu", "walk_reads", model->walk_reads},
        {"cpu0.mmu", "walker_wait_cycles", model->walker_wait_cycles},
        {"cpu0.mmu", "walk_cycles", model->walk_cycles},
        {"cpu0.mmu", "walk_update_cycles", model->update_cycles},
        {"cpu0.mmu", "accessed_sets", model->accessed_sets},
        {"cpu0.mmu", "dirty_sets", model->dirty_sets},
        {"cpu0.mmu", "faults_not_present", model->faults_not_present},
        {"cpu0.mmu", "faults_protection", model->faults_protection},
        {"cpu0.mmu", "faults_reserved", model->faults_reserved},
    };
    for (unsigned i = 0; i < NR_BUCKETS; i++)
        compare(model, stats, "cpu0.mmu", buckets[i].name, model->walks_by_cycles[i], &nr_compared);
    for (unsigned i = 0; i < NR_TABLES; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s_reads", level_names[i]);
        compare(model, stats, "cpu0.mmu", name, model->level_reads[i], &nr_compared);
        snprintf(name, sizeof name, "%s_read_cycles", level_names[i]);
        compare(model, stats, "cpu0.mmu", name, model->level_cycles[i], &nr_compared);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        compare(model, stats, others[i].path, others[i].name, others[i].counted, &nr_compared);
    return nr_compared + compare_walks(model, stats);
}

static void replay(struct model *model, struct trace_reader *reader, struct diag *diag)
{
    struct trace_record record;
    while (trace_next(reader, &record, diag)) {
        bool is_of_next_walk = record.kind == TRACE_REQUEST ||
                               (record.kind == TRACE_TRANSLATION && record.translation.is_refuted);
        switch (record.kind) {
        case TRACE_INSN:
            model->instructions++;
            break;
        case TRACE_TRANSLATION:
            translate(model, &record);
            break;
        case TRACE_ACCESS:
            model->fetches += record.access.kind == CPU_ACCESS_FETCH;
            break;
        case TRACE_REQUEST:
            request(model, &record.request);
            break;
        case TRACE_DEVICE:
            device(model, &record.device);
            break;
        case TRACE_CONTROL:
            control(model, &record.control);
            break;
        case TRACE_EXCEPTION:
        case TRACE_MARK:
        case NR_TRACE_KINDS:
            break;
        }
        if (!is_of_next_walk)
            model->nr_walk_requests = model->next_walk_request = 0;
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: naive_counts TRACE STATS.JSON CONFIG.EFFECTIVE.JSON\n");
        return 2;
    }
    struct diag diag;
    diag_init(&diag);
    struct model model = {.cr0 = 0};
    cJSON *stats = run_json(argv[2]), *config = run_json(argv[3]);
    struct trace_reader *reader = trace_open(argv[1], &diag);
    unsigned nr_compared = 0;
    if (reader) {
        const struct trace_info *info = trace_info(reader);
        if (info->from || info->to || info->is_cut || info->ending != TRACE_ENDED_WITH_RUN) {
            diag_add(&diag, EXIT_STATUS_BAD_DATA, "%s: not the whole run: window, limit or no end", argv[1]);
        } else if (build_model(&model, config, &diag)) {
            flush_tlbs(&model, false); /* the start state is loaded once before the first instruction */
            replay(&model, reader, &diag);
            nr_compared = compare_all(&model, stats);
        }
    }
    for (size_t i = 0; i < diag.nr_lines; i++)
        fprintf(stderr, "naive_counts: %s\n", diag.lines[i]);
    if (diag.nr_lines == 0)
        printf("%u counts and the answers to %" PRIu64 " requests compared over %" PRIu64
               " instructions, %" PRIu64 " walks, %" PRIu64 " lines of devices: %u differences\n",
               nr_compared, model.requests, model.instructions, model.walks, model.device_lines,
               model.nr_differences);
    int status = diag.nr_lines ? 2 : model.nr_differences ? 1 : 0;
    trace_close(reader);
    naive_tlb_free(&model.itlb);
    naive_tlb_free(&model.dtlb);
    naive_tlb_free(&model.l2_tlb);
    for (unsigned i = 0; i < NR_STRUCTURES; i++)
        naive_tlb_free(&model.structure[i]);
    if (model.cfg)
        naive_memory_free(&model.memory);
    cfg_destroy(model.cfg);
    cJSON_Delete(stats);
    cJSON_Delete(config);
    diag_fini(&diag);
    return status;
}
