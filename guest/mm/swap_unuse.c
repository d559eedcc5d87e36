/* Everything in a swap area comes back into memory, so that the area can go. */
#include "bug.h"
#include "errno.h"
#include "pagemap.h"
#include "sched.h"
#include "swap_area.h"
#include "swap_cache.h"

/* The first address from start on that has an entry of the area, in this area of addresses; or its end. */
static unsigned long next_entry(const struct vm_area_struct *vma, unsigned long start, u32 type)
{
    while (start < vma->vm_end) {
        const pte_t *pte = find_pte(vma->vm_mm, start);
        if (pte == NULL) {
            start = (start & PMD_MASK) + PMD_SIZE;
            continue;
        }
        if (is_swap_pte(*pte) && swp_type(pte_to_swp_entry(*pte)) == type)
            return start;
        start += PAGE_SIZE;
    }
    return vma->vm_end;
}

static int unuse_entry(struct vm_area_struct *vma, unsigned long address)
{
    u32 result = do_swap_page(vma, address, find_pte(vma->vm_mm, address), 0);
    if (result & VM_FAULT_OOM)
        return -ENOMEM;
    if (result & VM_FAULT_SIGBUS)
        return -EIO;
    return signal_pending(current) ? -EINTR : 0;
}

/* Areas are looked up anew after each page: reading takes long. */
static int unuse_mm(struct mm_struct *mm, u32 type)
{
    unsigned long address = 0;
    struct vm_area_struct *vma;
    while (mm->nr_swapents && (vma = find_vma(mm, address)) != NULL) {
        address = next_entry(vma, max(address, vma->vm_start), type);
        if (address >= vma->vm_end) {
            address = vma->vm_end;
            continue;
        }
        int error = unuse_entry(vma, address);
        if (error)
            return error;
    }
    return 0;
}

/* The next in the list that still has a user, with a reference; the one before loses its. */
static struct mm_struct *next_swap_mm(struct mm_struct *before)
{
    const struct list_head *node = before ? before->mmlist.next : swap_mms.next;
    struct mm_struct *next = NULL;
    for (; node != &swap_mms && next == NULL; node = node->next) {
        next = list_entry(node, struct mm_struct, mmlist);
        if (next->mm_users == 0)
            next = NULL;
    }
    if (next)
        next->mm_users++;
    if (before)
        mmput(before);
    return next;
}

static int unuse_processes(u32 type)
{
    int error = 0;
    for (struct mm_struct *mm = next_swap_mm(NULL); mm; mm = next_swap_mm(mm))
        error = error ? error : unuse_mm(mm, type);
    return error;
}

/* Pages that have a slot and are in memory need it no more. */
static void uncache_all(struct swap_info_struct *si)
{
    for (u32 i = 1; i < si->max; i++) {
        struct page *page = si->slots[i].page;
        if (page == NULL)
            continue;
        get_page(page);
        lock_page(page);
        try_to_free_swap(page);
        unlock_page(page);
        put_page(page);
    }
}

int try_to_unuse(struct swap_info_struct *si)
{
    for (;;) {
        int error = unuse_processes(si->type);
        uncache_all(si);
        if (si->nr_inuse == 0)
            return 0;
        if (error)
            return error;
        /* A process that ends, or one that is about to be copied. */
        schedule_timeout_uninterruptible(1);
    }
}
