#include "sim/run_monitor.h"

#include "sim/base/event.h"
#include "sim/observe/elf_core.h"
#include "sim/observe/monitor.h"
#include "sim/report_where.h"

#include <inttypes.h>
#include <stdlib.h>

enum { LINE_CHARS = 512, MAX_IDLE_CYCLES = 1000000 };

bool run_monitor_dump(const struct run_monitor *monitor, const char *file, struct diag *diag)
{
    struct machine_parts parts = machine_parts(monitor->machine);
    return elf_core_write(parts.cpu, parts.ram, file, diag);
}

static void statistics(void *opaque, const char *part, FILE *to)
{
    const struct run_monitor *monitor = opaque;
    stat_print(machine_stats(monitor->machine), part, to);
}

static void dump(void *opaque, const char *file, FILE *to)
{
    struct diag diag;
    diag_init(&diag);
    if (run_monitor_dump(opaque, file, &diag))
        fprintf(to, "%s is an ELF core of this moment\n", file);
    for (size_t i = 0; i < diag.nr_lines; i++)
        fprintf(to, "%s\n", diag.lines[i]);
    diag_fini(&diag);
}

static void checkpoint(void *opaque, const char *directory, FILE *to)
{
    const struct run_monitor *monitor = opaque;
    monitor->checkpoint(monitor->opaque, directory, to);
}

static struct monitor_params params_of(const struct run_monitor *monitor)
{
    struct machine_parts parts = machine_parts(monitor->machine);
    return (struct monitor_params){.cpu = parts.cpu,
                                   .itlb = parts.itlb,
                                   .dtlb = parts.dtlb,
                                   .l2_tlb = parts.l2_tlb,
                                   .l1i = parts.l1i,
                                   .l1d = parts.l1d,
                                   .l2 = parts.l2,
                                   .l3 = parts.l3,
                                   .statistics = statistics,
                                   .dump = dump,
                                   .checkpoint = checkpoint,
                                   .symbols = run_symbols_now(monitor->symbols, monitor->machine),
                                   .kernel = run_symbols_kernel(monitor->symbols, monitor->machine, false),
                                   .opaque = (void *)(uintptr_t)monitor};
}

void run_monitor_answer(const struct run_monitor *monitor, const char *line, FILE *to)
{
    struct monitor_params params = params_of(monitor);
    uint64_t nr_steps;
    if (monitor_obey(&params, line, &nr_steps, to) != MONITOR_STAY)
        fputs("gdb has its own commands for this: stepi, continue, kill\n", to);
}

/* Where the processor is: the next instruction, and the function that it is in. */
static void tell_place(const struct run_monitor *monitor, FILE *to)
{
    struct monitor_params params = params_of(monitor);
    const struct monitor_format one = {.count = 1, .format = 'i', .size_bytes = 1};
    uint64_t pc, offset;
    if (!monitor_parse_address(&params, "$pc", &pc, to))
        return;
    const char *name = elf_symbols_find(params.symbols, pc, &offset);
    fprintf(to, "cycle %" PRIu64 "%s%s\n", cpu_now(params.cpu), name ? " in " : "", name ? name : "");
    monitor_show_memory(params.cpu, &one, pc, false, to);
}

/* Instructions, one after another; a halted processor waits for its next event. */
static void run_steps(const struct run_monitor *monitor, uint64_t nr_steps)
{
    const struct cpu *cpu = machine_parts(monitor->machine).cpu;
    bool is_done = true;
    while (nr_steps-- > 0 && is_done && machine_how_ended(monitor->machine) == MACHINE_RUNNING)
        machine_step_to_point(monitor->machine, cpu_now(cpu) + MAX_IDLE_CYCLES, &is_done);
    if (!is_done)
        fprintf(stderr, "halted: no interrupt has come in %d cycles\n", MAX_IDLE_CYCLES);
}

enum terminal_request run_monitor_talk(const struct run_monitor *monitor, struct terminal *terminal)
{
    char line[LINE_CHARS];
    fputs("\n", stderr);
    tell_place(monitor, stderr);
    while (terminal_ask(terminal, "(lookaside) ", line, sizeof line)) {
        struct monitor_params params = params_of(monitor);
        uint64_t nr_steps = 0;
        switch (monitor_obey(&params, line, &nr_steps, stderr)) {
        case MONITOR_STAY:
            break;
        case MONITOR_CONTINUE:
            return TERMINAL_NONE;
        case MONITOR_QUIT:
            return TERMINAL_QUIT;
        case MONITOR_STEP:
            run_steps(monitor, nr_steps);
            tell_place(monitor, stderr);
            break;
        case MONITOR_BRANCHES:
            report_branches(monitor->machine, params.symbols, nr_steps, stderr);
            tell_place(monitor, stderr);
            break;
        }
    }
    return TERMINAL_NONE;
}
