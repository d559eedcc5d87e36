/* The guest's asm/pgtable.h for a host build: a page directory that nobody looks into. */
#pragma once

#include "mm_types.h"

pgd_t *pgd_alloc(void);
void pgd_free(pgd_t *pgd);
static inline bool pte_present(pte_t pte)
{
    return pte.pte;
}
static inline unsigned long pte_pfn(pte_t pte)
{
    return pte.pte >> PAGE_SHIFT;
}
