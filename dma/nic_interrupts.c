/* When the card asks for an interrupt: causes and mask, the delays of either direction, and ITR. */
#include "dma/nic_internal.h"

#include "sim/base/dev_event.h"

enum { ITR_NANOSECONDS = 256, DELAY_NANOSECONDS = 1024 };

static void set_line(struct nic *nic, bool level)
{
    if (nic->interrupts.asks == level)
        return;
    nic->interrupts.asks = level;
    irq_set(&nic->params.irq, level);
}

void nic_interrupts_update(struct nic *nic, cycle_t now)
{
    struct nic_interrupts *interrupts = &nic->interrupts;
    uint64_t interval = nic->held[HELD_ITR];
    if (!(interrupts->causes & interrupts->mask)) {
        ev_cancel(nic->params.events, &interrupts->throttle);
        set_line(nic, false);
        return;
    }
    if (interrupts->asks)
        return;
    cycle_t earliest = now;
    if (interval && interrupts->has_asked)
        earliest = interrupts->asked + nic_cycles(nic, interval * ITR_NANOSECONDS);
    if (earliest > now) {
        nic->stats.interrupts_throttled += !nic_is_waiting(&interrupts->throttle);
        dev_schedule(nic->params.events, &interrupts->throttle, earliest);
        return;
    }
    ev_cancel(nic->params.events, &interrupts->throttle);
    interrupts->has_asked = true;
    interrupts->asked = now;
    nic->stats.interrupts++;
    set_line(nic, true);
}

static void throttle_over(void *opaque, cycle_t now)
{
    nic_interrupts_update(opaque, now);
}

void nic_raise(struct nic *nic, uint32_t causes, cycle_t now)
{
    nic->interrupts.causes |= causes;
    nic_interrupts_update(nic, now);
}

/* ---- Delays ---- */

static void stop_rx_delay(struct nic *nic)
{
    ev_cancel(nic->params.events, &nic->interrupts.rx_delay);
    ev_cancel(nic->params.events, &nic->interrupts.rx_absolute);
}

void nic_flush_rx_delay(struct nic *nic, cycle_t now)
{
    stop_rx_delay(nic);
    nic_raise(nic, CAUSE_RXT0, now);
}

static void rx_delay_over(void *opaque, cycle_t now)
{
    nic_flush_rx_delay(opaque, now);
}

static void tx_delay_over(void *opaque, cycle_t now)
{
    struct nic *nic = opaque;
    ev_cancel(nic->params.events, &nic->interrupts.tx_delay);
    ev_cancel(nic->params.events, &nic->interrupts.tx_absolute);
    nic_raise(nic, CAUSE_TXDW, now);
}

/* The first delay begins anew with each frame, the absolute one with the first of them. */
static void begin_delay(struct nic *nic, struct event *delay, uint32_t units, struct event *absolute,
                        uint32_t absolute_units, cycle_t now)
{
    dev_schedule(nic->params.events, delay, now + nic_cycles(nic, (uint64_t)units * DELAY_NANOSECONDS));
    if (absolute_units && !nic_is_waiting(absolute))
        dev_schedule(nic->params.events, absolute,
                     now + nic_cycles(nic, (uint64_t)absolute_units * DELAY_NANOSECONDS));
}

void nic_rx_done(struct nic *nic, uint32_t frame_bytes, cycle_t now)
{
    struct nic_interrupts *interrupts = &nic->interrupts;
    if (nic->held[HELD_RSRPD] && frame_bytes <= nic->held[HELD_RSRPD])
        nic_raise(nic, CAUSE_SRPD, now);
    if (nic->held[HELD_RDTR] == 0)
        nic_flush_rx_delay(nic, now);
    else
        begin_delay(nic, &interrupts->rx_delay, nic->held[HELD_RDTR], &interrupts->rx_absolute,
                    nic->held[HELD_RADV], now);
}

void nic_tx_done(struct nic *nic, bool may_wait, cycle_t now)
{
    struct nic_interrupts *interrupts = &nic->interrupts;
    if (!may_wait || nic->held[HELD_TIDV] == 0)
        tx_delay_over(nic, now);
    else
        begin_delay(nic, &interrupts->tx_delay, nic->held[HELD_TIDV], &interrupts->tx_absolute,
                    nic->held[HELD_TADV], now);
}

/* ---- Making and resetting ---- */

bool nic_interrupts_init(struct nic *nic)
{
    struct nic_interrupts *interrupts = &nic->interrupts;
    return nic_make_event(nic, &interrupts->throttle, throttle_over, "network card: ITR") &&
           nic_make_event(nic, &interrupts->rx_delay, rx_delay_over, "network card: RDTR") &&
           nic_make_event(nic, &interrupts->rx_absolute, rx_delay_over, "network card: RADV") &&
           nic_make_event(nic, &interrupts->tx_delay, tx_delay_over, "network card: TIDV") &&
           nic_make_event(nic, &interrupts->tx_absolute, tx_delay_over, "network card: TADV");
}

void nic_interrupts_reset(struct nic *nic)
{
    struct nic_interrupts *interrupts = &nic->interrupts;
    enum { NR_EVENTS = 5 };
    struct event *const events[NR_EVENTS] = {&interrupts->throttle, &interrupts->rx_delay,
                                             &interrupts->rx_absolute, &interrupts->tx_delay,
                                             &interrupts->tx_absolute};
    for (unsigned i = 0; i < NR_EVENTS; i++)
        ev_cancel(nic->params.events, events[i]);
    interrupts->causes = interrupts->mask = 0;
    interrupts->has_asked = false;
    set_line(nic, false);
}
