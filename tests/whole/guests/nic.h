/* For guests that work an Intel 82540EM: its registers, rings of eight descriptors, and frames. */
#ifndef NIC_H
#define NIC_H

#include "guest.h"

enum {
    CTRL = 0x0000,
    STATUS = 0x0008,
    EECD = 0x0010,
    EERD = 0x0014,
    MDIC = 0x0020,
    VET = 0x0038,
    ICR = 0x00c0,
    ICS = 0x00c8,
    IMS = 0x00d0,
    IMC = 0x00d8,
    RCTL = 0x0100,
    TCTL = 0x0400,
    RDBAL = 0x2800,
    RDLEN = 0x2808,
    RDH = 0x2810,
    RDT = 0x2818,
    RDTR = 0x2820,
    TDBAL = 0x3800,
    TDLEN = 0x3808,
    TDH = 0x3810,
    TDT = 0x3818,
    PRC64 = 0x405c,
    GPRC = 0x4074,
    BPRC = 0x4078,
    GPTC = 0x4080,
    GORCL = 0x4088,
    GOTCL = 0x4090,
    TPR = 0x40d0,
    TPT = 0x40d4,
    MTA = 0x5200,
    RAL0 = 0x5400,
};
enum { SK = 1, CS = 2, DI = 4, DO = 8, REQ = 0x40, MDIC_READY = 1 << 28, RST = 1 << 26 };
enum { ENABLE = 2, UPE = 8, MPE = 16, BAM = 1 << 15, SECRC = 1 << 26, PSP = 8 };
enum { TXDW = 1, TXQE = 2, RXT0 = 0x80 };
enum { EOP = 1, IFCS = 2, IC = 4, RS = 8, DEXT = 0x20, TXD_TSE = 4, TXD_TCP = 1, TXD_IP = 2 };
enum { NR = 8, BUFFER_BYTES = 2048, PHY_LOOPBACK = 0x4140 };

struct rx_descriptor {
    u32 at, at_high;
    uint16_t length, checksum;
    u8 status, errors;
    uint16_t special;
};
struct tx_descriptor {
    u32 words[4];
};

