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
        {_PAGE_NX, " NX", ""},
    };
    size_t used = 0;
    buf[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(names) && used < size; i++)
        used += (size_t)snprintf(buf + used, size - used, "%s",
                                 (entry & names[i].bit) ? names[i].set : names[i].clear);
    return buf;
}

static phys_addr_t show_physical(phys_addr_t frame_paddr, unsigned long offset)
{
    pr_info("  physical address    = %08llx + %lx = %08llx\n", frame_paddr, offset, frame_paddr + offset);
    return frame_paddr + offset;
}

static void show_entry(const char *level, unsigned int index, const void *at, pteval_t value)
{
    char flags[64];
    pr_info("  %s[%03x] at %08llx = " PTE_FORMAT "  %s\n", level, index, __pa(at), value,
            flag_names(value, flags, sizeof(flags)));
}

phys_addr_t show_page_walk(unsigned long address)
{
    u32 cr3 = read_cr3();
    pr_info("Page walk of %08lx: page %05lx, offset %03lx\n", address, address >> PAGE_SHIFT,
            address & ~PAGE_MASK);
    pr_info("  CR3                 = %08x  %s at %08x\n", cr3,
            PAGETABLE_LEVELS == 2 ? "page directory" : "page-directory-pointer table", cr3 & CR3_TABLE_MASK);

    pgd_t *pgd = pgd_offset(__va(cr3 & CR3_TABLE_MASK), address);
    /* An entry of PAE's top level has an address and a present bit; some emulators mark it accessed. */
    if (PAGETABLE_LEVELS == 3)
        pr_info("  PDPTE[%x] at %08llx    page directory at %08llx  %s\n", pgd_index(address), __pa(pgd),
                (phys_addr_t)(pgd->pgd & PTE_PFN_MASK), pgd_present(*pgd) ? "P" : "not-present");
    if (!pgd_present(*pgd))
        return 0;
    pmd_t *pmd = pmd_offset(pgd, address);
    show_entry("PDE", PAGETABLE_LEVELS == 2 ? pgd_index(address) : pmd_index(address), pmd, pmd->pmd);
    if (!pmd_present(*pmd))
        return 0;
    if (pmd_large(*pmd))
        return show_physical(pmd->pmd & PTE_PFN_MASK & ~(pteval_t)(PMD_SIZE - 1), address & (PMD_SIZE - 1));

    pte_t *pte = pte_offset_kernel(pmd, address);
    show_entry("PTE", pte_index(address), pte, pte->pte);
    if (!pte_present(*pte))
        return 0;
    return show_physical(pte->pte & PTE_PFN_MASK, address & ~PAGE_MASK);
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
