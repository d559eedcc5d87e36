/*
 * One counter of an 8254 (data sheet, "Mode Definitions"). Nothing happens tick by tick: a channel remembers
 * at which tick its counting element was loaded, and computes its count and its output for any later tick
 * from that.
 *
 * Ticks passed to one channel never go back. Call channel_settle() with the present tick first.
 */
#ifndef LK_SIM_BOARD_PIT_CHANNEL_H
#define LK_SIM_BOARD_PIT_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

/* Signed, because a new count in mode 3 can put the imagined start of its period before power-on. */
typedef int64_t pit_tick;
#define PIT_NEVER INT64_MAX

struct pit_channel {
    /* What the control word and the count registers hold. */
    uint8_t mode; /* 0..5 */
    uint8_t access;
    bool is_bcd;
    bool gate;
    uint32_t count; /* ticks from a load to the end: 1..65536, or ..10000 in BCD */
    bool has_count; /* written since the control word */

    /* The counting element. */
    bool is_loaded;  /* or will be at `origin` */
    pit_tick origin; /* when it holds `count` */
    bool is_stopped; /* by the gate, after `stopped_after` ticks of counting */
    pit_tick stopped_after;
    bool has_struck;     /* mode 4, stopped after its strobe: there is no second one */
    bool out_before;     /* the output until `origin` */
    uint16_t idle_value; /* what it shows until `origin` */

    /* A count written while a period of mode 2 or 3 runs; it takes over at the period's (half's) end. */
    bool has_next;
    uint32_t next_count;
    pit_tick next_written;

    /* The byte-wide port. */
    bool expects_high, reads_high;
    uint8_t low_byte;
    uint8_t nr_latched; /* bytes of `latched` not yet read */
    uint16_t latched;
    bool has_status;
    uint8_t status;
};

void channel_settle(struct pit_channel *channel, pit_tick now);

/* The port's four accesses; `value` of a control word is the whole byte. */
void channel_control(struct pit_channel *channel, uint8_t value, pit_tick now);
void channel_write(struct pit_channel *channel, uint8_t value, pit_tick now);
uint8_t channel_read(struct pit_channel *channel, pit_tick now);
void channel_latch_count(struct pit_channel *channel, pit_tick now);
void channel_latch_status(struct pit_channel *channel, pit_tick now);

void channel_set_gate(struct pit_channel *channel, bool gate, pit_tick now);

bool channel_out(const struct pit_channel *channel, pit_tick now);

/* The first tick after `now` at which the output changes if nobody touches the channel, or PIT_NEVER. */
pit_tick channel_next_edge(const struct pit_channel *channel, pit_tick now);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void channel_snap(struct pit_channel *channel, struct snap *snap);

#endif
