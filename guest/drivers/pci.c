#include "pci.h"
#include "asm/io.h"
#include "asm/ioremap.h"
#include "asm/irqflags.h"
#include "compiler.h"
#include "printk.h"

#define CONFIG_ADDRESS 0xCF8
#define CONFIG_DATA 0xCFC
#define CONFIG_ENABLE (1u << 31)

/* The header (PCI 2.1, 6.1). */
#define PCI_VENDOR_ID 0x00
#define PCI_CLASS_REVISION 0x08
#define PCI_HEADER_TYPE 0x0E
#define PCI_BASE_ADDRESS_0 0x10
#define PCI_SECONDARY_BUS 0x18
#define PCI_INTERRUPT_LINE 0x3C
#define PCI_HEADER_MULTIFUNCTION 0x80u
#define PCI_HEADER_KIND 0x7Fu
#define PCI_HEADER_NORMAL 0u
#define PCI_HEADER_BRIDGE 1u

#define BAR_IO 0x1u
#define BAR_64BIT 0x4u
#define BAR_IO_MASK (~0x3u)
#define BAR_MEMORY_MASK (~0xFu)

#define MAX_DEVICES 32
#define MAX_BUSES 8

static struct pci_dev devices[MAX_DEVICES];
static unsigned int nr_devices;

/* The address register and the window belong together. */
static u32 read_config(u8 bus, u8 devfn, u8 offset)
{
    unsigned long flags = local_irq_save();
    outl(CONFIG_ENABLE | (u32)bus << 16 | (u32)devfn << 8 | (offset & 0xFCu), CONFIG_ADDRESS);
    u32 value = inl(CONFIG_DATA);
    local_irq_restore(flags);
    return value;
}

static void write_config_dword(const struct pci_dev *dev, u8 offset, u32 value)
{
    unsigned long flags = local_irq_save();
    outl(CONFIG_ENABLE | (u32)dev->bus << 16 | (u32)dev->devfn << 8 | (offset & 0xFCu), CONFIG_ADDRESS);
    outl(value, CONFIG_DATA);
    local_irq_restore(flags);
}

u32 pci_read_config_dword(const struct pci_dev *dev, u8 offset)
{
    return read_config(dev->bus, dev->devfn, offset);
}

u16 pci_read_config_word(const struct pci_dev *dev, u8 offset)
{
    return (u16)(read_config(dev->bus, dev->devfn, offset) >> (offset & 2) * 8);
}

void pci_write_config_word(const struct pci_dev *dev, u8 offset, u16 value)
{
    unsigned long flags = local_irq_save();
    outl(CONFIG_ENABLE | (u32)dev->bus << 16 | (u32)dev->devfn << 8 | (offset & 0xFCu), CONFIG_ADDRESS);
    outw(value, (u16)(CONFIG_DATA + (offset & 2)));
    local_irq_restore(flags);
}

