/* The disk's registers, and what happens when its time has come; commands begin in ata_commands.c. */
#include "dma/ata_internal.h"

#include "sim/base/dev_event.h"
#include "sim/base/snap.h"

#include <stdlib.h>
#include <string.h>

enum { READY = ATA_DRDY | ATA_DSC };

/* ---- Ends of commands and of their parts ---- */

static void set_interrupt(struct ata *ata, bool is_pending)
{
    if (ata->has_interrupt == is_pending)
        return;
    ata->has_interrupt = is_pending;
    ata->params.interrupt(ata->params.opaque);
}

void ata_busy_until(struct ata *ata, enum ata_step step, cycle_t due)
{
    ata->status = READY | ATA_BSY;
    ata->step = step;
    dev_schedule(ata->params.events, &ata->event, due);
}

static void come_to_rest(struct ata *ata, uint8_t status)
{
    ata->step = ATA_STEP_NONE;
    ata->moved = ATA_STEP_NONE;
    ata->filled = 0;
    ata->position = 0;
    ata->status = status;
    set_interrupt(ata, true);
}

void ata_finish(struct ata *ata)
{
    come_to_rest(ata, READY);
}

void ata_fail(struct ata *ata, uint8_t error)
{
    ata->error = error;
    ata->params.stats->errors++;
    come_to_rest(ata, READY | ATA_ERR);
}

void ata_offer(struct ata *ata, uint64_t size_bytes, enum ata_step moved)
{
    ata->step = ATA_STEP_NONE;
    ata->status = READY | ATA_DRQ;
    ata->position = 0;
    ata->filled = size_bytes;
    ata->moved = moved;
}

/* ---- Addresses ---- */

/*
 * At the end of a transfer the registers tell where it ended, in the form in which the host addressed it, and
 * how many sectors have not moved (ATA-3 7.2; later ones define it for errors only).
 */
static void tell_address(struct ata *ata, uint64_t lba)
{
    struct ata_task *now = &ata->now, *before = &ata->before;
    now->count = (uint8_t)ata->left;
    if (ata->is_extended)
        before->count = (uint8_t)(ata->left >> 8);
    if (!ata->has_addressed)
        return;
    if (!(ata->device & ATA_DEVICE_LBA)) {
        uint64_t track = lba / ata->sectors, cylinder = track / ata->heads;
        now->lba[0] = (uint8_t)(lba % ata->sectors + 1);
        now->lba[1] = (uint8_t)cylinder;
        now->lba[2] = (uint8_t)(cylinder >> 8);
        ata->device = (uint8_t)((ata->device & 0xf0) | track % ata->heads);
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        now->lba[i] = (uint8_t)(lba >> (8 * i));
        if (ata->is_extended)
            before->lba[i] = (uint8_t)(lba >> (24 + 8 * i));
    }
    if (!ata->is_extended)
        ata->device = (uint8_t)((ata->device & 0xf0) | (lba >> 24 & 0x0f));
}

static void finish_transfer(struct ata *ata)
{
    tell_address(ata, ata->lba - 1);
    ata_finish(ata);
}

/* The sector at `lba` has no place on the disk, or the host cannot read or write it. */
static void fail_transfer(struct ata *ata, uint8_t error)
{
    tell_address(ata, ata->lba);
    ata_fail(ata, error);
}

static bool is_there(const struct ata *ata)
{
    return ata->has_addressed && ata->lba < disk_nr_sectors(ata->params.disk);
}

/* A sector has gone by. */
static void advance(struct ata *ata)
{
    ata->lba++;
    ata->left--;
    ata->head_at = ata->lba;
}

/* ---- Sectors ---- */

static bool read_sector(struct ata *ata, uint8_t *to)
{
    if (!is_there(ata)) {
        fail_transfer(ata, ATA_IDNF);
        return false;
    }
    if (!disk_read(ata->params.disk, ata->lba, to)) {
        ata->params.stats->host_errors++;
        fail_transfer(ata, ATA_UNC);
        return false;
    }
    ata->params.stats->sectors_read++;
    advance(ata);
    return true;
}

