/* Packets on their way out: put together, cut up into frames, given their headers. */
#include "err.h"
#include "highmem.h"
#include "ip.h"
#include "string.h"

#define HEADERS_BYTES (LL_MAX_HEADER + (u32)sizeof(struct iphdr))
/* What a packet has in memory of its own when the device takes the rest in pages. */
#define LINEAR_MOST (2048u - HEADERS_BYTES)

static u16 next_id;

void ip_cork_init(struct ip_cork *cork, const struct sock *sk, const struct rtable *rt, u32 bytes)
{
    u32 room = rt->dev->mtu - (u32)sizeof(struct iphdr);
    bool fits = bytes && bytes <= room;
    *cork = (struct ip_cork){.rt = *rt,
                             .protocol = (u8)sk->protocol,
                             .ttl = sk->ttl,
                             .tos = sk->tos,
                             /* Fragments begin at multiples of 8. */
                             .fragment_bytes = fits ? room : ALIGN_DOWN(room, 8u)};
    INIT_LIST_HEAD(&cork->queue);
}

/* The frame that is not full yet, or a new one with room for `linear` bytes. */
static struct sk_buff *open_frame(struct sock *sk, struct ip_cork *cork, u32 linear, bool may_wait)
{
    bool is_first = list_empty(&cork->queue);
    if (!is_first) {
        struct sk_buff *last = list_entry(cork->queue.prev, struct sk_buff, list);
        if (last->len < cork->fragment_bytes)
            return last;
    }
    u32 header_bytes = is_first ? cork->transport_header_bytes : 0;
    linear = min(linear + header_bytes, cork->fragment_bytes);
    struct sk_buff *skb = sock_alloc_send_skb(sk, HEADERS_BYTES + linear, may_wait);
    if (IS_ERR(skb))
        return skb;
    skb_reserve(skb, HEADERS_BYTES);
    if (header_bytes)
        memset(skb_put(skb, header_bytes), 0, header_bytes);
    cork->length += header_bytes;
    list_add_tail(&skb->list, &cork->queue);
    return skb;
}

static bool takes_pieces(const struct ip_cork *cork)
{
    return cork->rt.dev->features & NETIF_F_SG;
}

static int check_length(const struct ip_cork *cork, u32 bytes)
{
    u32 header_bytes = (u32)sizeof(struct iphdr) + (cork->length ? 0 : cork->transport_header_bytes);
    return bytes > IP_MAX_BYTES || cork->length + header_bytes + bytes > IP_MAX_BYTES ? -EMSGSIZE : 0;
}

/* The packet's memory grows by so many bytes, which its sender has to answer for. */
static void charge(struct sk_buff *skb, u32 bytes)
{
    skb->truesize += bytes;
    sock_charge(skb->sk, bytes);
}

/* Up to a page of bytes behind what the packet has, in a page of its own. How many, or an error. */
static int append_in_new_page(struct sk_buff *skb, struct iov_iter *iter, u32 bytes)
{
    struct page *page = alloc_page(GFP_KERNEL);
    if (page == NULL)
        return -ENOMEM;
    bytes = min(bytes, (u32)PAGE_SIZE);
    int error = copy_from_iter(page_address(page), bytes, iter) < bytes ? -EFAULT
                : skb_append_page(skb, page, 0, bytes)                  ? 0
                                                                        : -EMSGSIZE;
    put_page(page);
    if (error)
        return error;
    charge(skb, (u32)PAGE_SIZE);
    return (int)bytes;
}

static int append_bytes(struct sk_buff *skb, struct iov_iter *iter, u32 bytes)
{
    u32 room = skb->data_len ? 0 : skb_tailroom(skb);
    if (room == 0)
        return append_in_new_page(skb, iter, bytes);
    bytes = min(bytes, room);
    return copy_from_iter(skb_put(skb, bytes), bytes, iter) < bytes ? -EFAULT : (int)bytes;
}

int ip_append_data(struct sock *sk, struct ip_cork *cork, struct iov_iter *iter, bool may_grow, bool may_wait)
{
    int error = check_length(cork, (u32)min(iter->count, (size_t)IP_MAX_BYTES + 1));
    u32 least = may_grow ? cork->fragment_bytes : 0;
    /* A packet without any bytes is one, too. */
    bool is_empty = list_empty(&cork->queue);
    while (error == 0 && (iter->count || is_empty)) {
        u32 linear = max((u32)iter->count, least);
        if (takes_pieces(cork))
            linear = min(linear, LINEAR_MOST);
        struct sk_buff *skb = open_frame(sk, cork, linear, may_wait);
        if (IS_ERR(skb))
            return (int)PTR_ERR(skb);
        is_empty = false;
        u32 piece = min((u32)iter->count, cork->fragment_bytes - skb->len);
        int done = piece ? append_bytes(skb, iter, piece) : 0;
        if (done < 0)
            return done;
        cork->length += (u32)done;
    }
    return error;
}

