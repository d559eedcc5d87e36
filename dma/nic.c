#include "dma/nic_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- What the parts share ---- */

bool nic_make_event(struct nic *nic, struct event *event, ev_handler *handler, const char *name)
{
    *event = (struct event){.handler = handler, .opaque = nic, .name = name};
    /* The queue keeps the room that an event once had: from here on memory cannot run short. */
    return ev_schedule(nic->params.events, event, EV_NEVER);
}

cycle_t nic_cycles(const struct nic *nic, uint64_t nanoseconds)
{
    enum { SECOND = 1000000000 };
    uint64_t hz = nic->params.cpu_hz;
    cycle_t cycles = nanoseconds / SECOND * hz + nanoseconds % SECOND * hz / SECOND;
    return cycles ? cycles : 1;
}

uint64_t nic_ring_at(uint32_t low, uint32_t high, uint32_t index)
{
    return (low | (uint64_t)high << 32) + (uint64_t)index * NIC_DESCRIPTOR_BYTES;
}

bool nic_may_master(const struct nic *nic)
{
    return !nic->params.is_master || nic->params.is_master(nic->params.opaque);
}

static bool has_answer(struct nic *nic, enum dma_status status)
{
    if (status == DMA_OK)
        return true;
    nic->stats.failures++;
    if (status == DMA_NO_MEMORY && nic->params.aborted)
        nic->params.aborted(nic->params.opaque);
    return false;
}

bool nic_memory_read(struct nic *nic, uint64_t at, void *to, size_t nr_bytes, cycle_t now, cycle_t *done)
{
    return has_answer(nic, dma_read(nic->path, baddr(at), to, nr_bytes, now, done));
}

bool nic_memory_write(struct nic *nic, uint64_t at, const void *from, size_t nr_bytes, cycle_t now,
                      cycle_t *done)
{
    return has_answer(nic, dma_write(nic->path, baddr(at), from, nr_bytes, now, done));
}

/* ---- Registers that hold what is written ---- */

static const struct held_row {
    uint32_t offset, writable, reset;
} rows[NR_NIC_HELD] = {
#define HELD(name, offset, writable, reset) {offset, writable, reset},
#include "dma/nic_held.def"
#undef HELD
};

/* NR_NIC_HELD: it is none of them. */
static unsigned find_held(uint64_t offset)
{
    unsigned i = 0;
    while (i < NR_NIC_HELD && rows[i].offset != offset)
        i++;
    return i;
}

/* A word of one of the three tables; NULL: the offset is in none. */
static uint32_t *find_word(struct nic *nic, uint64_t offset)
{
    const struct {
        uint64_t base, nr;
        uint32_t *words;
    } tables[] = {
        {NIC_MTA, NIC_NR_MTA, nic->mta}, {NIC_RA, NIC_NR_RA, nic->ra}, {NIC_VFTA, NIC_NR_VFTA, nic->vfta}};
    for (unsigned i = 0; i < sizeof tables / sizeof *tables; i++)
        if (offset >= tables[i].base && offset < tables[i].base + 4 * tables[i].nr)
            return &tables[i].words[(offset - tables[i].base) / 4];
    return NULL;
}

static bool is_statistic(uint64_t offset)
{
    return offset >= NIC_STATISTICS && offset < NIC_STATISTICS + 4 * NIC_NR_STATISTICS;
}

/* ---- Resetting ---- */

static void set_registers(struct nic *nic)
{
    const uint8_t *station = nic_station();
    for (unsigned i = 0; i < NR_NIC_HELD; i++)
        nic->held[i] = rows[i].reset;
    memset(nic->mta, 0, sizeof nic->mta);
    memset(nic->ra, 0, sizeof nic->ra);
    memset(nic->vfta, 0, sizeof nic->vfta);
    memset(nic->statistics, 0, sizeof nic->statistics);
    nic->ra[0] = nic_get32(station);
    nic->ra[1] = nic_get16(station + 4) | RAH_AV;
}

