#include "cpu/tage.h"

#include "sim/base/snap.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_TABLES = 8,
    MAX_HISTORY = 1024,
    ALTERNATIVE_MAX = 15,
    ALTERNATIVE_FROM = 8, /* from here on the alternative is preferred to an entry that is new */
    SECOND_EACH = 3,      /* of so many allocations one passes over the first place */
};

struct tagged {
    uint16_t tag;
    uint8_t counter; /* taken in its upper half */
    uint8_t useful;
};

/*
 * The history of a table, `width` bits at a time, exclusive-ored: kept up by the outcome that comes and the
 * one that goes.
 */
struct fold {
    uint32_t value;
    unsigned width, leaves_at;
};

struct table {
    struct tagged *entries;
    unsigned history_length;
    struct fold index, tag, short_tag; /* the last is a bit narrower */
    uint32_t at_index, at_tag;         /* of the branch that passes */
};

struct tage {
    unsigned nr_tables, index_bits;
    uint32_t index_mask, tag_mask;
    uint8_t counter_max, useful_max;
    struct table table[MAX_TABLES];
    uint8_t *base;
    uint64_t base_mask;
    bool history[MAX_HISTORY]; /* a ring */
    unsigned newest;
    unsigned use_alternative;
    unsigned nr_allocations;
    uint64_t until_ageing, ageing_branches;
    struct tagged *all;
    uint64_t nr_entries;
};

/*
 * The number nearest to min x (max / min) ^ (i / (tables - 1)), in whole numbers: the least n with n + 1/2
 * above it. It is never half a number: its power is whole.
 */
static unsigned history_length(const struct config *config, unsigned i)
{
    unsigned last = (unsigned)config->cpu_tage_tables - 1, n = (unsigned)config->cpu_tage_min_history;
    __extension__ unsigned __int128 wanted = 1, reached;
    for (unsigned k = 0; k < last; k++)
        wanted *= 2 * (k < i ? config->cpu_tage_max_history : config->cpu_tage_min_history);
    for (;; n++) {
        reached = 1;
        for (unsigned k = 0; k < last; k++)
            reached *= 2 * n + 1;
        if (reached > wanted)
            return n;
    }
}

static struct fold fold_of(unsigned history_length, unsigned width)
{
    return (struct fold){.width = width, .leaves_at = history_length % width};
}

static void make_table(struct tage *tage, const struct config *config, unsigned i)
{
    struct table *table = &tage->table[i];
    unsigned tag_bits = (unsigned)config->cpu_tage_tag_bits;
    table->entries = tage->all + i * config->cpu_tage_entries;
    table->history_length = history_length(config, i);
    table->index = fold_of(table->history_length, tage->index_bits);
    table->tag = fold_of(table->history_length, tag_bits);
    table->short_tag = fold_of(table->history_length, tag_bits - 1);
}

struct tage *tage_create(const struct config *config)
{
    struct tage *tage = calloc(1, sizeof *tage);
    if (!tage)
        return NULL;
    tage->nr_tables = (unsigned)config->cpu_tage_tables;
    tage->index_bits = (unsigned)__builtin_ctzll(config->cpu_tage_entries);
    tage->index_mask = (uint32_t)config->cpu_tage_entries - 1;
    tage->tag_mask = (1u << config->cpu_tage_tag_bits) - 1;
    tage->counter_max = (uint8_t)((1u << config->cpu_tage_counter_bits) - 1);
    tage->useful_max = (uint8_t)((1u << config->cpu_tage_useful_bits) - 1);
    tage->base_mask = config->cpu_predictor_entries - 1;
    tage->use_alternative = ALTERNATIVE_FROM;
    tage->until_ageing = tage->ageing_branches = config->cpu_tage_ageing_branches;
    tage->nr_entries = tage->nr_tables * config->cpu_tage_entries;
    tage->base = malloc(config->cpu_predictor_entries);
    tage->all = malloc(tage->nr_entries * sizeof *tage->all);
    if (!tage->base || !tage->all) {
        tage_destroy(tage);
        return NULL;
    }
    memset(tage->base, 1, config->cpu_predictor_entries); /* weakly not taken */
    for (uint64_t i = 0; i < tage->nr_entries; i++)
        tage->all[i] = (struct tagged){.counter = tage->counter_max / 2};
    for (unsigned i = 0; i < tage->nr_tables; i++)
        make_table(tage, config, i);
    return tage;
}

void tage_destroy(struct tage *tage)
{
    if (!tage)
        return;
    free(tage->base);
    free(tage->all);
    free(tage);
}

static void count(uint8_t *counter, unsigned max, bool is_up)
{
    if (is_up && *counter < max)
        ++*counter;
    else if (!is_up && *counter > 0)
        --*counter;
}

static void fold_in(struct fold *fold, bool comes, bool goes)
{
    uint32_t value = fold->value << 1 | comes;
    value ^= (uint32_t)goes << fold->leaves_at;
    fold->value = (value ^ value >> fold->width) & ((1u << fold->width) - 1);
}

static void remember(struct tage *tage, bool is_taken)
{
    for (unsigned i = 0; i < tage->nr_tables; i++) {
        struct table *table = &tage->table[i];
        bool goes = tage->history[(tage->newest - table->history_length + 1) % MAX_HISTORY];
        fold_in(&table->index, is_taken, goes);
        fold_in(&table->tag, is_taken, goes);
        fold_in(&table->short_tag, is_taken, goes);
    }
    tage->newest = (tage->newest + 1) % MAX_HISTORY;
    tage->history[tage->newest] = is_taken;
}

