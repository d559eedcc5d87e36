/* The state of a network card, for checkpoints (sim/base/snap.h). */
#include "dma/nic_internal.h"
#include "sim/base/snap.h"

static void eeprom_snap(struct nic_eeprom *eeprom, struct snap *snap)
{
    enum { MAX_TAKEN = 25, WORD_BITS = 16 };
    SNAP_OPEN(snap, eeprom);
    SNAP_ARRAY(snap, eeprom->words);
    SNAP_FLAG(snap, eeprom->may_write);
    SNAP(snap, eeprom->wires);
    SNAP(snap, eeprom->taken);
    SNAP_BELOW(snap, eeprom->nr_taken, MAX_TAKEN + 1);
    SNAP(snap, eeprom->shifted);
    SNAP_BELOW(snap, eeprom->nr_left, WORD_BITS + 1);
    SNAP_FLAG(snap, eeprom->out);
    SNAP(snap, eeprom->read);
    SNAP(snap, eeprom->read_done);
    SNAP_CLOSE(snap, eeprom);
}

static void interrupts_snap(struct nic_interrupts *interrupts, struct ev_queue *events, struct snap *snap)
{
    SNAP_OPEN(snap, interrupts);
    SNAP(snap, interrupts->causes);
    SNAP(snap, interrupts->mask);
    SNAP_FLAG(snap, interrupts->asks);
    SNAP_FLAG(snap, interrupts->has_asked);
    SNAP(snap, interrupts->asked);
    snap_event(snap, events, &interrupts->throttle);
    snap_event(snap, events, &interrupts->rx_delay);
    snap_event(snap, events, &interrupts->rx_absolute);
    snap_event(snap, events, &interrupts->tx_delay);
    snap_event(snap, events, &interrupts->tx_absolute);
    SNAP_CLOSE(snap, interrupts);
}

static void phy_snap(struct nic_phy *phy, struct ev_queue *events, struct snap *snap)
{
    SNAP_OPEN(snap, phy);
    SNAP_ARRAY(snap, phy->registers);
    SNAP_FLAG(snap, phy->has_link);
    snap_event(snap, events, &phy->negotiated);
    SNAP(snap, phy->mdic);
    snap_event(snap, events, &phy->moved);
    SNAP_CLOSE(snap, phy);
}

static void context_snap(struct nic_context *context, struct snap *snap)
{
    SNAP_OPEN(snap, context);
    SNAP(snap, context->ipcss);
    SNAP(snap, context->ipcso);
    SNAP(snap, context->tucss);
    SNAP(snap, context->tucso);
    SNAP(snap, context->hdrlen);
    SNAP(snap, context->ipcse);
    SNAP(snap, context->tucse);
    SNAP(snap, context->mss);
    SNAP_FLAG(snap, context->is_tcp);
    SNAP_FLAG(snap, context->is_ipv4);
    SNAP_CLOSE(snap, context);
}

static void tx_snap(struct nic_transmitter *tx, struct ev_queue *events, struct snap *snap)
{
    SNAP_OPEN(snap, tx);
    snap_event(snap, events, &tx->event);
    SNAP_BELOW(snap, tx->step, TX_FINISH + 1);
    SNAP_FLAG(snap, tx->has_failed);
    SNAP_ARRAY(snap, tx->descriptor);
    for (unsigned i = 0; i < NR_CONTEXTS; i++)
        context_snap(&tx->contexts[i], snap);
    SNAP_SKIP(snap, tx->contexts);
    SNAP(snap, tx->at);
    SNAP(snap, tx->left_bytes);
    SNAP_FLAG(snap, tx->is_begun);
    SNAP_FLAG(snap, tx->is_cut);
    SNAP(snap, tx->options);
    SNAP_FLAG(snap, tx->is_too_long);
    SNAP_BELOW(snap, tx->frame_bytes, ETHER_MAX_BYTES + 1);
    SNAP(snap, tx->payload_bytes);
    SNAP(snap, tx->nr_segments);
    SNAP_VALUES(snap, tx->frame, tx->frame_bytes);
    SNAP_SKIP(snap, tx->frame); /* nobody looks at what is behind */
    SNAP_ARRAY(snap, tx->header);
    snap_event(snap, events, &tx->crossed);
    SNAP_BELOW(snap, tx->wire_bytes, NIC_FRAME_BYTES + 1);
    SNAP_VALUES(snap, tx->wire, tx->wire_bytes);
    SNAP_SKIP(snap, tx->wire);
    SNAP_CLOSE(snap, tx);
    SNAP_REQUIRE(snap, tx->wire_bytes == 0 || tx->wire_bytes > ETHER_CRC_BYTES);
    SNAP_REQUIRE(snap, nic_is_waiting(&tx->crossed) == (tx->wire_bytes != 0));
}

