/* The network layers, for the devices: what comes in goes to these, which take the packet over. */
#pragma once

struct sk_buff;

void ip_rcv(struct sk_buff *skb);
void arp_rcv(struct sk_buff *skb);

/* The protocols' tables and types of sockets; and their end, when no device runs any more. */
void inet_init(void);
void inet_shutdown(void);
void unix_init(void); /* net/unix/af_unix.c */
struct seq_file;
void unix_show(struct seq_file *m); /* /proc/net/unix */
