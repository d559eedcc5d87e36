#include "sim/base/event.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { NR_EVENTS = 200, MAX_FIRED = 4096 };

struct fixture {
    struct ev_queue *queue;
    struct probe {
        struct event event;
        int number;
    } probes[NR_EVENTS];
    int fired[MAX_FIRED];
    cycle_t fired_at[MAX_FIRED], saw_now[MAX_FIRED];
    int nr_fired;
    cycle_t period; /* the handler of periodic() schedules itself this much later */
};

static struct fixture *f;

static void record(void *opaque, cycle_t now)
{
    struct probe *probe = opaque;
    f->fired[f->nr_fired] = probe->number;
    f->fired_at[f->nr_fired] = now;
    f->saw_now[f->nr_fired++] = ev_now(f->queue);
}

static void setup(void)
{
    f = calloc(1, sizeof(*f));
    f->queue = ev_queue_create();
    for (int i = 0; i < NR_EVENTS; i++) {
        f->probes[i].number = i;
        f->probes[i].event.handler = record;
        f->probes[i].event.opaque = &f->probes[i];
    }
}

static void teardown(void)
{
    ev_queue_destroy(f->queue);
    free(f);
}

TestSuite(event, .init = setup, .fini = teardown);

static void schedule(int number, cycle_t due)
{
    cr_assert(ev_schedule(f->queue, &f->probes[number].event, due));
}

Test(event, empty_queue_has_no_next)
{
    cr_assert_eq(ev_next(f->queue), EV_NEVER);
    ev_run(f->queue, 1000);
    cr_assert_eq(ev_now(f->queue), 1000);
    cr_assert_eq(f->nr_fired, 0);
}

Test(event, refused_a_cycle_before_and_fired_when_due)
{
    schedule(1, 100);
    cr_assert_eq(ev_next(f->queue), 100);
    ev_run(f->queue, 99);
    cr_assert_eq(f->nr_fired, 0);
    ev_run(f->queue, 100);
    cr_assert_eq(f->nr_fired, 1);
    ev_run(f->queue, 200);
    cr_assert_eq(f->nr_fired, 1, "an event fires once");
}

Test(event, same_cycle_fires_in_the_order_of_scheduling)
{
    for (int i = NR_EVENTS - 1; i >= 0; i--)
        schedule(i, 50);
    ev_run(f->queue, 50);
    for (int i = 0; i < NR_EVENTS; i++)
        cr_assert_eq(f->fired[i], NR_EVENTS - 1 - i);
}

Test(event, handler_is_told_the_cycle_it_was_due_not_the_cycle_of_the_run)
{
    schedule(0, 10);
    schedule(1, 20);
    ev_run(f->queue, 1000);
    cr_assert_eq(f->fired_at[0], 10);
    cr_assert_eq(f->fired_at[1], 20);
    cr_assert_eq(f->saw_now[0], 10);
    cr_assert_eq(f->saw_now[1], 20);
    cr_assert_eq(ev_now(f->queue), 1000);
}

Test(event, moving_an_event_leaves_one)
{
    schedule(0, 10);
    schedule(1, 20);
    schedule(0, 30);
    cr_assert_eq(ev_next(f->queue), 20);
    ev_run(f->queue, 100);
    cr_assert_eq(f->nr_fired, 2);
    cr_assert_eq(f->fired[0], 1);
    cr_assert_eq(f->fired[1], 0);
}

Test(event, cancelling_what_is_not_scheduled_does_nothing)
{
    ev_cancel(f->queue, &f->probes[0].event);
    schedule(0, 10);
    ev_cancel(f->queue, &f->probes[0].event);
    ev_cancel(f->queue, &f->probes[0].event);
    ev_run(f->queue, 100);
    cr_assert_eq(f->nr_fired, 0);
}

static void periodic(void *opaque, cycle_t now)
{
    record(opaque, now);
    struct probe *probe = opaque;
    ev_schedule(f->queue, &probe->event, now + f->period);
}

Test(event, periodic_event_catches_up_without_drift)
{
    f->probes[0].event.handler = periodic;
    f->period = 7;
    schedule(0, 7);
    ev_run(f->queue, 70);
    cr_assert_eq(f->nr_fired, 10);
    cr_assert_eq(f->fired_at[9], 70);
    cr_assert_eq(ev_next(f->queue), 77);
}

static void cancel_neighbour(void *opaque, cycle_t now)
{
    record(opaque, now);
    struct probe *probe = opaque;
    ev_cancel(f->queue, &f->probes[probe->number + 1].event);
}

Test(event, handler_may_cancel_one_that_is_due_in_the_same_cycle)
{
    f->probes[0].event.handler = cancel_neighbour;
    schedule(0, 5);
    schedule(1, 5);
    schedule(2, 5);
    ev_run(f->queue, 5);
    cr_assert_eq(f->nr_fired, 2);
    cr_assert_eq(f->fired[1], 2);
}

/* The oracle: an array of due cycles and orders, searched for its smallest each time. */
Test(event, agrees_with_a_naive_queue_over_random_schedules)
{
    static cycle_t due[NR_EVENTS];
    static uint64_t order[NR_EVENTS];
    uint64_t next_order = 1;
    unsigned seed = 1;
    cycle_t now = 0;
    for (int step = 0; step < 20000; step++) {
        int number = rand_r(&seed) % NR_EVENTS;
        switch (rand_r(&seed) % 4) {
        case 0:
        case 1:
            due[number] = now + (cycle_t)(rand_r(&seed) % 50);
            order[number] = next_order++;
            schedule(number, due[number]);
            break;
        case 2:
            order[number] = 0;
            ev_cancel(f->queue, &f->probes[number].event);
            break;
        default:
            now += (cycle_t)(rand_r(&seed) % 20);
            f->nr_fired = 0;
            ev_run(f->queue, now);
            for (int i = 0;; i++) {
                int best = -1;
                for (int j = 0; j < NR_EVENTS; j++) {
                    if (!order[j] || due[j] > now)
                        continue;
                    if (best < 0 || due[j] < due[best] || (due[j] == due[best] && order[j] < order[best]))
                        best = j;
                }
                if (best < 0) {
                    cr_assert_eq(f->nr_fired, i);
                    break;
                }
                cr_assert_lt(i, f->nr_fired);
                cr_assert_eq(f->fired[i], best);
                order[best] = 0;
            }
        }
    }
}
