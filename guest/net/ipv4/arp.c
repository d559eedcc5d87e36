/* ARP (RFC 826): which Ethernet address has the machine with an IP address? */
#include "asm/irqflags.h"
#include "err.h"
#include "if.h"
#include "ip.h"
#include "jiffies.h"
#include "seq_file.h"
#include "slab.h"
#include "string.h"
#include "timer.h"
#include "uaccess.h"

#define NR_NEIGHBOURS_MOST 256u
#define QUEUE_MOST 64u /* packets that wait for an answer */
#define RETRY_TICKS HZ /* until the next question */
#define TRIES_MOST 3u
#define REACHABLE_TICKS (60 * HZ) /* then it is asked again */

struct neighbour {
    struct list_head list;
    struct net_device *dev;
    be32 address;
    bool is_known, is_permanent;
    u8 ha[ETH_ALEN];
    u32 tries; /* questions since it was heard of last */
    struct list_head queue;
    u32 queue_len;
    struct timer_list timer; /* runs while an answer is waited for, or until what is known is old */
};

static LIST_HEAD(neighbours);
static u32 nr_neighbours;

static void send_arp(struct net_device *dev, u16 op, be32 target, const u8 *target_ha, be32 source)
{
    struct sk_buff *skb = alloc_skb(LL_MAX_HEADER + sizeof(struct arphdr), GFP_ATOMIC);
    if (skb == NULL)
        return;
    skb_reserve(skb, LL_MAX_HEADER);
    struct arphdr *arp = (void *)skb_put(skb, sizeof(*arp));
    *arp = (struct arphdr){.ar_hrd = htons(ARPHRD_ETHER),
                           .ar_pro = htons(ETH_P_IP),
                           .ar_hln = ETH_ALEN,
                           .ar_pln = sizeof(be32),
                           .ar_op = htons(op),
                           .ar_sip = source,
                           .ar_tip = target};
    memcpy(arp->ar_sha, dev->dev_addr, ETH_ALEN);
    if (target_ha)
        memcpy(arp->ar_tha, target_ha, ETH_ALEN);
    skb->dev = dev;
    skb->protocol = htons(ETH_P_ARP);
    eth_header(skb, dev, ETH_P_ARP, target_ha ? target_ha : dev->broadcast);
    dev_queue_xmit(skb);
}

/* ---- The table. Interrupts are off. ---- */

static struct neighbour *find_neighbour(const struct net_device *dev, be32 address)
{
    struct neighbour *n;
    list_for_each_entry(n, &neighbours, list)
    {
        if (n->dev == dev && n->address == address)
            return n;
    }
    return NULL;
}

static void drop_neighbour(struct neighbour *n)
{
    del_timer(&n->timer);
    list_del_init(&n->list);
    nr_neighbours--;
    skb_queue_purge(&n->queue);
    kfree(n);
}

/* Nobody answers: who sends there is told. */
static void give_up(struct neighbour *n)
{
    while (!list_empty(&n->queue)) {
        struct sk_buff *skb = list_first_entry(&n->queue, struct sk_buff, list);
        list_del_init(&skb->list);
        icmp_send(skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH);
        kfree_skb(skb);
    }
    drop_neighbour(n);
}

static void ask(struct neighbour *n)
{
    n->tries++;
    mod_timer(&n->timer, jiffies + RETRY_TICKS);
    send_arp(n->dev, ARPOP_REQUEST, n->address, NULL, n->dev->ifa_local);
}

static void timer_expired(struct timer_list *timer)
{
    struct neighbour *n = container_of(timer, struct neighbour, timer);
    if (n->is_permanent)
        return;
    if (n->tries == TRIES_MOST)
        give_up(n);
    else if (!n->is_known)
        ask(n);
    else if (n->tries) /* the answer to a question about an old one has not come */
        ask(n);
}

static void make_room(void)
{
    struct neighbour *n;
    list_for_each_entry(n, &neighbours, list)
    {
        if (!n->is_permanent && n->is_known) {
            drop_neighbour(n);
            return;
        }
    }
}

