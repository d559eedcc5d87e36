/*
 * The verbs with which mm/ reads and writes page tables; nothing outside arch/ knows what an entry looks
 * like.
 */
#pragma once

#include "asm/pgtable_types.h"
#include "asm/processor.h"
#include "mm.h"
#include "mm_types.h"

extern pgd_t swapper_pg_dir[PTRS_PER_PGD];
/* The page that reads of untouched memory share. */
extern u8 empty_zero_page[];
/* _PAGE_GLOBAL where the CPU has it, else 0. */
extern pteval_t page_global_bit;

static inline unsigned int pgd_index(unsigned long address)
{
    return (unsigned int)(address >> PGDIR_SHIFT);
}

static inline unsigned int pte_index(unsigned long address)
{
    return (unsigned int)(address >> PAGE_SHIFT) & (PTRS_PER_PTE - 1);
}

static inline pgd_t *pgd_offset(pgd_t *pgd, unsigned long address)
{
    return pgd + pgd_index(address);
}

static inline pmd_t *pmd_offset(pgd_t *pgd_entry)
{
    return (pmd_t *)pgd_entry;
}

static inline bool pmd_none(pmd_t pmd)
{
    return pmd.pmd == 0;
}

static inline bool pmd_present(pmd_t pmd)
{
    return pmd.pmd & _PAGE_PRESENT;
}

static inline bool pmd_large(pmd_t pmd)
{
    return pmd.pmd & _PAGE_PSE;
}

static inline struct page *pmd_page(pmd_t pmd)
{
    return pfn_to_page(pmd.pmd >> PAGE_SHIFT);
}

static inline void pmd_populate(pmd_t *pmd, const struct page *table)
{
    WRITE_ONCE(pmd->pmd, (pteval_t)(page_to_pfn(table) << PAGE_SHIFT) | _PAGE_TABLE);
}

static inline void pmd_clear(pmd_t *pmd)
{
    WRITE_ONCE(pmd->pmd, 0);
}

/* Tables lie in lowmem, so their entries can be reached without mapping anything. */
static inline pte_t *pte_offset_kernel(const pmd_t *pmd, unsigned long address)
{
    return (pte_t *)__va(pmd->pmd & PAGE_MASK) + pte_index(address);
}

static inline bool pte_none(pte_t pte)
{
    return pte.pte == 0;
}

static inline bool pte_present(pte_t pte)
{
    return pte.pte & _PAGE_PRESENT;
}

static inline bool pte_write(pte_t pte)
{
    return pte.pte & _PAGE_RW;
}

static inline unsigned long pte_pfn(pte_t pte)
{
    return pte.pte >> PAGE_SHIFT;
}

/* An entry for a user page; a writable one is born dirty, since it is made for a write. */
static inline pte_t mk_user_pte(const struct page *page, bool writable)
{
    pteval_t bits = _PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED;
    if (writable)
        bits |= _PAGE_RW | _PAGE_DIRTY;
    return (pte_t){(pteval_t)(page_to_pfn(page) << PAGE_SHIFT) | bits};
}

static inline void set_pte(pte_t *ptep, pte_t pte)
{
    WRITE_ONCE(ptep->pte, pte.pte);
}

/* A page directory that shares the kernel's part, or NULL. */
pgd_t *pgd_alloc(void);
void pgd_free(pgd_t *pgd);

static inline void flush_tlb_page(unsigned long address)
{
    __asm__ volatile("invlpg (%0)" ::"r"(address) : "memory");
}

/* Everything but global pages. */
static inline void flush_tlb(void)
{
    write_cr3(read_cr3());
}
