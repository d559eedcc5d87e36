/* From the loader's memory map to memblock. */
#include "asm/setup.h"
#include "asm/multiboot.h"
#include "asm/page.h"
#include "asm/pgtable_types.h"
#include "bug.h"
#include "memblock.h"
#include "params.h"
#include "printk.h"

struct boot_info boot_info;

/* Entries of page tables reach no further. */
#define MAX_PHYSICAL ((phys_addr_t)PHYSICAL_MASK + 1)

static const char *e820_type_name(u32 type)
{
    static const char *const names[] = {"?", "usable", "reserved", "ACPI data", "ACPI NVS", "unusable"};
    return type < ARRAY_SIZE(names) ? names[type] : names[0];
}

/* Loaders are free to list ranges in any order. */
static void __init sort_e820(void)
{
    struct e820_entry *map = boot_info.e820;
    for (u32 i = 1; i < boot_info.nr_e820; i++)
        for (u32 j = i; j > 0 && map[j].base < map[j - 1].base; j--) {
            struct e820_entry swap = map[j];
            map[j] = map[j - 1];
            map[j - 1] = swap;
        }
}

void __init setup_memory_map(void)
{
    if (boot_info.loader_magic != MULTIBOOT_BOOTLOADER_MAGIC)
        panic("not started by a multiboot loader (magic %08x)", boot_info.loader_magic);
    sort_e820();
    pr_info("BIOS-provided physical RAM map:\n");
    for (u32 i = 0; i < boot_info.nr_e820; i++) {
        const struct e820_entry *entry = &boot_info.e820[i];
        u64 end = entry->base + entry->bytes;
        pr_info("  [mem 0x%016llx-0x%016llx] %s\n", entry->base, end - 1, e820_type_name(entry->type));
        if (entry->type == E820_RAM && entry->base < MAX_PHYSICAL)
            memblock_add(entry->base, min(end, MAX_PHYSICAL) - entry->base);
    }
    if (boot_params.mem_limit)
        memblock_enforce_limit(boot_params.mem_limit);

    if (memblock_end_of_memory() < __pa(_end))
        panic("memory ends at %08llx, before the kernel does (%08llx)", memblock_end_of_memory(), __pa(_end));

    /* Frame 0 holds the firmware's data, and no pointer to it could be told from NULL. */
    memblock_reserve(0, PAGE_SIZE);
    memblock_reserve(__pa(__boot_start), (phys_addr_t)(_end - __boot_start));
    for (u32 i = 0; i < boot_info.nr_modules; i++)
        memblock_reserve(boot_info.modules[i].start, boot_info.modules[i].end - boot_info.modules[i].start);
    /* The boot page tables map no more than this. */
    memblock_set_current_limit(8u << 20);
}
