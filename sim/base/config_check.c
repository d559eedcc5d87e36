/* What one row cannot say: how keys must fit each other. */
#include "sim/base/config_dram.h"
#include "sim/base/config_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

struct check {
    const struct cfg *cfg;
    struct diag *diag;
    bool is_good;
};

/* Fields are named by their offset, as in the rows. */
#define FIELD(name) offsetof(struct config, name)

static size_t row_of(size_t field)
{
    size_t nr_rows, i = 0;
    const struct cfg_row *rows = cfg_rows(&nr_rows);
    while (rows[i].offset != field)
        i++;
    return i;
}

static const struct cfg_row *row_at(size_t field)
{
    size_t nr_rows;
    return &cfg_rows(&nr_rows)[row_of(field)];
}

static uint64_t value_of(const struct check *check, size_t field)
{
    return cfg_value(check->cfg, row_at(field));
}

/* A key that was refused has its message already; what depends on it is not judged. */
static bool is_known(const struct check *check, size_t field)
{
    return !check->cfg->origins[row_of(field)].is_bad;
}

static bool is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* Of the keys that do not fit together, the one that was assigned last. */
static size_t latest(const struct check *check, const size_t *fields, size_t nr_fields)
{
    size_t best = 0;
    for (size_t i = 1; i < nr_fields; i++) {
        if (check->cfg->origins[row_of(fields[i])].order > check->cfg->origins[row_of(fields[best])].order)
            best = i;
    }
    return fields[best];
}

__attribute__((format(printf, 3, 4))) static void complain(struct check *check, size_t field,
                                                           const char *format, ...)
{
    const struct cfg_origin *origin = &check->cfg->origins[row_of(field)];
    char allowed[CFG_TEXT_CHARS], value[CFG_TEXT_CHARS];
    va_list args;
    va_start(args, format);
    vsnprintf(allowed, sizeof(allowed), format, args);
    va_end(args);
    cfg_format(row_at(field), value_of(check, field), value);
    diag_add(check->diag, origin->place ? origin->status : EXIT_STATUS_BAD_DATA, "%s: %s: %s; allowed: %s",
             origin->place ? origin->place : "default", row_at(field)->path, value, allowed);
    check->is_good = false;
}

static void check_power_of_two(struct check *check, size_t field)
{
    if (is_known(check, field) && !is_power_of_two(value_of(check, field)))
        complain(check, field, "a power of two");
}

static void check_1_2_4(struct check *check, size_t field)
{
    if (is_known(check, field) && value_of(check, field) == 3)
        complain(check, field, "1, 2 or 4");
}

static void check_tlb(struct check *check, size_t entries_field, size_t ways_field)
{
    const size_t fields[] = {entries_field, ways_field};
    if (!is_known(check, entries_field) || !is_known(check, ways_field))
        return;
    uint64_t entries = value_of(check, entries_field), ways = value_of(check, ways_field);
    if (entries % ways == 0)
        return;
    if (latest(check, fields, 2) == ways_field)
        complain(check, ways_field, "what divides %s, which is %" PRIu64, row_at(entries_field)->path,
                 entries);
    else
        complain(check, entries_field, "a multiple of %s, which is %" PRIu64, row_at(ways_field)->path, ways);
}

/* A set is found by bits of the address. */
static void check_sets(struct check *check, size_t entries_field, size_t ways_field)
{
    const size_t fields[] = {ways_field, entries_field};
    if (!is_known(check, fields[0]) || !is_known(check, fields[1]))
        return;
    uint64_t ways = value_of(check, fields[0]), entries = value_of(check, fields[1]);
    if (entries % ways == 0 && is_power_of_two(entries / ways))
        return;
    if (latest(check, fields, 2) == fields[0])
        complain(check, fields[0], "so that %s, which is %" PRIu64 ", is ways x a power of two",
                 row_at(fields[1])->path, entries);
    else
        complain(check, fields[1], "%s, which is %" PRIu64 ", x a power of two", row_at(fields[0])->path,
                 ways);
}

