/*
 * asm/pgtable.h for a host build: an entry is a frame's number, and bits: there, dirty, writable, accessed.
 */
#pragma once

#include "mm_types.h"

pgd_t *pgd_alloc(void);
void pgd_free(pgd_t *pgd);

static inline bool pte_present(pte_t pte)
{
    return pte.pte & 1;
}

static inline bool pte_none(pte_t pte)
{
    return pte.pte == 0;
}

#define SWP_TYPE_SHIFT 1
#define SWP_TYPE_MASK 0x1Fu
#define SWP_OFFSET_SHIFT 9

static inline bool is_swap_pte(pte_t pte)
{
    return !pte_none(pte) && !pte_present(pte);
}

static inline swp_entry_t pte_to_swp_entry(pte_t pte)
{
    return (swp_entry_t){pte.pte};
}

static inline pte_t swp_entry_to_pte(swp_entry_t entry)
{
    return (pte_t){entry.val};
}

static inline bool pte_dirty(pte_t pte)
{
    return pte.pte & 2;
}

static inline bool pte_young(pte_t pte)
{
    return pte.pte & 8;
}

static inline pte_t pte_mkold(pte_t pte)
{
    return (pte_t){pte.pte & ~8ul};
}

static inline pte_t pte_mkclean(pte_t pte)
{
    return (pte_t){pte.pte & ~2ul};
}

static inline pte_t pte_wrprotect(pte_t pte)
{
    return (pte_t){pte.pte & ~4ul};
}

static inline unsigned long pte_pfn(pte_t pte)
{
    return pte.pte >> PAGE_SHIFT;
}

static inline struct page *pte_page(pte_t pte)
{
    return pfn_to_page(pte_pfn(pte));
}

static inline pte_t mk_pte(const struct page *page, pgprot_t prot)
{
    return (pte_t){page_to_pfn(page) << PAGE_SHIFT | prot.pgprot};
}

static inline pte_t pte_with_page(pte_t pte, const struct page *page)
{
    return mk_pte(page, (pgprot_t){pte.pte & ~PAGE_MASK});
}

static inline void set_pte(pte_t *ptep, pte_t pte)
{
    *ptep = pte;
}

static inline void flush_tlb_page(unsigned long address)
{
    (void)address;
}
