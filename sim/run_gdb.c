#include "sim/run_gdb.h"

#include "cpu/debugger.h"
#include "sim/base/event.h"
#include "sim/code_place.h"
#include "sim/observe/gdb_server.h"
#include "sim/observe/gdb_socket.h"

#include <stdlib.h>
#include <string.h>

/* How long a machine runs or stands still between two looks at what gdb and the terminal want. */
enum { SLICE_CYCLES = 1000000, WAIT_MILLISECONDS = 100, INPUT_BYTES = 4096 };

struct run_gdb {
    struct run_gdb_params params;
    struct gdb_socket socket;
    struct gdb_server *server;
    bool is_stopped, is_stepping;
    bool is_interrupted;           /* while it steps: a handler runs */
    struct code_place interrupted; /* where the interrupt came in: its handler comes back to there */
    struct cpu_point met;          /* that has stopped the machine last */
    bool has_other_future;         /* it was changed where it had been before */
    bool has_told_end;             /* of the machine, to look at what is left of it */
    uint8_t input[INPUT_BYTES];    /* [first_input, nr_input) came while the machine was not to be asked */
    size_t first_input, nr_input;
    enum terminal_request request;
};

static struct cpu *core(const struct run_gdb *gdb)
{
    return machine_parts(gdb->params.machine).cpu;
}

/* How gdb sees the processor: as asked for, else as the guest starts. */
static bool is_64bit(const struct run_gdb_params *params)
{
    enum run_gdb_arch arch = params->options->gdb_arch;
    if (arch != RUN_GDB_ARCH_AUTO)
        return arch == RUN_GDB_ARCH_X86_64;
    return cpu_state(machine_parts(params->machine).cpu).efer & EFER_LMA;
}

/* ---- What gdb changes ---- */

static void note_change(struct run_gdb *gdb)
{
    gdb->has_other_future |= history_is_behind(gdb->params.history);
}

static bool change_state(void *opaque, const struct cpu_state *state)
{
    struct run_gdb *gdb = opaque;
    note_change(gdb);
    return history_change_state(gdb->params.history, state);
}

static bool write_memory(void *opaque, struct paddr at, const void *from, size_t size_bytes)
{
    struct run_gdb *gdb = opaque;
    note_change(gdb);
    return history_write(gdb->params.history, at, from, size_bytes);
}

static void answer_monitor(void *opaque, const char *line, FILE *to)
{
    const struct run_gdb *gdb = opaque;
    gdb->params.monitor(gdb->params.opaque, line, to);
}

/* ---- The session ---- */

struct run_gdb *run_gdb_create(const struct run_gdb_params *params, struct diag *diag)
{
    const struct run_options *o = params->options;
    if (!o->has_gdb)
        return NULL;
    struct machine_parts parts = machine_parts(params->machine);
    if (o->gdb_arch == RUN_GDB_ARCH_X86_64 && parts.config->cpu_isa < CFG_ISA_X86_64) {
        diag_add(diag, EXIT_STATUS_USAGE,
                 "--gdb-arch: cpu.isa has no 64-bit mode; allowed: i386, or another cpu.isa");
        return NULL;
    }
    struct run_gdb *gdb = calloc(1, sizeof *gdb);
    struct gdb_server_params server = {.cpu = parts.cpu,
                                       .is_64bit = is_64bit(params),
                                       .has_sse = parts.config->cpu_isa >= CFG_ISA_P4,
                                       .monitor = answer_monitor,
                                       .change_state = params->history ? change_state : NULL,
                                       .write = params->history ? write_memory : NULL,
                                       .can_go_back = params->history != NULL,
                                       .opaque = gdb};
    if (gdb) {
        gdb->params = *params;
        gdb->socket = (struct gdb_socket){.listener = -1, .peer = -1};
        gdb->is_stopped = o->gdb_waits;
        gdb->server = gdb_server_create(&server);
    }
    if (!gdb || !gdb->server)
        diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    if (!gdb || !gdb->server || !gdb_socket_open(&gdb->socket, o->gdb_port, diag)) {
        run_gdb_destroy(gdb);
        return NULL;
    }
    fprintf(stderr, "lookaside: gdb: target remote 127.0.0.1:%u%s\n", gdb_socket_port(&gdb->socket),
            o->gdb_waits ? "; the guest waits for it" : "");
    return gdb;
}

void run_gdb_destroy(struct run_gdb *gdb)
{
    if (!gdb)
        return;
    gdb_socket_close(&gdb->socket);
    gdb_server_destroy(gdb->server);
    free(gdb);
}

