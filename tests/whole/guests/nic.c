/*
 * The network card, an Intel 82540EM: what its configuration space, EEPROM and PHY say, rings of both
 * directions with frames that its PHY loops back, checksums and segments, address filter, interrupts,
 * statistics. All of it is the same on QEMU's e1000, but for its ports, which do nothing there, what its
 * reset leaves, sums by legacy descriptors, which it does not insert, and how it counts the shortest
 * frames.
 */
#include "nic.h"

/* ---- Finding it ---- */

static void what_pci_says(void)
{
    check("it is there", find_nic(), 1);
    check("class", config(8) >> 8, 0x020000);
    check("it has an interrupt", config(0x3c) >> 8 & 0xff, 1);
    check("its registers are a place in memory", config(0x10) & 0xf, 0);
    set_config(4, (config(4) & 0xffff) | 7);
    check("it may master the bus", config(4) & 7, 7);
    u32 base = config(0x10);
    set_config(0x10, UINT32_MAX);
    check("of 128 KiB", ~config(0x10) + 1, 0x20000);
    set_config(0x10, base);
    registers_at = base & ~0xfu;
}

static void what_ports_say(void)
{
    u32 bar = 0;
    for (u32 at = 0x14; at < 0x28 && !bar; at += 4)
        bar = config(at) & 1 ? config(at) & ~3u : 0;
    check("it has ports", bar != 0, 1);
    outl((uint16_t)bar, RAL0);
    check("a register by them", is_qemu ? get(RAL0) : inl((uint16_t)(bar + 4)), get(RAL0));
    outl((uint16_t)bar, VET);
    outl((uint16_t)(bar + 4), 0x9100);
    check("written by them", is_qemu ? 0x9100 : get(VET), 0x9100);
    outl((uint16_t)(bar + 4), 0x8100);
}

/* ---- EEPROM and PHY ---- */

static u32 eeprom_word(u32 address)
{
    set(EERD, address << 8 | 1);
    u32 value;
    while (!((value = get(EERD)) & 0x10))
        ;
    return value >> 16;
}

/* What DO is while SK is high. */
static bool clock(u32 wires)
{
    set(EECD, wires);
    set(EECD, wires | SK);
    bool out = get(EECD) & DO;
    set(EECD, wires);
    return out;
}

/* The same by its wires. */
static u32 eeprom_word_by_wires(u32 address)
{
    u32 command = 6 << 6 | address, word = 0;
    set(EECD, REQ);
    set(EECD, REQ | CS);
    for (int i = 8; i >= 0; i--)
        clock(REQ | CS | (command >> i & 1 ? DI : 0));
    for (int i = 0; i < 16; i++)
        word = word << 1 | clock(REQ | CS);
    set(EECD, REQ);
    set(EECD, 0);
    return word;
}

static void what_eeprom_says(void)
{
    u32 sum = 0;
    for (u32 i = 0; i < 64; i++)
        sum += eeprom_word(i);
    check("the sum of its EEPROM", sum & 0xffff, 0xbaba);
    check("address in the EEPROM", eeprom_word(0) | eeprom_word(1) << 16, 0x12005452);
    check("and its end", eeprom_word(2), 0x5634);
    for (u32 i = 0; i < 3; i++)
        check("by wires as by EERD", eeprom_word_by_wires(i), eeprom_word(i));
    check("the sum by wires", eeprom_word_by_wires(63), eeprom_word(63));
    check("address in the filter", get(RAL0), 0x12005452);
    check("and its end, valid", get(RAL0 + 4), 0x80005634);
}

static void what_phy_says(void)
{
    check("PHY: who it is", phy_read(2), 0x0141);
    check("PHY: of what kind", phy_read(3) & 0xfff0, 0x0c20);
    check("PHY: the link is up", (phy_read(1), phy_read(1) & 4), 4);
    check("PHY: it negotiates", phy_read(0) & 0x1000, 0x1000);
    set(MDIC, 2u << 26 | 2u << 21 | 1u << 16);
    u32 value;
    while (!((value = get(MDIC)) & MDIC_READY))
        ;
    check("PHY: there is no other", value >> 30 & 1, 1);
    check("the link is up, full duplex, 1000 Mb/s", get(STATUS) & 0xc3, 0x83);
}

