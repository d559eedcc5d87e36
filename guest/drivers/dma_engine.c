/* The driver of lookaside's DMA engine; names of registers and fields are those of docs/dma.md. */
#include "asm/io.h"
#include "asm/irq.h"
#include "completion.h"
#include "dmaengine.h"
#include "errno.h"
#include "iommu.h"
#include "jiffies.h"
#include "pci.h"
#include "string.h"

#define ENGINE_VENDOR 0x4C4B
#define ENGINE_DEVICE 0x0001
#define ENGINE_ID 0x4C4B0001u

#define REG_ID 0x000
#define REG_CAPS 0x004
#define REG_BUS_OFFSET_LO 0x008
#define REG_BUS_OFFSET_HI 0x00C
#define REG_INT_STATUS 0x010
#define REG_CHANNEL(n) (0x100 + 0x40 * (n))

#define CAPS_CHANNELS 0xFu
#define CAPS_SNOOPS 0x10u
#define CAPS_ADDRESS_BITS(caps) ((caps) >> 8 & 0xFF)

#define CH_CONTROL 0x00
#define CH_STATUS 0x04
#define CH_RING_LO 0x08
#define CH_RING_HI 0x0C
#define CH_RING_SIZE 0x10
#define CH_TAIL 0x14
#define CH_HEAD 0x18
#define CH_FAULT_LO 0x20
#define CH_FAULT_HI 0x24

#define CONTROL_RUN 0x1u
#define CONTROL_RESET 0x2u
#define CONTROL_INT_ENABLE 0x4u
#define STATUS_DONE 0x2u
#define STATUS_ERROR 0x4u
#define STATUS_CODE(status) ((status) >> 8 & 0xFF)
#define STATUS_PART(status) ((status) >> 16 & 0xF)

/* Errors of these parts leave nothing in memory, and HEAD as it was. */
#define PART_RING 0u
#define PART_WRITE_BACK 5u

#define COMMAND_INT 0x100u
#define COMMAND_SRC_LIST 0x200u
#define COMMAND_DST_LIST 0x400u
#define SEGMENT_END 0x1u

#define MAX_CHANNELS 8
#define RING_SIZE 16u

struct descriptor {
    u32 command, length;
    u64 source, destination;
    u32 seed, reserved;
    /* From here on the engine's. */
    u32 status, done, crc, number;
    u64 fault, reserved2;
};

struct segment {
    u64 address;
    u32 length, flags;
};

/* What a channel shares with the engine; coherent memory, a page and a bit. */
struct shared {
    struct descriptor ring[RING_SIZE] __aligned(64);
    struct segment source[DMA_MAX_SEGMENTS], destination[DMA_MAX_SEGMENTS];
};

struct dma_chan {
    bool is_taken;
    u8 *regs;
    struct shared *shared;
    dma_addr_t shared_bus;
    u32 nr_given;
    volatile u32 nr_finished;
    struct completion interrupt;
    volatile bool is_stuck;    /* by an error that no descriptor tells of: */
    volatile u32 stuck_status; /* its STATUS */
};

static struct device engine = {.name = "dma engine"};
static u8 *engine_regs; /* NULL: there is no engine */
static u32 nr_channels;
static struct dma_chan channels[MAX_CHANNELS];

/* An error stops the channel; where a descriptor tells of it, the next one can go on. */
static void channel_interrupt(struct dma_chan *chan)
{
    u32 status = readl(chan->regs + CH_STATUS);
    writel(status & (STATUS_DONE | STATUS_ERROR), chan->regs + CH_STATUS);
    chan->nr_finished = readl(chan->regs + CH_HEAD);
    complete(&chan->interrupt);
    if (!(status & STATUS_ERROR))
        return;
    if (STATUS_PART(status) == PART_RING || STATUS_PART(status) == PART_WRITE_BACK) {
        chan->stuck_status = status;
        chan->is_stuck = true;
    } else {
        writel(CONTROL_RUN | CONTROL_INT_ENABLE, chan->regs + CH_CONTROL);
    }
}

static void engine_interrupt(void)
{
    u32 asking;
    while ((asking = readl(engine_regs + REG_INT_STATUS)) != 0) {
        for (u32 i = 0; i < nr_channels; i++) {
            if (asking & 1u << i)
                channel_interrupt(&channels[i]);
        }
    }
}

void __init dma_engine_init(void)
{
    const struct pci_dev *dev = pci_get_device(ENGINE_VENDOR, ENGINE_DEVICE, NULL);
    if (dev == NULL)
        return;
    pci_enable_device(dev);
    pci_set_master(dev);
    u8 *regs = pci_iomap(dev, 0);
    if (regs == NULL || readl(regs + REG_ID) != ENGINE_ID)
        return;
    u32 caps = readl(regs + REG_CAPS);
    nr_channels = min(caps & CAPS_CHANNELS, (u32)MAX_CHANNELS);
    engine.is_coherent = caps & CAPS_SNOOPS;
    dma_default_coherent = engine.is_coherent;
    iommu_attach_device(&engine, dev);
    engine.bus_offset = readl(regs + REG_BUS_OFFSET_LO) | (u64)readl(regs + REG_BUS_OFFSET_HI) << 32;
    engine.dma_mask = DMA_BIT_MASK(CAPS_ADDRESS_BITS(caps));
    for (u32 i = 0; i < nr_channels; i++) {
        channels[i].regs = regs + REG_CHANNEL(i);
        writel(CONTROL_RESET, channels[i].regs + CH_CONTROL);
        init_completion(&channels[i].interrupt);
    }
    engine_regs = regs;
    request_irq(dev->irq, engine_interrupt, "dma_engine");
}

