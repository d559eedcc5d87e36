/* What two-level paging does where three-level paging does something else (asm/pgtable.h). */
#pragma once

static inline bool pgd_present(pgd_t pgd)
{
    (void)pgd;
    return true;
}

static inline pmd_t *pmd_offset(pgd_t *pgd, unsigned long address)
{
    (void)address;
    return (pmd_t *)pgd;
}

static inline void set_pmd(pmd_t *pmdp, pmd_t pmd)
{
    WRITE_ONCE(pmdp->pmd, pmd.pmd);
}

static inline void set_pte(pte_t *ptep, pte_t pte)
{
    WRITE_ONCE(ptep->pte, pte.pte);
}
