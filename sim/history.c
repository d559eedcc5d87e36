#include "sim/history.h"

#include "cpu/debugger.h"
#include "sim/history_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- What is kept ---- */

struct history *history_create(const struct history_params *params, struct machine *machine)
{
    struct history *history = calloc(1, sizeof *history);
    if (!history)
        return NULL;
    history->params = *params;
    history->machine = machine;
    history->interval_cycles = params->interval_cycles;
    return history;
}

/* Events from `first` on. */
static void drop_events(struct history *history, size_t first)
{
    for (size_t i = first; i < history->nr_events; i++) {
        history->nr_bytes -= sizeof history->events[i] + history->events[i].nr_bytes;
        free(history->events[i].bytes);
    }
    history->nr_events = first < history->nr_events ? first : history->nr_events;
}

static void drop_snapshot(struct history *history, size_t index)
{
    struct history_snapshot *snapshot = &history->snapshots[index];
    history->nr_bytes -= sizeof *snapshot + snapshot->memory.room;
    memory_snap_free(&snapshot->memory);
    history->nr_snapshots--;
    memmove(snapshot, snapshot + 1, (history->nr_snapshots - index) * sizeof *snapshot);
}

void history_forget(struct history *history)
{
    if (!history)
        return;
    drop_events(history, 0);
    while (history->nr_snapshots)
        drop_snapshot(history, history->nr_snapshots - 1);
    history->nr_met = 0;
    history->interval_cycles = history->params.interval_cycles;
    history->furthest = (struct history_moment){0};
}

void history_destroy(struct history *history)
{
    if (!history)
        return;
    history_forget(history);
    free(history->snapshots);
    free(history->events);
    free(history);
}

static struct history_moment moment_now(const struct history *history)
{
    return history_moment_of(history->machine, history->nr_met);
}

bool history_is_behind(const struct history *history)
{
    if (!history || history->nr_snapshots == 0)
        return false;
    const struct history_moment now = moment_now(history);
    return history->nr_met < history->nr_events || history_is_earlier(&now, &history->furthest);
}

bool history_is_going_back(const struct history *history)
{
    return history && history->is_going_back;
}

struct cpu_point history_met_point(const struct history *history)
{
    return history->met;
}

/* ---- Snapshots ---- */

struct halves {
    const struct history_params *params;
    struct machine *machine;
    bool has_machine; /* else only the rest of the run */
};

static void both_snap(void *opaque, struct snap *snap)
{
    const struct halves *halves = opaque;
    if (halves->has_machine)
        machine_snap(halves->machine, snap);
    if (snap_is_good(snap))
        halves->params->snap_rest(halves->params->opaque, halves->machine, snap);
}

static struct memory_snap_walk walk_of(struct halves *halves)
{
    return (struct memory_snap_walk){.walk = both_snap, .opaque = halves, .name = "going back"};
}

bool history_save_rest(struct history *history, struct memory_snap *to, struct diag *diag)
{
    struct halves halves = {.params = &history->params, .machine = history->machine};
    const struct memory_snap_walk walk = walk_of(&halves);
    return memory_snap_save(to, &walk, diag);
}

bool history_load_rest(struct history *history, const struct memory_snap *from, struct diag *diag)
{
    struct halves halves = {.params = &history->params, .machine = history->machine};
    const struct memory_snap_walk walk = walk_of(&halves);
    return memory_snap_load(from, &walk, diag);
}

struct machine *history_make_machine(struct history *history, size_t index, struct diag *diag)
{
    struct machine *machine = history->params.create(history->params.opaque, diag);
    struct halves halves = {.params = &history->params, .machine = machine, .has_machine = true};
    const struct memory_snap_walk walk = walk_of(&halves);
    if (machine && memory_snap_load(&history->snapshots[index].memory, &walk, diag))
        return machine;
    machine_destroy(machine);
    return NULL;
}

/* Every second one goes, but not the first. */
static void thin_out(struct history *history)
{
    for (size_t i = 1; i < history->nr_snapshots; i++)
        drop_snapshot(history, i);
    history->interval_cycles *= 2;
}

static void keep_to_budget(struct history *history)
{
    while (history->nr_bytes > history->params.budget_bytes && history->nr_snapshots > 1)
        thin_out(history);
}

static void take_snapshot(struct history *history)
{
    struct halves halves = {.params = &history->params, .machine = history->machine, .has_machine = true};
    const struct memory_snap_walk walk = walk_of(&halves);
    struct history_snapshot snapshot = {.moment = moment_now(history)};
    struct diag diag;
    if (history->nr_snapshots == history->room_snapshots) {
        size_t room = 2 * history->room_snapshots + 16;
        struct history_snapshot *grown = realloc(history->snapshots, room * sizeof *grown);
        if (!grown)
            return;
        history->snapshots = grown;
        history->room_snapshots = room;
    }
    diag_init(&diag);
    if (memory_snap_save(&snapshot.memory, &walk, &diag)) { /* else memory is short: the past is coarser */
        history->snapshots[history->nr_snapshots++] = snapshot;
        history->nr_bytes += sizeof snapshot + snapshot.memory.room;
    }
    diag_fini(&diag);
    keep_to_budget(history);
}

static void take_due_snapshot(struct history *history)
{
    const struct cpu *cpu = machine_parts(history->machine).cpu;
    size_t nr = history->nr_snapshots;
    bool is_due =
        nr == 0 || cpu_now(cpu) - history->snapshots[nr - 1].moment.cycles >= history->interval_cycles;
    if (machine_how_ended(history->machine) == MACHINE_RUNNING && cpu_is_between_blocks(cpu) &&
        !history_is_behind(history) && is_due)
        take_snapshot(history);
}

