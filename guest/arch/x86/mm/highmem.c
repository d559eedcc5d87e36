/*
 * Kernel addresses for highmem pages. kmap_atomic() takes the next slot of a small stack in the fixmap;
 * kmap() takes one of many in the pkmap area, and who maps a page that is mapped already shares its slot.
 */
#include "highmem.h"
#include "asm/fixmap.h"
#include "asm/irqflags.h"
#include "asm/pgtable.h"
#include "bug.h"
#include "string.h"

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

void copy_highpage(struct page *to, struct page *from)
{
    char *source = kmap_atomic(from), *target = kmap_atomic(to);
    memcpy(target, source, PAGE_SIZE);
    kunmap_atomic(target);
    kunmap_atomic(source);
}

/*
 * A slot that nobody uses keeps its page until all slots have been taken once: the same page often comes
 * back, and the TLB has to forget the old translations only once for all of them.
 */
static struct {
    struct page *page; /* NULL: free, and no translation of it is left */
    u32 users;
} pkmap_slots[LAST_PKMAP];
static unsigned int last_pkmap;

static unsigned long pkmap_address(unsigned int slot)
{
    return PKMAP_BASE + ((unsigned long)slot << PAGE_SHIFT);
}

static void flush_unused_slots(void)
{
    for (unsigned int slot = 0; slot < LAST_PKMAP; slot++) {
        if (pkmap_slots[slot].page == NULL || pkmap_slots[slot].users)
            continue;
        pkmap_slots[slot].page = NULL;
        set_pte(kernel_pte(pkmap_address(slot)), (pte_t){0});
        flush_tlb_page(pkmap_address(slot));
    }
}

/* The slot of a page, or LAST_PKMAP. */
static unsigned int find_slot(const struct page *page)
{
    unsigned int slot = 0;
    while (slot < LAST_PKMAP && pkmap_slots[slot].page != page)
        slot++;
    return slot;
}

/* A slot for a page that has none; LAST_PKMAP: all are in use. */
static unsigned int take_slot(struct page *page)
{
    for (unsigned int tries = 0; tries < LAST_PKMAP; tries++) {
        last_pkmap = (last_pkmap + 1) % LAST_PKMAP;
        if (last_pkmap == 0)
            flush_unused_slots();
        if (pkmap_slots[last_pkmap].page)
            continue;
        pte_t *pte = pte_alloc_kernel(pkmap_address(last_pkmap));
        if (pte == NULL)
            return LAST_PKMAP;
        set_pte(pte, mk_pte(page, PAGE_KERNEL));
        pkmap_slots[last_pkmap].page = page;
        return last_pkmap;
    }
    return LAST_PKMAP;
}

void *kmap(struct page *page)
{
    if (!PageHighMem(page))
        return page_address(page);
    unsigned long flags = local_irq_save();
    unsigned int slot = find_slot(page);
    if (slot == LAST_PKMAP)
        slot = take_slot(page);
    if (slot < LAST_PKMAP)
        pkmap_slots[slot].users++;
    local_irq_restore(flags);
    return slot < LAST_PKMAP ? (void *)pkmap_address(slot) : NULL;
}

void kunmap(struct page *page)
{
    if (!PageHighMem(page))
        return;
    unsigned long flags = local_irq_save();
    unsigned int slot = find_slot(page);
    BUG_ON(slot == LAST_PKMAP || pkmap_slots[slot].users == 0);
    pkmap_slots[slot].users--;
    local_irq_restore(flags);
}
