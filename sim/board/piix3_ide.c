#include "sim/board/piix3_ide.h"

#include "sim/base/snap.h"
#include "sim/board/piix3.h"

#include <stdlib.h>

/* 82371SB data sheet: configuration registers of function 1. */
enum { BMIBA = 0x20, IDETIM = 0x40, IDETIM_BYTES = 2, SIDETIM = 0x44 };
enum { IDETIM_DECODES = 0x8000, BUS_MASTER_PORTS = 2 * IDE_DMA_BYTES };
enum { ANY_WIDTH = IO_WIDTH_1 | IO_WIDTH_2 | IO_WIDTH_4 };

static const struct place {
    const char *command_name, *control_name;
    uint16_t command, control;
} places[PIIX3_IDE_NR_CHANNELS] = {
    {"primary IDE channel", "primary IDE channel's control", 0x1f0, 0x3f6},
    {"secondary IDE channel", "secondary IDE channel's control", 0x170, 0x376},
};

static const struct pci_field fields[] = {
    {PCI_LATENCY, 1, 0, 0xf0, 0},
    {IDETIM, 2, 0, 0xf3ff, 0},
    {IDETIM + IDETIM_BYTES, 2, 0, 0xf3ff, 0},
    {SIDETIM, 1, 0, 0xff, 0},
};

struct piix3_ide {
    struct piix3_ide_params params;
    struct pci_function *function;
    struct dma_master *master;
    struct ata_stats stats;
    struct channel {
        struct piix3_ide *controller;
        unsigned number;
        struct ide *ide;
    } channels[PIIX3_IDE_NR_CHANNELS];
};

static uint64_t ones(unsigned size)
{
    return (UINT64_C(1) << (8 * size)) - 1;
}

static bool decodes(const struct channel *channel)
{
    const struct pci_function *function = channel->controller->function;
    return pci_takes_ports(function) &&
           (pci_config_get(function, IDETIM + IDETIM_BYTES * channel->number, IDETIM_BYTES) & IDETIM_DECODES);
}

/* An access at the data port has the width that it has; elsewhere it is one of each byte. */
static uint64_t read_command_block(void *opaque, uint64_t offset, unsigned size)
{
    const struct channel *channel = opaque;
    if (!decodes(channel)) {
        iomap_count_unclaimed(channel->controller->params.ports, false);
        return ones(size);
    }
    if (offset == ATA_DATA)
        return ide_read(channel->ide, ATA_DATA, size);
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)ide_read(channel->ide, (unsigned)offset + i, 1) << (8 * i);
    return value;
}

static void write_command_block(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    const struct channel *channel = opaque;
    if (!decodes(channel)) {
        iomap_count_unclaimed(channel->controller->params.ports, true);
        return;
    }
    if (offset == ATA_DATA) {
        ide_write(channel->ide, ATA_DATA, size, (uint32_t)value);
        return;
    }
    for (unsigned i = 0; i < size; i++)
        ide_write(channel->ide, (unsigned)offset + i, 1, (uint8_t)(value >> (8 * i)));
}

static uint64_t read_control_block(void *opaque, uint64_t offset, unsigned size)
{
    const struct channel *channel = opaque;
    (void)offset;
    if (decodes(channel))
        return ide_read_control(channel->ide);
    iomap_count_unclaimed(channel->controller->params.ports, false);
    return ones(size);
}

static void write_control_block(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    const struct channel *channel = opaque;
    (void)offset;
    (void)size;
    if (decodes(channel))
        ide_write_control(channel->ide, (uint8_t)value);
    else
        iomap_count_unclaimed(channel->controller->params.ports, true);
}

static uint64_t read_bus_master(void *opaque, uint64_t offset, unsigned size)
{
    const struct piix3_ide *ide = opaque;
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++) {
        unsigned at = (unsigned)offset + i;
        value |= (uint64_t)ide_read_dma(ide->channels[at / IDE_DMA_BYTES].ide, at % IDE_DMA_BYTES) << (8 * i);
    }
    return value;
}

static void write_bus_master(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    const struct piix3_ide *ide = opaque;
    for (unsigned i = 0; i < size; i++) {
        unsigned at = (unsigned)offset + i;
        ide_write_dma(ide->channels[at / IDE_DMA_BYTES].ide, at % IDE_DMA_BYTES, (uint8_t)(value >> (8 * i)));
    }
}

static bool may_master(void *opaque)
{
    return pci_is_bus_master(((const struct piix3_ide *)opaque)->function);
}

static void aborted(void *opaque)
{
    pci_set_status(((const struct piix3_ide *)opaque)->function, PCI_STATUS_MASTER_ABORT);
}

/* The guest may have let it master the bus, for which a disk was waiting. */
static void written(void *opaque, unsigned offset, unsigned size)
{
    const struct piix3_ide *ide = opaque;
    if (offset > PCI_COMMAND || offset + size <= PCI_COMMAND)
        return;
    for (unsigned i = 0; i < PIIX3_IDE_NR_CHANNELS; i++)
        ide_try_dma(ide->channels[i].ide);
}

