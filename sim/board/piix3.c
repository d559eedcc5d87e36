#include "sim/board/piix3.h"

#include "sim/base/snap.h"

#include <stdlib.h>
#include <string.h>

/* 82371SB data sheet 2.2: device-specific registers of function 0. */
enum {
    IORT = 0x4c,
    XBCS = 0x4e,
    PIRQRC = 0x60,
    TOM = 0x69,
    MSTAT = 0x6a,
    MBIRQ = 0x70,
    MBDMA = 0x76,
    PCSC = 0x78,
    APICBASE = 0x80,
    DLC = 0x82,
    SMICNTL = 0xa0,
    SMIEN = 0xa2,
    SEE = 0xa4,
    FTMR = 0xa8,
    SMIREQ = 0xaa,
    CTLTMR = 0xac,
    CTHTMR = 0xae
};

enum { PIRQ_OFF = 0x80, PIRQ_IRQ = 0x0f };

/* 3, 4, 5, 6, 7, 9, 10, 11, 12, 14 and 15 (2.2.12). */
enum { ROUTABLE_IRQS = 0xdef8 };

struct piix3 {
    struct irq_line irqs[PIIX_NR_IRQS];
    struct pci_function *function;
    unsigned pirqs;  /* those that ask */
    unsigned driven; /* inputs of the 8259s that are held high */
};

static const struct pci_field fields[] = {
    {IORT, 1, 0x4d, 0xff, 0},      {XBCS, 2, 0x0003, 0x01ff, 0},  {PIRQRC, 4, 0x80808080, 0x8f8f8f8f, 0},
    {TOM, 1, 0x02, 0xfe, 0},       {MSTAT, 2, 0, 0x8000, 0x0000}, {MBIRQ, 2, 0x8080, 0xefef, 0},
    {MBDMA, 2, 0x0404, 0x8f8f, 0}, {PCSC, 2, 0x0002, 0xffff, 0},  {APICBASE, 1, 0, 0x7f, 0},
    {DLC, 1, 0, 0x0f, 0},          {SMICNTL, 1, 0x08, 0x1f, 0},   {SMIEN, 2, 0, 0x01ff, 0},
    {SEE, 4, 0, 0xe000fffb, 0},    {FTMR, 1, 0x0f, 0xff, 0},      {SMIREQ, 2, 0, 0x00ff, 0},
    {CTLTMR, 1, 0, 0xff, 0},       {CTHTMR, 1, 0, 0xff, 0},
};

/* Several PIRQs may share an input: it is high while any of them asks. */
static void update(struct piix3 *bridge)
{
    unsigned wanted = 0;
    for (unsigned pirq = 0; pirq < PCI_NR_PIRQS; pirq++) {
        unsigned route = pci_config_get(bridge->function, PIRQRC + pirq, 1);
        if (!(route & PIRQ_OFF) && (bridge->pirqs >> pirq & 1))
            wanted |= 1u << (route & PIRQ_IRQ);
    }
    wanted &= ROUTABLE_IRQS;
    unsigned changed = wanted ^ bridge->driven;
    bridge->driven = wanted;
    for (unsigned irq = 0; irq < PIIX_NR_IRQS; irq++) {
        if (changed >> irq & 1)
            irq_set(&bridge->irqs[irq], wanted >> irq & 1);
    }
}

static void set_pirq(void *opaque, unsigned number, bool level)
{
    struct piix3 *bridge = opaque;
    bridge->pirqs = level ? bridge->pirqs | 1u << number : bridge->pirqs & ~(1u << number);
    update(bridge);
}

static void written(void *opaque, unsigned offset, unsigned size)
{
    (void)size;
    if (offset / 4 == PIRQRC / 4)
        update(opaque);
}

struct piix3 *piix3_create(const struct irq_line irqs[PIIX_NR_IRQS], struct pci *pci, struct diag *diag)
{
    struct piix3 *bridge = calloc(1, sizeof(*bridge));
    if (!bridge) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "ISA bridge: out of memory");
        return NULL;
    }
    memcpy(bridge->irqs, irqs, sizeof(bridge->irqs));
    const struct pci_function_params function = {
        .name = "ISA bridge",
        .device = PIIX_DEVICE,
        .vendor_id = 0x8086,
        .device_id = 0x7000,
        .class_code = 0x060100,
        .is_multifunction = true,
        .command = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
        .command_writable = PCI_COMMAND_SPECIAL | PCI_COMMAND_SERR,
        .status = PCI_STATUS_MEDIUM | PCI_STATUS_FAST_BACK_TO_BACK,
        .status_clears = PCI_STATUS_SIGNALED_TARGET_ABORT | PCI_STATUS_TARGET_ABORT |
                         PCI_STATUS_MASTER_ABORT | PCI_STATUS_SERR,
        .fields = fields,
        .nr_fields = sizeof(fields) / sizeof(*fields),
        .written = written,
        .opaque = bridge,
    };
    bridge->function = pci_add(pci, &function, diag);
    if (!bridge->function) {
        piix3_destroy(bridge);
        return NULL;
    }
    for (unsigned pirq = 0; pirq < PCI_NR_PIRQS; pirq++)
        pci_connect_pirq(pci, pirq, (struct irq_line){.set = set_pirq, .opaque = bridge, .number = pirq});
    return bridge;
}

void piix3_destroy(struct piix3 *bridge)
{
    free(bridge);
}

void piix3_route(struct piix3 *bridge, unsigned pirq, unsigned irq)
{
    pci_firmware_write(bridge->function, PIRQRC + pirq, 1, irq);
}

void piix3_snap(struct piix3 *piix3, struct snap *snap)
{
    SNAP_OPEN(snap, piix3);
    SNAP_SKIP(snap, piix3->irqs);
    SNAP_SKIP(snap, piix3->function);
    SNAP(snap, piix3->pirqs);
    SNAP(snap, piix3->driven);
    SNAP_CLOSE(snap, piix3);
}
