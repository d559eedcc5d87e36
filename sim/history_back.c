/* Going back: a new machine from a snapshot, which runs to the moment that is wanted. */
#include "sim/base/event.h"
#include "sim/code_place.h"
#include "sim/history_internal.h"

#include <string.h>

/*
 * So many instructions before its end a search for the step before begins; without success, further away. One
 * would do, but for what tells whether that step begins behind a return.
 */
enum { FIRST_MARGIN = 8, MARGIN_FACTOR = 64, MAX_OPEN = 2 };

static const struct history_limits no_limits = {.instructions = UINT64_MAX, .until = EV_NEVER};

/* A way back, with what has to be as it was if it leads nowhere. */
struct search {
    struct history *history;
    struct diag *diag;
    struct history_moment begin; /* where the machine is */
    struct memory_snap rest;     /* of its run */
    struct history_walker walker;
    struct cpu_point points[CPU_MAX_POINTS]; /* of the machine */
    unsigned nr_points;
    bool has_moved;
    bool has_faulted; /* a triple fault has left the machine where it was before */
    bool is_over;     /* a step goes over handlers of interrupts */
};

/* What was met on the way. */
struct found {
    struct history_moment moment;
    struct cpu_point point;
    bool is_there, has_point;
    /* It is the return, or begins behind one, from what may have come in before the search begins. */
    bool is_open;
};

static bool begin_search(struct search *search, struct history *history, struct diag *diag)
{
    memset(search, 0, sizeof *search);
    const struct cpu_point *points = cpu_points(machine_parts(history->machine).cpu, &search->nr_points);
    memcpy(search->points, points, search->nr_points * sizeof *points);
    search->history = history;
    search->diag = diag;
    search->begin = history_moment_of(history->machine, history->nr_met);
    search->has_faulted = machine_how_ended(history->machine) == MACHINE_TRIPLE_FAULT;
    history->is_going_back = true;
    return history_save_rest(history, &search->rest, diag);
}

static enum history_end end_search(struct search *search, enum history_end how)
{
    struct history *history = search->history;
    machine_destroy(search->walker.machine);
    if (!search->has_moved && !history_load_rest(history, &search->rest, search->diag))
        how = HISTORY_FAILED;
    memory_snap_free(&search->rest);
    history->is_going_back = false;
    if (how == HISTORY_FAILED) {
        if (search->diag->nr_lines == 0)
            diag_add(search->diag, EXIT_STATUS_INTERNAL,
                     "going back: a moment of the run did not come again");
        history_forget(history);
    }
    return how;
}

static void set_points(struct search *search, bool are_wanted)
{
    cpu_set_points(machine_parts(search->walker.machine).cpu, search->points,
                   are_wanted ? search->nr_points : 0);
}

static bool start_from(struct search *search, size_t index)
{
    machine_destroy(search->walker.machine);
    search->walker = (struct history_walker){
        .history = search->history,
        .machine = history_make_machine(search->history, index, search->diag),
        .nr_met = search->history->snapshots[index].moment.nr_events,
        .may_be_interrupted = true,
    };
    return search->walker.machine != NULL;
}

static struct history_moment moment_now(const struct search *search)
{
    return history_moment_of(search->walker.machine, search->walker.nr_met);
}

/* The latest snapshot before a moment, plus 1; 0: none. */
static size_t snapshots_before(const struct history *history, const struct history_moment *moment)
{
    size_t nr = history->nr_snapshots;
    while (nr && !history_is_earlier(&history->snapshots[nr - 1].moment, moment))
        nr--;
    return nr;
}

static bool is_there(const struct search *search, const struct history_moment *target)
{
    const struct history_moment now = moment_now(search);
    return history_is_same(&now, target) && now.nr_events >= target->nr_events;
}

static enum history_arrival walk_to(struct search *search, const struct history_moment *target,
                                    const struct history_limits *limits)
{
    enum history_arrival way = HISTORY_ARRIVED;
    history_meet_events(&search->walker);
    while (way == HISTORY_ARRIVED && !is_there(search, target)) {
        way = history_walk(&search->walker, target, limits);
        history_meet_events(&search->walker);
    }
    return way;
}