/* What the host cannot write is a fault of the device: no bit of the error register stands for that. */
static bool write_sector(struct ata *ata, const uint8_t *from)
{
    if (!is_there(ata)) {
        fail_transfer(ata, ATA_IDNF);
        return false;
    }
    if (!disk_write(ata->params.disk, ata->lba, from)) {
        ata->params.stats->host_errors++;
        fail_transfer(ata, ATA_ABRT);
        ata->status |= ATA_DF;
        return false;
    }
    ata->params.stats->sectors_written++;
    advance(ata);
    return true;
}

static unsigned block_sectors(const struct ata *ata)
{
    return ata->left < ata->block ? ata->left : ata->block;
}

static void read_block(struct ata *ata)
{
    unsigned nr_sectors = block_sectors(ata);
    for (unsigned i = 0; i < nr_sectors; i++) {
        if (!read_sector(ata, ata->buffer + (size_t)i * DISK_SECTOR_BYTES))
            return;
    }
    ata_offer(ata, (uint64_t)nr_sectors * DISK_SECTOR_BYTES, ATA_STEP_READ_BLOCK);
    set_interrupt(ata, true);
}

static void write_block(struct ata *ata)
{
    uint64_t nr_sectors = ata->filled / DISK_SECTOR_BYTES;
    for (uint64_t i = 0; i < nr_sectors; i++) {
        if (!write_sector(ata, ata->buffer + i * DISK_SECTOR_BYTES))
            return;
    }
    if (ata->left == 0) {
        finish_transfer(ata);
        return;
    }
    ata_offer(ata, (uint64_t)block_sectors(ata) * DISK_SECTOR_BYTES, ATA_STEP_WRITE_BLOCK);
    set_interrupt(ata, true);
}

static void verify(struct ata *ata)
{
    while (ata->left) {
        if (!read_sector(ata, ata->buffer))
            return;
    }
    finish_transfer(ata);
}

static void read_dma(struct ata *ata)
{
    if (ata->left == 0) {
        finish_transfer(ata);
    } else if (read_sector(ata, ata->buffer)) {
        ata_offer(ata, DISK_SECTOR_BYTES, ATA_STEP_READ_DMA);
        ata->params.dma(ata->params.opaque);
    }
}

static void ask_dma(struct ata *ata)
{
    ata_offer(ata, DISK_SECTOR_BYTES, ATA_STEP_WRITE_DMA);
    ata->params.dma(ata->params.opaque);
}

static void write_dma(struct ata *ata)
{
    if (!write_sector(ata, ata->buffer))
        return;
    if (ata->left == 0)
        finish_transfer(ata);
    else
        ask_dma(ata);
}

/* ---- Signature and resets ---- */

/* The registers after power-on, a reset or EXECUTE DEVICE DIAGNOSTIC (ATA/ATAPI-6 9.12). */
static void put_signature(struct ata *ata)
{
    ata->now = (struct ata_task){.count = 1, .lba = {1, 0, 0}};
    ata->before = (struct ata_task){0};
    ata->device = 0;
    ata->error = ATA_DIAGNOSED;
    ata->status = READY;
    ata->step = ATA_STEP_NONE;
}

void ata_begin_reset(struct ata *ata)
{
    ev_cancel(ata->params.events, &ata->event);
    ata->step = ATA_STEP_NONE;
    ata->moved = ATA_STEP_NONE;
    ata->filled = 0;
    ata->position = 0;
    ata->status = ATA_BSY;
    set_interrupt(ata, false);
}

void ata_end_reset(struct ata *ata)
{
    ata->status = ATA_BSY;
    ata->step = ATA_STEP_RESET;
    dev_schedule(ata->params.events, &ata->event,
                 ev_now(ata->params.events) + ata->params.timing.command_cycles);
}

static void take_step(void *opaque, cycle_t now)
{
    struct ata *ata = opaque;
    (void)now;
    switch (ata->step) {
    case ATA_STEP_NONE:
        break;
    case ATA_STEP_FINISH:
        ata_finish(ata);
        break;
    case ATA_STEP_READ_BLOCK:
        read_block(ata);
        break;
    case ATA_STEP_ASK_BLOCK:
        ata_offer(ata, (uint64_t)block_sectors(ata) * DISK_SECTOR_BYTES, ATA_STEP_WRITE_BLOCK);
        break;
    case ATA_STEP_WRITE_BLOCK:
        write_block(ata);
        break;
    case ATA_STEP_READ_DMA:
        read_dma(ata);
        break;
    case ATA_STEP_ASK_DMA:
        ask_dma(ata);
        break;
    case ATA_STEP_WRITE_DMA:
        write_dma(ata);
        break;
    case ATA_STEP_VERIFY:
        verify(ata);
        break;
    case ATA_STEP_IDENTIFY:
        ata_offer(ata, DISK_SECTOR_BYTES, ATA_STEP_FINISH);
        set_interrupt(ata, true);
        break;
    case ATA_STEP_DIAGNOSE:
        put_signature(ata);
        set_interrupt(ata, true);
        break;
    case ATA_STEP_RESET:
        put_signature(ata);
        break;
    }
}

