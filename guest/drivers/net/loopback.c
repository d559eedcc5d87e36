/* lo: what is sent comes back. */
#include "netdevice.h"
#include "string.h"

#define LOOPBACK_MTU 65536u

static bool loopback_xmit(struct sk_buff *skb, struct net_device *dev)
{
    skb_orphan(skb);
    dev->stats.tx_packets++;
    dev->stats.tx_bytes += skb->len;
    dev->stats.rx_packets++;
    dev->stats.rx_bytes += skb->len;
    if (eth_type_trans(skb, dev))
        netif_rx(skb);
    else
        kfree_skb(skb);
    return true;
}

static const struct net_device_ops loopback_ops = {.start_xmit = loopback_xmit};

/* A checksum that nothing can have damaged need not be made. */
static struct net_device loopback = {.name = "lo",
                                     .type = ARPHRD_LOOPBACK,
                                     .flags = IFF_LOOPBACK,
                                     .mtu = LOOPBACK_MTU,
                                     .mtu_most = LOOPBACK_MTU,
                                     .features = NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_HIGHDMA,
                                     .hw_features = NETIF_F_SG | NETIF_F_HW_CSUM,
                                     .tx_queue_len = 1000,
                                     .ops = &loopback_ops};

void __init loopback_init(void)
{
    register_netdev(&loopback);
}
