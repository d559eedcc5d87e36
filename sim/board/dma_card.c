#include "sim/board/dma_card.h"

#include "sim/board/tables.h"

#include <stdlib.h>

enum { VENDOR = 0x4c4b, DEVICE = 0x0001, CLASS_SYSTEM_OTHER = 0x088000, SOURCE_ID = DMA_CARD_DEVICE << 3 };

struct dma_card {
    struct dma_engine *engine;
    struct pci_function *function;
};

static uint64_t read_register(void *opaque, uint64_t offset, unsigned size)
{
    (void)size;
    return dma_engine_read(((struct dma_card *)opaque)->engine, offset);
}

static void write_register(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    (void)size;
    dma_engine_write(((struct dma_card *)opaque)->engine, offset, (uint32_t)value);
}

static void set_interrupt(void *opaque, unsigned number, bool level)
{
    struct irq_line line = pci_interrupt(((struct dma_card *)opaque)->function);
    (void)number;
    irq_set(&line, level);
}

static bool is_master(void *opaque)
{
    return pci_is_bus_master(((struct dma_card *)opaque)->function);
}

static void aborted(void *opaque)
{
    pci_set_status(((struct dma_card *)opaque)->function, PCI_STATUS_MASTER_ABORT);
}

static struct pci_function *add_function(struct dma_card *card, struct pci *pci, struct diag *diag)
{
    const struct pci_function_params function = {
        .name = "DMA engine",
        .device = DMA_CARD_DEVICE,
        .vendor_id = VENDOR,
        .device_id = DEVICE,
        .class_code = CLASS_SYSTEM_OTHER,
        .subsystem_vendor_id = VENDOR,
        .subsystem_id = DEVICE,
        .interrupt_pin = 1,
        .command_writable = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
        .status = PCI_STATUS_MEDIUM,
        .status_clears = PCI_STATUS_MASTER_ABORT,
        .bars[0] = {.size = ENGINE_REGISTERS_BYTES,
                    .is_memory = true,
                    .widths = IO_WIDTH_4,
                    .read = read_register,
                    .write = write_register,
                    .opaque = card},
    };
    return pci_add(pci, &function, diag);
}

struct dma_card *dma_card_create(const struct dma_engine_params *params, struct pci *pci, struct diag *diag)
{
    struct dma_card *card = calloc(1, sizeof *card);
    if (card) {
        struct dma_engine_params engine = *params;
        engine.path.source_id = SOURCE_ID;
        engine.irq = (struct irq_line){.set = set_interrupt, .opaque = card};
        engine.is_master = is_master;
        engine.aborted = aborted;
        engine.opaque = card;
        card->engine = dma_engine_create(&engine);
    }
    if (!card || !card->engine)
        diag_add(diag, EXIT_STATUS_INTERNAL, "DMA engine: out of memory");
    else
        card->function = add_function(card, pci, diag);
    if (!card || !card->function) {
        dma_card_destroy(card);
        return NULL;
    }
    return card;
}

void dma_card_destroy(struct dma_card *card)
{
    if (!card)
        return;
    dma_engine_destroy(card->engine);
    free(card);
}

void dma_card_set_up(struct dma_card *card)
{
    unsigned pirq = pci_interrupt(card->function).number;
    pci_firmware_write(card->function, PCI_BAR0, 4, DMA_CARD_BASE);
    pci_firmware_write(card->function, PCI_INTERRUPT_LINE, 1, tables_pirq_irq(pirq));
    pci_firmware_write(card->function, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

void dma_card_take_down(struct dma_card *card)
{
    pci_firmware_write(card->function, PCI_COMMAND, 2, 0);
    pci_firmware_write(card->function, PCI_BAR0, 4, 0);
    pci_firmware_write(card->function, PCI_INTERRUPT_LINE, 1, 0);
}

struct dma_engine *dma_card_engine(struct dma_card *card)
{
    return card->engine;
}
