/*
 * Sockets of AF_UNIX: streams and datagrams from task to task. What is sent lies in the receiver's queue, and
 * counts as the receiver's: who sends waits for room there.
 */
#include "asm/uaccess.h"
#include "err.h"
#include "ioctls.h"
#include "net_protocols.h"
#include "poll.h"
#include "sched.h"
#include "string.h"
#include "unix.h"

#define STREAM_PIECE 4096u /* bytes of a packet at most, of which a stream consists */
#define DATAGRAM_MOST 65536u
#define BACKLOG_MOST 4096u

LIST_HEAD(unix_socks);

static void unix_put(struct unix_sock *u)
{
    sock_put(&u->sk);
}

static const struct proto_ops unix_stream_ops, unix_dgram_ops;

static void init_unix_sock(struct unix_sock *u, u32 type)
{
    u->type = type;
    INIT_LIST_HEAD(&u->pending);
    INIT_LIST_HEAD(&u->pending_node);
    list_add_tail(&u->sk.node, &unix_socks);
}

static int unix_create(struct socket *sock, u32 protocol)
{
    if (protocol && protocol != AF_UNIX)
        return -EPROTONOSUPPORT;
    if (sock->type != SOCK_STREAM && sock->type != SOCK_DGRAM)
        return -ESOCKTNOSUPPORT;
    sock->sk = sk_alloc(sock, sizeof(struct unix_sock));
    if (sock->sk == NULL)
        return -ENOMEM;
    struct unix_sock *u = unix_sk(sock);
    init_unix_sock(u, sock->type);
    sock->ops = sock->type == SOCK_STREAM ? &unix_stream_ops : &unix_dgram_ops;
    return 0;
}

static struct net_proto_family unix_family = {.family = AF_UNIX, .create = unix_create};

void __init unix_init(void)
{
    sock_register(&unix_family);
}

static void set_peer(struct unix_sock *u, struct unix_sock *peer)
{
    if (peer)
        sock_hold(&peer->sk);
    if (u->peer)
        unix_put(u->peer);
    u->peer = peer;
}

static void shut(struct unix_sock *u, u32 shutdown)
{
    u->sk.shutdown |= shutdown;
    wake_up_all(&u->sk.wait);
}

/* Nobody has it any more. The other end of a stream hears of it: of an error if something is unread. */
static void end_sock(struct unix_sock *u)
{
    list_del_init(&u->sk.node);
    unix_drop_name(u);
    if (u->peer && u->type == SOCK_STREAM) {
        if (!list_empty(&u->sk.receive_queue) || u->sk.socket == NULL)
            u->peer->sk.err = -ECONNRESET;
        shut(u->peer, RCV_SHUTDOWN | SEND_SHUTDOWN);
    }
    set_peer(u, NULL);
    shut(u, RCV_SHUTDOWN | SEND_SHUTDOWN);
    skb_queue_purge(&u->sk.receive_queue);
    u->sk.socket = NULL;
    unix_put(u);
}

static struct unix_sock *next_pending(struct unix_sock *listener)
{
    struct unix_sock *u = list_first_entry(&listener->pending, struct unix_sock, pending_node);
    list_del_init(&u->pending_node);
    listener->nr_pending--;
    return u;
}

static int unix_release(struct socket *sock)
{
    struct unix_sock *u = unix_sk(sock);
    while (!list_empty(&u->pending))
        end_sock(next_pending(u));
    end_sock(u);
    sock->sk = NULL;
    return 0;
}

/* ---- Connections ---- */

static int unix_socketpair(struct socket *sock, struct socket *other)
{
    set_peer(unix_sk(sock), unix_sk(other));
    set_peer(unix_sk(other), unix_sk(sock));
    return 0;
}

static int unix_listen(struct socket *sock, u32 backlog)
{
    struct unix_sock *u = unix_sk(sock);
    if (!u->is_bound)
        return -EINVAL;
    u->is_listening = true;
    u->backlog = min(backlog, BACKLOG_MOST);
    wake_up_all(&u->sk.wait);
    return 0;
}

static bool takes_connections(const struct unix_sock *listener)
{
    return listener->nr_pending <= listener->backlog || listener->sk.shutdown;
}

