/* Sockets of AF_INET: what UDP's and raw ones share. */
#include "asm/irqflags.h"
#include "err.h"
#include "if.h"
#include "ioctls.h"
#include "ip.h"
#include "seq_file.h"
#include "slab.h"
#include "string.h"
#include "uaccess.h"
#include "uio.h"

static const struct inet_proto *const protocols[] = {&udp_proto, &raw_proto};

static int inet_create(struct socket *sock, u32 protocol)
{
    bool has_type = false;
    if (protocol > IPPROTO_RAW)
        return -EINVAL;
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        const struct inet_proto *proto = protocols[i];
        has_type |= proto->type == sock->type;
        if (proto->type != sock->type || (protocol && proto->protocol && protocol != proto->protocol))
            continue;
        u32 number = protocol ? protocol : proto->protocol;
        if (number == 0)
            return -EPROTONOSUPPORT;
        if (proto->is_privileged && !capable_root())
            return -EPERM;
        sock->sk = sk_alloc(sock, sizeof(struct sock));
        if (sock->sk == NULL)
            return -ENOMEM;
        sock->sk->protocol = (u8)number;
        sock->ops = proto->ops;
        if (proto->hash)
            proto->hash(sock->sk);
        return 0;
    }
    return has_type ? -EPROTONOSUPPORT : -ESOCKTNOSUPPORT;
}

static struct net_proto_family inet_family = {.family = AF_INET, .create = inet_create};

void __init inet_init(void)
{
    sock_register(&inet_family);
}

void inet_shutdown(void)
{
    ip_flush_fragments();
    arp_ifdown(NULL);
    ip_flush_routes();
}

static void show_sock(struct seq_file *m, const struct sock *sk, u32 number)
{
    const struct inode *inode = file_inode(sk->socket->file);
    u32 state = sk->daddr ? 1 : 7; /* connected or not, by TCP's numbers */
    seq_printf(
        m,
        "%5u: %08X:%04X %08X:%04X %02X %08X:%08X 00:00000000 00000000 %5u        0 %lu %u 0000000000000000 "
        "%u\n",
        number, sk->rcv_saddr, sk->num, sk->daddr, ntohs(sk->dport), state, sk->wmem_alloc, sk->rmem_alloc,
        inode->i_uid, inode->i_ino, sk->refs, sk->drops);
}

void inet_socks_show(struct seq_file *m, const struct list_head *socks)
{
    const struct sock *sk;
    u32 number = 0;
    seq_printf(m,
               "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
               "inode ref pointer drops\n");
    list_for_each_entry(sk, socks, node) show_sock(m, sk, number++);
}

/* ---- Operations ---- */

int inet_release(struct socket *sock)
{
    struct sock *sk = sock->sk;
    unsigned long flags = local_irq_save();
    list_del_init(&sk->node);
    sk->socket = NULL;
    sk->shutdown = RCV_SHUTDOWN | SEND_SHUTDOWN;
    local_irq_restore(flags);
    if (sk->cork) {
        ip_flush_pending(sk->cork);
        kfree(sk->cork);
        sk->cork = NULL;
    }
    skb_queue_purge(&sk->receive_queue);
    sock->sk = NULL;
    sock_put(sk);
    return 0;
}

int inet_getname(struct socket *sock, void *address, bool wants_peer)
{
    const struct sock *sk = sock->sk;
    struct rtable rt;
    struct sockaddr_in name = {.sin_family = AF_INET};
    if (wants_peer && sk->dport == 0 && sk->daddr == 0)
        return -ENOTCONN;
    name.sin_addr = wants_peer ? sk->daddr : sk->rcv_saddr;
    name.sin_port = wants_peer ? sk->dport : htons(sk->num);
    /* A socket that is connected has the address that its packets have. */
    if (!wants_peer && name.sin_addr == 0 && sk->daddr && inet_route(sk, sk->daddr, &rt) == 0)
        name.sin_addr = rt.saddr;
    memcpy(address, &name, sizeof(name));
    return (int)sizeof(name);
}

int inet_shutdown_socket(struct socket *sock, u32 how)
{
    struct sock *sk = sock->sk;
    if (sk->dport == 0)
        return -ENOTCONN;
    sk->shutdown |= how + 1;
    wake_up_all(&sk->wait);
    return 0;
}

static u32 first_packet_bytes(const struct sock *sk)
{
    u32 bytes = 0;
    unsigned long flags = local_irq_save();
    if (!list_empty(&sk->receive_queue))
        bytes = list_first_entry(&sk->receive_queue, struct sk_buff, list)->len;
    local_irq_restore(flags);
    return bytes;
}

long inet_ioctl(struct socket *sock, u32 command, unsigned long arg)
{
    switch (command) {
    case FIONREAD:
        return put_user_u32(first_packet_bytes(sock->sk), user_ptr(arg));
    case SIOCOUTQ:
        return put_user_u32(sock->sk->wmem_alloc, user_ptr(arg));
    default:
        return -ENOTTY;
    }
}

int inet_setsockopt(struct socket *sock, u32 level, u32 option, u32 value)
{
    if (level != SOL_IP)
        return -ENOPROTOOPT;
    if (option == IP_TTL) {
        if (value == 0 || value > 255)
            return -EINVAL;
        sock->sk->ttl = (u8)value;
        return 0;
    }
    if (option == IP_TOS) {
        sock->sk->tos = (u8)value;
        return 0;
    }
    return -ENOPROTOOPT;
}

int inet_getsockopt(struct socket *sock, u32 level, u32 option, u32 *value)
{
    if (level != SOL_IP || (option != IP_TTL && option != IP_TOS))
        return -ENOPROTOOPT;
    *value = option == IP_TTL ? sock->sk->ttl : sock->sk->tos;
    return 0;
}

int inet_check_bind(const struct sockaddr_in *address, u32 len)
{
    if (len < sizeof(*address))
        return -EINVAL;
    if (address->sin_family != AF_INET && (address->sin_family != AF_UNSPEC || address->sin_addr))
        return -EAFNOSUPPORT;
    bool may_bind = address->sin_addr == 0 || ip_is_local(address->sin_addr) ||
                    address->sin_addr == htonl(INADDR_BROADCAST);
    return may_bind ? 0 : -EADDRNOTAVAIL;
}

int inet_destination(const struct sock *sk, const struct msghdr *msg, be32 *daddr, be16 *dport)
{
    const struct sockaddr_in *to = (const void *)msg->msg_name;
    if (msg->msg_namelen == 0) {
        *daddr = sk->daddr;
        *dport = sk->dport;
        return sk->daddr ? 0 : -EDESTADDRREQ;
    }
    if (msg->msg_namelen < sizeof(*to))
        return -EINVAL;
    if (to->sin_family != AF_INET && to->sin_family != AF_UNSPEC)
        return -EAFNOSUPPORT;
    *daddr = to->sin_addr ? to->sin_addr : htonl(INADDR_LOOPBACK);
    *dport = to->sin_port;
    return 0;
}

int inet_route(const struct sock *sk, be32 daddr, struct rtable *rt)
{
    int error = ip_route_output(rt, daddr, sk->rcv_saddr, sk->bound_dev_if);
    return error ? error : rt->is_broadcast && !sk->broadcast ? -EACCES : 0;
}

void inet_set_name(struct msghdr *msg, be32 address, be16 port)
{
    const struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = port, .sin_addr = address};
    memcpy(msg->msg_name, &from, sizeof(from));
    msg->msg_namelen = sizeof(from);
}
