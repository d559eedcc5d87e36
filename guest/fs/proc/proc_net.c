/* /proc/net, which is the same for all processes. */
#include "internal.h"
#include "ip.h"
#include "net_protocols.h"
#include "netdevice.h"

static void show_device(struct seq_file *m, const struct net_device *dev)
{
    const struct net_device_stats *s = &dev->stats;
    seq_printf(m, "%6s: %7lu %7lu %4lu %4lu %4lu %5lu %10lu %9lu %8lu %7lu %4lu %4lu %4lu %5lu %7lu %10lu\n",
               dev->name, s->rx_bytes, s->rx_packets, s->rx_errors, s->rx_dropped, s->rx_fifo_errors,
               s->rx_frame_errors, s->rx_compressed, s->multicast, s->tx_bytes, s->tx_packets, s->tx_errors,
               s->tx_dropped, s->tx_fifo_errors, s->collisions, s->tx_carrier_errors, s->tx_compressed);
}

static void dev_show(struct seq_file *m)
{
    const struct net_device *dev;
    seq_printf(m, "Inter-|   Receive                                                |  Transmit\n"
                  " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs "
                  "drop fifo colls carrier compressed\n");
    list_for_each_entry(dev, &net_devices, list) show_device(m, dev);
}

static void snmp_show(struct seq_file *m)
{
    seq_printf(m, "Ip: Forwarding DefaultTTL");
#define IP_COUNT(name) seq_printf(m, " " #name);
#include "snmp.def"
    seq_printf(m, "\nIp: 2 64");
#define IP_COUNT(name) seq_printf(m, " %lu", ip_mib.name);
#include "snmp.def"
    seq_printf(m, "\nIcmp:");
#define ICMP_COUNT(name) seq_printf(m, " " #name);
#include "snmp.def"
    seq_printf(m, "\nIcmp:");
#define ICMP_COUNT(name) seq_printf(m, " %lu", icmp_mib.name);
#include "snmp.def"
    seq_printf(m, "\nUdp:");
#define UDP_COUNT(name) seq_printf(m, " " #name);
#include "snmp.def"
    seq_printf(m, "\nUdp:");
#define UDP_COUNT(name) seq_printf(m, " %lu", udp_mib.name);
#include "snmp.def"
    seq_printf(m, "\n");
}

const struct proc_entry proc_net_entries[] = {
    PROC_TEXT("arp", arp_show),   PROC_TEXT("dev", dev_show),
    PROC_TEXT("raw", raw_show),   PROC_TEXT("route", route_show),
    PROC_TEXT("snmp", snmp_show), PROC_TEXT("udp", udp_show),
    PROC_TEXT("unix", unix_show), {.name = NULL},
};
