/*
 * What goes over the wire: the headers of Ethernet II (IEEE 802.3), ARP (RFC 826), IPv4 (RFC 791), ICMP (RFC
 * 792) and UDP (RFC 768), and the Internet checksum (RFC 1071). Headers may lie at any address.
 */
#pragma once

#include "compiler.h"
#include "types.h"

static inline be16 htons(u16 x)
{
    return __builtin_bswap16(x);
}

static inline u16 ntohs(be16 x)
{
    return __builtin_bswap16(x);
}

static inline be32 htonl(u32 x)
{
    return __builtin_bswap32(x);
}

static inline u32 ntohl(be32 x)
{
    return __builtin_bswap32(x);
}

#define ETH_ALEN 6u
#define ETH_HLEN 14u
#define ETH_DATA_LEN 1500u
#define ETH_ZLEN 60u /* the shortest frame, without its checksum */
#define ETH_P_IP 0x0800u
#define ETH_P_ARP 0x0806u

struct ethhdr {
    u8 h_dest[ETH_ALEN], h_source[ETH_ALEN];
    be16 h_proto;
} __packed;

#define ARPHRD_ETHER 1u
#define ARPHRD_LOOPBACK 772u
#define ARPOP_REQUEST 1u
#define ARPOP_REPLY 2u

/* For Ethernet and IPv4. */
struct arphdr {
    be16 ar_hrd, ar_pro;
    u8 ar_hln, ar_pln;
    be16 ar_op;
    u8 ar_sha[ETH_ALEN];
    be32 ar_sip;
    u8 ar_tha[ETH_ALEN];
    be32 ar_tip;
} __packed;

#define IP_DF 0x4000u
#define IP_MF 0x2000u
#define IP_OFFSET 0x1FFFu /* of 8 bytes */
#define IP_MAX_BYTES 0xFFFFu
#define IPPROTO_IP 0u
#define IPPROTO_ICMP 1u
#define IPPROTO_UDP 17u
#define IPPROTO_RAW 255u

struct iphdr {
    u8 ihl : 4, version : 4; /* ihl: of the header, in words */
    u8 tos;
    be16 tot_len, id, frag_off;
    u8 ttl, protocol;
    u16 check;
    be32 saddr, daddr;
} __packed;

#define ICMP_ECHOREPLY 0u
#define ICMP_DEST_UNREACH 3u
#define ICMP_ECHO 8u
#define ICMP_HOST_UNREACH 1u
#define ICMP_PORT_UNREACH 3u
#define ICMP_FRAG_NEEDED 4u

struct icmphdr {
    u8 type, code;
    u16 checksum;
    be16 id, sequence;
} __packed;

struct udphdr {
    be16 source, dest, len;
    u16 check;
} __packed;

#define INADDR_ANY 0u
#define INADDR_LOOPBACK 0x7F000001u /* in the host's order, as the next */
#define INADDR_BROADCAST 0xFFFFFFFFu

static inline bool ipv4_is_loopback(be32 address)
{
    return (address & 0xFF) == 127;
}

/* 224.0.0.0 and above: groups and what is reserved, but for the limited broadcast. */
static inline bool ipv4_is_multicast(be32 address)
{
    return (address & 0xF0) == 0xE0;
}

/*
 * Sums of 16-bit words with end-around carry; words are taken as they lie in memory, so that the sum is right
 * to be stored in the same way. csum_partial(): bytes at an even distance from the beginning, added to sum.
 */
u32 csum_partial(const void *bytes, u32 count, u32 sum);

/* The sum of two stretches, the second of which begins `offset` bytes behind the first's beginning. */
static inline u32 csum_block_add(u32 sum, u32 sum2, u32 offset)
{
    if (offset & 1)
        sum2 = (sum2 & 0x00FF00FFu) << 8 | (sum2 >> 8 & 0x00FF00FFu);
    sum += sum2;
    return sum + (sum < sum2);
}

/* What a header's field is to hold: the complement, in 16 bits. 0 over a stretch with a right checksum. */
static inline u16 csum_fold(u32 sum)
{
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    return (u16)~sum;
}

/* The sum of the pseudo header that UDP's checksum begins with. */
u32 csum_pseudo(be32 saddr, be32 daddr, u32 len, u8 protocol);