/* ---- Frames ---- */

static void one_frame(void)
{
    make_rings();
    frame_to(tx_buffer(0), station, 0x88b5, 100);
    send_legacy(0, 100, EOP | IFCS | RS);
    check("sent", wait_for_sent(1), 1);
    check("the head has moved", get(TDH), 1);
    check("received", wait_for_received(1), 1);
    check("the head of the other ring", get(RDH), 1);
    check("its length", rx[0].length, 100);
    check("whole, in one descriptor", rx[0].status & 3, 3);
    check("no errors", rx[0].errors, 0);
    check("the same bytes", same(rx_buffer(0), tx_buffer(0), 100), 1);
}

static void short_and_long_frames(void)
{
    make_rings();
    frame_to(tx_buffer(0), station, 0x88b5, 20);
    send_legacy(0, 20, EOP | IFCS | RS);
    wait_for_received(1);
    check("padded to 60", rx[0].length, 60);
    check("the same bytes", same(rx_buffer(0), tx_buffer(0), 20), 1);
    check("and zeros", *(u32 *)(rx_buffer(0) + 56), 0);
    frame_to(tx_buffer(1), station, 0x88b5, 1514);
    send_legacy(1, 1514, EOP | IFCS | RS);
    wait_for_received(2);
    check("the longest", rx[1].length, 1514);
    check("its bytes", same(rx_buffer(1), tx_buffer(1), 1514), 1);
}

/* One frame of three descriptors, into several buffers of 256 bytes. */
static void scattered(void)
{
    make_rings();
    set_rctl(get(RCTL) | 3 << 16);
    frame_to(tx_buffer(0), station, 0x88b5, 700);
    for (u32 i = 0; i < 700; i++)
        tx_buffer(i < 14 ? 1 : i < 500 ? 2 : 3)[i < 14 ? i : i < 500 ? i - 14 : i - 500] = tx_buffer(0)[i];
    put_descriptor(0, address(tx_buffer(1)), 14, IFCS | RS, 0);
    put_descriptor(1, address(tx_buffer(2)), 486, IFCS | RS, 0);
    put_descriptor(2, address(tx_buffer(3)), 200, EOP | IFCS | RS, 0);
    set(TDT, 3);
    check("three descriptors", wait_for_sent(3), 3);
    check("three buffers", wait_for_received(3), 3);
    for (u32 i = 0; i < 3; i++) {
        check("bytes of a buffer", rx[i].length, i < 2 ? 256 : 188);
        check("the last one ends it", rx[i].status & 3, i < 2 ? 1 : 3);
        check("the same bytes", same(rx_buffer(i), tx_buffer(0) + 256 * i, rx[i].length), 1);
    }
}

/* More frames than a ring has places. */
static void around(void)
{
    make_rings();
    for (u32 i = 0; i < 20; i++) {
        frame_to(tx_buffer(i % NR), station, 0x88b5, 64 + i);
        tx_buffer(i % NR)[14] = (u8)i;
        send_legacy(i % NR, 64 + i, EOP | IFCS | RS);
        check("one more", wait_for_slot(i % NR), 1);
        check("in turn", rx_buffer(i % NR)[14], i);
        check("of its length", rx[i % NR].length, 64 + i);
        rx[i % NR].status = 0;
        set(RDT, i % NR);
    }
    check("the ring is around", get(TDH), 20 % NR);
    check("so is the other", get(RDH), 20 % NR);
}

/* ---- The filter ---- */

static bool comes_through(const u8 *to)
{
    u32 slot = get(TDH), before = get(RDH);
    frame_to(tx_buffer(slot), to, 0x88b5, 80);
    send_legacy(slot, 80, EOP | IFCS | RS);
    wait_for_slot_sent(slot);
    if (get(RDH) == before)
        return false;
    rx[before].status = 0;
    set(RDT, before);
    return true;
}

