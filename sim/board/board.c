#include "sim/board/board.h"

#include "sim/base/snap.h"
#include "sim/board/cmos.h"
#include "sim/board/dma_card.h"
#include "sim/board/i440fx.h"
#include "sim/board/interrupts.h"
#include "sim/board/iommu_unit.h"
#include "sim/board/kbd.h"
#include "sim/board/nic_card.h"
#include "sim/board/piix3.h"
#include "sim/board/pit.h"
#include "sim/board/shadow.h"
#include "sim/board/tables.h"
#include "sim/board/uart.h"
#include "sim/board/vga.h"

#include <stdlib.h>

/* Who drives which input of the PICs; IRQ 2 is the cascade. */
enum board_irq {
    IRQ_PIT = 0,
    IRQ_KBD = 1,
    IRQ_COM2 = 3,
    IRQ_COM1 = 4,
    IRQ_RTC = 8,
    IRQ_SCI = 9,
    IRQ_IDE = 14
};

enum { COM1_BASE = 0x3f8, COM2_BASE = 0x2f8, IDE_BUS_MASTER_BASE = 0xc000 };

enum a20_gate { A20_PORT92 = 1 << 0, A20_KBD = 1 << 1 };

struct board {
    struct board_params params;
    struct iomap *ports, *memory;
    struct interrupts *interrupts;
    struct pit *pit;
    struct cmos *cmos;
    struct kbd *kbd;
    struct power *power;
    struct uart *com1, *com2;
    struct vga *vga;
    struct shadow *shadow;
    struct pci *pci;
    struct i440fx *host_bridge;
    struct piix3 *isa_bridge;
    struct dma_card *dma_card;
    struct nic_card *nic_card;
    struct iommu *iommu;
    struct piix3_ide *ide;
    struct dma_master *isa_master;
    struct isa_dma *isa_dma;
    unsigned a20_gates; /* those that are open */
    struct board_stats stats;
};

/* What the firmware leaves to a kernel: the PICs at 08h and 70h, the tick at 18.2 Hz, the refresh timer. */
static const struct {
    uint16_t port;
    uint8_t value;
} firmware_writes[] = {
    {0x20, 0x11},  {0x21, 0x08}, {0x21, 0x04}, {0x21, 0x01}, {0x21, 0xb8}, /* IRQ 0, 1, 2 and 6 open */
    {0xa0, 0x11},  {0xa1, 0x70}, {0xa1, 0x02}, {0xa1, 0x01}, {0xa1, 0x8e}, /* IRQ 8, 12, 13 and 14 open */
    {0x4d1, 0x0e},                                                         /* IRQ 9, 10 and 11 are levels */
    {0xd6, 0xc0},  {0xd4, 0x00},               /* DMA channel 4 is the way of 0 to 3 */
    {0x43, 0x34},  {0x40, 0x00}, {0x40, 0x00}, /* channel 0: mode 2, 65536 */
    {0x43, 0x54},  {0x41, 0x12},               /* channel 1: mode 2, 18 */
};

/* It leaves F0000h-FFFFFh as RAM that can be read and not written: there are its tables (82441FX PAM0). */
enum { PAM0 = 0x59, PAM0_READ = 0x10 };

static void set_a20_gate(struct board *board, enum a20_gate gate, bool is_open)
{
    bool was_open = board->a20_gates;
    board->a20_gates = is_open ? board->a20_gates | gate : board->a20_gates & ~(unsigned)gate;
    if (was_open != (board->a20_gates != 0) && board->params.a20)
        board->params.a20(board->params.opaque, board->a20_gates != 0);
}

static void on_port92_a20(void *opaque, bool is_open)
{
    set_a20_gate(opaque, A20_PORT92, is_open);
}

static void on_kbd_a20(void *opaque, bool is_open)
{
    set_a20_gate(opaque, A20_KBD, is_open);
}

static void on_reset(void *opaque)
{
    const struct power_hooks *hooks = &((struct board *)opaque)->params.power;
    if (hooks->reset)
        hooks->reset(hooks->opaque);
}

static struct uart *create_uart(struct board *board, const char *name, uint64_t base, unsigned irq,
                                struct uart_host host, struct diag *diag)
{
    const struct uart_params params = {
        .name = name,
        .base = base,
        .events = board->params.events,
        .cpu_hz = board->params.cpu_hz,
        .irq = interrupts_isa_line(board->interrupts, irq),
        .host = host,
        .is_paced = board->params.uart_is_paced,
    };
    return uart_create(&params, board->ports, diag);
}

