/* UDP (RFC 768). */
#include "asm/irqflags.h"
#include "err.h"
#include "ip.h"
#include "poll.h"
#include "sched.h"
#include "seq_file.h"
#include "slab.h"
#include "string.h"

#define FIRST_LOCAL_PORT 32768u
#define LAST_LOCAL_PORT 60999u
#define FIRST_FREE_PORT 1024u /* those below are root's */

struct udp_mib udp_mib;
static LIST_HEAD(udp_socks); /* those that have a port */

/* ---- Ports ---- */

static bool is_taken(const struct sock *sk, u16 port, be32 address)
{
    const struct sock *other;
    list_for_each_entry(other, &udp_socks, node)
    {
        if (other != sk && other->num == port && !(other->reuse && sk->reuse) &&
            (other->rcv_saddr == 0 || address == 0 || other->rcv_saddr == address))
            return true;
    }
    return false;
}

static u16 free_port(const struct sock *sk, be32 address)
{
    static u16 next = FIRST_LOCAL_PORT;
    for (u32 i = FIRST_LOCAL_PORT; i <= LAST_LOCAL_PORT; i++) {
        u16 port = next;
        next = next == LAST_LOCAL_PORT ? FIRST_LOCAL_PORT : (u16)(next + 1);
        if (!is_taken(sk, port, address))
            return port;
    }
    return 0;
}

/* Port 0: any. */
static int take_port(struct sock *sk, u16 port, be32 address)
{
    int error = 0;
    unsigned long flags = local_irq_save();
    if (port == 0)
        port = free_port(sk, address);
    if (port == 0)
        error = -EAGAIN;
    else if (is_taken(sk, port, address))
        error = -EADDRINUSE;
    if (error == 0) {
        sk->num = port;
        sk->rcv_saddr = address;
        list_add_tail(&sk->node, &udp_socks);
    }
    local_irq_restore(flags);
    return error;
}

static int udp_bind(struct socket *sock, const void *name, u32 len)
{
    const struct sockaddr_in *address = name;
    int error = inet_check_bind(address, len);
    u16 port = ntohs(address->sin_port);
    if (error)
        return error;
    if (port && port < FIRST_FREE_PORT && !capable_root())
        return -EACCES;
    return sock->sk->num ? -EINVAL : take_port(sock->sk, port, address->sin_addr);
}

static int udp_autobind(struct sock *sk)
{
    return sk->num ? 0 : take_port(sk, 0, 0);
}

static int udp_connect(struct socket *sock, const void *name, u32 len)
{
    const struct sockaddr_in *address = name;
    struct sock *sk = sock->sk;
    struct rtable rt;
    if (len < sizeof(u16))
        return -EINVAL;
    if (address->sin_family == AF_UNSPEC) {
        sk->daddr = 0;
        sk->dport = 0;
        return 0;
    }
    if (len < sizeof(*address))
        return -EINVAL;
    if (address->sin_family != AF_INET)
        return -EAFNOSUPPORT;
    be32 daddr = address->sin_addr ? address->sin_addr : htonl(INADDR_LOOPBACK);
    int error = inet_route(sk, daddr, &rt);
    if (error == 0)
        error = udp_autobind(sk);
    if (error)
        return error;
    unsigned long flags = local_irq_save();
    sk->daddr = daddr;
    sk->dport = address->sin_port;
    local_irq_restore(flags);
    return 0;
}

/* ---- Out ---- */

/* The sum over all frames is made here, unless there is one, and the device makes it. */
static void make_checksum(const struct sock *sk, struct ip_cork *cork, struct udphdr *udp)
{
    struct sk_buff *first = list_first_entry(&cork->queue, struct sk_buff, list), *skb;
    const struct rtable *rt = &cork->rt;
    u32 sum = csum_pseudo(rt->saddr, rt->daddr, cork->length, IPPROTO_UDP);
    if (sk->no_check)
        return;
    if (cork->queue.next == cork->queue.prev && (rt->dev->features & NETIF_F_HW_CSUM)) {
        first->ip_summed = CHECKSUM_PARTIAL;
        first->csum_start = (u16)((u8 *)udp - first->head);
        first->csum_offset = offsetof(struct udphdr, check);
        udp->check = (u16)~csum_fold(sum);
        return;
    }
    list_for_each_entry(skb, &cork->queue, list) sum = skb_checksum(skb, 0, sum);
    udp->check = csum_fold(sum);
    if (udp->check == 0)
        udp->check = 0xFFFF;
}

static void push(const struct sock *sk, struct ip_cork *cork)
{
    struct sk_buff *first = list_first_entry(&cork->queue, struct sk_buff, list);
    struct udphdr *udp = (void *)first->data;
    udp->source = htons(sk->num);
    udp->dest = cork->dport;
    udp->len = htons((u16)cork->length);
    make_checksum(sk, cork, udp);
    ip_push_pending(cork);
    udp_mib.OutDatagrams++;
}