/* ---- What comes from outside ---- */

/* The machine goes another way from here. */
static void cut_future(struct history *history)
{
    const struct history_moment now = moment_now(history);
    drop_events(history, history->nr_met);
    while (history->nr_snapshots > 1 &&
           history_is_earlier(&now, &history->snapshots[history->nr_snapshots - 1].moment))
        drop_snapshot(history, history->nr_snapshots - 1);
    history->furthest = (struct history_moment){0};
    history->params.cut(history->params.opaque);
}

/* `bytes` are copied. Where even one snapshot is too much beside all that came, the past begins anew. */
static void record(struct history *history, const struct history_event *event, const void *bytes)
{
    if (history->nr_events == history->room_events) {
        size_t room = 2 * history->room_events + 64;
        struct history_event *grown = realloc(history->events, room * sizeof *grown);
        if (!grown) {
            history_forget(history);
            return;
        }
        history->events = grown;
        history->room_events = room;
    }
    struct history_event *to = &history->events[history->nr_events];
    *to = *event;
    to->bytes = event->nr_bytes ? malloc(event->nr_bytes) : NULL;
    if (event->nr_bytes && !to->bytes) {
        history_forget(history);
        return;
    }
    if (event->nr_bytes)
        memcpy(to->bytes, bytes, event->nr_bytes);
    history->nr_bytes += sizeof *to + to->nr_bytes;
    history->nr_met = ++history->nr_events;
    keep_to_budget(history);
    if (history->nr_bytes > history->params.budget_bytes)
        history_forget(history);
}

/* Before the machine is changed. */
static void prepare(struct history *history, bool is_still)
{
    if (history_is_behind(history))
        cut_future(history);
    if (is_still)
        machine_settle(history->machine);
}

bool history_input(struct history *history, uint8_t byte, bool is_still)
{
    prepare(history, is_still);
    const struct history_event event = {
        .kind = HISTORY_INPUT, .moment = moment_now(history), .byte = byte, .is_still = is_still};
    bool is_taken = history->params.input(history->params.opaque, history->machine, byte);
    if (is_taken && history->nr_snapshots)
        record(history, &event, NULL);
    return is_taken;
}

bool history_change_state(struct history *history, const struct cpu_state *state)
{
    prepare(history, true);
    const struct history_event event = {
        .kind = HISTORY_STATE, .moment = moment_now(history), .is_still = true, .nr_bytes = sizeof *state};
    bool is_done = cpu_change_state(machine_parts(history->machine).cpu, state);
    if (history->nr_snapshots) /* also of what was refused, which may have been done in part */
        record(history, &event, state);
    return is_done;
}

bool history_write(struct history *history, struct paddr at, const void *bytes, size_t nr_bytes)
{
    prepare(history, true);
    const struct history_event event = {.kind = HISTORY_MEMORY,
                                        .moment = moment_now(history),
                                        .is_still = true,
                                        .at = at,
                                        .nr_bytes = nr_bytes};
    bool is_done = cpu_write_physical(machine_parts(history->machine).cpu, at, bytes, nr_bytes);
    if (is_done && history->nr_snapshots)
        record(history, &event, bytes);
    return is_done;
}

/* ---- Forward ---- */

/* Nothing more will come from outside that is known. */
static bool run_freely(struct history *history, const struct history_limits *limits, bool *is_done)
{
    struct cpu *cpu = machine_parts(history->machine).cpu;
    bool is_stopped = limits->is_step
                          ? machine_step_to_point(history->machine, limits->until, is_done)
                          : machine_run_to_point(history->machine, limits->instructions, limits->until);
    if (is_stopped && !cpu_take_met_point(cpu, &history->met)) {
        const struct cpu_state state = cpu_state(cpu);
        history->met = (struct cpu_point){.at = laddr(cpu_state_code_linear(&state)), .size_bytes = 1};
    }
    return is_stopped;
}

static bool run(struct history *history, const struct history_limits *limits, bool *is_done)
{
    struct history_walker walker = {
        .history = history, .machine = history->machine, .nr_met = history->nr_met};
    enum history_arrival way = HISTORY_ARRIVED;
    *is_done = false;
    take_due_snapshot(history);
    while (way == HISTORY_ARRIVED) {
        history_meet_events(&walker);
        history->nr_met = walker.nr_met;
        if (*is_done)
            return false;
        if (walker.nr_met == history->nr_events)
            return run_freely(history, limits, is_done);
        way = history_walk(&walker, NULL, limits);
        *is_done = limits->is_step && (way == HISTORY_ARRIVED || way == HISTORY_ONE_STEP);
    }
    history_meet_events(&walker);
    history->nr_met = walker.nr_met;
    if (way == HISTORY_LOST) /* which would be a mistake of ours; the machine itself is as good as ever */
        history_forget(history);
    return way == HISTORY_AT_POINT;
}

bool history_run(struct history *history, uint64_t nr_instructions, cycle_t until)
{
    const struct history_limits limits = {.instructions = nr_instructions, .until = until};
    bool is_done;
    return run(history, &limits, &is_done);
}

bool history_step(struct history *history, cycle_t until, bool *is_done)
{
    const struct history_limits limits = {.instructions = UINT64_MAX, .until = until, .is_step = true};
    return run(history, &limits, is_done);
}
