#include "cache/dram.h"

#include "cache/dram_clock.h"
#include "sim/base/snap.h"

#include <stdlib.h>

#define NO_ROW UINT64_MAX

typedef uint64_t dram_clock_t; /* edges of the memory's clock */

/* Times say from when on a command may go; 0 where nothing holds it up. */
struct bank {
    uint64_t open_row;
    uint64_t refreshes_seen; /* its rank's; one that came after closed the row */
    dram_clock_t activate_from, column_from, precharge_from;
    cycle_t free_at; /* `fixed`: in CPU cycles */
};

struct group {
    dram_clock_t activate_from, column_from, read_from;
};

enum { FOUR_ACTIVATES = 4 };

struct rank {
    dram_clock_t next_refresh, command_from; /* no command before the end of the last refresh */
    uint64_t nr_refreshes, nr_open;
    dram_clock_t activate_from, column_from, read_from;
    dram_clock_t four_activates_end[FOUR_ACTIVATES]; /* of the window that each of the last four opened */
    unsigned oldest_activate;
};

struct channel {
    dram_clock_t column_from, data_end;
    uint64_t last_rank;
    bool is_used, last_was_write;
    struct dram_channel_stats {
        uint64_t reads, writes, row_hits, row_misses, row_conflicts;
    } stats;
};

/* A field of the address. */
struct field {
    uint64_t mask;
    unsigned shift;
};

enum field_name { FIELD_CHANNEL, FIELD_RANK, FIELD_BANK, FIELD_COLUMN, NR_FIELDS };

struct dram {
    struct dram_params params;
    struct dram_stats stats;
    struct field fields[NR_FIELDS];
    unsigned row_shift, bank_bits, rank_bits, group_bits;
    uint64_t permute_mask;
    struct clock_ratio to_clocks, to_cycles;
    dram_clock_t extra_bursts; /* from the first column command of a line to its last */
    struct channel channels[DRAM_MAX_CHANNELS];
    struct rank *ranks;   /* by channel and rank */
    struct group *groups; /* by rank */
    struct bank *banks;   /* by rank */
};

static dram_clock_t later(dram_clock_t a, dram_clock_t b)
{
    return a > b ? a : b;
}

/* The fields of each mapping, the lowest first; in the order of the names of `dram.mapping`. */
static const enum field_name mappings[][NR_FIELDS] = {
    {FIELD_CHANNEL, FIELD_COLUMN, FIELD_BANK, FIELD_RANK}, /* row:rank:bank:column:channel */
    {FIELD_COLUMN, FIELD_CHANNEL, FIELD_BANK, FIELD_RANK}, /* row:rank:bank:channel:column */
    {FIELD_CHANNEL, FIELD_COLUMN, FIELD_RANK, FIELD_BANK}, /* row:bank:rank:column:channel */
    {FIELD_CHANNEL, FIELD_BANK, FIELD_RANK, FIELD_COLUMN}, /* row:column:rank:bank:channel */
    {FIELD_COLUMN, FIELD_BANK, FIELD_RANK, FIELD_CHANNEL}, /* row:channel:rank:bank:column */
};

static uint64_t one_at_least(uint64_t value)
{
    return value ? value : 1;
}

static void lay_out_address(struct dram *dram)
{
    const struct dram_params *p = &dram->params;
    const uint64_t sizes[NR_FIELDS] = {[FIELD_CHANNEL] = p->nr_channels,
                                       [FIELD_RANK] = p->nr_ranks,
                                       [FIELD_BANK] = p->nr_banks,
                                       [FIELD_COLUMN] = p->row_bytes / p->line_bytes};
    unsigned shift = (unsigned)__builtin_ctzll(p->line_bytes);
    for (unsigned i = 0; i < NR_FIELDS; i++) {
        enum field_name name = mappings[p->mapping][i];
        dram->fields[name] = (struct field){.mask = sizes[name] - 1, .shift = shift};
        shift += (unsigned)__builtin_ctzll(sizes[name]);
    }
    dram->row_shift = shift;
    dram->bank_bits = (unsigned)__builtin_ctzll(p->nr_banks);
    dram->rank_bits = (unsigned)__builtin_ctzll(p->nr_ranks);
    dram->group_bits = (unsigned)__builtin_ctzll(p->nr_groups);
    dram->permute_mask = p->keeps_bank_bits ? 0 : p->nr_banks - 1;
}

