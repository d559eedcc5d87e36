/*
 * A machine that goes back and forth at random is, wherever it stops, as one that was only ever run forward.
 *
 *     reverse IMAGE BEGIN END SEED NR ARGUMENTS [disk=FILE] [budget=KIB] [PATH=VALUE ...]
 *
 * The straight run, without any history (sim/history.h), stops at some points between the cycles BEGIN and
 * END; registers, all counters and RAM are noted at each stop. On its way
 * it gets bytes at COM1 and has memory changed. Then another machine makes NR moves at random: forward to the
 * next point, back to the point before, some steps back and forth. Each stop must be the one of the straight
 * run. At last it goes back, from behind the first handlers, over these. The exit status is 0 when all of it
 * held. Run by tests/whole/reverse.sh.
 */
#include "sim/code_place.h"
#include "sim/history.h"

#include "cpu/debugger.h"
#include "sim/base/event.h"
#include "sim/snapshot/ram_snap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NR_SAMPLES = 16,
    MAX_HITS = 60, /* of one point: others come too often */
    MAX_STOPS = NR_SAMPLES * MAX_HITS,
    MAX_STEPS = 6,
    MIN_POINTS = 4,
    MIN_STOPS = 5,
    MAX_TRIES = 20,
    MAX_STEPS_ON = 60000,
    MAX_STEPS_OVER = 8,
    MAX_INTERRUPTS = 8,
    CHANGED_AT = 0x9f800, /* conventional memory that no guest here uses */
};

struct plan {
    const char *image, *arguments;
    struct machine_params params;
    cycle_t begin, end;
    uint64_t seed, budget_bytes;
    unsigned nr_moves;
};

/* Where a machine is, and what it is. */
struct stop {
    uint64_t instructions, rip, registers_hash, machine_hash;
    cycle_t cycles;
    struct cpu_point met;
};

/* The straight run. */
struct straight {
    struct cpu_point points[NR_SAMPLES];
    unsigned nr_points;
    cycle_t end;
    struct stop stops[MAX_STOPS + 1]; /* and the end */
    struct stop disturbed[MAX_STOPS]; /* the same when something has come from outside */
    unsigned nr_stops;
};

struct session {
    const struct plan *plan;
    struct machine *machine;
    struct history *history;
    struct diag diag;
    unsigned nr_passed; /* stops that are behind the machine, or where it is */
    unsigned nr_disturbed;
    bool is_behind_access; /* a point at the next instruction is still to come */
};

static bool complain(const char *what)
{
    fprintf(stderr, "reverse: %s\n", what);
    return false;
}

static uint64_t random_below(uint64_t *state, uint64_t limit)
{
    *state = *state * 6364136223846793005 + 1442695040888963407;
    return (*state >> 33) % limit;
}

static uint64_t hash(uint64_t hash, const void *bytes, size_t nr_bytes)
{
    for (size_t i = 0; i < nr_bytes; i++)
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
    return hash;
}

static bool hash_bytes(void *opaque, const void *bytes, size_t nr_bytes)
{
    *(uint64_t *)opaque = hash(*(uint64_t *)opaque, bytes, nr_bytes);
    return true;
}

/* All counters, and RAM: what else there is shows in them further on. */
static uint64_t hash_of_machine(struct machine *machine)
{
    uint64_t sum = 1;
    const struct snap_stream stream = {.write = hash_bytes, .opaque = &sum};
    const struct stat_registry *registry = machine_stats(machine);
    struct stat_snapshot *counts = stat_snapshot_take(registry);
    struct snap *snap = malloc(sizeof *snap);
    struct diag diag;
    if (!snap || !counts)
        abort();
    diag_init(&diag);
    snap_begin(snap, &stream, false, "hash", &diag);
    stat_snapshot_snap(&counts, registry, snap);
    ram_snap((struct ram *)(uintptr_t)machine_parts(machine).ram, snap);
    if (!snap_end(snap))
        abort();
    diag_fini(&diag);
    free(snap);
    stat_snapshot_free(counts);
    return sum;
}

