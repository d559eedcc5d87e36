#include "tests/oracle/ticked/predictor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct target {
    bool is_valid, has_to;
    uint64_t from, to;
    uint64_t used; /* the count of branches, when it was */
};

/* An entry of a tagged table. */
struct tagged {
    uint64_t tag;
    unsigned strength, useful;
};

enum { MAX_OUTCOMES = 1024 };

struct guesser {
    const struct config *config;
    unsigned *strength; /* 0 and 1: not taken, 2 and 3: taken */
    uint64_t history;   /* the newest outcome in bit 0 */
    struct target *targets;
    uint64_t nr_branches;
    uint64_t *returns; /* the newest at nr_returns - 1; the oldest falls off */
    uint64_t nr_returns;
    struct tagged *tagged;             /* table by table */
    unsigned outcome[MAX_OUTCOMES];    /* the newest first */
    unsigned trusts_alternative;       /* rather than a new entry, from 8 on */
    uint64_t nr_outcomes, nr_replaced; /* entries that went to another branch */
};

struct guesser *guesser_create(const struct config *config)
{
    struct guesser *guesser = calloc(1, sizeof *guesser);
    uint64_t nr_tagged = config->cpu_tage_tables * config->cpu_tage_entries;
    guesser->config = config;
    guesser->strength = malloc(config->cpu_predictor_entries * sizeof *guesser->strength);
    guesser->targets = calloc(config->cpu_btb_entries, sizeof *guesser->targets);
    guesser->returns = calloc(config->cpu_return_stack, sizeof *guesser->returns);
    guesser->tagged = calloc(nr_tagged, sizeof *guesser->tagged);
    for (uint64_t i = 0; i < config->cpu_predictor_entries; i++)
        guesser->strength[i] = 1;
    for (uint64_t i = 0; i < nr_tagged; i++)
        guesser->tagged[i].strength = (1u << (config->cpu_tage_counter_bits - 1)) - 1;
    guesser->trusts_alternative = 8;
    return guesser;
}

void guesser_destroy(struct guesser *guesser)
{
    if (!guesser)
        return;
    free(guesser->strength);
    free(guesser->targets);
    free(guesser->returns);
    free(guesser->tagged);
    free(guesser);
}

static void move(unsigned *strength, uint64_t most, bool is_up)
{
    if (is_up && *strength < most)
        ++*strength;
    if (!is_up && *strength > 0)
        --*strength;
}

/* The newest `nr` outcomes in pieces of `bits`, exclusive-or. */
static uint64_t folded(const struct guesser *guesser, unsigned nr, unsigned bits)
{
    uint64_t value = 0;
    for (unsigned age = 0; age < nr; age++)
        value ^= (uint64_t)guesser->outcome[age] << age % bits;
    return value;
}

static struct tagged *tagged_at(const struct guesser *guesser, unsigned table, uint64_t from, uint64_t *tag)
{
    const struct config *config = guesser->config;
    uint64_t nr = config->cpu_tage_entries;
    double ratio = (double)config->cpu_tage_max_history / (double)config->cpu_tage_min_history;
    double exponent = (double)table / (double)(config->cpu_tage_tables - 1);
    unsigned history = (unsigned)floor((double)config->cpu_tage_min_history * pow(ratio, exponent) + 0.5);
    unsigned index_bits = 0, tag_bits = (unsigned)config->cpu_tage_tag_bits;
    while (1ull << index_bits < nr)
        index_bits++;
    *tag = (from ^ folded(guesser, history, tag_bits) ^ 2 * folded(guesser, history, tag_bits - 1)) %
           (1ull << tag_bits);
    return &guesser->tagged[table * nr +
                            (from ^ from >> index_bits ^ folded(guesser, history, index_bits)) % nr];
}

static void replace(struct guesser *guesser, struct tagged **entry, const uint64_t *tag, unsigned first,
                    bool is_taken)
{
    unsigned nr_tables = (unsigned)guesser->config->cpu_tage_tables, free_ones = 0;
    for (unsigned i = first; i < nr_tables; i++)
        free_ones += entry[i]->useful == 0;
    if (free_ones == 0)
        for (unsigned i = first; i < nr_tables; i++)
            entry[i]->useful--;
    if (free_ones == 0)
        return;
    bool is_third = ++guesser->nr_replaced % 3 == 0;
    unsigned skipped = is_third && free_ones > 1 ? 1 : 0, table = first;
    for (;; table++) {
        if (entry[table]->useful != 0)
            continue;
        if (skipped == 0)
            break;
        skipped--;
    }
    unsigned half = 1u << (guesser->config->cpu_tage_counter_bits - 1);
    *entry[table] = (struct tagged){.tag = tag[table], .strength = is_taken ? half : half - 1, .useful = 0};
}