static void check_cache(struct check *check, size_t size_field, size_t ways_field, size_t line_field)
{
    const size_t fields[] = {line_field, ways_field, size_field};
    if (!is_known(check, size_field) || !is_known(check, ways_field) || !is_known(check, line_field))
        return;
    uint64_t size = value_of(check, size_field), ways = value_of(check, ways_field),
             line = value_of(check, line_field);
    if (!is_power_of_two(line)) {
        complain(check, line_field, "a power of two");
        return;
    }
    uint64_t smallest = ways * line; /* one set */
    if (size % smallest == 0 && is_power_of_two(size / smallest))
        return;
    uint64_t below = smallest;
    while (below * 2 <= size)
        below *= 2;
    char nearest[CFG_TEXT_CHARS];
    const struct cfg_row *row = row_at(size_field);
    char first[CFG_TEXT_CHARS], second[CFG_TEXT_CHARS], actual[CFG_TEXT_CHARS];
    cfg_format(row, size, actual);
    cfg_format(row, below, first);
    cfg_format(row, below * 2, second);
    if (below > size)
        snprintf(nearest, sizeof(nearest), "%.40s at least", first);
    else
        snprintf(nearest, sizeof(nearest), "%.40s or %.40s", first, second);
    complain(check, latest(check, fields, 3),
             "a size that is ways x line x a power of two; with %" PRIu64 " ways of %" PRIu64
             "-byte lines not %s but %s",
             ways, line, actual, nearest);
}

/* A line moves between the caches as a whole. Those that are not there do not matter. */
static void check_lines(struct check *check)
{
    enum { MAX_CACHES = 4 };
    static const char *const names[MAX_CACHES] = {"l1i", "l1d", "l2", "l3"};
    const size_t all[MAX_CACHES] = {FIELD(cache_l1i_line_bytes), FIELD(cache_l1d_line_bytes),
                                    FIELD(cache_l2_line_bytes), FIELD(cache_l3_line_bytes)};
    const bool is_there[MAX_CACHES] = {!check->cfg->values.cache_unified_l1, true,
                                       check->cfg->values.cache_levels >= 2,
                                       check->cfg->values.cache_levels >= 3};
    size_t fields[MAX_CACHES], nr_fields = 0, nr_chars = 0;
    char said[MAX_CACHES * CFG_TEXT_CHARS] = "";
    bool are_equal = true;
    if (!is_known(check, FIELD(cache_levels)) || !is_known(check, FIELD(cache_unified_l1)))
        return;
    for (size_t i = 0; i < MAX_CACHES; i++) {
        if (!is_there[i])
            continue;
        if (!is_known(check, all[i]))
            return;
        uint64_t line = value_of(check, all[i]);
        are_equal = are_equal && line == value_of(check, FIELD(cache_l1d_line_bytes));
        nr_chars += (size_t)snprintf(said + nr_chars, sizeof said - nr_chars, "%s%s %s%" PRIu64,
                                     nr_fields ? ", " : "", names[i], nr_fields ? "" : "has ", line);
        fields[nr_fields++] = all[i];
    }
    if (!are_equal)
        complain(check, latest(check, fields, nr_fields), "the same line in all caches; %s", said);
}

/* The tree's leaves are the ways; a cache keeps its bits in a word. */
enum { MAX_CACHE_PLRU_WAYS = 64, MAX_TLB_PLRU_WAYS = 65536 };

static void check_plru(struct check *check, size_t replacement_field, size_t ways_field, unsigned max_ways)
{
    const size_t fields[] = {ways_field, replacement_field};
    if (!is_known(check, replacement_field) || !is_known(check, ways_field) ||
        value_of(check, replacement_field) != CFG_REPLACE_PLRU)
        return;
    uint64_t ways = value_of(check, ways_field);
    if (is_power_of_two(ways) && ways <= max_ways)
        return;
    if (latest(check, fields, 2) == ways_field)
        complain(check, ways_field, "a power of two up to %u, as %s is plru", max_ways,
                 row_at(replacement_field)->path);
    else
        complain(check, replacement_field, "plru with a power of two of ways up to %u; there are %" PRIu64,
                 max_ways, ways);
}