static struct neighbour *new_neighbour(struct net_device *dev, be32 address)
{
    if (nr_neighbours == NR_NEIGHBOURS_MOST)
        make_room();
    struct neighbour *n = nr_neighbours < NR_NEIGHBOURS_MOST ? kzalloc(sizeof(*n), GFP_ATOMIC) : NULL;
    if (n == NULL)
        return NULL;
    n->dev = dev;
    n->address = address;
    INIT_LIST_HEAD(&n->queue);
    timer_setup(&n->timer, timer_expired);
    list_add_tail(&n->list, &neighbours);
    nr_neighbours++;
    return n;
}

static void send_to(struct neighbour *n, struct sk_buff *skb)
{
    eth_header(skb, n->dev, ETH_P_IP, n->ha);
    dev_queue_xmit(skb);
}

static void set_address(struct neighbour *n, const u8 *ha)
{
    memcpy(n->ha, ha, ETH_ALEN);
    n->is_known = true;
    n->tries = 0;
    mod_timer(&n->timer, jiffies + REACHABLE_TICKS);
    n->queue_len = 0;
    while (!list_empty(&n->queue)) {
        struct sk_buff *skb = list_first_entry(&n->queue, struct sk_buff, list);
        list_del_init(&skb->list);
        send_to(n, skb);
    }
}

static void resolve(struct sk_buff *skb, struct net_device *dev, be32 nexthop)
{
    struct neighbour *n = find_neighbour(dev, nexthop);
    if (n == NULL)
        n = new_neighbour(dev, nexthop);
    if (n == NULL || (!n->is_known && n->queue_len == QUEUE_MOST)) {
        ip_mib.OutDiscards++;
        kfree_skb(skb);
        return;
    }
    bool is_known = n->is_known;
    if (!is_known) {
        list_add_tail(&skb->list, &n->queue);
        n->queue_len++;
    }
    /* The answer may come at once. */
    if (!n->timer.is_pending && !n->is_permanent)
        ask(n);
    if (is_known)
        send_to(n, skb);
}

void arp_send_to(struct sk_buff *skb, struct net_device *dev, be32 nexthop)
{
    unsigned long flags = local_irq_save();
    resolve(skb, dev, nexthop);
    local_irq_restore(flags);
}

void arp_ifdown(const struct net_device *dev)
{
    unsigned long flags = local_irq_save();
    for (struct list_head *at = neighbours.next, *next; at != &neighbours; at = next) {
        struct neighbour *n = list_entry(at, struct neighbour, list);
        next = at->next;
        if (dev == NULL || n->dev == dev)
            drop_neighbour(n);
    }
    local_irq_restore(flags);
}

/* ---- What comes ---- */

/* RFC 826's "packet reception": who is known already is updated, who asks us becomes known. */
static void receive(const struct arphdr *arp, struct net_device *dev)
{
    bool is_for_us = dev->ifa_local && arp->ar_tip == dev->ifa_local;
    struct neighbour *n = find_neighbour(dev, arp->ar_sip);
    if (n == NULL && is_for_us && arp->ar_sip)
        n = new_neighbour(dev, arp->ar_sip);
    if (n && !n->is_permanent)
        set_address(n, arp->ar_sha);
    if (is_for_us && ntohs(arp->ar_op) == ARPOP_REQUEST)
        send_arp(dev, ARPOP_REPLY, arp->ar_sip, arp->ar_sha, dev->ifa_local);
}

static bool is_right(const struct arphdr *arp, const struct net_device *dev)
{
    u16 op = ntohs(arp->ar_op);
    return ntohs(arp->ar_hrd) == ARPHRD_ETHER && ntohs(arp->ar_pro) == ETH_P_IP && arp->ar_hln == ETH_ALEN &&
           arp->ar_pln == sizeof(be32) && (op == ARPOP_REQUEST || op == ARPOP_REPLY) &&
           !(arp->ar_sha[0] & 1) && !ipv4_is_loopback(arp->ar_sip) && !ipv4_is_multicast(arp->ar_sip) &&
           arp->ar_sip != htonl(INADDR_BROADCAST) && arp->ar_sip != dev->ifa_local;
}

