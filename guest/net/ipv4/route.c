/* Routes: through which device, and to whom on its link, a packet goes. */
#include "asm/irqflags.h"
#include "err.h"
#include "if.h"
#include "ip.h"
#include "seq_file.h"
#include "slab.h"
#include "string.h"
#include "uaccess.h"
#include "uio.h"

#define NR_ROUTES_MOST 256u

struct route {
    struct list_head list; /* the longest masks first */
    be32 dst, mask, gateway;
    u32 flags, metric;
    bool is_of_device; /* comes and goes with the device's address */
    struct net_device *dev;
};

static LIST_HEAD(routes);
static u32 nr_routes;

bool ip_is_local(be32 address)
{
    const struct net_device *dev;
    list_for_each_entry(dev, &net_devices, list)
    {
        if (!(dev->flags & IFF_UP) || dev->ifa_local == 0)
            continue;
        bool is_loopback = dev->flags & IFF_LOOPBACK;
        if (dev->ifa_local == address ||
            (is_loopback && (dev->ifa_local & dev->ifa_mask) == (address & dev->ifa_mask)))
            return true;
    }
    return false;
}

bool ip_is_broadcast(be32 address, const struct net_device *dev)
{
    return address == htonl(INADDR_BROADCAST) ||
           (dev->ifa_local && (dev->flags & IFF_BROADCAST) && address == dev->ifa_broadcast);
}

static bool is_longer(be32 mask, be32 other)
{
    return ntohl(mask) > ntohl(other);
}

static int add_route(const struct route *wanted)
{
    struct list_head *before = &routes;
    struct route *route;
    if (nr_routes == NR_ROUTES_MOST)
        return -ENOBUFS;
    list_for_each_entry(route, &routes, list)
    {
        if (route->dst == wanted->dst && route->mask == wanted->mask && route->dev == wanted->dev &&
            route->gateway == wanted->gateway && route->metric == wanted->metric)
            return -EEXIST;
        if (is_longer(wanted->mask, route->mask) ||
            (wanted->mask == route->mask && wanted->metric < route->metric))
            break;
        before = &route->list;
    }
    route = kmalloc(sizeof(*route), GFP_KERNEL);
    if (route == NULL)
        return -ENOMEM;
    *route = *wanted;
    unsigned long flags = local_irq_save();
    list_add(&route->list, before);
    nr_routes++;
    local_irq_restore(flags);
    return 0;
}

static void remove_route(struct route *route)
{
    unsigned long flags = local_irq_save();
    list_del_init(&route->list);
    nr_routes--;
    local_irq_restore(flags);
    kfree(route);
}

typedef bool (*route_is_t)(const struct route *route, const struct net_device *dev);

static void remove_routes(route_is_t is_wanted, const struct net_device *dev)
{
    for (struct list_head *at = routes.next, *next; at != &routes; at = next) {
        struct route *route = list_entry(at, struct route, list);
        next = at->next;
        if (is_wanted(route, dev))
            remove_route(route);
    }
}

static bool is_through(const struct route *route, const struct net_device *dev)
{
    return dev == NULL || route->dev == dev;
}

static bool is_link_route(const struct route *route, const struct net_device *dev)
{
    return route->dev == dev && route->is_of_device;
}

void ip_update_routes(struct net_device *dev)
{
    if (!(dev->flags & IFF_UP)) {
        remove_routes(is_through, dev);
        return;
    }
    remove_routes(is_link_route, dev);
    /* What is local needs no route. */
    if (dev->ifa_local == 0 || (dev->flags & IFF_LOOPBACK))
        return;
    add_route(&(struct route){.dst = dev->ifa_local & dev->ifa_mask,
                              .mask = dev->ifa_mask,
                              .flags = RTF_UP,
                              .is_of_device = true,
                              .dev = dev});
}

void ip_flush_routes(void)
{
    remove_routes(is_through, NULL);
}

/* ---- Finding one ---- */

static struct net_device *first_device(u32 wanted_flags)
{
    struct net_device *dev;
    list_for_each_entry(dev, &net_devices, list)
    {
        if ((dev->flags & IFF_UP) && (dev->flags & wanted_flags))
            return dev;
    }
    return NULL;
}

/* The gateway, or the destination itself; NULL: no route. */
static struct net_device *find_route(be32 daddr, int oif, be32 *nexthop)
{
    const struct route *route;
    list_for_each_entry(route, &routes, list)
    {
        if ((daddr & route->mask) != route->dst || (oif && route->dev->ifindex != oif))
            continue;
        *nexthop = (route->flags & RTF_GATEWAY) ? route->gateway : daddr;
        return route->dev;
    }
    return NULL;
}

