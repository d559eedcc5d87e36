/*
 * Asks the host at the other end of the cable, 10.0.2.2, for its address, and sends it echo requests of
 * several lengths: QEMU's user network has the same host. Where a word of the command line is "udp", its
 * port 7 as well.
 */
#include "nic.h"

static u8 host[6];

/* Sends what is in the transmit buffer, and waits for what comes. */
static bool answered(u32 i, u32 nr_bytes)
{
    send_legacy(i, nr_bytes, EOP | IFCS | RS);
    bool has_come = wait_for_slot(i);
    set(RDT, (i + NR - 1) % NR);
    return has_come;
}

static void ask_address(void)
{
    static const u8 request[28] = {0,  1, 8, 0,  6, 4, 0, 1, 0x52, 0x54, 0,  0x12, 0x34, 0x56,
                                   10, 0, 2, 15, 0, 0, 0, 0, 0,    0,    10, 0,    2,    2};
    u8 *said = rx_buffer(0);
    frame_to(tx_buffer(0), everybody, 0x0806, 60);
    for (u32 i = 14; i < 60; i++)
        tx_buffer(0)[i] = i < 42 ? request[i - 14] : 0;
    check("ARP: answered", answered(0, 60), 1);
    check("ARP: to us", same(said, station, 6), 1);
    check("ARP: a reply", get_be(said + 20), 2);
    check("ARP: from its address", same(said + 28, request + 24, 4), 1);
    check("ARP: to ours", same(said + 38, request + 14, 4), 1);
    check("ARP: to our station", same(said + 32, station, 6), 1);
    for (u32 i = 0; i < 6; i++)
        host[i] = said[22 + i];
    check("ARP: whose it is", get_be(host) << 16 | get_be(host + 2), 0x52550a00);
    check("ARP: and the rest", get_be(host + 4), 0x0202);
    check("ARP: it comes from there", same(said + 6, host, 6), 1);
}

static void ping(u32 i, u32 nr_bytes)
{
    u8 *sent = tx_buffer(i), *said = rx_buffer(i), *ip = said + 14;
    ip_frame(sent, 1, nr_bytes);
    for (u32 j = 0; j < 6; j++)
        sent[j] = host[j];
    sent[34] = 8;
    sent[35] = 0;
    put_be(sent + 36, 0);
    put_be(sent + 36, ~fold(sum(sent + 34, nr_bytes)) & 0xffff);
    check("ping: answered", answered(i, 34 + nr_bytes), 1);
    check("ping: its length", rx[i].length, 34 + nr_bytes < 60 ? 60 : 34 + nr_bytes);
    check("ping: from the host", same(said + 6, host, 6), 1);
    check("ping: IP's length", get_be(ip + 2), 20 + nr_bytes);
    check("ping: IP's sum", fold(sum(ip, 20)), 0xffff);
    check("ping: time to live", ip[8], 255);
    check("ping: from its address to ours", same(ip + 12, sent + 30, 4) && same(ip + 16, sent + 26, 4), 1);
    check("ping: a reply", get_be(said + 34), 0);
    check("ping: its sum", fold(sum(said + 34, nr_bytes)), 0xffff);
    check("ping: what was sent", same(said + 38, sent + 38, nr_bytes - 4), 1);
}

static void echo(u32 i, u32 nr_bytes, bool has_sum)
{
    u8 *sent = tx_buffer(i), *said = rx_buffer(i);
    ip_frame(sent, 17, nr_bytes);
    for (u32 j = 0; j < 6; j++)
        sent[j] = host[j];
    put_be(sent + 34, 1234);
    put_be(sent + 36, 7);
    if (has_sum)
        put_be(sent + 40, ~fold(sum(sent + 34, nr_bytes) + pseudo_sum(sent + 14, 17, nr_bytes)) & 0xffff);
    check("UDP: answered", answered(i, 34 + nr_bytes), 1);
    check("UDP: its ports", get_be(said + 34) << 16 | get_be(said + 36), 7 << 16 | 1234);
    check("UDP: its sum",
          get_be(said + 40) ? fold(sum(said + 34, nr_bytes) + pseudo_sum(said + 14, 17, nr_bytes)) : 0,
          has_sum ? 0xffff : 0);
    check("UDP: what was sent", same(said + 42, sent + 42, nr_bytes - 8), 1);
}

void main(const char *word)
{
    is_qemu = word[0] == 'q';
    pic_init();
    check("it is there", find_nic(), 1);
    set_config(4, (config(4) & 0xffff) | 7);
    registers_at = config(0x10) & ~0xfu;
    make_rings();
    phy_write(0, 0x1140);
    ask_address();
    ping(1, 64);
    ping(2, 1480);
    ping(3, 9);
    if (word[0] == 'u') {
        echo(4, 500, true);
        echo(5, 41, false);
    }
    finish();
}
