/* What ifconfig, route, arp and ethtool ask of devices and their addresses (netdevice(7)). */
#include "asm/irqflags.h"
#include "err.h"
#include "if.h"
#include "ip.h"
#include "sched.h"
#include "string.h"
#include "uaccess.h"
#include "uio.h"

#define MTU_LEAST 68u /* RFC 791 */

/* ---- The address ---- */

static be32 natural_mask(be32 address)
{
    u32 first = ntohl(address) >> 24;
    return htonl(first < 128 ? 0xFF000000u : first < 192 ? 0xFFFF0000u : 0xFFFFFF00u);
}

static void set_addresses(struct net_device *dev, be32 local, be32 mask, be32 broadcast)
{
    unsigned long flags = local_irq_save();
    dev->ifa_local = local;
    dev->ifa_mask = mask;
    dev->ifa_broadcast = broadcast;
    local_irq_restore(flags);
    ip_update_routes(dev);
}

static be32 broadcast_of(be32 local, be32 mask)
{
    return local | ~mask;
}

static int set_local(struct net_device *dev, be32 local)
{
    if (ipv4_is_multicast(local) || local == htonl(INADDR_BROADCAST))
        return -EINVAL;
    be32 mask = natural_mask(local);
    set_addresses(dev, local, local ? mask : 0, local ? broadcast_of(local, mask) : 0);
    return 0;
}

static int set_mask(struct net_device *dev, be32 mask)
{
    u32 inverse = ~ntohl(mask);
    if (dev->ifa_local == 0)
        return -EADDRNOTAVAIL;
    if (inverse & (inverse + 1))
        return -EINVAL;
    bool is_usual = dev->ifa_broadcast == broadcast_of(dev->ifa_local, dev->ifa_mask);
    set_addresses(dev, dev->ifa_local, mask,
                  is_usual ? broadcast_of(dev->ifa_local, mask) : dev->ifa_broadcast);
    return 0;
}

/* ---- The device ---- */

static int set_flags(struct net_device *dev, u32 flags)
{
    int error = 0;
    if ((flags & IFF_UP) && !(dev->flags & IFF_UP)) {
        error = dev_open(dev);
        ip_update_routes(dev);
    } else if (!(flags & IFF_UP) && (dev->flags & IFF_UP)) {
        dev_close(dev);
        ip_update_routes(dev);
        arp_ifdown(dev);
    }
    return error;
}

/* A device that runs begins anew: its receive buffers have the size of the longest frame. */
static int set_mtu(struct net_device *dev, s32 mtu)
{
    u32 before = dev->mtu;
    if (mtu < (s32)MTU_LEAST || mtu > (s32)dev->mtu_most)
        return -EINVAL;
    dev->mtu = (u32)mtu;
    if (!(dev->flags & IFF_UP) || dev->ops->open == NULL)
        return 0;
    dev_close(dev);
    int error = dev_open(dev);
    if (error) {
        dev->mtu = before;
        dev_open(dev);
    }
    return error;
}

static long ethtool(struct net_device *dev, u32 user_data)
{
    struct ethtool_value value;
    if (copy_from_user(&value, user_ptr(user_data), sizeof(value)))
        return -EFAULT;
    bool is_sum = value.cmd == ETHTOOL_GTXCSUM || value.cmd == ETHTOOL_STXCSUM;
    u32 bit = is_sum ? NETIF_F_HW_CSUM : NETIF_F_SG;
    if (value.cmd == ETHTOOL_GTXCSUM || value.cmd == ETHTOOL_GSG) {
        value.data = (dev->features & bit) != 0;
        return copy_to_user(user_ptr(user_data), &value, sizeof(value)) ? -EFAULT : 0;
    }
    if (value.cmd != ETHTOOL_STXCSUM && value.cmd != ETHTOOL_SSG)
        return -EOPNOTSUPP;
    if (!capable_root())
        return -EPERM;
    if (value.data && !(dev->hw_features & bit))
        return -EINVAL;
    dev->features = value.data ? dev->features | bit : dev->features & ~bit;
    return 0;
}

/* ---- Calls ---- */

static long put_address(struct ifreq *ifr, be32 address)
{
    ifr->ifr_addr = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = address};
    return 0;
}

static long get_address(struct ifreq *ifr, const struct net_device *dev, be32 address)
{
    return dev->ifa_local ? put_address(ifr, address) : -EADDRNOTAVAIL;
}

static long put_value(struct ifreq *ifr, s32 value)
{
    ifr->ifr_value = value;
    return 0;
}

static long put_hwaddr(struct ifreq *ifr, const struct net_device *dev)
{
    memset(&ifr->ifr_hwaddr, 0, sizeof(ifr->ifr_hwaddr));
    ifr->ifr_hwaddr.sa_family = dev->type;
    memcpy(ifr->ifr_hwaddr.address, dev->dev_addr, ETH_ALEN);
    return 0;
}

static long put_map(struct ifreq *ifr, const struct net_device *dev)
{
    memset(&ifr->ifr_map, 0, sizeof(ifr->ifr_map));
    ifr->ifr_map.irq = (u8)dev->irq;
    return 0;
}

