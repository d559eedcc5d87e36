/*
 * The guest's network layers, compiled for the host, against a naive other machine on the wire that is
 * written from the RFCs (768, 791, 792, 826, 1071): what it reads of the frames that are sent is what was
 * sent; what it sends arrives, in fragments of any size and order; of damaged frames arrives what it finds
 * right itself, and nothing is left behind.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "host_net.h"
#include "host_random.h"

enum { HEADERS = 14 + 20, MOST = 65507, NR_ROUNDS = 300, NR_DAMAGED = 100000, PORT = 7000, PEER_PORT = 4000 };
enum { TYPE_IP = 0x0800, TYPE_ARP = 0x0806, PROTOCOL_ICMP = 1, PROTOCOL_UDP = 17 };
#define OWN_ADDRESS 0xC0A80702u
#define PEER_ADDRESS 0xC0A80701u
static const uint8_t peer_mac[6] = {2, 0, 0, 0, 0, 1};
static struct host_net_device device = {.address = OWN_ADDRESS, .mask = 0xFFFFFF00u, .mtu = 1500};

unsigned int random_below(unsigned int limit)
{
    static uint32_t state = 2463534242u;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % limit;
}

/* ---- The other machine ---- */

static unsigned get16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value & 0xFFFF);
}

/* RFC 1071, a byte at a time; not folded. */
static uint64_t naive_sum(const uint8_t *bytes, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += i % 2 ? bytes[i] : (unsigned)bytes[i] << 8;
    return sum;
}

static unsigned naive_checksum(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (unsigned)(0xFFFF - sum);
}

static uint64_t pseudo_sum(uint32_t from, uint32_t to, size_t count)
{
    return (from >> 16) + (from & 0xFFFF) + (to >> 16) + (to & 0xFFFF) + PROTOCOL_UDP + count;
}

/* What was sent: datagrams that are whole, and the fragments of one that is not. */
static uint8_t datagram[70000], last_datagram[70000], arrived[70000];
static size_t datagram_bytes, last_bytes;
static unsigned nr_datagrams, nr_icmp, nr_arp_requests, nr_frames;
static bool may_answer_others; /* to addresses that damaged frames had */

static void check_datagram(uint32_t from, uint32_t to)
{
    cr_assert(datagram_bytes >= 8 && get16(datagram + 4) == datagram_bytes);
    cr_assert_neq(get16(datagram + 6), 0);
    cr_assert_eq(naive_checksum(naive_sum(datagram, datagram_bytes) + pseudo_sum(from, to, datagram_bytes)),
                 0);
    memcpy(last_datagram, datagram, datagram_bytes);
    last_bytes = datagram_bytes;
    nr_datagrams++;
}

static void answer_arp(const uint8_t *arp)
{
    uint8_t reply[42];
    memcpy(reply, arp + 8, 6);
    memcpy(reply + 6, peer_mac, 6);
    put16(reply + 12, TYPE_ARP);
    memcpy(reply + 14, arp, 6);
    put16(reply + 20, 2);
    memcpy(reply + 22, peer_mac, 6);
    memcpy(reply + 28, arp + 24, 4);
    memcpy(reply + 32, arp + 8, 10);
    host_net_receive(reply, sizeof reply);
}

static bool is_own_arp(const uint8_t *arp, size_t bytes)
{
    static const uint8_t head[] = {0, 1, 8, 0, 6, 4, 0};
    return bytes == 28 && memcmp(arp, head, sizeof head) == 0 && memcmp(arp + 8, host_net_mac, 6) == 0 &&
           get32(arp + 14) == OWN_ADDRESS;
}

static void take_arp(const uint8_t *frame, size_t bytes)
{
    const uint8_t *arp = frame + 14;
    bool is_to_all = frame[0] == 0xFF && memcmp(frame, frame + 1, 5) == 0;
    cr_assert(is_own_arp(arp, bytes - 14));
    if (arp[7] != 1)
        return;
    nr_arp_requests++;
    cr_assert(is_to_all);
    if (get32(arp + 24) == PEER_ADDRESS)
        answer_arp(arp);
}