static bool create_channel(struct piix3_ide *ide, unsigned i, struct diag *diag)
{
    const struct piix3_ide_params *params = &ide->params;
    struct channel *channel = &ide->channels[i];
    *channel = (struct channel){.controller = ide, .number = i};
    const struct ide_params what = {
        .disks = {params->disks[IDE_NR_DEVICES * i], params->disks[IDE_NR_DEVICES * i + 1]},
        .number = IDE_NR_DEVICES * i,
        .events = params->events,
        .timing = params->timing,
        .stats = &ide->stats,
        .irq = params->irqs[i],
        .master = ide->master,
        .may_master = may_master,
        .aborted = aborted,
        .opaque = ide,
    };
    channel->ide = ide_create(&what, diag);
    if (!channel->ide)
        return false;
    const struct io_range ranges[] = {
        {places[i].command_name, places[i].command, ATA_NR_REGISTERS, ANY_WIDTH, read_command_block,
         write_command_block, channel},
        {places[i].control_name, places[i].control, 1, IO_WIDTH_1, read_control_block, write_control_block,
         channel},
    };
    return iomap_add(params->ports, &ranges[0], diag) && iomap_add(params->ports, &ranges[1], diag);
}

/* PCI's own path: one transfer at a time, in bursts of a line. */
static bool create_master(struct piix3_ide *ide, struct diag *diag)
{
    const struct dma_master_params params = {
        .name = "IDE",
        .address_bits = 32,
        .burst_bytes = 64,
        .bursts_in_flight = 1,
        .coherence = ide->params.coherence,
        .source_id = PIIX_DEVICE << 3 | 1,
    };
    if (!ide->params.memory)
        return true;
    ide->master = dma_master_create(&params, ide->params.memory);
    return ide->master || diag_add(diag, EXIT_STATUS_INTERNAL, "IDE controller: out of memory");
}

static bool add_function(struct piix3_ide *ide, struct pci *pci, struct diag *diag)
{
    enum { BMIBA_BAR = 4 };
    const struct pci_function_params function = {
        .name = "IDE bus master",
        .device = PIIX_DEVICE,
        .function = 1,
        .vendor_id = 0x8086,
        .device_id = 0x7010,
        .class_code = 0x010180,
        .command_writable = PCI_COMMAND_IO | PCI_COMMAND_MASTER,
        .status = PCI_STATUS_MEDIUM | PCI_STATUS_FAST_BACK_TO_BACK,
        .status_clears = PCI_STATUS_SIGNALED_TARGET_ABORT | PCI_STATUS_TARGET_ABORT | PCI_STATUS_MASTER_ABORT,
        .bars = {[BMIBA_BAR] = {.size = BUS_MASTER_PORTS,
                                .widths = ANY_WIDTH,
                                .read = read_bus_master,
                                .write = write_bus_master,
                                .opaque = ide}},
        .fields = fields,
        .nr_fields = sizeof fields / sizeof *fields,
        .written = written,
        .opaque = ide,
    };
    ide->function = pci_add(pci, &function, diag);
    return ide->function;
}

struct piix3_ide *piix3_ide_create(const struct piix3_ide_params *params, struct pci *pci, struct diag *diag)
{
    struct piix3_ide *ide = calloc(1, sizeof *ide);
    if (!ide) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "IDE controller: out of memory");
        return NULL;
    }
    ide->params = *params;
    if (!create_master(ide, diag) || !create_channel(ide, 0, diag) || !create_channel(ide, 1, diag) ||
        !add_function(ide, pci, diag)) {
        piix3_ide_destroy(ide);
        return NULL;
    }
    return ide;
}

void piix3_ide_destroy(struct piix3_ide *ide)
{
    if (!ide)
        return;
    for (unsigned i = 0; i < PIIX3_IDE_NR_CHANNELS; i++)
        ide_destroy(ide->channels[i].ide);
    dma_master_destroy(ide->master);
    free(ide);
}

void piix3_ide_enable(struct piix3_ide *ide, uint16_t bus_master_port)
{
    for (unsigned i = 0; i < PIIX3_IDE_NR_CHANNELS; i++)
        pci_firmware_write(ide->function, IDETIM + IDETIM_BYTES * i, IDETIM_BYTES, IDETIM_DECODES);
    pci_firmware_write(ide->function, BMIBA, 4, bus_master_port);
    pci_firmware_write(ide->function, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
}

bool piix3_ide_register_stats(struct piix3_ide *ide, struct stat_registry *registry)
{
    static const struct stat_row rows[] = {
#define STAT(name, unit, sentence) STAT_ROW(struct ata_stats, name, unit, sentence),
#include "dma/ata_stats.def"
#undef STAT
    };
    return stat_register(registry, "disk", rows, sizeof rows / sizeof *rows, &ide->stats) &&
           (!ide->master || dma_master_register_stats(ide->master, registry, "dma.ide"));
}

void piix3_ide_snap(struct piix3_ide *controller, struct snap *snap)
{
    SNAP_OPEN(snap, controller);
    SNAP_SKIP(snap, controller->params);
    SNAP_SKIP(snap, controller->function);
    if (controller->master)
        dma_master_snap(controller->master, snap);
    SNAP_SKIP(snap, controller->master);
    SNAP_COUNTERS(snap, controller->stats);
    for (unsigned i = 0; i < PIIX3_IDE_NR_CHANNELS; i++)
        ide_snap(controller->channels[i].ide, snap);
    SNAP_SKIP(snap, controller->channels);
    SNAP_CLOSE(snap, controller);
}