static struct stop stop_of(struct machine *machine)
{
    const struct cpu *cpu = machine_parts(machine).cpu;
    struct cpu_state state = cpu_state(cpu);
    uint64_t sum = hash(0, state.gpr, sizeof state.gpr);
    sum = hash(sum, &state.rflags, sizeof state.rflags);
    sum = hash(sum, &state.cr2, sizeof state.cr2);
    sum = hash(sum, &state.cr3, sizeof state.cr3);
    return (struct stop){.instructions = cpu_stats(cpu)->instructions,
                         .cycles = cpu_now(cpu),
                         .rip = state.rip,
                         .registers_hash = sum,
                         .machine_hash = hash_of_machine(machine)};
}

static bool is_same(const struct stop *a, const struct stop *b)
{
    return a->instructions == b->instructions && a->cycles == b->cycles && a->rip == b->rip &&
           a->registers_hash == b->registers_hash && a->machine_hash == b->machine_hash;
}

static bool expect(struct machine *machine, const struct stop *expected, const char *what)
{
    const struct stop found = stop_of(machine);
    if (is_same(&found, expected))
        return true;
    fprintf(stderr,
            "reverse: %s: instruction %" PRIu64 ", cycle %" PRIu64 ", rip %" PRIx64 "%s; the straight run: "
            "%" PRIu64 ", %" PRIu64 ", %" PRIx64 "\n",
            what, found.instructions, found.cycles, found.rip,
            found.registers_hash != expected->registers_hash ? ", other registers"
            : found.machine_hash != expected->machine_hash   ? ", another machine"
                                                             : "",
            expected->instructions, expected->cycles, expected->rip);
    return false;
}

static struct machine *begin(const struct plan *plan, struct diag *diag)
{
    struct machine *machine = machine_create(&plan->params, diag);
    if (machine && machine_load(machine, plan->image, plan->arguments, NULL, 0, diag)) {
        machine_run(machine, plan->begin);
        return machine;
    }
    machine_destroy(machine);
    return NULL;
}

/* At every fifth stop, once: what comes from outside. */
static bool is_disturbed(unsigned stop)
{
    return stop % 5 == 2;
}

static const uint8_t typed = 'x';

static uint8_t written(unsigned stop)
{
    return (uint8_t)(stop + 1);
}

/* ---- The straight run ---- */

static int compare_cycles(const void *a, const void *b)
{
    cycle_t x = *(const cycle_t *)a, y = *(const cycle_t *)b;
    return x < y ? -1 : x > y;
}

/* Instructions that run, and words that are used, at random moments. */
static bool choose_points(const struct plan *plan, struct straight *straight, uint64_t *random,
                          struct diag *diag)
{
    static const enum cpu_point_kind kinds[] = {CPU_POINT_EXECUTE, CPU_POINT_EXECUTE, CPU_POINT_WRITE,
                                                CPU_POINT_EXECUTE, CPU_POINT_ACCESS};
    cycle_t at[NR_SAMPLES];
    struct machine *machine = begin(plan, diag);
    if (!machine)
        return false;
    for (unsigned i = 0; i < NR_SAMPLES; i++)
        at[i] = plan->begin + random_below(random, plan->end - plan->begin);
    qsort(at, NR_SAMPLES, sizeof *at, compare_cycles);
    straight->nr_points = NR_SAMPLES;
    for (unsigned i = 0; i < NR_SAMPLES; i++) {
        machine_run(machine, at[i]);
        struct cpu_state state = cpu_state(machine_parts(machine).cpu);
        enum cpu_point_kind kind = kinds[i % (sizeof kinds / sizeof *kinds)];
        bool is_code = kind == CPU_POINT_EXECUTE;
        uint64_t address = is_code ? cpu_state_code_linear(&state) : state.gpr[CPU_SP] - 8;
        straight->points[i] =
            (struct cpu_point){.kind = kind, .at = laddr(address), .size_bytes = is_code ? 1 : 8};
    }
    machine_destroy(machine);
    return true;
}