/* ---- The connection ---- */

/* The session is over: the machine runs on by itself. */
static void hang_up(struct run_gdb *gdb)
{
    gdb_socket_hang_up(&gdb->socket);
    gdb_server_begin(gdb->server);
    gdb->is_stopped = gdb->is_stepping = gdb->is_interrupted = false;
    gdb->first_input = gdb->nr_input = 0;
}

static void send_output(struct run_gdb *gdb)
{
    size_t nr_bytes;
    bool is_broken;
    const uint8_t *bytes = gdb_server_output(gdb->server, &nr_bytes, &is_broken);
    bool is_sent = nr_bytes == 0 || gdb_socket_write(&gdb->socket, bytes, nr_bytes);
    gdb_server_sent(gdb->server, nr_bytes);
    if (is_broken || !is_sent)
        hang_up(gdb);
}

static void stop(struct run_gdb *gdb, enum gdb_signal signal, const struct cpu_point *point)
{
    gdb->is_stopped = true;
    gdb->is_stepping = gdb->is_interrupted = false;
    gdb_server_stopped(gdb->server, signal, point);
    send_output(gdb);
}

void run_gdb_set_machine(struct run_gdb *gdb, struct machine *machine)
{
    if (!gdb)
        return;
    gdb->params.machine = machine;
    gdb->has_told_end = false;
    gdb_server_set_cpu(gdb->server, core(gdb));
}

static void go_back(struct run_gdb *gdb, bool is_step)
{
    struct diag diag;
    diag_init(&diag);
    struct history *history = gdb->params.history;
    enum history_end end =
        is_step ? history_step_back(history, gdb_server_steps_over_interrupts(gdb->server), &diag)
                : history_run_back(history, &diag);
    const struct cpu_point met = history_met_point(history);
    for (size_t i = 0; i < diag.nr_lines; i++)
        fprintf(stderr, "lookaside: gdb: %s\n", diag.lines[i]);
    diag_fini(&diag);
    if (gdb->socket.peer < 0)
        return;
    if (end == HISTORY_INTERRUPTED || end == HISTORY_STEPPED || end == HISTORY_POINT) {
        stop(gdb, end == HISTORY_INTERRUPTED ? GDB_SIGINT : GDB_SIGTRAP, end == HISTORY_POINT ? &met : NULL);
        return;
    }
    gdb_server_stopped_at_begin(gdb->server);
    send_output(gdb);
}

static void grant(struct run_gdb *gdb, enum gdb_wish wish)
{
    switch (wish) {
    case GDB_WISH_NONE:
        break;
    case GDB_WISH_CONTINUE:
    case GDB_WISH_STEP:
        cpu_pass_point(core(gdb));
        gdb->is_stopped = false;
        gdb->is_stepping = wish == GDB_WISH_STEP;
        break;
    case GDB_WISH_STEP_BACK:
    case GDB_WISH_CONTINUE_BACK:
        go_back(gdb, wish == GDB_WISH_STEP_BACK);
        break;
    case GDB_WISH_INTERRUPT:
        stop(gdb, GDB_SIGINT, NULL);
        break;
    case GDB_WISH_DETACH:
        send_output(gdb);
        hang_up(gdb);
        break;
    case GDB_WISH_KILL:
        send_output(gdb);
        hang_up(gdb);
        gdb->request = TERMINAL_QUIT;
        break;
    }
}

static enum gdb_wish next_wish(struct run_gdb *gdb)
{
    if (gdb->first_input == gdb->nr_input) {
        ssize_t nr_bytes = gdb_socket_read(&gdb->socket, gdb->input, sizeof gdb->input);
        if (nr_bytes < 0) {
            hang_up(gdb);
            return GDB_WISH_NONE;
        }
        gdb->first_input = 0;
        gdb->nr_input = (size_t)nr_bytes;
    }
    size_t nr_taken;
    enum gdb_wish wish = gdb_server_take(gdb->server, gdb->input + gdb->first_input,
                                         gdb->nr_input - gdb->first_input, &nr_taken);
    gdb->first_input += nr_taken;
    send_output(gdb);
    return gdb->socket.peer >= 0 ? wish : GDB_WISH_NONE;
}

bool run_gdb_is_interrupted(struct run_gdb *gdb)
{
    if (gdb->request == TERMINAL_NONE)
        gdb->request = gdb->params.still(gdb->params.opaque);
    if (gdb->request != TERMINAL_NONE || gdb->socket.peer < 0)
        return true;
    return next_wish(gdb) == GDB_WISH_INTERRUPT || gdb->socket.peer < 0;
}

