/*
 * The verbs with which mm/ reads and writes page tables; nothing outside arch/ knows what an entry looks
 * like. There are three levels in name: pgd, pmd and pte.
 */
#pragma once

#include "asm/pgtable_types.h"
#include "asm/processor.h"
#include "mm.h"
#include "mm_types.h"

extern pgd_t swapper_pg_dir[PTRS_PER_PGD];
/* The page that reads of untouched memory share. */
extern u8 empty_zero_page[];
/* _PAGE_GLOBAL and NX where the CPU has them, else 0. */
extern pteval_t page_global_bit, page_nx_bit;

#ifdef CONFIG_X86_PAE
#include "asm/pgtable-3level.h"
#else
#include "asm/pgtable-2level.h"
#endif

static inline unsigned int pgd_index(unsigned long address)
{
    return (unsigned int)(address >> PGDIR_SHIFT);
}

static inline unsigned int pmd_index(unsigned long address)
{
    return (unsigned int)(address >> PMD_SHIFT) & (PTRS_PER_PMD - 1);
}

static inline unsigned int pte_index(unsigned long address)
{
    return (unsigned int)(address >> PAGE_SHIFT) & (PTRS_PER_PTE - 1);
}

static inline pgd_t *pgd_offset(pgd_t *pgd, unsigned long address)
{
    return pgd + pgd_index(address);
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
    return pfn_to_page((unsigned long)((pmd.pmd & PTE_PFN_MASK) >> PAGE_SHIFT));
}

static inline void pmd_populate(pmd_t *pmd, const struct page *table)
{
    set_pmd(pmd, (pmd_t){(pteval_t)page_to_pfn(table) << PAGE_SHIFT | _PAGE_TABLE});
}

static inline void pmd_clear(pmd_t *pmd)
{
    set_pmd(pmd, (pmd_t){0});
}

/* Tables lie in lowmem, so their entries can be reached without mapping anything. */
static inline pte_t *pte_offset_kernel(const pmd_t *pmd, unsigned long address)
{
    return (pte_t *)__va((unsigned long)(pmd->pmd & PTE_PFN_MASK)) + pte_index(address);
}

static inline bool pte_none(pte_t pte)
{
    return pte.pte == 0;
}

/* There is a page, though nobody may be allowed to touch it. */
static inline bool pte_present(pte_t pte)
{
    return pte.pte & (_PAGE_PRESENT | _PAGE_PROTNONE);
}

static inline bool pte_write(pte_t pte)
{
    return pte.pte & _PAGE_RW;
}

static inline bool pte_dirty(pte_t pte)
{
    return pte.pte & _PAGE_DIRTY;
}

static inline bool pte_young(pte_t pte)
{
    return pte.pte & _PAGE_ACCESSED;
}

static inline pte_t pte_mkold(pte_t pte)
{
    return (pte_t){pte.pte & ~(pteval_t)_PAGE_ACCESSED};
}

static inline unsigned long pte_pfn(pte_t pte)
{
    return (unsigned long)((pte.pte & PTE_PFN_MASK) >> PAGE_SHIFT);
}

static inline struct page *pte_page(pte_t pte)
{
    return pfn_to_page(pte_pfn(pte));
}

static inline pte_t pfn_pte(unsigned long pfn, pgprot_t prot)
{
    return (pte_t){(pteval_t)pfn << PAGE_SHIFT | prot.pgprot};
}

static inline pte_t mk_pte(const struct page *page, pgprot_t prot)
{
    return pfn_pte(page_to_pfn(page), prot);
}

static inline pte_t pte_mkwrite(pte_t pte)
{
    return (pte_t){pte.pte | _PAGE_RW};
}

static inline pte_t pte_wrprotect(pte_t pte)
{
    return (pte_t){pte.pte & ~(pteval_t)_PAGE_RW};
}

static inline pte_t pte_mkdirty(pte_t pte)
{
    return (pte_t){pte.pte | _PAGE_DIRTY};
}

static inline pte_t pte_mkclean(pte_t pte)
{
    return (pte_t){pte.pte & ~(pteval_t)_PAGE_DIRTY};
}

/* Same page, other permissions; whether it was written and read stays known. */
static inline pte_t pte_modify(pte_t pte, pgprot_t prot)
{
    const pteval_t kept = PTE_PFN_MASK | _PAGE_ACCESSED | _PAGE_DIRTY;
    return (pte_t){(pte.pte & kept) | prot.pgprot};
}

/* The same entry for another page. */
static inline pte_t pte_with_page(pte_t pte, const struct page *page)
{
    return (pte_t){(pte.pte & ~PTE_PFN_MASK) | (pteval_t)page_to_pfn(page) << PAGE_SHIFT};
}

/*
 * A page that is on disk (swapops.h): neither present nor PROTNONE, so bits 0 and 8 stay clear. The swap area
 * is in bits 1 to 5, the slot in bits 9 to 31, in both flavours.
 */
#define SWP_TYPE_SHIFT 1
#define SWP_TYPE_MASK 0x1Fu
#define SWP_OFFSET_SHIFT 9

static inline bool is_swap_pte(pte_t pte)
{
    return !pte_none(pte) && !pte_present(pte);
}

static inline swp_entry_t pte_to_swp_entry(pte_t pte)
{
    return (swp_entry_t){(unsigned long)pte.pte};
}

static inline pte_t swp_entry_to_pte(swp_entry_t entry)
{
    return (pte_t){entry.val};
}

/* For a user page in an area with these VM_ flags; never writable, which a fault makes it when it may be. */
pgprot_t vm_get_page_prot(u32 vm_flags);

/* pgtable.c: a page directory that shares the kernel's part, or NULL. */
void pgtable_cache_init(void);
pgd_t *pgd_alloc(void);
void pgd_free(pgd_t *pgd);
/* The kernel's entry for an address outside the direct mapping: NULL if there is no table for it. */
pte_t *kernel_pte(unsigned long address);
/* The same, with a table made for it if need be; NULL: no memory. Such tables stay for good. */
pte_t *pte_alloc_kernel(unsigned long address);
/* Tables made by pte_alloc_kernel() so far. */
unsigned long nr_kernel_page_tables(void);
/*
 * The kernel touched an address that the running process's page directory does not know yet. True if the
 * kernel's own does: now both do.
 */
bool vmalloc_fault(unsigned long address);

static inline void flush_tlb_page(unsigned long address)
{
    __asm__ volatile("invlpg (%0)" ::"r"(address) : "memory");
}

/* Everything but global pages. */
static inline void flush_tlb(void)
{
    write_cr3(read_cr3());
}
