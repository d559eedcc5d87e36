/* ioremap(): frames without a struct page in the vmalloc region. */
#include "asm/ioremap.h"
#include "asm/pgtable.h"
#include "vmalloc.h"

/* A frame with two memory types at once is undefined behaviour for caches (SDM 3A 11.12.4). */
static bool is_kernel_ram(phys_addr_t paddr, unsigned long bytes)
{
    unsigned long end_pfn = PFN_UP(paddr + bytes);
    for (unsigned long pfn = PFN_DOWN(paddr); pfn < end_pfn && pfn_valid(pfn); pfn++)
        if (pfn_to_page(pfn)->owner != PAGE_OWNER_RESERVED)
            return true;
    return false;
}

static void *map_frames(phys_addr_t paddr, unsigned long bytes, pgprot_t prot, unsigned long caller)
{
    unsigned long offset = (unsigned long)paddr & ~PAGE_MASK;
    if (bytes == 0 || is_kernel_ram(paddr, bytes))
        return NULL;
    struct vm_struct *area = get_vm_area(offset + bytes, PAGE_SIZE, VM_IOREMAP, caller);
    if (area == NULL)
        return NULL;
    area->phys_addr = paddr - offset;
    unsigned long pfn = PFN_DOWN(paddr), mapped_end = area->addr + area->size - PAGE_SIZE;
    for (unsigned long address = area->addr; address < mapped_end; address += PAGE_SIZE) {
        pte_t *pte = pte_alloc_kernel(address);
        if (pte == NULL) {
            vunmap((void *)area->addr);
            return NULL;
        }
        set_pte(pte, pfn_pte(pfn++, prot));
    }
    return (char *)area->addr + offset;
}

void *ioremap(phys_addr_t paddr, unsigned long bytes)
{
    return map_frames(paddr, bytes, PAGE_KERNEL_NOCACHE, (unsigned long)__builtin_return_address(0));
}

void *ioremap_cache(phys_addr_t paddr, unsigned long bytes)
{
    return map_frames(paddr, bytes, PAGE_KERNEL, (unsigned long)__builtin_return_address(0));
}

void iounmap(const void *address)
{
    vunmap((const void *)((unsigned long)address & PAGE_MASK));
}