/* The one copy that a device costs which does not take packets in pieces. */
static void copy_from_page(struct sk_buff *skb, struct page *page, u32 offset, u32 bytes)
{
    const u8 *from = kmap_atomic(page);
    memcpy(skb_put(skb, bytes), from + offset, bytes);
    kunmap_atomic((void *)from);
}

int ip_append_page(struct sock *sk, struct ip_cork *cork, struct page *page, u32 offset, u32 bytes,
                   bool may_wait)
{
    int error = check_length(cork, bytes);
    while (error == 0 && bytes) {
        u32 linear = takes_pieces(cork) ? 0 : cork->fragment_bytes;
        struct sk_buff *skb = open_frame(sk, cork, linear, may_wait);
        if (IS_ERR(skb))
            return (int)PTR_ERR(skb);
        u32 piece = min(bytes, cork->fragment_bytes - skb->len);
        if (skb->data_len == 0 && skb_tailroom(skb)) {
            piece = min(piece, skb_tailroom(skb));
            copy_from_page(skb, page, offset, piece);
        } else {
            if (!skb_append_page(skb, page, offset, piece))
                return -EMSGSIZE;
            charge(skb, piece);
        }
        cork->length += piece;
        offset += piece;
        bytes -= piece;
    }
    return error;
}

void ip_flush_pending(struct ip_cork *cork)
{
    skb_queue_purge(&cork->queue);
    cork->length = 0;
}

/* ---- Sending ---- */

static void put_header(struct sk_buff *skb, const struct rtable *rt, u8 protocol, u8 ttl, u8 tos)
{
    struct iphdr *ip = (void *)skb_push(skb, sizeof(*ip));
    *ip = (struct iphdr){.version = 4,
                         .ihl = sizeof(*ip) / 4,
                         .tos = tos,
                         .tot_len = htons((u16)skb->len),
                         .ttl = ttl,
                         .protocol = protocol,
                         .saddr = rt->saddr,
                         .daddr = rt->daddr};
    skb->network_header = skb->data;
    skb->dev = rt->dev;
    skb->protocol = htons(ETH_P_IP);
}

static void finish_header(struct sk_buff *skb, u16 id, u16 frag_off)
{
    struct iphdr *ip = (void *)skb->network_header;
    ip->id = htons(id);
    ip->frag_off = htons(frag_off);
    ip->check = csum_fold(csum_partial(ip, sizeof(*ip), 0));
}

static void output(struct sk_buff *skb, const struct rtable *rt)
{
    ip_mib.OutRequests++;
    if (rt->dev->flags & (IFF_NOARP | IFF_LOOPBACK)) {
        eth_header(skb, rt->dev, ETH_P_IP, NULL);
        dev_queue_xmit(skb);
    } else if (rt->is_broadcast) {
        eth_header(skb, rt->dev, ETH_P_IP, rt->dev->broadcast);
        dev_queue_xmit(skb);
    } else {
        arp_send_to(skb, rt->dev, rt->nexthop);
    }
}

void ip_push_pending(struct ip_cork *cork)
{
    u16 id = next_id++;
    u32 offset = 0;
    bool is_cut = cork->queue.next != cork->queue.prev;
    ip_mib.FragOKs += is_cut;
    while (!list_empty(&cork->queue)) {
        struct sk_buff *skb = list_first_entry(&cork->queue, struct sk_buff, list);
        list_del_init(&skb->list);
        u32 bytes = skb->len;
        put_header(skb, &cork->rt, cork->protocol, cork->ttl, cork->tos);
        finish_header(skb, id, (u16)(offset / 8 | (list_empty(&cork->queue) ? 0 : IP_MF)));
        ip_mib.FragCreates += is_cut;
        output(skb, &cork->rt);
        offset += bytes;
    }
    cork->length = 0;
}

#define KERNEL_TTL 64

void ip_send_skb(struct sk_buff *skb, const struct rtable *rt, u8 protocol)
{
    if (skb->len + sizeof(struct iphdr) > rt->dev->mtu) {
        ip_mib.OutDiscards++;
        kfree_skb(skb);
        return;
    }
    put_header(skb, rt, protocol, KERNEL_TTL, 0);
    finish_header(skb, next_id++, 0);
    output(skb, rt);
}
