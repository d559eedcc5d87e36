/* Pages come in when they are touched, and are copied when somebody writes to one that is shared. */
#include "asm/pgtable.h"
#include "bug.h"
#include "delayacct.h"
#include "err.h"
#include "fs.h"
#include "highmem.h"
#include "lookaside.h"
#include "memcontrol.h"
#include "pagemap.h"
#include "rmap.h"
#include "sched.h"
#include "string.h"
#include "swap.h"
#include "swap_cache.h"

/*
 * A page for the process, from highmem if there is any: the kernel does not need it at hand. It may lie in
 * a CMA region, since it can be moved.
 */
static struct page *alloc_user_page(struct vm_area_struct *vma)
{
    if (anon_vma_prepare(vma))
        return NULL;
    /* If there is none, pagefault_out_of_memory() says so. */
    struct page *page = alloc_page(GFP_HIGHUSER_MOVABLE | __GFP_NOWARN);
    if (page == NULL)
        return NULL;
    if (mem_cgroup_charge(page, GFP_HIGHUSER_MOVABLE)) {
        put_page(page);
        return NULL;
    }
    set_page_owner(page, 0, PAGE_OWNER_ANON);
    return page;
}

static pte_t maybe_mkwrite(pte_t entry, const struct vm_area_struct *vma)
{
    return (vma->vm_flags & VM_WRITE) ? pte_mkwrite(entry) : entry;
}

/* Maps a new page; is_written: it comes in for a write, so that it is born dirty. */
static void map_user_page(struct vm_area_struct *vma, unsigned long address, pte_t *pte, struct page *page,
                          bool is_written)
{
    struct mm_struct *mm = vma->vm_mm;
    pte_t entry = maybe_mkwrite(mk_pte(page, vm_get_page_prot(vma->vm_flags)), vma);
    page_add_new_anon_rmap(page, vma, address);
    if (vma->vm_flags & VM_LOCKED)
        page->flags |= PG_unevictable;
    lru_cache_add(page);
    mm->rss++;
    mm->hiwater_rss = max(mm->hiwater_rss, mm->rss);
    set_pte(pte, is_written ? pte_mkdirty(entry) : entry);
}

/*
 * What a fault knows about areas and page tables holds as long as no other task runs that could change them.
 * Reading from a disk takes that long, and so may getting a page: then the program's access is tried again.
 */
static bool may_have_changed(const struct mm_struct *mm, u64 switches_before)
{
    return mm->mm_users > 1 && nr_context_switches() != switches_before;
}

/*
 * alloc_user_page(), which may sleep. NULL and *result if there is no page, or if the entry, or the area, may
 * not be what it was.
 */
static struct page *alloc_page_for(struct vm_area_struct *vma, const pte_t *pte, u32 *result)
{
    struct mm_struct *mm = vma->vm_mm;
    const u64 switches = nr_context_switches();
    const pteval_t before = pte->pte;
    struct page *page = alloc_user_page(vma);
    *result = page ? 0 : VM_FAULT_OOM;
    if (!may_have_changed(mm, switches) && pte->pte == before)
        return page;
    if (page)
        put_page(page);
    *result = VM_FAULT_RETRY;
    return NULL;
}

/*
 * The first touch of memory that has no content: a read gets the shared page of zeroes, a write one of its
 * own.
 */
static u32 do_anonymous_page(struct vm_area_struct *vma, unsigned long address, pte_t *pte, u32 flags)
{
    if (!(flags & FAULT_FLAG_WRITE)) {
        set_pte(pte, mk_pte(virt_to_page(empty_zero_page), vm_get_page_prot(vma->vm_flags)));
        vma->vm_mm->nr_zero_page_faults++;
        return 0;
    }
    u32 result;
    struct page *page = alloc_page_for(vma, pte, &result);
    if (page == NULL)
        return result;
    clear_highpage(page);
    map_user_page(vma, address, pte, page, true);
    return 0;
}