static int route_output(struct rtable *rt, be32 daddr, be32 saddr, int oif)
{
    *rt = (struct rtable){.daddr = daddr, .saddr = saddr, .nexthop = daddr};
    if (ip_is_local(daddr)) {
        rt->dev = first_device(IFF_LOOPBACK);
        rt->saddr = saddr ? saddr : daddr;
        return rt->dev ? 0 : -ENETUNREACH;
    }
    if (ipv4_is_multicast(daddr) || ipv4_is_loopback(daddr))
        return -ENETUNREACH;
    if (daddr == htonl(INADDR_BROADCAST))
        rt->dev = oif ? dev_get_by_index(oif) : first_device(IFF_BROADCAST);
    else
        rt->dev = find_route(daddr, oif, &rt->nexthop);
    if (rt->dev == NULL || !(rt->dev->flags & IFF_UP))
        return -ENETUNREACH;
    rt->is_broadcast = ip_is_broadcast(daddr, rt->dev);
    if (saddr == 0)
        rt->saddr = rt->dev->ifa_local;
    return 0;
}

int ip_route_output(struct rtable *rt, be32 daddr, be32 saddr, int oif)
{
    unsigned long flags = local_irq_save();
    int error = route_output(rt, daddr, saddr, oif);
    local_irq_restore(flags);
    ip_mib.OutNoRoutes += error != 0;
    return error;
}

/* ---- Programs ---- */

/* struct rtentry of i386. */
struct user_rtentry {
    u32 rt_pad1;
    struct sockaddr_in rt_dst, rt_gateway, rt_genmask;
    u16 rt_flags;
    s16 rt_pad2;
    u32 rt_pad3, rt_pad4;
    s16 rt_metric; /* one more than it is; 0: not given */
    u16 rt_pad5;
    u32 rt_dev; /* a name, or NULL */
    u32 rt_mtu, rt_window;
    u16 rt_irtt;
    u16 rt_pad6;
};

static int get_device(const struct user_rtentry *rt, struct net_device **dev)
{
    char name[IFNAMSIZ];
    *dev = NULL;
    if (rt->rt_dev == 0)
        return 0;
    if (strncpy_from_user(name, user_ptr(rt->rt_dev), sizeof(name)) < 0)
        return -EFAULT;
    name[sizeof(name) - 1] = '\0';
    *dev = dev_get_by_name(name);
    return *dev ? 0 : -ENODEV;
}

/* The device on whose link the gateway is. */
static struct net_device *device_of_gateway(be32 gateway)
{
    be32 nexthop;
    struct net_device *dev = find_route(gateway, 0, &nexthop);
    return dev && nexthop == gateway ? dev : NULL;
}

static int route_of_user(struct route *route, const struct user_rtentry *rt)
{
    int error = get_device(rt, &route->dev);
    if (error)
        return error;
    route->dst = rt->rt_dst.sin_addr;
    route->mask = (rt->rt_flags & RTF_HOST) ? ~0u : rt->rt_genmask.sin_addr;
    route->gateway = (rt->rt_flags & RTF_GATEWAY) ? rt->rt_gateway.sin_addr : 0;
    route->flags = (rt->rt_flags & (RTF_GATEWAY | RTF_HOST)) | RTF_UP;
    route->metric = rt->rt_metric > 0 ? (u32)rt->rt_metric - 1 : 0;
    u32 inverse = ~ntohl(route->mask);
    /* The mask is ones, and then zeroes. */
    if ((inverse & (inverse + 1)) || (route->dst & ~route->mask))
        return -EINVAL;
    return 0;
}

static int delete_route(const struct route *wanted)
{
    struct route *route;
    list_for_each_entry(route, &routes, list)
    {
        if (route->dst == wanted->dst && route->mask == wanted->mask &&
            (wanted->dev == NULL || route->dev == wanted->dev) &&
            (wanted->gateway == 0 || route->gateway == wanted->gateway)) {
            remove_route(route);
            return 0;
        }
    }
    return -ESRCH;
}

long ip_route_ioctl(u32 command, const void __user *arg)
{
    struct user_rtentry rt;
    struct route route = {.dst = 0};
    if (!capable_root())
        return -EPERM;
    if (copy_from_user(&rt, arg, sizeof(rt)))
        return -EFAULT;
    int error = route_of_user(&route, &rt);
    if (error)
        return error;
    if (command == SIOCDELRT)
        return delete_route(&route);
    if ((route.flags & RTF_GATEWAY) && route.dev == NULL)
        route.dev = device_of_gateway(route.gateway);
    if (route.dev == NULL)
        return (route.flags & RTF_GATEWAY) ? -ENETUNREACH : -ENODEV;
    return (route.dev->flags & IFF_UP) ? add_route(&route) : -ENETDOWN;
}

void route_show(struct seq_file *m)
{
    const struct route *route;
    seq_printf(m, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n");
    list_for_each_entry(route, &routes, list)
    {
        seq_printf(m, "%s\t%08X\t%08X\t%04X\t0\t0\t%u\t%08X\t0\t0\t0\n", route->dev->name, route->dst,
                   route->gateway, route->flags, route->metric, route->mask);
    }
}