static bool is_own_ip(const uint8_t *ip, size_t bytes)
{
    return bytes >= 20 && ip[0] == 0x45 && get16(ip + 2) <= bytes && get16(ip + 2) <= device.mtu &&
           naive_checksum(naive_sum(ip, 20)) == 0 && get32(ip + 12) == OWN_ADDRESS;
}

/* Fragments of one datagram follow each other. */
static void take_fragment(const uint8_t *ip)
{
    size_t count = get16(ip + 2) - 20u, offset = (get16(ip + 6) & 0x1FFF) * 8u;
    bool has_more = ip[6] & 0x20, follows = offset == 0 || offset == datagram_bytes;
    cr_assert(ip[9] == PROTOCOL_UDP && follows && (!has_more || count % 8 == 0));
    memcpy(datagram + offset, ip + 20, count);
    datagram_bytes = offset + count;
    if (!has_more)
        check_datagram(get32(ip + 12), get32(ip + 16));
}

static void take_packet(const uint8_t *ip, size_t bytes)
{
    cr_assert(is_own_ip(ip, bytes));
    if (ip[9] != PROTOCOL_ICMP) {
        take_fragment(ip);
        return;
    }
    cr_assert_eq(naive_checksum(naive_sum(ip + 20, get16(ip + 2) - 20u)), 0);
    nr_icmp++;
}

static void take_frame(const unsigned char *frame, size_t bytes)
{
    nr_frames++;
    cr_assert(bytes >= 14 && memcmp(frame + 6, host_net_mac, 6) == 0);
    if (get16(frame + 12) == TYPE_ARP) {
        take_arp(frame, bytes);
        return;
    }
    cr_assert_eq(get16(frame + 12), TYPE_IP);
    cr_assert(may_answer_others || memcmp(frame, peer_mac, 6) == 0);
    take_packet(frame + 14, bytes - 14);
}

/* A frame with a piece of an IP packet; returns its length. */
static size_t make_frame(uint8_t *frame, unsigned protocol, unsigned id, const uint8_t *payload,
                         size_t offset, size_t count, bool has_more)
{
    uint8_t *ip = frame + 14;
    memcpy(frame, host_net_mac, 6);
    memcpy(frame + 6, peer_mac, 6);
    put16(frame + 12, TYPE_IP);
    memset(ip, 0, 20);
    ip[0] = 0x45;
    put16(ip + 2, (unsigned)(20 + count));
    put16(ip + 4, id);
    put16(ip + 6, (unsigned)(offset / 8) | (has_more ? 0x2000u : 0));
    ip[8] = 64;
    ip[9] = (uint8_t)protocol;
    put32(ip + 12, PEER_ADDRESS);
    put32(ip + 16, OWN_ADDRESS);
    put16(ip + 10, naive_checksum(naive_sum(ip, 20)));
    memcpy(frame + HEADERS, payload + offset, count);
    return HEADERS + count;
}

/* A datagram of `count` random bytes, or an echo request, with its checksum; returns its length. */
static size_t make_udp(uint8_t *to, unsigned port, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[8 + i] = (uint8_t)random_below(256);
    put16(to, PEER_PORT);
    put16(to + 2, port);
    put16(to + 4, (unsigned)(8 + count));
    put16(to + 6, 0);
    unsigned sum =
        naive_checksum(naive_sum(to, 8 + count) + pseudo_sum(PEER_ADDRESS, OWN_ADDRESS, 8 + count));
    put16(to + 6, sum ? sum : 0xFFFF);
    return 8 + count;
}

static size_t make_echo(uint8_t *to, size_t count)
{
    memset(to, 0, 8);
    to[0] = 8;
    for (size_t i = 0; i < count; i++)
        to[8 + i] = (uint8_t)random_below(256);
    put16(to + 2, naive_checksum(naive_sum(to, 8 + count)));
    return 8 + count;
}

static void begin(void)
{
    nr_datagrams = nr_icmp = nr_arp_requests = nr_frames = 0;
    may_answer_others = false;
    host_net_start(&device, take_frame);
}

/* ---- Tests ---- */