/* What came over the connection is done, and who has connected finds a machine that stands still. */
static void serve(struct run_gdb *gdb)
{
    if (gdb->socket.peer < 0) {
        if (!gdb_socket_accept(&gdb->socket))
            return;
        gdb_server_begin(gdb->server);
        stop(gdb, GDB_SIGTRAP, NULL);
    }
    do
        grant(gdb, next_wish(gdb));
    while (gdb->first_input < gdb->nr_input && gdb->socket.peer >= 0 && gdb->is_stopped);
}

static void wait_while_stopped(struct run_gdb *gdb)
{
    serve(gdb);
    while (gdb->is_stopped && gdb->request == TERMINAL_NONE) {
        send_output(gdb);
        gdb_socket_wait(&gdb->socket, WAIT_MILLISECONDS);
        gdb->request = gdb->params.still(gdb->params.opaque);
        if (gdb->request == TERMINAL_NONE)
            serve(gdb);
    }
}

/* ---- The machine ---- */

/* Why a guest that has come to a bad end stops. False: it has come to a good one. */
static bool signal_of_end(const struct run_gdb *gdb, enum machine_end why, enum gdb_signal *signal)
{
    struct cpu_fault_record record[CPU_FAULT_HISTORY];
    unsigned nr = cpu_fault_history(core(gdb), record);
    switch (why) {
    case MACHINE_TRIPLE_FAULT: /* the first exception of those that led there in a row */
        for (unsigned i = 0; i < nr; i++)
            if (record[i].vector != 8)
                *signal = gdb_signal_of(record[i].vector);
        return true;
    case MACHINE_PANIC:
        *signal = GDB_SIGABRT;
        return true;
    case MACHINE_HALTED:
        *signal = GDB_SIGSTOP;
        return true;
    default:
        return false;
    }
}

/* gdb may look at what is left; where it goes on, the run ends. */
static void tell_end(struct run_gdb *gdb, enum machine_end why)
{
    enum gdb_signal signal = GDB_SIGSEGV;
    if (gdb->has_told_end || gdb->socket.peer < 0 || !signal_of_end(gdb, why, &signal))
        return;
    gdb->has_told_end = true;
    stop(gdb, signal, NULL);
    wait_while_stopped(gdb);
}

/* Which point it was that has just stopped the machine. */
static void note_point(struct run_gdb *gdb)
{
    const struct cpu_state state = cpu_state(core(gdb));
    if (gdb->params.history)
        gdb->met = history_met_point(gdb->params.history);
    else if (!cpu_take_met_point(core(gdb), &gdb->met))
        gdb->met = (struct cpu_point){.at = laddr(cpu_state_code_linear(&state)), .size_bytes = 1};
}

/* True: a stop point, which is gdb->met. */
static bool run_to_point(struct run_gdb *gdb, uint64_t nr_instructions, cycle_t until)
{
    struct history *history = gdb->params.history;
    bool is_point = history ? history_run(history, nr_instructions, until)
                            : machine_run_to_point(gdb->params.machine, nr_instructions, until);
    if (is_point)
        note_point(gdb);
    return is_point;
}

static bool step_to_point(struct run_gdb *gdb, cycle_t until, bool *is_done)
{
    struct history *history = gdb->params.history;
    bool is_point = history ? history_step(history, until, is_done)
                            : machine_step_to_point(gdb->params.machine, until, is_done);
    if (is_point)
        note_point(gdb);
    return is_point;
}

/* ---- Steps over interrupts: the machine does what it does without gdb, which is only told later ---- */

/* One instruction, or the begin of a handler, which is gone over where gdb wants that. */
static bool step(struct run_gdb *gdb, cycle_t until, bool *is_done)
{
    const struct cpu_stats *stats = cpu_stats(core(gdb));
    const struct code_place before = code_place_of(core(gdb));
    uint64_t nr_interrupts = stats->interrupts;
    unsigned nr_points;
    bool is_point = step_to_point(gdb, until, is_done);
    cpu_points(core(gdb), &nr_points);
    if (is_point || stats->interrupts == nr_interrupts || !gdb_server_steps_over_interrupts(gdb->server) ||
        nr_points >= CPU_MAX_DEBUGGER_POINTS)
        return is_point;
    gdb->interrupted = before;
    gdb->is_interrupted = true;
    *is_done = false;
    return false;
}