/* ---- The buffer moves ---- */

/* All of it has, at cycle `done`; writing, the heads have to come to the first sector first. */
static void buffer_moved(struct ata *ata, cycle_t done)
{
    const struct ata_timing *timing = &ata->params.timing;
    cycle_t now = ev_now(ata->params.events), sectors = ata->filled / DISK_SECTOR_BYTES;
    cycle_t due = done > now ? done : now;
    switch (ata->moved) {
    case ATA_STEP_READ_BLOCK:
        if (ata->left == 0) { /* the interrupt for these sectors was the last */
            tell_address(ata, ata->lba - 1);
            ata->status = READY;
            ata->moved = ATA_STEP_NONE;
            return;
        }
        sectors = block_sectors(ata);
        break;
    case ATA_STEP_READ_DMA:
        sectors = ata->left ? 1 : 0;
        break;
    case ATA_STEP_FINISH: /* of IDENTIFY DEVICE */
        ata->status = READY;
        ata->moved = ATA_STEP_NONE;
        return;
    default:
        if (ata->lba != ata->head_at) {
            ata->params.stats->seeks++;
            due += timing->seek_cycles;
        }
        break;
    }
    ata_busy_until(ata, ata->moved, due + sectors * timing->sector_cycles);
}

static bool is_dma(const struct ata *ata)
{
    return ata->moved == ATA_STEP_READ_DMA || ata->moved == ATA_STEP_WRITE_DMA;
}

static bool is_reading(const struct ata *ata)
{
    return ata->moved != ATA_STEP_WRITE_BLOCK && ata->moved != ATA_STEP_WRITE_DMA;
}

uint16_t ata_read_data(struct ata *ata)
{
    uint16_t word = 0xffff;
    if (!(ata->status & ATA_DRQ) || is_dma(ata) || !is_reading(ata))
        return word;
    word = (uint16_t)(ata->buffer[ata->position] | ata->buffer[ata->position + 1] << 8);
    ata->position += 2;
    if (ata->position == ata->filled)
        buffer_moved(ata, ev_now(ata->params.events));
    return word;
}

void ata_write_data(struct ata *ata, uint16_t word)
{
    if (!(ata->status & ATA_DRQ) || is_dma(ata) || is_reading(ata))
        return;
    ata->buffer[ata->position] = (uint8_t)word;
    ata->buffer[ata->position + 1] = (uint8_t)(word >> 8);
    ata->position += 2;
    if (ata->position == ata->filled)
        buffer_moved(ata, ev_now(ata->params.events));
}

struct ata_window ata_dma_window(struct ata *ata)
{
    if (!(ata->status & ATA_DRQ) || !is_dma(ata))
        return (struct ata_window){0};
    return (struct ata_window){.bytes = ata->buffer + ata->position,
                               .size_bytes = ata->filled - ata->position,
                               .is_to_memory = is_reading(ata)};
}

void ata_dma_moved(struct ata *ata, uint64_t nr_bytes, cycle_t done)
{
    ata->position += nr_bytes;
    if (ata->position == ata->filled)
        buffer_moved(ata, done);
}

/* ---- Registers ---- */

uint8_t ata_read(const struct ata *ata, enum ata_register at, bool is_high)
{
    const struct ata_task *task = is_high ? &ata->before : &ata->now;
    switch (at) {
    case ATA_FEATURES:
        return ata->error;
    case ATA_COUNT:
        return task->count;
    case ATA_LBA_LOW:
    case ATA_LBA_MID:
    case ATA_LBA_HIGH:
        return task->lba[at - ATA_LBA_LOW];
    case ATA_DEVICE:
        return ata->device | 0xa0; /* bits that are always one up to ATA-3 */
    default:
        return 0xff;
    }
}