Test(guest_net, checksum)
{
    static uint8_t bytes[3000];
    for (unsigned round = 0; round < 3000; round++) {
        size_t start = random_below(8), count = random_below(2000);
        bool is_odd = random_below(2);
        for (size_t i = 0; i < count; i++)
            bytes[start + i] = (uint8_t)(random_below(4) ? random_below(256) : 0xFF);
        uint64_t sum = is_odd ? naive_sum(bytes + start, count) << 8 : naive_sum(bytes + start, count);
        uint16_t stored = host_net_checksum(bytes + start, (uint32_t)count, is_odd);
        cr_assert_eq(get16((const uint8_t *)&stored), naive_checksum(sum));
    }
}

static size_t random_size(void)
{
    static const unsigned mosts[] = {20, 1500, 9000, MOST + 1};
    return random_below(mosts[random_below(4)]);
}

/* Sends `count` bytes in pieces, by copies and from pages, which lie side by side; expected has them. */
static long send_pieces(int socket, size_t count, uint8_t *expected)
{
    size_t done = 0;
    long result = 0;
    do {
        bool is_page = count && random_below(2);
        size_t piece = random_below(3) ? count - done : random_below((unsigned)(count - done) + 1);
        unsigned page = random_below(HOST_NET_PAGES), offset = random_below(HOST_NET_PAGE_BYTES);
        if (is_page && piece > HOST_NET_PAGE_BYTES - offset)
            piece = HOST_NET_PAGE_BYTES - offset;
        bool has_more = done + piece < count;
        for (size_t i = 0; i < piece; i++)
            expected[done + i] = is_page ? host_net_page(page)[offset + i] : (uint8_t)random_below(256);
        result = is_page ? host_net_send_page(socket, page, offset, (unsigned)piece, has_more)
                         : host_net_send(socket, expected + done, piece, has_more);
        if (result < 0)
            return result;
        cr_assert_eq(result, (long)piece);
        done += piece;
        if (!has_more)
            return 0;
    } while (true);
}

static void change_device(void)
{
    device.mtu = 576 + random_below(random_below(2) ? 1000 : 8500);
    device.gathers = random_below(2);
    device.sums = random_below(2);
    host_net_change(&device);
}

Test(guest_net, what_is_sent)
{
    static uint8_t expected[70000];
    begin();
    for (size_t i = 0; i < HOST_NET_PAGES * HOST_NET_PAGE_BYTES; i++)
        host_net_page(0)[i] = (uint8_t)random_below(256);
    int socket = host_net_open(PORT);
    cr_assert_eq(host_net_connect(socket, PEER_ADDRESS, PEER_PORT), 0);
    for (unsigned round = 0; round < NR_ROUNDS; round++) {
        size_t count = random_size();
        unsigned before = nr_datagrams;
        change_device();
        long result = send_pieces(socket, count, expected);
        /* Too many pieces for one frame is the only reason. */
        if (result == -EMSGSIZE && nr_datagrams == before)
            continue;
        cr_assert_eq(result, 0);
        cr_assert_eq(nr_datagrams, before + 1);
        cr_assert(last_bytes == 8 + count && memcmp(last_datagram + 8, expected, count) == 0);
        cr_assert(get16(last_datagram) == PORT && get16(last_datagram + 2) == PEER_PORT);
    }
    cr_assert(nr_datagrams > NR_ROUNDS / 2);
    cr_assert_eq(nr_arp_requests, 1);
    cr_assert_eq(host_net_send(socket, expected, MOST + 1, false), -EMSGSIZE);
    cr_assert_eq(host_net_end(), 0);
}

/* Cuts a packet up, and sends the fragments in any order; so few that there is room for all. */
static void send_fragments(const uint8_t *packet, size_t bytes, unsigned id)
{
    static uint8_t frame[70000];
    static size_t starts[70000 / 8];
    size_t least = bytes / 80 / 8 * 8 + 8, most = random_below(3) ? least + 8 * random_below(185) : bytes,
           nr = 0;
    if (most > 65512)
        most = 65512;
    for (size_t at = 0; at < bytes; at += most)
        starts[nr++] = at;
    for (size_t i = 0; i < nr; i++) {
        size_t other = random_below(2) ? i + random_below((unsigned)(nr - i)) : i, start = starts[other];
        starts[other] = starts[i];
        size_t count = bytes - start < most ? bytes - start : most;
        host_net_receive(frame,
                         make_frame(frame, PROTOCOL_UDP, id, packet, start, count, start + count < bytes));
    }
}

