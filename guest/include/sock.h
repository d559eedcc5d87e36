/*
 * What a protocol keeps of a socket. Packets reach it in interrupts too: queue, counts and addresses are
 * touched with interrupts off.
 */
#pragma once

#include "net.h"
#include "netdevice.h"

#define SK_BUF_DEFAULT 212992u /* bytes of memory for packets, as Linux */
#define SK_BUF_LEAST 2304u
#define SK_BUF_MOST (4u << 20)

struct sock {
    struct list_head node; /* of the protocol's sockets */
    u32 refs;              /* the socket's, and one of each packet that has not been sent yet */
    struct socket *socket; /* NULL: closed */
    u8 protocol;           /* IPPROTO_ */
    bool reuse, broadcast, no_check;
    u8 ttl, tos;
    int bound_dev_if;      /* 0: any device */
    be32 rcv_saddr, daddr; /* bound to, connected to; 0: any */
    u16 num;               /* port that it is bound to, or a raw socket's protocol; 0: not bound */
    be16 dport;            /* connected to; 0: not connected */
    int err;               /* what SO_ERROR or the next call tells, negative */
    u32 shutdown;          /* bit 0: receives no more, bit 1: sends no more */
    struct list_head receive_queue;
    u32 rmem_alloc, rcvbuf; /* bytes of memory, of packets that came */
    u32 wmem_alloc, sndbuf; /* of packets that have not been sent */
    u32 drops;
    struct mutex lock; /* held while a packet is put together in more than one call */
    struct wait_queue_head wait;
    long rcvtimeo, sndtimeo; /* ticks */
    struct ip_cork *cork;    /* a packet that is put together (MSG_MORE), or NULL */
};

#define RCV_SHUTDOWN 1u
#define SEND_SHUTDOWN 2u

/* net/core/sock.c */
/* As the beginning of a protocol's own struct, of so many bytes, zeroed; NULL: no memory. */
struct sock *sk_alloc(struct socket *sock, size_t bytes);
void sock_hold(struct sock *sk);
void sock_put(struct sock *sk);
/* The error that waits to be told, which is told by this; 0: none. */
int sock_error(struct sock *sk);
/* Tells who waits. From any context. */
void sk_report_error(struct sock *sk, int error);
/* A packet to be sent, with room for so many bytes, counted as the socket's: waits for the room. ERR_PTR. */
struct sk_buff *sock_alloc_send_skb(struct sock *sk, u32 bytes, bool may_wait);
/* So many bytes more of memory for what is to be sent; sock_wfree() takes them off with the packet's. */
void sock_charge(struct sock *sk, u32 bytes);
/* Queues what has come; false: there is no room, and the caller still has it. */
bool sock_queue_rcv_skb(struct sock *sk, struct sk_buff *skb);
/* Takes the next packet (MSG_PEEK: a copy); waits for one. NULL: received no more (shutdown). ERR_PTR. */
struct sk_buff *skb_recv_datagram(struct sock *sk, u32 flags);
/* Gives the packet's bytes to msg; how many, or an error. Frees it. */
ssize_t datagram_receive(struct sk_buff *skb, struct msghdr *msg);
u32 datagram_poll(struct file *file, struct socket *sock, struct poll_table *table);
/* SOL_SOCKET: value has the first words of what the user gave, nr of them. */
int sock_setsockopt(struct sock *sk, u32 option, const u32 value[2], u32 nr);
/* How many words it is, or an error. */
int sock_getsockopt(struct sock *sk, u32 option, u32 value[2]);