void ata_write(struct ata *ata, enum ata_register at, uint8_t value)
{
    if (ata->status & (ATA_BSY | ATA_DRQ))
        return;
    switch (at) {
    case ATA_FEATURES:
        ata->before.features = ata->now.features;
        ata->now.features = value;
        break;
    case ATA_COUNT:
        ata->before.count = ata->now.count;
        ata->now.count = value;
        break;
    case ATA_LBA_LOW:
    case ATA_LBA_MID:
    case ATA_LBA_HIGH:
        ata->before.lba[at - ATA_LBA_LOW] = ata->now.lba[at - ATA_LBA_LOW];
        ata->now.lba[at - ATA_LBA_LOW] = value;
        break;
    case ATA_DEVICE:
        ata->device = value;
        break;
    default:
        break;
    }
}

void ata_command(struct ata *ata, uint8_t command)
{
    if (ata->status & (ATA_BSY | ATA_DRQ))
        return;
    set_interrupt(ata, false);
    ata->error = 0;
    ata->params.stats->commands++;
    ata_execute(ata, command);
}

uint8_t ata_status(const struct ata *ata)
{
    return ata->status;
}

bool ata_has_interrupt(const struct ata *ata)
{
    return ata->has_interrupt;
}

void ata_clear_interrupt(struct ata *ata)
{
    set_interrupt(ata, false);
}

struct ata *ata_create(const struct ata_params *params, struct diag *diag)
{
    struct ata *ata = calloc(1, sizeof *ata);
    if (!ata) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "disk: out of memory");
        return NULL;
    }
    ata->params = *params;
    ata->event = (struct event){.handler = take_step, .opaque = ata, .name = "disk"};
    ata->has_write_cache = true;
    ata->has_look_ahead = true;
    ata_default_geometry(ata);
    put_signature(ata);
    if (!dev_reserve_event(params->events, &ata->event, diag)) {
        ata_destroy(ata);
        return NULL;
    }
    return ata;
}

void ata_destroy(struct ata *ata)
{
    if (!ata)
        return;
    ev_cancel(ata->params.events, &ata->event);
    free(ata);
}

static void task_snap(struct ata_task *task, struct snap *snap)
{
    SNAP_OPEN(snap, task);
    SNAP(snap, task->features);
    SNAP(snap, task->count);
    SNAP_ARRAY(snap, task->lba);
    SNAP_CLOSE(snap, task);
}

void ata_snap(struct ata *ata, struct snap *snap)
{
    SNAP_OPEN(snap, ata);
    SNAP_SKIP(snap, ata->params);
    task_snap(&ata->now, snap);
    task_snap(&ata->before, snap);
    SNAP(snap, ata->device);
    SNAP(snap, ata->status);
    SNAP(snap, ata->error);
    SNAP_FLAG(snap, ata->has_interrupt);
    SNAP(snap, ata->lba);
    SNAP(snap, ata->left);
    SNAP_BELOW(snap, ata->block, ATA_MAX_MULTIPLE + 1);
    SNAP_FLAG(snap, ata->is_extended);
    SNAP_FLAG(snap, ata->has_addressed);
    SNAP(snap, ata->head_at);
    SNAP_ARRAY(snap, ata->buffer);
    SNAP(snap, ata->position);
    SNAP_BELOW(snap, ata->filled, sizeof ata->buffer + 1);
    SNAP_REQUIRE(snap, ata->position <= ata->filled && ata->filled % DISK_SECTOR_BYTES == 0 &&
                           ata->position % 2 == 0);
    SNAP_BELOW(snap, ata->step, ATA_STEP_RESET + 1);
    SNAP_BELOW(snap, ata->moved, ATA_STEP_RESET + 1);
    snap_event(snap, ata->params.events, &ata->event);
    SNAP(snap, ata->heads);
    SNAP(snap, ata->sectors);
    SNAP_REQUIRE(snap, ata->heads > 0 && ata->sectors > 0);
    SNAP_BELOW(snap, ata->multiple, ATA_MAX_MULTIPLE + 1);
    SNAP(snap, ata->dma_mode);
    SNAP_FLAG(snap, ata->has_write_cache);
    SNAP_FLAG(snap, ata->has_look_ahead);
    SNAP_CLOSE(snap, ata);
}