static void drop_point(struct straight *straight, unsigned index)
{
    straight->points[index] = straight->points[--straight->nr_points];
}

static unsigned index_of(const struct straight *straight, const struct cpu_point *met)
{
    for (unsigned i = 0; i < straight->nr_points; i++) {
        const struct cpu_point *point = &straight->points[i];
        bool is_there = met->kind == CPU_POINT_EXECUTE ? point->at.v == met->at.v
                                                       : met->at.v - point->at.v < point->size_bytes;
        if (is_there && point->kind == met->kind)
            return i;
    }
    return straight->nr_points;
}

/* To the next stop, if there is one. */
static bool next_stop(struct machine *machine, cycle_t end, struct cpu_point *met)
{
    struct cpu *cpu = machine_parts(machine).cpu;
    if (!machine_run_to_point(machine, UINT64_MAX, end))
        return false;
    if (cpu_take_met_point(cpu, met))
        return true;
    const struct cpu_state state = cpu_state(cpu);
    *met = (struct cpu_point){.at = laddr(cpu_state_code_linear(&state))};
    return true;
}

static void disturb_straight(struct machine *machine, unsigned stop)
{
    uint8_t byte = written(stop);
    if (!is_disturbed(stop))
        return;
    machine_settle(machine);
    machine_input(machine, typed);
    cpu_write_physical(machine_parts(machine).cpu, paddr(CHANGED_AT), &byte, 1);
}

/* False: one comes too often, and is not there any more; of the last few, the run ends earlier for it. */
static bool are_points_rare(struct straight *straight, struct machine *machine)
{
    unsigned nr_hits[NR_SAMPLES] = {0}, nr = 0;
    struct cpu *cpu = machine_parts(machine).cpu;
    struct cpu_point met;
    cpu_set_points(cpu, straight->points, straight->nr_points);
    while (next_stop(machine, straight->end, &met)) {
        unsigned index = index_of(straight, &met);
        disturb_straight(machine, nr++);
        if (met.kind == CPU_POINT_EXECUTE)
            cpu_pass_point(cpu);
        if (++nr_hits[index] > MAX_HITS) {
            if (straight->nr_points > MIN_POINTS)
                drop_point(straight, index);
            else
                straight->end = cpu_now(cpu) < straight->end ? cpu_now(cpu) : straight->end - 1;
            return false;
        }
    }
    straight->nr_stops = nr;
    return true;
}

static void go_straight(struct straight *straight, struct machine *machine)
{
    struct cpu *cpu = machine_parts(machine).cpu;
    struct cpu_point met;
    cpu_set_points(cpu, straight->points, straight->nr_points);
    for (unsigned i = 0; next_stop(machine, straight->end, &met); i++) {
        straight->stops[i] = stop_of(machine);
        straight->stops[i].met = met;
        disturb_straight(machine, i);
        straight->disturbed[i] = stop_of(machine);
        if (met.kind == CPU_POINT_EXECUTE)
            cpu_pass_point(cpu);
    }
    straight->stops[straight->nr_stops] = stop_of(machine);
}

/* Points that come, and not too often. */
static bool make_straight(const struct plan *plan, struct straight *straight, uint64_t *random,
                          struct diag *diag)
{
    struct machine *machine = NULL;
    for (unsigned i = 0; i < MAX_TRIES && straight->nr_stops < MIN_STOPS; i++) {
        bool is_good = false;
        straight->end = plan->end;
        if (!choose_points(plan, straight, random, diag))
            return false;
        while (!is_good && (machine = begin(plan, diag))) {
            is_good = are_points_rare(straight, machine);
            machine_destroy(machine);
        }
        if (!is_good)
            return false;
    }
    if (straight->nr_stops < MIN_STOPS)
        return complain("the points come too seldom");
    machine = begin(plan, diag);
    if (!machine)
        return false;
    go_straight(straight, machine);
    machine_destroy(machine);
    return true;
}

