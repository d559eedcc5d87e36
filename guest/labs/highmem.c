/* Z2. Lowmem has lasting addresses; a highmem page has one when somebody maps it. */
#include "highmem.h"
#include "asm/fixmap.h"
#include "asm/pgtable.h"
#include "held_pages.h"
#include "lab.h"
#include "vmalloc.h"

#define VALUE 0x6B6F6F6Cu

static void check_lowmem(void)
{
    struct list_head held = LIST_HEAD_INIT(held);
    bool is_fixed = true;
    for (u32 i = 0; i < 1000; i++) {
        struct page *page = alloc_page(GFP_KERNEL);
        if (page == NULL)
            break;
        list_add(&page->lru, &held);
        is_fixed &= (unsigned long)page_address(page) == PAGE_OFFSET + (page_to_pfn(page) << PAGE_SHIFT);
    }
    lab_check(is_fixed, "1000 pages of lowmem: each at its physical address + %08x", PAGE_OFFSET);
    release_pages(&held);
    lab_check(PAGE_OFFSET + (max_low_pfn << PAGE_SHIFT) <= VMALLOC_START,
              "lowmem ends at %08lx, before the vmalloc area begins",
              PAGE_OFFSET + (max_low_pfn << PAGE_SHIFT));
}

static volatile u32 *word(void *page)
{
    return page;
}

/* The same page by three addresses at once. */
static void check_mappings(struct page *page)
{
    char *kmapped = kmap(page), *atomic = kmap_atomic(page), *vmapped = vmap(&page, 1, PAGE_KERNEL);
    lab_say("frame %05lx: kmap %08lx, kmap_atomic %08lx, vmap %08lx", page_to_pfn(page),
            (unsigned long)kmapped, (unsigned long)atomic, (unsigned long)vmapped);
    lab_check((unsigned long)kmapped >= PKMAP_BASE &&
                  (unsigned long)kmapped < PKMAP_BASE + ((unsigned long)LAST_PKMAP << PAGE_SHIFT),
              "kmap gives an address in the pkmap area");
    lab_check((unsigned long)atomic >= fix_to_virt(FIX_KMAP_END), "kmap_atomic gives one in the fixmap");
    lab_check((unsigned long)vmapped >= VMALLOC_START && (unsigned long)vmapped < VMALLOC_END,
              "vmap gives one in the vmalloc area");
    *word(kmapped) = VALUE;
    lab_check(*word(atomic) == VALUE && *word(vmapped) == VALUE,
              "what is written by one is read by the others");
    lab_check(kmap(page) == (void *)kmapped, "kmap of a page that is mapped gives the same address");
    kunmap(page);
    vunmap(vmapped);
    kunmap_atomic(atomic);
    kunmap(page);
    lab_check(pte_none(*kernel_pte((unsigned long)atomic)) && pte_none(*kernel_pte((unsigned long)vmapped)),
              "after kunmap_atomic and vunmap, nothing is mapped there");
}

static void check_pkmap_is_finite(void)
{
    struct list_head held = LIST_HEAD_INIT(held);
    u32 nr_mapped = 0;
    struct page *page;
    while ((page = alloc_page(GFP_HIGHUSER)) != NULL) {
        list_add(&page->lru, &held);
        if (!PageHighMem(page) || kmap(page) == NULL)
            break;
        nr_mapped++;
    }
    lab_check(nr_mapped == LAST_PKMAP, "kmap has %u addresses for all: %u pages were mapped at once",
              LAST_PKMAP, nr_mapped);
    u32 i = 0;
    list_for_each_entry(page, &held, lru) if (i++ > 0) kunmap(page);
    release_pages(&held);
}

static void highmem(void)
{
    check_lowmem();
    struct page *page = alloc_page(GFP_HIGHUSER);
    if (page == NULL || !PageHighMem(page)) {
        lab_skip("this machine has no highmem");
        return;
    }
    lab_check(page_to_pfn(page) >= max_low_pfn,
              "a page of highmem: frame %05lx, behind the direct mapping's last %05lx", page_to_pfn(page),
              max_low_pfn - 1);
    check_mappings(page);
    __free_page(page);
    check_pkmap_is_finite();
}
LAB("highmem", highmem);