static enum history_end end_of(enum history_arrival way)
{
    return way == HISTORY_BROKEN_OFF ? HISTORY_INTERRUPTED : HISTORY_FAILED;
}

/* The machine is there, and the run's from now on. */
static void take_over(struct search *search)
{
    struct history *history = search->history;
    if (!history_is_behind(history))
        history->furthest = search->begin;
    set_points(search, true);
    history->machine = search->walker.machine;
    history->nr_met = search->walker.nr_met;
    search->walker.machine = NULL;
    search->has_moved = true;
    history->params.adopt(history->params.opaque, history->machine);
}

/* To a moment that was found; `how` is the answer then. */
static enum history_end go_to(struct search *search, const struct history_moment *target,
                              enum history_end how)
{
    const struct history *history = search->history;
    size_t nr = snapshots_before(history, target);
    if (nr < history->nr_snapshots && history_is_same(&history->snapshots[nr].moment, target))
        nr++;
    if (nr == 0 || !start_from(search, nr - 1))
        return HISTORY_FAILED;
    enum history_arrival way = walk_to(search, target, &no_limits);
    if (way != HISTORY_ARRIVED)
        return end_of(way);
    take_over(search);
    return how;
}

/* ---- One step ---- */

/* A halted core's time that passes is no step. */
static bool is_same_place(const struct history_moment *a, const struct history_moment *b)
{
    return a->instructions == b->instructions && a->at == b->at && a->rcx == b->rcx && a->rsp == b->rsp;
}

/*
 * What came in between two instructions, on the way to `end`, and has not come back yet: interrupts, and what
 * else IRET comes back from. The oldest go when there are too many, of tasks that were switched away from.
 */
enum { MAX_ENTRIES = 32 };
struct entry_counts {
    uint64_t interrupts, others;
};
struct entry {
    struct code_place place;
    struct history_moment moment; /* before it */
    struct found before;          /* the step before that */
    struct entry_counts counts;
    uint64_t nr_met; /* points until then */
    bool is_interrupt, is_return;
    bool has_come_back, is_open; /* as of struct entries */
};
struct entries {
    struct entry entry[MAX_ENTRIES];
    unsigned nr;
    uint64_t nr_met;    /* points so far */
    struct found met;   /* the latest of them */
    bool has_come_back; /* to where an interrupt came in, just now */
    struct history_moment came_in;
    bool is_open; /* the latest step was a return from something else, or is not known */
};

static struct entry_counts entry_counts(const struct cpu *cpu)
{
    const struct cpu_stats *stats = cpu_stats(cpu);
    return (struct entry_counts){stats->interrupts, stats->exceptions + stats->software_interrupts};
}

static void push_entry(struct entries *entries, const struct entry *entry, bool is_interrupt)
{
    if (entries->nr == MAX_ENTRIES)
        memmove(entries->entry, entries->entry + 1, --entries->nr * sizeof *entry);
    entries->entry[entries->nr] = *entry;
    entries->entry[entries->nr++].is_interrupt = is_interrupt;
}

/* The latest interrupt that came in here, plus 1; 0: none. */
static unsigned interrupt_at(const struct entries *entries, const struct code_place *here)
{
    unsigned i = entries->nr;
    while (i &&
           !(entries->entry[i - 1].is_interrupt && code_place_is_same(&entries->entry[i - 1].place, here)))
        i--;
    return i;
}

/* The latest of the others whose stack and level are those of here, plus 1; 0: none. */
static unsigned other_at(const struct entries *entries, const struct code_place *here)
{
    unsigned i = entries->nr;
    while (i && (entries->entry[i - 1].is_interrupt || entries->entry[i - 1].place.rsp != here->rsp ||
                 entries->entry[i - 1].place.cpl != here->cpl))
        i--;
    return i;
}