/* Waits until the listener takes one more. It may have gone meanwhile: its name is looked up again. */
static struct unix_sock *find_listener(const struct socket *sock, const void *address, u32 len)
{
    for (;;) {
        struct unix_sock *listener = unix_find(address, len, SOCK_STREAM);
        if (IS_ERR(listener))
            return listener;
        if (!listener->is_listening)
            return ERR_PTR(-ECONNREFUSED);
        if (takes_connections(listener))
            return listener;
        if (sock->file->f_flags & O_NONBLOCK)
            return ERR_PTR(-EAGAIN);
        sock_hold(&listener->sk);
        int error = wait_event_interruptible(listener->sk.wait, takes_connections(listener));
        unix_put(listener);
        if (error)
            return ERR_PTR(error);
    }
}

static int unix_stream_connect(struct socket *sock, const void *address, u32 len)
{
    struct unix_sock *u = unix_sk(sock);
    if (u->peer)
        return -EISCONN;
    if (u->is_listening)
        return -EINVAL;
    struct sock *sk = sk_alloc(NULL, sizeof(struct unix_sock));
    if (sk == NULL)
        return -ENOMEM;
    struct unix_sock *server = container_of(sk, struct unix_sock, sk), *listener;
    init_unix_sock(server, SOCK_STREAM);
    listener = find_listener(sock, address, len);
    if (IS_ERR(listener)) {
        end_sock(server);
        return (int)PTR_ERR(listener);
    }
    memcpy(server->name, listener->name, sizeof(server->name));
    server->name_len = listener->name_len;
    set_peer(u, server);
    set_peer(server, u);
    list_add_tail(&server->pending_node, &listener->pending);
    listener->nr_pending++;
    wake_up_all(&listener->sk.wait);
    return 0;
}

static int unix_accept(struct socket *sock, struct socket *new_sock, bool may_wait)
{
    struct unix_sock *u = unix_sk(sock);
    if (!u->is_listening)
        return -EINVAL;
    if (list_empty(&u->pending) && !may_wait)
        return -EAGAIN;
    int error = wait_event_interruptible(u->sk.wait, !list_empty(&u->pending));
    if (error)
        return error;
    struct unix_sock *server = next_pending(u);
    wake_up_all(&u->sk.wait);
    server->sk.socket = new_sock;
    new_sock->sk = &server->sk;
    return 0;
}

static int unix_dgram_connect(struct socket *sock, const void *address, u32 len)
{
    const u16 *family = address;
    if (len >= sizeof(*family) && *family == AF_UNSPEC) {
        set_peer(unix_sk(sock), NULL);
        return 0;
    }
    struct unix_sock *peer = unix_find(address, len, SOCK_DGRAM);
    if (IS_ERR(peer))
        return (int)PTR_ERR(peer);
    set_peer(unix_sk(sock), peer);
    return 0;
}

static int unix_shutdown(struct socket *sock, u32 how)
{
    struct unix_sock *u = unix_sk(sock);
    u32 bits = how + 1,
        of_peer = (bits & RCV_SHUTDOWN ? SEND_SHUTDOWN : 0) | (bits & SEND_SHUTDOWN ? RCV_SHUTDOWN : 0);
    if (u->peer == NULL)
        return -ENOTCONN;
    shut(u, bits);
    if (u->type == SOCK_STREAM)
        shut(u->peer, of_peer);
    return 0;
}

/* ---- Sending ---- */

static bool has_room(const struct unix_sock *to)
{
    return to->sk.rmem_alloc < to->sk.rcvbuf || (to->sk.shutdown & RCV_SHUTDOWN);
}

/* Waits until the receiver has room; 0, or an error. The caller has a reference to it. */
static int wait_for_room(struct unix_sock *u, struct unix_sock *to, bool may_wait)
{
    if (!has_room(to)) {
        if (!may_wait)
            return -EAGAIN;
        long left = wait_event_interruptible_timeout(
            to->sk.wait, has_room(to) || (u->sk.shutdown & SEND_SHUTDOWN), u->sk.sndtimeo);
        if (left <= 0)
            return left ? (int)left : -EAGAIN;
    }
    bool is_shut = (to->sk.shutdown & RCV_SHUTDOWN) || (u->sk.shutdown & SEND_SHUTDOWN);
    return is_shut ? -EPIPE : 0;
}

