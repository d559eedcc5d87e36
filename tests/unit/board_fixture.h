/* What every test of a device needs: maps, a queue, lines that remember what was driven. */
#ifndef LK_TESTS_UNIT_BOARD_FIXTURE_H
#define LK_TESTS_UNIT_BOARD_FIXTURE_H

#include "sim/base/diag.h"
#include "sim/base/event.h"
#include "sim/base/iomap.h"
#include "sim/base/irq.h"

#include <criterion/criterion.h>

struct line_record {
    struct ev_queue *events; /* NULL: times are not noted */
    bool level;
    unsigned nr_rises;
    cycle_t last_rise, last_fall;
};

static inline void record_line(void *opaque, unsigned number, bool level)
{
    struct line_record *record = opaque;
    (void)number;
    if (level == record->level)
        return;
    record->level = level;
    if (level)
        record->nr_rises++;
    if (record->events)
        *(level ? &record->last_rise : &record->last_fall) = ev_now(record->events);
}

static inline struct irq_line recording_line(struct line_record *record)
{
    return (struct irq_line){.set = record_line, .opaque = record};
}

struct board_fixture {
    struct iomap *ports;
    struct ev_queue *events;
    struct diag diag;
    struct line_record irq;
};

static inline void fixture_init(struct board_fixture *fixture)
{
    *fixture = (struct board_fixture){.ports = iomap_create("port"), .events = ev_queue_create()};
    diag_init(&fixture->diag);
    fixture->irq.events = fixture->events;
}

static inline void fixture_fini(struct board_fixture *fixture)
{
    diag_fini(&fixture->diag);
    ev_queue_destroy(fixture->events);
    iomap_destroy(fixture->ports);
}

static inline void out(const struct board_fixture *fixture, uint16_t port, uint8_t value)
{
    iomap_write(fixture->ports, port, 1, value);
}

static inline uint8_t in(const struct board_fixture *fixture, uint16_t port)
{
    return (uint8_t)iomap_read(fixture->ports, port, 1);
}

/* As the machine does: events first, then what the CPU does in this cycle. */
static inline void go_to(const struct board_fixture *fixture, cycle_t cycle)
{
    ev_run(fixture->events, cycle);
}

#endif
