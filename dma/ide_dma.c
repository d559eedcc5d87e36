#include "dma/ide_dma.h"

#include "sim/base/snap.h"

enum { COMMAND, STATUS = 2, LIST = 4 };
enum { START = 1 << 0, TO_MEMORY = 1 << 3 };
enum { ACTIVE = 1 << 0, ERROR = 1 << 1, INTERRUPT = 1 << 2, DRIVES_CAN_DMA = 3 << 5 };
enum { DESCRIPTOR_BYTES = 8, LONGEST_BYTES = 64 << 10, COUNTED_BITS = 0xffff };

uint8_t ide_dma_read(const struct ide_dma *dma, unsigned at)
{
    switch (at) {
    case COMMAND:
        return dma->command;
    case STATUS:
        return dma->status;
    case LIST:
    case LIST + 1:
    case LIST + 2:
    case LIST + 3:
        return (uint8_t)(dma->list >> (8 * (at - LIST)));
    default:
        return 0; /* reserved */
    }
}

static bool write_command(struct ide_dma *dma, uint8_t value)
{
    bool was_started = dma->command & START, is_started = value & START;
    bool is_running = (dma->status & ACTIVE) && is_started;
    unsigned direction = (is_running ? dma->command : value) & TO_MEMORY;
    dma->command = (uint8_t)((value & START) | direction);
    if (!is_started)
        dma->status &= (uint8_t)~ACTIVE;
    if (was_started || !is_started)
        return false;
    dma->status |= ACTIVE;
    dma->next = dma->list;
    dma->left_bytes = 0;
    dma->is_last = false;
    return true;
}

bool ide_dma_write(struct ide_dma *dma, unsigned at, uint8_t value)
{
    unsigned shift = 8 * (at - LIST);
    switch (at) {
    case COMMAND:
        return write_command(dma, value);
    case STATUS:
        dma->status &= (uint8_t) ~(value & (ERROR | INTERRUPT));
        dma->status = (uint8_t)((dma->status & ~DRIVES_CAN_DMA) | (value & DRIVES_CAN_DMA));
        return false;
    case LIST:
    case LIST + 1:
    case LIST + 2:
    case LIST + 3:
        dma->list = (dma->list & ~(UINT32_C(0xff) << shift)) | (uint32_t)value << shift;
        dma->list &= ~UINT32_C(3);
        return false;
    default:
        return false;
    }
}

void ide_dma_interrupt(struct ide_dma *dma)
{
    dma->status |= INTERRUPT;
}

static uint32_t get_dword(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static bool has_answer(struct ide_dma *dma, enum dma_status status)
{
    if (status == DMA_OK)
        return true;
    dma->status = (uint8_t)((dma->status & ~ACTIVE) | ERROR);
    dma->aborted(dma->opaque);
    return false;
}

static bool fetch_descriptor(struct ide_dma *dma, cycle_t now)
{
    uint8_t bytes[DESCRIPTOR_BYTES];
    enum dma_status status = DMA_NO_MEMORY;
    if (dma->master)
        status = dma_read(dma->master, baddr(dma->next), bytes, sizeof bytes, now, &dma->fetched);
    if (!has_answer(dma, status))
        return false;
    uint32_t count = get_dword(bytes + 4);
    dma->at = get_dword(bytes) & ~UINT32_C(1);
    dma->left_bytes = count & 0xfffe;
    if (dma->left_bytes == 0)
        dma->left_bytes = LONGEST_BYTES;
    dma->is_last = count >> 31;
    dma->next += DESCRIPTOR_BYTES;
    return true;
}

static bool move_part(struct ide_dma *dma, const struct ata_window *window, uint64_t size_bytes, cycle_t *now)
{
    struct baddr at = baddr(dma->at);
    enum dma_status status = window->is_to_memory
                                 ? dma_write(dma->master, at, window->bytes, size_bytes, *now, now)
                                 : dma_read(dma->master, at, window->bytes, size_bytes, *now, now);
    if (!has_answer(dma, status))
        return false;
    dma->at = (dma->at & ~(uint32_t)COUNTED_BITS) | ((dma->at + (uint32_t)size_bytes) & COUNTED_BITS);
    dma->left_bytes -= (uint32_t)size_bytes;
    if (dma->left_bytes == 0 && dma->is_last)
        dma->status &= (uint8_t)~ACTIVE;
    return true;
}

/* Not beyond the region, nor beyond the 64 KiB in which its address counts. */
static uint64_t part_bytes(const struct ide_dma *dma, uint64_t size_bytes)
{
    uint64_t to_wrap = COUNTED_BITS + 1 - (dma->at & COUNTED_BITS);
    if (size_bytes > dma->left_bytes)
        size_bytes = dma->left_bytes;
    return size_bytes < to_wrap ? size_bytes : to_wrap;
}

void ide_dma_run(struct ide_dma *dma, struct ata *ata, cycle_t now)
{
    while (dma->status & ACTIVE) {
        if (dma->left_bytes == 0 && !fetch_descriptor(dma, now))
            return;
        struct ata_window window = {0};
        if (ata)
            window = ata_dma_window(ata);
        if (!window.bytes || window.is_to_memory != !!(dma->command & TO_MEMORY))
            return;
        uint64_t size_bytes = part_bytes(dma, window.size_bytes);
        if (now < dma->fetched)
            now = dma->fetched;
        if (!move_part(dma, &window, size_bytes, &now))
            return;
        ata_dma_moved(ata, size_bytes, now);
    }
}

void ide_dma_snap(struct ide_dma *dma, struct snap *snap)
{
    SNAP_OPEN(snap, dma);
    SNAP_SKIP(snap, dma->master);
    SNAP_SKIP(snap, dma->aborted);
    SNAP_SKIP(snap, dma->opaque);
    SNAP(snap, dma->command);
    SNAP(snap, dma->status);
    SNAP(snap, dma->list);
    SNAP(snap, dma->next);
    SNAP(snap, dma->at);
    SNAP(snap, dma->left_bytes);
    SNAP_FLAG(snap, dma->is_last);
    SNAP(snap, dma->fetched);
    SNAP_CLOSE(snap, dma);
}