/* The clock's line goes to the interrupt controllers and to power management. */
static void set_rtc_irq(void *opaque, unsigned irq, bool level)
{
    struct board *board = opaque;
    const struct irq_line line = interrupts_isa_line(board->interrupts, irq);
    irq_set(&line, level);
    if (level && board->power)
        power_rtc_interrupts(board->power);
}

static bool create_timers(struct board *board, struct diag *diag)
{
    const struct board_params *params = &board->params;
    board->pit = pit_create(&(struct pit_params){.events = params->events,
                                                 .cpu_hz = params->cpu_hz,
                                                 .irq = interrupts_isa_line(board->interrupts, IRQ_PIT)},
                            board->ports, diag);
    if (!board->pit)
        return false;
    struct cmos_params cmos = {
        .events = params->events,
        .cpu_hz = params->cpu_hz,
        .irq = {set_rtc_irq, board, IRQ_RTC},
        .start_seconds = params->start_seconds ? params->start_seconds : CMOS_DEFAULT_DATE,
        .ram_bytes = params->ram_bytes,
        .nr_cpus = 1,
    };
    for (unsigned i = 0; i < PIIX3_IDE_NR_DISKS; i++)
        cmos.disk_sectors[i] = params->disks[i] ? disk_nr_sectors(params->disks[i]) : 0;
    board->cmos = cmos_create(&cmos, board->ports, diag);
    return board->cmos;
}

static uint8_t read_cf9(void *opaque)
{
    return power_read_cf9(((struct board *)opaque)->power);
}

static void write_cf9(void *opaque, uint8_t value)
{
    power_write_cf9(((struct board *)opaque)->power, value);
}

static void on_memory_changed(void *opaque, struct paddr at, uint64_t size_bytes)
{
    struct board *board = opaque;
    if (board->params.memory_changed)
        board->params.memory_changed(board->params.opaque, at, size_bytes);
}

static bool create_bridges(struct board *board, struct diag *diag)
{
    const struct shadow_params shadow = {
        .memory = board->memory, .ram = board->params.ram, .changed = on_memory_changed, .opaque = board};
    board->shadow = shadow_create(&shadow, diag);
    const struct pci_params pci = {.ports = board->ports,
                                   .memory = board->memory,
                                   .read_cf9 = read_cf9,
                                   .write_cf9 = write_cf9,
                                   .opaque = board};
    board->pci = pci_create(&pci, diag);
    if (!board->shadow || !board->pci)
        return false;
    const struct i440fx_params host = {.shadow = board->shadow, .reset = on_reset, .opaque = board};
    struct irq_line irqs[PIIX_NR_IRQS] = {{0}};
    for (unsigned irq = 0; irq < PIIX_NR_IRQS; irq++) {
        if (irq != PIC_CASCADE_IRQ)
            irqs[irq] = interrupts_pic_line(board->interrupts, irq);
    }
    for (unsigned pirq = 0; pirq < PCI_NR_PIRQS; pirq++)
        pci_connect_pirq(board->pci, pirq, interrupts_pirq_line(board->interrupts, pirq));
    board->host_bridge = i440fx_create(&host, board->pci, diag);
    board->isa_bridge = board->host_bridge ? piix3_create(irqs, board->pci, diag) : NULL;
    return board->isa_bridge;
}

static void send_message(void *opaque, uint64_t address, uint32_t data)
{
    interrupts_message(((struct board *)opaque)->interrupts, address, data);
}

static bool create_iommu(struct board *board, struct diag *diag)
{
    struct iommu_params iommu = board->params.iommu;
    if (iommu.iotlb_entries == 0)
        return true;
    iommu.events = board->params.events;
    iommu.memory = board->params.dma;
    iommu.message = send_message;
    iommu.opaque = board;
    board->iommu = iommu_unit_create(&iommu, board->memory, diag);
    return board->iommu;
}

static bool create_dma_card(struct board *board, struct diag *diag)
{
    struct dma_engine_params engine = board->params.engine;
    if (engine.nr_channels == 0)
        return true;
    engine.events = board->params.events;
    engine.memory = board->params.dma;
    board->dma_card = dma_card_create(&engine, board->pci, diag);
    return board->dma_card;
}

static bool create_nic_card(struct board *board, struct diag *diag)
{
    struct nic_params nic = board->params.nic;
    if (!nic.wire)
        return true;
    nic.events = board->params.events;
    nic.memory = board->params.dma;
    nic.cpu_hz = board->params.cpu_hz;
    board->nic_card = nic_card_create(&nic, board->pci, diag);
    return board->nic_card;
}