/* Whether the card's buffer is a row of whole frames. */
static bool has_good_fifo(const struct nic_receiver *rx)
{
    enum { RECORD_BYTES = 4 };
    uint32_t at = rx->fifo_first, left = rx->fifo_used_bytes;
    while (left >= RECORD_BYTES) {
        uint32_t nr_bytes = rx->fifo[at] | (uint32_t)rx->fifo[(at + 1) % NIC_FIFO_BYTES] << 8;
        if (nr_bytes < ETHER_MIN_BYTES + ETHER_CRC_BYTES || nr_bytes > NIC_FRAME_BYTES ||
            nr_bytes > left - RECORD_BYTES)
            return false;
        at = (at + RECORD_BYTES + nr_bytes) % NIC_FIFO_BYTES;
        left -= RECORD_BYTES + nr_bytes;
    }
    return left == 0;
}

static void rx_snap(struct nic_receiver *rx, struct ev_queue *events, struct snap *snap)
{
    enum { MAX_BUFFER_BYTES = 16 << 10 };
    SNAP_OPEN(snap, rx);
    snap_event(snap, events, &rx->event);
    snap_event(snap, events, &rx->arrival);
    SNAP_BELOW(snap, rx->step, RX_FINISH + 1);
    SNAP_FLAG(snap, rx->has_failed);
    SNAP_ARRAY(snap, rx->fifo);
    SNAP_BELOW(snap, rx->fifo_first, NIC_FIFO_BYTES);
    SNAP_BELOW(snap, rx->fifo_used_bytes, NIC_FIFO_BYTES + 1);
    SNAP_FLAG(snap, rx->has_frame);
    SNAP_BELOW(snap, rx->frame_bytes, NIC_FRAME_BYTES + 1);
    SNAP_BELOW(snap, rx->stored_bytes, rx->frame_bytes + 1);
    SNAP_ARRAY(snap, rx->frame);
    SNAP(snap, rx->status);
    SNAP(snap, rx->errors);
    SNAP(snap, rx->special);
    SNAP(snap, rx->buffer);
    SNAP_BELOW(snap, rx->buffer_bytes, MAX_BUFFER_BYTES + 1);
    SNAP_BELOW(snap, rx->filled_bytes, rx->buffer_bytes + 1);
    SNAP_SKIP(snap, rx->arriving); /* between two events nobody looks at it */
    SNAP_CLOSE(snap, rx);
    SNAP_REQUIRE(snap, has_good_fifo(rx));
    SNAP_REQUIRE(snap, rx->step == RX_REST || rx->has_frame || (rx->step == RX_FETCH && rx->fifo_used_bytes));
    SNAP_REQUIRE(snap, !rx->has_frame || rx->frame_bytes >= ETHER_MIN_BYTES - ETHER_CRC_BYTES);
}

void nic_snap(struct nic *nic, struct snap *snap)
{
    struct ev_queue *events = nic->params.events;
    SNAP_OPEN(snap, nic);
    SNAP_SKIP(snap, nic->params);
    dma_master_snap(nic->path, snap);
    SNAP_SKIP(snap, nic->path);
    SNAP_ARRAY(snap, nic->held);
    SNAP_ARRAY(snap, nic->mta);
    SNAP_ARRAY(snap, nic->ra);
    SNAP_ARRAY(snap, nic->vfta);
    SNAP_ARRAY(snap, nic->statistics);
    eeprom_snap(&nic->eeprom, snap);
    SNAP_SKIP(snap, nic->eeprom);
    phy_snap(&nic->phy, events, snap);
    SNAP_SKIP(snap, nic->phy);
    interrupts_snap(&nic->interrupts, events, snap);
    SNAP_SKIP(snap, nic->interrupts);
    tx_snap(&nic->tx, events, snap);
    SNAP_SKIP(snap, nic->tx);
    rx_snap(&nic->rx, events, snap);
    SNAP_SKIP(snap, nic->rx);
    SNAP_COUNTERS(snap, nic->stats);
    SNAP_CLOSE(snap, nic);
    ether_wire_snap(nic->params.wire, snap);
}
