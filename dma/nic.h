/*
 * An Intel 82540EM gigabit Ethernet controller behind its registers (docs/nic.md); the board puts it on the
 * PCI bus (sim/board/nic_card.h), and what is at the other end of its cable is ether_wire.h.
 *
 * The transmitter and the receiver are rows of steps, each an event: one access to memory, and the next
 * step when that is done. They share the card's port into memory (master.h).
 */
#ifndef LK_DMA_NIC_H
#define LK_DMA_NIC_H

#include "dma/ether_wire.h"
#include "dma/master.h"
#include "dma/nic_registers.h"
#include "sim/base/event.h"
#include "sim/base/irq.h"

/* In the order of the names in `nic.speed`. */
enum nic_speed { NIC_SPEED_10, NIC_SPEED_100, NIC_SPEED_1000 };

struct nic_params {
    struct ev_queue *events; /* these outlive the card */
    struct dma_memory *memory;
    struct ether_wire *wire;
    uint64_t cpu_hz;
    enum nic_speed speed;          /* of the link, if the wire has one */
    struct dma_master_params path; /* to memory; its name is the card's to fill in */
    struct irq_line irq;
    /* Whether it may master the bus; and that nobody answered at an address. Both may be NULL. */
    bool (*is_master)(void *opaque);
    void (*aborted)(void *opaque);
    void *opaque;
};

struct nic;

/* NULL when the host's memory is short. */
struct nic *nic_create(const struct nic_params *params);
void nic_destroy(struct nic *nic);

/* Its registers: dwords at multiples of 4 below NIC_REGISTERS_BYTES, in the cycle of the queue's clock. */
uint32_t nic_read(struct nic *nic, uint64_t offset);
void nic_write(struct nic *nic, uint64_t offset, uint32_t value);

/* It may have been let master the bus, for which it was waiting. */
void nic_master_changed(struct nic *nic);

struct nic_stats {
#define STAT(name, unit, sentence) uint64_t name;
#include "dma/nic_stats.def"
#undef STAT
};
const struct nic_stats *nic_stats(const struct nic *nic);

/* `nic` for the card, `dma.nic` for its path to memory. */
bool nic_register_stats(struct nic *nic, struct stat_registry *registry);

/* Its state and the wire's, for checkpoints (sim/base/snap.h). */
struct snap;
void nic_snap(struct nic *nic, struct snap *snap);

#endif