static bool has_point_of_gdb(const struct run_gdb *gdb, uint64_t at)
{
    unsigned nr_points;
    const struct cpu_point *points = cpu_points(core(gdb), &nr_points);
    for (unsigned i = 0; i < nr_points; i++)
        if (points[i].kind == CPU_POINT_EXECUTE && points[i].at.v == at)
            return true;
    return false;
}

/* A handler runs: up to its return, from where the step goes on. True: a point of gdb's on the way. */
static bool run_handler(struct run_gdb *gdb, uint64_t nr_instructions, cycle_t until)
{
    struct cpu *cpu = core(gdb);
    struct cpu_point points[CPU_MAX_POINTS];
    unsigned nr_points;
    const struct cpu_point *own = cpu_points(cpu, &nr_points);
    memcpy(points, own, nr_points * sizeof *points);
    points[nr_points] =
        (struct cpu_point){.kind = CPU_POINT_EXECUTE, .at = laddr(gdb->interrupted.at), .size_bytes = 1};
    cpu_set_points(cpu, points, nr_points + 1);
    bool is_point = run_to_point(gdb, nr_instructions, until);
    cpu_set_points(cpu, points, nr_points);
    const struct code_place here = code_place_of(cpu);
    if (!is_point || gdb->met.kind != CPU_POINT_EXECUTE)
        return is_point;
    bool is_back = code_place_is_same(&here, &gdb->interrupted);
    if (!is_back && has_point_of_gdb(gdb, here.at))
        return true;
    gdb->is_interrupted = !is_back;
    cpu_pass_point(cpu);
    return false;
}

static bool run_watched(struct run_gdb *gdb, uint64_t nr_instructions, cycle_t until, bool *is_done)
{
    if (gdb->is_interrupted)
        return run_handler(gdb, nr_instructions, until);
    return gdb->is_stepping ? step(gdb, until, is_done) : run_to_point(gdb, nr_instructions, until);
}

static void run_some(struct run_gdb *gdb, uint64_t nr_instructions, cycle_t until)
{
    bool is_done = false, is_watched = gdb->socket.peer >= 0;
    cycle_t soon = cpu_now(core(gdb)) + SLICE_CYCLES;
    until = soon < until ? soon : until;
    /* Without gdb too, what was typed there before is typed again. */
    bool is_behind = history_is_behind(gdb->params.history);
    if (!is_watched && !is_behind) {
        history_forget(gdb->params.history);
        machine_run_instructions(gdb->params.machine, nr_instructions, until);
        return;
    }
    if (run_watched(gdb, nr_instructions, until, &is_done))
        stop(gdb, GDB_SIGTRAP, &gdb->met);
    else if (is_done)
        stop(gdb, GDB_SIGTRAP, NULL);
    if (is_behind)
        gdb->request = gdb->params.still(gdb->params.opaque);
}

/* False: the run is to look after itself, at the latest in the cycle `until`. */
static bool may_go_on(struct run_gdb *gdb, uint64_t nr_instructions, cycle_t until)
{
    const struct cpu *cpu = core(gdb);
    bool is_over = cpu_now(cpu) >= until && cpu_is_between_blocks(cpu);
    return gdb->request == TERMINAL_NONE && !is_over && !gdb->has_other_future &&
           cpu_stats(cpu)->instructions < nr_instructions;
}

enum machine_end run_gdb_run(struct run_gdb *gdb, struct machine *machine, uint64_t nr_instructions,
                             cycle_t until, enum terminal_request *request)
{
    if (!gdb)
        return machine_run_instructions(machine, nr_instructions, until);
    enum machine_end why = MACHINE_RUNNING;
    gdb->has_other_future = false;
    while (why == MACHINE_RUNNING && gdb->request == TERMINAL_NONE) {
        wait_while_stopped(gdb);
        if (!may_go_on(gdb, nr_instructions, until))
            break;
        run_some(gdb, nr_instructions, until);
        why = machine_how_ended(gdb->params.machine);
        if (why != MACHINE_RUNNING) {
            tell_end(gdb, why);
            why = machine_how_ended(gdb->params.machine); /* gdb may have gone back */
        }
    }
    *request = gdb->request;
    return why;
}

void run_gdb_finish(struct run_gdb *gdb, int status)
{
    if (!gdb || gdb->socket.peer < 0)
        return;
    gdb_server_exited(gdb->server, (unsigned)status);
    send_output(gdb);
    gdb_socket_hang_up(&gdb->socket);
}