/* ---- Back and forth ---- */

static struct machine *create(void *opaque, struct diag *diag)
{
    const struct session *session = opaque;
    return machine_create(&session->plan->params, diag);
}

static void snap_rest(void *opaque, struct machine *machine, struct snap *snap)
{
    (void)opaque;
    (void)machine;
    snap_section(snap, "rest");
}

static bool input(void *opaque, struct machine *machine, uint8_t byte)
{
    (void)opaque;
    return machine_input(machine, byte);
}

static void adopt(void *opaque, struct machine *machine)
{
    struct session *session = opaque;
    machine_destroy(session->machine);
    session->machine = machine;
}

static void cut(void *opaque)
{
    (void)opaque;
    complain("the future was cut off");
    exit(1);
}

static bool is_interrupted(void *opaque)
{
    (void)opaque;
    return false;
}

/* What comes from outside comes once. */
static bool disturb(struct session *session, const struct straight *straight, unsigned stop)
{
    uint8_t byte = written(stop);
    if (stop < session->nr_disturbed || stop == straight->nr_stops)
        return true;
    session->nr_disturbed = stop + 1;
    if (!expect(session->machine, &straight->stops[stop], "forward"))
        return false;
    if (is_disturbed(stop)) {
        history_input(session->history, typed, true);
        history_write(session->history, paddr(CHANGED_AT), &byte, 1);
    }
    return true;
}

static bool is_same_moment(const struct stop *a, const struct stop *b)
{
    return a->instructions == b->instructions && a->cycles == b->cycles && a->rip == b->rip;
}

/* At a stop that comes again; what came at this moment, if at another stop, is there already. */
static bool expect_again(const struct session *session, const struct straight *straight, unsigned stop,
                         const char *what)
{
    if (stop == straight->nr_stops)
        return expect(session->machine, &straight->stops[stop], what);
    while (stop + 1 < session->nr_disturbed && stop + 1 < straight->nr_stops &&
           is_same_moment(&straight->stops[stop], &straight->stops[stop + 1]))
        stop++;
    return expect(session->machine, &straight->disturbed[stop], what);
}

static bool is_point(const struct session *session, const struct stop *expected)
{
    const struct cpu_point met = history_met_point(session->history);
    if (met.kind == expected->met.kind && met.at.v == expected->met.at.v)
        return true;
    fprintf(stderr, "reverse: a point of kind %d at %" PRIx64 "; the straight run: %d, %" PRIx64 "\n",
            (int)met.kind, met.at.v, (int)expected->met.kind, expected->met.at.v);
    return false;
}

static bool move_forward(struct session *session, const struct straight *straight)
{
    unsigned next = session->nr_passed;
    if (next > straight->nr_stops)
        return true;
    bool is_last = next == straight->nr_stops;
    if (!session->is_behind_access)
        cpu_pass_point(machine_parts(session->machine).cpu);
    session->is_behind_access = straight->stops[next].met.kind != CPU_POINT_EXECUTE;
    if (history_run(session->history, UINT64_MAX, straight->end) == is_last)
        return complain(is_last ? "forward: a stop behind the last" : "forward: the stop was missed");
    if (!is_last && !is_point(session, &straight->stops[next]))
        return complain("forward: another point");
    session->nr_passed++;
    return disturb(session, straight, next) && expect_again(session, straight, next, "forward");
}

