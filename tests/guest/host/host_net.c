#include "host_net.h"
#include "asm/irq.h"
#include "asm/uaccess.h"
#include "err.h"
#include "highmem.h"
#include "ip.h"
#include "jiffies.h"
#include "kthread.h"
#include "poll.h"
#include "sched.h"
#include "seq_file.h"
#include "slab.h"
#include "string.h"
#include "timer.h"

/* The host's C library: the guest's headers have other declarations of these. */
void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void free(void *object);
size_t malloc_usable_size(void *object);
__noreturn void abort(void);

enum { NR_SOCKETS = 8 };

volatile unsigned long jiffies;
struct task_struct init_task, *current_task = &init_task;
const unsigned char host_net_mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

/* Only BUG() says something. */
void printk(const char *fmt, ...)
{
    (void)fmt;
    abort();
}

/* ---- Memory ---- */

static long nr_objects;
static unsigned fail_nth, nr_until_failure;

void host_net_fail_allocations(unsigned nth)
{
    fail_nth = nr_until_failure = nth;
}

static bool fails(void)
{
    if (fail_nth == 0 || --nr_until_failure)
        return false;
    nr_until_failure = fail_nth;
    return true;
}

void *kmalloc(size_t size, gfp_t gfp)
{
    (void)gfp;
    void *object = fails() ? NULL : malloc(size);
    nr_objects += object != NULL;
    return object;
}

void *kzalloc(size_t size, gfp_t gfp)
{
    void *object = kmalloc(size, gfp);
    if (object)
        memset(object, 0, size);
    return object;
}

void kfree(const void *object)
{
    union {
        const void *of_guest;
        void *of_host;
    } at = {.of_guest = object};
    nr_objects -= object != NULL;
    free(at.of_host);
}

size_t ksize(const void *object)
{
    (void)object;
    return 2048;
}

struct kmem_cache *kmem_cache_create(const char *name, u32 size, u32 align, u32 flags, void (*ctor)(void *))
{
    static struct kmem_cache cache;
    (void)align;
    (void)flags;
    (void)ctor;
    cache.name = name;
    cache.object_size = size;
    return &cache;
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
    return kmalloc(cache->object_size, gfp);
}

void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp)
{
    return kzalloc(cache->object_size, gfp);
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
    (void)cache;
    kfree(object);
}

/* The first pages are the test's, the others are handed out. */
enum { NR_PAGES = 2 * HOST_NET_PAGES };
static struct page pages[NR_PAGES];
static char ram[NR_PAGES * HOST_NET_PAGE_BYTES];
struct page *mem_map = pages;
char *host_ram = ram;

unsigned char *host_net_page(unsigned page)
{
    return (unsigned char *)ram + page * HOST_NET_PAGE_BYTES;
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
    (void)gfp;
    for (unsigned i = HOST_NET_PAGES; i < NR_PAGES && order == 0 && !fails(); i++) {
        if (pages[i]._refcount == 0) {
            pages[i]._refcount = 1;
            return &pages[i];
        }
    }
    return NULL;
}

void put_page(struct page *page)
{
    BUG_ON(page->_refcount <= 0);
    page->_refcount--;
}

void *kmap_atomic(struct page *page)
{
    return page_address(page);
}

void kunmap_atomic(void *address)
{
    (void)address;
}

void *kmap(struct page *page)
{
    return page_address(page);
}

void kunmap(struct page *page)
{
    (void)page;
}

/* A "user's" address is a place in here. */
static u8 user_memory[1 << 17];

size_t copy_from_iter(void *to, size_t bytes, struct iov_iter *iter)
{
    bytes = min(bytes, iter->count);
    memcpy(to, user_memory + iter->iov->base + iter->iov_offset, bytes);
    iter->iov_offset += (u32)bytes;
    iter->count -= bytes;
    return bytes;
}

size_t copy_to_iter(const void *from, size_t bytes, struct iov_iter *iter)
{
    bytes = min(bytes, iter->count);
    memcpy(user_memory + iter->iov->base + iter->iov_offset, from, bytes);
    iter->iov_offset += (u32)bytes;
    iter->count -= bytes;
    return bytes;
}