/* The sender's name lies in front of the bytes, where network_header points to it. */
static struct sk_buff *make_packet(const struct unix_sock *u, struct iov_iter *iter, u32 bytes)
{
    struct sk_buff *skb = alloc_skb((u32)sizeof(struct sockaddr_un) + 1 + bytes, GFP_KERNEL);
    if (skb == NULL)
        return ERR_PTR(-ENOMEM);
    skb_reserve(skb, (u32)sizeof(struct sockaddr_un) + 1);
    skb->network_header = skb->head;
    skb->csum_start = (u16)unix_put_name(u, skb->head);
    if (copy_from_iter(skb_put(skb, bytes), bytes, iter) == bytes)
        return skb;
    kfree_skb(skb);
    return ERR_PTR(-EFAULT);
}

static int send_packet(struct unix_sock *u, struct unix_sock *to, struct iov_iter *iter, u32 bytes,
                       bool may_wait)
{
    int error = wait_for_room(u, to, may_wait);
    struct sk_buff *skb = error ? ERR_PTR(error) : make_packet(u, iter, bytes);
    if (IS_ERR(skb))
        return (int)PTR_ERR(skb);
    /* A packet may take more than there is room for, if there is some. */
    skb->truesize = min(skb->truesize, to->sk.rcvbuf - min(to->sk.rmem_alloc, to->sk.rcvbuf));
    if (sock_queue_rcv_skb(&to->sk, skb))
        return 0;
    kfree_skb(skb);
    return -EPIPE;
}

static ssize_t unix_stream_sendmsg(struct socket *sock, struct msghdr *msg)
{
    struct unix_sock *u = unix_sk(sock);
    ssize_t done = 0;
    if (u->peer == NULL)
        return msg->msg_namelen ? -EOPNOTSUPP : -ENOTCONN;
    if (msg->msg_namelen)
        return -EISCONN;
    while (msg->msg_iter.count) {
        u32 bytes = (u32)min(msg->msg_iter.count, (size_t)STREAM_PIECE);
        int error = send_packet(u, u->peer, &msg->msg_iter, bytes, !(msg->msg_flags & MSG_DONTWAIT));
        if (error)
            return done ? done : error;
        done += (ssize_t)bytes;
    }
    return done;
}

static ssize_t unix_dgram_sendmsg(struct socket *sock, struct msghdr *msg)
{
    struct unix_sock *u = unix_sk(sock), *to = u->peer;
    u32 bytes = (u32)min(msg->msg_iter.count, (size_t)DATAGRAM_MOST + 1);
    if (bytes > DATAGRAM_MOST)
        return -EMSGSIZE;
    if (msg->msg_namelen)
        to = unix_find(msg->msg_name, msg->msg_namelen, SOCK_DGRAM);
    if (to == NULL || IS_ERR(to))
        return to ? PTR_ERR(to) : -ENOTCONN;
    if (to->sk.socket == NULL)
        return -ECONNREFUSED;
    sock_hold(&to->sk);
    int error = send_packet(u, to, &msg->msg_iter, bytes, !(msg->msg_flags & MSG_DONTWAIT));
    unix_put(to);
    return error ? error : (ssize_t)bytes;
}

/* ---- Receiving ---- */

static ssize_t unix_dgram_recvmsg(struct socket *sock, struct msghdr *msg)
{
    struct unix_sock *u = unix_sk(sock);
    struct sk_buff *skb = skb_recv_datagram(&u->sk, msg->msg_flags);
    if (skb == NULL || IS_ERR(skb))
        return skb ? PTR_ERR(skb) : 0;
    msg->msg_namelen = skb->csum_start > sizeof(u16) ? skb->csum_start : 0;
    memcpy(msg->msg_name, skb->network_header, msg->msg_namelen);
    ssize_t done = datagram_receive(skb, msg);
    wake_up_all(&u->sk.wait);
    return done;
}

