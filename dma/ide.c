#include "dma/ide.h"

#include "sim/base/snap.h"

#include <stdlib.h>

enum { NOBODY = 0x7f, NOBODY_HIGH = 0xff };
enum { NO_INTERRUPT = 1 << 1, RESET = 1 << 2, HIGH_ORDER = 1 << 7 }; /* device control */

struct ide {
    struct ide_params params;
    struct ata *devices[IDE_NR_DEVICES];
    unsigned selected;
    uint8_t control;
    bool line;
    struct ide_dma dma;
};

/* ---- Who answers ---- */

static struct ata *selected(const struct ide *ide)
{
    return ide->devices[ide->selected];
}

/* The selected device, or device 0 in place of a missing device 1. */
static struct ata *answering(const struct ide *ide)
{
    return selected(ide) ? selected(ide) : ide->devices[0];
}

static void update_line(struct ide *ide)
{
    struct ata *ata = selected(ide);
    bool level = ata && ata_has_interrupt(ata) && !(ide->control & NO_INTERRUPT);
    if (level == ide->line)
        return;
    ide->line = level;
    if (level)
        ide_dma_interrupt(&ide->dma);
    irq_set(&ide->params.irq, level);
}

static void interrupt_changed(void *opaque)
{
    update_line(opaque);
}

void ide_try_dma(struct ide *ide)
{
    if (ide->params.may_master(ide->params.opaque))
        ide_dma_run(&ide->dma, selected(ide), ev_now(ide->params.events));
}

static void asks_for_dma(void *opaque)
{
    ide_try_dma(opaque);
}

/* ---- The command block ---- */

static uint8_t read_status(const struct ide *ide)
{
    if (selected(ide))
        return ata_status(selected(ide));
    return ide->devices[0] ? 0 : NOBODY;
}

static uint32_t read_word(const struct ide *ide)
{
    return answering(ide) ? ata_read_data(answering(ide)) : NOBODY | NOBODY_HIGH << 8;
}

/* Always whole words; four bytes are two of them. */
static uint32_t read_data(const struct ide *ide, unsigned size)
{
    uint32_t value = read_word(ide);
    if (size == 4)
        value |= read_word(ide) << 16;
    return size == 1 ? value & 0xff : value;
}

uint32_t ide_read(struct ide *ide, unsigned at, unsigned size)
{
    if (at == ATA_DATA)
        return read_data(ide, size);
    if (at == ATA_COMMAND) {
        uint8_t status = read_status(ide);
        if (selected(ide))
            ata_clear_interrupt(selected(ide));
        return status;
    }
    if (!answering(ide))
        return NOBODY;
    uint8_t value = ata_read(answering(ide), at, ide->control & HIGH_ORDER);
    if (at == ATA_DEVICE && ide->selected)
        value |= ATA_DEVICE_1;
    return value;
}

static void select_device(struct ide *ide, uint8_t value)
{
    struct ata *before = answering(ide);
    if (before && (ata_status(before) & (ATA_BSY | ATA_DRQ)))
        return; /* its register does not change, and so neither does who is selected */
    ide->selected = value & ATA_DEVICE_1 ? 1 : 0;
    update_line(ide);
}

static void write_command(struct ide *ide, uint8_t command)
{
    bool is_for_both = command == ATA_EXECUTE_DIAGNOSTIC;
    if (is_for_both)
        ide->selected = 0;
    for (unsigned i = 0; i < IDE_NR_DEVICES; i++) {
        if (ide->devices[i] && (is_for_both || i == ide->selected))
            ata_command(ide->devices[i], command);
    }
    update_line(ide);
}

void ide_write(struct ide *ide, unsigned at, unsigned size, uint32_t value)
{
    if (at == ATA_DATA) {
        for (unsigned i = 0; i < size && answering(ide); i += 2)
            ata_write_data(answering(ide), (uint16_t)(value >> (8 * i)));
        return;
    }
    ide->control &= (uint8_t)~HIGH_ORDER;
    if (at == ATA_COMMAND) {
        write_command(ide, (uint8_t)value);
        return;
    }
    if (at == ATA_DEVICE)
        select_device(ide, (uint8_t)value);
    for (unsigned i = 0; i < IDE_NR_DEVICES; i++) {
        if (ide->devices[i])
            ata_write(ide->devices[i], at, (uint8_t)value);
    }
}

/* ---- The control block and the bus master ---- */

uint8_t ide_read_control(const struct ide *ide)
{
    return read_status(ide);
}

void ide_write_control(struct ide *ide, uint8_t value)
{
    bool was_in_reset = ide->control & RESET, is_in_reset = value & RESET;
    ide->control = value;
    if (is_in_reset && !was_in_reset)
        ide->selected = 0;
    for (unsigned i = 0; i < IDE_NR_DEVICES && was_in_reset != is_in_reset; i++) {
        if (!ide->devices[i])
            continue;
        if (is_in_reset)
            ata_begin_reset(ide->devices[i]);
        else
            ata_end_reset(ide->devices[i]);
    }
    update_line(ide);
}

uint8_t ide_read_dma(const struct ide *ide, unsigned at)
{
    return ide_dma_read(&ide->dma, at);
}

void ide_write_dma(struct ide *ide, unsigned at, uint8_t value)
{
    if (ide_dma_write(&ide->dma, at, value))
        ide_try_dma(ide);
}

/* ---- Making and ending ---- */

struct ide *ide_create(const struct ide_params *params, struct diag *diag)
{
    struct ide *ide = calloc(1, sizeof *ide);
    if (!ide) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "IDE channel: out of memory");
        return NULL;
    }
    ide->params = *params;
    ide->dma =
        (struct ide_dma){.master = params->master, .aborted = params->aborted, .opaque = params->opaque};
    for (unsigned i = 0; i < IDE_NR_DEVICES; i++) {
        if (!params->disks[i])
            continue;
        const struct ata_params ata = {.disk = params->disks[i],
                                       .events = params->events,
                                       .timing = params->timing,
                                       .number = params->number + i,
                                       .stats = params->stats,
                                       .interrupt = interrupt_changed,
                                       .dma = asks_for_dma,
                                       .opaque = ide};
        ide->devices[i] = ata_create(&ata, diag);
        if (!ide->devices[i]) {
            ide_destroy(ide);
            return NULL;
        }
    }
    return ide;
}

void ide_destroy(struct ide *ide)
{
    if (!ide)
        return;
    for (unsigned i = 0; i < IDE_NR_DEVICES; i++)
        ata_destroy(ide->devices[i]);
    free(ide);
}

void ide_snap(struct ide *ide, struct snap *snap)
{
    SNAP_OPEN(snap, ide);
    SNAP_SKIP(snap, ide->params);
    for (unsigned i = 0; i < IDE_NR_DEVICES; i++)
        if (ide->devices[i])
            ata_snap(ide->devices[i], snap);
    SNAP_SKIP(snap, ide->devices);
    SNAP_BELOW(snap, ide->selected, IDE_NR_DEVICES);
    SNAP(snap, ide->control);
    SNAP_FLAG(snap, ide->line);
    ide_dma_snap(&ide->dma, snap);
    SNAP_CLOSE(snap, ide);
}