struct dram *dram_create(const struct dram_params *params)
{
    struct dram *dram = calloc(1, sizeof *dram);
    if (!dram)
        return NULL;
    struct dram_params *p = &dram->params;
    *p = *params;
    p->nr_channels = one_at_least(p->nr_channels);
    p->nr_ranks = one_at_least(p->nr_ranks);
    p->nr_groups = one_at_least(p->nr_groups);
    p->nr_bursts = one_at_least(p->nr_bursts);
    if (!p->line_bytes)
        p->line_bytes = p->row_bytes < 64 ? p->row_bytes : 64;
    lay_out_address(dram);
    dram->extra_bursts = (p->nr_bursts - 1) * p->timing.tCCD_L;
    if (p->timing.clock_hz) {
        dram->to_clocks = clock_ratio(p->timing.clock_hz, p->cpu_hz);
        dram->to_cycles = clock_ratio(p->cpu_hz, p->timing.clock_hz);
    }
    uint64_t nr_ranks = p->nr_channels * p->nr_ranks;
    dram->ranks = calloc(nr_ranks, sizeof *dram->ranks);
    dram->groups = calloc(nr_ranks * p->nr_groups, sizeof *dram->groups);
    dram->banks = calloc(nr_ranks * p->nr_banks, sizeof *dram->banks);
    if (!dram->ranks || !dram->groups || !dram->banks) {
        dram_destroy(dram);
        return NULL;
    }
    for (uint64_t i = 0; i < nr_ranks * p->nr_banks; i++)
        dram->banks[i].open_row = NO_ROW;
    /* The ranks of a channel take turns with refresh. */
    for (uint64_t i = 0; i < nr_ranks; i++) {
        uint64_t interval = p->timing.tREFI, turn = i & (p->nr_ranks - 1);
        dram->ranks[i].next_refresh = interval ? interval + turn * (interval >> dram->rank_bits) : UINT64_MAX;
    }
    return dram;
}

void dram_destroy(struct dram *dram)
{
    if (!dram)
        return;
    free(dram->ranks);
    free(dram->groups);
    free(dram->banks);
    free(dram);
}

static uint64_t field_of(const struct dram *dram, enum field_name name, struct paddr at)
{
    return at.v >> dram->fields[name].shift & dram->fields[name].mask;
}

struct dram_place dram_place(const struct dram *dram, struct paddr at)
{
    uint64_t row = at.v >> dram->row_shift;
    return (struct dram_place){
        .channel = field_of(dram, FIELD_CHANNEL, at),
        .rank = field_of(dram, FIELD_RANK, at),
        .bank = field_of(dram, FIELD_BANK, at) ^ ((row ^ row >> dram->bank_bits) & dram->permute_mask),
        .row = row,
    };
}

enum row_state { ROW_HIT, ROW_MISS, ROW_CONFLICT };

static inline void count(struct dram *dram, struct channel *channel, enum row_state state, bool is_write)
{
    bool is_hit = state == ROW_HIT, is_miss = state == ROW_MISS, is_conflict = state == ROW_CONFLICT;
    dram->stats.row_hits += is_hit;
    dram->stats.row_misses += is_miss;
    dram->stats.row_conflicts += is_conflict;
    dram->stats.activates += !is_hit;
    dram->stats.precharges += is_conflict + (uint64_t)dram->params.is_closed;
    dram->stats.reads += !is_write;
    dram->stats.writes += is_write;
    if (dram->params.nr_channels == 1) /* its own counters are not shown */
        return;
    channel->stats.row_hits += is_hit;
    channel->stats.row_misses += is_miss;
    channel->stats.row_conflicts += is_conflict;
    channel->stats.reads += !is_write;
    channel->stats.writes += is_write;
}

/* ---- The preset `fixed` ---- */

/* A configuration may call a row miss quicker than a hit. */
static cycle_t beyond(cycle_t more, cycle_t less)
{
    return more > less ? more - less : 0;
}