/* What is to be appended to a datagram: bytes of iter's, or of a page. */
struct udp_source {
    struct iov_iter *iter;
    struct page *page;
    u32 offset, bytes;
};

static int append(struct sock *sk, struct ip_cork *cork, const struct udp_source *source, u32 flags)
{
    bool may_wait = !(flags & MSG_DONTWAIT);
    if (source->iter)
        return ip_append_data(sk, cork, source->iter, flags & MSG_MORE, may_wait);
    return ip_append_page(sk, cork, source->page, source->offset, source->bytes, may_wait);
}

static int begin_cork(const struct sock *sk, struct ip_cork *cork, be32 daddr, be16 dport, u32 bytes)
{
    struct rtable rt;
    if (dport == 0)
        return -EINVAL;
    int error = inet_route(sk, daddr, &rt);
    if (error)
        return error;
    ip_cork_init(cork, sk, &rt, bytes);
    cork->transport_header_bytes = sizeof(struct udphdr);
    cork->dport = dport;
    return 0;
}

/* A datagram of several calls. */
static int send_corked(struct sock *sk, const struct udp_source *source, be32 daddr, be16 dport, u32 flags)
{
    int error = 0;
    if (sk->cork == NULL) {
        struct ip_cork *cork = kmalloc(sizeof(*cork), GFP_KERNEL);
        if (cork == NULL)
            return -ENOMEM;
        error = begin_cork(sk, cork, daddr, dport, 0);
        if (error) {
            kfree(cork);
            return error;
        }
        sk->cork = cork;
    }
    error = append(sk, sk->cork, source, flags);
    if (error)
        ip_flush_pending(sk->cork);
    else if (flags & MSG_MORE)
        return 0;
    else
        push(sk, sk->cork);
    kfree(sk->cork);
    sk->cork = NULL;
    return error;
}

static int send_datagram(struct sock *sk, const struct udp_source *source, be32 daddr, be16 dport, u32 flags)
{
    struct ip_cork cork;
    u32 bytes = min(source->bytes, IP_MAX_BYTES);
    int error = begin_cork(sk, &cork, daddr, dport, bytes + (u32)sizeof(struct udphdr));
    if (error)
        return error;
    error = append(sk, &cork, source, flags);
    if (error)
        ip_flush_pending(&cork);
    else
        push(sk, &cork);
    return error;
}

static int send(struct sock *sk, const struct udp_source *source, be32 daddr, be16 dport, u32 flags)
{
    int error = sock_error(sk);
    if (error == 0 && (sk->shutdown & SEND_SHUTDOWN))
        error = -EPIPE;
    if (error == 0)
        error = udp_autobind(sk);
    if (error)
        return error;
    mutex_lock(&sk->lock);
    bool is_corked = sk->cork || (flags & MSG_MORE);
    if (is_corked)
        error = send_corked(sk, source, daddr, dport, flags);
    mutex_unlock(&sk->lock);
    if (!is_corked)
        error = send_datagram(sk, source, daddr, dport, flags);
    udp_mib.SndbufErrors += error == -EAGAIN || error == -ENOMEM;
    return error;
}

static ssize_t udp_sendmsg(struct socket *sock, struct msghdr *msg)
{
    struct sock *sk = sock->sk;
    size_t bytes = msg->msg_iter.count;
    const struct udp_source source = {.iter = &msg->msg_iter,
                                      .bytes = (u32)min(bytes, (size_t)IP_MAX_BYTES + 1)};
    be32 daddr;
    be16 dport;
    if (bytes > IP_MAX_BYTES)
        return -EMSGSIZE;
    int error = inet_destination(sk, msg, &daddr, &dport);
    if (error == 0)
        error = send(sk, &source, daddr, dport, msg->msg_flags);
    return error ? error : (ssize_t)bytes;
}

static ssize_t udp_sendpage(struct socket *sock, struct page *page, u32 offset, u32 bytes, u32 flags)
{
    struct sock *sk = sock->sk;
    const struct udp_source source = {.page = page, .offset = offset, .bytes = bytes};
    if (sk->daddr == 0)
        return -EDESTADDRREQ;
    int error = send(sk, &source, sk->daddr, sk->dport, flags);
    return error ? error : (ssize_t)bytes;
}

/* ---- In: interrupts are off ---- */

/* How well a socket fits a packet; 0: not at all. */
static u32 score(const struct sock *sk, be32 saddr, be16 source, be32 daddr, be16 dest, int ifindex)
{
    u32 result = 1;
    if (sk->num != ntohs(dest) || (sk->rcv_saddr && sk->rcv_saddr != daddr) ||
        (sk->daddr && sk->daddr != saddr) || (sk->dport && sk->dport != source) ||
        (sk->bound_dev_if && sk->bound_dev_if != ifindex))
        return 0;
    result += sk->rcv_saddr != 0;
    result += sk->daddr != 0;
    result += sk->dport != 0;
    result += sk->bound_dev_if != 0;
    return result;
}

