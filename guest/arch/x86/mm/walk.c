/* What the paging unit does with a linear address, done by hand and printed (SDM 3A 4.3). */
#include "asm/pgtable.h"
#include "asm/setup.h"
#include "asm/uaccess.h"
#include "bug.h"
#include "highmem.h"
#include "printk.h"
#include "sched.h"

#define DEMO_PAGE 0x12345000ul
#define DEMO_ADDRESS 0x12345670ul
#define DEMO_VALUE 0x6B6F6F6Cu /* "look" */

static const char *flag_names(pteval_t entry, char *buf, size_t size)
{
    static const struct {
        pteval_t bit;
        const char *set, *clear;
    } names[] = {
        {_PAGE_PRESENT, "P", "not-present"},
        {_PAGE_RW, " RW", " RO"},
        {_PAGE_USER, " user", " kernel"},
        {_PAGE_PWT, " PWT", ""},
        {_PAGE_PCD, " PCD", ""},
        {_PAGE_ACCESSED, " A", ""},
        {_PAGE_DIRTY, " D", ""},
        {_PAGE_PSE, " PS", ""},
        {_PAGE_GLOBAL, " G", ""},
    };
    size_t used = 0;
    buf[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(names) && used < size; i++)
        used += (size_t)snprintf(buf + used, size - used, "%s",
                                 (entry & names[i].bit) ? names[i].set : names[i].clear);
    return buf;
}

static phys_addr_t show_physical(pteval_t frame_paddr, unsigned long offset)
{
    pr_info("  physical address    = %08lx + %lx = %08lx\n", (unsigned long)frame_paddr, offset,
            frame_paddr + offset);
    return frame_paddr + offset;
}

phys_addr_t show_page_walk(unsigned long address)
{
    char flags[64];
    u32 cr3 = read_cr3();
    pr_info("Page walk of %08lx: page %05lx, offset %03lx\n", address, address >> PAGE_SHIFT,
            address & ~PAGE_MASK);
    pr_info("  CR3                 = %08x  page directory at %08lx\n", cr3, cr3 & PAGE_MASK);

    pmd_t *pmd = pmd_offset(pgd_offset(__va(cr3 & PAGE_MASK), address));
    pr_info("  PDE[%03x] at %08llx = %08x  %s\n", pgd_index(address), __pa(pmd), pmd->pmd,
            flag_names(pmd->pmd, flags, sizeof(flags)));
    if (!pmd_present(*pmd))
        return 0;
    if (pmd_large(*pmd))
        return show_physical(pmd->pmd & (pteval_t) ~(PGDIR_SIZE - 1), address & (PGDIR_SIZE - 1));

    pte_t *pte = pte_offset_kernel(pmd, address);
    pr_info("  PTE[%03x] at %08llx = %08x  %s\n", pte_index(address), __pa(pte), pte->pte,
            flag_names(pte->pte, flags, sizeof(flags)));
    if (!pte_present(*pte))
        return 0;
    return show_physical(pte->pte & (pteval_t)PAGE_MASK, address & ~PAGE_MASK);
}

static u32 read_physical(phys_addr_t paddr)
{
    char *mapped = kmap_atomic(pfn_to_page(PFN_DOWN(paddr)));
    u32 value = *(const u32 *)(mapped + (paddr & ~(phys_addr_t)PAGE_MASK));
    kunmap_atomic(mapped);
    return value;
}

/* The address space is a throw-away one; its page comes in by the fault that put_user_u32() takes. */
void page_walk_demo(void)
{
    const struct vm_area_struct area = {.vm_start = DEMO_PAGE,
                                        .vm_end = DEMO_PAGE + PAGE_SIZE,
                                        .vm_flags = VM_READ | VM_WRITE,
                                        .fault_kind = FAULT_DATA};
    struct mm_struct *mm = mm_alloc();
    BUG_ON(mm == NULL || insert_vma(mm, &area));
    current->mm = mm;
    switch_mm(mm);

    BUG_ON(put_user_u32(DEMO_VALUE, (u32 *)DEMO_ADDRESS));
    phys_addr_t paddr = show_page_walk(DEMO_ADDRESS);
    u32 linear_value;
    BUG_ON(get_user_u32(&linear_value, (const u32 *)DEMO_ADDRESS));
    pr_info("  value there         = %08x by its linear address, %08x by its physical one\n", linear_value,
            read_physical(paddr));
    show_page_walk((unsigned long)_text);

    current->mm = NULL;
    switch_mm(NULL);
    mmput(mm);
}