/* CTRL.RST: all but the PHY and the EEPROM (manual 13.4.1). */
static void reset(struct nic *nic, cycle_t now)
{
    nic_interrupts_reset(nic);
    nic_tx_reset(nic);
    nic_rx_reset(nic);
    set_registers(nic);
    const uint16_t *words = nic->eeprom.words; /* which is read anew */
    nic->ra[0] = words[0] | (uint32_t)words[1] << 16;
    nic->ra[1] = words[2] | RAH_AV;
    nic_rx_listen(nic, now);
}

/* ---- Reading ---- */

static uint32_t read_status(const struct nic *nic)
{
    static const uint32_t speeds[] = {[NIC_SPEED_10] = STATUS_SPEED_10,
                                      [NIC_SPEED_100] = STATUS_SPEED_100,
                                      [NIC_SPEED_1000] = STATUS_SPEED_1000};
    uint32_t speed = speeds[nic->params.speed];
    bool has_link = nic->phy.has_link && (nic->held[HELD_CTRL] & CTRL_SLU);
    return STATUS_FD | (has_link ? STATUS_LU : 0) | speed << STATUS_SPEED_SHIFT | speed << STATUS_ASDV_SHIFT;
}

static uint32_t read_causes(struct nic *nic, cycle_t now)
{
    uint32_t causes = nic->interrupts.causes;
    nic->interrupts.causes = 0;
    nic_interrupts_update(nic, now);
    return causes;
}

static uint32_t read_other(struct nic *nic, uint64_t offset, cycle_t now)
{
    switch (offset) {
    case NIC_CTRL_DUP:
        return nic->held[HELD_CTRL];
    case NIC_STATUS:
        return read_status(nic);
    case NIC_EECD:
        return nic_read_eecd(&nic->eeprom);
    case NIC_EERD:
        return nic_read_eerd(nic, now);
    case NIC_MDIC:
        return nic->phy.mdic;
    case NIC_ICR:
        return read_causes(nic, now);
    case NIC_IMS:
        return nic->interrupts.mask;
    case NIC_ICS:
    case NIC_IMC:
        return 0; /* for writing only */
    default:
        nic->stats.unknown_accesses++;
        return 0;
    }
}

uint32_t nic_read(struct nic *nic, uint64_t offset)
{
    cycle_t now = ev_now(nic->params.events);
    unsigned held = find_held(offset);
    const uint32_t *word = find_word(nic, offset);
    if (held < NR_NIC_HELD)
        return nic->held[held];
    if (word)
        return *word;
    if (is_statistic(offset))
        return nic_read_statistic(nic, (unsigned)(offset - NIC_STATISTICS));
    return read_other(nic, offset, now);
}

/* ---- Writing ---- */

static void write_ctrl(struct nic *nic, uint32_t value, cycle_t now)
{
    nic->held[HELD_CTRL] = value & rows[HELD_CTRL].writable & ~(uint32_t)CTRL_RST;
    if (value & CTRL_PHY_RST)
        nic_phy_reset(nic, now);
    if (value & CTRL_RST)
        reset(nic, now);
    nic_tx_wake(nic, now);
}

static void write_held(struct nic *nic, unsigned which, uint32_t value, cycle_t now)
{
    uint32_t before = nic->held[which];
    nic->held[which] = value & rows[which].writable;
    switch (which) {
    case HELD_CTRL:
        write_ctrl(nic, value, now);
        break;
    case HELD_CTRL_EXT:
        if (value & CTRL_EXT_EE_RST)
            reset(nic, now);
        break;
    case HELD_ITR:
        nic_interrupts_update(nic, now);
        break;
    case HELD_RCTL:
        nic->rx.has_failed = nic->rx.has_failed && (before & RCTL_EN);
        nic_rx_listen(nic, now);
        nic_rx_wake(nic, now);
        nic_tx_wake(nic, now);
        break;
    case HELD_RDT:
    case HELD_RDLEN:
    case HELD_RDH:
        nic_rx_wake(nic, now);
        break;
    case HELD_RDTR:
        if (value & RDTR_FPD)
            nic_flush_rx_delay(nic, now);
        break;
    case HELD_TCTL:
        nic->tx.has_failed = nic->tx.has_failed && (before & TCTL_EN);
        nic_tx_wake(nic, now);
        break;
    case HELD_TDT:
    case HELD_TDLEN:
    case HELD_TDH:
        nic_tx_wake(nic, now);
        break;
    default:
        break;
    }
}