static struct sock *lookup(be32 saddr, be16 source, be32 daddr, be16 dest, int ifindex)
{
    struct sock *sk, *best = NULL;
    u32 best_score = 0;
    list_for_each_entry(sk, &udp_socks, node)
    {
        u32 its_score = score(sk, saddr, source, daddr, dest, ifindex);
        if (its_score > best_score) {
            best = sk;
            best_score = its_score;
        }
    }
    return best;
}

static void queue(struct sock *sk, struct sk_buff *skb)
{
    skb_orphan(skb);
    if (sock_queue_rcv_skb(sk, skb)) {
        udp_mib.InDatagrams++;
        return;
    }
    udp_mib.RcvbufErrors++;
    udp_mib.InErrors++;
    kfree_skb(skb);
}

/* A broadcast is for all that fit. */
static bool deliver_to_all(const struct sk_buff *skb, const struct udphdr *udp)
{
    const struct iphdr *ip = ip_hdr(skb);
    bool has_one = false;
    struct sock *sk;
    list_for_each_entry(sk, &udp_socks, node)
    {
        struct sk_buff *copy;
        /* One that is bound to an address of its own gets what is sent to that only. */
        if (!score(sk, ip->saddr, udp->source, ip->daddr, udp->dest, skb->dev->ifindex))
            continue;
        has_one = true;
        if ((copy = skb_copy(skb, GFP_ATOMIC)) != NULL) {
            skb_pull(copy, sizeof(*udp));
            queue(sk, copy);
        }
    }
    return has_one;
}

/* The header is whole, the length fits, to which the packet is cut, and the sum is right. */
static bool packet_is_right(struct sk_buff *skb)
{
    const struct udphdr *udp = (const void *)skb->data;
    if (skb_headlen(skb) < sizeof(*udp))
        return false;
    u32 bytes = ntohs(udp->len);
    if (bytes < sizeof(*udp) || bytes > skb->len)
        return false;
    skb_trim(skb, bytes);
    if (udp->check == 0 || skb->ip_summed != CHECKSUM_NONE)
        return true;
    u32 sum = csum_pseudo(ip_hdr(skb)->saddr, ip_hdr(skb)->daddr, bytes, IPPROTO_UDP);
    if (csum_fold(skb_checksum(skb, 0, sum)) == 0)
        return true;
    udp_mib.InCsumErrors++;
    return false;
}

void udp_rcv(struct sk_buff *skb)
{
    const struct udphdr *udp = (const void *)skb->data;
    if (!packet_is_right(skb)) {
        udp_mib.InErrors++;
        kfree_skb(skb);
        return;
    }
    const struct iphdr *ip = ip_hdr(skb);
    if (ip_is_broadcast(ip->daddr, skb->dev)) {
        udp_mib.NoPorts += !deliver_to_all(skb, udp);
        kfree_skb(skb);
        return;
    }
    struct sock *sk = lookup(ip->saddr, udp->source, ip->daddr, udp->dest, skb->dev->ifindex);
    if (sk) {
        skb_pull(skb, sizeof(*udp));
        queue(sk, skb);
        return;
    }
    udp_mib.NoPorts++;
    icmp_send(skb, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH);
    kfree_skb(skb);
}

/* Only a socket that has one peer is told: the others could not know whom it is about. */
void udp_err(be32 saddr, be16 source, be32 daddr, be16 dest, int error)
{
    struct sock *sk;
    list_for_each_entry(sk, &udp_socks, node)
    {
        if (sk->num == ntohs(source) && sk->daddr == daddr && sk->dport == dest &&
            (sk->rcv_saddr == 0 || sk->rcv_saddr == saddr)) {
            sk_report_error(sk, error);
            return;
        }
    }
}

static ssize_t udp_recvmsg(struct socket *sock, struct msghdr *msg)
{
    struct sk_buff *skb =
        (msg->msg_flags & MSG_ERRQUEUE) ? ERR_PTR(-EAGAIN) : skb_recv_datagram(sock->sk, msg->msg_flags);
    if (skb == NULL || IS_ERR(skb))
        return skb ? PTR_ERR(skb) : 0;
    const struct udphdr *udp = (const void *)skb->transport_header;
    inet_set_name(msg, ip_hdr(skb)->saddr, udp->source);
    return datagram_receive(skb, msg);
}

/* ---- The rest ---- */

static const struct proto_ops udp_ops = {.family = AF_INET,
                                         .release = inet_release,
                                         .bind = udp_bind,
                                         .connect = udp_connect,
                                         .getname = inet_getname,
                                         .poll = datagram_poll,
                                         .ioctl = inet_ioctl,
                                         .shutdown = inet_shutdown_socket,
                                         .setsockopt = inet_setsockopt,
                                         .getsockopt = inet_getsockopt,
                                         .sendmsg = udp_sendmsg,
                                         .recvmsg = udp_recvmsg,
                                         .sendpage = udp_sendpage};
const struct inet_proto udp_proto = {.type = SOCK_DGRAM, .protocol = IPPROTO_UDP, .ops = &udp_ops};

void udp_show(struct seq_file *m)
{
    inet_socks_show(m, &udp_socks);
}
