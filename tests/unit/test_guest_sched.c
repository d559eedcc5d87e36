/*
 * The guest's fair scheduler against the closed form: of tasks that always can run, each gets the CPU for the
 * part of the time that its weight is of all weights, and a step of niceness is a factor of 1.25.
 */
#include <criterion/criterion.h>
#include <math.h>

#include "host_sched.h"

#define TICK_NS 10e6

static double share(unsigned int number, unsigned int nr)
{
    double sum = 0;
    for (unsigned int i = 0; i < nr; i++)
        sum += (double)host_sched_runtime_ns(i);
    return (double)host_sched_runtime_ns(number) / sum;
}

static void expect_shares(const int *nices, unsigned int nr, double tolerance)
{
    double weights = 0;
    for (unsigned int i = 0; i < nr; i++)
        weights += pow(1.25, -nices[i]);
    for (unsigned int i = 0; i < nr; i++) {
        double expected = pow(1.25, -nices[i]) / weights;
        cr_assert(fabs(share(i, nr) - expected) < tolerance, "nice %d has %f of the time, not %f", nices[i],
                  share(i, nr), expected);
    }
}

Test(guest_sched, weights)
{
    /* Linux rounded them by hand; the small ones are whole numbers, too. */
    for (int nice = -20; nice < 20; nice++) {
        double exact = 1024 * pow(1.25, -nice);
        cr_assert(fabs(host_sched_weight(nice) - exact) < 1 + exact / 50, "nice %d: %u, not %f", nice,
                  host_sched_weight(nice), exact);
    }
}

Test(guest_sched, equals)
{
    const int nices[] = {0, 0, 0, 0, 0};
    host_sched_begin();
    for (unsigned int i = 0; i < 5; i++)
        host_sched_add(0);
    host_sched_run(1000);
    expect_shares(nices, 5, 0.003);
}

Test(guest_sched, nice)
{
    const int nices[] = {-10, -5, 0, 1, 5, 19};
    host_sched_begin();
    for (unsigned int i = 0; i < 6; i++)
        host_sched_add(nices[i]);
    host_sched_run(40000);
    expect_shares(nices, 6, 0.004);
}

Test(guest_sched, renice)
{
    const int nices[] = {10, 0};
    host_sched_begin();
    host_sched_add(0);
    host_sched_add(0);
    host_sched_run(100);
    double before[2] = {(double)host_sched_runtime_ns(0), (double)host_sched_runtime_ns(1)};
    host_sched_renice(0, 10);
    host_sched_run(20000);
    double first = (double)host_sched_runtime_ns(0) - before[0],
           second = (double)host_sched_runtime_ns(1) - before[1];
    double expected = pow(1.25, -nices[0]) / (1 + pow(1.25, -nices[0]));
    cr_assert(fabs(first / (first + second) - expected) < 0.004);
}

/* Who slept runs at once, but has no claim to the time that it slept for. */
Test(guest_sched, sleeper)
{
    host_sched_begin();
    unsigned int sleeper = host_sched_add(0), hog = host_sched_add(0);
    host_sched_run(10);
    host_sched_sleep(sleeper);
    host_sched_run(1000);
    double before = (double)host_sched_runtime_ns(hog), slept_at = (double)host_sched_runtime_ns(sleeper);
    cr_assert(host_sched_wake(sleeper), "it does not run at once");
    host_sched_run(100);
    double hog_got = (double)host_sched_runtime_ns(hog) - before;
    double sleeper_got = (double)host_sched_runtime_ns(sleeper) - slept_at;
    cr_assert(fabs(hog_got - sleeper_got) <= 4 * TICK_NS, "afterwards: %f and %f", hog_got, sleeper_got);
}

/* A new one neither starves the others nor waits for them to have as much as they had. */
Test(guest_sched, newcomer)
{
    host_sched_begin();
    host_sched_add(0);
    host_sched_run(5000);
    double before = (double)host_sched_runtime_ns(0);
    unsigned int second = host_sched_add(0);
    host_sched_run(1000);
    double first_got = (double)host_sched_runtime_ns(0) - before,
           second_got = (double)host_sched_runtime_ns(second);
    cr_assert(fabs(first_got - second_got) <= 3 * TICK_NS, "%f and %f", first_got, second_got);
}