static void age(struct tage *tage)
{
    if (--tage->until_ageing)
        return;
    tage->until_ageing = tage->ageing_branches;
    for (uint64_t i = 0; i < tage->nr_entries; i++)
        tage->all[i].useful >>= 1;
}

/* In a table from `from` on, the entry of the branch that passes goes to it, if it can be spared. */
static void allocate(struct tage *tage, unsigned from, bool is_taken)
{
    unsigned place[MAX_TABLES], nr = 0;
    for (unsigned i = from; i < tage->nr_tables; i++)
        if (tage->table[i].entries[tage->table[i].at_index].useful == 0)
            place[nr++] = i;
    if (nr == 0) {
        for (unsigned i = from; i < tage->nr_tables; i++)
            tage->table[i].entries[tage->table[i].at_index].useful--;
        return;
    }
    tage->nr_allocations = (tage->nr_allocations + 1) % SECOND_EACH;
    unsigned choice = nr > 1 && tage->nr_allocations == 0;
    struct table *table = &tage->table[place[choice]];
    table->entries[table->at_index] = (struct tagged){
        .tag = (uint16_t)table->at_tag, .counter = (uint8_t)(tage->counter_max / 2 + is_taken), .useful = 0};
}

bool tage_pass(struct tage *tage, uint64_t from, bool is_taken)
{
    uint8_t *base = &tage->base[from & tage->base_mask];
    bool is_base_taken = *base > 1, is_alternative_taken = is_base_taken;
    struct tagged *provider = NULL;
    unsigned behind = 0; /* the first table with a longer history than the provider's */
    for (unsigned i = 0; i < tage->nr_tables; i++) {
        struct table *table = &tage->table[i];
        uint32_t address = (uint32_t)(from ^ from >> tage->index_bits);
        table->at_index = (address ^ table->index.value) & tage->index_mask;
        table->at_tag = ((uint32_t)from ^ table->tag.value ^ table->short_tag.value << 1) & tage->tag_mask;
        struct tagged *entry = &table->entries[table->at_index];
        if (entry->tag != table->at_tag)
            continue;
        if (provider)
            is_alternative_taken = provider->counter > tage->counter_max / 2;
        provider = entry;
        behind = i + 1;
    }
    bool predicted = is_base_taken;
    if (!provider) {
        count(base, 3, is_taken);
    } else {
        unsigned weak = tage->counter_max / 2u;
        bool is_provider_taken = provider->counter > weak;
        bool is_new = provider->useful == 0 && (provider->counter == weak || provider->counter == weak + 1);
        predicted =
            is_new && tage->use_alternative >= ALTERNATIVE_FROM ? is_alternative_taken : is_provider_taken;
        if (is_provider_taken != is_alternative_taken) {
            if (is_new && is_alternative_taken == is_taken)
                tage->use_alternative += tage->use_alternative < ALTERNATIVE_MAX;
            else if (is_new)
                tage->use_alternative -= tage->use_alternative > 0;
            count(&provider->useful, tage->useful_max, is_provider_taken == is_taken);
        }
        count(&provider->counter, tage->counter_max, is_taken);
    }
    if (predicted != is_taken)
        allocate(tage, behind, is_taken);
    age(tage);
    remember(tage, is_taken);
    return predicted;
}

static void table_snap(struct table *table, struct snap *snap)
{
    SNAP_OPEN(snap, table);
    SNAP_SKIP(snap, table->entries); /* tage->all */
    SNAP_SKIP(snap, table->history_length);
    enum { NR_FOLDS = 3 };
    struct fold *const folds[NR_FOLDS] = {&table->index, &table->tag, &table->short_tag};
    for (unsigned i = 0; i < NR_FOLDS; i++) {
        SNAP(snap, folds[i]->value);
        SNAP_SKIP(snap, folds[i]->width);
        SNAP_SKIP(snap, folds[i]->leaves_at);
    }
    SNAP_SKIP(snap, table->at_index); /* between two branches they mean nothing */
    SNAP_SKIP(snap, table->at_tag);
    SNAP_CLOSE(snap, table);
}

void tage_snap(struct tage *tage, struct snap *snap)
{
    SNAP_OPEN(snap, tage);
    SNAP_SKIP(snap, tage->nr_tables); /* of the configuration, as are the next six */
    SNAP_SKIP(snap, tage->index_bits);
    SNAP_SKIP(snap, tage->index_mask);
    SNAP_SKIP(snap, tage->tag_mask);
    SNAP_SKIP(snap, tage->counter_max);
    SNAP_SKIP(snap, tage->useful_max);
    SNAP_SKIP(snap, tage->base_mask);
    for (unsigned i = 0; i < MAX_TABLES; i++)
        table_snap(&tage->table[i], snap);
    SNAP_SKIP(snap, tage->base); /* their own arrays, below */
    SNAP_SKIP(snap, tage->all);
    SNAP_SKIP(snap, tage->nr_entries);
    snap_flags(snap, tage->history, MAX_HISTORY);
    SNAP_BELOW(snap, tage->newest, MAX_HISTORY);
    SNAP_BELOW(snap, tage->use_alternative, ALTERNATIVE_MAX + 1);
    SNAP_BELOW(snap, tage->nr_allocations, SECOND_EACH);
    SNAP(snap, tage->until_ageing);
    SNAP_SKIP(snap, tage->ageing_branches); /* of the configuration */
    SNAP_CLOSE(snap, tage);
    SNAP_VALUES(snap, tage->base, tage->base_mask + 1);
    for (uint64_t i = 0; i < tage->nr_entries; i++) {
        SNAP(snap, tage->all[i].tag);
        SNAP_BELOW(snap, tage->all[i].counter, tage->counter_max + 1);
        SNAP_BELOW(snap, tage->all[i].useful, tage->useful_max + 1);
    }
}