static bool arrives(int socket, const uint8_t *packet, size_t bytes)
{
    uint32_t address = 0;
    unsigned port = 0;
    long got = host_net_recv(socket, arrived, sizeof arrived, &address, &port);
    return got == (long)bytes - 8 && memcmp(arrived, packet + 8, bytes - 8) == 0 && address == PEER_ADDRESS &&
           port == PEER_PORT;
}

Test(guest_net, what_comes)
{
    static uint8_t packet[70000];
    begin();
    int socket = host_net_open(PORT);
    for (unsigned round = 0; round < NR_ROUNDS; round++) {
        size_t bytes = make_udp(packet, PORT, random_below(random_below(2) ? 2000 : 20000));
        send_fragments(packet, bytes, round);
        cr_assert(arrives(socket, packet, bytes), "%zu bytes", bytes);
        cr_assert_eq(host_net_recv(socket, arrived, sizeof arrived, &(uint32_t){0}, &(unsigned){0}), -EAGAIN);
    }
    /* A packet that is not whole in time is given up, and what it took is free. */
    uint8_t frame[200];
    size_t bytes = make_udp(packet, PORT, 100);
    host_net_receive(frame, make_frame(frame, PROTOCOL_UDP, 1, packet, 0, 64, true));
    host_net_wait(3001);
    host_net_receive(frame, make_frame(frame, PROTOCOL_UDP, 1, packet, 64, bytes - 64, false));
    cr_assert_eq(host_net_recv(socket, arrived, sizeof arrived, &(uint32_t){0}, &(unsigned){0}), -EAGAIN);
    cr_assert_eq(host_net_end(), 0);
}

/* As many bytes as the packet has, but some of them twice and others not at all; no sum would tell. */
Test(guest_net, overlaps)
{
    static uint8_t packet[200], frame[200];
    begin();
    int socket = host_net_open(PORT);
    size_t bytes = make_udp(packet, PORT, 88);
    cr_assert_eq(bytes, 96);
    put16(packet + 6, 0);
    host_net_receive(frame, make_frame(frame, PROTOCOL_UDP, 1, packet, 0, 48, true));
    host_net_receive(frame, make_frame(frame, PROTOCOL_UDP, 1, packet, 24, 24, true));
    host_net_receive(frame, make_frame(frame, PROTOCOL_UDP, 1, packet, 72, 24, false));
    cr_assert_eq(host_net_recv(socket, arrived, sizeof arrived, &(uint32_t){0}, &(unsigned){0}), -EAGAIN);
    /* The same without the one that is too much, and with the one that was missing. */
    host_net_receive(frame, make_frame(frame, PROTOCOL_UDP, 2, packet, 72, 24, false));
    host_net_receive(frame, make_frame(frame, PROTOCOL_UDP, 2, packet, 0, 48, true));
    host_net_receive(frame, make_frame(frame, PROTOCOL_UDP, 2, packet, 48, 24, true));
    cr_assert(arrives(socket, packet, bytes));
    cr_assert_eq(host_net_end(), 0);
}

/* Nobody listens: the sender is told with the packet's beginning. Echo requests come back. */
Test(guest_net, answers)
{
    static uint8_t packet[3000], frame[3000];
    begin();
    size_t bytes = make_udp(packet, PORT, 10);
    host_net_receive(frame, make_frame(frame, PROTOCOL_UDP, 1, packet, 0, bytes, false));
    cr_assert_eq(nr_icmp, 1);
    bytes = make_echo(packet, 1000);
    host_net_receive(frame, make_frame(frame, PROTOCOL_ICMP, 2, packet, 0, bytes, false));
    cr_assert_eq(nr_icmp, 2);
    packet[20] ^= 1;
    host_net_receive(frame, make_frame(frame, PROTOCOL_ICMP, 3, packet, 0, bytes, false));
    cr_assert_eq(nr_icmp, 2);
    cr_assert_eq(host_net_end(), 0);
}