static bool guess_tage(struct guesser *guesser, uint64_t from, bool is_taken)
{
    const struct config *config = guesser->config;
    struct tagged *entry[8];
    uint64_t tag[8];
    unsigned nr_tables = (unsigned)config->cpu_tage_tables, nr_hits = 0, hit[8];
    for (unsigned i = 0; i < nr_tables; i++) {
        entry[i] = tagged_at(guesser, i, from, &tag[i]);
        if (entry[i]->tag == tag[i])
            hit[nr_hits++] = i;
    }
    unsigned half = 1u << (config->cpu_tage_counter_bits - 1);
    unsigned *base = &guesser->strength[from % config->cpu_predictor_entries];
    bool guess = *base >= 2;
    if (nr_hits == 0) {
        move(base, 3, is_taken);
    } else {
        struct tagged *last = entry[hit[nr_hits - 1]];
        bool other = nr_hits > 1 ? entry[hit[nr_hits - 2]]->strength >= half : guess;
        bool own = last->strength >= half;
        bool is_new = last->useful == 0 && (last->strength == half || last->strength == half - 1);
        guess = is_new && guesser->trusts_alternative >= 8 ? other : own;
        if (own != other && is_new)
            move(&guesser->trusts_alternative, 15, other == is_taken);
        if (own != other)
            move(&last->useful, (1u << config->cpu_tage_useful_bits) - 1, own == is_taken);
        move(&last->strength, 2 * half - 1, is_taken);
    }
    if (guess != is_taken)
        replace(guesser, entry, tag, nr_hits ? hit[nr_hits - 1] + 1 : 0, is_taken);
    if (++guesser->nr_outcomes % config->cpu_tage_ageing_branches == 0)
        for (uint64_t i = 0; i < nr_tables * config->cpu_tage_entries; i++)
            guesser->tagged[i].useful /= 2;
    memmove(guesser->outcome + 1, guesser->outcome, sizeof guesser->outcome - sizeof *guesser->outcome);
    guesser->outcome[0] = is_taken;
    return guess;
}

static bool guess_direction(struct guesser *guesser, uint64_t from, bool is_taken)
{
    const struct config *config = guesser->config;
    uint64_t nr = config->cpu_predictor_entries, index = from % nr;
    switch (config->cpu_predictor) {
    case CFG_PREDICTOR_TAKEN:
        return true;
    case CFG_PREDICTOR_NOT_TAKEN:
        return false;
    case CFG_PREDICTOR_TAGE:
        return guess_tage(guesser, from, is_taken);
    case CFG_PREDICTOR_GSHARE:
        index = (from ^ guesser->history) % nr;
        break;
    default:
        break;
    }
    bool guess = guesser->strength[index] >= 2;
    move(&guesser->strength[index], 3, is_taken);
    guesser->history = (guesser->history * 2 + is_taken) % nr;
    return guess;
}

/* The entry of a branch, or the one that it takes: of the set, an empty one, or the one used longest ago. */
static struct target *find_target(struct guesser *guesser, uint64_t from)
{
    uint64_t ways = guesser->config->cpu_btb_ways, nr_sets = guesser->config->cpu_btb_entries / ways;
    struct target *set = &guesser->targets[from % nr_sets * ways], *oldest = set;
    guesser->nr_branches++;
    for (uint64_t way = 0; way < ways; way++) {
        if (set[way].is_valid && set[way].from == from) {
            set[way].used = guesser->nr_branches;
            return &set[way];
        }
        if (set[way].used < oldest->used)
            oldest = &set[way];
    }
    *oldest = (struct target){.used = guesser->nr_branches};
    return oldest;
}

static enum guess guess_target(struct guesser *guesser, uint64_t from)
{
    struct target *target = find_target(guesser, from);
    if (target->is_valid)
        return GUESS_RIGHT;
    target->is_valid = true;
    target->from = from;
    return GUESS_LATE;
}

static enum guess guess_indirect(struct guesser *guesser, uint64_t from, uint64_t to)
{
    struct target *target = find_target(guesser, from);
    bool is_right = target->is_valid && target->has_to && target->to == to;
    *target = (struct target){true, true, from, to, target->used};
    return is_right ? GUESS_RIGHT : GUESS_WRONG;
}

static void push_return(struct guesser *guesser, uint64_t to)
{
    uint64_t most = guesser->config->cpu_return_stack;
    if (guesser->nr_returns == most) {
        for (uint64_t i = 1; i < most; i++)
            guesser->returns[i - 1] = guesser->returns[i];
        guesser->nr_returns--;
    }
    guesser->returns[guesser->nr_returns++] = to;
}

static enum guess guess_return(struct guesser *guesser, uint64_t to)
{
    if (guesser->nr_returns == 0)
        return GUESS_WRONG;
    return guesser->returns[--guesser->nr_returns] == to ? GUESS_RIGHT : GUESS_WRONG;
}

enum guess guesser_pass(struct guesser *guesser, enum branch branch, uint64_t from, uint64_t behind,
                        bool is_taken, uint64_t to)
{
    if (branch == BRANCH_CALL_DIRECT || branch == BRANCH_CALL_INDIRECT)
        push_return(guesser, behind);
    switch (branch) {
    case BRANCH_NONE:
        break;
    case BRANCH_CONDITIONAL:
        if (guess_direction(guesser, from, is_taken) != is_taken)
            return GUESS_WRONG;
        return is_taken ? guess_target(guesser, from) : GUESS_RIGHT;
    case BRANCH_DIRECT:
    case BRANCH_CALL_DIRECT:
        return guess_target(guesser, from);
    case BRANCH_INDIRECT:
    case BRANCH_CALL_INDIRECT:
        return guess_indirect(guesser, from, to);
    case BRANCH_RETURN:
        return guess_return(guesser, to);
    }
    return GUESS_RIGHT;
}
