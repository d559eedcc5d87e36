/* Frames of Ethernet II. */
#include "netdevice.h"
#include "string.h"

void __init ether_setup(struct net_device *dev)
{
    dev->type = ARPHRD_ETHER;
    dev->flags = IFF_BROADCAST | IFF_MULTICAST;
    dev->mtu = ETH_DATA_LEN;
    dev->mtu_most = ETH_DATA_LEN;
    dev->tx_queue_len = 1000;
    memset(dev->broadcast, 0xFF, ETH_ALEN);
}

void eth_header(struct sk_buff *skb, const struct net_device *dev, u16 type, const u8 *destination)
{
    union {
        u8 *bytes;
        struct ethhdr *eth;
    } at = {.bytes = skb_push(skb, ETH_HLEN)};
    memcpy(at.eth->h_dest, destination ? destination : dev->dev_addr, ETH_ALEN);
    memcpy(at.eth->h_source, dev->dev_addr, ETH_ALEN);
    at.eth->h_proto = htons((u16)type);
}

bool eth_type_trans(struct sk_buff *skb, struct net_device *dev)
{
    if (skb_headlen(skb) < ETH_HLEN)
        return false;
    const struct ethhdr *eth = (const void *)skb->data;
    skb->dev = dev;
    skb->protocol = eth->h_proto;
    if (eth->h_dest[0] & 1)
        skb->pkt_type = memcmp(eth->h_dest, dev->broadcast, ETH_ALEN) ? PACKET_MULTICAST : PACKET_BROADCAST;
    else
        skb->pkt_type = memcmp(eth->h_dest, dev->dev_addr, ETH_ALEN) ? PACKET_OTHERHOST : PACKET_HOST;
    skb_pull(skb, ETH_HLEN);
    return true;
}