static cycle_t access_fixed(struct dram *dram, struct channel *channel, struct bank *bank, uint64_t row,
                            bool is_write, cycle_t now)
{
    const struct dram_params *p = &dram->params;
    const cycle_t latencies[] = {p->row_hit_cycles, p->row_miss_cycles, p->row_conflict_cycles};
    enum row_state state = bank->open_row == row      ? ROW_HIT
                           : bank->open_row == NO_ROW ? ROW_MISS
                                                      : ROW_CONFLICT;
    cycle_t start = later(bank->free_at, now);
    count(dram, channel, state, is_write);
    if (!is_write)
        dram->stats.queue_cycles += start - now;
    /* A row hit only needs the column and the bus again; opening a row keeps the bank until the data come. */
    cycle_t open_cycles = beyond(latencies[state], p->row_hit_cycles);
    bank->free_at = start + open_cycles + p->burst_cycles;
    bank->open_row = row;
    if (p->is_closed) {
        bank->free_at += beyond(p->row_conflict_cycles, p->row_miss_cycles);
        bank->open_row = NO_ROW;
    }
    return start + latencies[state];
}

/* ---- Presets with a clock ---- */

/* The refreshes of the rank that are due at or before `at` are begun; they close its rows. */
static void refresh(struct dram *dram, struct rank *rank, dram_clock_t at)
{
    dram_clock_t interval = dram->params.timing.tREFI;
    uint64_t nr_due = 1;
    if (at - rank->next_refresh >= interval) /* only after a long rest */
        nr_due += (at - rank->next_refresh) / interval;
    rank->next_refresh += nr_due * interval;
    rank->command_from = rank->next_refresh - interval + dram->params.timing.tRFC;
    rank->nr_refreshes += nr_due;
    dram->stats.refreshes += nr_due;
    dram->stats.precharges += rank->nr_open;
    rank->nr_open = 0;
}

/* An access in the making. */
struct access {
    struct channel *channel;
    struct rank *rank;
    struct group *group;
    struct bank *bank;
    struct dram_place place;
    bool is_write;
    enum row_state state;
    dram_clock_t activate, column, last_column, data_end;
    dram_clock_t column_unturned; /* the column command's, had the bus not to turn */
    dram_clock_t precharge_from;  /* its bank's, after it */
};

/* The commands' clocks, none of which is before `from`. */
static void schedule(const struct dram *dram, struct access *a, dram_clock_t from)
{
    const struct dram_timing *t = &dram->params.timing;
    const struct bank *bank = a->bank;
    bool is_open = bank->open_row != NO_ROW && bank->refreshes_seen == a->rank->nr_refreshes;
    a->state = !is_open ? ROW_MISS : bank->open_row == a->place.row ? ROW_HIT : ROW_CONFLICT;
    dram_clock_t opened = bank->column_from, closable = bank->precharge_from;
    if (a->state != ROW_HIT) {
        dram_clock_t activate = later(from, bank->activate_from);
        if (a->state == ROW_CONFLICT)
            activate = later(from, bank->precharge_from) + t->tRP;
        activate = later(activate, later(a->rank->activate_from, a->group->activate_from));
        a->activate = later(activate, a->rank->four_activates_end[a->rank->oldest_activate]);
        opened = a->activate + t->tRCD;
        closable = a->activate + t->tRAS;
    }
    dram_clock_t latency = a->is_write ? t->tCWL : t->tCL;
    dram_clock_t column = later(later(from, opened), a->channel->column_from);
    column = later(column, later(a->rank->column_from, a->group->column_from));
    if (a->channel->data_end > column + latency)
        column = a->channel->data_end - latency;
    a->column_unturned = column;
    bool turns = a->channel->is_used &&
                 (a->channel->last_was_write != a->is_write || a->channel->last_rank != a->place.rank);
    if (turns && a->channel->data_end + t->tRTRS > column + latency)
        column = a->channel->data_end + t->tRTRS - latency;
    if (!a->is_write)
        column = later(column, later(a->rank->read_from, a->group->read_from));
    a->column = column;
    a->last_column = column + dram->extra_bursts;
    a->data_end = a->last_column + latency + t->tBURST;
    a->precharge_from = later(closable, a->is_write ? a->data_end + t->tWR : a->last_column + t->tRTP);
}