static bool create_isa_dma(struct board *board, struct diag *diag)
{
    const struct board_params *params = &board->params;
    const struct dma_master_params master = {.name = "ISA DMA",
                                             .address_bits = ISA_DMA_ADDRESS_BITS,
                                             .burst_bytes = 2,
                                             .bursts_in_flight = 1,
                                             .source_id = PIIX_DEVICE << 3,
                                             .coherence = params->dma_coherence};
    if (params->dma) {
        board->isa_master = dma_master_create(&master, params->dma);
        if (!board->isa_master)
            return diag_add(diag, EXIT_STATUS_INTERNAL, "ISA DMA: out of memory");
    }
    const struct isa_dma_params dma = {
        .events = params->events, .master = board->isa_master, .cpu_hz = params->cpu_hz};
    board->isa_dma = isa_dma_create(&dma, board->ports, diag);
    return board->isa_dma;
}

static bool create_ide(struct board *board, struct diag *diag)
{
    const struct board_params *params = &board->params;
    struct piix3_ide_params ide = {.events = params->events,
                                   .ports = board->ports,
                                   .timing = params->disk_timing,
                                   .memory = params->dma,
                                   .coherence = params->dma_coherence};
    for (unsigned i = 0; i < PIIX3_IDE_NR_DISKS; i++)
        ide.disks[i] = params->disks[i];
    for (unsigned i = 0; i < PIIX3_IDE_NR_CHANNELS; i++)
        ide.irqs[i] = interrupts_isa_line(board->interrupts, IRQ_IDE + i);
    board->ide = piix3_ide_create(&ide, board->pci, diag);
    return board->ide;
}

static bool create_devices(struct board *board, struct diag *diag)
{
    const struct board_params *params = &board->params;
    const struct interrupts_params interrupts = {
        .events = params->events,
        .cpu_hz = params->cpu_hz,
        .has_apic = params->has_apic,
        .apic_hz = params->apic_hz,
        .core = params->core,
    };
    board->interrupts = interrupts_create(&interrupts, board->ports, board->memory, diag);
    if (!board->interrupts || !create_timers(board, diag))
        return false;
    board->kbd = kbd_create(&(struct kbd_params){.irq = interrupts_isa_line(board->interrupts, IRQ_KBD),
                                                 .a20 = on_kbd_a20,
                                                 .reset = on_reset,
                                                 .opaque = board},
                            board->ports, diag);
    board->power = power_create(
        &(struct power_params){
            .events = params->events,
            .cpu_hz = params->cpu_hz,
            .sci = interrupts_isa_line(board->interrupts, IRQ_SCI),
            .hooks = params->power,
            .a20 = on_port92_a20,
            .a20_opaque = board,
        },
        board->ports, diag);
    if (!board->kbd || !board->power)
        return false;
    const struct uart_host terminal = {.put = params->uart_put, .opaque = params->opaque};
    board->com1 = create_uart(board, "COM1", COM1_BASE, IRQ_COM1, terminal, diag);
    board->com2 = create_uart(board, "COM2", COM2_BASE, IRQ_COM2, (struct uart_host){0}, diag);
    board->vga = vga_create(&(struct vga_params){.events = params->events, .cpu_hz = params->cpu_hz},
                            board->ports, board->memory, diag);
    return board->com1 && board->com2 && board->vga && create_bridges(board, diag) &&
           create_isa_dma(board, diag) && create_ide(board, diag) && create_dma_card(board, diag) &&
           create_nic_card(board, diag) && create_iommu(board, diag);
}

struct board *board_create(const struct board_params *params, struct diag *diag)
{
    struct board *board = calloc(1, sizeof(*board));
    if (board) {
        board->params = *params;
        board->a20_gates = A20_PORT92 | A20_KBD;
        board->ports = iomap_create("port");
        board->memory = iomap_create("memory");
    }
    if (!board || !board->ports || !board->memory) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "board: out of memory");
        board_destroy(board);
        return NULL;
    }
    if (!create_devices(board, diag)) {
        board_destroy(board);
        return NULL;
    }
    for (size_t i = 0; i < sizeof(firmware_writes) / sizeof(*firmware_writes); i++)
        iomap_write(board->ports, firmware_writes[i].port, 1, firmware_writes[i].value);
    vga_set_text_mode(board->vga);
    if (board_lapic(board)) {
        lapic_set_virtual_wire(board_lapic(board));
        iomap_write(board->memory, IOAPIC_BASE, 4, 0);
        iomap_write(board->memory, IOAPIC_BASE + 0x10, 4, TABLES_IOAPIC_ID << 24);
    }
    for (unsigned pirq = 0; pirq < PCI_NR_PIRQS; pirq++)
        piix3_route(board->isa_bridge, pirq, tables_pirq_irq(pirq));
    piix3_ide_enable(board->ide, IDE_BUS_MASTER_BASE);
    i440fx_firmware_write(board->host_bridge, PAM0, PAM0_READ);
    if (board->dma_card)
        dma_card_set_up(board->dma_card);
    if (board->nic_card)
        nic_card_set_up(board->nic_card);
    return board;
}

