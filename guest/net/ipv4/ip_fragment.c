/*
 * Packets that came in pieces (RFC 791, 3.2). A piece that overlaps another is nobody's honest work: then the
 * whole packet is dropped. What is kept has a limit in number, memory and time. Interrupts are off.
 */
#include "asm/irqflags.h"
#include "ip.h"
#include "jiffies.h"
#include "slab.h"
#include "timer.h"

#define NR_PACKETS_MOST 16u
#define MEMORY_MOST (256u << 10)
#define TIME_MOST (30 * HZ)

struct ipq {
    struct list_head list;
    be32 saddr, daddr;
    be16 id;
    u8 protocol;
    u32 length;              /* of the data; 0: the last piece has not come */
    u32 nr_bytes;            /* that are there */
    struct list_head pieces; /* in order; each begins with its IP header */
    struct timer_list timer;
};

static LIST_HEAD(packets);
static u32 nr_packets, memory;

static u32 offset_of(const struct sk_buff *skb)
{
    return (ntohs(ip_hdr(skb)->frag_off) & IP_OFFSET) * 8;
}

static u32 bytes_of(const struct sk_buff *skb)
{
    return skb->len - ip_hdr(skb)->ihl * 4u;
}

static void drop_packet(struct ipq *q)
{
    while (!list_empty(&q->pieces)) {
        struct sk_buff *skb = list_first_entry(&q->pieces, struct sk_buff, list);
        list_del_init(&skb->list);
        memory -= skb->truesize;
        kfree_skb(skb);
    }
    del_timer(&q->timer);
    list_del_init(&q->list);
    nr_packets--;
    kfree(q);
}

static void fail_packet(struct ipq *q)
{
    ip_mib.ReasmFails++;
    drop_packet(q);
}

static void expire(struct timer_list *timer)
{
    ip_mib.ReasmTimeout++;
    fail_packet(container_of(timer, struct ipq, timer));
}

static struct ipq *find_packet(const struct iphdr *ip)
{
    struct ipq *q;
    list_for_each_entry(q, &packets, list)
    {
        if (q->saddr == ip->saddr && q->daddr == ip->daddr && q->id == ip->id && q->protocol == ip->protocol)
            return q;
    }
    return NULL;
}

static struct ipq *new_packet(const struct iphdr *ip)
{
    struct ipq *q = kzalloc(sizeof(*q), GFP_ATOMIC);
    if (q == NULL)
        return NULL;
    q->saddr = ip->saddr;
    q->daddr = ip->daddr;
    q->id = ip->id;
    q->protocol = ip->protocol;
    INIT_LIST_HEAD(&q->pieces);
    list_add_tail(&q->list, &packets);
    nr_packets++;
    timer_setup(&q->timer, expire);
    mod_timer(&q->timer, jiffies + TIME_MOST);
    return q;
}

/* The piece fits in between those that are there; false: it overlaps, or lies behind the end. */
static bool insert_piece(struct ipq *q, struct sk_buff *skb)
{
    u32 start = offset_of(skb), end = start + bytes_of(skb);
    bool is_last = !(ip_hdr(skb)->frag_off & htons(IP_MF));
    struct list_head *before = &q->pieces;
    u32 previous_end = 0;
    struct sk_buff *piece;
    list_for_each_entry(piece, &q->pieces, list)
    {
        if (offset_of(piece) >= start) {
            if (end > offset_of(piece))
                return false;
            break;
        }
        previous_end = offset_of(piece) + bytes_of(piece);
        before = &piece->list;
    }
    bool is_behind = q->length ? end > q->length : is_last && before->next != &q->pieces;
    if (previous_end > start || is_behind || (is_last && q->length))
        return false;
    list_add(&skb->list, before);
    if (is_last)
        q->length = end;
    q->nr_bytes += end - start;
    memory += skb->truesize;
    return true;
}

/* The packet in one, by a copy; NULL: no memory. */
static struct sk_buff *join(const struct ipq *q)
{
    const struct sk_buff *first = list_first_entry(&q->pieces, struct sk_buff, list), *piece;
    u32 header_bytes = ip_hdr(first)->ihl * 4u;
    struct sk_buff *skb = alloc_skb(header_bytes + q->length, GFP_ATOMIC);
    if (skb == NULL)
        return NULL;
    skb->dev = first->dev;
    skb->pkt_type = first->pkt_type;
    skb->protocol = first->protocol;
    skb->network_header = skb->data;
    skb_copy_bits(first, 0, skb_put(skb, header_bytes), header_bytes);
    struct iphdr *ip = (void *)skb->network_header;
    ip->tot_len = htons((u16)(header_bytes + q->length));
    ip->frag_off = 0;
    list_for_each_entry(piece, &q->pieces, list)
    {
        u32 bytes = bytes_of(piece);
        skb_copy_bits(piece, piece->len - bytes, skb_put(skb, bytes), bytes);
    }
    return skb;
}

/* Only the last piece may have any length, and none may be empty or reach behind the longest packet. */
static bool piece_is_right(const struct sk_buff *skb)
{
    u32 bytes = bytes_of(skb);
    bool is_last = !(ip_hdr(skb)->frag_off & htons(IP_MF));
    return bytes && (is_last || bytes % 8 == 0) &&
           ip_hdr(skb)->ihl * 4u + offset_of(skb) + bytes <= IP_MAX_BYTES;
}

/* Room for one more piece, of q or of a new packet: the packets that wait the longest go. */
static void make_room(const struct ipq *q, u32 bytes)
{
    while (!list_empty(&packets) &&
           (memory + bytes > MEMORY_MOST || (q == NULL && nr_packets == NR_PACKETS_MOST))) {
        struct ipq *oldest = list_first_entry(&packets, struct ipq, list);
        if (oldest == q)
            return;
        fail_packet(oldest);
    }
}

/* The packet that the piece is of has it now; NULL: it has been dropped, and the packet with it. */
static struct ipq *keep_piece(struct sk_buff *skb)
{
    struct ipq *q = find_packet(ip_hdr(skb));
    bool is_right = piece_is_right(skb);
    if (is_right)
        make_room(q, skb->truesize);
    if (is_right && q == NULL)
        q = new_packet(ip_hdr(skb));
    if (is_right && q && memory + skb->truesize <= MEMORY_MOST && insert_piece(q, skb))
        return q;
    kfree_skb(skb);
    if (q)
        fail_packet(q);
    else
        ip_mib.ReasmFails++;
    return NULL;
}

void ip_defrag(struct sk_buff *skb)
{
    ip_mib.ReasmReqds++;
    skb_orphan(skb);
    struct ipq *q = keep_piece(skb);
    if (q == NULL)
        return;
    if (q->nr_bytes != q->length)
        return;
    struct sk_buff *whole = join(q);
    if (whole == NULL) {
        fail_packet(q);
        return;
    }
    drop_packet(q);
    ip_mib.ReasmOKs++;
    ip_local_deliver(whole);
}

void ip_flush_fragments(void)
{
    unsigned long flags = local_irq_save();
    while (!list_empty(&packets))
        drop_packet(list_first_entry(&packets, struct ipq, list));
    local_irq_restore(flags);
}