static bool move_back(struct session *session, const struct straight *straight)
{
    const struct stop here = stop_of(session->machine);
    unsigned nr = session->nr_passed < straight->nr_stops ? session->nr_passed : straight->nr_stops;
    const struct stop *stop = &straight->stops[nr ? nr - 1 : 0];
    if (nr && stop->met.kind == CPU_POINT_EXECUTE && is_same_moment(stop, &here)) /* not an earlier one */
        nr--;
    enum history_end end = history_run_back(session->history, &session->diag);
    session->is_behind_access = false;
    if (nr == 0) {
        session->nr_passed = 0;
        return end == HISTORY_BEGIN || complain("back: not at the begin");
    }
    stop = &straight->stops[nr - 1];
    if (end != HISTORY_POINT || !is_point(session, stop))
        return complain("back: another point");
    session->nr_passed = stop->met.kind == CPU_POINT_EXECUTE ? nr : nr - 1;
    return stop->met.kind != CPU_POINT_EXECUTE || expect_again(session, straight, nr - 1, "back");
}

/* Some steps back, and as many forward: each moment comes twice. */
static bool move_by_steps(struct session *session, uint64_t *random)
{
    struct stop stops[MAX_STEPS + 1];
    unsigned nr = 0, wanted = 1 + (unsigned)random_below(random, MAX_STEPS);
    if (cpu_is_halted(machine_parts(session->machine).cpu)) /* for some time, which is no step */
        return true;
    stops[0] = stop_of(session->machine);
    while (nr < wanted) {
        enum history_end end = history_step_back(session->history, false, &session->diag);
        if (end == HISTORY_BEGIN)
            break;
        if (end != HISTORY_STEPPED && end != HISTORY_POINT)
            return complain("a step back failed");
        stops[++nr] = stop_of(session->machine);
        if (stops[nr].instructions > stops[nr - 1].instructions ||
            stops[nr - 1].instructions - stops[nr].instructions > 1)
            return complain("a step back of another length");
    }
    while (nr > 0) {
        bool is_done = false;
        struct cpu *cpu = machine_parts(session->machine).cpu;
        cpu_pass_point(cpu);
        while (!is_done && !history_step(session->history, EV_NEVER, &is_done))
            if (machine_how_ended(session->machine) != MACHINE_RUNNING)
                break;
        nr--;
        if (!expect(session->machine, &stops[nr], "step"))
            return false;
    }
    return true;
}

static bool move(struct session *session, const struct straight *straight, uint64_t *random)
{
    switch (random_below(random, 5)) {
    case 0:
    case 1:
        return move_forward(session, straight);
    case 2:
        return move_by_steps(session, random);
    default:
        return move_back(session, straight);
    }
}

/* As far as it goes first, and at last: what comes is that of the straight run too. */
static bool go_back_and_forth(struct session *session, const struct straight *straight, uint64_t *random)
{
    for (unsigned i = 0; i <= straight->nr_stops / 2; i++)
        if (!move_forward(session, straight))
            return false;
    for (unsigned i = 0; i < session->plan->nr_moves; i++)
        if (!move(session, straight, random))
            return false;
    while (session->nr_passed <= straight->nr_stops)
        if (!move_forward(session, straight))
            return false;
    return true;
}

/* ---- Steps back over handlers ---- */

/* A moment between two steps of a run that only goes forward. */
struct step {
    struct code_place place;
    uint64_t instructions, registers_hash, nr_interrupts;
    cycle_t cycles;
    bool is_halted;
};

static struct step step_of(const struct machine *machine)
{
    const struct cpu *cpu = machine_parts(machine).cpu;
    struct cpu_state state = cpu_state(cpu);
    return (struct step){.place = code_place_of(cpu),
                         .instructions = cpu_stats(cpu)->instructions,
                         .registers_hash = hash(0, state.gpr, sizeof state.gpr),
                         .nr_interrupts = cpu_stats(cpu)->interrupts,
                         .cycles = cpu_now(cpu),
                         .is_halted = cpu_is_halted(cpu)};
}