/* 0 when there is something, or the stream's end; or an error. */
static int wait_for_bytes(struct unix_sock *u, u32 flags)
{
    struct sock *sk = &u->sk;
    if (list_empty(&sk->receive_queue) && !sk->err && !(sk->shutdown & RCV_SHUTDOWN)) {
        if (flags & MSG_DONTWAIT)
            return -EAGAIN;
        long left = wait_event_interruptible_timeout(
            sk->wait, !list_empty(&sk->receive_queue) || sk->err || (sk->shutdown & RCV_SHUTDOWN),
            sk->rcvtimeo);
        if (left <= 0)
            return left ? (int)left : -EAGAIN;
    }
    return list_empty(&sk->receive_queue) ? sock_error(sk) : 0;
}

/* Bytes of the packets that are there. With MSG_PEEK, of the first only. The lock is held. */
static ssize_t take_bytes(struct unix_sock *u, struct iov_iter *iter, bool peeks)
{
    ssize_t done = 0;
    while (iter->count && !list_empty(&u->sk.receive_queue)) {
        struct sk_buff *skb = list_first_entry(&u->sk.receive_queue, struct sk_buff, list);
        u32 bytes = (u32)min(iter->count, (size_t)skb->len);
        if (copy_to_iter(skb->data, bytes, iter) < bytes)
            return done ? done : -EFAULT;
        done += (ssize_t)bytes;
        if (peeks)
            break;
        skb_pull(skb, bytes);
        if (skb->len)
            continue;
        list_del_init(&skb->list);
        kfree_skb(skb);
    }
    return done;
}

static ssize_t unix_stream_recvmsg(struct socket *sock, struct msghdr *msg)
{
    struct unix_sock *u = unix_sk(sock);
    if (u->is_listening || (u->peer == NULL && !u->sk.shutdown))
        return -EINVAL;
    ssize_t done = wait_for_bytes(u, msg->msg_flags);
    if (done == 0) {
        mutex_lock(&u->sk.lock);
        done = take_bytes(u, &msg->msg_iter, msg->msg_flags & MSG_PEEK);
        mutex_unlock(&u->sk.lock);
    }
    msg->msg_flags = 0;
    wake_up_all(&u->sk.wait);
    return done;
}

/* ---- The rest ---- */

static u32 unix_stream_poll(struct file *file, struct socket *sock, struct poll_table *table)
{
    struct unix_sock *u = unix_sk(sock);
    u32 mask = datagram_poll(file, sock, table) & ~(EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
    if (u->is_listening)
        return list_empty(&u->pending) ? 0 : EPOLLIN | EPOLLRDNORM;
    if (u->peer == NULL)
        return mask | EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND | EPOLLHUP;
    poll_wait(&u->peer->sk.wait, table);
    return has_room(u->peer) ? mask | EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND : mask;
}

static long unix_ioctl(struct socket *sock, u32 command, unsigned long arg)
{
    const struct unix_sock *u = unix_sk(sock);
    const struct sk_buff *skb;
    u32 bytes = 0;
    if (command != FIONREAD)
        return -ENOTTY;
    list_for_each_entry(skb, &u->sk.receive_queue, list)
    {
        bytes += skb->len;
        if (u->type == SOCK_DGRAM)
            break;
    }
    return put_user_u32(bytes, user_ptr(arg));
}

static const struct proto_ops unix_stream_ops = {.family = AF_UNIX,
                                                 .release = unix_release,
                                                 .bind = unix_bind,
                                                 .connect = unix_stream_connect,
                                                 .socketpair = unix_socketpair,
                                                 .listen = unix_listen,
                                                 .accept = unix_accept,
                                                 .getname = unix_getname,
                                                 .poll = unix_stream_poll,
                                                 .ioctl = unix_ioctl,
                                                 .shutdown = unix_shutdown,
                                                 .sendmsg = unix_stream_sendmsg,
                                                 .recvmsg = unix_stream_recvmsg};
static const struct proto_ops unix_dgram_ops = {.family = AF_UNIX,
                                                .release = unix_release,
                                                .bind = unix_bind,
                                                .connect = unix_dgram_connect,
                                                .socketpair = unix_socketpair,
                                                .getname = unix_getname,
                                                .poll = datagram_poll,
                                                .ioctl = unix_ioctl,
                                                .shutdown = unix_shutdown,
                                                .sendmsg = unix_dgram_sendmsg,
                                                .recvmsg = unix_dgram_recvmsg};
