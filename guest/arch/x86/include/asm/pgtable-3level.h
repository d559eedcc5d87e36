/*
 * What PAE paging does where two-level paging does something else (asm/pgtable.h). A process's three user
 * page directories are there from the beginning, and the fourth is the kernel's own: the CPU reads the four
 * entries of the top level when CR3 is loaded, and later changes of them it would not see (SDM 3A 4.4.1).
 */
#pragma once

static inline bool pgd_present(pgd_t pgd)
{
    return pgd.pgd & _PAGE_PRESENT;
}

static inline pmd_t *pmd_offset(pgd_t *pgd, unsigned long address)
{
    pmd_t *table = __va((unsigned long)(pgd->pgd & PTE_PFN_MASK));
    return table + ((address >> PMD_SHIFT) & (PTRS_PER_PMD - 1));
}

/*
 * Two stores, of which the one with the present bit comes last when the entry becomes valid, and first when
 * it ceases to be: a walk in between must not see half an entry.
 */
static inline void set_entry_64(volatile pteval_t *entry, pteval_t value)
{
    volatile u32 *half = (volatile u32 *)entry;
    half[0] = 0;
    half[1] = (u32)(value >> 32);
    half[0] = (u32)value;
}

static inline void set_pmd(pmd_t *pmdp, pmd_t pmd)
{
    set_entry_64(&pmdp->pmd, pmd.pmd);
}

static inline void set_pte(pte_t *ptep, pte_t pte)
{
    set_entry_64(&ptep->pte, pte.pte);
}