/* A peer that does not answer ARP: three questions, a second apart; then the sender is told. */
Test(guest_net, nobody_answers)
{
    begin();
    int socket = host_net_open(PORT);
    cr_assert_eq(host_net_connect(socket, PEER_ADDRESS + 5, PEER_PORT), 0);
    cr_assert_eq(host_net_send(socket, "x", 1, false), 1);
    host_net_wait(350);
    cr_assert_eq(nr_arp_requests, 3);
    cr_assert_eq(nr_frames, 3);
    cr_assert_eq(host_net_send(socket, "x", 1, false), -EHOSTUNREACH);
    cr_assert_eq(host_net_end(), 0);
}

/* ---- Damage ---- */

/* With the broadcasts. */
static bool is_own(uint32_t address)
{
    return address == OWN_ADDRESS || address == (OWN_ADDRESS | 0xFF) || address == 0xFFFFFFFFu;
}

/* Whether a frame is a whole datagram for PORT; where it begins, and how long it is. */
static bool is_right(const uint8_t *frame, size_t bytes, const uint8_t **udp, size_t *udp_bytes)
{
    const uint8_t *ip = frame + 14;
    bool is_for_many = frame[0] & 1;
    if (bytes < HEADERS || (!is_for_many && memcmp(frame, host_net_mac, 6) != 0) ||
        get16(frame + 12) != TYPE_IP)
        return false;
    size_t head = (ip[0] & 15u) * 4, total = get16(ip + 2);
    if (ip[0] >> 4 != 4 || head < 20 || total < head || total > bytes - 14)
        return false;
    if (naive_checksum(naive_sum(ip, head)) != 0 || !is_own(get32(ip + 16)) || (get16(ip + 6) & 0x3FFF))
        return false;
    if (ip[9] != PROTOCOL_UDP || ip[12] == 127 || ip[12] >> 4 == 14 || get32(ip + 12) == 0xFFFFFFFFu)
        return false;
    *udp = ip + head;
    if (total - head < 8 || get16(*udp + 2) != PORT || get16(*udp + 4) < 8 || get16(*udp + 4) > total - head)
        return false;
    *udp_bytes = get16(*udp + 4);
    return get16(*udp + 6) == 0 ||
           naive_checksum(naive_sum(*udp, *udp_bytes) +
                          pseudo_sum(get32(ip + 12), get32(ip + 16), *udp_bytes)) == 0;
}

static size_t damage(uint8_t *frame, size_t bytes)
{
    for (unsigned i = random_below(4); i; i--) {
        size_t at = random_below((unsigned)(bytes < 60 ? bytes : 60));
        frame[at] = (uint8_t)(random_below(2) ? frame[at] ^ 1u << random_below(8) : random_below(256));
    }
    if (random_below(4) == 0)
        bytes = random_below((unsigned)bytes + 1);
    size_t head = bytes > HEADERS ? (frame[14] & 15u) * 4 : 0;
    if (head >= 20 && head <= bytes - 14 && random_below(4)) {
        put16(frame + 24, 0);
        put16(frame + 24, naive_checksum(naive_sum(frame + 14, head)));
    }
    return bytes;
}

static size_t make_arp(uint8_t *frame)
{
    static const uint8_t head[] = {0, 1, 8, 0, 6, 4, 0, 1};
    memcpy(frame, host_net_mac, 6);
    memcpy(frame + 6, peer_mac, 6);
    put16(frame + 12, TYPE_ARP);
    memcpy(frame + 14, head, sizeof head);
    memcpy(frame + 22, peer_mac, 6);
    put32(frame + 28, PEER_ADDRESS);
    memset(frame + 32, 0, 6);
    put32(frame + 38, OWN_ADDRESS);
    return 42;
}

