/* Z4. What there is before the buddy system, and RAM that the kernel was told not to take. */
#include "asm/ioremap.h"
#include "asm/pgtable.h"
#include "asm/setup.h"
#include "lab.h"
#include "memblock.h"
#include "params.h"

static bool is_reserved(phys_addr_t paddr)
{
    for (u32 i = 0; i < memblock.reserved.nr; i++)
        if (paddr >= memblock.reserved.regions[i].base && paddr < memblock.reserved.regions[i].end)
            return true;
    return false;
}

/* memblock's lists are kept, so that one can see what it gave away before there was a struct page. */
static void check_memblock(void)
{
    for (u32 i = 0; i < memblock.reserved.nr; i++)
        lab_say("memblock reserved %08llx - %08llx", memblock.reserved.regions[i].base,
                memblock.reserved.regions[i].end - 1);
    lab_check(is_reserved(__pa(_text)), "the kernel's image was reserved");
    lab_check(is_reserved(__pa(mem_map)) && is_reserved(__pa(mem_map + max_pfn) - 1),
              "mem_map, %lu struct pages, was allocated by memblock", max_pfn);
    lab_check(virt_to_page(mem_map)->owner == PAGE_OWNER_KERNEL &&
                  (virt_to_page(mem_map)->flags & PG_reserved),
              "the buddy system never had its frames");
}

/* The end of RAM as the loader told it. */
static phys_addr_t end_of_ram(void)
{
    phys_addr_t end = 0;
    for (u32 i = 0; i < boot_info.nr_e820; i++) {
        const struct e820_entry *entry = &boot_info.e820[i];
        if (entry->type == E820_RAM && entry->base + entry->bytes <= 0xFFFFFFFF)
            end = max(end, entry->base + entry->bytes);
    }
    return end;
}

static void check_kept_away(void)
{
    phys_addr_t limit = boot_params.mem_limit, end = end_of_ram();
    if (limit == 0 || end < limit + 2 * PAGE_SIZE) {
        lab_skip("mem= keeps nothing away: RAM ends at %08llx", end);
        return;
    }
    lab_check((phys_addr_t)max_pfn << PAGE_SHIFT == limit,
              "RAM ends at %08llx, the kernel's memory at mem=%08llx", end, limit);
    volatile u32 *a = ioremap_cache(limit + PAGE_SIZE, PAGE_SIZE), *b = ioremap_cache(limit, 2 * PAGE_SIZE);
    if (!lab_check(a && b, "ioremap maps the frames behind it, twice"))
        return;
    for (u32 i = 0; i < PAGE_SIZE / sizeof(u32); i++)
        a[i] = i * 2654435761u;
    bool same = true;
    for (u32 i = 0; i < PAGE_SIZE / sizeof(u32); i++)
        same &= b[PAGE_SIZE / sizeof(u32) + i] == i * 2654435761u;
    lab_check(same, "they are RAM: a page written at %08lx is read at %08lx", (unsigned long)a,
              (unsigned long)b + PAGE_SIZE);
    iounmap((const void *)a);
    iounmap((const void *)b);
}

static void bootmem(void)
{
    check_memblock();
    check_kept_away();
    void *own = page_address(pfn_to_page(max_low_pfn - 1));
    lab_check(ioremap(__pa(own), PAGE_SIZE) == NULL, "ioremap refuses RAM of the kernel's own");
}
LAB("bootmem", bootmem);