static void filter(void)
{
    static const u8 other[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x57}, group[6] = {1, 0, 0x5e, 0, 0, 0xfb};
    make_rings();
    set_rctl(get(RCTL) & ~(u32)BAM);
    check("ours", comes_through(station), 1);
    check("another's", comes_through(other), 0);
    check("to all", comes_through(everybody), 0);
    check("to a group", comes_through(group), 0);
    set_rctl(get(RCTL) | BAM);
    check("to all, if we want them", comes_through(everybody), 1);
    set_rctl(get(RCTL) | UPE);
    check("another's, if we want them", comes_through(other), 1);
    set_rctl((get(RCTL) & ~(u32)UPE) | MPE);
    check("to a group, if we want them", comes_through(group), 1);
    set_rctl(get(RCTL) & ~(u32)MPE);
    u32 hash = (group[4] >> 4 | group[5] << 4) & 0xfff;
    set(MTA + hash / 32 * 4, 1u << hash % 32);
    check("to a group that is in the table", comes_through(group), 1);
    set(MTA + hash / 32 * 4, 0);
    set(RAL0 + 8, 0x12005452);
    set(RAL0 + 12, 0x80005734);
    check("our second address", comes_through(other), 1);
    set(RAL0 + 12, 0x5734);
    check("which is not valid any more", comes_through(other), 0);
}

/* ---- Checksums and segments ---- */

static void checksums(void)
{
    make_rings();
    ip_frame(tx_buffer(0), 17, 50);
    u8 *ip = tx_buffer(0) + 14;
    put_be(ip + 10, 0);
    put_be(ip + 26, fold(pseudo_sum(ip, 17, 50)));
    put_context(0, TXD_IP, 0, 0);
    put_data(1, address(tx_buffer(0)), 84, EOP | IFCS | RS, 3);
    set(TDT, 2);
    wait_for_sent(2);
    wait_for_received(1);
    u8 *got = rx_buffer(0) + 14;
    check("IP's sum is right", fold(sum(got, 20)), 0xffff);
    check("so is UDP's", fold(sum(got + 20, 50) + pseudo_sum(got, 17, 50)), 0xffff);
    check("and the rest", same(rx_buffer(0) + 42, tx_buffer(0) + 42, 42), 1);
}

static void legacy_checksum(void)
{
    make_rings();
    frame_to(tx_buffer(0), station, 0x88b5, 90);
    put_be(tx_buffer(0) + 40, 0);
    put_legacy_checksum(0, 90, 40, 20);
    set(TDT, 1);
    wait_for_received(1);
    check("a sum by CSO and CSS", is_qemu ? 0xffff : fold(sum(rx_buffer(0) + 20, 70)), 0xffff);
}

static void segments(void)
{
    enum { HEADER = 54, PAYLOAD = 1000, MSS = 400 };
    make_rings();
    ip_frame(tx_buffer(0), 6, 20 + PAYLOAD);
    u8 *ip = tx_buffer(0) + 14, *tcp = ip + 20;
    put_be(ip + 2, 0);
    put_be(ip + 4, 0xffff);
    put_be(ip + 10, 0);
    put_be(tcp + 4, 0xffff);
    put_be(tcp + 6, 0xff00);
    tcp[12] = 5 << 4;
    tcp[13] = 0x19; /* ACK, PSH, FIN */
    put_be(tcp + 16, fold(pseudo_sum(ip, 6, 0)));
    put_context(0, TXD_IP | TXD_TCP | TXD_TSE, HEADER, MSS);
    ((volatile u32 *)&tx[0])[2] |= PAYLOAD;
    put_data(1, address(tx_buffer(0)), HEADER, TXD_TSE | RS, 3);
    put_data(2, address(tx_buffer(0)) + HEADER, PAYLOAD, EOP | IFCS | TXD_TSE | RS, 3);
    set(TDT, 3);
    check("a context and two data", wait_for_sent(3), 3);
    check("become three frames", wait_for_received(3), 3);
    for (u32 i = 0; i < 3; i++) {
        u32 bytes = i < 2 ? MSS : PAYLOAD - 2 * MSS;
        u8 *got = rx_buffer(i) + 14;
        check("of a segment", rx[i].length, HEADER + bytes);
        check("IP's length", get_be(got + 2), 40 + bytes);
        check("its identification", get_be(got + 4), (0xffff + i) & 0xffff);
        check("its sum", fold(sum(got, 20)), 0xffff);
        check("TCP's sequence", (u32)get_be(got + 24) << 16 | get_be(got + 26), 0xffffff00 + i * MSS);
        check("its flags", got[33], i < 2 ? 0x10 : 0x19);
        check("its sum", fold(sum(got + 20, 20 + bytes) + pseudo_sum(got, 6, 20 + bytes)), 0xffff);
        check("its bytes", same(got + 40, tx_buffer(0) + HEADER + i * MSS, bytes), 1);
    }
}

