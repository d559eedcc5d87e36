/* What the files of IPv4 share. Addresses and ports are in the network's order, but where it is said. */
#pragma once

#include "net_protocols.h"
#include "sock.h"

/* ---- route.c: where packets go ---- */

#define RTF_UP 0x1u
#define RTF_GATEWAY 0x2u
#define RTF_HOST 0x4u

/* The way of a packet. */
struct rtable {
    struct net_device *dev;
    be32 saddr, daddr;
    be32 nexthop; /* on the device's link: the destination, or the gateway before it */
    bool is_broadcast;
};

/* The way to daddr; saddr 0: from the device's own address; oif 0: through any device. 0 or -ENETUNREACH. */
int ip_route_output(struct rtable *rt, be32 daddr, be32 saddr, int oif);
/* Is it an address of this machine's; of everybody's on the device's link? */
bool ip_is_local(be32 address);
bool ip_is_broadcast(be32 address, const struct net_device *dev);
/* The route to the device's own network is as its address and mask say; a device that is down has none. */
void ip_update_routes(struct net_device *dev);
/* SIOCADDRT and SIOCDELRT. */
long ip_route_ioctl(u32 command, const void __user *arg);
struct seq_file;
void route_show(struct seq_file *m); /* /proc/net/route */
void ip_flush_routes(void);

/* ---- ip_output.c: out ---- */

/* A packet, or the fragments of one, that is put together; the first skb begins with the transport header. */
struct ip_cork {
    struct rtable rt;
    u8 protocol, ttl, tos;
    u8 transport_header_bytes;
    be16 dport;         /* the protocol's own */
    u32 fragment_bytes; /* what goes into a frame at most, behind IP's header */
    u32 length;         /* bytes so far, with the transport header */
    struct list_head queue;
};

/* bytes: all that will come if that is known, else 0. */
void ip_cork_init(struct ip_cork *cork, const struct sock *sk, const struct rtable *rt, u32 bytes);
/*
 * More bytes: all of iter's, by one copy; or a piece of a page, without a copy if the device takes packets in
 * pieces. may_grow: more will follow. 0 or an error, after which the packet is to be flushed.
 */
int ip_append_data(struct sock *sk, struct ip_cork *cork, struct iov_iter *iter, bool may_grow,
                   bool may_wait);
int ip_append_page(struct sock *sk, struct ip_cork *cork, struct page *page, u32 offset, u32 bytes,
                   bool may_wait);
/* Sends it, the transport header being filled in. */
void ip_push_pending(struct ip_cork *cork);
void ip_flush_pending(struct ip_cork *cork);
/* Sends a packet of the kernel's own, from its transport header on, that fits into one frame. */
void ip_send_skb(struct sk_buff *skb, const struct rtable *rt, u8 protocol);

/* ---- ip_input.c, ip_fragment.c: in ---- */

/* A whole packet for this machine: to those whose protocol it is. */
void ip_local_deliver(struct sk_buff *skb);
/* A fragment is kept until all of its packet are there, or until it has been kept for too long. */
void ip_defrag(struct sk_buff *skb);
void ip_flush_fragments(void);

/* ---- arp.c ---- */

/* Sends a packet to the machine that has that address on dev's link, which is asked for if need be. */
void arp_send_to(struct sk_buff *skb, struct net_device *dev, be32 nexthop);
/* The device has gone down (NULL: all): what was known of its link is forgotten. */
void arp_ifdown(const struct net_device *dev);
/* SIOCGARP, SIOCSARP, SIOCDARP */
long arp_ioctl(u32 command, void __user *arg);
void arp_show(struct seq_file *m); /* /proc/net/arp */

/* ---- icmp.c, udp.c, raw.c: in. Packets begin behind IP's header; they take them over. ---- */

void icmp_rcv(struct sk_buff *skb);
void udp_rcv(struct sk_buff *skb);
/* Copies for those who listen to the protocol, with IP's header; whether there is somebody. */
bool raw_local_deliver(const struct sk_buff *skb);
/* Tells the sender of a packet that it cannot be delivered, unless such packets are not to be answered. */
void icmp_send(const struct sk_buff *skb, u8 type, u8 code);
/* A packet of ours (from saddr:source to daddr:dest) could not be delivered. */
void udp_err(be32 saddr, be16 source, be32 daddr, be16 dest, int error);

static inline const struct iphdr *ip_hdr(const struct sk_buff *skb)
{
    return (const void *)skb->network_header;
}

/* ---- af_inet.c: sockets ---- */

struct inet_proto {
    u32 type;
    u8 protocol; /* IPPROTO_; 0: any */
    bool is_privileged;
    const struct proto_ops *ops;
    void (*hash)(struct sock *sk); /* a new socket becomes known, if it can be without a port; or NULL */
};
extern const struct inet_proto udp_proto, raw_proto;

/* What their operations share. */
int inet_release(struct socket *sock);
int inet_getname(struct socket *sock, void *address, bool wants_peer);
int inet_shutdown_socket(struct socket *sock, u32 how);
long inet_ioctl(struct socket *sock, u32 command, unsigned long arg);
int inet_setsockopt(struct socket *sock, u32 level, u32 option, u32 value);
int inet_getsockopt(struct socket *sock, u32 level, u32 option, u32 *value);
/* An address of AF_INET, and of this machine (or any), or an error. */
int inet_check_bind(const struct sockaddr_in *address, u32 len);
/* Where a message goes: to msg's address, or the socket's peer. 0 or an error. */
int inet_destination(const struct sock *sk, const struct msghdr *msg, be32 *daddr, be16 *dport);
/* The way there, as the socket's options say. 0 or an error. */
int inet_route(const struct sock *sk, be32 daddr, struct rtable *rt);
/* /proc/net/udp and /proc/net/raw: those of a list. */
void inet_socks_show(struct seq_file *m, const struct list_head *socks);
void udp_show(struct seq_file *m);
void raw_show(struct seq_file *m);
/* The sender's address goes to msg. */
void inet_set_name(struct msghdr *msg, be32 address, be16 port);

/* ---- counts (snmp.def) ---- */

struct ip_mib {
#define IP_COUNT(name) unsigned long name;
#include "snmp.def"
};
struct icmp_mib {
#define ICMP_COUNT(name) unsigned long name;
#include "snmp.def"
};
struct udp_mib {
#define UDP_COUNT(name) unsigned long name;
#include "snmp.def"
};
extern struct ip_mib ip_mib;
extern struct icmp_mib icmp_mib;
extern struct udp_mib udp_mib;
