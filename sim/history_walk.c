/* Running through what was recorded, to moments that were met before. */
#include "cpu/debugger.h"
#include "sim/history_internal.h"

#include <string.h>

/* Between two looks at whether to go on. */
enum { SLICE_CYCLES = 2000000 };

struct history_moment history_moment_of(const struct machine *machine, size_t nr_events)
{
    const struct cpu *cpu = machine_parts(machine).cpu;
    const struct cpu_state state = cpu_state(cpu);
    return (struct history_moment){.instructions = cpu_stats(cpu)->instructions,
                                   .cycles = cpu_now(cpu),
                                   .at = cpu_state_code_linear(&state),
                                   .rcx = state.gpr[CPU_CX],
                                   .rsp = state.gpr[CPU_SP],
                                   .nr_events = nr_events};
}

bool history_is_same(const struct history_moment *a, const struct history_moment *b)
{
    return a->instructions == b->instructions && a->cycles == b->cycles && a->at == b->at &&
           a->rcx == b->rcx && a->rsp == b->rsp;
}

bool history_is_earlier(const struct history_moment *a, const struct history_moment *b)
{
    return a->cycles < b->cycles || a->instructions < b->instructions;
}

static void meet(struct history_walker *walker, const struct history_event *event)
{
    struct cpu *cpu = machine_parts(walker->machine).cpu;
    const struct history_params *params = &walker->history->params;
    if (event->is_still)
        machine_settle(walker->machine);
    switch (event->kind) {
    case HISTORY_INPUT:
        params->input(params->opaque, walker->machine, event->byte);
        break;
    case HISTORY_STATE:
        cpu_change_state(cpu, event->bytes);
        break;
    case HISTORY_MEMORY:
        cpu_write_physical(cpu, event->at, event->bytes, event->nr_bytes);
        break;
    }
}

void history_meet_events(struct history_walker *walker)
{
    const struct history *history = walker->history;
    while (walker->nr_met < history->nr_events) {
        const struct history_event *event = &history->events[walker->nr_met];
        const struct history_moment here = history_moment_of(walker->machine, walker->nr_met);
        if (!history_is_same(&here, &event->moment))
            return;
        meet(walker, event);
        walker->nr_met++;
    }
}

static bool is_at_limit(const struct machine *machine, const struct history_limits *limits)
{
    const struct cpu *cpu = machine_parts(machine).cpu;
    return cpu_stats(cpu)->instructions >= limits->instructions ||
           (cpu_now(cpu) >= limits->until && cpu_is_between_blocks(cpu));
}

/* The machine's own points that have just stopped it. */
static bool is_own_point(struct history_walker *walker, const struct cpu_point *points, unsigned nr_points)
{
    struct cpu *cpu = machine_parts(walker->machine).cpu;
    struct cpu_point *met = &walker->history->met;
    if (cpu_take_met_point(cpu, met))
        return true;
    const struct cpu_state state = cpu_state(cpu);
    *met = (struct cpu_point){.at = laddr(cpu_state_code_linear(&state)), .size_bytes = 1};
    for (unsigned i = 0; i < nr_points; i++)
        if (points[i].kind == CPU_POINT_EXECUTE && points[i].at.v == met->at.v)
            return true;
    return false;
}

static bool has_point_at(const struct cpu *cpu, uint64_t at)
{
    unsigned nr_points;
    const struct cpu_point *points = cpu_points(cpu, &nr_points);
    for (unsigned i = 0; i < nr_points; i++)
        if (points[i].kind == CPU_POINT_EXECUTE && points[i].at.v == at)
            return true;
    return false;
}

static bool is_data_point(const struct cpu_point *point)
{
    return point->kind != CPU_POINT_EXECUTE;
}

/* Up to the instruction before, or to where the target's cycle begins. */
static enum history_arrival come_near(struct history_walker *walker, const struct history_moment *target,
                                      const struct history_limits *limits)
{
    struct machine *machine = walker->machine;
    const struct history *history = walker->history;
    const struct cpu *cpu = machine_parts(machine).cpu;
    unsigned nr_points;
    const struct cpu_point *points = cpu_points(cpu, &nr_points);
    uint64_t near = target->instructions ? target->instructions - 1 : 0;
    near = near < limits->instructions ? near : limits->instructions;
    cycle_t until = target->cycles < limits->until ? target->cycles : limits->until;
    while (machine_how_ended(machine) == MACHINE_RUNNING && cpu_stats(cpu)->instructions < near &&
           cpu_now(cpu) < until) {
        cycle_t soon = until - cpu_now(cpu) > SLICE_CYCLES ? cpu_now(cpu) + SLICE_CYCLES : until;
        if (walker->may_be_interrupted && history->params.is_interrupted(history->params.opaque))
            return HISTORY_BROKEN_OFF;
        if (machine_run_to_point(machine, near, soon) && is_own_point(walker, points, nr_points))
            return HISTORY_AT_POINT;
    }
    return HISTORY_ARRIVED;
}

