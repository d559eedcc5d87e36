#include "cpu/stop_points.h"
#include "sim/machine_internal.h"

/* No block holds more instructions. So near a number of them, they run one by one. */
enum { STEPS = 256 };

/* The core stopped; it is to run on to `until`. */
static void serve_stop(struct machine *machine, enum cpu_stop why, cycle_t until)
{
    cycle_t next = ev_next(machine->events);
    if (machine->end != MACHINE_RUNNING)
        return;
    if (why == CPU_STOP_SHUTDOWN)
        machine->end = MACHINE_TRIPLE_FAULT;
    if (why != CPU_STOP_HALTED)
        return;
    if (!cpu_can_interrupt(machine->cpu) || (next == EV_NEVER && until == EV_NEVER))
        machine->end = MACHINE_HALTED;
    else
        cpu_idle_until(machine->cpu, next < until ? next : until);
}

/*
 * One fetch block or one instruction, with what stands between them. Events fire where machine_run would let
 * them: not within a block. True: a stop point.
 */
static bool run_piece(struct machine *machine, cycle_t until, bool is_alone)
{
    struct cpu *cpu = machine->cpu;
    if (cpu_is_between_blocks(cpu))
        ev_run(machine->events, cpu_now(cpu));
    cycle_t next = ev_next(machine->events);
    enum cpu_stop why = cpu_run_piece(cpu, next < until ? next : until, is_alone);
    serve_stop(machine, why, until);
    return why == CPU_STOP_POINT;
}

/*
 * What the core has begun of a fetch block it would end in a run without stops, even where the guest ends. By
 * a damaged checkpoint it may have begun one and be shut down.
 */
static void end_block(struct machine *machine)
{
    struct cpu *cpu = machine->cpu;
    bool has_moved = true;
    while (has_moved && !cpu_is_between_blocks(cpu)) {
        uint64_t instructions = cpu_stats(cpu)->instructions;
        cycle_t now = cpu_now(cpu);
        cpu_pass_point(cpu);
        run_piece(machine, EV_NEVER, true);
        has_moved = cpu_stats(cpu)->instructions != instructions || cpu_now(cpu) != now;
    }
}

static enum machine_end run_one_piece(struct machine *machine, cycle_t until, bool is_alone)
{
    if (machine->end != MACHINE_RUNNING)
        return machine->end;
    cpu_pass_point(machine->cpu);
    run_piece(machine, until, is_alone);
    if (machine->end != MACHINE_RUNNING)
        end_block(machine);
    return machine->end;
}

bool machine_run_to_point(struct machine *machine, uint64_t nr_instructions, cycle_t until)
{
    const struct cpu *cpu = machine->cpu;
    bool is_stopped = false;
    unsigned nr_points;
    cpu_points(cpu, &nr_points);
    if (nr_points == 0) { /* block after block would be some five times slower */
        machine_run_instructions(machine, nr_instructions, until);
        return false;
    }
    while (machine->end == MACHINE_RUNNING && !is_stopped &&
           (cpu_now(cpu) < until || !cpu_is_between_blocks(cpu)) &&
           cpu_stats(cpu)->instructions < nr_instructions) {
        uint64_t rest = nr_instructions - cpu_stats(cpu)->instructions;
        is_stopped = run_piece(machine, until, rest <= STEPS);
    }
    if (machine->end != MACHINE_RUNNING)
        end_block(machine);
    return is_stopped;
}

bool machine_step_to_point(struct machine *machine, cycle_t until, bool *is_done)
{
    const struct cpu *cpu = machine->cpu;
    struct cpu_state before = cpu_state(cpu);
    uint64_t number = cpu_stats(cpu)->instructions;
    bool is_stopped = false;
    *is_done = false;
    while (machine->end == MACHINE_RUNNING && !is_stopped && !*is_done &&
           (cpu_now(cpu) < until || !cpu_is_between_blocks(cpu))) {
        is_stopped = run_piece(machine, until, true);
        struct cpu_state after = cpu_state(cpu);
        *is_done = cpu_stats(cpu)->instructions != number || after.rip != before.rip ||
                   after.gpr[CPU_CX] != before.gpr[CPU_CX];
    }
    if (machine->end != MACHINE_RUNNING)
        end_block(machine);
    return is_stopped;
}

void machine_settle(struct machine *machine)
{
    if (machine->end == MACHINE_RUNNING && cpu_is_between_blocks(machine->cpu))
        ev_run(machine->events, cpu_now(machine->cpu));
}

enum machine_end machine_how_ended(const struct machine *machine)
{
    return machine->end;
}

enum machine_end machine_run(struct machine *machine, cycle_t until)
{
    struct cpu *cpu = machine->cpu;
    machine->must_return = false;
    end_block(machine);
    while (machine->end == MACHINE_RUNNING && cpu_now(cpu) < until && !machine->must_return) {
        ev_run(machine->events, cpu_now(cpu));
        cycle_t next = ev_next(machine->events);
        serve_stop(machine, cpu_run(cpu, next < until ? next : until), until);
    }
    return machine->end;
}

void machine_stop(struct machine *machine)
{
    machine->must_return = true;
}

enum machine_end machine_step(struct machine *machine, cycle_t until)
{
    return run_one_piece(machine, until, true);
}

enum machine_end machine_run_block(struct machine *machine, cycle_t until)
{
    return run_one_piece(machine, until, false);
}

enum machine_end machine_run_instructions(struct machine *machine, uint64_t nr_instructions, cycle_t until)
{
    const struct cpu *cpu = machine->cpu;
    /* No more than the width retire in a cycle, so that the time for the rest of them is known from below. */
    uint64_t per_cycle = machine->config.cpu_width;
    machine->must_return = false;
    while (machine->end == MACHINE_RUNNING && cpu_now(cpu) < until && !machine->must_return &&
           cpu_stats(cpu)->instructions < nr_instructions) {
        uint64_t rest = nr_instructions - cpu_stats(cpu)->instructions;
        cycle_t soon = cpu_now(cpu) + (rest - STEPS) / per_cycle;
        if (rest > STEPS * per_cycle)
            machine_run(machine, soon < until ? soon : until);
        else
            run_piece(machine, until, true);
    }
    return machine->end;
}