/* Replaces a page that others have, too, by a copy of its own. */
static u32 copy_shared_page(struct vm_area_struct *vma, unsigned long address, pte_t *pte, struct page *old)
{
    u32 result;
    get_page(old);
    struct page *page = alloc_page_for(vma, pte, &result);
    if (page == NULL) {
        put_page(old);
        return result;
    }
    copy_highpage(page, old);
    page_remove_rmap(old);
    vma->vm_mm->rss--;
    map_user_page(vma, address, pte, page, true);
    put_page(old); /* the entry's */
    free_page_and_swap_cache(old);
    vma->vm_mm->nr_cow_faults++;
    return 0;
}

/* ---- Pages of files ---- */

static u32 fault_of_error(long error)
{
    if (error == -EAGAIN)
        return VM_FAULT_RETRY;
    return error == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
}

static unsigned long linear_page_index(const struct vm_area_struct *vma, unsigned long address)
{
    return vma->vm_pgoff + ((address - vma->vm_start) >> PAGE_SHIFT);
}

/* Maps a page of the file's own; the entry takes over the reference. */
static void map_file_page(struct vm_area_struct *vma, pte_t *pte, struct page *page, bool is_written)
{
    struct mm_struct *mm = vma->vm_mm;
    pte_t entry = mk_pte(page, vm_get_page_prot(vma->vm_flags));
    page_dup_rmap(page);
    mm->rss++;
    mm->hiwater_rss = max(mm->hiwater_rss, mm->rss);
    /* Read-only, even where writing is allowed: the first write is noticed, and makes the page dirty. */
    set_pte(pte, is_written ? pte_mkdirty(pte_mkwrite(entry)) : entry);
}

/* A private area's write: the page of the file stays what it is, the process gets a copy. */
static u32 map_copy_of_file_page(struct vm_area_struct *vma, unsigned long address, pte_t *pte,
                                 struct page *file_page)
{
    u32 result;
    struct page *page = alloc_page_for(vma, pte, &result);
    if (page == NULL)
        return result;
    if (file_page->mapping == NULL) { /* the file has become shorter meanwhile */
        put_page(page);
        return VM_FAULT_RETRY;
    }
    copy_highpage(page, file_page);
    map_user_page(vma, address, pte, page, true);
    return 0;
}

/* With the page in hand, and nothing changed meanwhile. */
static u32 map_fault_page(struct vm_area_struct *vma, unsigned long address, pte_t *pte, struct page *page,
                          u32 flags)
{
    struct mm_struct *mm = vma->vm_mm;
    const u64 switches = nr_context_switches();
    bool is_written = (flags & FAULT_FLAG_WRITE) && (vma->vm_flags & VM_SHARED);
    if ((flags & FAULT_FLAG_WRITE) && !is_written)
        return map_copy_of_file_page(vma, address, pte, page);
    if (is_written) {
        int error = vma->vm_ops->page_mkwrite(vma, page);
        if (error)
            return fault_of_error(error);
        if (may_have_changed(mm, switches))
            return VM_FAULT_RETRY;
    }
    get_page(page);
    map_file_page(vma, pte, page, is_written);
    return 0;
}

static u32 do_file_page(struct vm_area_struct *vma, unsigned long address, pte_t *pte, u32 flags)
{
    struct mm_struct *mm = vma->vm_mm;
    /* The area may go while this task sleeps, but not its file. */
    struct file *file = get_file(vma->vm_file);
    const u64 switches = nr_context_switches();
    const bool is_shared_write = (flags & FAULT_FLAG_WRITE) && (vma->vm_flags & VM_SHARED);
    bool is_major = false;
    struct page *page = vma->vm_ops->fault(vma, linear_page_index(vma, address), &is_major);
    u32 result = is_major ? VM_FAULT_MAJOR : 0;
    if (is_major)
        count_vm_event(PGMAJFAULT);
    if (IS_ERR(page)) {
        result |= fault_of_error(PTR_ERR(page));
    } else {
        result |=
            may_have_changed(mm, switches) ? VM_FAULT_RETRY : map_fault_page(vma, address, pte, page, flags);
        put_page(page);
        if (is_shared_write && !(result & ~VM_FAULT_MAJOR))
            balance_dirty_pages(file->f_mapping);
    }
    fput(file);
    return result;
}