/* What the commands mean for those that follow. */
static void commit(struct dram *dram, struct access *a)
{
    const struct dram_timing *t = &dram->params.timing;
    struct rank *rank = a->rank;
    struct bank *bank = a->bank;
    if (a->state != ROW_HIT) {
        rank->activate_from = a->activate + t->tRRD_S;
        a->group->activate_from = a->activate + t->tRRD_L;
        rank->four_activates_end[rank->oldest_activate] = a->activate + t->tFAW;
        rank->oldest_activate = (rank->oldest_activate + 1) % FOUR_ACTIVATES;
        rank->nr_open += a->state == ROW_MISS && !dram->params.is_closed;
        bank->column_from = a->activate + t->tRCD;
        bank->open_row = a->place.row;
        bank->refreshes_seen = rank->nr_refreshes;
    }
    bank->precharge_from = a->precharge_from;
    bank->activate_from = a->precharge_from + t->tRP;
    if (dram->params.is_closed)
        bank->open_row = NO_ROW;
    rank->column_from = a->last_column + t->tCCD_S;
    a->group->column_from = a->last_column + t->tCCD_L;
    if (a->is_write) {
        rank->read_from = a->data_end + t->tWTR_S;
        a->group->read_from = a->data_end + t->tWTR_L;
    }
    a->channel->column_from = a->last_column + 1;
    a->channel->data_end = a->data_end;
    a->channel->is_used = true;
    a->channel->last_was_write = a->is_write;
    a->channel->last_rank = a->place.rank;
}

/* How late the read is, against a memory that has nothing else to do. */
static cycle_t queued(const struct dram *dram, const struct access *a, dram_clock_t asked, cycle_t ready)
{
    const struct dram_timing *t = &dram->params.timing;
    dram_clock_t alone = asked + t->tCL + dram->extra_bursts + t->tBURST + t->controller;
    if (a->state != ROW_HIT)
        alone += t->tRCD;
    if (a->state == ROW_CONFLICT)
        alone += t->tRP;
    return ready - clock_convert(&dram->to_cycles, alone);
}

static cycle_t access_clocked(struct dram *dram, struct access *a, cycle_t now)
{
    const struct dram_timing *t = &dram->params.timing;
    struct rank *rank = a->rank;
    dram_clock_t asked = clock_convert(&dram->to_clocks, now), from = asked;
    for (;;) {
        if (t->tREFI > 0 && from >= rank->next_refresh)
            refresh(dram, rank, from);
        schedule(dram, a, later(from, rank->command_from));
        if (a->precharge_from + t->tRP <= rank->next_refresh)
            break;
        from = rank->next_refresh;
    }
    commit(dram, a);
    count(dram, a->channel, a->state, a->is_write);
    dram->stats.refresh_waits += rank->command_from > asked;
    dram->stats.turnaround_waits += a->column > a->column_unturned;
    cycle_t ready = clock_convert(&dram->to_cycles, a->data_end + t->controller);
    if (!a->is_write)
        dram->stats.queue_cycles += queued(dram, a, asked, ready);
    return ready;
}

cycle_t dram_access(struct dram *dram, struct paddr at, bool is_write, cycle_t now)
{
    struct dram_place place = dram_place(dram, at);
    struct channel *channel = &dram->channels[place.channel];
    uint64_t rank = place.channel << dram->rank_bits | place.rank;
    struct bank *bank = &dram->banks[rank << dram->bank_bits | place.bank];
    if (!dram->params.timing.clock_hz)
        return access_fixed(dram, channel, bank, place.row, is_write, now);
    uint64_t group = rank << dram->group_bits | (place.bank & (dram->params.nr_groups - 1));
    struct access access = {.channel = channel,
                            .rank = &dram->ranks[rank],
                            .group = &dram->groups[group],
                            .bank = bank,
                            .place = place,
                            .is_write = is_write};
    return access_clocked(dram, &access, now);
}

const struct dram_stats *dram_stats(const struct dram *dram)
{
    return &dram->stats;
}

