/*
 * The card's PHY (manual 11, 13.5; IEEE 802.3 clause 22) behind MDIC: address 1, a gigabit PHY whose link
 * partner can do what nic.speed says. Negotiation takes LINK_NANOSECONDS, far less than on a real cable.
 */
#include "dma/nic_internal.h"

#include "sim/base/dev_event.h"

enum { LINK_NANOSECONDS = 1000000, FRAME_NANOSECONDS = 25600 }; /* 64 bits of MDIO at 2.5 MHz */

enum phy_register {
    PHY_CONTROL = 0,
    PHY_STATUS = 1,
    PHY_ID_1 = 2,
    PHY_ID_2 = 3,
    PHY_ADVERTISED = 4,
    PHY_PARTNER = 5,
    PHY_EXPANSION = 6,
    PHY_NEXT_PAGE = 7,
    PHY_1000_CONTROL = 9,
    PHY_1000_STATUS = 10,
    PHY_EXTENDED_STATUS = 15,
    PHY_SPECIFIC_CONTROL = 16,
    PHY_SPECIFIC_STATUS = 17,
    PHY_INTERRUPT_ENABLE = 18,
    PHY_INTERRUPT_STATUS = 19,
    PHY_EXTENDED_CONTROL = 20,
    PHY_ERRORS = 21,
    PHY_PAGE = 29,
    PHY_PAGED = 30,
};

enum phy_control {
    PHY_RESET = 1 << 15,
    PHY_LOOPBACK = 1 << 14,
    PHY_NEGOTIATES = 1 << 12,
    PHY_POWER_DOWN = 1 << 11,
    PHY_RESTART = 1 << 9,
};
enum phy_status { STATUS_LINK = 1 << 2, STATUS_NEGOTIATED = 1 << 5 };

/* 10 and 100 Mb/s in half and full duplex, extended status, preambles may be short, negotiation. */
enum { CAN_DO = 0x7949, CAN_DO_1000 = 0x3000 };
enum { PARTNER_10 = 0x4061, PARTNER_100 = 0x4181, PARTNER_1000 = 0x3c00 };
enum {
    SPECIFIC_DUPLEX = 1 << 13,
    SPECIFIC_RESOLVED = 3 << 11,
    SPECIFIC_LINK = 1 << 10,
    SPECIFIC_SPEED_SHIFT = 14
};

static const struct phy_row {
    uint16_t reset, writable;
} rows[NIC_PHY_REGISTERS] = {
    [PHY_CONTROL] = {0x1140, 0x7dc0},
    [PHY_ID_1] = {0x0141, 0},
    [PHY_ID_2] = {0x0c20, 0},
    [PHY_ADVERTISED] = {0x0de1, 0xbfff},
    [PHY_NEXT_PAGE] = {0x2001, 0xffff},
    [PHY_1000_CONTROL] = {0x0e00, 0xff00},
    [PHY_SPECIFIC_CONTROL] = {0x0068, 0xffff},
    [PHY_INTERRUPT_ENABLE] = {0, 0xffff},
    [PHY_EXTENDED_CONTROL] = {0x0d60, 0xffff},
    [PHY_PAGE] = {0, 0xffff},
    [PHY_PAGED] = {0, 0xffff},
};

static void set_link(struct nic *nic, bool has_link, cycle_t now)
{
    struct nic_phy *phy = &nic->phy;
    if (phy->has_link == has_link)
        return;
    phy->has_link = has_link;
    nic_raise(nic, CAUSE_LSC, now);
    if (has_link)
        nic_tx_wake(nic, now);
    nic_rx_listen(nic, now);
}

static bool can_link(const struct nic *nic)
{
    return ether_wire_has_link(nic->params.wire) && !(nic->phy.registers[PHY_CONTROL] & PHY_POWER_DOWN);
}

static void negotiate(struct nic *nic, cycle_t now)
{
    set_link(nic, false, now);
    ev_cancel(nic->params.events, &nic->phy.negotiated);
    if (can_link(nic))
        dev_schedule(nic->params.events, &nic->phy.negotiated, now + nic_cycles(nic, LINK_NANOSECONDS));
}

static void negotiated(void *opaque, cycle_t now)
{
    set_link(opaque, true, now);
}