void board_destroy(struct board *board)
{
    if (!board)
        return;
    vga_destroy(board->vga);
    iommu_destroy(board->iommu);
    nic_card_destroy(board->nic_card);
    dma_card_destroy(board->dma_card);
    piix3_ide_destroy(board->ide);
    isa_dma_destroy(board->isa_dma);
    dma_master_destroy(board->isa_master);
    piix3_destroy(board->isa_bridge);
    i440fx_destroy(board->host_bridge);
    pci_destroy(board->pci);
    shadow_destroy(board->shadow);
    uart_destroy(board->com2);
    uart_destroy(board->com1);
    power_destroy(board->power);
    kbd_destroy(board->kbd);
    cmos_destroy(board->cmos);
    pit_destroy(board->pit);
    interrupts_destroy(board->interrupts);
    iomap_destroy(board->memory);
    iomap_destroy(board->ports);
    free(board);
}

struct iomap *board_ports(struct board *board)
{
    return board->ports;
}

struct iomap *board_memory(struct board *board)
{
    return board->memory;
}

uint8_t board_acknowledge(struct board *board)
{
    return interrupts_acknowledge(board->interrupts);
}

bool board_is_ram(const struct board *board, struct paddr page)
{
    return shadow_is_ram(board->shadow, page);
}

bool board_reads_ram(const struct board *board, struct paddr page)
{
    return shadow_reads_ram(board->shadow, page);
}

bool board_set_rom(struct board *board, const void *bytes, uint64_t size_bytes, struct diag *diag)
{
    i440fx_firmware_write(board->host_bridge, PAM0, 0); /* the ROM is there when it begins */
    if (board->dma_card)
        dma_card_take_down(board->dma_card);
    if (board->nic_card)
        nic_card_take_down(board->nic_card);
    return shadow_set_rom(board->shadow, bytes, size_bytes, diag);
}

const uint8_t *board_rom(const struct board *board, uint64_t *size_bytes)
{
    return shadow_rom(board->shadow, size_bytes);
}

struct isa_dma *board_isa_dma(struct board *board)
{
    return board->isa_dma;
}

struct pci *board_pci(struct board *board)
{
    return board->pci;
}

struct irq_line board_irq_line(struct board *board, unsigned irq)
{
    return interrupts_isa_line(board->interrupts, irq);
}

struct dma_engine *board_dma_engine(struct board *board)
{
    return board->dma_card ? dma_card_engine(board->dma_card) : NULL;
}

struct iommu *board_iommu(struct board *board)
{
    return board->iommu;
}

struct nic *board_nic(struct board *board)
{
    return board->nic_card ? nic_card_nic(board->nic_card) : NULL;
}

struct lapic *board_lapic(struct board *board)
{
    return interrupts_lapic(board->interrupts);
}

bool board_uart_input(struct board *board, uint8_t byte)
{
    return uart_receive(board->com1, byte);
}

bool board_type(struct board *board, uint8_t character)
{
    return kbd_type(board->kbd, character);
}

const struct vga *board_vga(const struct board *board)
{
    return board->vga;
}

bool board_masks_nmi(const struct board *board)
{
    return cmos_masks_nmi(board->cmos);
}

