/* vmalloc() and vmap(): pages from anywhere, side by side in the vmalloc region. */
#include "vmalloc.h"
#include "asm/pgtable.h"
#include "bug.h"
#include "highmem.h"
#include "kallsyms.h"
#include "seq_file.h"
#include "slab.h"

/*
 * The first area is a page that is never mapped. It holds the first slab of areas and the first page table
 * for good, so that what is free does not depend on how many devices a machine has to map.
 */
void vmalloc_init(void)
{
    vm_area_init();
    const struct vm_struct *first = get_vm_area(PAGE_SIZE, PAGE_SIZE, VM_MAP, (unsigned long)vmalloc_init);
    BUG_ON(first == NULL || pte_alloc_kernel(first->addr) == NULL);
}

/* Takes the translations of an area away, from the page tables and the TLB. */
static void unmap_area(const struct vm_struct *area)
{
    for (unsigned long address = area->addr; address < area->addr + area->size; address += PAGE_SIZE) {
        pte_t *pte = kernel_pte(address);
        if (pte && pte_present(*pte)) {
            set_pte(pte, pfn_pte(0, (pgprot_t){0}));
            flush_tlb_page(address);
        }
    }
}

static bool map_pages(const struct vm_struct *area, struct page **pages, u32 count, pgprot_t prot)
{
    for (u32 i = 0; i < count; i++) {
        pte_t *pte = pte_alloc_kernel(area->addr + i * PAGE_SIZE);
        if (pte == NULL)
            return false;
        set_pte(pte, mk_pte(pages[i], prot));
    }
    return true;
}

static void free_area_pages(struct vm_struct *area)
{
    for (u32 i = 0; i < area->nr_pages; i++)
        __free_page(area->pages[i]);
    /* A long list of pages was taken by vmalloc() itself. */
    if ((unsigned long)area->pages >= VMALLOC_START)
        vfree(area->pages);
    else
        kfree(area->pages);
}

static bool alloc_area_pages(struct vm_struct *area, u32 count, gfp_t gfp)
{
    size_t list_bytes = count * sizeof(struct page *);
    area->pages = list_bytes > PAGE_SIZE ? vmalloc(list_bytes) : kmalloc(list_bytes, GFP_KERNEL);
    if (area->pages == NULL)
        return false;
    while (area->nr_pages < count) {
        struct page *page = alloc_page(gfp | __GFP_HIGHMEM | __GFP_NOWARN);
        if (page == NULL)
            return false;
        area->pages[area->nr_pages++] = page;
    }
    return true;
}

static void *vmalloc_for(unsigned long bytes, gfp_t gfp, unsigned long caller)
{
    u32 count = (u32)(PAGE_ALIGN(bytes) >> PAGE_SHIFT);
    struct vm_struct *area = get_vm_area(bytes, PAGE_SIZE, VM_ALLOC, caller);
    if (area == NULL)
        return NULL;
    if (alloc_area_pages(area, count, gfp) && map_pages(area, area->pages, count, PAGE_KERNEL))
        return (void *)area->addr;
    vfree((void *)area->addr);
    return NULL;
}

void *vmalloc(unsigned long bytes)
{
    return vmalloc_for(bytes, GFP_KERNEL, (unsigned long)__builtin_return_address(0));
}

void *vzalloc(unsigned long bytes)
{
    return vmalloc_for(bytes, GFP_KERNEL | __GFP_ZERO, (unsigned long)__builtin_return_address(0));
}

static struct vm_struct *unmap(const void *address, u32 flags)
{
    struct vm_struct *area = find_vm_area((unsigned long)address);
    BUG_ON(area == NULL || area->addr != (unsigned long)address || !(area->flags & flags));
    unmap_area(area);
    return area;
}

void vfree(const void *address)
{
    if (address == NULL)
        return;
    struct vm_struct *area = unmap(address, VM_ALLOC);
    if (area->pages)
        free_area_pages(area);
    free_vm_area(area);
}

void *vmap(struct page **pages, u32 count, pgprot_t prot)
{
    struct vm_struct *area =
        get_vm_area(count * PAGE_SIZE, PAGE_SIZE, VM_MAP, (unsigned long)__builtin_return_address(0));
    if (area == NULL)
        return NULL;
    area->pages = pages;
    area->nr_pages = count;
    if (map_pages(area, pages, count, prot))
        return (void *)area->addr;
    vunmap((void *)area->addr);
    return NULL;
}

void vunmap(const void *address)
{
    if (address)
        free_vm_area(unmap(address, VM_MAP | VM_IOREMAP));
}

struct page *vmalloc_to_page(const void *address)
{
    const pte_t *pte = kernel_pte((unsigned long)address);
    return pte && pte_present(*pte) ? pfn_to_page(pte_pfn(*pte)) : NULL;
}

void vmallocinfo_show(struct seq_file *m)
{
    for (const struct vm_struct *area = first_vm_area(); area; area = next_vm_area(area)) {
        char caller[SYMBOL_BYTES];
        sprint_symbol(caller, sizeof(caller), area->caller);
        seq_printf(m, "0x%p-0x%p %7lu %s", (void *)area->addr, (void *)(area->addr + area->size), area->size,
                   caller);
        if (area->nr_pages)
            seq_printf(m, " pages=%u", area->nr_pages);
        if (area->flags & VM_IOREMAP)
            seq_printf(m, " phys=0x%08llx ioremap", area->phys_addr);
        if (area->flags & VM_ALLOC)
            seq_printf(m, " vmalloc");
        if (area->flags & VM_MAP)
            seq_printf(m, " vmap");
        seq_printf(m, "\n");
    }
}