static void set_registers(struct nic *nic)
{
    for (unsigned i = 0; i < NIC_PHY_REGISTERS; i++)
        nic->phy.registers[i] = rows[i].reset;
}

void nic_phy_reset(struct nic *nic, cycle_t now)
{
    set_registers(nic);
    negotiate(nic, now);
}

bool nic_phy_loops(const struct nic *nic)
{
    return nic->phy.registers[PHY_CONTROL] & PHY_LOOPBACK;
}

static uint16_t read_register(const struct nic *nic, unsigned which)
{
    static const uint16_t speeds[] = {[NIC_SPEED_10] = 0, [NIC_SPEED_100] = 1, [NIC_SPEED_1000] = 2};
    bool has_link = nic->phy.has_link;
    enum nic_speed speed = nic->params.speed;
    switch (which) {
    case PHY_STATUS:
        return (uint16_t)(CAN_DO | (has_link ? STATUS_LINK | STATUS_NEGOTIATED : 0));
    case PHY_PARTNER:
        return (uint16_t)(has_link ? PARTNER_10 | (speed >= NIC_SPEED_100 ? PARTNER_100 : 0) : 0);
    case PHY_EXPANSION:
        return has_link; /* the partner negotiates */
    case PHY_1000_STATUS:
        return has_link && speed == NIC_SPEED_1000 ? PARTNER_1000 : 0;
    case PHY_EXTENDED_STATUS:
        return CAN_DO_1000;
    case PHY_SPECIFIC_STATUS:
        return (uint16_t)(has_link ? SPECIFIC_DUPLEX | SPECIFIC_RESOLVED | SPECIFIC_LINK |
                                         speeds[speed] << SPECIFIC_SPEED_SHIFT
                                   : 0);
    default:
        return nic->phy.registers[which];
    }
}

static void write_register(struct nic *nic, unsigned which, uint16_t value, cycle_t now)
{
    uint16_t before = nic->phy.registers[which];
    if (which == PHY_CONTROL && (value & PHY_RESET)) {
        nic_phy_reset(nic, now);
        return;
    }
    nic->phy.registers[which] = value & rows[which].writable;
    if (rows[which].writable == 0)
        nic->phy.registers[which] = before;
    if (which != PHY_CONTROL)
        return;
    nic->phy.registers[which] &= (uint16_t)~PHY_RESTART;
    bool was_down = before & PHY_POWER_DOWN, is_down = value & PHY_POWER_DOWN;
    if (was_down != is_down || ((value & PHY_RESTART) && (value & PHY_NEGOTIATES)))
        negotiate(nic, now);
}

/* ---- MDIC ---- */

static void moved(void *opaque, cycle_t now)
{
    struct nic *nic = opaque;
    struct nic_phy *phy = &nic->phy;
    unsigned which = phy->mdic >> MDIC_REGISTER_SHIFT & (NIC_PHY_REGISTERS - 1);
    bool is_there = (phy->mdic >> MDIC_PHY_SHIFT & 31) == NIC_PHY_ADDRESS;
    uint32_t operation = phy->mdic & MDIC_OPERATION;
    if (!is_there || (operation != MDIC_READ && operation != MDIC_WRITE))
        phy->mdic |= MDIC_ERROR;
    else if (operation == MDIC_READ)
        phy->mdic = (phy->mdic & ~(uint32_t)MDIC_DATA) | read_register(nic, which);
    else
        write_register(nic, which, (uint16_t)phy->mdic, now);
    phy->mdic |= MDIC_READY;
    if (phy->mdic & MDIC_INTERRUPT)
        nic_raise(nic, CAUSE_MDAC, now);
}

void nic_write_mdic(struct nic *nic, uint32_t value, cycle_t now)
{
    nic->phy.mdic = value & ~(uint32_t)(MDIC_READY | MDIC_ERROR);
    dev_schedule(nic->params.events, &nic->phy.moved, now + nic_cycles(nic, FRAME_NANOSECONDS));
}

bool nic_phy_init(struct nic *nic)
{
    set_registers(nic);
    nic->phy.has_link = can_link(nic);
    nic->phy.mdic = MDIC_READY;
    return nic_make_event(nic, &nic->phy.negotiated, negotiated, "network card: link") &&
           nic_make_event(nic, &nic->phy.moved, moved, "network card: MDIO");
}