/* Plain steps from where the machine is. Returns the number of moments. */
static unsigned step_on(struct machine *machine, cycle_t end, struct step *steps, unsigned max_steps)
{
    unsigned nr = 0;
    steps[nr++] = step_of(machine);
    while (nr < max_steps && steps[nr - 1].cycles < end && machine_how_ended(machine) == MACHINE_RUNNING) {
        bool is_done = false;
        while (!is_done && machine_how_ended(machine) == MACHINE_RUNNING)
            machine_step_to_point(machine, EV_NEVER, &is_done);
        steps[nr++] = step_of(machine);
    }
    return nr;
}

/*
 * The first moment at which the handler of an interrupt has come back to where that came in, which was right
 * behind moment `at`; 0: none came in, or it has not come back.
 */
static unsigned find_return(const struct step *steps, unsigned nr_steps, unsigned at)
{
    if (at + 1 >= nr_steps || steps[at + 1].nr_interrupts == steps[at].nr_interrupts)
        return 0;
    for (unsigned i = at + 1; i < nr_steps; i++)
        if (code_place_is_same(&steps[i].place, &steps[at].place))
            return i;
    return 0;
}

/*
 * Of the steps up to `last` those that are left when handlers that have come back are taken out, the latest
 * first. Inside a handler nothing is taken out but what came in there.
 */
static unsigned leave_out_handlers(const struct step *steps, unsigned last, const struct step **left,
                                   unsigned max_left)
{
    unsigned nr = 0;
    for (unsigned i = 0; i <= last; i++) {
        if (nr == max_left)
            memmove(left, left + 1, --nr * sizeof *left);
        left[nr++] = &steps[i];
        for (unsigned back; (back = find_return(steps, last + 1, i)) != 0; i = back)
            continue; /* where it came back to is the same moment */
    }
    return nr;
}

/* From the moment `last` of a run some steps back, each of which must be the naive one. */
static bool step_back_from(struct session *session, const struct step *steps, unsigned last)
{
    const struct step *left[MAX_STEPS_OVER + 1];
    unsigned nr = leave_out_handlers(steps, last, left, MAX_STEPS_OVER + 1);
    for (unsigned i = 0; i < last; i++) {
        bool is_done = false;
        while (!is_done)
            history_step(session->history, EV_NEVER, &is_done);
    }
    while (nr-- > 1 && !left[nr]->is_halted && !left[nr - 1]->is_halted) {
        enum history_end end = history_step_back(session->history, true, &session->diag);
        const struct step here = step_of(session->machine), *expected = left[nr - 1];
        if (end == HISTORY_STEPPED && here.instructions == expected->instructions &&
            here.cycles == expected->cycles && here.registers_hash == expected->registers_hash &&
            code_place_is_same(&here.place, &expected->place))
            continue;
        fprintf(stderr,
                "over handlers: %" PRIu64 " cycles %" PRIu64 " at %#" PRIx64 ", expected %" PRIu64
                " cycles %" PRIu64 " at %#" PRIx64 "\n",
                here.instructions, here.cycles, here.place.at, expected->instructions, expected->cycles,
                expected->place.at);
        return complain("a step back over handlers is another");
    }
    return true;
}

static struct history_params history_params(struct session *session, const struct plan *plan, cycle_t end)
{
    return (struct history_params){
        .create = create,
        .snap_rest = snap_rest,
        .input = input,
        .adopt = adopt,
        .cut = cut,
        .is_interrupted = is_interrupted,
        .opaque = session,
        .budget_bytes = plan->budget_bytes,
        .interval_cycles = (end - plan->begin) / 20 + 1,
    };
}

