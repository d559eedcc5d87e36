/*
 * Packets on their way: struct sk_buff has the bytes of one, from the outermost header that is there at the
 * moment to its end. The first ones lie in the buffer's own memory, headers among them; those that follow
 * may lie in pages of somebody else's (the page cache), each with a reference.
 *
 *     head ... data ......... tail ... end    and then    frags[0], frags[1], ...
 *        room      skb_headlen    room                    data_len bytes
 */
#pragma once

#include "bug.h"
#include "inet.h"
#include "list.h"
#include "mm.h"

struct iov_iter;
struct net_device;
struct sock;

/* 64 KiB that begin within a page, and one more. */
#define MAX_SKB_FRAGS 18u

struct skb_frag {
    struct page *page;
    u32 offset, size;
};

enum skb_ip_summed {
    CHECKSUM_NONE,        /* to be checked; it is in the packet */
    CHECKSUM_UNNECESSARY, /* the device has found it right */
    CHECKSUM_PARTIAL,     /* who sends it over a wire sums from csum_start on, into csum_offset behind that */
};

enum skb_pkt_type { PACKET_HOST, PACKET_BROADCAST, PACKET_MULTICAST, PACKET_OTHERHOST };

struct sk_buff {
    struct list_head list;
    struct net_device *dev; /* it came from there, or goes there */
    struct sock *sk;        /* whose memory it counts as */
    void (*destructor)(struct sk_buff *skb);
    u32 len, data_len;
    u32 truesize; /* bytes of memory that it takes */
    u8 *head, *data, *tail, *end;
    u8 *network_header, *transport_header;
    be16 protocol; /* ETH_P_ */
    u8 ip_summed, pkt_type;
    u16 csum_start, csum_offset; /* bytes from head; from there */
    u32 nr_frags;
    struct skb_frag frags[MAX_SKB_FRAGS];
};

void skb_init(void);
/* An empty one with room for so many bytes behind data; NULL: no memory. */
struct sk_buff *alloc_skb(u32 bytes, gfp_t gfp);
/*
 * Tells the owner (destructor) and frees everything. Pages of others are given back by tasks only: in an
 * interrupt, by a thread later.
 */
void kfree_skb(struct sk_buff *skb);
void skb_queue_purge(struct list_head *queue);
/* Frees what interrupts have left, and ends the thread that does it. When no device runs any more. */
void skb_free_thread_start(void);
void skb_free_thread_stop(void);

/* It is nobody's any more. */
void skb_orphan(struct sk_buff *skb);

static inline u32 skb_headlen(const struct sk_buff *skb)
{
    return skb->len - skb->data_len;
}

static inline u32 skb_headroom(const struct sk_buff *skb)
{
    return (u32)(skb->data - skb->head);
}

static inline u32 skb_tailroom(const struct sk_buff *skb)
{
    return (u32)(skb->end - skb->tail);
}

/* Moves the beginning of an empty one. */
static inline void skb_reserve(struct sk_buff *skb, u32 bytes)
{
    skb->data += bytes;
    skb->tail += bytes;
}

/* So many bytes more at the end of a packet without frags: their address. */
static inline u8 *skb_put(struct sk_buff *skb, u32 bytes)
{
    u8 *at = skb->tail;
    BUG_ON(skb_tailroom(skb) < bytes || skb->data_len);
    skb->tail += bytes;
    skb->len += bytes;
    return at;
}

/* So many more at the beginning: the new beginning. */
static inline u8 *skb_push(struct sk_buff *skb, u32 bytes)
{
    BUG_ON(skb_headroom(skb) < bytes);
    skb->data -= bytes;
    skb->len += bytes;
    return skb->data;
}

/* So many less at the beginning, which must be in its own memory. */
static inline void skb_pull(struct sk_buff *skb, u32 bytes)
{
    BUG_ON(skb_headlen(skb) < bytes);
    skb->data += bytes;
    skb->len -= bytes;
}

/* Ends it behind so many bytes. */
void skb_trim(struct sk_buff *skb, u32 len);
/* Appends a piece of a page, with a reference of its own; false: there are too many. */
bool skb_append_page(struct sk_buff *skb, struct page *page, u32 offset, u32 bytes);
/* All bytes in memory of its own, by one copy of those that are not. 0 or -ENOMEM. */
int skb_linearize(struct sk_buff *skb);
/* Another packet with the same bytes, in memory of its own; NULL: no memory. */
struct sk_buff *skb_copy(const struct sk_buff *skb, gfp_t gfp);
void skb_copy_bits(const struct sk_buff *skb, u32 offset, void *to, u32 bytes);
/* Moves on in *iter; 0 or -EFAULT. */
int skb_copy_datagram_iter(const struct sk_buff *skb, u32 offset, struct iov_iter *iter, u32 bytes);
/* The sum of bytes from offset to the end; see csum_partial(). */
u32 skb_checksum(const struct sk_buff *skb, u32 offset, u32 sum);
/* CHECKSUM_PARTIAL: does what a device does that cannot. */
void skb_checksum_help(struct sk_buff *skb);
