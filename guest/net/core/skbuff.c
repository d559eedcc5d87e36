#include "skbuff.h"
#include "asm/irq.h"
#include "asm/irqflags.h"
#include "errno.h"
#include "highmem.h"
#include "kthread.h"
#include "sched.h"
#include "slab.h"
#include "string.h"
#include "uio.h"

static struct kmem_cache *skbuff_cachep;

void __init skb_init(void)
{
    skbuff_cachep = kmem_cache_create("skbuff_head_cache", sizeof(struct sk_buff), 0,
                                      SLAB_HWCACHE_ALIGN | SLAB_PANIC, NULL);
}

struct sk_buff *alloc_skb(u32 bytes, gfp_t gfp)
{
    /* A packet that is lost is nothing to report. */
    struct sk_buff *skb = kmem_cache_zalloc(skbuff_cachep, gfp | __GFP_NOWARN);
    if (skb == NULL)
        return NULL;
    skb->head = kmalloc(bytes, gfp | __GFP_NOWARN);
    if (skb->head == NULL) {
        kmem_cache_free(skbuff_cachep, skb);
        return NULL;
    }
    INIT_LIST_HEAD(&skb->list);
    skb->data = skb->tail = skb->head;
    skb->end = skb->head + bytes;
    skb->truesize = (u32)(sizeof(*skb) + ksize(skb->head));
    return skb;
}

void skb_orphan(struct sk_buff *skb)
{
    if (skb->destructor)
        skb->destructor(skb);
    skb->destructor = NULL;
    skb->sk = NULL;
}

static void free_skb(struct sk_buff *skb)
{
    for (u32 i = 0; i < skb->nr_frags; i++)
        put_page(skb->frags[i].page);
    kfree(skb->head);
    kmem_cache_free(skbuff_cachep, skb);
}

/* ---- Packets that an interrupt has done with, and that hold pages ---- */

static LIST_HEAD(completion_queue);
static DECLARE_WAIT_QUEUE_HEAD(completion_wait);
static struct task_struct *free_thread;

static struct sk_buff *next_completed(void)
{
    unsigned long flags = local_irq_save();
    struct sk_buff *skb = NULL;
    if (!list_empty(&completion_queue)) {
        skb = list_first_entry(&completion_queue, struct sk_buff, list);
        list_del_init(&skb->list);
    }
    local_irq_restore(flags);
    return skb;
}

static int free_completed(void *unused)
{
    (void)unused;
    for (;;) {
        struct sk_buff *skb;
        while ((skb = next_completed()) != NULL)
            free_skb(skb);
        if (kthread_should_stop())
            return 0;
        (void)wait_event_interruptible(completion_wait,
                                       !list_empty(&completion_queue) || kthread_should_stop());
    }
}

void skb_free_thread_start(void)
{
    if (free_thread == NULL)
        free_thread = kthread_run(free_completed, NULL, "ksoftirqd/0");
}

void skb_free_thread_stop(void)
{
    struct sk_buff *skb;
    if (free_thread)
        kthread_stop(free_thread);
    free_thread = NULL;
    while ((skb = next_completed()) != NULL)
        free_skb(skb);
}

void kfree_skb(struct sk_buff *skb)
{
    skb_orphan(skb);
    if (get_irq_regs() == NULL || skb->nr_frags == 0) {
        free_skb(skb);
        return;
    }
    list_add_tail(&skb->list, &completion_queue);
    wake_up(&completion_wait);
}

void skb_queue_purge(struct list_head *queue)
{
    while (!list_empty(queue)) {
        struct sk_buff *skb = list_first_entry(queue, struct sk_buff, list);
        list_del_init(&skb->list);
        kfree_skb(skb);
    }
}

/* ---- The bytes ---- */

void skb_trim(struct sk_buff *skb, u32 len)
{
    u32 headlen = skb_headlen(skb);
    if (len >= skb->len)
        return;
    while (skb->nr_frags && skb->len > len) {
        struct skb_frag *frag = &skb->frags[skb->nr_frags - 1];
        u32 cut = min(skb->len - len, frag->size);
        frag->size -= cut;
        skb->len -= cut;
        skb->data_len -= cut;
        if (frag->size)
            break;
        put_page(frag->page);
        skb->nr_frags--;
    }
    if (len < headlen) {
        skb->tail = skb->data + len;
        skb->len = len;
    }
}

bool skb_append_page(struct sk_buff *skb, struct page *page, u32 offset, u32 bytes)
{
    struct skb_frag *last = skb->nr_frags ? &skb->frags[skb->nr_frags - 1] : NULL;
    if (last && last->page == page && last->offset + last->size == offset) {
        last->size += bytes;
    } else {
        if (skb->nr_frags == MAX_SKB_FRAGS)
            return false;
        get_page(page);
        skb->frags[skb->nr_frags++] = (struct skb_frag){.page = page, .offset = offset, .size = bytes};
    }
    skb->len += bytes;
    skb->data_len += bytes;
    return true;
}

/*
 * Hands out `bytes` bytes from offset on, a stretch at a time: `done` is what was handed out before. The
 * callee must not sleep. False: it has ended it.
 */
typedef bool (*skb_stretch_t)(const void *at, u32 bytes, u32 done, void *context);