/* What the walker fills would not be there by what the L1s put out. */
static void check_exclusive_walk(struct check *check)
{
    const size_t fields[] = {FIELD(cache_l2_inclusion), FIELD(mmu_walk_through)};
    const struct config *values = &check->cfg->values;
    if (!is_known(check, fields[0]) || !is_known(check, fields[1]) ||
        values->cache_l2_inclusion != CFG_EXCLUSIVE || values->mmu_walk_through == CFG_WALK_L1D)
        return;
    if (latest(check, fields, 2) == fields[0])
        complain(check, fields[0], "inclusive or non-inclusive: mmu.walk_through is l2");
    else
        complain(check, fields[1], "l1d: cache.l2.inclusion is exclusive");
}

/* The walker asks a cache that is there. */
static void check_walk_through(struct check *check)
{
    const size_t fields[] = {FIELD(cache_levels), FIELD(mmu_walk_through)};
    const struct config *values = &check->cfg->values;
    if (!is_known(check, fields[0]) || !is_known(check, fields[1]) || values->cache_levels >= 2 ||
        values->mmu_walk_through == CFG_WALK_L1D)
        return;
    if (latest(check, fields, 2) == fields[0])
        complain(check, fields[0], "2 or 3: mmu.walk_through is l2");
    else
        complain(check, fields[1], "l1d: cache.levels is 1");
}

static void check_at_most(struct check *check, size_t small_field, size_t large_field)
{
    const size_t fields[] = {large_field, small_field};
    if (!is_known(check, small_field) || !is_known(check, large_field))
        return;
    uint64_t small = value_of(check, small_field), large = value_of(check, large_field);
    if (small <= large)
        return;
    if (latest(check, fields, 2) == small_field)
        complain(check, small_field, "at most %s, which is %" PRIu64, row_at(large_field)->path, large);
    else
        complain(check, large_field, "at least %s, which is %" PRIu64, row_at(small_field)->path, small);
}

static void check_bank_groups(struct check *check)
{
    if (!is_known(check, FIELD(dram_bank_groups)) || !value_of(check, FIELD(dram_bank_groups)))
        return;
    if (!is_power_of_two(value_of(check, FIELD(dram_bank_groups))))
        complain(check, FIELD(dram_bank_groups), "a power of two, or 0");
    else
        check_at_most(check, FIELD(dram_bank_groups), FIELD(dram_banks));
}

/* An access that never fits between two refreshes would never be made. */
static void check_refresh(struct check *check)
{
    const struct config *config = &check->cfg->values;
    const size_t first = row_of(FIELD(dram_preset)), last = row_of(FIELD(dram_controller));
    for (size_t row = first; row <= last; row++) {
        if (check->cfg->origins[row].is_bad)
            return;
    }
    struct dram_timing timing = cfg_dram_timing(config);
    if (!timing.clock_hz || !timing.tREFI || !is_known(check, FIELD(cache_l1d_line_bytes)))
        return;
    uint64_t least = cfg_dram_least_trefi(&timing, cfg_dram_bursts(config));
    if (timing.tREFI < least)
        complain(check, FIELD(dram_tREFI),
                 "0, or at least %" PRIu64 " clocks, so that an access fits between two refreshes", least);
}

