/* /proc/iomem: the loader's memory map, with the kernel's own parts and the devices' memory in it. */
#include "asm/page.h"
#include "asm/setup.h"
#include "internal.h"
#include "pci.h"
#include "printk.h"

#define RESOURCES_MOST 64
#define NAME_BYTES 28

struct resource {
    u64 start, end; /* end: the last byte */
    char name[NAME_BYTES];
};

struct resource_list {
    struct resource entry[RESOURCES_MOST];
    u32 nr;
};

/* Sorted by start; of two that start together, the larger one contains the other and goes first. */
static void add_resource(struct resource_list *list, u64 start, u64 end, const char *name)
{
    if (list->nr == RESOURCES_MOST || end < start)
        return;
    u32 at = list->nr++;
    for (; at > 0; at--) {
        const struct resource *before = &list->entry[at - 1];
        if (before->start < start || (before->start == start && before->end >= end))
            break;
        list->entry[at] = *before;
    }
    list->entry[at] = (struct resource){.start = start, .end = end};
    snprintf(list->entry[at].name, NAME_BYTES, "%s", name);
}

static void add_memory_map(struct resource_list *list)
{
    static const char *const names[] = {
        "Reserved", "System RAM", "Reserved", "ACPI Tables", "ACPI Non-volatile Storage", "Unusable memory"};
    for (u32 i = 0; i < boot_info.nr_e820; i++) {
        const struct e820_entry *entry = &boot_info.e820[i];
        add_resource(list, entry->base, entry->base + entry->bytes - 1,
                     names[entry->type < ARRAY_SIZE(names) ? entry->type : 0]);
    }
}

static void add_pci(struct resource_list *list)
{
    for (struct pci_dev *dev = pci_get_device(PCI_ANY_ID, PCI_ANY_ID, NULL); dev;
         dev = pci_get_device(PCI_ANY_ID, PCI_ANY_ID, dev)) {
        char name[NAME_BYTES];
        snprintf(name, sizeof(name), "0000:%02x:%02x.%u", dev->bus, dev->devfn >> 3, dev->devfn & 7);
        for (u32 i = 0; i < PCI_NR_BARS; i++)
            if (dev->bar[i].bytes && !dev->bar[i].is_io)
                add_resource(list, dev->bar[i].start, dev->bar[i].start + dev->bar[i].bytes - 1, name);
    }
}

void iomem_show(struct seq_file *m)
{
    static struct resource_list list; /* too large for the stack */
    list.nr = 0;
    add_memory_map(&list);
    add_resource(&list, 0xA0000, 0xBFFFF, "Video RAM area");
    add_resource(&list, __pa(_text), __pa(_etext) - 1, "Kernel code");
    add_resource(&list, __pa(_data), __pa(_edata) - 1, "Kernel data");
    add_resource(&list, __pa(_edata), __pa(_end) - 1, "Kernel bss");
    add_pci(&list);
    u64 outer_end = 0;
    for (u32 i = 0; i < list.nr; i++) {
        const struct resource *entry = &list.entry[i];
        bool is_inner = i && entry->end <= outer_end;
        seq_printf(m, "%s%08llx-%08llx : %s\n", is_inner ? "  " : "", entry->start, entry->end, entry->name);
        if (!is_inner)
            outer_end = entry->end;
    }
}