struct device *dma_engine_device(void)
{
    return engine_regs ? &engine : NULL;
}

/* From reset on: the ring is empty, and starts at its first place. */
static void start_channel(struct dma_chan *chan)
{
    writel(CONTROL_RESET, chan->regs + CH_CONTROL);
    chan->nr_given = chan->nr_finished = 0;
    chan->is_stuck = false;
    writel((u32)chan->shared_bus, chan->regs + CH_RING_LO);
    writel((u32)(chan->shared_bus >> 32), chan->regs + CH_RING_HI);
    writel(RING_SIZE, chan->regs + CH_RING_SIZE);
    writel(STATUS_DONE | STATUS_ERROR, chan->regs + CH_STATUS);
    writel(CONTROL_RUN | CONTROL_INT_ENABLE, chan->regs + CH_CONTROL);
}

struct dma_chan *dma_request_channel(void)
{
    for (u32 i = 0; i < nr_channels; i++) {
        struct dma_chan *chan = &channels[i];
        if (chan->is_taken)
            continue;
        chan->shared = dma_alloc_coherent(&engine, sizeof(struct shared), &chan->shared_bus, GFP_KERNEL);
        if (chan->shared == NULL)
            return NULL;
        chan->is_taken = true;
        start_channel(chan);
        return chan;
    }
    return NULL;
}

void dma_release_channel(struct dma_chan *chan)
{
    writel(CONTROL_RESET, chan->regs + CH_CONTROL);
    dma_free_coherent(&engine, sizeof(struct shared), chan->shared, chan->shared_bus);
    chan->is_taken = false;
}

/* Returns what the descriptor is to be told: the address, or that of the list, which is then written. */
static u64 write_side(const struct dma_chan *chan, const struct dma_side *side, struct segment *list)
{
    if (side->sg == NULL)
        return side->address;
    for (u32 i = 0; i < side->nents; i++)
        list[i] = (struct segment){.address = side->sg[i].dma_address,
                                   .length = side->sg[i].dma_length,
                                   .flags = i + 1 == side->nents ? SEGMENT_END : 0};
    return chan->shared_bus + (u64)((const u8 *)list - (const u8 *)chan->shared);
}

static void give(struct dma_chan *chan, const struct dma_request *request)
{
    struct descriptor *descriptor = &chan->shared->ring[chan->nr_given % RING_SIZE];
    *descriptor = (struct descriptor){
        .command = (u32)request->operation | COMMAND_INT | (request->source.sg ? COMMAND_SRC_LIST : 0) |
                   (request->destination.sg ? COMMAND_DST_LIST : 0),
        .length = request->bytes,
        .source = request->operation == DMA_OP_FILL
                      ? request->pattern
                      : write_side(chan, &request->source, chan->shared->source),
        .destination = write_side(chan, &request->destination, chan->shared->destination),
        .seed = request->seed};
    reinit_completion(&chan->interrupt);
    writel(++chan->nr_given, chan->regs + CH_TAIL);
}

/*
 * Sleeps until the interrupt handler has seen all that was given; false: an error, or no answer in a
 * second.
 */
static bool wait(struct dma_chan *chan)
{
    bool has_come = true;
    while (has_come && chan->nr_finished != chan->nr_given && !chan->is_stuck) {
        has_come = wait_for_completion_timeout(&chan->interrupt, HZ);
        reinit_completion(&chan->interrupt);
    }
    return chan->nr_finished == chan->nr_given && !chan->is_stuck;
}

int dma_run(struct dma_chan *chan, const struct dma_request *request, struct dma_result *result)
{
    struct dma_result unwanted;
    if (result == NULL)
        result = &unwanted;
    *result = (struct dma_result){0};
    if (request->source.nents > DMA_MAX_SEGMENTS || request->destination.nents > DMA_MAX_SEGMENTS)
        return -EINVAL;
    give(chan, request);
    const struct descriptor *descriptor = &chan->shared->ring[(chan->nr_given - 1) % RING_SIZE];
    if (wait(chan)) {
        u32 status = descriptor->status;
        *result = (struct dma_result){.error = STATUS_CODE(status),
                                      .error_part = STATUS_PART(status),
                                      .bytes_done = descriptor->done,
                                      .crc = descriptor->crc,
                                      .fault = descriptor->fault};
        return result->error ? -EIO : 0;
    }
    int error = chan->is_stuck ? -EIO : -ETIMEDOUT;
    result->error = STATUS_CODE(chan->stuck_status);
    result->error_part = STATUS_PART(chan->stuck_status);
    result->fault = readl(chan->regs + CH_FAULT_LO) | (u64)readl(chan->regs + CH_FAULT_HI) << 32;
    start_channel(chan);
    return error;
}

int dma_memcpy(struct dma_chan *chan, dma_addr_t destination, dma_addr_t source, u32 bytes,
               struct dma_result *result)
{
    const struct dma_request request = {.operation = DMA_OP_COPY,
                                        .bytes = bytes,
                                        .source = {.address = source},
                                        .destination = {.address = destination}};
    return dma_run(chan, &request, result);
}