#define TLB_ARRAY_FIELDS(name)                                                                               \
    {                                                                                                        \
        FIELD(tlb_##name##_entries), FIELD(tlb_##name##_ways), FIELD(tlb_##name##_replacement)               \
    }

static void check_tlbs(struct check *check)
{
    static const struct {
        size_t entries, ways, replacement;
    } arrays[] = {TLB_ARRAY_FIELDS(l1i),       TLB_ARRAY_FIELDS(l1i_large), TLB_ARRAY_FIELDS(l1d),
                  TLB_ARRAY_FIELDS(l1d_large), TLB_ARRAY_FIELDS(l2),        TLB_ARRAY_FIELDS(l2_large),
                  TLB_ARRAY_FIELDS(pde),       TLB_ARRAY_FIELDS(pdpte),     TLB_ARRAY_FIELDS(pml4e),
                  TLB_ARRAY_FIELDS(pml5e)};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        check_tlb(check, arrays[i].entries, arrays[i].ways);
        check_plru(check, arrays[i].replacement, arrays[i].ways, MAX_TLB_PLRU_WAYS);
    }
}

bool cfg_check(const struct cfg *cfg, struct diag *diag)
{
    struct check check = {.cfg = cfg, .diag = diag, .is_good = true};
    if (is_known(&check, FIELD(machine_ram)) && cfg->values.machine_ram % 4096 != 0)
        complain(&check, FIELD(machine_ram), "a multiple of 4KiB");
    if (is_known(&check, FIELD(dma_bus_offset_bytes)) && cfg->values.dma_bus_offset_bytes % 4096 != 0)
        complain(&check, FIELD(dma_bus_offset_bytes), "a multiple of 4KiB");
    check_power_of_two(&check, FIELD(dma_burst_bytes));
    check_power_of_two(&check, FIELD(nic_burst_bytes));
    check_1_2_4(&check, FIELD(cpu_width));
    check_1_2_4(&check, FIELD(cpu_memory_ports));
    check_power_of_two(&check, FIELD(cpu_fetch_bytes));
    check_power_of_two(&check, FIELD(cpu_predictor_entries));
    check_power_of_two(&check, FIELD(cpu_tage_entries));
    check_at_most(&check, FIELD(cpu_tage_min_history), FIELD(cpu_tage_max_history));
    check_sets(&check, FIELD(cpu_btb_entries), FIELD(cpu_btb_ways));
    check_sets(&check, FIELD(iommu_iotlb_entries), FIELD(iommu_iotlb_ways));
    check_power_of_two(&check, FIELD(dram_banks));
    check_power_of_two(&check, FIELD(dram_row_bytes));
    check_power_of_two(&check, FIELD(dram_channels));
    check_power_of_two(&check, FIELD(dram_ranks));
    check_power_of_two(&check, FIELD(dram_bus_bytes));
    check_tlbs(&check);
    check_cache(&check, FIELD(cache_l1i_size_bytes), FIELD(cache_l1i_ways), FIELD(cache_l1i_line_bytes));
    check_cache(&check, FIELD(cache_l1d_size_bytes), FIELD(cache_l1d_ways), FIELD(cache_l1d_line_bytes));
    check_cache(&check, FIELD(cache_l2_size_bytes), FIELD(cache_l2_ways), FIELD(cache_l2_line_bytes));
    check_cache(&check, FIELD(cache_l3_size_bytes), FIELD(cache_l3_ways), FIELD(cache_l3_line_bytes));
    check_lines(&check);
    check_plru(&check, FIELD(cache_l1i_replacement), FIELD(cache_l1i_ways), MAX_CACHE_PLRU_WAYS);
    check_plru(&check, FIELD(cache_l1d_replacement), FIELD(cache_l1d_ways), MAX_CACHE_PLRU_WAYS);
    check_plru(&check, FIELD(cache_l2_replacement), FIELD(cache_l2_ways), MAX_CACHE_PLRU_WAYS);
    check_plru(&check, FIELD(cache_l3_replacement), FIELD(cache_l3_ways), MAX_CACHE_PLRU_WAYS);
    check_walk_through(&check);
    check_exclusive_walk(&check);
    check_at_most(&check, FIELD(cpu_fetch_bytes), FIELD(cache_l1d_line_bytes));
    check_at_most(&check, FIELD(cache_l1d_line_bytes), FIELD(dram_row_bytes));
    check_bank_groups(&check);
    check_refresh(&check);
    return check.is_good;
}