/*
 * One step. An interrupt and the first instruction of its handler are one, and the target may lie in between,
 * where a point has stopped the machine: so the target is a point as well.
 */
static enum history_arrival step_to(struct history_walker *walker, const struct history_moment *target,
                                    const struct history_limits *limits, const struct cpu_point *own,
                                    unsigned nr_own)
{
    struct machine *machine = walker->machine;
    struct cpu *cpu = machine_parts(machine).cpu;
    struct history_moment here = history_moment_of(machine, 0);
    cycle_t until = here.cycles < target->cycles ? target->cycles : target->cycles + 1;
    bool is_done;
    bool is_stopped = machine_step_to_point(machine, until < limits->until ? until : limits->until, &is_done);
    bool is_own = is_stopped && is_own_point(walker, own, nr_own);
    here = history_moment_of(machine, 0);
    if (is_own && is_data_point(&walker->history->met))
        return HISTORY_AT_POINT;
    if (history_is_same(&here, target))
        return HISTORY_ARRIVED;
    if (is_own)
        return HISTORY_AT_POINT;
    if (is_stopped)
        cpu_pass_point(cpu);
    return is_done ? HISTORY_ONE_STEP : HISTORY_AT_LIMIT;
}

static enum history_arrival close_in(struct history_walker *walker, const struct history_moment *target,
                                     const struct history_limits *limits, const struct cpu_point *own,
                                     unsigned nr_own)
{
    const struct machine *machine = walker->machine;
    while (true) {
        const struct history_moment here = history_moment_of(machine, 0);
        if (history_is_same(&here, target))
            return HISTORY_ARRIVED;
        if (here.instructions > target->instructions || here.cycles > target->cycles ||
            machine_how_ended(machine) != MACHINE_RUNNING)
            return HISTORY_LOST;
        if (is_at_limit(machine, limits))
            return HISTORY_AT_LIMIT;
        enum history_arrival way = step_to(walker, target, limits, own, nr_own);
        if (way == HISTORY_ARRIVED || way == HISTORY_AT_POINT || limits->is_step)
            return way;
    }
}

static enum history_arrival approach(struct history_walker *walker, const struct history_moment *target,
                                     const struct history_limits *limits)
{
    struct cpu *cpu = machine_parts(walker->machine).cpu;
    struct cpu_point points[CPU_MAX_POINTS];
    unsigned nr_points;
    const struct cpu_point *own = cpu_points(cpu, &nr_points);
    if (!limits->is_step) {
        enum history_arrival way = come_near(walker, target, limits);
        if (way != HISTORY_ARRIVED)
            return way;
    }
    nr_points = nr_points < CPU_MAX_DEBUGGER_POINTS ? nr_points : CPU_MAX_DEBUGGER_POINTS;
    memcpy(points, own, nr_points * sizeof *points);
    points[nr_points] =
        (struct cpu_point){.kind = CPU_POINT_EXECUTE, .at = laddr(target->at), .size_bytes = 1};
    cpu_set_points(cpu, points, nr_points + 1);
    enum history_arrival way = close_in(walker, target, limits, points, nr_points);
    cpu_set_points(cpu, points, nr_points);
    return way;
}

enum history_arrival history_walk(struct history_walker *walker, const struct history_moment *target,
                                  const struct history_limits *limits)
{
    struct history *history = walker->history;
    const struct history_event *event = NULL;
    if (walker->nr_met < (target ? target->nr_events : history->nr_events))
        event = &history->events[walker->nr_met];
    const struct history_moment *end = event ? &event->moment : target;
    if (!end) /* there is no next event */
        return HISTORY_LOST;
    enum history_arrival way = approach(walker, end, limits);
    /* An interrupt that the event makes must not come before the stop that was the occasion for it. */
    bool is_on_the_way = event && event->is_still && !(target && history_is_same(target, &event->moment));
    if (way != HISTORY_ARRIVED || limits->is_step || !is_on_the_way ||
        !has_point_at(machine_parts(walker->machine).cpu, event->moment.at))
        return way;
    history->met = (struct cpu_point){.at = laddr(event->moment.at), .size_bytes = 1};
    return HISTORY_AT_POINT;
}