/* Ones written to it come back where the device decodes; meanwhile it must not answer anywhere. */
static u32 probe_bar(const struct pci_dev *dev, u8 offset, u32 value)
{
    u16 command = pci_read_config_word(dev, PCI_COMMAND);
    pci_write_config_word(dev, PCI_COMMAND, command & (u16) ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
    write_config_dword(dev, offset, ~0u);
    u32 mask = pci_read_config_dword(dev, offset);
    write_config_dword(dev, offset, value);
    pci_write_config_word(dev, PCI_COMMAND, command);
    return mask;
}

static void __init read_bars(struct pci_dev *dev)
{
    for (unsigned int i = 0; i < PCI_NR_BARS; i++) {
        u8 offset = (u8)(PCI_BASE_ADDRESS_0 + i * 4);
        u32 value = pci_read_config_dword(dev, offset), mask = probe_bar(dev, offset, value);
        struct pci_bar *bar = &dev->bar[i];
        if (mask == 0)
            continue;
        bar->is_io = value & BAR_IO;
        /* Devices may leave the upper half of a port's address out. */
        u32 decoded = bar->is_io ? (mask | 0xFFFF0000u) & BAR_IO_MASK : mask & BAR_MEMORY_MASK;
        bar->start = value & (bar->is_io ? BAR_IO_MASK : BAR_MEMORY_MASK);
        bar->bytes = (u32)(~decoded + 1);
        /* The upper half is not sized: no device here has 4 GiB. */
        if (!bar->is_io && (value & BAR_64BIT) && i + 1 < PCI_NR_BARS)
            bar->start |= (u64)pci_read_config_dword(dev, (u8)(offset + 4)) << 32, i++;
    }
}

static void __init scan_bus(u8 bus);

static void __init add_function(u8 bus, u8 devfn, u32 id, u8 header)
{
    if (nr_devices == MAX_DEVICES)
        return;
    struct pci_dev *dev = &devices[nr_devices++];
    u32 class = read_config(bus, devfn, PCI_CLASS_REVISION);
    *dev = (struct pci_dev){.bus = bus,
                            .devfn = devfn,
                            .irq = (u8)read_config(bus, devfn, PCI_INTERRUPT_LINE),
                            .prog_if = (u8)(class >> 8),
                            .class = (u16)(class >> 16),
                            .vendor = (u16)id,
                            .device = (u16)(id >> 16)};
    if ((header & PCI_HEADER_KIND) == PCI_HEADER_NORMAL) {
        read_bars(dev);
    } else if ((header & PCI_HEADER_KIND) == PCI_HEADER_BRIDGE) {
        u8 behind = (u8)(read_config(bus, devfn, PCI_SECONDARY_BUS) >> 8);
        if (behind > bus && behind < MAX_BUSES)
            scan_bus(behind);
    }
}

static void __init scan_bus(u8 bus)
{
    for (unsigned int device = 0; device < 32; device++) {
        unsigned int nr_functions = 1;
        for (unsigned int function = 0; function < nr_functions; function++) {
            u8 devfn = (u8)(device << 3 | function);
            u32 id = read_config(bus, devfn, PCI_VENDOR_ID);
            if ((u16)id == 0xFFFF)
                continue;
            u8 header = (u8)(read_config(bus, devfn, PCI_HEADER_TYPE & 0xFC) >> 16);
            if (header & PCI_HEADER_MULTIFUNCTION)
                nr_functions = 8;
            add_function(bus, devfn, id, header);
        }
    }
}

void __init pci_init(void)
{
    scan_bus(0);
}

void show_pci(void)
{
    for (const struct pci_dev *dev = devices; dev < devices + nr_devices; dev++) {
        printk("%02x:%02x.%x %04x: %04x:%04x", dev->bus, dev->devfn >> 3, dev->devfn & 7, dev->class,
               dev->vendor, dev->device);
        for (unsigned int i = 0; i < PCI_NR_BARS; i++) {
            if (dev->bar[i].bytes)
                printk("  [%u] %s %llx size %llx", i, dev->bar[i].is_io ? "io" : "mem", dev->bar[i].start,
                       dev->bar[i].bytes);
        }
        if (dev->irq && dev->irq != 255)
            printk("  irq %u", dev->irq);
        printk("\n");
    }
}

struct pci_dev *pci_get_device(u16 vendor, u16 device, struct pci_dev *from)
{
    for (struct pci_dev *dev = from ? from + 1 : devices; dev < devices + nr_devices; dev++) {
        if ((vendor == PCI_ANY_ID || dev->vendor == vendor) &&
            (device == PCI_ANY_ID || dev->device == device))
            return dev;
    }
    return NULL;
}

struct pci_dev *pci_get_class(u16 class, struct pci_dev *from)
{
    for (struct pci_dev *dev = from ? from + 1 : devices; dev < devices + nr_devices; dev++) {
        if (dev->class == class)
            return dev;
    }
    return NULL;
}

static void set_command(const struct pci_dev *dev, u16 bits)
{
    pci_write_config_word(dev, PCI_COMMAND, pci_read_config_word(dev, PCI_COMMAND) | bits);
}

void pci_enable_device(const struct pci_dev *dev)
{
    u16 bits = 0;
    for (unsigned int i = 0; i < PCI_NR_BARS; i++) {
        if (dev->bar[i].bytes)
            bits |= dev->bar[i].is_io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
    }
    set_command(dev, bits);
}

void pci_set_master(const struct pci_dev *dev)
{
    set_command(dev, PCI_COMMAND_MASTER);
}

void *pci_iomap(const struct pci_dev *dev, unsigned int number)
{
    const struct pci_bar *bar = &dev->bar[number];
    if (bar->bytes == 0 || bar->is_io || bar->start == 0 || bar->start + bar->bytes > 1ull << 32)
        return NULL;
    return ioremap(bar->start, (unsigned long)bar->bytes);
}
