/* Packets that come in: nothing in them is believed before it was looked at. */
#include "ip.h"

struct ip_mib ip_mib;

/* The header is whole and right, and so is the packet's length, to which it is cut. */
static bool header_is_right(struct sk_buff *skb)
{
    if (skb_headlen(skb) < sizeof(struct iphdr))
        return false;
    const struct iphdr *ip = (const void *)skb->data;
    u32 header_bytes = ip->ihl * 4u, bytes = ntohs(ip->tot_len);
    if (ip->version != 4 || header_bytes < sizeof(*ip) || header_bytes > skb_headlen(skb))
        return false;
    if (csum_fold(csum_partial(ip, header_bytes, 0)) != 0)
        return false;
    if (bytes < header_bytes || bytes > skb->len)
        return false;
    skb_trim(skb, bytes);
    return true;
}

/* No packet of a wire's comes from this machine itself, or from many. */
static bool sender_is_right(const struct sk_buff *skb, const struct iphdr *ip)
{
    if (skb->dev->flags & IFF_LOOPBACK)
        return true;
    return !ipv4_is_loopback(ip->saddr) && !ipv4_is_loopback(ip->daddr) && !ipv4_is_multicast(ip->saddr) &&
           ip->saddr != htonl(INADDR_BROADCAST);
}

void ip_local_deliver(struct sk_buff *skb)
{
    u8 protocol = ip_hdr(skb)->protocol;
    bool is_heard = raw_local_deliver(skb);
    skb_pull(skb, ip_hdr(skb)->ihl * 4u);
    skb->transport_header = skb->data;
    ip_mib.InDelivers++;
    if (protocol == IPPROTO_UDP) {
        udp_rcv(skb);
    } else if (protocol == IPPROTO_ICMP) {
        icmp_rcv(skb);
    } else {
        ip_mib.InUnknownProtos += !is_heard;
        kfree_skb(skb);
    }
}

void ip_rcv(struct sk_buff *skb)
{
    ip_mib.InReceives++;
    if (skb->pkt_type == PACKET_OTHERHOST) {
        kfree_skb(skb);
        return;
    }
    if (!header_is_right(skb)) {
        ip_mib.InHdrErrors++;
        kfree_skb(skb);
        return;
    }
    skb->network_header = skb->data;
    const struct iphdr *ip = ip_hdr(skb);
    /* This machine does not forward. */
    bool is_ours = ip_is_local(ip->daddr) || ip_is_broadcast(ip->daddr, skb->dev);
    if (!is_ours || !sender_is_right(skb, ip)) {
        ip_mib.InAddrErrors++;
        kfree_skb(skb);
        return;
    }
    if (ip->frag_off & htons(IP_MF | IP_OFFSET)) {
        ip_defrag(skb);
        return;
    }
    ip_local_deliver(skb);
}