/* An ICMP error about a packet of ours. */
static size_t make_error(uint8_t *to)
{
    static uint8_t quoted[HEADERS + 8];
    make_frame(quoted, PROTOCOL_UDP, 1, (const uint8_t *)"\x1B\x58\x0F\xA0\0\x0E\0\0", 0, 8, false);
    memset(to, 0, 8);
    to[0] = 3;
    to[1] = (uint8_t)random_below(6);
    memcpy(to + 8, quoted + 14, 28);
    put32(to + 8 + 12, OWN_ADDRESS);
    put32(to + 8 + 16, PEER_ADDRESS);
    put16(to + 2, naive_checksum(naive_sum(to, 36)));
    return 36;
}

static size_t make_any(uint8_t *frame)
{
    static uint8_t packet[3000];
    unsigned id = random_below(20);
    switch (random_below(8)) {
    case 0:
        return make_arp(frame);
    case 1:
        return make_frame(frame, PROTOCOL_ICMP, id, packet, 0, make_echo(packet, random_below(300)), false);
    case 2:
        return make_frame(frame, PROTOCOL_ICMP, id, packet, 0, make_error(packet), false);
    case 3: /* a fragment, whatever it holds */
        return make_frame(frame, PROTOCOL_UDP, id, packet, 8 * random_below(100), 8 * random_below(70),
                          random_below(2));
    default: {
        size_t bytes = make_udp(packet, random_below(8) ? PORT : PORT + 1, random_below(1400));
        return make_frame(frame, PROTOCOL_UDP, id, packet, 0, bytes, false);
    }
    }
}

/* What arrives of the frame, if anything does, is what a naive reader finds right. Whether it does. */
static bool check_arrival(int socket, const uint8_t *frame, size_t bytes, bool may_be_lost)
{
    const uint8_t *udp = NULL;
    size_t udp_bytes = 0;
    uint32_t address = 0;
    unsigned port = 0;
    bool should_arrive = is_right(frame, bytes, &udp, &udp_bytes);
    long got = host_net_recv(socket, arrived, sizeof arrived, &address, &port);
    if (should_arrive && got < 0) {
        cr_assert(may_be_lost);
        return false;
    }
    if (!should_arrive) {
        /* But fragments may have found each other. */
        cr_assert(got < 0 || (get16(frame + 20) & 0x3FFF));
        return false;
    }
    bool is_same = got == (long)udp_bytes - 8 && memcmp(arrived, udp + 8, udp_bytes - 8) == 0;
    cr_assert(is_same && address == get32(frame + 26) && port == get16(udp));
    return true;
}

/* Without memory anything may be lost. */
static void send_damaged(int socket, unsigned nr, bool may_be_lost)
{
    static uint8_t frame[3000];
    unsigned nr_right = 0;
    for (unsigned i = 0; i < nr; i++) {
        size_t bytes = damage(frame, make_any(frame));
        host_net_receive(frame, bytes);
        nr_right += check_arrival(socket, frame, bytes, may_be_lost);
        if (random_below(16) == 0)
            host_net_wait(random_below(200));
    }
    cr_assert(may_be_lost || nr_right > nr / 20);
}

Test(guest_net, damaged_frames)
{
    device = (struct host_net_device){.address = OWN_ADDRESS, .mask = 0xFFFFFF00u, .mtu = 1500};
    begin();
    may_answer_others = true;
    send_damaged(host_net_open(PORT), NR_DAMAGED, false);
    cr_assert_eq(host_net_end(), 0);
}

Test(guest_net, no_memory)
{
    static uint8_t expected[70000];
    begin();
    may_answer_others = true;
    int socket = host_net_open(PORT), sender = host_net_open(PORT + 2);
    cr_assert_eq(host_net_connect(sender, PEER_ADDRESS, PEER_PORT), 0);
    for (unsigned nth = 1; nth < 12; nth++) {
        host_net_fail_allocations(nth);
        send_damaged(socket, nth < 3 ? 0 : 1000, true);
        for (unsigned i = 0; i < 40; i++) {
            long result = send_pieces(sender, random_below(30000), expected);
            cr_assert(result == 0 || result == -ENOMEM || result == -EMSGSIZE || result == -EHOSTUNREACH ||
                          result == -EAGAIN,
                      "%ld", result);
        }
    }
    host_net_fail_allocations(0);
    cr_assert_eq(host_net_end(), 0);
}
