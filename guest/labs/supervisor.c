/* A10, the kernel's part: the entries with which the kernel is mapped, in every address space. */
#include "asm/pgtable.h"
#include "asm/setup.h"
#include "bug.h"
#include "lab.h"
#include "mm_types.h"

/* Whether all that is mapped at and above PAGE_OFFSET by these tables has U/S 0 somewhere on its way. */
static bool is_all_supervisor(pgd_t *tables, u32 *nr_mapped)
{
    for (unsigned long address = PAGE_OFFSET; address; address += PMD_SIZE) {
        pgd_t *pgd = pgd_offset(tables, address);
        const pmd_t *pmd = pmd_offset(pgd, address);
        if (!pgd_present(*pgd) || !pmd_present(*pmd))
            continue;
        ++*nr_mapped;
        if (!(pmd->pmd & _PAGE_USER))
            continue;
        if (pmd_large(*pmd))
            return false;
        const pte_t *pte = pte_offset_kernel(pmd, address);
        for (u32 i = 0; i < PTRS_PER_PTE; i++)
            if ((pte[i].pte & _PAGE_PRESENT) && (pte[i].pte & _PAGE_USER))
                return false;
    }
    return true;
}

static void supervisor(void)
{
    u32 nr_mapped = 0;
    struct mm_struct *mm = mm_alloc();
    BUG_ON(mm == NULL);
    bool is_kept_out = is_all_supervisor(mm->pgd, &nr_mapped);
    lab_check(
        is_kept_out && nr_mapped > 0,
        "a new process has %u entries of the page directory for the kernel, and nothing of it is user's",
        nr_mapped);
    lab_check(*(volatile const u32 *)_text != 0, "the kernel reads its code at %08lx", (unsigned long)_text);
    mmput(mm);
}
LAB("supervisor", supervisor);
