/*
 * The guest's pressure: totals against a model that looks at every millisecond by itself, averages against
 * the closed form of an exponential one.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "host_psi.h"

#define MILLISECONDS 20000u

struct line {
    double avg10, avg60, avg300;
    unsigned long long total_us;
};

static void read_pressure(enum host_pressure pressure, struct line *some, struct line *full)
{
    const char *text = host_psi_text(pressure);
    int nr = sscanf(text,
                    "some avg10=%lf avg60=%lf avg300=%lf total=%llu\n"
                    "full avg10=%lf avg60=%lf avg300=%lf total=%llu\n",
                    &some->avg10, &some->avg60, &some->avg300, &some->total_us, &full->avg10, &full->avg60,
                    &full->avg300, &full->total_us);
    cr_assert_eq(nr, 8, "not Linux's format: %s", text);
}

/* Microseconds that passed in these states, by their definition. */
struct model {
    unsigned long long some[NR_HOST_PRESSURES], full[NR_HOST_PRESSURES];
};

static void pass_one_ms(struct model *model, const unsigned int flags[HOST_PSI_TASKS])
{
    unsigned int running = 0, iowait = 0, memstall = 0, productive = 0;
    for (unsigned int i = 0; i < HOST_PSI_TASKS; i++) {
        running += (flags[i] & HOST_RUNNING) != 0;
        iowait += (flags[i] & HOST_IOWAIT) != 0;
        memstall += (flags[i] & HOST_MEMSTALL) != 0;
        productive += (flags[i] & HOST_RUNNING) && !(flags[i] & HOST_MEMSTALL);
    }
    model->some[HOST_CPU] += running > 1 ? 1000 : 0;
    model->some[HOST_IO] += iowait ? 1000 : 0;
    model->full[HOST_IO] += iowait && running == 0 ? 1000 : 0;
    model->some[HOST_MEMORY] += memstall ? 1000 : 0;
    model->full[HOST_MEMORY] += memstall && productive == 0 ? 1000 : 0;
    host_psi_pass_us(1000);
}

Test(guest_psi, totals)
{
    /* On a run queue, or asleep, and then perhaps for a disk; without memory in either case. */
    static const unsigned int possible[] = {0,
                                            HOST_RUNNING,
                                            HOST_IOWAIT,
                                            HOST_MEMSTALL,
                                            HOST_RUNNING | HOST_MEMSTALL,
                                            HOST_IOWAIT | HOST_MEMSTALL};
    unsigned int flags[HOST_PSI_TASKS] = {0};
    struct model model = {0};
    srand(7);
    for (unsigned int ms = 0; ms < MILLISECONDS; ms++) {
        if (rand() % 3 == 0) {
            unsigned int task = (unsigned int)rand() % HOST_PSI_TASKS;
            flags[task] = possible[(unsigned int)rand() % (sizeof possible / sizeof *possible)];
            host_psi_set(task, flags[task]);
        }
        pass_one_ms(&model, flags);
    }
    for (enum host_pressure i = 0; i < NR_HOST_PRESSURES; i++) {
        struct line some, full;
        read_pressure(i, &some, &full);
        cr_assert_eq(some.total_us, model.some[i], "%d: some: %llu, not %llu", i, some.total_us,
                     model.some[i]);
        cr_assert_eq(full.total_us, model.full[i], "%d: full: %llu, not %llu", i, full.total_us,
                     model.full[i]);
    }
}

static void expect_averages(double expected_10, double expected_60, double expected_300)
{
    struct line some, full;
    read_pressure(HOST_MEMORY, &some, &full);
    cr_assert(fabs(some.avg10 - expected_10) < 0.3, "avg10: %f, not %f", some.avg10, expected_10);
    cr_assert(fabs(some.avg60 - expected_60) < 0.5, "avg60: %f, not %f", some.avg60, expected_60);
    cr_assert(fabs(some.avg300 - expected_300) < 1.0, "avg300: %f, not %f", some.avg300, expected_300);
}

/* A state that lasts brings an average up as 1 - e^-t/T, one that is over lets it fall as e^-t/T. */
Test(guest_psi, averages)
{
    host_psi_pass_us(2000000);
    host_psi_set(0, HOST_MEMSTALL);
    for (unsigned int seconds = 2; seconds <= 60; seconds += 2) {
        host_psi_pass_us(2000000);
        expect_averages(100 * (1 - exp(-(double)seconds / 10)), 100 * (1 - exp(-(double)seconds / 60)),
                        100 * (1 - exp(-(double)seconds / 300)));
    }
    double top_10 = 100 * (1 - exp(-6)), top_60 = 100 * (1 - exp(-1)), top_300 = 100 * (1 - exp(-0.2));
    host_psi_set(0, 0);
    for (unsigned int seconds = 2; seconds <= 60; seconds += 2) {
        host_psi_pass_us(2000000);
        expect_averages(top_10 * exp(-(double)seconds / 10), top_60 * exp(-(double)seconds / 60),
                        top_300 * exp(-(double)seconds / 300));
    }
}

/* A quarter of the time: a quarter in the end. */
Test(guest_psi, part_of_the_time)
{
    for (unsigned int i = 0; i < 600; i++) {
        host_psi_set(0, HOST_MEMSTALL);
        host_psi_pass_us(25000);
        host_psi_set(0, 0);
        host_psi_pass_us(75000);
    }
    struct line some, full;
    read_pressure(HOST_MEMORY, &some, &full);
    cr_assert(fabs(some.avg10 - 25) < 0.5 && fabs(full.avg10 - 25) < 0.5, "%f, %f", some.avg10, full.avg10);
    cr_assert_eq(some.total_us, 600 * 25000);
}
