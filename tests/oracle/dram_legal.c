#include "tests/oracle/dram_legal.h"

#include <stddef.h>

typedef struct naive_dram_sent sent_t;

static bool is_column(const sent_t *sent)
{
    return sent->command == NAIVE_READ || sent->command == NAIVE_WRITE;
}

static uint64_t data_of(const struct naive_dram_config *c, const sent_t *sent)
{
    return sent->clock + (sent->command == NAIVE_WRITE ? c->tCWL : c->tCL);
}

/* From a command to the clock from which its bank may be closed. */
static uint64_t closable(const struct naive_dram_config *c, const sent_t *sent)
{
    switch (sent->command) {
    case NAIVE_ACTIVATE:
        return sent->clock + c->tRAS;
    case NAIVE_READ:
        return sent->clock + c->tRTP;
    case NAIVE_WRITE:
        return data_of(c, sent) + c->tBURST + c->tWR;
    default:
        return sent->clock;
    }
}

/* `a` came first, by the clock. NULL: all is well. */
static const char *in_bank(const struct naive_dram_config *c, const sent_t *a, const sent_t *b)
{
    uint64_t apart = b->clock - a->clock;
    if (b->command == NAIVE_PRECHARGE && a->command != NAIVE_PRECHARGE && b->clock < closable(c, a))
        return "tRAS, tRTP or tWR";
    if (a->command == NAIVE_PRECHARGE && b->command == NAIVE_ACTIVATE && apart < c->tRP)
        return "tRP";
    if (a->command == NAIVE_ACTIVATE && b->command == NAIVE_ACTIVATE && apart < c->tRAS + c->tRP)
        return "tRC";
    if (a->command == NAIVE_ACTIVATE && is_column(b) && apart < c->tRCD)
        return "tRCD";
    return NULL;
}

static const char *in_rank(const struct naive_dram_config *c, const sent_t *a, const sent_t *b)
{
    uint64_t apart = b->clock - a->clock;
    bool is_group = a->group == b->group;
    if (a->command == NAIVE_REFRESH && b->command == NAIVE_REFRESH)
        return apart % c->tREFI == 0 ? NULL : "tREFI";
    if (a->command == NAIVE_REFRESH)
        return apart < c->tRFC ? "tRFC" : NULL;
    if (b->command == NAIVE_REFRESH)
        return closable(c, a) + (a->command == NAIVE_PRECHARGE ? 0 : c->tRP) > b->clock
                   ? "closed before a refresh"
                   : NULL;
    if (a->command == NAIVE_ACTIVATE && b->command == NAIVE_ACTIVATE)
        return apart < (is_group ? c->tRRD_L : c->tRRD_S) ? "tRRD" : NULL;
    if (!is_column(a) || !is_column(b))
        return NULL;
    if (apart < (is_group ? c->tCCD_L : c->tCCD_S))
        return "tCCD";
    if (a->command == NAIVE_WRITE && b->command == NAIVE_READ &&
        b->clock < data_of(c, a) + c->tBURST + (is_group ? c->tWTR_L : c->tWTR_S))
        return "tWTR";
    return NULL;
}

static const char *on_bus(const struct naive_dram_config *c, const sent_t *a, const sent_t *b)
{
    if (!is_column(a) || !is_column(b))
        return NULL;
    if (a->clock == b->clock)
        return "two column commands at once";
    const sent_t *first = data_of(c, a) <= data_of(c, b) ? a : b, *second = first == a ? b : a;
    uint64_t gap = a->command != b->command || a->rank != b->rank ? c->tRTRS : 0;
    return data_of(c, second) < data_of(c, first) + c->tBURST + gap ? "the data bus" : NULL;
}

/* Four activates of the rank less than tFAW before this one, or after it. */
static const char *four_activates(const struct dram_legal *legal, const sent_t *sent, uint64_t nr_past)
{
    uint64_t nr_near = 0;
    for (uint64_t i = 0; i < nr_past; i++) {
        const sent_t *old = &legal->past[(legal->nr_sent - 1 - i) % DRAM_LEGAL_PAST];
        uint64_t apart = old->clock > sent->clock ? 0 : sent->clock - old->clock;
        nr_near += old->command == NAIVE_ACTIVATE && old->channel == sent->channel &&
                   old->rank == sent->rank && apart < legal->config->tFAW;
    }
    return nr_near >= 4 ? "tFAW" : NULL;
}

void dram_legal_watch(void *opaque, const struct naive_dram_sent *sent)
{
    struct dram_legal *legal = opaque;
    uint64_t nr_past = legal->nr_sent < DRAM_LEGAL_PAST ? legal->nr_sent : DRAM_LEGAL_PAST;
    const char *broken = sent->command == NAIVE_ACTIVATE ? four_activates(legal, sent, nr_past) : NULL;
    for (uint64_t i = 0; i < nr_past && !legal->broken; i++) {
        const sent_t *old = &legal->past[(legal->nr_sent - 1 - i) % DRAM_LEGAL_PAST];
        if (old->channel != sent->channel)
            continue;
        const sent_t *a = old->clock <= sent->clock ? old : sent, *b = a == old ? sent : old;
        legal->nr_pairs++;
        if (!broken)
            broken = on_bus(legal->config, a, b);
        if (!broken && old->rank == sent->rank)
            broken = in_rank(legal->config, a, b);
        if (!broken && old->rank == sent->rank && old->bank == sent->bank)
            broken = in_bank(legal->config, a, b);
        if (broken) {
            legal->broken = broken;
            legal->first = *a;
            legal->second = *b;
        }
    }
    legal->past[legal->nr_sent++ % DRAM_LEGAL_PAST] = *sent;
}