static bool is_iret(struct cpu *cpu, uint64_t at)
{
    enum { IRET = 0xcf, OPERAND_SIZE = 0x66, REX_W = 0x48 };
    uint8_t bytes[2] = {0};
    bool is_there = cpu_peek(cpu, laddr(at), bytes, 1);
    if (is_there && (bytes[0] == OPERAND_SIZE || bytes[0] == REX_W))
        is_there = cpu_peek(cpu, laddr(at + 1), bytes, 1);
    return is_there && bytes[0] == IRET;
}

/* Behind a step, which began as `entry` says. */
static void note_step(struct search *search, struct entries *entries, const struct entry *entry,
                      bool has_moved, bool is_point, struct found *found)
{
    const struct cpu *cpu = machine_parts(search->walker.machine).cpu;
    const struct entry_counts counts = entry_counts(cpu);
    if (is_point) {
        entries->nr_met++;
        entries->met = *found;
        if (!found->has_point)
            entries->met = (struct found){.moment = moment_now(search), .is_there = true};
    }
    entries->has_come_back = !has_moved && entry->has_come_back;
    entries->is_open = !has_moved && entry->is_open;
    if (!has_moved) /* to a point at its very place */
        return;
    if (counts.interrupts != entry->counts.interrupts || counts.others != entry->counts.others)
        push_entry(entries, entry, counts.interrupts != entry->counts.interrupts);
    if (entries->nr == 0 && !entry->is_return)
        return;
    const struct code_place here = code_place_of(cpu);
    unsigned i = interrupt_at(entries, &here);
    if (i) {
        const struct entry *interrupt = &entries->entry[i - 1];
        *found = entries->nr_met > interrupt->nr_met ? entries->met : interrupt->before;
        entries->has_come_back = true;
        entries->came_in = interrupt->moment;
        entries->is_open = interrupt->is_open;
        entries->nr = i - 1;
    } else if (entry->is_return) {
        i = other_at(entries, &here);
        entries->is_open = found->is_open = i == 0;
        entries->nr = i ? i - 1 : entries->nr;
    }
}

/* From where the walker is, step by step to `end`: the latest moment before it. */
static enum history_arrival look_at_steps(struct search *search, const struct history_moment *end,
                                          struct found *found)
{
    const struct history_limits one = {.instructions = UINT64_MAX, .until = EV_NEVER, .is_step = true};
    struct entries entries = {.is_open = search->is_over};
    *found = (struct found){.is_there = false};
    set_points(search, true);
    while (!is_there(search, end)) {
        struct cpu *cpu = machine_parts(search->walker.machine).cpu;
        const struct history_moment now = moment_now(search);
        struct entry entry = {.moment = entries.has_come_back ? entries.came_in : now,
                              .before = *found,
                              .counts = entry_counts(cpu),
                              .nr_met = entries.nr_met,
                              .has_come_back = entries.has_come_back,
                              .is_open = entries.is_open};
        if (search->is_over) {
            entry.place = code_place_of(cpu);
            entry.is_return = is_iret(cpu, entry.place.at);
        }
        if (!is_same_place(&now, end) || (search->has_faulted && end == &search->begin))
            *found = (struct found){.moment = entry.moment, .is_there = true, .is_open = entry.is_open};
        enum history_arrival way = history_walk(&search->walker, end, &one);
        if (way == HISTORY_LOST || way == HISTORY_BROKEN_OFF)
            return way;
        found->point = search->history->met;
        found->has_point = way == HISTORY_AT_POINT && found->point.kind != CPU_POINT_EXECUTE;
        if (way == HISTORY_AT_POINT && !found->has_point)
            cpu_pass_point(cpu);
        if (search->is_over) {
            const struct history_moment after = moment_now(search);
            note_step(search, &entries, &entry, !history_is_same(&now, &after), way == HISTORY_AT_POINT,
                      found);
        }
        history_meet_events(&search->walker);
    }
    return HISTORY_ARRIVED;
}

