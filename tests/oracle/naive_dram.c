#include "tests/oracle/naive_dram.h"

#include <stdlib.h>
#include <string.h>

/* The clock of a command, and whether there was one. */
struct naive_when {
    bool is_known;
    uint64_t clock;
};

struct naive_bank {
    bool is_open;
    uint64_t row, group, free_at;
    struct naive_when activate, precharge, read, write;
};

enum { NR_ACTIVATES = 4 };

struct naive_rank {
    uint64_t next_refresh;                     /* its number, from 1 */
    struct naive_when activates[NR_ACTIVATES]; /* the last ones, the latest first */
};

struct naive_channel {
    struct naive_when column;
    uint64_t data_end, rank;
    bool is_write;
};

bool naive_dram_init(struct naive_dram *dram, const struct naive_dram_config *config)
{
    memset(dram, 0, sizeof *dram);
    dram->config = *config;
    uint64_t nr_ranks = config->channels * config->ranks;
    dram->banks = calloc(nr_ranks * config->banks, sizeof *dram->banks);
    dram->ranks = calloc(nr_ranks, sizeof *dram->ranks);
    dram->channels = calloc(config->channels, sizeof *dram->channels);
    if (!dram->banks || !dram->ranks || !dram->channels) {
        naive_dram_free(dram);
        return false;
    }
    for (uint64_t i = 0; i < nr_ranks; i++)
        dram->ranks[i].next_refresh = 1;
    for (uint64_t i = 0; i < nr_ranks * config->banks; i++)
        dram->banks[i].group = i % config->banks % config->groups;
    return true;
}

void naive_dram_free(struct naive_dram *dram)
{
    free(dram->banks);
    free(dram->ranks);
    free(dram->channels);
    dram->banks = NULL;
    dram->ranks = NULL;
    dram->channels = NULL;
}

/* ---- Where an address lies ---- */

struct place {
    uint64_t channel, rank, bank, row;
};

/* Takes fields off the address by division, from the last name of the mapping on. */
static struct place find_place(const struct naive_dram_config *c, uint64_t physical)
{
    struct place place = {0};
    uint64_t rest = physical / c->line_bytes;
    char names[64];
    strncpy(names, c->mapping, sizeof names - 1);
    names[sizeof names - 1] = '\0';
    for (;;) {
        char *colon = strrchr(names, ':');
        if (!colon)
            break; /* what is left is the row */
        const char *name = colon + 1;
        if (strcmp(name, "channel") == 0) {
            place.channel = rest % c->channels;
            rest /= c->channels;
        } else if (strcmp(name, "rank") == 0) {
            place.rank = rest % c->ranks;
            rest /= c->ranks;
        } else if (strcmp(name, "bank") == 0) {
            place.bank = rest % c->banks;
            rest /= c->banks;
        } else {
            rest /= c->row_bytes / c->line_bytes;
        }
        *colon = '\0';
    }
    place.row = rest;
    if (c->permute)
        place.bank ^= rest % c->banks ^ rest / c->banks % c->banks;
    return place;
}

/* ---- Fixed ---- */

