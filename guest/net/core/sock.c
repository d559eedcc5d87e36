/* What sockets of all protocols share: queues, memory, options. */
#include "sock.h"
#include "asm/irqflags.h"
#include "err.h"
#include "jiffies.h"
#include "poll.h"
#include "sched.h"
#include "slab.h"

#define WAIT_FOR_EVER MAX_SCHEDULE_TIMEOUT
#define TTL_DEFAULT 64u

struct sock *sk_alloc(struct socket *sock, size_t bytes)
{
    struct sock *sk = kzalloc(bytes, GFP_KERNEL);
    if (sk == NULL)
        return NULL;
    sk->refs = 1;
    sk->socket = sock;
    sk->ttl = TTL_DEFAULT;
    sk->rcvbuf = sk->sndbuf = SK_BUF_DEFAULT;
    sk->rcvtimeo = sk->sndtimeo = WAIT_FOR_EVER;
    INIT_LIST_HEAD(&sk->node);
    INIT_LIST_HEAD(&sk->receive_queue);
    init_waitqueue_head(&sk->wait);
    mutex_init(&sk->lock);
    return sk;
}

void sock_hold(struct sock *sk)
{
    unsigned long flags = local_irq_save();
    sk->refs++;
    local_irq_restore(flags);
}

void sock_put(struct sock *sk)
{
    unsigned long flags = local_irq_save();
    bool is_last = --sk->refs == 0;
    local_irq_restore(flags);
    if (is_last)
        kfree(sk);
}

int sock_error(struct sock *sk)
{
    unsigned long flags = local_irq_save();
    int error = sk->err;
    sk->err = 0;
    local_irq_restore(flags);
    return error;
}

void sk_report_error(struct sock *sk, int error)
{
    sk->err = error;
    wake_up_all(&sk->wait);
}

/* ---- Packets that are sent ---- */

static void sock_wfree(struct sk_buff *skb)
{
    struct sock *sk = skb->sk;
    unsigned long flags = local_irq_save();
    sk->wmem_alloc -= skb->truesize;
    wake_up_all(&sk->wait);
    local_irq_restore(flags);
    sock_put(sk);
}

/* 0 when there is room, or an error. */
static int wait_for_wmem(struct sock *sk, bool may_wait)
{
    if (sk->wmem_alloc < sk->sndbuf)
        return 0;
    if (!may_wait)
        return -EAGAIN;
    long left = wait_event_interruptible_timeout(
        sk->wait, sk->wmem_alloc < sk->sndbuf || (sk->shutdown & SEND_SHUTDOWN), sk->sndtimeo);
    return left < 0 ? (int)left : left == 0 ? -EAGAIN : 0;
}

struct sk_buff *sock_alloc_send_skb(struct sock *sk, u32 bytes, bool may_wait)
{
    int error = wait_for_wmem(sk, may_wait);
    if (error == 0 && (sk->shutdown & SEND_SHUTDOWN))
        error = -EPIPE;
    if (error)
        return ERR_PTR(error);
    struct sk_buff *skb = alloc_skb(bytes, GFP_KERNEL);
    if (skb == NULL)
        return ERR_PTR(-ENOMEM);
    unsigned long flags = local_irq_save();
    sk->wmem_alloc += skb->truesize;
    sk->refs++;
    local_irq_restore(flags);
    skb->sk = sk;
    skb->destructor = sock_wfree;
    return skb;
}

void sock_charge(struct sock *sk, u32 bytes)
{
    unsigned long flags = local_irq_save();
    sk->wmem_alloc += bytes;
    local_irq_restore(flags);
}

/* ---- Packets that come ---- */

static void sock_rfree(struct sk_buff *skb)
{
    unsigned long flags = local_irq_save();
    skb->sk->rmem_alloc -= skb->truesize;
    local_irq_restore(flags);
}

bool sock_queue_rcv_skb(struct sock *sk, struct sk_buff *skb)
{
    unsigned long flags = local_irq_save();
    bool has_room = sk->rmem_alloc + skb->truesize <= sk->rcvbuf && !(sk->shutdown & RCV_SHUTDOWN);
    if (has_room) {
        sk->rmem_alloc += skb->truesize;
        skb->sk = sk;
        skb->destructor = sock_rfree;
        list_add_tail(&skb->list, &sk->receive_queue);
        wake_up_all(&sk->wait);
    } else {
        sk->drops++;
    }
    local_irq_restore(flags);
    return has_room;
}

static struct sk_buff *take_datagram(struct sock *sk, bool peeks)
{
    unsigned long flags = local_irq_save();
    struct sk_buff *skb = NULL;
    if (!list_empty(&sk->receive_queue)) {
        skb = list_first_entry(&sk->receive_queue, struct sk_buff, list);
        if (!peeks)
            list_del_init(&skb->list);
        else
            skb = skb_copy(skb, GFP_ATOMIC);
        if (skb == NULL)
            skb = ERR_PTR(-ENOMEM);
    }
    local_irq_restore(flags);
    return skb;
}