/* Behind the first interrupts that come back, and in a handler. */
static bool go_back_over_handlers(const struct plan *plan, cycle_t end, unsigned *nr_looked_at,
                                  struct diag *diag)
{
    static struct step steps[MAX_STEPS_ON];
    struct machine *machine = begin(plan, diag);
    if (!machine)
        return false;
    unsigned nr_steps = step_on(machine, end, steps, MAX_STEPS_ON);
    machine_destroy(machine);
    bool is_good = true;
    for (unsigned i = 0; is_good && i + 1 < nr_steps && *nr_looked_at < MAX_INTERRUPTS; i++) {
        unsigned back = find_return(steps, nr_steps, i);
        if (!back || steps[i].is_halted)
            continue;
        unsigned last = back + 1 + *nr_looked_at % 3;
        if (*nr_looked_at % 4 == 3) /* within the handler */
            last = back - 1;
        if (last >= nr_steps)
            break;
        struct session session = {.plan = plan, .machine = begin(plan, diag)};
        if (!session.machine)
            return false;
        diag_init(&session.diag);
        const struct history_params params = history_params(&session, plan, end);
        session.history = history_create(&params, session.machine);
        is_good = session.history && step_back_from(&session, steps, last);
        for (size_t k = 0; k < session.diag.nr_lines; k++)
            complain(session.diag.lines[k]);
        history_destroy(session.history);
        machine_destroy(session.machine);
        diag_fini(&session.diag);
        ++*nr_looked_at;
    }
    return is_good;
}

static int run(const struct plan *plan, struct diag *diag)
{
    static struct straight straight;
    static struct session session;
    uint64_t random = plan->seed;
    if (!make_straight(plan, &straight, &random, diag))
        return 2;
    session = (struct session){.plan = plan, .machine = begin(plan, diag)};
    diag_init(&session.diag);
    const struct history_params params = history_params(&session, plan, straight.end);
    session.history = session.machine ? history_create(&params, session.machine) : NULL;
    if (!session.history)
        return 2;
    cpu_set_points(machine_parts(session.machine).cpu, straight.points, straight.nr_points);
    bool is_good = go_back_and_forth(&session, &straight, &random);
    for (size_t i = 0; i < session.diag.nr_lines; i++)
        complain(session.diag.lines[i]);
    unsigned nr_handlers = 0;
    is_good = is_good && go_back_over_handlers(plan, straight.end, &nr_handlers, diag);
    printf("%u points, %u stops, %u handlers\n", straight.nr_points, straight.nr_stops, nr_handlers);
    history_destroy(session.history);
    machine_destroy(session.machine);
    diag_fini(&session.diag);
    return is_good ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct diag diag;
    diag_init(&diag);
    if (argc < 7) {
        fprintf(stderr, "usage: reverse IMAGE BEGIN END SEED NR ARGUMENTS [disk=FILE] [budget=KIB] "
                        "[PATH=VALUE ...]\n");
        return 2;
    }
    struct plan plan = {.image = argv[1],
                        .begin = strtoull(argv[2], NULL, 0),
                        .end = strtoull(argv[3], NULL, 0),
                        .seed = strtoull(argv[4], NULL, 0),
                        .nr_moves = (unsigned)strtoul(argv[5], NULL, 0),
                        .arguments = argv[6],
                        .budget_bytes = UINT64_MAX};
    struct cfg *cfg = cfg_create();
    bool is_good = cfg != NULL && plan.begin < plan.end;
    for (int i = 7; is_good && i < argc; i++) {
        if (strncmp(argv[i], "disk=", 5) == 0)
            plan.params.disks[0] = (struct disk_source){.file = argv[i] + 5, .mode = DISK_SNAPSHOT};
        else if (strncmp(argv[i], "budget=", 7) == 0)
            plan.budget_bytes = strtoull(argv[i] + 7, NULL, 0) << 10;
        else if (strchr(argv[i], '='))
            is_good = cfg_set(cfg, argv[i], &diag);
        else
            is_good = cfg_load_file(cfg, argv[i], &diag);
    }
    int status = 2;
    if (is_good && cfg_check(cfg, &diag)) {
        plan.params.config = cfg_values(cfg);
        status = run(&plan, &diag);
    }
    for (size_t i = 0; i < diag.nr_lines; i++)
        complain(diag.lines[i]);
    cfg_destroy(cfg);
    diag_fini(&diag);
    return status;
}
