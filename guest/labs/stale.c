/*
 * D2. A driver that leaves the syncs out. Where devices snoop, nobody notices; where they do not, the device
 * reads what was there before, the CPU reads what was there before, and a write of the device's is lost.
 */
#include "asm/cacheflush.h"
#include "bug.h"
#include "dmaengine.h"
#include "lab.h"
#include "string.h"

/* sim/lab_rows.c looks for these values. */
enum { OLD = 0x0B501E7E, SENT = 0x5E47DA7A, RECEIVED = 0x4EC0DA7A };
enum { MESSAGE_BYTES = 64 };

static struct device *engine;
static struct dma_chan *chan;

/* What is in memory, whatever the caches have; the line is in no cache then. */
static u32 in_memory(const volatile u32 *word)
{
    clflush_cache_range((const void *)(uintptr_t)word, 4);
    return *word;
}

static void put_old(volatile u32 *message)
{
    for (u32 i = 0; i < MESSAGE_BYTES / 4; i++)
        message[i] = OLD;
    clflush_cache_range((const void *)(uintptr_t)message, MESSAGE_BYTES);
}

static dma_addr_t bus_of(const volatile void *address)
{
    return __pa(address) + engine->bus_offset;
}

/* Nothing is printed while a line matters that a small cache would have to give up for it. */
static u32 nr_errors;

static void fill_by_device(volatile u32 *message, u32 value)
{
    const struct dma_request fill = {.operation = DMA_OP_FILL,
                                     .bytes = MESSAGE_BYTES,
                                     .destination = {.address = bus_of(message)},
                                     .pattern = value | (u64)value << 32};
    nr_errors += dma_run(chan, &fill, NULL) != 0;
}

/* ---- The driver ---- */

/* dma_sync_single_for_device() belongs between the store and the copy. */
static __attribute__((noinline)) u32 forgetful_send(volatile u32 *message, volatile u32 *copy)
{
    message[0] = SENT;
    nr_errors += dma_memcpy(chan, bus_of(copy), bus_of(message), MESSAGE_BYTES, NULL) != 0;
    return in_memory(&copy[0]);
}

/* dma_sync_single_for_cpu() belongs between the engine's write and the load. */
static __attribute__((noinline)) u32 forgetful_receive(volatile u32 *message)
{
    u32 before = message[0];
    fill_by_device(message, RECEIVED);
    return before == OLD ? message[0] : 0;
}

/* The message's line must not have been dirty when the engine was told to write there. */
static __attribute__((noinline)) u32 forgetful_reuse(volatile u32 *message)
{
    message[1] = SENT;
    fill_by_device(message, RECEIVED);
    return in_memory(&message[0]);
}

/* As it should be. */
static u32 careful_send(volatile u32 *message, volatile u32 *copy)
{
    u32 *from = (u32 *)(uintptr_t)message;
    dma_addr_t handle = dma_map_single(engine, from, MESSAGE_BYTES, DMA_TO_DEVICE);
    message[0] = SENT;
    dma_sync_single_for_device(engine, handle, MESSAGE_BYTES, DMA_TO_DEVICE);
    nr_errors += dma_memcpy(chan, bus_of(copy), handle, MESSAGE_BYTES, NULL) != 0;
    dma_unmap_single(engine, handle, MESSAGE_BYTES, DMA_TO_DEVICE);
    return in_memory(&copy[0]);
}

static u32 careful_receive(volatile u32 *message)
{
    u32 *to = (u32 *)(uintptr_t)message;
    u32 before = message[0];
    dma_addr_t handle = dma_map_single(engine, to, MESSAGE_BYTES, DMA_FROM_DEVICE);
    fill_by_device(message, RECEIVED);
    dma_unmap_single(engine, handle, MESSAGE_BYTES, DMA_FROM_DEVICE);
    return before == OLD ? message[0] : 0;
}

/* ---- The lab ---- */

static void check(const char *what, u32 got, u32 new)
{
    u32 wanted = engine->is_coherent ? new : OLD;
    lab_check(got == wanted, "%s: %08x, which is the %s value", what, got, got == new ? "new" : "old");
}

static void forget(volatile u32 *message, volatile u32 *copy)
{
    put_old(message), put_old(copy);
    check("sent without a sync, the device reads", forgetful_send(message, copy), SENT);
    put_old(message);
    check("received without a sync, the CPU reads", forgetful_receive(message), RECEIVED);
    put_old(message);
    check("received over a dirty line, memory holds", forgetful_reuse(message), RECEIVED);
}

static void take_care(volatile u32 *message, volatile u32 *copy)
{
    put_old(message), put_old(copy);
    lab_check(careful_send(message, copy) == SENT, "sent with a sync, the device reads the new value");
    put_old(message);
    lab_check(careful_receive(message) == RECEIVED, "received with a sync, the CPU reads the new value");
}

static void stale(void)
{
    engine = dma_engine_device();
    chan = dma_request_channel();
    if (chan == NULL) {
        lab_skip("there is no DMA engine");
        return;
    }
    u8 *page = page_address(alloc_page(GFP_DMA));
    lab_say("Messages of %u bytes at %08llx, old value %08x, sent %08x, received %08x; the engine %s",
            MESSAGE_BYTES, __pa(page), OLD, SENT, RECEIVED,
            engine->is_coherent ? "snoops" : "does not snoop");
    forget((u32 *)page, (u32 *)(page + PAGE_SIZE / 2));
    take_care((u32 *)page, (u32 *)(page + PAGE_SIZE / 2));
    lab_check(nr_errors == 0, "the engine has no complaint");
    free_pages((unsigned long)page, 0);
    dma_release_channel(chan);
}
LAB("dma-stale", stale);
