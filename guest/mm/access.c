/* Another process's memory, read and written by the kernel. */
#include "asm/pgtable.h"
#include "errno.h"
#include "highmem.h"
#include "sched.h"
#include "string.h"

bool read_remote_memory(struct mm_struct *mm, unsigned long address, void *buf, unsigned long bytes)
{
    const pte_t *pte = find_pte(mm, address);
    while (pte && is_swap_pte(*pte)) {
        struct vm_area_struct *vma = find_vma(mm, address);
        if (vma == NULL || (handle_mm_fault(vma, address, 0) & VM_FAULT_ERROR))
            return false;
    }
    if (pte == NULL || !pte_present(*pte))
        return false;
    u8 *page = kmap_atomic(pte_page(*pte));
    memcpy(buf, page + (address & ~PAGE_MASK), bytes);
    kunmap_atomic(page);
    return true;
}

/* The page at an address, for writing; NULL and *error if there is none. */
static struct page *writable_page(struct mm_struct *mm, unsigned long address, int *error)
{
    struct vm_area_struct *vma = find_vma(mm, address);
    *error = -EFAULT;
    if (vma == NULL || (vma->vm_start > address && !(vma->vm_flags & VM_GROWSDOWN)) ||
        (vma->vm_start > address && expand_stack(vma, address)))
        return NULL;
    for (;;) {
        const pte_t *pte = find_pte(mm, address);
        if (pte && pte_present(*pte) && pte_write(*pte))
            return pte_page(*pte);
        u32 result = handle_mm_fault(vma, address, FAULT_FLAG_WRITE);
        current->maj_flt += (result & VM_FAULT_MAJOR) != 0;
        current->min_flt += (result & (VM_FAULT_MAJOR | VM_FAULT_ERROR | VM_FAULT_RETRY)) == 0;
        if (result & VM_FAULT_ERROR) {
            *error = (result & VM_FAULT_OOM) ? -ENOMEM : -EFAULT;
            return NULL;
        }
    }
}

int write_remote_memory(struct mm_struct *mm, unsigned long address, const void *from, unsigned long bytes)
{
    const u8 *next = from;
    while (bytes > 0) {
        int error;
        unsigned long offset = address & ~PAGE_MASK, part = min(bytes, PAGE_SIZE - offset);
        struct page *page = writable_page(mm, address, &error);
        if (page == NULL)
            return error;
        u8 *to = kmap_atomic(page);
        if (next)
            memcpy(to + offset, next, part);
        else
            memset(to + offset, 0, part);
        kunmap_atomic(to);
        next = next ? next + part : NULL;
        address += part;
        bytes -= part;
    }
    return 0;
}