const struct board_stats *board_stats(struct board *board)
{
    struct board_stats *stats = &board->stats;
    static const struct lapic_stats no_lapic;
    const struct pic *pic = interrupts_pic(board->interrupts);
    const struct ioapic *ioapic = interrupts_ioapic(board->interrupts);
    const struct lapic_stats *lapic = board_lapic(board) ? lapic_stats(board_lapic(board)) : &no_lapic;
    *stats = (struct board_stats){
        .irq0 = pic_nr_acknowledged(pic, IRQ_PIT),
        .irq1 = pic_nr_acknowledged(pic, IRQ_KBD),
        .irq3 = pic_nr_acknowledged(pic, IRQ_COM2),
        .irq4 = pic_nr_acknowledged(pic, IRQ_COM1),
        .irq8 = pic_nr_acknowledged(pic, IRQ_RTC),
        .irq14 = pic_nr_acknowledged(pic, IRQ_IDE),
        .irq15 = pic_nr_acknowledged(pic, IRQ_IDE + 1),
        .irq_spurious = pic_nr_spurious(pic),
        .com1_sent = uart_nr_sent(board->com1),
        .com1_received = uart_nr_received(board->com1),
        .com2_sent = uart_nr_sent(board->com2),
        .unclaimed_port_reads = iomap_stats(board->ports)->unclaimed_reads,
        .unclaimed_port_writes = iomap_stats(board->ports)->unclaimed_writes,
        .unclaimed_memory_reads = iomap_stats(board->memory)->unclaimed_reads,
        .unclaimed_memory_writes = iomap_stats(board->memory)->unclaimed_writes,
        .pci_config_reads = pci_stats(board->pci)->config_reads,
        .pci_config_writes = pci_stats(board->pci)->config_writes,
        .pci_absent = pci_stats(board->pci)->absent,
        .pci_bar_conflicts = pci_stats(board->pci)->bar_conflicts,
        .post_codes = power_nr_post_codes(board->power),
        .post_code = power_post_code(board->power),
        .vga_accesses = vga_nr_accesses(board->vga),
        .apic_interrupts = lapic->interrupts,
        .apic_spurious = lapic->spurious,
        .apic_timer = lapic->timer,
        .apic_interprocessor = lapic->interprocessor,
        .ioapic_messages = ioapic ? ioapic_nr_sent(ioapic) : 0,
    };
    uint64_t named =
        stats->irq0 + stats->irq1 + stats->irq3 + stats->irq4 + stats->irq8 + stats->irq14 + stats->irq15;
    for (unsigned irq = 0; irq < PIC_NR_IRQS; irq++)
        stats->irq_other += pic_nr_acknowledged(pic, irq);
    stats->irq_other -= named;
    return stats;
}

const struct stat_row *board_stat_rows(size_t *nr_rows)
{
    static const struct stat_row rows[] = {
#define STAT(name, unit, sentence) STAT_ROW(struct board_stats, name, unit, sentence),
#include "sim/board/board_stats.def"
#undef STAT
    };
    *nr_rows = sizeof(rows) / sizeof(*rows);
    return rows;
}

bool board_register_device_stats(struct board *board, struct stat_registry *registry)
{
    return piix3_ide_register_stats(board->ide, registry) &&
           (!board->isa_master || dma_master_register_stats(board->isa_master, registry, "dma.isa")) &&
           (!board->nic_card || nic_register_stats(nic_card_nic(board->nic_card), registry));
}

static void bridges_snap(struct board *board, struct snap *snap)
{
    snap_section(snap, "shadow RAM");
    shadow_snap(board->shadow, snap);
    i440fx_snap(board->host_bridge, snap);
    piix3_snap(board->isa_bridge, snap);
    snap_section(snap, "ide");
    piix3_ide_snap(board->ide, snap);
    snap_section(snap, "isa dma");
    if (board->isa_master)
        dma_master_snap(board->isa_master, snap);
    isa_dma_snap(board->isa_dma, snap);
    if (board->dma_card) {
        snap_section(snap, "dma engine");
        dma_engine_snap(dma_card_engine(board->dma_card), snap);
    }
    if (board->nic_card) {
        snap_section(snap, "network card");
        nic_card_snap(board->nic_card, snap);
    }
    if (board->iommu) {
        snap_section(snap, "iommu");
        iommu_snap(board->iommu, snap);
    }
    snap_section(snap, "pci"); /* it maps what the functions say */
    pci_snap(board->pci, snap);
}

void board_snap(struct board *board, struct snap *snap)
{
    interrupts_snap(board->interrupts, snap);
    snap_section(snap, "pit");
    pit_snap(board->pit, snap);
    snap_section(snap, "cmos");
    cmos_snap(board->cmos, snap);
    snap_section(snap, "keyboard");
    kbd_snap(board->kbd, snap);
    snap_section(snap, "power");
    power_snap(board->power, snap);
    snap_section(snap, "com1");
    uart_snap(board->com1, snap);
    snap_section(snap, "com2");
    uart_snap(board->com2, snap);
    snap_section(snap, "vga");
    vga_snap(board->vga, snap);
    bridges_snap(board, snap);
    snap_section(snap, "board");
    SNAP(snap, board->a20_gates);
    iomap_snap(board->ports, snap);
    iomap_snap(board->memory, snap);
}