static void write_other(struct nic *nic, uint64_t offset, uint32_t value, cycle_t now)
{
    switch (offset) {
    case NIC_CTRL_DUP:
        write_held(nic, HELD_CTRL, value, now);
        break;
    case NIC_EECD:
        nic_write_eecd(&nic->eeprom, value);
        break;
    case NIC_EERD:
        nic_write_eerd(nic, value, now);
        break;
    case NIC_MDIC:
        nic_write_mdic(nic, value, now);
        break;
    case NIC_ICR:
        nic->interrupts.causes &= ~value;
        break;
    case NIC_ICS:
        nic->interrupts.causes |= value & CAUSES;
        break;
    case NIC_IMS:
        nic->interrupts.mask |= value & CAUSES;
        break;
    case NIC_IMC:
        nic->interrupts.mask &= ~value;
        break;
    case NIC_STATUS:
        break;
    default:
        nic->stats.unknown_accesses++;
        break;
    }
    nic_interrupts_update(nic, now);
}

void nic_write(struct nic *nic, uint64_t offset, uint32_t value)
{
    cycle_t now = ev_now(nic->params.events);
    unsigned held = find_held(offset);
    uint32_t *word = find_word(nic, offset);
    if (held < NR_NIC_HELD)
        write_held(nic, held, value, now);
    else if (word)
        *word = value;
    else if (!is_statistic(offset)) /* which are for reading only */
        write_other(nic, offset, value, now);
}

void nic_master_changed(struct nic *nic)
{
    cycle_t now = ev_now(nic->params.events);
    nic_tx_wake(nic, now);
    nic_rx_wake(nic, now);
}

/* ---- The card ---- */

struct nic *nic_create(const struct nic_params *params)
{
    struct nic *nic = calloc(1, sizeof *nic);
    if (!nic)
        return NULL;
    nic->params = *params;
    nic->params.path.name = "network card";
    nic->path = dma_master_create(&nic->params.path, params->memory);
    set_registers(nic);
    nic_eeprom_init(&nic->eeprom);
    if (!nic->path || !nic_interrupts_init(nic) || !nic_phy_init(nic) || !nic_tx_init(nic) ||
        !nic_rx_init(nic)) {
        nic_destroy(nic);
        return NULL;
    }
    return nic;
}

void nic_destroy(struct nic *nic)
{
    if (!nic)
        return;
    enum { NR_EVENTS = 11 };
    struct event *const events[NR_EVENTS] = {&nic->interrupts.throttle,
                                             &nic->interrupts.rx_delay,
                                             &nic->interrupts.rx_absolute,
                                             &nic->interrupts.tx_delay,
                                             &nic->interrupts.tx_absolute,
                                             &nic->phy.negotiated,
                                             &nic->phy.moved,
                                             &nic->tx.event,
                                             &nic->tx.crossed,
                                             &nic->rx.event,
                                             &nic->rx.arrival};
    for (unsigned i = 0; i < NR_EVENTS; i++)
        ev_cancel(nic->params.events, events[i]);
    dma_master_destroy(nic->path);
    free(nic);
}

const struct nic_stats *nic_stats(const struct nic *nic)
{
    return &nic->stats;
}

bool nic_register_stats(struct nic *nic, struct stat_registry *registry)
{
    static const struct stat_row stats[] = {
#define STAT(name, unit, sentence) STAT_ROW(struct nic_stats, name, unit, sentence),
#include "dma/nic_stats.def"
#undef STAT
    };
    return stat_register(registry, "nic", stats, sizeof stats / sizeof *stats, &nic->stats) &&
           dma_master_register_stats(nic->path, registry, "dma.nic");
}