static volatile struct rx_descriptor rx[NR] __attribute__((aligned(128)));
static volatile struct tx_descriptor tx[NR] __attribute__((aligned(128)));
static u8 rx_buffers[NR][BUFFER_BYTES], tx_buffers[NR][BUFFER_BYTES];
static const u8 station[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
static const u8 everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static u32 slot_of_card, registers_at;
static bool is_qemu; /* which takes no frame for a second after RCTL was written */

static inline u32 config(u32 at_offset)
{
    outl(0xcf8, 0x80000000 | slot_of_card << 11 | at_offset);
    return inl(0xcfc);
}

static inline void set_config(u32 at_offset, u32 value)
{
    outl(0xcf8, 0x80000000 | slot_of_card << 11 | at_offset);
    outl(0xcfc, value);
}

static inline bool find_nic(void)
{
    for (slot_of_card = 0; slot_of_card < 32; slot_of_card++)
        if (config(0) == 0x100e8086)
            return true;
    return false;
}

static inline u32 get(u32 offset)
{
    return *at(registers_at + offset);
}

static inline void set(u32 offset, u32 value)
{
    *at(registers_at + offset) = value;
}

static inline void wait_a_second(void)
{
    enum { WRAPS = 22 };
    pit_start(2, 0);
    for (u32 wraps = 0, before = 0; wraps < WRAPS;) {
        outb(0x43, 0);
        u32 low = inb(0x40), now = low | (u32)inb(0x40) << 8;
        wraps += now > before;
        before = now;
    }
}

static inline void set_rctl(u32 value)
{
    if (get(RCTL) == value)
        return;
    set(RCTL, value);
    if (is_qemu)
        wait_a_second();
}

static inline u32 phy_read(u32 which)
{
    u32 value;
    set(MDIC, 2u << 26 | 1u << 21 | which << 16);
    while (!((value = get(MDIC)) & MDIC_READY))
        ;
    return value & 0xffff;
}

static inline void phy_write(u32 which, u32 value)
{
    set(MDIC, 1u << 26 | 1u << 21 | which << 16 | value);
    while (!(get(MDIC) & MDIC_READY))
        ;
}

static inline bool irq_is_high(void)
{
    u32 irq = config(0x3c) & 0xff;
    outb(irq < 8 ? 0x20 : 0xa0, 0x0a);
    return inb(irq < 8 ? 0x20 : 0xa0) >> irq % 8 & 1;
}

static inline u8 *rx_buffer(u32 i)
{
    return rx_buffers[i];
}

static inline u8 *tx_buffer(u32 i)
{
    return tx_buffers[i];
}

/* After a reset: both rings empty, all buffers the receiver's, what is sent comes back. */
static inline void make_rings(void)
{
    set(CTRL, get(CTRL) | RST);
    while (get(CTRL) & RST)
        ;
    set(IMC, UINT32_MAX);
    for (u32 i = 0; i < NR; i++) {
        rx[i] = (struct rx_descriptor){.at = address(rx_buffers[i])};
        tx[i] = (struct tx_descriptor){{0}};
        for (u32 j = 0; j < BUFFER_BYTES; j++)
            rx_buffers[i][j] = 0xee;
    }
    set(RDBAL, address(rx));
    set(RDBAL + 4, 0);
    set(RDLEN, sizeof rx);
    set(RDH, 0);
    set(RDT, NR - 1);
    set(TDBAL, address(tx));
    set(TDBAL + 4, 0);
    set(TDLEN, sizeof tx);
    set(TDH, 0);
    set(TDT, 0);
    phy_write(0, PHY_LOOPBACK);
    set_rctl(ENABLE | BAM | SECRC);
    set(TCTL, ENABLE | PSP | 0x0f << 4 | 0x40 << 12);
}

static inline void frame_to(u8 *frame, const u8 *to, u32 type, u32 nr_bytes)
{
    for (u32 i = 0; i < nr_bytes; i++)
        frame[i] = (u8)(i * 7 + nr_bytes);
    for (u32 i = 0; i < 6; i++) {
        frame[i] = to[i];
        frame[6 + i] = station[i];
    }
    frame[12] = (u8)(type >> 8);
    frame[13] = (u8)type;
}

static inline void put_descriptor(u32 i, u32 at_address, u32 nr_bytes, u32 command, u32 last)
{
    tx[i].words[0] = at_address;
    tx[i].words[1] = 0;
    tx[i].words[2] = nr_bytes | command << 24;
    tx[i].words[3] = last;
}

static inline void send_legacy(u32 i, u32 nr_bytes, u32 command)
{
    put_descriptor(i, address(tx_buffers[i]), nr_bytes, command, 0);
    set(TDT, (i + 1) % NR);
}

static inline void put_legacy_checksum(u32 i, u32 nr_bytes, u32 offset, u32 start)
{
    put_descriptor(i, address(tx_buffers[i]), nr_bytes | offset << 16, EOP | IFCS | IC | RS, start << 8);
}

/* Sums of an IPv4 header without options behind Ethernet's, and of what follows it. */
static inline void put_context(u32 i, u32 command, u32 header_bytes, u32 mss)
{
    bool is_tcp = command & TXD_TCP;
    tx[i].words[0] = 14 | 24 << 8 | 33 << 16;
    tx[i].words[1] = 34 | (is_tcp ? 50 : 40) << 8;
    tx[i].words[2] = (command | DEXT | RS) << 24;
    tx[i].words[3] = header_bytes << 8 | mss << 16;
}

static inline void put_data(u32 i, u32 at_address, u32 nr_bytes, u32 command, u32 options)
{
    put_descriptor(i, at_address, nr_bytes | 1 << 20, command | DEXT, options << 8);
}

static inline bool same(const u8 *a, const u8 *b, u32 nr_bytes)
{
    for (u32 i = 0; i < nr_bytes; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

/* Turns of a loop; QEMU's card answers in a thread that the host may keep waiting. */
static inline bool is_patient(u32 tries)
{
    return tries < (is_qemu ? 1000000000u : 1000000u);
}

static inline bool wait_for_slot(u32 i)
{
    for (u32 tries = 0; !(rx[i].status & 1); tries++)
        if (!is_patient(tries))
            return false;
    return true;
}

static inline bool wait_for_slot_sent(u32 i)
{
    for (u32 tries = 0; !(tx[i].words[3] & 1); tries++)
        if (!is_patient(tries))
            return false;
    for (volatile u32 wait = 0; wait < 10000; wait = wait + 1)
        ; /* for a frame of 100 bytes to come back */
    return true;
}

/* How many of the first `nr` are done. */
static inline u32 wait_for_sent(u32 nr)
{
    u32 i = 0;
    while (i < nr && wait_for_slot_sent(i))
        i++;
    return i;
}

static inline u32 wait_for_received(u32 nr)
{
    u32 i = 0;
    while (i < nr && wait_for_slot(i))
        i++;
    return i;
}

/* ---- IP ---- */

static inline u32 get_be(const u8 *from)
{
    return (u32)from[0] << 8 | from[1];
}

static inline void put_be(u8 *to, u32 value)
{
    to[0] = (u8)(value >> 8);
    to[1] = (u8)value;
}

static inline u32 sum(const u8 *bytes, u32 nr_bytes)
{
    u32 total = 0;
    for (u32 i = 0; i < nr_bytes; i++)
        total += i & 1 ? bytes[i] : (u32)bytes[i] << 8;
    return total;
}

static inline u32 fold(u32 total)
{
    while (total >> 16)
        total = (total & 0xffff) + (total >> 16);
    return total;
}

static inline u32 pseudo_sum(const u8 *ip, u32 protocol, u32 nr_bytes)
{
    return sum(ip + 12, 8) + protocol + nr_bytes;
}

/* From 10.0.2.15 to 10.0.2.2, with the header's sum. */
static inline void ip_frame(u8 *frame, u32 protocol, u32 nr_bytes)
{
    static const u8 header[20] = {0x45, 0, 0, 0, 0, 1, 0, 0, 64, 0, 0, 0, 10, 0, 2, 15, 10, 0, 2, 2};
    frame_to(frame, station, 0x0800, 34 + nr_bytes);
    for (u32 i = 0; i < 20; i++)
        frame[14 + i] = header[i];
    put_be(frame + 16, 20 + nr_bytes);
    frame[23] = (u8)protocol;
    put_be(frame + 24, ~fold(sum(frame + 14, 20)) & 0xffff);
    if (protocol == 17) {
        put_be(frame + 38, nr_bytes);
        put_be(frame + 40, 0);
    }
}

#endif
