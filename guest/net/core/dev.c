/* Network devices: which there are, and the way of packets through them. */
#include "asm/irqflags.h"
#include "errno.h"
#include "net_protocols.h"
#include "netdevice.h"
#include "printk.h"
#include "string.h"

#define BACKLOG_MOST 1000u

LIST_HEAD(net_devices);

/* ---- Which there are ---- */

struct net_device *dev_get_by_name(const char *name)
{
    struct net_device *dev;
    list_for_each_entry(dev, &net_devices, list)
    {
        if (strncmp(dev->name, name, IFNAMSIZ) == 0)
            return dev;
    }
    return NULL;
}

struct net_device *dev_get_by_index(int ifindex)
{
    struct net_device *dev;
    list_for_each_entry(dev, &net_devices, list)
    {
        if (dev->ifindex == ifindex)
            return dev;
    }
    return NULL;
}

void __init register_netdev(struct net_device *dev)
{
    static int last_ifindex;
    if (strchr(dev->name, '%')) {
        char name[IFNAMSIZ];
        unsigned int number = 0;
        do
            snprintf(name, sizeof(name), "eth%u", number++);
        while (dev_get_by_name(name));
        strlcpy(dev->name, name, sizeof(dev->name));
    }
    dev->ifindex = ++last_ifindex;
    INIT_LIST_HEAD(&dev->queue);
    list_add_tail(&dev->list, &net_devices);
}

int dev_open(struct net_device *dev)
{
    if (dev->flags & IFF_UP)
        return 0;
    dev->is_stopped = false;
    int error = dev->ops->open ? dev->ops->open(dev) : 0;
    if (error == 0)
        dev->flags |= IFF_UP | IFF_RUNNING;
    return error;
}

void dev_close(struct net_device *dev)
{
    if (!(dev->flags & IFF_UP))
        return;
    dev->flags &= ~(IFF_UP | IFF_RUNNING);
    if (dev->ops->stop)
        dev->ops->stop(dev);
    unsigned long flags = local_irq_save();
    skb_queue_purge(&dev->queue);
    dev->queue_len = 0;
    local_irq_restore(flags);
}

/* ---- Out ---- */

static void drop_outgoing(struct sk_buff *skb, struct net_device *dev)
{
    dev->stats.tx_dropped++;
    kfree_skb(skb);
}

/* What the device cannot do itself is done here: 0, or -ENOMEM. */
static int prepare_for_device(struct sk_buff *skb, const struct net_device *dev)
{
    if (skb->nr_frags && !(dev->features & NETIF_F_SG) && skb_linearize(skb))
        return -ENOMEM;
    if (skb->ip_summed == CHECKSUM_PARTIAL && !(dev->features & NETIF_F_HW_CSUM))
        skb_checksum_help(skb);
    return 0;
}

/* Interrupts are off. */
static void run_queue(struct net_device *dev)
{
    while (!dev->is_stopped && !list_empty(&dev->queue)) {
        struct sk_buff *skb = list_first_entry(&dev->queue, struct sk_buff, list);
        list_del_init(&skb->list);
        if (!dev->ops->start_xmit(skb, dev)) {
            list_add(&skb->list, &dev->queue);
            return;
        }
        dev->queue_len--;
    }
}

void dev_queue_xmit(struct sk_buff *skb)
{
    struct net_device *dev = skb->dev;
    if (!(dev->flags & IFF_UP) || prepare_for_device(skb, dev)) {
        drop_outgoing(skb, dev);
        return;
    }
    unsigned long flags = local_irq_save();
    if (dev->queue_len < dev->tx_queue_len || (dev->queue_len == 0 && !dev->is_stopped)) {
        list_add_tail(&skb->list, &dev->queue);
        dev->queue_len++;
        run_queue(dev);
    } else {
        drop_outgoing(skb, dev);
    }
    local_irq_restore(flags);
}

void netif_wake_queue(struct net_device *dev)
{
    unsigned long flags = local_irq_save();
    dev->is_stopped = false;
    run_queue(dev);
    local_irq_restore(flags);
}

/* ---- In ---- */

static LIST_HEAD(backlog);
static u32 backlog_len;
static bool is_receiving; /* somebody takes packets from the backlog */

static struct sk_buff *next_received(void)
{
    unsigned long flags = local_irq_save();
    struct sk_buff *skb = NULL;
    if (list_empty(&backlog)) {
        is_receiving = false;
    } else {
        skb = list_first_entry(&backlog, struct sk_buff, list);
        list_del_init(&skb->list);
        backlog_len--;
    }
    local_irq_restore(flags);
    return skb;
}

static void deliver(struct sk_buff *skb)
{
    if (ntohs(skb->protocol) == ETH_P_IP)
        ip_rcv(skb);
    else if (ntohs(skb->protocol) == ETH_P_ARP)
        arp_rcv(skb);
    else
        kfree_skb(skb);
}

/*
 * An answer to a packet may be received before the packet is done with (lo): it waits its turn, so that the
 * stack does not grow.
 */
void netif_rx(struct sk_buff *skb)
{
    unsigned long flags = local_irq_save();
    bool was_receiving = is_receiving;
    if (backlog_len == BACKLOG_MOST) {
        skb->dev->stats.rx_dropped++;
        kfree_skb(skb);
    } else {
        list_add_tail(&skb->list, &backlog);
        backlog_len++;
        is_receiving = true;
    }
    local_irq_restore(flags);
    if (was_receiving)
        return;
    while ((skb = next_received()) != NULL)
        deliver(skb);
}

/* ---- The beginning and the end ---- */

void __init net_init(void)
{
    skb_init();
    inet_init();
    unix_init();
    loopback_init();
    e1000_init();
}

void net_shutdown(void)
{
    struct net_device *dev;
    list_for_each_entry(dev, &net_devices, list) dev_close(dev);
    inet_shutdown();
    skb_free_thread_stop();
}