bool dram_register_stats(struct dram *dram, struct stat_registry *registry, const char *path)
{
    static const struct stat_row rows[] = {
#define STAT(name, unit, sentence) STAT_ROW(struct dram_stats, name, unit, sentence),
#include "cache/dram_stats.def"
#undef STAT
    };
    static const struct stat_row channel_rows[] = {
        STAT_ROW(struct dram_channel_stats, reads, "count", "lines read from this channel"),
        STAT_ROW(struct dram_channel_stats, writes, "count", "lines written to it"),
        STAT_ROW(struct dram_channel_stats, row_hits, "count", "of these, to the row that was open"),
        STAT_ROW(struct dram_channel_stats, row_misses, "count", "to a bank with no open row"),
        STAT_ROW(struct dram_channel_stats, row_conflicts, "count", "that had to close another row first"),
    };
    bool is_good = stat_register(registry, path, rows, sizeof rows / sizeof *rows, &dram->stats);
    for (unsigned i = 0; dram->params.nr_channels > 1 && i < dram->params.nr_channels; i++) {
        char name[64];
        snprintf(name, sizeof name, "%.40s.ch%u", path, i);
        is_good =
            is_good && stat_register(registry, name, channel_rows, sizeof channel_rows / sizeof *channel_rows,
                                     &dram->channels[i].stats);
    }
    return is_good;
}

static void rank_snap(struct rank *rank, struct snap *snap)
{
    SNAP_OPEN(snap, rank);
    SNAP(snap, rank->next_refresh);
    SNAP(snap, rank->command_from);
    SNAP(snap, rank->nr_refreshes);
    SNAP(snap, rank->nr_open);
    SNAP(snap, rank->activate_from);
    SNAP(snap, rank->column_from);
    SNAP(snap, rank->read_from);
    SNAP_ARRAY(snap, rank->four_activates_end);
    SNAP_BELOW(snap, rank->oldest_activate, FOUR_ACTIVATES);
    SNAP_CLOSE(snap, rank);
}

static void group_snap(struct group *group, struct snap *snap)
{
    SNAP_OPEN(snap, group);
    SNAP(snap, group->activate_from);
    SNAP(snap, group->column_from);
    SNAP(snap, group->read_from);
    SNAP_CLOSE(snap, group);
}

static void bank_snap(struct bank *bank, struct snap *snap)
{
    SNAP_OPEN(snap, bank);
    SNAP(snap, bank->open_row);
    SNAP(snap, bank->refreshes_seen);
    SNAP(snap, bank->activate_from);
    SNAP(snap, bank->column_from);
    SNAP(snap, bank->precharge_from);
    SNAP(snap, bank->free_at);
    SNAP_CLOSE(snap, bank);
}

static void channel_snap(struct channel *channel, struct snap *snap)
{
    SNAP_OPEN(snap, channel);
    SNAP(snap, channel->column_from);
    SNAP(snap, channel->data_end);
    SNAP(snap, channel->last_rank);
    SNAP_FLAG(snap, channel->is_used);
    SNAP_FLAG(snap, channel->last_was_write);
    SNAP_COUNTERS(snap, channel->stats);
    SNAP_CLOSE(snap, channel);
}

void dram_snap(struct dram *dram, struct snap *snap)
{
    const struct dram_params *p = &dram->params;
    uint64_t nr_ranks = p->nr_channels * p->nr_ranks;
    SNAP_OPEN(snap, dram);
    SNAP_SKIP(snap, dram->params); /* of the configuration, as is all down to extra_bursts */
    SNAP_SKIP(snap, dram->fields);
    SNAP_SKIP(snap, dram->row_shift);
    SNAP_SKIP(snap, dram->bank_bits);
    SNAP_SKIP(snap, dram->rank_bits);
    SNAP_SKIP(snap, dram->group_bits);
    SNAP_SKIP(snap, dram->permute_mask);
    SNAP_SKIP(snap, dram->to_clocks);
    SNAP_SKIP(snap, dram->to_cycles);
    SNAP_SKIP(snap, dram->extra_bursts);
    SNAP_COUNTERS(snap, dram->stats);
    for (unsigned i = 0; i < DRAM_MAX_CHANNELS; i++)
        channel_snap(&dram->channels[i], snap);
    SNAP_SKIP(snap, dram->ranks); /* their own structs, below */
    SNAP_SKIP(snap, dram->groups);
    SNAP_SKIP(snap, dram->banks);
    SNAP_CLOSE(snap, dram);
    for (uint64_t i = 0; i < nr_ranks; i++)
        rank_snap(&dram->ranks[i], snap);
    for (uint64_t i = 0; i < nr_ranks * p->nr_groups; i++)
        group_snap(&dram->groups[i], snap);
    for (uint64_t i = 0; i < nr_ranks * p->nr_banks; i++)
        bank_snap(&dram->banks[i], snap);
}
