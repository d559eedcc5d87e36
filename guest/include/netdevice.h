/*
 * Network devices, what they do for the layers above (net_device_ops), and what those do for them
 * (netif_rx(), dev_queue_xmit()). A driver is called, and calls, with interrupts off or on; what it shares
 * with its own interrupt handler it protects itself.
 */
#pragma once

#include "skbuff.h"
#include "wait.h"

#define IFNAMSIZ 16u
#define IFF_UP 0x1u
#define IFF_BROADCAST 0x2u
#define IFF_LOOPBACK 0x8u
#define IFF_RUNNING 0x40u
#define IFF_NOARP 0x80u
#define IFF_PROMISC 0x100u
#define IFF_MULTICAST 0x1000u

#define NETIF_F_SG 0x1u       /* takes packets whose bytes lie in several places */
#define NETIF_F_HW_CSUM 0x8u  /* sums what CHECKSUM_PARTIAL leaves it */
#define NETIF_F_HIGHDMA 0x20u /* reaches highmem */

/* In the order of /proc/net/dev. */
struct net_device_stats {
    unsigned long rx_bytes, rx_packets, rx_errors, rx_dropped, rx_fifo_errors, rx_frame_errors, rx_compressed,
        multicast;
    unsigned long tx_bytes, tx_packets, tx_errors, tx_dropped, tx_fifo_errors, collisions, tx_carrier_errors,
        tx_compressed;
};

struct net_device;

struct net_device_ops {
    /* Up and down; open may sleep. 0 or an error. */
    int (*open)(struct net_device *dev);
    void (*stop)(struct net_device *dev);
    /*
     * Takes the packet over and returns true; false: there is no room, and it has called netif_stop_queue(),
     * or will call netif_wake_queue(). Interrupts are off.
     */
    bool (*start_xmit)(struct sk_buff *skb, struct net_device *dev);
};

struct net_device {
    char name[IFNAMSIZ];
    int ifindex;
    u16 type; /* ARPHRD_ */
    u32 flags;
    u32 mtu, mtu_most;
    u8 dev_addr[ETH_ALEN], broadcast[ETH_ALEN];
    unsigned int irq;
    u32 features, hw_features; /* those in use, and those that may be */
    const struct net_device_ops *ops;
    struct net_device_stats stats;

    /* Packets that wait for room. */
    struct list_head queue;
    u32 queue_len, tx_queue_len;
    bool is_stopped;

    /* Its address (devinet.c); in the network's order; 0: none. */
    be32 ifa_local, ifa_mask, ifa_broadcast;

    void *priv;
    struct list_head list; /* of net_devices, in the order of ifindex */
};

extern struct list_head net_devices;

/* net/core/dev.c */
/* Makes it known, with a number. Its name may end in %d, which becomes the first number that is free. */
void register_netdev(struct net_device *dev);
struct net_device *dev_get_by_name(const char *name);
struct net_device *dev_get_by_index(int ifindex);
/* 0 or an error; dev_close(): what waits to be sent is dropped. */
int dev_open(struct net_device *dev);
void dev_close(struct net_device *dev);
/* Sends a packet that has its outermost header; takes it over, and may drop it. */
void dev_queue_xmit(struct sk_buff *skb);
/* For drivers: a packet has come, its protocol set and data behind the device's header. */
void netif_rx(struct sk_buff *skb);

static inline void netif_stop_queue(struct net_device *dev)
{
    dev->is_stopped = true;
}

/* There is room again: sends what waits. */
void netif_wake_queue(struct net_device *dev);
/* Room in front of a packet for all headers of the layers below IP. */
#define LL_MAX_HEADER 16u

/* net/ethernet/eth.c */
/* A device for Ethernet, without name, address and operations. */
void ether_setup(struct net_device *dev);
/* Puts the header in front; destination NULL: the device's own address. */
void eth_header(struct sk_buff *skb, const struct net_device *dev, u16 type, const u8 *destination);
/* Takes the header off, and looks at it: pkt_type, protocol. False: it is none. */
bool eth_type_trans(struct sk_buff *skb, struct net_device *dev);

/* Devices come and go with these. */
void net_init(void);
/* When all tasks are gone: no device runs any more, and nothing is kept. */
void net_shutdown(void);
void loopback_init(void); /* drivers/net/loopback.c */
void e1000_init(void);    /* drivers/net/e1000.c */

/* net/core/dev_ioctl.c: ioctls of any socket. */
long dev_ioctl(u32 command, unsigned long arg);