struct sk_buff *skb_recv_datagram(struct sock *sk, u32 flags)
{
    long left = sk->rcvtimeo;
    for (;;) {
        int error = sock_error(sk);
        struct sk_buff *skb = error ? ERR_PTR(error) : take_datagram(sk, flags & MSG_PEEK);
        if (skb || (sk->shutdown & RCV_SHUTDOWN))
            return skb;
        if ((flags & MSG_DONTWAIT) || left == 0)
            return ERR_PTR(-EAGAIN);
        left = wait_event_interruptible_timeout(
            sk->wait, !list_empty(&sk->receive_queue) || sk->err || (sk->shutdown & RCV_SHUTDOWN), left);
        if (left < 0)
            return ERR_PTR(left);
    }
}

ssize_t datagram_receive(struct sk_buff *skb, struct msghdr *msg)
{
    u32 room = (u32)min(msg->msg_iter.count, (size_t)skb->len);
    bool tells_length = msg->msg_flags & MSG_TRUNC;
    ssize_t result = skb_copy_datagram_iter(skb, 0, &msg->msg_iter, room);
    if (result == 0)
        result = (ssize_t)(tells_length ? skb->len : room);
    msg->msg_flags = skb->len > room ? MSG_TRUNC : 0;
    kfree_skb(skb);
    return result;
}

u32 datagram_poll(struct file *file, struct socket *sock, struct poll_table *table)
{
    struct sock *sk = sock->sk;
    u32 mask = 0;
    (void)file;
    poll_wait(&sk->wait, table);
    if (sk->err)
        mask |= EPOLLERR;
    if (sk->shutdown & RCV_SHUTDOWN)
        mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
    if (sk->shutdown == (RCV_SHUTDOWN | SEND_SHUTDOWN))
        mask |= EPOLLHUP;
    if (!list_empty(&sk->receive_queue))
        mask |= EPOLLIN | EPOLLRDNORM;
    if (sk->wmem_alloc < sk->sndbuf)
        mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
    return mask;
}

/* ---- Options ---- */

#define USEC_PER_SEC 1000000u
#define USEC_PER_TICK (USEC_PER_SEC / HZ)
#define SECONDS_MOST 10000000u

/* Seconds and microseconds; none: for ever. */
static int set_timeout(long *ticks, const u32 value[2], u32 nr)
{
    if (nr < 2)
        return -EINVAL;
    if (value[1] >= USEC_PER_SEC)
        return -EDOM;
    if ((s32)value[0] < 0)
        *ticks = 0;
    else if ((value[0] == 0 && value[1] == 0) || value[0] > SECONDS_MOST)
        *ticks = WAIT_FOR_EVER;
    else
        *ticks = (long)(value[0] * HZ + (value[1] + USEC_PER_TICK - 1) / USEC_PER_TICK);
    return 0;
}

static int get_timeout(long ticks, u32 value[2])
{
    value[0] = ticks == WAIT_FOR_EVER ? 0 : (u32)ticks / HZ;
    value[1] = ticks == WAIT_FOR_EVER ? 0 : (u32)ticks % HZ * USEC_PER_TICK;
    return 2;
}

/* Linux gives twice what is asked for: half of it is for what the kernel itself keeps of a packet. */
static u32 buffer_size(u32 asked)
{
    return max(2 * min(asked, SK_BUF_MOST / 2), SK_BUF_LEAST);
}

int sock_setsockopt(struct sock *sk, u32 option, const u32 value[2], u32 nr)
{
    if (nr == 0)
        return -EINVAL;
    switch (option) {
    case SO_REUSEADDR:
        sk->reuse = value[0] != 0;
        return 0;
    case SO_BROADCAST:
        sk->broadcast = value[0] != 0;
        return 0;
    case SO_NO_CHECK:
        sk->no_check = value[0] != 0;
        return 0;
    case SO_DONTROUTE:
    case SO_KEEPALIVE: /* there are no connections that could be kept alive */
        return 0;
    case SO_SNDBUF:
        sk->sndbuf = buffer_size(value[0]);
        wake_up_all(&sk->wait);
        return 0;
    case SO_RCVBUF:
        sk->rcvbuf = buffer_size(value[0]);
        return 0;
    case SO_RCVTIMEO:
        return set_timeout(&sk->rcvtimeo, value, nr);
    case SO_SNDTIMEO:
        return set_timeout(&sk->sndtimeo, value, nr);
    default:
        return -ENOPROTOOPT;
    }
}

int sock_getsockopt(struct sock *sk, u32 option, u32 value[2])
{
    switch (option) {
    case SO_REUSEADDR:
        value[0] = sk->reuse;
        return 1;
    case SO_BROADCAST:
        value[0] = sk->broadcast;
        return 1;
    case SO_NO_CHECK:
        value[0] = sk->no_check;
        return 1;
    case SO_DONTROUTE:
    case SO_KEEPALIVE:
        value[0] = 0;
        return 1;
    case SO_SNDBUF:
        value[0] = sk->sndbuf;
        return 1;
    case SO_RCVBUF:
        value[0] = sk->rcvbuf;
        return 1;
    case SO_TYPE:
        value[0] = sk->socket->type;
        return 1;
    case SO_PROTOCOL:
        value[0] = sk->protocol;
        return 1;
    case SO_DOMAIN:
        value[0] = sk->socket->ops->family;
        return 1;
    case SO_ERROR:
        value[0] = (u32)-sock_error(sk);
        return 1;
    case SO_RCVTIMEO:
        return get_timeout(sk->rcvtimeo, value);
    case SO_SNDTIMEO:
        return get_timeout(sk->sndtimeo, value);
    default:
        return -ENOPROTOOPT;
    }
}