/* The first write to a page of a shared area that was read before, or whose last writes are on disk. */
static u32 do_shared_wp_page(struct vm_area_struct *vma, unsigned long address, pte_t *pte, struct page *page)
{
    struct mm_struct *mm = vma->vm_mm;
    struct file *file = get_file(vma->vm_file);
    const u64 switches = nr_context_switches();
    const pteval_t before = pte->pte;
    get_page(page);
    int error = vma->vm_ops->page_mkwrite(vma, page);
    u32 result = error ? fault_of_error(error) : 0;
    if (error == 0 && (may_have_changed(mm, switches) || pte->pte != before))
        result = VM_FAULT_RETRY;
    if (result == 0) {
        set_pte(pte, pte_mkdirty(pte_mkwrite(*pte)));
        flush_tlb_page(address);
        balance_dirty_pages(file->f_mapping);
    }
    put_page(page);
    fput(file);
    return result;
}

/* Whether nobody else has the page, by a page table or from swap. Then it needs no slot any more. */
static bool reuse_anon_page(struct page *page)
{
    if (PageAnon(page) && page->_mapcount == 1 && PageSwapCache(page) && trylock_page(page)) {
        try_to_free_swap(page);
        unlock_page(page);
    }
    return PageAnon(page) && page->_mapcount == 1 && page->_refcount == 1;
}

/* A write, allowed by the area, to a page that is mapped read-only. */
static u32 do_wp_page(struct vm_area_struct *vma, unsigned long address, pte_t *pte)
{
    struct page *page = pte_page(*pte);
    u32 result = 0;
    if (page == virt_to_page(empty_zero_page))
        result = do_anonymous_page(vma, address, pte, FAULT_FLAG_WRITE);
    else if (!PageAnon(page) && (vma->vm_flags & VM_SHARED))
        result = do_shared_wp_page(vma, address, pte, page);
    else if (reuse_anon_page(page))
        set_pte(pte, pte_mkdirty(pte_mkwrite(*pte))); /* the others have gone, or never were there */
    else
        result = copy_shared_page(vma, address, pte, page);
    flush_tlb_page(address);
    return result;
}

/* ---- Pages that were on disk ---- */

/* Maps a locked page; the reference that the caller has, and the entry's share of the slot, go with it. */
static void map_swap_page(struct vm_area_struct *vma, unsigned long address, pte_t *pte, struct page *page,
                          u32 flags)
{
    struct mm_struct *mm = vma->vm_mm;
    swp_entry_t entry = pte_to_swp_entry(*pte);
    bool is_ours = page->_mapcount == 0 && swap_count(entry) == 1;
    pte_t new_pte = mk_pte(page, vm_get_page_prot(vma->vm_flags));
    if (is_ours)
        new_pte = maybe_mkwrite(new_pte, vma);
    if (is_ours && (flags & FAULT_FLAG_WRITE))
        new_pte = pte_mkdirty(new_pte);
    page_add_anon_rmap(page, vma, address);
    mm->nr_swapents--;
    mm->rss++;
    mm->hiwater_rss = max(mm->hiwater_rss, mm->rss);
    set_pte(pte, new_pte);
    swap_free(entry);
    if (pte_dirty(new_pte) || (vma->vm_flags & VM_LOCKED) || vm_swap_full() ||
        !swap_info_of(entry)->is_writeok)
        try_to_free_swap(page);
}

/* The page is in the cache by now; *pte was `before` when it was sought. Consumes the reference. */
static u32 finish_swap_fault(struct vm_area_struct *vma, unsigned long address, pte_t *pte, struct page *page,
                             u32 flags, u64 switches, pte_t before)
{
    struct mm_struct *mm = vma->vm_mm;
    lock_page(page);
    bool is_mapped = false;
    u32 result = 0;
    if (may_have_changed(mm, switches) || pte->pte != before.pte || !PageSwapCache(page) ||
        page_swp_entry(page).val != before.pte) {
        result = VM_FAULT_RETRY;
    } else if (!PageUptodate(page)) {
        /* Whoever tries again reads again. */
        result = VM_FAULT_SIGBUS;
        if (page->_mapcount == 0)
            delete_from_swap_cache(page);
    } else {
        map_swap_page(vma, address, pte, page, flags);
        is_mapped = true;
    }
    if (page->_mapcount == 0)
        try_to_free_swap(page);
    unlock_page(page);
    if (!is_mapped)
        put_page(page);
    else if ((flags & FAULT_FLAG_WRITE) && !pte_write(*pte))
        result = do_wp_page(vma, address, pte);
    return result;
}

