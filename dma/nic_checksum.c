/*
 * What the card reckons: Ethernet's check sequence, and the sums of IPv4, TCP and UDP (RFC 791, 768, 9293).
 */
#include "dma/nic_internal.h"

/* IEEE 802.3, 3.2.9: polynomial 04C11DB7h, bits reflected, preset to ones and complemented. */
static uint32_t crc32(const uint8_t *bytes, uint32_t nr_bytes)
{
    /* What four zero bits make of each value of the register's low four. */
    static const uint32_t by_nibble[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = UINT32_MAX;
    for (uint32_t i = 0; i < nr_bytes; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ by_nibble[crc & 15];
        crc = crc >> 4 ^ by_nibble[crc & 15];
    }
    return ~crc;
}

void nic_put_crc(uint8_t *frame, uint32_t nr_bytes)
{
    uint32_t crc = crc32(frame, nr_bytes);
    nic_put16(frame + nr_bytes, crc);
    nic_put16(frame + nr_bytes + 2, crc >> 16);
}

bool nic_has_good_crc(const uint8_t *frame, uint32_t nr_bytes)
{
    return nr_bytes >= ETHER_CRC_BYTES &&
           crc32(frame, nr_bytes - ETHER_CRC_BYTES) == nic_get32(frame + nr_bytes - ETHER_CRC_BYTES);
}

enum {
    IPV4_TYPE = 0x0800,
    IPV4_MIN_BYTES = 20,
    IP_TCP = 6,
    IP_UDP = 17,
    ADDRESSES_AT = 12,
    ADDRESSES_BYTES = 8
};
enum { IPV4_FRAGMENT = 0x3fff }; /* more fragments, or an offset */

/* The sum over TCP or UDP with its pseudo-header. */
static bool is_good_payload(const uint8_t *ip, uint32_t header_bytes, uint32_t total_bytes)
{
    uint32_t pseudo = inet_sum(ip + ADDRESSES_AT, ADDRESSES_BYTES, ip[9] + (total_bytes - header_bytes));
    return inet_sum(ip + header_bytes, total_bytes - header_bytes, pseudo) == 0xffff;
}

struct nic_verdict nic_check_sums(const uint8_t *frame, uint32_t nr_bytes, uint32_t rxcsum)
{
    struct nic_verdict verdict = {0};
    const uint8_t *ip = frame + ETHER_HEADER_BYTES;
    uint32_t ip_bytes = nr_bytes - ETHER_HEADER_BYTES;
    bool is_ipv4 = nr_bytes >= ETHER_HEADER_BYTES + IPV4_MIN_BYTES &&
                   inet_get16(frame + ETHER_HEADER_BYTES - 2) == IPV4_TYPE && ip[0] >> 4 == 4;
    uint32_t header_bytes = is_ipv4 ? (ip[0] & 15u) * 4 : 0, total_bytes = is_ipv4 ? inet_get16(ip + 2) : 0;
    if (header_bytes < IPV4_MIN_BYTES || total_bytes < header_bytes || total_bytes > ip_bytes) {
        verdict.status = RXD_IXSM;
        return verdict;
    }
    if (rxcsum & RXCSUM_IPOFLD) {
        verdict.status |= RXD_IPCS;
        verdict.errors |= inet_sum(ip, header_bytes, 0) == 0xffff ? 0 : RXD_IPE;
    }
    uint32_t min_bytes = ip[9] == IP_TCP ? 20 : 8;
    bool is_summed = (ip[9] == IP_TCP || ip[9] == IP_UDP) && total_bytes - header_bytes >= min_bytes &&
                     !(inet_get16(ip + 6) & IPV4_FRAGMENT) &&
                     (ip[9] == IP_TCP || inet_get16(ip + header_bytes + 6) != 0);
    if ((rxcsum & RXCSUM_TUOFLD) && is_summed) {
        verdict.status |= RXD_TCPCS;
        verdict.errors |= is_good_payload(ip, header_bytes, total_bytes) ? 0 : RXD_TCPE;
    }
    if (!(verdict.status & (RXD_IPCS | RXD_TCPCS)))
        verdict.status |= RXD_IXSM;
    return verdict;
}