static bool for_each_stretch(const struct sk_buff *skb, u32 offset, u32 bytes, skb_stretch_t stretch,
                             void *context)
{
    u32 headlen = skb_headlen(skb), done = 0;
    BUG_ON(offset > skb->len || bytes > skb->len - offset);
    if (offset < headlen) {
        done = min(bytes, headlen - offset);
        if (!stretch(skb->data + offset, done, 0, context))
            return false;
    }
    u32 start = headlen; /* of the frag, in the packet */
    for (u32 i = 0; i < skb->nr_frags && done < bytes; i++) {
        const struct skb_frag *frag = &skb->frags[i];
        if (offset + done < start + frag->size) {
            u32 skipped = offset + done - start, piece = min(bytes - done, frag->size - skipped);
            u8 *page = kmap_atomic(frag->page);
            bool goes_on = stretch(page + frag->offset + skipped, piece, done, context);
            kunmap_atomic(page);
            if (!goes_on)
                return false;
            done += piece;
        }
        start += frag->size;
    }
    return true;
}

static bool copy_stretch(const void *at, u32 bytes, u32 done, void *to)
{
    memcpy((u8 *)to + done, at, bytes);
    return true;
}

void skb_copy_bits(const struct sk_buff *skb, u32 offset, void *to, u32 bytes)
{
    for_each_stretch(skb, offset, bytes, copy_stretch, to);
}

static bool sum_stretch(const void *at, u32 bytes, u32 done, void *sum)
{
    *(u32 *)sum = csum_block_add(*(u32 *)sum, csum_partial(at, bytes, 0), done);
    return true;
}

u32 skb_checksum(const struct sk_buff *skb, u32 offset, u32 sum)
{
    for_each_stretch(skb, offset, skb->len - offset, sum_stretch, &sum);
    return sum;
}

void skb_checksum_help(struct sk_buff *skb)
{
    u32 start = (u32)(skb->head + skb->csum_start - skb->data);
    u8 *field = skb->head + skb->csum_start + skb->csum_offset;
    u16 sum = csum_fold(skb_checksum(skb, start, 0));
    /* All zeroes would mean that there is none (RFC 768). */
    sum = sum ? sum : 0xFFFF;
    memcpy(field, &sum, sizeof(sum));
    skb->ip_summed = CHECKSUM_NONE;
}

/* The user's memory may have to be brought in, which sleeps: pages are mapped for as long as that takes. */
int skb_copy_datagram_iter(const struct sk_buff *skb, u32 offset, struct iov_iter *iter, u32 bytes)
{
    u32 headlen = skb_headlen(skb);
    BUG_ON(offset > skb->len || bytes > skb->len - offset);
    if (offset < headlen) {
        u32 piece = min(bytes, headlen - offset);
        if (copy_to_iter(skb->data + offset, piece, iter) < piece)
            return -EFAULT;
        offset += piece;
        bytes -= piece;
    }
    u32 start = headlen;
    for (u32 i = 0; i < skb->nr_frags && bytes; i++) {
        const struct skb_frag *frag = &skb->frags[i];
        if (offset < start + frag->size) {
            u32 piece = min(bytes, start + frag->size - offset);
            const u8 *page = kmap(frag->page);
            if (page == NULL)
                return -ENOMEM;
            size_t copied = copy_to_iter(page + frag->offset + (offset - start), piece, iter);
            kunmap(frag->page);
            if (copied < piece)
                return -EFAULT;
            offset += piece;
            bytes -= piece;
        }
        start += frag->size;
    }
    return 0;
}

/* Memory for all bytes of skb, with the same room in front; the headers' places in it go to *like. */
static u8 *copy_whole(const struct sk_buff *skb, gfp_t gfp)
{
    u32 headroom = skb_headroom(skb);
    u8 *head = kmalloc(headroom + skb->len, gfp | __GFP_NOWARN);
    if (head == NULL)
        return NULL;
    memcpy(head, skb->head, headroom);
    skb_copy_bits(skb, 0, head + headroom, skb->len);
    return head;
}

static u8 *moved(const u8 *at, const u8 *from, u8 *to)
{
    return at ? to + (at - from) : NULL;
}

/* skb's memory is `head` from now on, which has all its bytes. */
static void use_memory(struct sk_buff *skb, u8 *head, const u8 *old)
{
    u32 headroom = (u32)(skb->data - old);
    skb->network_header = moved(skb->network_header, old, head);
    skb->transport_header = moved(skb->transport_header, old, head);
    skb->head = head;
    skb->data = head + headroom;
    skb->tail = skb->end = skb->data + skb->len;
    skb->data_len = 0;
    skb->nr_frags = 0;
}

int skb_linearize(struct sk_buff *skb)
{
    if (skb->nr_frags == 0)
        return 0;
    /* An interrupt must not give the pages back. */
    u8 *old = skb->head, *head = get_irq_regs() ? NULL : copy_whole(skb, GFP_ATOMIC);
    if (head == NULL)
        return -ENOMEM;
    for (u32 i = 0; i < skb->nr_frags; i++)
        put_page(skb->frags[i].page);
    use_memory(skb, head, old);
    kfree(old);
    return 0;
}

struct sk_buff *skb_copy(const struct sk_buff *skb, gfp_t gfp)
{
    struct sk_buff *copy = kmem_cache_alloc(skbuff_cachep, gfp | __GFP_NOWARN);
    u8 *head = copy ? copy_whole(skb, gfp) : NULL;
    if (head == NULL) {
        if (copy)
            kmem_cache_free(skbuff_cachep, copy);
        return NULL;
    }
    *copy = *skb;
    INIT_LIST_HEAD(&copy->list);
    copy->sk = NULL;
    copy->destructor = NULL;
    use_memory(copy, head, skb->head);
    copy->truesize = (u32)(sizeof(*copy) + ksize(head));
    return copy;
}