u32 do_swap_page(struct vm_area_struct *vma, unsigned long address, pte_t *pte, u32 flags)
{
    const u64 switches = nr_context_switches();
    const pte_t before = *pte;
    const u32 entry = (u32)pte_to_swp_entry(before).val;
    bool is_major = false;
    lk_mm_swap_in_begin(current->pid, entry);
    delayacct_swapin_start();
    struct page *page = swapin_page(pte_to_swp_entry(before), &is_major);
    delayacct_swapin_end();
    lk_mm_swap_in_end(current->pid, entry);
    u32 result = is_major ? VM_FAULT_MAJOR : 0;
    if (IS_ERR(page))
        return result | fault_of_error(PTR_ERR(page));
    return result | finish_swap_fault(vma, address, pte, page, flags, switches, before);
}

u32 handle_mm_fault(struct vm_area_struct *vma, unsigned long address, u32 flags)
{
    struct mm_struct *mm = vma->vm_mm;
    enum fault_kind kind = vma->fault_kind;
    u32 result = 0;
    count_vm_event(PGFAULT);
    address &= PAGE_MASK;
    pte_t *pte = pte_alloc(mm, address);
    if (pte == NULL)
        return VM_FAULT_OOM;
    if (pte_none(*pte)) {
        result = vma->vm_ops ? do_file_page(vma, address, pte, flags)
                             : do_anonymous_page(vma, address, pte, flags);
    } else if (is_swap_pte(*pte)) {
        result = do_swap_page(vma, address, pte, flags);
        count_vm_events(PGMAJFAULT, (result & VM_FAULT_MAJOR) != 0);
    } else if ((flags & FAULT_FLAG_WRITE) && !pte_write(*pte)) {
        result = do_wp_page(vma, address, pte);
    }
    /* Otherwise the entry allows the access by now: a stale translation, which the fault has thrown out. */
    if (!(result & VM_FAULT_RETRY))
        mm->nr_faults[kind]++;
    return result;
}

/*
 * Brings in one page, unless it is there as it should be. 0, -ENOMEM or -EFAULT; -EAGAIN: areas may have
 * changed.
 */
static int populate_page(struct vm_area_struct *vma, unsigned long address)
{
    u32 flags = (vma->vm_flags & VM_WRITE) ? FAULT_FLAG_WRITE : 0;
    const pte_t *pte = find_pte(vma->vm_mm, address);
    if (pte && pte_present(*pte) && (!flags || pte_write(*pte)))
        return 0;
    u32 result = handle_mm_fault(vma, address, flags);
    if (result & VM_FAULT_OOM)
        return -ENOMEM;
    if (result & VM_FAULT_SIGBUS)
        return -EFAULT;
    return (result & (VM_FAULT_RETRY | VM_FAULT_MAJOR)) ? -EAGAIN : 0;
}

int mm_populate(struct mm_struct *mm, unsigned long start, unsigned long end)
{
    while (start < end) {
        struct vm_area_struct *vma = find_vma(mm, start);
        if (vma == NULL)
            return 0;
        start = max(start, vma->vm_start);
        /* What nobody may touch needs no page. */
        if (!(vma->vm_flags & VM_ACCESS_FLAGS)) {
            start = vma->vm_end;
            continue;
        }
        int error = 0;
        for (; start < min(end, vma->vm_end) && error == 0; start += error ? 0 : PAGE_SIZE)
            error = populate_page(vma, start);
        if (error && error != -EAGAIN)
            return error;
    }
    return 0;
}
