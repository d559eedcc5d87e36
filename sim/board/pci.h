/*
 * A PCI bus reached by configuration mechanism 1 (PCI Local Bus Specification 2.1, 3.7.4): the address
 * register at CF8h, which takes whole dwords, and the window CFCh-CFFh, any width. Functions that are not
 * there read all ones. One bus, number 0.
 *
 * A device fills in a struct pci_function_params and registers each of its functions. The bus keeps the
 * configuration space, maps base addresses into the board's ports and memory as the guest sets them, and
 * wires the interrupt pin: INTx# of device d goes to PIRQ (x + d - 1) mod 4, as on boards with a 440FX.
 *
 * The host bridge is i440fx.h, the bridge that routes PIRQs to the 8259s piix3.h.
 */
#ifndef LK_SIM_BOARD_PCI_H
#define LK_SIM_BOARD_PCI_H

#include "sim/base/diag.h"
#include "sim/base/iomap.h"
#include "sim/base/irq.h"

#include <stdbool.h>
#include <stdint.h>

enum { PCI_NR_BARS = 6, PCI_NR_PIRQS = 4, PCI_CONFIG_BYTES = 256 };

/* Offsets of the header every function has (PCI 2.1, 6.1). */
enum pci_register {
    PCI_VENDOR = 0x00,
    PCI_DEVICE = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION = 0x08,
    PCI_CLASS = 0x09,
    PCI_LATENCY = 0x0d,
    PCI_HEADER_TYPE = 0x0e,
    PCI_BAR0 = 0x10,
    PCI_SUBSYSTEM_VENDOR = 0x2c,
    PCI_SUBSYSTEM = 0x2e,
    PCI_INTERRUPT_LINE = 0x3c,
    PCI_INTERRUPT_PIN = 0x3d,
};

enum pci_command {
    PCI_COMMAND_IO = 1 << 0,
    PCI_COMMAND_MEMORY = 1 << 1,
    PCI_COMMAND_MASTER = 1 << 2,
    PCI_COMMAND_SPECIAL = 1 << 3,
    PCI_COMMAND_PARITY = 1 << 6,
    PCI_COMMAND_SERR = 1 << 8,
};

enum pci_status {
    PCI_STATUS_FAST_BACK_TO_BACK = 1 << 7,
    PCI_STATUS_PARITY = 1 << 8,
    PCI_STATUS_MEDIUM = 1 << 9, /* DEVSEL# timing */
    PCI_STATUS_SIGNALED_TARGET_ABORT = 1 << 11,
    PCI_STATUS_TARGET_ABORT = 1 << 12,
    PCI_STATUS_MASTER_ABORT = 1 << 13,
    PCI_STATUS_SERR = 1 << 14,
    PCI_STATUS_DETECTED_PARITY = 1 << 15,
};

/* What lies behind a base address register. Its range's base and name are the bus's to fill in. */
struct pci_bar {
    uint64_t size; /* 0: there is none; a power of two, at least 4 for ports and 16 for memory */
    bool is_memory;
    bool is_prefetchable;
    unsigned widths; /* as in struct io_range, as are the rest */
    io_read_fn *read;
    io_write_fn *write;
    void *opaque;
};

/* A register behind the header, or one of the header that differs from what the bus makes of the params. */
struct pci_field {
    uint8_t offset, size_bytes;
    uint32_t reset;    /* its value at reset */
    uint32_t writable; /* bits that hold what is written */
    uint32_t clears;   /* bits that are cleared by writing ones */
};

struct pci_function_params {
    const char *name;
    uint8_t device, function;
    uint16_t vendor_id, device_id;
    uint32_t class_code; /* base class, subclass, programming interface: 0x010180 */
    uint8_t revision;
    uint16_t subsystem_vendor_id, subsystem_id;
    bool is_multifunction;
    uint8_t interrupt_pin;     /* 1..4: INTA#..INTD#; 0: none */
    uint16_t command;          /* its value at reset */
    uint16_t command_writable; /* enum pci_command */
    uint16_t status;           /* its value at reset */
    uint16_t status_clears;    /* bits that can be set, and are cleared by writing ones */
    struct pci_bar bars[PCI_NR_BARS];
    const struct pci_field *fields;
    size_t nr_fields;
    /* The guest has written `size` bytes at `offset`, and the registers hold the result. May be NULL. */
    void (*written)(void *opaque, unsigned offset, unsigned size);
    void *opaque;
};

struct pci_params {
    struct iomap *ports, *memory; /* outlive the bus */
    /* A byte access to CF9h, which lies inside the address register; may be NULL (nobody answers). */
    uint8_t (*read_cf9)(void *opaque);
    void (*write_cf9)(void *opaque, uint8_t value);
    void *opaque;
};

struct pci;
struct pci_function;

/* Registers CF8h-CFFh. On failure adds a line and returns NULL. Destroying takes the functions along. */
struct pci *pci_create(const struct pci_params *params, struct diag *diag);
void pci_destroy(struct pci *pci);

/* Where PIRQ `pirq` (0 is PIRQA#) leads: up to four lines each, by as many calls. */
void pci_connect_pirq(struct pci *pci, unsigned pirq, struct irq_line line);

/* Copies the params but for `fields`, of which it takes the values. On failure adds a line, returns NULL. */
struct pci_function *pci_add(struct pci *pci, const struct pci_function_params *params, struct diag *diag);

/* The function's INTx#: high asks for an interrupt. */
struct irq_line pci_interrupt(struct pci_function *function);

/* Whether the command register lets it master the bus, take port accesses, memory accesses. */
bool pci_is_bus_master(const struct pci_function *function);
bool pci_takes_ports(const struct pci_function *function);

/* Registers as the guest reads them, and the bits that the device itself sets in its status register. */
uint32_t pci_config_get(const struct pci_function *function, unsigned offset, unsigned size_bytes);
void pci_config_set(struct pci_function *function, unsigned offset, unsigned size_bytes, uint32_t value);
void pci_set_status(struct pci_function *function, uint16_t bits);

/* As the guest does it by CF8h and CFCh, for a firmware that is not there. */
void pci_firmware_write(struct pci_function *function, unsigned offset, unsigned size_bytes, uint32_t value);

struct pci_stats {
    uint64_t config_reads, config_writes;
    uint64_t absent;        /* configuration accesses to functions that are not there */
    uint64_t bar_conflicts; /* times that a base address was not mapped since another device has the place */
};
const struct pci_stats *pci_stats(const struct pci *pci);

/* Its state and that of its functions, for checkpoints (sim/base/snap.h). */
struct snap;
void pci_snap(struct pci *pci, struct snap *snap);

#endif
