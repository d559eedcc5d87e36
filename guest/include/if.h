/* ioctl(2) of sockets about devices, addresses, routes (netdevice(7), arp(7)), as i386 programs have it. */
#pragma once

#include "socket.h"

#define SIOCADDRT 0x890Bu
#define SIOCDELRT 0x890Cu
#define SIOCGIFNAME 0x8910u
#define SIOCGIFCONF 0x8912u
#define SIOCGIFFLAGS 0x8913u
#define SIOCSIFFLAGS 0x8914u
#define SIOCGIFADDR 0x8915u
#define SIOCSIFADDR 0x8916u
#define SIOCGIFDSTADDR 0x8917u
#define SIOCGIFBRDADDR 0x8919u
#define SIOCSIFBRDADDR 0x891Au
#define SIOCGIFNETMASK 0x891Bu
#define SIOCSIFNETMASK 0x891Cu
#define SIOCGIFMETRIC 0x891Du
#define SIOCGIFMTU 0x8921u
#define SIOCSIFMTU 0x8922u
#define SIOCGIFHWADDR 0x8927u
#define SIOCGIFINDEX 0x8933u
#define SIOCGIFTXQLEN 0x8942u
#define SIOCSIFTXQLEN 0x8943u
#define SIOCETHTOOL 0x8946u
#define SIOCDARP 0x8953u
#define SIOCGARP 0x8954u
#define SIOCSARP 0x8955u
#define SIOCGIFMAP 0x8970u
#define SIOCOUTQ 0x5411u /* bytes that have not been sent */

struct ifreq {
    char ifr_name[16];
    union {
        struct sockaddr_in ifr_addr;
        struct {
            u16 sa_family;
            u8 address[6];
        } ifr_hwaddr;
        u16 ifr_flags;
        s32 ifr_value; /* ifindex, mtu, metric, length of the queue */
        u32 ifr_data;  /* a pointer */
        struct {
            u32 mem_start, mem_end;
            u16 base_addr;
            u8 irq, dma, port;
        } ifr_map;
    };
};

struct ifconf {
    u32 ifc_len; /* bytes */
    u32 ifc_buf;
};

/* struct arpreq */
struct arpreq {
    struct sockaddr_in arp_pa;
    struct {
        u16 sa_family;
        u8 address[14];
    } arp_ha;
    u32 arp_flags;
    struct sockaddr_in arp_netmask;
    char arp_dev[16];
};
#define ATF_COM 0x2u  /* the address is known */
#define ATF_PERM 0x4u /* and stays */

/* SIOCETHTOOL: the features that can be switched one by one (ethtool -K). */
struct ethtool_value {
    u32 cmd, data;
};
#define ETHTOOL_GTXCSUM 0x16u
#define ETHTOOL_STXCSUM 0x17u
#define ETHTOOL_GSG 0x18u
#define ETHTOOL_SSG 0x19u
