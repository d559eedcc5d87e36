#include "tests/oracle/ticked/predictor.h"

#include <stdlib.h>

struct target {
    bool is_valid;
    uint64_t from, to;
};

struct guesser {
    const struct config *config;
    unsigned *strength; /* 0 and 1: not taken, 2 and 3: taken */
    uint64_t history;   /* the newest outcome in bit 0 */
    struct target *targets;
    uint64_t *returns; /* the newest at nr_returns - 1; the oldest falls off */
    uint64_t nr_returns;
};

struct guesser *guesser_create(const struct config *config)
{
    struct guesser *guesser = calloc(1, sizeof *guesser);
    guesser->config = config;
    guesser->strength = malloc(config->cpu_predictor_entries * sizeof *guesser->strength);
    guesser->targets = calloc(config->cpu_btb_entries, sizeof *guesser->targets);
    guesser->returns = calloc(config->cpu_return_stack, sizeof *guesser->returns);
    for (uint64_t i = 0; i < config->cpu_predictor_entries; i++)
        guesser->strength[i] = 1;
    return guesser;
}

void guesser_destroy(struct guesser *guesser)
{
    if (!guesser)
        return;
    free(guesser->strength);
    free(guesser->targets);
    free(guesser->returns);
    free(guesser);
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
    case CFG_PREDICTOR_GSHARE:
        index = (from ^ guesser->history) % nr;
        break;
    default:
        break;
    }
    bool guess = guesser->strength[index] >= 2;
    if (is_taken && guesser->strength[index] < 3)
        guesser->strength[index]++;
    if (!is_taken && guesser->strength[index] > 0)
        guesser->strength[index]--;
    guesser->history = (guesser->history * 2 + is_taken) % nr;
    return guess;
}

static enum guess guess_target(struct guesser *guesser, uint64_t from)
{
    struct target *target = &guesser->targets[from % guesser->config->cpu_btb_entries];
    if (target->is_valid && target->from == from)
        return GUESS_RIGHT;
    target->is_valid = true; /* `to` stays: a direct branch says where it goes */
    target->from = from;
    return GUESS_LATE;
}

static enum guess guess_indirect(struct guesser *guesser, uint64_t from, uint64_t to)
{
    struct target *target = &guesser->targets[from % guesser->config->cpu_btb_entries];
    bool is_right = target->is_valid && target->from == from && target->to == to;
    *target = (struct target){true, from, to};
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