unsigned long copy_from_user(void *to, const void *from, unsigned long bytes)
{
    memcpy(to, from, bytes);
    return 0;
}

unsigned long copy_to_user(void *to, const void *from, unsigned long bytes)
{
    memcpy(to, from, bytes);
    return 0;
}

int put_user_u32(u32 value, u32 *to)
{
    *to = value;
    return 0;
}

long strncpy_from_user(char *to, const char *from, long count)
{
    return (long)strlcpy(to, from, (size_t)count);
}

size_t strlcpy(char *dst, const char *src, size_t size)
{
    size_t length = strlen(src);
    size_t copied = min(length, size - 1);
    memcpy(dst, src, copied);
    dst[copied] = '\0';
    return length;
}

/* ---- Tasks: nobody ever waits ---- */

const struct pt_regs *get_irq_regs(void)
{
    return NULL;
}

void wake_up_all(struct wait_queue_head *queue)
{
    (void)queue;
}

void wake_up(struct wait_queue_head *queue)
{
    (void)queue;
}

void init_wait(struct wait_queue_entry *entry)
{
    (void)entry;
    abort();
}

void prepare_to_wait(struct wait_queue_head *queue, struct wait_queue_entry *entry, u32 state)
{
    (void)queue;
    (void)entry;
    (void)state;
}

void finish_wait(struct wait_queue_entry *entry)
{
    (void)entry;
}

void schedule(void)
{
    abort();
}

long schedule_timeout(long ticks)
{
    (void)ticks;
    abort();
}

void mutex_lock(struct mutex *lock)
{
    (void)lock;
}

void mutex_unlock(struct mutex *lock)
{
    (void)lock;
}

struct task_struct *kthread_run(int (*fn)(void *), void *arg, const char *name)
{
    (void)fn;
    (void)arg;
    (void)name;
    return NULL;
}

void kthread_stop(struct task_struct *task)
{
    (void)task;
}

bool kthread_should_stop(void)
{
    return true;
}

void seq_printf(struct seq_file *m, const char *fmt, ...)
{
    (void)m;
    (void)fmt;
}

/* ---- The device ---- */

static struct net_device wire;
static host_net_sent_t frame_sent;

static bool wire_xmit(struct sk_buff *skb, struct net_device *dev)
{
    static unsigned char frame[HOST_NET_FRAME_MOST];
    u32 bytes = skb->len;
    BUG_ON(bytes > sizeof(frame) || (skb->nr_frags && !(dev->features & NETIF_F_SG)));
    skb_copy_bits(skb, 0, frame, bytes);
    /* As a card does it, from csum_start to the end. */
    if (skb->ip_summed == CHECKSUM_PARTIAL) {
        BUG_ON(!(dev->features & NETIF_F_HW_CSUM));
        u32 start = (u32)(skb->head + skb->csum_start - skb->data);
        u16 sum = csum_fold(csum_partial(frame + start, bytes - start, 0));
        sum = sum ? sum : 0xFFFF;
        memcpy(frame + start + skb->csum_offset, &sum, sizeof(sum));
    }
    kfree_skb(skb);
    frame_sent(frame, bytes);
    return true;
}

static const struct net_device_ops wire_ops = {.start_xmit = wire_xmit};
static struct net_proto_family *inet;

void sock_register(struct net_proto_family *family)
{
    inet = family;
}

/* There is no card, and lo is the kernel's own; nor are there sockets of AF_UNIX. */
void e1000_init(void)
{
}

void unix_init(void)
{
}

void host_net_change(const struct host_net_device *device)
{
    wire.mtu = device->mtu;
    wire.features = (device->gathers ? NETIF_F_SG : 0) | (device->sums ? NETIF_F_HW_CSUM : 0);
    wire.ifa_local = htonl(device->address);
    wire.ifa_mask = htonl(device->mask);
    wire.ifa_broadcast = htonl(device->address | ~device->mask);
    ip_update_routes(&wire);
}

