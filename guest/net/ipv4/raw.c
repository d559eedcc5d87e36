/* Raw sockets: packets of one protocol as they come, with IP's header; what is sent gets one. */
#include "asm/irqflags.h"
#include "err.h"
#include "ip.h"
#include "poll.h"
#include "seq_file.h"

static LIST_HEAD(raw_socks);

static void raw_hash(struct sock *sk)
{
    sk->num = sk->protocol;
    unsigned long flags = local_irq_save();
    list_add_tail(&sk->node, &raw_socks);
    local_irq_restore(flags);
}

static int raw_bind(struct socket *sock, const void *name, u32 len)
{
    const struct sockaddr_in *address = name;
    int error = inet_check_bind(address, len);
    if (error == 0)
        sock->sk->rcv_saddr = address->sin_addr;
    return error;
}

static int raw_connect(struct socket *sock, const void *name, u32 len)
{
    const struct sockaddr_in *address = name;
    struct rtable rt;
    if (len < sizeof(*address))
        return -EINVAL;
    if (address->sin_family != AF_INET && address->sin_family != AF_UNSPEC)
        return -EAFNOSUPPORT;
    int error = address->sin_family == AF_INET ? inet_route(sock->sk, address->sin_addr, &rt) : 0;
    if (error == 0)
        sock->sk->daddr = address->sin_family == AF_INET ? address->sin_addr : 0;
    return error;
}

static ssize_t raw_sendmsg(struct socket *sock, struct msghdr *msg)
{
    struct sock *sk = sock->sk;
    struct ip_cork cork;
    struct rtable rt;
    size_t bytes = msg->msg_iter.count;
    be32 daddr;
    be16 dport;
    if (bytes > IP_MAX_BYTES)
        return -EMSGSIZE;
    int error = inet_destination(sk, msg, &daddr, &dport);
    if (error == 0)
        error = sock_error(sk);
    if (error == 0)
        error = inet_route(sk, daddr, &rt);
    if (error)
        return error;
    ip_cork_init(&cork, sk, &rt, (u32)bytes);
    error = ip_append_data(sk, &cork, &msg->msg_iter, false, !(msg->msg_flags & MSG_DONTWAIT));
    if (error)
        ip_flush_pending(&cork);
    else
        ip_push_pending(&cork);
    return error ? error : (ssize_t)bytes;
}

static ssize_t raw_recvmsg(struct socket *sock, struct msghdr *msg)
{
    struct sk_buff *skb =
        (msg->msg_flags & MSG_ERRQUEUE) ? ERR_PTR(-EAGAIN) : skb_recv_datagram(sock->sk, msg->msg_flags);
    if (skb == NULL || IS_ERR(skb))
        return skb ? PTR_ERR(skb) : 0;
    inet_set_name(msg, ip_hdr(skb)->saddr, 0);
    return datagram_receive(skb, msg);
}

bool raw_local_deliver(const struct sk_buff *skb)
{
    const struct iphdr *ip = ip_hdr(skb);
    bool is_heard = false;
    struct sock *sk;
    list_for_each_entry(sk, &raw_socks, node)
    {
        if (sk->protocol != ip->protocol || (sk->rcv_saddr && sk->rcv_saddr != ip->daddr) ||
            (sk->daddr && sk->daddr != ip->saddr) ||
            (sk->bound_dev_if && sk->bound_dev_if != skb->dev->ifindex))
            continue;
        is_heard = true;
        struct sk_buff *copy = skb_copy(skb, GFP_ATOMIC);
        if (copy && !sock_queue_rcv_skb(sk, copy))
            kfree_skb(copy);
    }
    return is_heard;
}

static const struct proto_ops raw_ops = {.family = AF_INET,
                                         .release = inet_release,
                                         .bind = raw_bind,
                                         .connect = raw_connect,
                                         .getname = inet_getname,
                                         .poll = datagram_poll,
                                         .ioctl = inet_ioctl,
                                         .shutdown = inet_shutdown_socket,
                                         .setsockopt = inet_setsockopt,
                                         .getsockopt = inet_getsockopt,
                                         .sendmsg = raw_sendmsg,
                                         .recvmsg = raw_recvmsg};
const struct inet_proto raw_proto = {
    .type = SOCK_RAW, .is_privileged = true, .ops = &raw_ops, .hash = raw_hash};

void raw_show(struct seq_file *m)
{
    inet_socks_show(m, &raw_socks);
}