/* Between a snapshot and `end`. Not being found is no mistake. */
static enum history_arrival find_step_behind(struct search *search, size_t index,
                                             const struct history_moment *end, struct found *found)
{
    uint64_t first = search->history->snapshots[index].moment.instructions, margin = FIRST_MARGIN;
    bool is_all = false;
    do {
        is_all = end->instructions - first <= margin;
        struct history_limits limits = no_limits;
        limits.instructions = is_all ? first : end->instructions - margin;
        if (!start_from(search, index))
            return HISTORY_LOST;
        enum history_arrival way = walk_to(search, end, &limits);
        if (way != HISTORY_AT_LIMIT && way != HISTORY_ARRIVED)
            return way;
        way = look_at_steps(search, end, found);
        if (way != HISTORY_ARRIVED)
            return way;
        margin *= MARGIN_FACTOR;
    } while ((!found->is_there || found->is_open) && !is_all);
    return HISTORY_ARRIVED;
}

/* The machine goes to the moment before the step that ends at `end`. */
static enum history_end step_before(struct search *search, const struct history_moment *end)
{
    struct found found = {0};
    unsigned nr_open = 0; /* snapshots that were in vain for that: one may lie within a handler */
    for (size_t nr = snapshots_before(search->history, end);
         nr > 0 && (!found.is_there || (found.is_open && nr_open < MAX_OPEN)); nr--) {
        enum history_arrival way = find_step_behind(search, nr - 1, end, &found);
        if (way != HISTORY_ARRIVED)
            return end_of(way);
        nr_open += found.is_there;
    }
    if (!found.is_there)
        return HISTORY_BEGIN;
    enum history_end how = go_to(search, &found.moment, found.has_point ? HISTORY_POINT : HISTORY_STEPPED);
    search->history->met = found.point;
    return how;
}

enum history_end history_step_back(struct history *history, bool is_over, struct diag *diag)
{
    struct search search;
    bool is_good = begin_search(&search, history, diag);
    search.is_over = is_over;
    return end_search(&search, is_good ? step_before(&search, &search.begin) : HISTORY_FAILED);
}

/* ---- To a point ---- */

/* The latest stop between a snapshot and `end`; at the end itself only one behind an access. */
static enum history_arrival find_point_behind(struct search *search, size_t index,
                                              const struct history_moment *end, struct found *found)
{
    if (!start_from(search, index))
        return HISTORY_LOST;
    set_points(search, true);
    enum history_arrival way;
    while ((way = walk_to(search, end, &no_limits)) == HISTORY_AT_POINT) {
        found->is_there = true;
        found->moment = moment_now(search);
        found->point = search->history->met;
        found->has_point = found->point.kind != CPU_POINT_EXECUTE;
        if (!found->has_point)
            cpu_pass_point(machine_parts(search->walker.machine).cpu);
    }
    return way;
}

static enum history_end run_before(struct search *search, const struct history_moment *end)
{
    struct history *history = search->history;
    struct found found = {0};
    struct history_moment until = *end;
    for (size_t nr = snapshots_before(history, end); nr > 0 && !found.is_there; nr--) {
        enum history_arrival way = find_point_behind(search, nr - 1, &until, &found);
        if (way != HISTORY_ARRIVED)
            return end_of(way);
        until = history->snapshots[nr - 1].moment;
    }
    if (!found.is_there)
        return go_to(search, &history->snapshots[0].moment, HISTORY_BEGIN);
    enum history_end how;
    if (found.has_point) {
        how = step_before(search, &found.moment);
        how = how == HISTORY_STEPPED ? HISTORY_POINT : how;
    } else {
        how = go_to(search, &found.moment, HISTORY_POINT);
        if (how == HISTORY_POINT) /* as it is where a point has stopped it on its way forward */
            machine_settle(history->machine);
    }
    history->met = found.point;
    return how;
}

enum history_end history_run_back(struct history *history, struct diag *diag)
{
    struct search search;
    if (history->nr_snapshots == 0)
        return HISTORY_BEGIN;
    bool is_good = begin_search(&search, history, diag);
    return end_search(&search, is_good ? run_before(&search, &search.begin) : HISTORY_FAILED);
}
