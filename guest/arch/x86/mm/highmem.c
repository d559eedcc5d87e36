/* kmap_atomic(): a stack of fixmap slots. */
#include "highmem.h"
#include "asm/fixmap.h"
#include "asm/pgtable.h"
#include "bug.h"

static unsigned int kmap_depth;

void *kmap_atomic(struct page *page)
{
    if (!PageHighMem(page))
        return page_address(page);
    BUG_ON(kmap_depth == KM_TYPE_NR);
    unsigned int slot = FIX_KMAP_BEGIN + kmap_depth++;
    set_fixmap(slot, page_to_pfn(page), _PAGE_KERNEL);
    return (void *)fix_to_virt(slot);
}

void kunmap_atomic(void *address)
{
    if ((unsigned long)address < fix_to_virt(FIX_KMAP_END))
        return;
    unsigned int slot = virt_to_fix((unsigned long)address);
    BUG_ON(kmap_depth == 0 || slot != FIX_KMAP_BEGIN + kmap_depth - 1);
    set_fixmap(slot, 0, 0);
    kmap_depth--;
}

void clear_highpage(struct page *page)
{
    void *address = kmap_atomic(page);
    clear_page(address);
    kunmap_atomic(address);
}
