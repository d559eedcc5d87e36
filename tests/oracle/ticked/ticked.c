/*
 * Oracle: the cycles of the timed models against a pipeline that is simulated latch by latch.
 *
 *     ticked random [--cases N] [--seed N]          random programs, each with a configuration of its own,
 *                                                   with seeds from N on; with a seed alone, that one
 *     ticked guest IMAGE ARGUMENTS [--instructions N] [PATH=VALUE ...]
 *
 * The first cycle that differs ends it, with status 1.
 */
#include "sim/machine.h"
#include "tests/oracle/ticked/pipeline.h"
#include "tests/oracle/ticked/program.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_counts(struct pipeline_counts *sum, struct pipeline_counts counts)
{
    sum->instructions += counts.instructions;
    sum->blocks += counts.blocks;
    sum->requests += counts.requests;
    sum->exceptions += counts.exceptions;
    sum->stores += counts.stores;
    sum->cycles += counts.cycles;
}

static void print_counts(const struct pipeline_counts *c)
{
    printf("%" PRIu64 " instructions, %" PRIu64 " exceptions and interrupts, %" PRIu64
           " fetch blocks, %" PRIu64 " requests, %" PRIu64 " stores drained, %" PRIu64 " cycles",
           c->instructions, c->exceptions, c->blocks, c->requests, c->stores, c->cycles);
}

/* One program under one configuration. False: a cycle differs, which has been said. */
static bool run_case(uint64_t seed, struct pipeline_counts *sum)
{
    enum { MAX_CYCLES = 200000, MAX_SLICE = 20000 };
    struct dice dice = {seed};
    struct settings settings;
    struct core core;
    struct stream stream;
    struct cpu_state state;
    settings_choose(&dice, &settings);
    core_init(&core, CORE_WATCHED, settings.line);
    stream_init(&stream);
    core.observer = stream_observer(&stream);
    stream.cpu = core.cpu;
    program_put(&dice, &core, &state);
    cpu_set_state(core.cpu, &state);
    struct pipeline *pipeline = pipeline_create(cfg_values(core.cfg), &stream);
    bool is_good = true;
    enum cpu_stop stop;
    do {
        stop = cpu_run(core.cpu, cpu_now(core.cpu) + 1 + dice_below(&dice, MAX_SLICE));
        is_good = pipeline_run(pipeline, false);
    } while (is_good && stop == CPU_STOP_DEADLINE && cpu_now(core.cpu) < MAX_CYCLES);
    stream_end(&stream);
    is_good = is_good && pipeline_run(pipeline, true);
    if (!is_good) {
        printf("random program, --seed %" PRIu64 ":", seed);
        for (unsigned i = 0; i < settings.nr; i++)
            printf(" %s", settings.line[i]);
        printf("\n");
        pipeline_report(pipeline, stdout);
    }
    add_counts(sum, pipeline_counts(pipeline));
    pipeline_destroy(pipeline);
    stream_fini(&stream);
    core_fini(&core);
    return is_good;
}

static int run_random(int argc, char **argv)
{
    uint64_t nr_cases = 0, seed = 0;
    for (int i = 2; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--cases") == 0)
            nr_cases = strtoull(argv[i + 1], NULL, 0);
        else if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[i + 1], NULL, 0);
    }
    nr_cases = nr_cases ? nr_cases : seed ? 1 : 300;
    seed = seed ? seed : 1;
    struct pipeline_counts sum = {0};
    for (uint64_t i = 0; i < nr_cases; i++)
        if (!run_case(seed + i, &sum))
            return 1;
    printf("%" PRIu64 " random programs agree: ", nr_cases);
    print_counts(&sum);
    printf("\n");
    return 0;
}

static int give_up(const struct diag *diag, const char *what)
{
    fprintf(stderr, "ticked: %s: %s\n", what, diag->nr_lines > 0 ? diag->lines[0] : "failed");
    return 2;
}

static int run_guest(int argc, char **argv)
{
    enum { SLICE = 20000 };
    struct diag diag;
    diag_init(&diag);
    uint64_t most = UINT64_MAX;
    struct cfg *cfg = cfg_create();
    bool is_good = cfg != NULL;
    for (int i = 4; is_good && i < argc; i++) {
        if (strcmp(argv[i], "--instructions") == 0 && i + 1 < argc)
            most = strtoull(argv[++i], NULL, 0);
        else
            is_good = cfg_set(cfg, argv[i], &diag);
    }
    if (!is_good || !cfg_check(cfg, &diag))
        return give_up(&diag, "configuration");
    struct stream stream;
    stream_init(&stream);
    struct cpu_observer observer = stream_observer(&stream);
    struct machine_params params = {.config = cfg_values(cfg), .observer = &observer};
    struct machine *machine = machine_create(&params, &diag);
    if (!machine || !machine_load(machine, argv[2], argv[3], NULL, 0, &diag))
        return give_up(&diag, argv[2]);
    struct pipeline *pipeline = pipeline_create(cfg_values(cfg), &stream);
    const struct cpu *cpu = stream.cpu = machine_parts(machine).cpu;
    enum machine_end end = MACHINE_RUNNING;
    while (is_good && end == MACHINE_RUNNING && pipeline_counts(pipeline).instructions < most) {
        end = machine_run(machine, cpu_now(cpu) + SLICE);
        is_good = pipeline_run(pipeline, false);
        stream_forget(&stream, pipeline_oldest_item(pipeline));
    }
    stream_end(&stream);
    is_good = is_good && pipeline_run(pipeline, true);
    struct pipeline_counts counts = pipeline_counts(pipeline);
    printf("%s, %s: %s ", argv[2], argv[3], is_good ? "agrees:" : "differs after");
    print_counts(&counts);
    printf("\n");
    if (!is_good)
        pipeline_report(pipeline, stdout);
    pipeline_destroy(pipeline);
    machine_destroy(machine);
    stream_fini(&stream);
    cfg_destroy(cfg);
    diag_fini(&diag);
    return !is_good;
}

int main(int argc, char **argv)
{
    if (argc >= 4 && strcmp(argv[1], "guest") == 0)
        return run_guest(argc, argv);
    if (argc >= 2 && strcmp(argv[1], "random") == 0)
        return run_random(argc, argv);
    fprintf(stderr, "usage: ticked random [--cases N] [--seed N]\n"
                    "       ticked guest IMAGE ARGUMENTS [--instructions N] [PATH=VALUE ...]\n");
    return 2;
}