/* ---- Interrupts and statistics ---- */

static void interrupts(void)
{
    make_rings();
    set(IMC, UINT32_MAX);
    get(ICR);
    frame_to(tx_buffer(0), station, 0x88b5, 100);
    send_legacy(0, 100, EOP | IFCS | RS);
    wait_for_received(1);
    wait_for_slot_sent(0);
    check("what has happened", get(ICR) & (TXDW | TXQE | RXT0), TXDW | TXQE | RXT0);
    check("reading it clears it", get(ICR), 0);
    set(ICS, 1 << 2);
    check("set by hand", get(ICR) & 4, 4);
    set(IMS, TXDW | RXT0);
    check("the mask", get(IMS), TXDW | RXT0);
    set(IMC, TXDW);
    check("less of it", get(IMS), RXT0);
    check("no line is high", irq_is_high(), 0);
    set(ICS, TXDW);
    check("nor for what is masked", irq_is_high(), 0);
    set(ICS, RXT0);
    check("but for what is not", irq_is_high(), 1);
    set(IMC, RXT0);
    check("until that is masked", irq_is_high(), 0);
    set(IMS, RXT0);
    check("again", irq_is_high(), 1);
    get(ICR);
    check("until it was read", irq_is_high(), 0);
    set(IMC, UINT32_MAX);
}

static void statistics(void)
{
    make_rings();
    for (u32 at = 0x4000; at < 0x4100; at += 4)
        get(at);
    static const u32 lengths[] = {60, 100, 200, 400, 800, 1400};
    for (u32 i = 0; i < 6; i++) {
        frame_to(tx_buffer(i), i == 1 ? everybody : station, 0x88b5, lengths[i]);
        send_legacy(i, lengths[i], EOP | IFCS | RS);
        wait_for_slot(i);
    }
    check("frames received", get(TPR), 6);
    check("good ones", get(GPRC), 6);
    check("to all", get(BPRC), 1);
    check("frames sent", get(TPT), 6);
    check("good ones", get(GPTC), 6);
    check("octets received", get(GORCL), 2960 + 6 * 4);
    check("their high half", get(GORCL + 4), 0);
    check("which clears both", get(GORCL), 0);
    check("octets sent", get(GOTCL), 2960 + 6 * 4);
    get(GOTCL + 4);
    for (u32 i = 0; i < 6; i++)
        check("of each length", is_qemu && i == 0 ? 1 : get(PRC64 + 4 * i), 1);
    check("read, they are zero", get(TPR) | get(GPRC) | get(TPT) | get(PRC64), 0);
}

/* What this card does and QEMU's does not: said only if it is wrong. */
static void wants(const char *what, u32 got, u32 wanted)
{
    if (got != wanted)
        check(what, got, wanted);
}

static void reset_it(void)
{
    set(RDTR, is_qemu ? 0 : 5);
    set(CTRL, get(CTRL) | RST);
    check("a reset is over", get(CTRL) & RST, 0);
    check("no interrupts", get(IMS), 0);
    check("its address is there", get(RAL0), 0x12005452);
    if (is_qemu) /* where that is all */
        return;
    wants("nothing is enabled", (get(RCTL) | get(TCTL)) & 2, 0);
    wants("heads and tails", get(TDH) | get(TDT) | get(RDH) | get(RDT), 0);
    wants("no delay", get(RDTR), 0);
}

void main(const char *word)
{
    is_qemu = word[0] == 'q';
    pic_init();
    what_pci_says();
    reset_it();
    what_ports_say();
    what_eeprom_says();
    what_phy_says();
    one_frame();
    short_and_long_frames();
    scattered();
    around();
    filter();
    checksums();
    legacy_checksum();
    segments();
    interrupts();
    statistics();
    reset_it();
    finish();
}