static uint64_t more(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static uint64_t access_fixed(struct naive_dram *dram, struct naive_bank *bank, uint64_t row, bool is_write,
                             uint64_t now)
{
    const struct naive_dram_config *c = &dram->config;
    uint64_t begin = now;
    if (bank->free_at > begin)
        begin = bank->free_at;
    uint64_t latency;
    if (bank->is_open && bank->row == row) {
        latency = c->row_hit;
        dram->counts.row_hits++;
    } else if (!bank->is_open) {
        latency = c->row_miss;
        dram->counts.row_misses++;
        dram->counts.activates++;
    } else {
        latency = c->row_conflict;
        dram->counts.row_conflicts++;
        dram->counts.activates++;
        dram->counts.precharges++;
    }
    bank->is_open = true;
    bank->row = row;
    bank->free_at = begin + more(latency, c->row_hit) + c->burst;
    if (c->closed) {
        bank->is_open = false;
        bank->free_at += more(c->row_conflict, c->row_miss);
        dram->counts.precharges++;
    }
    if (!is_write)
        dram->counts.queue_cycles += begin - now;
    return begin + latency;
}

/* ---- With a clock ---- */

static uint64_t divide_up(unsigned __int128 a, uint64_t b)
{
    return (uint64_t)((a + b - 1) / b);
}

static uint64_t clock_of_cycle(const struct naive_dram_config *c, uint64_t cycle)
{
    return divide_up((unsigned __int128)cycle * c->clock_hz, c->cpu_hz);
}

static uint64_t cycle_of_clock(const struct naive_dram_config *c, uint64_t clock)
{
    return divide_up((unsigned __int128)clock * c->cpu_hz, c->clock_hz);
}

static void not_before(uint64_t *clock, uint64_t bound)
{
    if (*clock < bound)
        *clock = bound;
}

static void not_before_after(uint64_t *clock, struct naive_when event, uint64_t distance)
{
    if (event.is_known)
        not_before(clock, event.clock + distance);
}

static uint64_t refresh_due(const struct naive_dram_config *c, uint64_t rank, uint64_t number)
{
    return number * c->tREFI + rank * (c->tREFI / c->ranks);
}

static void tell(struct naive_dram *dram, enum naive_dram_command command, uint64_t clock,
                 const struct place *place, uint64_t group)
{
    struct naive_dram_sent sent = {command, clock, place->channel, place->rank, group, place->bank};
    if (dram->watch)
        dram->watch(dram->opaque, &sent);
}

/* Of eight transfers each. */
static uint64_t bursts_of_line(const struct naive_dram_config *c)
{
    return divide_up(c->line_bytes, 8 * c->bus_bytes);
}

struct plan {
    bool precharges, activates;
    uint64_t precharge, activate, column, last, data_end, unturned;
    uint64_t closable; /* the bank's earliest precharge afterwards */
};

static void plan_access(const struct naive_dram *dram, const struct place *place, bool is_write,
                        uint64_t earliest, struct plan *plan)
{
    const struct naive_dram_config *c = &dram->config;
    uint64_t rank_number = place->channel * c->ranks + place->rank;
    const struct naive_bank *banks = &dram->banks[rank_number * c->banks];
    const struct naive_bank *bank = &banks[place->bank];
    const struct naive_rank *rank = &dram->ranks[rank_number];
    const struct naive_channel *channel = &dram->channels[place->channel];
    uint64_t cas = is_write ? c->tCWL : c->tCL;
    plan->precharges = bank->is_open && bank->row != place->row;
    plan->activates = !bank->is_open || bank->row != place->row;

    plan->precharge = earliest;
    not_before_after(&plan->precharge, bank->activate, c->tRAS);
    not_before_after(&plan->precharge, bank->read, c->tRTP);
    not_before_after(&plan->precharge, bank->write, c->tCWL + c->tBURST + c->tWR);

    plan->activate = earliest;
    if (plan->precharges)
        not_before(&plan->activate, plan->precharge + c->tRP);
    not_before_after(&plan->activate, bank->precharge, c->tRP);
    for (uint64_t i = 0; i < c->banks; i++)
        not_before_after(&plan->activate, banks[i].activate,
                         banks[i].group == bank->group ? c->tRRD_L : c->tRRD_S);
    for (uint64_t i = 0; i < c->banks; i++)
        not_before_after(&plan->activate, banks[i].activate, c->tRRD_S);
    not_before_after(&plan->activate, rank->activates[NR_ACTIVATES - 1], c->tFAW);

    struct naive_when activated = bank->activate;
    if (plan->activates)
        activated = (struct naive_when){true, plan->activate};
    plan->column = earliest;
    not_before_after(&plan->column, activated, c->tRCD);
    for (uint64_t i = 0; i < c->banks; i++) {
        bool same_group = banks[i].group == bank->group;
        not_before_after(&plan->column, banks[i].read, c->tCCD_S);
        not_before_after(&plan->column, banks[i].write, c->tCCD_S);
        if (same_group) {
            not_before_after(&plan->column, banks[i].read, c->tCCD_L);
            not_before_after(&plan->column, banks[i].write, c->tCCD_L);
        }
    }
    not_before_after(&plan->column, channel->column, 1);
    while (channel->column.is_known && plan->column + cas < channel->data_end)
        plan->column++;
    plan->unturned = plan->column;
    if (!is_write) {
        for (uint64_t i = 0; i < c->banks; i++) {
            not_before_after(&plan->column, banks[i].write, c->tCWL + c->tBURST + c->tWTR_S);
            if (banks[i].group == bank->group)
                not_before_after(&plan->column, banks[i].write, c->tCWL + c->tBURST + c->tWTR_L);
        }
    }
    bool turns = channel->column.is_known && (channel->is_write != is_write || channel->rank != place->rank);
    while (turns && plan->column + cas < channel->data_end + c->tRTRS)
        plan->column++;

    plan->last = plan->column + (bursts_of_line(c) - 1) * c->tCCD_L;
    plan->data_end = plan->last + cas + c->tBURST;
    plan->closable = is_write ? plan->data_end + c->tWR : plan->last + c->tRTP;
    not_before_after(&plan->closable, activated, c->tRAS);
    /* What an earlier access of the other kind left behind. */
    not_before_after(&plan->closable, bank->read, plan->activates ? 0 : c->tRTP);
    not_before_after(&plan->closable, bank->write, plan->activates ? 0 : c->tCWL + c->tBURST + c->tWR);
}

static void refresh(struct naive_dram *dram, const struct place *place)
{
    const struct naive_dram_config *c = &dram->config;
    uint64_t number = place->channel * c->ranks + place->rank;
    struct naive_rank *rank = &dram->ranks[number];
    tell(dram, NAIVE_REFRESH, refresh_due(c, place->rank, rank->next_refresh), place, 0);
    rank->next_refresh++;
    dram->counts.refreshes++;
    for (uint64_t i = 0; i < c->banks; i++) {
        struct naive_bank *bank = &dram->banks[number * c->banks + i];
        dram->counts.precharges += bank->is_open;
        bank->is_open = false;
    }
}

static uint64_t access_clocked(struct naive_dram *dram, const struct place *place, bool is_write,
                               uint64_t now)
{
    const struct naive_dram_config *c = &dram->config;
    uint64_t number = place->channel * c->ranks + place->rank;
    struct naive_rank *rank = &dram->ranks[number];
    struct naive_bank *bank = &dram->banks[number * c->banks + place->bank];
    struct naive_channel *channel = &dram->channels[place->channel];
    uint64_t asked = clock_of_cycle(c, now), earliest = asked, refreshed_until;
    struct plan plan;
    for (;;) {
        while (c->tREFI && refresh_due(c, place->rank, rank->next_refresh) <= earliest)
            refresh(dram, place);
        refreshed_until = 0;
        if (rank->next_refresh > 1)
            refreshed_until = refresh_due(c, place->rank, rank->next_refresh - 1) + c->tRFC;
        not_before(&earliest, refreshed_until);
        plan_access(dram, place, is_write, earliest, &plan);
        if (!c->tREFI || plan.closable + c->tRP <= refresh_due(c, place->rank, rank->next_refresh))
            break;
        earliest = refresh_due(c, place->rank, rank->next_refresh);
    }

    uint64_t alone = asked + plan.data_end - plan.column + c->controller;
    if (!plan.activates) {
        dram->counts.row_hits++;
    } else if (!plan.precharges) {
        dram->counts.row_misses++;
        alone += c->tRCD;
    } else {
        dram->counts.row_conflicts++;
        alone += c->tRP + c->tRCD;
        dram->counts.precharges++;
        bank->precharge = (struct naive_when){true, plan.precharge};
        tell(dram, NAIVE_PRECHARGE, plan.precharge, place, bank->group);
    }
    if (plan.activates) {
        dram->counts.activates++;
        bank->activate = (struct naive_when){true, plan.activate};
        memmove(rank->activates + 1, rank->activates, (NR_ACTIVATES - 1) * sizeof rank->activates[0]);
        rank->activates[0] = bank->activate;
        tell(dram, NAIVE_ACTIVATE, plan.activate, place, bank->group);
    }
    bank->is_open = true;
    bank->row = place->row;
    for (uint64_t i = 0; i < bursts_of_line(c); i++)
        tell(dram, is_write ? NAIVE_WRITE : NAIVE_READ, plan.column + i * c->tCCD_L, place, bank->group);
    struct naive_when last = {true, plan.last};
    if (is_write)
        bank->write = last;
    else
        bank->read = last;
    *channel = (struct naive_channel){
        .column = last, .data_end = plan.data_end, .rank = place->rank, .is_write = is_write};
    if (c->closed) {
        bank->is_open = false;
        bank->precharge = (struct naive_when){true, plan.closable};
        dram->counts.precharges++;
        tell(dram, NAIVE_PRECHARGE, plan.closable, place, bank->group);
    }
    dram->counts.refresh_waits += refreshed_until > asked;
    dram->counts.turnaround_waits += plan.column > plan.unturned;
    uint64_t ready = cycle_of_clock(c, plan.data_end + c->controller);
    if (!is_write)
        dram->counts.queue_cycles += ready - cycle_of_clock(c, alone);
    return ready;
}

uint64_t naive_dram_access(struct naive_dram *dram, uint64_t physical, bool is_write, uint64_t now)
{
    const struct naive_dram_config *c = &dram->config;
    struct place place = find_place(c, physical);
    uint64_t rank = place.channel * c->ranks + place.rank;
    if (is_write)
        dram->counts.writes++;
    else
        dram->counts.reads++;
    if (c->fixed)
        return access_fixed(dram, &dram->banks[rank * c->banks + place.bank], place.row, is_write, now);
    return access_clocked(dram, &place, is_write, now);
}
