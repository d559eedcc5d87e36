/*
 * The PCI bus: what is on it, found once by configuration mechanism 1 (PCI Local Bus Specification 2.1,
 * 3.7.4), and how a driver reaches it.
 */
#pragma once

#include "types.h"

#define PCI_COMMAND 0x04
#define PCI_COMMAND_IO 0x1u
#define PCI_COMMAND_MEMORY 0x2u
#define PCI_COMMAND_MASTER 0x4u

#define PCI_CLASS_STORAGE_IDE 0x0101u

#define PCI_NR_BARS 6

/* A base address, decoded; bytes == 0: there is none. */
struct pci_bar {
    u64 start;
    u64 bytes;
    bool is_io;
};

struct pci_dev {
    u8 bus, devfn; /* devfn: device << 3 | function */
    u8 irq;        /* of the 8259s; 0 or 255: none */
    u8 prog_if;
    u16 class; /* base class << 8 | subclass */
    u16 vendor, device;
    struct pci_bar bar[PCI_NR_BARS];
};

/* Finds all functions of bus 0 and of the buses behind bridges. */
void pci_init(void);
/* A line each, as lspci's. */
void show_pci(void);

#define PCI_ANY_ID 0xFFFFu
/* The next one behind `from` (NULL: the first), or NULL. */
struct pci_dev *pci_get_device(u16 vendor, u16 device, struct pci_dev *from);
struct pci_dev *pci_get_class(u16 class, struct pci_dev *from);

u32 pci_read_config_dword(const struct pci_dev *dev, u8 offset);
u16 pci_read_config_word(const struct pci_dev *dev, u8 offset);
void pci_write_config_word(const struct pci_dev *dev, u8 offset, u16 value);
/* Lets it answer to its base addresses, and (master) read and write memory by itself. */
void pci_enable_device(const struct pci_dev *dev);
void pci_set_master(const struct pci_dev *dev);
/* A base address in memory, mapped uncached (iounmap() undoes it); NULL: it is none, or there is no room. */
void *pci_iomap(const struct pci_dev *dev, unsigned int bar);
