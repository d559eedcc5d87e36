/* Reverse mapping (include/rmap.h). */
#include "rmap.h"
#include "asm/pgtable.h"
#include "bug.h"
#include "errno.h"
#include "page_cache.h"
#include "slab.h"
#include "swap_cache.h"

static struct kmem_cache *anon_vma_cachep;

void rmap_init(void)
{
    anon_vma_cachep = KMEM_CACHE(anon_vma, SLAB_PANIC);
}

int anon_vma_prepare(struct vm_area_struct *vma)
{
    if (vma->anon_vma)
        return 0;
    struct anon_vma *anon_vma = kmem_cache_alloc(anon_vma_cachep, GFP_KERNEL);
    if (anon_vma == NULL)
        return -ENOMEM;
    INIT_LIST_HEAD(&anon_vma->areas);
    anon_vma_link(vma, anon_vma);
    return 0;
}

void anon_vma_link(struct vm_area_struct *vma, struct anon_vma *anon_vma)
{
    vma->anon_vma = anon_vma;
    list_add_tail(&vma->anon_vma_node, &anon_vma->areas);
}

void anon_vma_unlink(struct vm_area_struct *vma)
{
    struct anon_vma *anon_vma = vma->anon_vma;
    if (anon_vma == NULL)
        return;
    list_del_init(&vma->anon_vma_node);
    vma->anon_vma = NULL;
    if (list_empty(&anon_vma->areas))
        kmem_cache_free(anon_vma_cachep, anon_vma);
}

void page_add_new_anon_rmap(struct page *page, const struct vm_area_struct *vma, unsigned long address)
{
    page->flags |= PG_anon;
    page->anon_vma = vma->anon_vma;
    page->index = vma->vm_pgoff + ((address - vma->vm_start) >> PAGE_SHIFT);
    page->_mapcount = 1;
}

void page_add_anon_rmap(struct page *page, const struct vm_area_struct *vma, unsigned long address)
{
    if (page->_mapcount++)
        return;
    BUG_ON(vma->anon_vma == NULL);
    page->anon_vma = vma->anon_vma;
    set_page_index(page, vma->vm_pgoff + ((address - vma->vm_start) >> PAGE_SHIFT));
}

void page_dup_rmap(struct page *page)
{
    page->_mapcount++;
}

void page_remove_rmap(struct page *page)
{
    BUG_ON(page->_mapcount <= 0);
    page->_mapcount--;
    /* The areas may go now. */
    if (PageAnon(page) && page->_mapcount == 0)
        page->anon_vma = NULL;
}

/* The entry that maps the page in this area, if any. */
static pte_t *pte_in_area(const struct page *page, const struct vm_area_struct *vma, unsigned long *address)
{
    unsigned long index = page_index(page), number = index - vma->vm_pgoff;
    if (index < vma->vm_pgoff || number >= vma_pages(vma))
        return NULL;
    *address = vma->vm_start + (number << PAGE_SHIFT);
    pte_t *pte = find_pte(vma->vm_mm, *address);
    return pte && pte_present(*pte) && pte_pfn(*pte) == page_to_pfn(page) ? pte : NULL;
}

static int visit_area(struct page *page, struct vm_area_struct *vma, rmap_fn fn, void *arg)
{
    unsigned long address;
    pte_t *pte = pte_in_area(page, vma, &address);
    return pte ? fn(page, vma, address, pte, arg) : 0;
}

int rmap_walk(struct page *page, rmap_fn fn, void *arg)
{
    struct vm_area_struct *vma;
    int result = 0;
    if (page->_mapcount == 0)
        return 0;
    if (PageAnon(page)) {
        /* fn may unmap it for the last time, and then it has none. */
        const struct anon_vma *anon_vma = page->anon_vma;
        list_for_each_entry(vma, &anon_vma->areas, anon_vma_node)
        {
            if ((result = visit_area(page, vma, fn, arg)) != 0)
                break;
        }
    } else {
        list_for_each_entry(vma, &page->mapping->i_mmap, shared)
        {
            if ((result = visit_area(page, vma, fn, arg)) != 0)
                break;
        }
    }
    return result;
}

/* ---- Who has used a page ---- */

struct references {
    u32 nr;
    u32 vm_flags;
};

/* The CPU sets the bit again only when it looks into the table again. */
static int clear_young_entry(struct page *page, struct vm_area_struct *vma, unsigned long address, pte_t *pte,
                             void *arg)
{
    struct references *references = arg;
    (void)page;
    references->vm_flags |= vma->vm_flags & VM_LOCKED;
    if (!pte_young(*pte))
        return 0;
    set_pte(pte, pte_mkold(*pte));
    flush_tlb_page(address);
    references->nr++;
    references->vm_flags |= vma->vm_flags;
    return 0;
}

u32 page_referenced(struct page *page, u32 *vm_flags)
{
    struct references references = {.nr = 0};
    if (page->_mapcount)
        (void)rmap_walk(page, clear_young_entry, &references);
    *vm_flags = references.vm_flags;
    return references.nr;
}

/* ---- What the page cache does to all entries of a page ---- */

static int unmap_entry(struct page *page, struct vm_area_struct *vma, unsigned long address, pte_t *pte,
                       void *unused)
{
    (void)unused;
    if (pte_dirty(*pte))
        set_page_dirty(page);
    set_pte(pte, (pte_t){0});
    flush_tlb_page(address);
    page_remove_rmap(page);
    vma->vm_mm->rss--;
    put_page(page);
    return 0;
}

void unmap_page(struct page *page)
{
    if (page->_mapcount)
        (void)rmap_walk(page, unmap_entry, NULL);
}

static int try_to_unmap_entry(struct page *page, struct vm_area_struct *vma, unsigned long address,
                              pte_t *pte, void *arg)
{
    struct mm_struct *mm = vma->vm_mm;
    if (vma->vm_flags & VM_LOCKED) {
        *(enum ttu_result *)arg = TTU_MLOCK;
        return 0;
    }
    if (!PageAnon(page))
        return unmap_entry(page, vma, address, pte, NULL);
    if (pte_dirty(*pte))
        set_page_dirty(page);
    swp_entry_t entry = {page->index};
    set_swap_pte(mm, pte, entry);
    flush_tlb_page(address);
    page_remove_rmap(page);
    mm->rss--;
    put_page(page);
    return 0;
}

enum ttu_result try_to_unmap(struct page *page)
{
    enum ttu_result result = TTU_SUCCESS;
    BUG_ON(!PageLocked(page) || (PageAnon(page) && !PageSwapCache(page)));
    if (page->_mapcount)
        (void)rmap_walk(page, try_to_unmap_entry, &result);
    return result;
}

static int write_protect_entry(struct page *page, struct vm_area_struct *vma, unsigned long address,
                               pte_t *pte, void *unused)
{
    (void)page;
    (void)vma;
    (void)unused;
    set_pte(pte, pte_mkclean(pte_wrprotect(*pte)));
    flush_tlb_page(address);
    return 0;
}

void write_protect_page(struct page *page)
{
    if (page->_mapcount)
        (void)rmap_walk(page, write_protect_entry, NULL);
}
