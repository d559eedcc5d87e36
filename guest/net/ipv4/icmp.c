/* ICMP (RFC 792): answers to echo requests, and what went wrong with a packet. */
#include "err.h"
#include "ip.h"
#include "string.h"

struct icmp_mib icmp_mib;

/* A message with `bytes` bytes of in behind its header, from offset on, to the sender of in. */
static void send_message(const struct sk_buff *in, struct icmphdr header, u32 offset, u32 bytes)
{
    struct rtable rt;
    be32 from = ip_hdr(in)->daddr;
    if (ip_route_output(&rt, ip_hdr(in)->saddr, ip_is_local(from) ? from : 0, 0))
        return;
    struct sk_buff *skb =
        alloc_skb(LL_MAX_HEADER + (u32)(sizeof(struct iphdr) + sizeof(header)) + bytes, GFP_ATOMIC);
    if (skb == NULL) {
        icmp_mib.OutErrors++;
        return;
    }
    skb_reserve(skb, LL_MAX_HEADER + (u32)sizeof(struct iphdr));
    struct icmphdr *icmp = (void *)skb_put(skb, sizeof(header));
    *icmp = header;
    skb_copy_bits(in, offset, skb_put(skb, bytes), bytes);
    icmp->checksum = 0;
    icmp->checksum = csum_fold(csum_partial(skb->data, skb->len, 0));
    icmp_mib.OutMsgs++;
    icmp_mib.OutDestUnreachs += header.type == ICMP_DEST_UNREACH;
    icmp_mib.OutEchoReps += header.type == ICMP_ECHOREPLY;
    ip_send_skb(skb, &rt, IPPROTO_ICMP);
}

static void answer_echo(const struct sk_buff *skb, const struct icmphdr *icmp)
{
    icmp_mib.InEchos++;
    if (skb->pkt_type != PACKET_HOST)
        return;
    struct icmphdr reply = *icmp;
    reply.type = ICMP_ECHOREPLY;
    send_message(skb, reply, sizeof(reply), skb->len - (u32)sizeof(reply));
}

/* ---- Errors ---- */

static bool is_error(u8 type)
{
    return type == ICMP_DEST_UNREACH || type == 4 || type == 5 || type == 11 || type == 12;
}

/* RFC 1122, 3.2.2: no error is about an error, a packet to or from many, or a fragment but the first. */
static bool may_answer(const struct sk_buff *skb, const struct iphdr *ip)
{
    u32 header_bytes = ip->ihl * 4u;
    u32 ip_offset = (u32)(skb->network_header - skb->data);
    u8 type = 0;
    if ((ip->frag_off & htons(IP_OFFSET)) || skb->pkt_type != PACKET_HOST || ip->saddr == 0 ||
        ipv4_is_multicast(ip->saddr) || ip->saddr == htonl(INADDR_BROADCAST))
        return false;
    if (ip->protocol == IPPROTO_ICMP && ip_offset + header_bytes < skb->len)
        skb_copy_bits(skb, ip_offset + header_bytes, &type, sizeof(type));
    return !is_error(type);
}

/* As much of the packet as RFC 792 asks for: its header and 8 bytes. */
void icmp_send(const struct sk_buff *skb, u8 type, u8 code)
{
    const struct iphdr *ip = ip_hdr(skb);
    u32 header_bytes = ip->ihl * 4u;
    struct sk_buff *quoted = skb_copy(skb, GFP_ATOMIC);
    if (quoted == NULL)
        return;
    /* The copy begins with IP's header again. */
    skb_push(quoted, (u32)(quoted->data - quoted->network_header));
    if (may_answer(quoted, ip)) {
        send_message(quoted, (struct icmphdr){.type = type, .code = code}, 0,
                     min(quoted->len, header_bytes + 8));
    }
    kfree_skb(quoted);
}

/* The packet that it is about begins behind the message's header, and has at least 8 bytes of its own. */
static void take_error(const struct sk_buff *skb, const struct icmphdr *icmp)
{
    static const int errors[] = {[ICMP_HOST_UNREACH] = -EHOSTUNREACH,
                                 [ICMP_PORT_UNREACH] = -ECONNREFUSED,
                                 [ICMP_FRAG_NEEDED] = -EMSGSIZE};
    const u8 *inner = skb->data + sizeof(*icmp);
    u32 bytes = skb_headlen(skb) - (u32)sizeof(*icmp);
    const struct iphdr *ip = (const void *)inner;
    icmp_mib.InDestUnreachs++;
    if (bytes < sizeof(*ip) || ip->version != 4 || ip->ihl * 4u < sizeof(*ip) || ip->ihl * 4u + 8 > bytes) {
        icmp_mib.InErrors++;
        return;
    }
    if (ip->protocol != IPPROTO_UDP || (ip->frag_off & htons(IP_OFFSET)))
        return;
    const struct udphdr *udp = (const void *)(inner + ip->ihl * 4u);
    int error = icmp->code < ARRAY_SIZE(errors) ? errors[icmp->code] : 0;
    udp_err(ip->saddr, udp->source, ip->daddr, udp->dest, error ? error : -EHOSTUNREACH);
}

void icmp_rcv(struct sk_buff *skb)
{
    const struct icmphdr *icmp = (const void *)skb->data;
    icmp_mib.InMsgs++;
    if (skb_headlen(skb) < sizeof(*icmp)) {
        icmp_mib.InErrors++;
    } else if (skb->ip_summed != CHECKSUM_PARTIAL && csum_fold(skb_checksum(skb, 0, 0)) != 0) {
        icmp_mib.InCsumErrors++;
        icmp_mib.InErrors++;
    } else if (icmp->type == ICMP_ECHO) {
        answer_echo(skb, icmp);
    } else if (icmp->type == ICMP_DEST_UNREACH) {
        take_error(skb, icmp);
    } else if (icmp->type == ICMP_ECHOREPLY) {
        icmp_mib.InEchoReps++;
    }
    kfree_skb(skb);
}