void arp_rcv(struct sk_buff *skb)
{
    const struct arphdr *arp = (const void *)skb->data;
    struct net_device *dev = skb->dev;
    if (!(dev->flags & (IFF_NOARP | IFF_LOOPBACK)) && skb->pkt_type != PACKET_OTHERHOST &&
        skb_headlen(skb) >= sizeof(*arp) && is_right(arp, dev))
        receive(arp, dev);
    kfree_skb(skb);
}

/* ---- Programs ---- */

static u32 flags_of(const struct neighbour *n)
{
    return (n->is_known ? ATF_COM : 0) | (n->is_permanent ? ATF_PERM : 0);
}

/* The device that is named; or the one on whose link the address is. */
static struct net_device *device_of(const struct arpreq *req)
{
    struct rtable rt;
    if (req->arp_dev[0])
        return dev_get_by_name(req->arp_dev);
    return ip_route_output(&rt, req->arp_pa.sin_addr, 0, 0) ? NULL : rt.dev;
}

static long change(const struct arpreq *req, struct net_device *dev, u32 command)
{
    be32 address = req->arp_pa.sin_addr;
    long result = 0;
    unsigned long flags = local_irq_save();
    struct neighbour *n = find_neighbour(dev, address);
    if (command == SIOCDARP) {
        if (n)
            drop_neighbour(n);
        result = n ? 0 : -ENXIO;
    } else {
        if (n == NULL)
            n = new_neighbour(dev, address);
        if (n) {
            set_address(n, req->arp_ha.address);
            n->is_permanent = req->arp_flags & ATF_PERM;
        }
        result = n ? 0 : -ENOMEM;
    }
    local_irq_restore(flags);
    return result;
}

static long look_up(struct arpreq *req, const struct net_device *dev)
{
    unsigned long flags = local_irq_save();
    const struct neighbour *n = find_neighbour(dev, req->arp_pa.sin_addr);
    if (n) {
        req->arp_flags = flags_of(n);
        req->arp_ha.sa_family = dev->type;
        memset(req->arp_ha.address, 0, sizeof(req->arp_ha.address));
        memcpy(req->arp_ha.address, n->ha, ETH_ALEN);
        strlcpy(req->arp_dev, dev->name, sizeof(req->arp_dev));
    }
    local_irq_restore(flags);
    return n ? 0 : -ENXIO;
}

long arp_ioctl(u32 command, void __user *arg)
{
    struct arpreq req;
    if (command != SIOCGARP && !capable_root())
        return -EPERM;
    if (copy_from_user(&req, arg, sizeof(req)))
        return -EFAULT;
    req.arp_dev[sizeof(req.arp_dev) - 1] = '\0';
    if (req.arp_pa.sin_family != AF_INET)
        return -EPFNOSUPPORT;
    struct net_device *dev = device_of(&req);
    if (dev == NULL)
        return req.arp_dev[0] ? -ENODEV : -ENXIO;
    if (command != SIOCGARP)
        return change(&req, dev, command);
    long error = look_up(&req, dev);
    return error ? error : copy_to_user(arg, &req, sizeof(req)) ? -EFAULT : 0;
}

static void show_neighbour(struct seq_file *m, const struct neighbour *n)
{
    const u8 *ip = (const u8 *)&n->address;
    char text[16];
    snprintf(text, sizeof(text), "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
    seq_printf(m, "%-16s 0x1         0x%-10x%02x:%02x:%02x:%02x:%02x:%02x     *        %s\n", text,
               flags_of(n), n->ha[0], n->ha[1], n->ha[2], n->ha[3], n->ha[4], n->ha[5], n->dev->name);
}

void arp_show(struct seq_file *m)
{
    const struct neighbour *n;
    seq_printf(m, "IP address       HW type     Flags       HW address            Mask     Device\n");
    unsigned long flags = local_irq_save();
    list_for_each_entry(n, &neighbours, list) show_neighbour(m, n);
    local_irq_restore(flags);
}
