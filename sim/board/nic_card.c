#include "sim/board/nic_card.h"

#include "sim/base/snap.h"
#include "sim/board/tables.h"

#include <stdlib.h>

enum { CLASS_ETHERNET = 0x020000, REVISION = 2, SUBSYSTEM = 0x001e, SOURCE_ID = NIC_CARD_DEVICE << 3 };
enum { IOADDR = 0, IODATA = 4 };
enum { CACHE_LINE_SIZE = 0x0c, MIN_GNT = 0x3e, PCI_COMMAND_INVALIDATE = 1 << 4, PORTS_BAR = 2 };

struct nic_card {
    struct nic *nic;
    struct pci_function *function;
    uint32_t io_address; /* the register that IODATA is */
};

static uint64_t read_register(void *opaque, uint64_t offset, unsigned size)
{
    (void)size;
    return nic_read(((struct nic_card *)opaque)->nic, offset);
}

static void write_register(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    (void)size;
    nic_write(((struct nic_card *)opaque)->nic, offset, (uint32_t)value);
}

static bool has_data(const struct nic_card *card)
{
    return card->io_address < NIC_REGISTERS_BYTES && card->io_address % 4 == 0;
}

static uint64_t read_port(void *opaque, uint64_t offset, unsigned size)
{
    const struct nic_card *card = opaque;
    (void)size;
    if (offset == IOADDR)
        return card->io_address;
    return offset == IODATA && has_data(card) ? nic_read(card->nic, card->io_address) : 0;
}

static void write_port(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct nic_card *card = opaque;
    (void)size;
    if (offset == IOADDR)
        card->io_address = (uint32_t)value;
    else if (offset == IODATA && has_data(card))
        nic_write(card->nic, card->io_address, (uint32_t)value);
}

static void set_interrupt(void *opaque, unsigned number, bool level)
{
    struct irq_line line = pci_interrupt(((struct nic_card *)opaque)->function);
    (void)number;
    irq_set(&line, level);
}

static bool is_master(void *opaque)
{
    return pci_is_bus_master(((struct nic_card *)opaque)->function);
}

static void aborted(void *opaque)
{
    pci_set_status(((struct nic_card *)opaque)->function, PCI_STATUS_MASTER_ABORT);
}

/* It may have been let master the bus. */
static void written(void *opaque, unsigned offset, unsigned size)
{
    if (offset < PCI_COMMAND + 2 && PCI_COMMAND < offset + size)
        nic_master_changed(((struct nic_card *)opaque)->nic);
}

static struct pci_function *add_function(struct nic_card *card, struct pci *pci, struct diag *diag)
{
    static const struct pci_field fields[] = {
        {CACHE_LINE_SIZE, 1, 0, 0xff, 0}, {PCI_LATENCY, 1, 0, 0xf8, 0}, {MIN_GNT, 1, 0xff, 0, 0}};
    const struct pci_function_params function = {
        .name = "network card",
        .device = NIC_CARD_DEVICE,
        .vendor_id = NIC_VENDOR,
        .device_id = NIC_DEVICE,
        .class_code = CLASS_ETHERNET,
        .revision = REVISION,
        .subsystem_vendor_id = NIC_VENDOR,
        .subsystem_id = SUBSYSTEM,
        .interrupt_pin = 1,
        .command_writable = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
                            PCI_COMMAND_INVALIDATE | PCI_COMMAND_PARITY | PCI_COMMAND_SERR,
        .status = PCI_STATUS_MEDIUM,
        .status_clears = PCI_STATUS_MASTER_ABORT,
        .bars = {[0] = {.size = NIC_REGISTERS_BYTES,
                        .is_memory = true,
                        .widths = IO_WIDTH_4,
                        .read = read_register,
                        .write = write_register,
                        .opaque = card},
                 [PORTS_BAR] = {.size = NIC_PORTS_BYTES,
                                .widths = IO_WIDTH_4,
                                .read = read_port,
                                .write = write_port,
                                .opaque = card}},
        .fields = fields,
        .nr_fields = sizeof fields / sizeof *fields,
        .written = written,
        .opaque = card,
    };
    return pci_add(pci, &function, diag);
}

struct nic_card *nic_card_create(const struct nic_params *params, struct pci *pci, struct diag *diag)
{
    struct nic_card *card = calloc(1, sizeof *card);
    if (card) {
        struct nic_params nic = *params;
        nic.path.source_id = SOURCE_ID;
        nic.irq = (struct irq_line){.set = set_interrupt, .opaque = card};
        nic.is_master = is_master;
        nic.aborted = aborted;
        nic.opaque = card;
        card->nic = nic_create(&nic);
    }
    if (!card || !card->nic)
        diag_add(diag, EXIT_STATUS_INTERNAL, "network card: out of memory");
    else
        card->function = add_function(card, pci, diag);
    if (!card || !card->function) {
        nic_card_destroy(card);
        return NULL;
    }
    return card;
}

void nic_card_destroy(struct nic_card *card)
{
    if (!card)
        return;
    nic_destroy(card->nic);
    free(card);
}

void nic_card_set_up(struct nic_card *card)
{
    unsigned pirq = pci_interrupt(card->function).number;
    pci_firmware_write(card->function, PCI_BAR0, 4, NIC_CARD_BASE);
    pci_firmware_write(card->function, PCI_BAR0 + 4 * PORTS_BAR, 4, NIC_CARD_PORTS);
    pci_firmware_write(card->function, PCI_INTERRUPT_LINE, 1, tables_pirq_irq(pirq));
    pci_firmware_write(card->function, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
}

void nic_card_take_down(struct nic_card *card)
{
    pci_firmware_write(card->function, PCI_COMMAND, 2, 0);
    pci_firmware_write(card->function, PCI_BAR0, 4, 0);
    pci_firmware_write(card->function, PCI_BAR0 + 4 * PORTS_BAR, 4, 0);
    pci_firmware_write(card->function, PCI_INTERRUPT_LINE, 1, 0);
}

struct nic *nic_card_nic(struct nic_card *card)
{
    return card->nic;
}

void nic_card_snap(struct nic_card *card, struct snap *snap)
{
    SNAP_OPEN(snap, card);
    nic_snap(card->nic, snap);
    SNAP_SKIP(snap, card->nic);
    SNAP_SKIP(snap, card->function);
    SNAP(snap, card->io_address);
    SNAP_CLOSE(snap, card);
}
