/*
 * The PC around the CPU: makes the devices, wires their interrupt lines and leaves them as the firmware
 * would. The CPU reaches them through two maps, takes interrupts by board_acknowledge(), and the machine runs
 * the event queue.
 *
 * Before each access to a map the CPU sets the queue's clock (ev_set_now), for the devices compute their
 * state from it.
 */
#ifndef LK_SIM_BOARD_BOARD_H
#define LK_SIM_BOARD_BOARD_H

#include "dma/engine.h"
#include "dma/iommu.h"
#include "dma/isa_dma.h"
#include "dma/master.h"
#include "dma/nic.h"
#include "sim/base/diag.h"
#include "sim/base/event.h"
#include "sim/base/iomap.h"
#include "sim/base/irq.h"
#include "sim/base/ram.h"
#include "sim/base/stats.h"
#include "sim/board/lapic.h"
#include "sim/board/memory_map.h"
#include "sim/board/pci.h"
#include "sim/board/piix3_ide.h"
#include "sim/board/power.h"
#include "sim/board/vga.h"

#include <stdint.h>

struct board_params {
    struct ev_queue *events; /* outlives the board */
    uint64_t cpu_hz, ram_bytes;
    struct dma_memory *dma;                 /* what devices that master the bus reach; outlives the board */
    enum dma_coherence dma_coherence;       /* how they do that */
    struct dma_engine_params engine;        /* without channels: there is none; the board fills in the rest */
    struct iommu_params iommu;              /* without iotlb_entries: there is none; likewise */
    struct nic_params nic;                  /* without a wire: there is none; likewise */
    struct disk *disks[PIIX3_IDE_NR_DISKS]; /* primary master first; NULL: missing; outlive the board */
    struct ata_timing disk_timing;
    /* Outlives the board. NULL: nothing is read at F0000h-FFFFFh, and no shadow RAM is there. */
    struct ram *ram;
    /*
     * A host bridge's register was written: accesses to these pages go elsewhere now (board_is_ram). May be
     * NULL.
     */
    void (*memory_changed)(void *opaque, struct paddr at, uint64_t size_bytes);
    uint64_t start_seconds; /* the date at cycle 0 since 1970-01-01 00:00:00; 0 means CMOS_DEFAULT_DATE */
    bool uart_is_paced;     /* bytes take their time on the line */
    bool has_apic;          /* a local APIC and an I/O APIC */
    uint64_t apic_hz;       /* what the timer of the local one counts */
    struct lapic_core core; /* what the interrupt controllers ask of the CPU */
    struct power_hooks power;
    /* A byte from COM1; may be NULL. */
    void (*uart_put)(void *opaque, uint8_t byte);
    /*
     * A20 opened or closed. It is open at the start, and stays open while port 92h or the 8042 keeps it so.
     * May be NULL.
     */
    void (*a20)(void *opaque, bool is_open);
    void *opaque;
};

struct board_stats {
#define STAT(name, unit, sentence) uint64_t name;
#include "sim/board/board_stats.def"
#undef STAT
};

struct board;

/* On failure adds a line and returns NULL. */
struct board *board_create(const struct board_params *params, struct diag *diag);
void board_destroy(struct board *board);

struct iomap *board_ports(struct board *board);
/* Physical addresses outside RAM, and the hole below 1 MiB. */
struct iomap *board_memory(struct board *board);

/* The CPU takes the interrupt that INTR announced: its vector. */
uint8_t board_acknowledge(struct board *board);

/* Whether accesses to this page, which lies in the hole below 1 MiB, go to RAM now. */
bool board_is_ram(const struct board *board, struct paddr page);

/* Whether reads of it do; writes may be lost. */
bool board_reads_ram(const struct board *board, struct paddr page);

/* The firmware's ROM (shadow.h). To be called once, before the first run. */
bool board_set_rom(struct board *board, const void *bytes, uint64_t size_bytes, struct diag *diag);

/* What board_set_rom was given; NULL: nothing. */
const uint8_t *board_rom(const struct board *board, uint64_t *size_bytes);

/* For a device that asks by a DREQ of the ISA bus. */
struct isa_dma *board_isa_dma(struct board *board);

/* For a device that puts itself on the bus. */
struct pci *board_pci(struct board *board);

/* ISA interrupt `irq`, for a device that is not the board's own. */
struct irq_line board_irq_line(struct board *board, unsigned irq);

/* NULL: there is none. */
struct dma_engine *board_dma_engine(struct board *board);
struct iommu *board_iommu(struct board *board);
struct nic *board_nic(struct board *board);

/* The boot processor's; NULL without has_apic. */
struct lapic *board_lapic(struct board *board);

/* A byte typed at the terminal. False when COM1 has no room: offer it again later. */
bool board_uart_input(struct board *board, uint8_t byte);

/* A character typed at the PS/2 keyboard. False when its buffer has no room: offer it again later. */
bool board_type(struct board *board, uint8_t character);

/* To look at. */
const struct vga *board_vga(const struct board *board);

/* NMIs do not reach the CPU: bit 7 of port 70h. */
bool board_masks_nmi(const struct board *board);

/*
 * The counters as of now. The struct lives as long as the board, and board_stat_rows() describes it, so that
 * it can be registered once; call this again before the registered values are read.
 */
const struct board_stats *board_stats(struct board *board);
const struct stat_row *board_stat_rows(size_t *nr_rows);
/* Those of devices that count by themselves. */
bool board_register_device_stats(struct board *board, struct stat_registry *registry);

/* The state of all its devices, for checkpoints (sim/base/snap.h). */
struct snap;
void board_snap(struct board *board, struct snap *snap);

#endif
