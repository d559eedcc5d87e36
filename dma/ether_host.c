#include "dma/ether_host.h"

#include "dma/ether_wire.h"
#include "dma/inet_sum.h"

#include <stdbool.h>
#include <string.h>

enum { TYPE_IPV4 = 0x0800, TYPE_ARP = 0x0806, TYPE_AT = 12, STATION_BYTES = 6, ADDRESS_BYTES = 4 };
static const uint8_t station[STATION_BYTES] = {0x52, 0x55, 10, 0, 2, 2};
static const uint8_t address[ADDRESS_BYTES] = {10, 0, 2, 2};
static const uint8_t everybody[STATION_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static bool is(const uint8_t *bytes, const uint8_t *wanted, size_t nr_bytes)
{
    return memcmp(bytes, wanted, nr_bytes) == 0;
}

/* The frame goes back to who sent it. */
static void put_header(const uint8_t *frame, uint8_t *answer)
{
    memcpy(answer, frame + STATION_BYTES, STATION_BYTES);
    memcpy(answer + STATION_BYTES, station, STATION_BYTES);
}

/* ---- ARP ---- */

enum {
    ARP_BYTES = 28,
    ARP_OPERATION = 6,
    ARP_SENDER = 8,
    ARP_SENDER_IP = 14,
    ARP_TARGET = 18,
    ARP_TARGET_IP = 24
};
enum { ARP_REPLY = 2 };

static size_t answer_arp(const uint8_t *frame, size_t nr_bytes, uint8_t *answer)
{
    /* A request, of Ethernet's addresses for IPv4's. */
    static const uint8_t request[ARP_SENDER] = {0, 1, 8, 0, STATION_BYTES, ADDRESS_BYTES, 0, 1};
    const uint8_t *asked = frame + ETHER_HEADER_BYTES;
    uint8_t *said = answer + ETHER_HEADER_BYTES;
    if (nr_bytes < ETHER_HEADER_BYTES + ARP_BYTES || !is(asked, request, sizeof request) ||
        !is(asked + ARP_TARGET_IP, address, ADDRESS_BYTES))
        return 0;
    memset(answer, 0, ETHER_MIN_BYTES);
    put_header(frame, answer);
    inet_put16(answer + TYPE_AT, TYPE_ARP);
    memcpy(said, request, sizeof request);
    said[ARP_OPERATION + 1] = ARP_REPLY;
    memcpy(said + ARP_SENDER, station, STATION_BYTES);
    memcpy(said + ARP_SENDER_IP, address, ADDRESS_BYTES);
    memcpy(said + ARP_TARGET, asked + ARP_SENDER, STATION_BYTES + ADDRESS_BYTES);
    return ETHER_MIN_BYTES;
}

/* ---- IPv4 ---- */

enum {
    IP_MIN_BYTES = 20,
    IP_LENGTH = 2,
    IP_FRAGMENT = 6,
    IP_TTL = 8,
    IP_PROTOCOL = 9,
    IP_SUM = 10,
    IP_FROM = 12
};
enum { IP_TO = 16, IP_IS_FRAGMENT = 0x3fff, TTL = 255, ICMP = 1, UDP = 17, ICMP_ECHO = 8, ICMP_SUM = 2 };
enum { PAYLOAD_MIN_BYTES = 8, UDP_TO = 2, UDP_LENGTH = 4, UDP_SUM = 6, PORT_ECHO = 7 };

static void swap(uint8_t *a, uint8_t *b, size_t nr_bytes)
{
    for (size_t i = 0; i < nr_bytes; i++) {
        uint8_t byte = a[i];
        a[i] = b[i];
        b[i] = byte;
    }
}

static bool echo_icmp(uint8_t *message, uint32_t nr_bytes)
{
    if (message[0] != ICMP_ECHO || message[1] != 0 || inet_sum(message, nr_bytes, 0) != 0xffff)
        return false;
    message[0] = 0;
    inet_put16(message + ICMP_SUM, 0);
    inet_put16(message + ICMP_SUM, (uint16_t)~inet_sum(message, nr_bytes, 0));
    return true;
}

/* Addresses and ports exchanged have the same sum. */
static bool echo_udp(const uint8_t *ip, uint8_t *message, uint32_t nr_bytes)
{
    uint32_t pseudo = inet_sum(ip + IP_FROM, 2 * ADDRESS_BYTES, UDP + nr_bytes);
    if (inet_get16(message + UDP_TO) != PORT_ECHO || inet_get16(message + UDP_LENGTH) != nr_bytes ||
        (inet_get16(message + UDP_SUM) && inet_sum(message, nr_bytes, pseudo) != 0xffff))
        return false;
    swap(message, message + UDP_TO, 2);
    return true;
}

static size_t answer_ipv4(const uint8_t *frame, size_t nr_bytes, uint8_t *answer)
{
    uint8_t *ip = answer + ETHER_HEADER_BYTES;
    size_t room = nr_bytes - ETHER_HEADER_BYTES;
    memcpy(answer, frame, nr_bytes);
    put_header(frame, answer);
    uint32_t header_bytes = (ip[0] & 15u) * 4,
             total_bytes = room >= IP_MIN_BYTES ? inet_get16(ip + IP_LENGTH) : 0;
    if (room < IP_MIN_BYTES || ip[0] >> 4 != 4 || header_bytes < IP_MIN_BYTES || total_bytes > room ||
        total_bytes < header_bytes + PAYLOAD_MIN_BYTES || inet_sum(ip, header_bytes, 0) != 0xffff ||
        (inet_get16(ip + IP_FRAGMENT) & IP_IS_FRAGMENT) || !is(ip + IP_TO, address, ADDRESS_BYTES))
        return 0;
    uint8_t *message = ip + header_bytes;
    uint32_t message_bytes = total_bytes - header_bytes;
    bool is_known = ip[IP_PROTOCOL] == ICMP  ? echo_icmp(message, message_bytes)
                    : ip[IP_PROTOCOL] == UDP ? echo_udp(ip, message, message_bytes)
                                             : false;
    if (!is_known)
        return 0;
    swap(ip + IP_FROM, ip + IP_TO, ADDRESS_BYTES);
    ip[IP_TTL] = TTL;
    inet_put16(ip + IP_SUM, 0);
    inet_put16(ip + IP_SUM, (uint16_t)~inet_sum(ip, header_bytes, 0));
    return nr_bytes;
}

size_t ether_host_answer(const uint8_t *frame, size_t nr_bytes, uint8_t *answer)
{
    if (nr_bytes < ETHER_HEADER_BYTES ||
        (!is(frame, station, STATION_BYTES) && !is(frame, everybody, STATION_BYTES)))
        return 0;
    switch (inet_get16(frame + TYPE_AT)) {
    case TYPE_ARP:
        return answer_arp(frame, nr_bytes, answer);
    case TYPE_IPV4:
        return answer_ipv4(frame, nr_bytes, answer);
    default:
        return 0;
    }
}