void host_net_start(const struct host_net_device *device, host_net_sent_t sent)
{
    struct net_device *lo;
    if (inet == NULL) {
        net_init();
        ether_setup(&wire);
        strlcpy(wire.name, "eth%d", sizeof(wire.name));
        memcpy(wire.dev_addr, host_net_mac, sizeof(host_net_mac));
        wire.ops = &wire_ops;
        register_netdev(&wire);
    }
    frame_sent = sent;
    for (u32 i = 0; i < HOST_NET_PAGES; i++)
        pages[i]._refcount = 1;
    lo = dev_get_by_name("lo");
    lo->ifa_local = htonl(INADDR_LOOPBACK);
    lo->ifa_mask = htonl(0xFF000000u);
    dev_open(lo);
    dev_open(&wire);
    host_net_change(device);
}

void host_net_receive(const unsigned char *frame, size_t bytes)
{
    struct sk_buff *skb = alloc_skb((u32)bytes, GFP_ATOMIC);
    if (skb == NULL)
        return;
    memcpy(skb_put(skb, (u32)bytes), frame, bytes);
    if (eth_type_trans(skb, &wire))
        netif_rx(skb);
    else
        kfree_skb(skb);
}

void host_net_wait(unsigned ticks)
{
    while (ticks--) {
        jiffies++;
        run_timers();
    }
}

/* ---- Sockets ---- */

static struct socket *sockets[NR_SOCKETS];

static struct sockaddr_in name_of(u32 address, unsigned port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr = htonl(address), .sin_port = htons((u16)port)};
}

int host_net_open(unsigned port)
{
    const struct sockaddr_in name = name_of(INADDR_ANY, port);
    int number = 0;
    while (number < NR_SOCKETS && sockets[number])
        number++;
    struct socket *sock = number < NR_SOCKETS ? calloc(1, sizeof(*sock)) : NULL;
    if (sock == NULL)
        return -EMFILE;
    sock->type = SOCK_DGRAM;
    int error = inet->create(sock, 0);
    if (error == 0)
        error = sock->ops->bind(sock, &name, sizeof(name));
    sockets[number] = sock;
    if (error == 0)
        return number;
    host_net_close(number);
    return error;
}

void host_net_close(int number)
{
    struct socket *sock = sockets[number];
    if (sock->sk)
        sock->ops->release(sock);
    free(sock);
    sockets[number] = NULL;
}

long host_net_connect(int number, uint32_t address, unsigned port)
{
    const struct sockaddr_in name = name_of(address, port);
    return sockets[number]->ops->connect(sockets[number], &name, sizeof(name));
}

long host_net_send(int number, const void *bytes, size_t count, bool more)
{
    struct user_iovec piece;
    struct msghdr msg = {.msg_flags = MSG_DONTWAIT | (more ? MSG_MORE : 0)};
    memcpy(user_memory, bytes, count);
    iov_iter_single(&msg.msg_iter, &piece, 0, (u32)count);
    return sockets[number]->ops->sendmsg(sockets[number], &msg);
}

long host_net_send_page(int number, unsigned page, unsigned offset, unsigned count, bool more)
{
    return sockets[number]->ops->sendpage(sockets[number], &pages[page], offset, count,
                                          MSG_DONTWAIT | (more ? MSG_MORE : 0));
}

long host_net_recv(int number, void *to, size_t most, uint32_t *address, unsigned *port)
{
    struct user_iovec piece;
    struct msghdr msg = {.msg_flags = MSG_DONTWAIT};
    struct sockaddr_in from;
    iov_iter_single(&msg.msg_iter, &piece, 0, (u32)most);
    long got = sockets[number]->ops->recvmsg(sockets[number], &msg);
    if (got < 0)
        return got;
    memcpy(to, user_memory, (size_t)got);
    memcpy(&from, msg.msg_name, sizeof(from));
    *address = ntohl(from.sin_addr);
    *port = ntohs(from.sin_port);
    return got;
}

long host_net_end(void)
{
    long nr_left = 0;
    for (int i = 0; i < NR_SOCKETS; i++)
        if (sockets[i])
            host_net_close(i);
    net_shutdown();
    for (u32 i = 0; i < NR_PAGES; i++)
        nr_left += pages[i]._refcount - (i < HOST_NET_PAGES);
    return nr_left + nr_objects;
}

uint16_t host_net_checksum(const void *bytes, uint32_t count, bool odd)
{
    return csum_fold(csum_block_add(0, csum_partial(bytes, count, 0), odd));
}
