/*
 * Branch prediction, as the in-order model uses it: what the front end would have done, and what it costs
 * that it did something else. Inline for the executors of branches; timed models only.
 *
 * Direction: two-bit counters, indexed by the branch's address (bimodal) or its address and the history of
 * the last branches (gshare; McFarling, DEC WRL TN-36, 1993), or tage.h. Targets: a BTB with LRU; returns: a
 * stack of return addresses.
 */
#ifndef LK_CPU_PREDICT_H
#define LK_CPU_PREDICT_H

#include "cpu/cpu_internal.h"
#include "cpu/tage.h"

#define BTB_NO_TARGET (UINT64_C(1) << 63) /* no address that a branch can go to */

/*
 * `first` is the first entry of a set with several ways, and of another branch. The entry of `from` takes its
 * place, if there is one (true); or else the others move one on, the last one goes, and `first` may be
 * written.
 */
bool predict_btb_lift(const struct predictor *p, struct btb_entry *first, uint64_t from);

/* The front end goes on fetching where the branch really went, from the cycle in which that is known. */
static inline void predict_mispredicted(struct cpu *cpu, stamp_t known)
{
    cpu->stats.mispredicts++;
    cpu->fetch_at = (stamp_floor(known) + cpu->mispredict) | REASON_BRANCH;
}

/* A taken direct branch that the BTB does not know is found when it is decoded, and costs a bubble. */
static inline void predict_target(struct cpu *cpu, uint64_t from)
{
    struct btb_entry *entry = &cpu->predictor.btb[from & cpu->predictor.btb_mask];
    if (__builtin_expect(entry->from == from, 1))
        return;
    if (cpu->predictor.btb_rest && predict_btb_lift(&cpu->predictor, entry, from))
        return;
    *entry = (struct btb_entry){.from = from, .to = BTB_NO_TARGET};
    cpu->stats.btb_misses++;
    cpu->fetch_at = stamp_because(cpu->fetch_at, REASON_BRANCH) + cpu->btb_bubble;
}

static inline void predict_direct(struct cpu *cpu, uint64_t from)
{
    predict_target(cpu, from);
}

/* What the counter for the branch says, which then learns what the branch does. */
static inline bool predict_by_counter(struct predictor *p, uint64_t from, bool is_taken)
{
    uint64_t history = p->history;
    uint8_t *counter = &p->counters[(from ^ history) & p->counter_mask];
    p->history = (history << 1 | is_taken) & p->history_mask;
    unsigned was = *counter;
    *counter = (uint8_t)(is_taken ? was + (was < 3) : was - (was > 0));
    return was > 1;
}

/*
 * Whether predict_conditional() calls nothing: counters say where the branch goes, and if it is taken the BTB
 * knows it at once. predict_quick() is the same for these.
 */
static inline bool predict_is_quick(const struct cpu *cpu, uint64_t from, bool is_taken)
{
    const struct predictor *p = &cpu->predictor;
    return p->is_counted && (!is_taken || p->btb[from & p->btb_mask].from == from);
}

static inline void predict_quick(struct cpu *cpu, uint64_t from, bool is_taken, stamp_t issued)
{
    if (__builtin_expect(predict_by_counter(&cpu->predictor, from, is_taken) != is_taken, 0))
        predict_mispredicted(cpu, issued);
}

static inline void predict_conditional(struct cpu *cpu, uint64_t from, bool is_taken, stamp_t issued)
{
    struct predictor *p = &cpu->predictor;
    bool predicted;
    if (__builtin_expect(!p->is_counted, 0))
        predicted = p->tage ? tage_pass(p->tage, from, is_taken) : p->static_taken;
    else
        predicted = predict_by_counter(p, from, is_taken);
    if (__builtin_expect(predicted != is_taken, 0))
        predict_mispredicted(cpu, issued);
    else if (is_taken)
        predict_target(cpu, from);
}

/* `known` is when the target is: a load's result, for one through memory. */
static inline void predict_indirect(struct cpu *cpu, uint64_t from, uint64_t to, stamp_t known)
{
    struct btb_entry *entry = &cpu->predictor.btb[from & cpu->predictor.btb_mask];
    if (__builtin_expect(entry->from == from && entry->to == to, 1))
        return;
    if (cpu->predictor.btb_rest && entry->from != from)
        predict_btb_lift(&cpu->predictor, entry, from);
    if (entry->from == from && entry->to == to)
        return;
    *entry = (struct btb_entry){.from = from, .to = to};
    predict_mispredicted(cpu, known);
}

static inline void predict_call(struct cpu *cpu, uint64_t return_to)
{
    struct predictor *p = &cpu->predictor;
    p->return_top = p->return_top + 1 == p->return_entries ? 0 : p->return_top + 1;
    p->return_stack[p->return_top] = return_to;
    p->return_depth += p->return_depth < p->return_entries;
}

static inline void predict_return(struct cpu *cpu, uint64_t to, stamp_t known)
{
    struct predictor *p = &cpu->predictor;
    bool is_right = p->return_depth > 0 && p->return_stack[p->return_top] == to;
    if (p->return_depth > 0) {
        p->return_depth--;
        p->return_top = p->return_top == 0 ? p->return_entries - 1 : p->return_top - 1;
    }
    if (__builtin_expect(!is_right, 0))
        predict_mispredicted(cpu, known);
}

#endif
