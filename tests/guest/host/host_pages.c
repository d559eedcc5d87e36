/* Pages of an address space without page tables (host_pages.h). */
#include "host_pages.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "asm/pgtable.h"
#include "rmap.h"

#define MAX_TOUCHES 2000000u

u32 host_page_at[USER_PAGES];
static u32 nr_touched;

/* By number: what struct page remembers. */
static struct {
    struct anon_vma *anon_vma;
    unsigned long index;
} touched[MAX_TOUCHES];

pgd_t *pgd_alloc(void)
{
    return calloc(1, sizeof(pgd_t));
}

void pgd_free(pgd_t *pgd)
{
    free(pgd);
}

void free_pgtables(struct mm_struct *mm)
{
    (void)mm;
}

pte_t *find_pte(struct mm_struct *mm, unsigned long address)
{
    (void)mm;
    (void)address;
    return NULL;
}

static unsigned long name_of(const struct vm_area_struct *vma, unsigned long address)
{
    return vma->vm_pgoff + ((address - vma->vm_start) >> PAGE_SHIFT);
}

void host_touch(struct mm_struct *mm, unsigned long address)
{
    struct vm_area_struct *vma = find_vma(mm, address);
    u32 *page = &host_page_at[address >> PAGE_SHIFT];
    if (vma == NULL || vma->vm_start > address || anon_vma_prepare(vma) || nr_touched + 1 == MAX_TOUCHES)
        cr_assert_fail("%lx cannot be touched", address);
    if (*page)
        return;
    *page = ++nr_touched;
    touched[nr_touched].anon_vma = vma->anon_vma;
    touched[nr_touched].index = name_of(vma, address);
}

void host_check_names(struct mm_struct *mm)
{
    for (unsigned long page = 0; page < USER_PAGES; page++) {
        unsigned long address = page << PAGE_SHIFT;
        if (host_page_at[page] == 0)
            continue;
        const struct vm_area_struct *vma = find_vma(mm, address);
        if (vma == NULL || vma->vm_start > address || vma->anon_vma != touched[host_page_at[page]].anon_vma ||
            name_of(vma, address) != touched[host_page_at[page]].index)
            cr_assert_fail("the page at %lx has another name than when it was touched", address);
    }
}

void zap_page_range(struct mm_struct *mm, unsigned long start, unsigned long end)
{
    (void)mm;
    for (unsigned long address = start; address < end; address += PAGE_SIZE)
        host_page_at[address >> PAGE_SHIFT] = 0;
}

void change_protection(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
    if (start < vma->vm_start || end > vma->vm_end)
        cr_assert_fail("%lx - %lx is not in the area", start, end);
}

int move_page_tables(struct vm_area_struct *vma, unsigned long old_start, struct vm_area_struct *new_vma,
                     unsigned long new_start, unsigned long bytes)
{
    if (old_start < vma->vm_start || old_start + bytes > vma->vm_end || new_start < new_vma->vm_start ||
        new_start + bytes > new_vma->vm_end)
        cr_assert_fail("%lx + %lx or %lx is not in its area", old_start, bytes, new_start);
    for (unsigned long offset = 0; offset < bytes; offset += PAGE_SIZE) {
        u32 *from = &host_page_at[(old_start + offset) >> PAGE_SHIFT];
        if (*from)
            host_page_at[(new_start + offset) >> PAGE_SHIFT] = *from;
        *from = 0;
    }
    return 0;
}

int mm_populate(struct mm_struct *mm, unsigned long start, unsigned long end)
{
    for (unsigned long address = start; address < end; address += PAGE_SIZE) {
        const struct vm_area_struct *vma = find_vma(mm, address);
        if (vma && vma->vm_start <= address && (vma->vm_flags & VM_ACCESS_FLAGS))
            host_touch(mm, address);
    }
    return 0;
}