static long get(struct ifreq *ifr, const struct net_device *dev, u32 command)
{
    switch (command) {
    case SIOCGIFFLAGS:
        ifr->ifr_flags = (u16)dev->flags;
        return 0;
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR:
        return get_address(ifr, dev, dev->ifa_local);
    case SIOCGIFBRDADDR:
        return get_address(ifr, dev, dev->ifa_broadcast);
    case SIOCGIFNETMASK:
        return get_address(ifr, dev, dev->ifa_mask);
    case SIOCGIFMETRIC:
        return put_value(ifr, 0);
    case SIOCGIFMTU:
        return put_value(ifr, (s32)dev->mtu);
    case SIOCGIFTXQLEN:
        return put_value(ifr, (s32)dev->tx_queue_len);
    case SIOCGIFINDEX:
        return put_value(ifr, dev->ifindex);
    case SIOCGIFHWADDR:
        return put_hwaddr(ifr, dev);
    case SIOCGIFMAP:
        return put_map(ifr, dev);
    default:
        return -ENOTTY;
    }
}

static long set(const struct ifreq *ifr, struct net_device *dev, u32 command)
{
    be32 address = ifr->ifr_addr.sin_addr;
    switch (command) {
    case SIOCSIFFLAGS:
        return set_flags(dev, ifr->ifr_flags);
    case SIOCSIFADDR:
        return ifr->ifr_addr.sin_family == AF_INET ? set_local(dev, address) : -EINVAL;
    case SIOCSIFNETMASK:
        return set_mask(dev, address);
    case SIOCSIFBRDADDR:
        if (dev->ifa_local == 0)
            return -EADDRNOTAVAIL;
        dev->ifa_broadcast = address;
        return 0;
    case SIOCSIFMTU:
        return set_mtu(dev, ifr->ifr_value);
    case SIOCSIFTXQLEN:
        if (ifr->ifr_value < 0)
            return -EINVAL;
        dev->tx_queue_len = (u32)ifr->ifr_value;
        return 0;
    default:
        return -ENOTTY;
    }
}

static bool changes(u32 command)
{
    return command == SIOCSIFFLAGS || command == SIOCSIFADDR || command == SIOCSIFNETMASK ||
           command == SIOCSIFBRDADDR || command == SIOCSIFMTU || command == SIOCSIFTXQLEN;
}

/* Devices that have an address, as many as there is room for; without a buffer, how much that would be. */
static long get_conf(void __user *arg)
{
    struct ifconf conf;
    const struct net_device *dev;
    u32 bytes = 0;
    if (copy_from_user(&conf, arg, sizeof(conf)))
        return -EFAULT;
    list_for_each_entry(dev, &net_devices, list)
    {
        struct ifreq ifr = {.ifr_name = ""};
        if (dev->ifa_local == 0)
            continue;
        strlcpy(ifr.ifr_name, dev->name, sizeof(ifr.ifr_name));
        put_address(&ifr, dev->ifa_local);
        if (conf.ifc_buf) {
            if (bytes + sizeof(ifr) > conf.ifc_len)
                break;
            if (copy_to_user(user_ptr(conf.ifc_buf + bytes), &ifr, sizeof(ifr)))
                return -EFAULT;
        }
        bytes += (u32)sizeof(ifr);
    }
    conf.ifc_len = bytes;
    return copy_to_user(arg, &conf, sizeof(conf)) ? -EFAULT : 0;
}

static long get_name(struct ifreq *ifr)
{
    const struct net_device *dev = dev_get_by_index(ifr->ifr_value);
    if (dev == NULL)
        return -ENODEV;
    strlcpy(ifr->ifr_name, dev->name, sizeof(ifr->ifr_name));
    return 0;
}

static long call_ifreq(u32 command, void __user *arg)
{
    struct ifreq ifr;
    if (copy_from_user(&ifr, arg, sizeof(ifr)))
        return -EFAULT;
    ifr.ifr_name[sizeof(ifr.ifr_name) - 1] = '\0';
    if (command == SIOCGIFNAME) {
        long error = get_name(&ifr);
        return error ? error : copy_to_user(arg, &ifr, sizeof(ifr)) ? -EFAULT : 0;
    }
    struct net_device *dev = dev_get_by_name(ifr.ifr_name);
    if (dev == NULL)
        return -ENODEV;
    if (command == SIOCETHTOOL)
        return ethtool(dev, ifr.ifr_data);
    if (changes(command))
        return capable_root() ? set(&ifr, dev, command) : -EPERM;
    long error = get(&ifr, dev, command);
    return error ? error : copy_to_user(arg, &ifr, sizeof(ifr)) ? -EFAULT : 0;
}

long dev_ioctl(u32 command, unsigned long arg)
{
    switch (command) {
    case SIOCGIFCONF:
        return get_conf(user_ptr(arg));
    case SIOCADDRT:
    case SIOCDELRT:
        return ip_route_ioctl(command, user_ptr(arg));
    case SIOCGARP:
    case SIOCSARP:
    case SIOCDARP:
        return arp_ioctl(command, user_ptr(arg));
    default:
        return command >> 8 == 0x89 ? call_ifreq(command, user_ptr(arg)) : -ENOTTY;
    }
}
