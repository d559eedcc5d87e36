/* Page directories, and the kernel's tables behind the direct mapping. */
#include "asm/pgtable.h"
#include "bug.h"
#include "slab.h"
#include "string.h"

#define KERNEL_PGD_START (PAGE_OFFSET >> PGDIR_SHIFT)
#define KERNEL_PGD_ENTRIES (PTRS_PER_PGD - KERNEL_PGD_START)

static unsigned long nr_kernel_tables;

pgprot_t vm_get_page_prot(u32 vm_flags)
{
    if (!(vm_flags & (VM_READ | VM_WRITE | VM_EXEC)))
        return (pgprot_t){_PAGE_PROTNONE | _PAGE_ACCESSED};
    return (pgprot_t){_PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED |
                      ((vm_flags & VM_EXEC) ? (pteval_t)0 : page_nx_bit)};
}

static struct page *alloc_table(void)
{
    struct page *table = alloc_page(GFP_KERNEL | __GFP_ZERO);
    if (table)
        set_page_owner(table, 0, PAGE_OWNER_PAGE_TABLE);
    return table;
}

#if PAGETABLE_LEVELS == 3
/* Four entries of eight bytes, which the CPU wants aligned to their size. */
static struct kmem_cache *pgd_cachep;

void pgtable_cache_init(void)
{
    const u32 bytes = PTRS_PER_PGD * sizeof(pgd_t);
    pgd_cachep = kmem_cache_create("pgd", bytes, bytes, SLAB_PANIC, NULL);
}

static void free_user_pmds(pgd_t *pgd)
{
    for (unsigned int i = 0; i < KERNEL_PGD_START; i++)
        if (pgd_present(pgd[i]))
            __free_page(pfn_to_page((unsigned long)((pgd[i].pgd & PTE_PFN_MASK) >> PAGE_SHIFT)));
}

pgd_t *pgd_alloc(void)
{
    pgd_t *pgd = kmem_cache_zalloc(pgd_cachep, GFP_KERNEL);
    if (pgd == NULL)
        return NULL;
    for (unsigned int i = 0; i < KERNEL_PGD_START; i++) {
        const struct page *table = alloc_table();
        if (table == NULL) {
            pgd_free(pgd);
            return NULL;
        }
        pgd[i].pgd = (pteval_t)page_to_pfn(table) << PAGE_SHIFT | _PAGE_PRESENT;
    }
    memcpy(pgd + KERNEL_PGD_START, swapper_pg_dir + KERNEL_PGD_START, KERNEL_PGD_ENTRIES * sizeof(pgd_t));
    return pgd;
}

void pgd_free(pgd_t *pgd)
{
    free_user_pmds(pgd);
    kmem_cache_free(pgd_cachep, pgd);
}
#else
void pgtable_cache_init(void)
{
}

pgd_t *pgd_alloc(void)
{
    const struct page *page = alloc_table();
    if (page == NULL)
        return NULL;
    pgd_t *pgd = page_address(page);
    memcpy(pgd + KERNEL_PGD_START, swapper_pg_dir + KERNEL_PGD_START, KERNEL_PGD_ENTRIES * sizeof(pgd_t));
    return pgd;
}

void pgd_free(pgd_t *pgd)
{
    free_pages((unsigned long)pgd, 0);
}
#endif

static pmd_t *kernel_pmd(unsigned long address)
{
    return pmd_offset(pgd_offset(swapper_pg_dir, address), address);
}

pte_t *kernel_pte(unsigned long address)
{
    pmd_t *pmd = kernel_pmd(address);
    return pmd_none(*pmd) ? NULL : pte_offset_kernel(pmd, address);
}

pte_t *pte_alloc_kernel(unsigned long address)
{
    pmd_t *pmd = kernel_pmd(address);
    if (pmd_none(*pmd)) {
        const struct page *table = alloc_table();
        if (table == NULL)
            return NULL;
        pmd_populate(pmd, table);
        nr_kernel_tables++;
    }
    return pte_offset_kernel(pmd, address);
}

unsigned long nr_kernel_page_tables(void)
{
    return nr_kernel_tables;
}

bool vmalloc_fault(unsigned long address)
{
    const pmd_t *known = kernel_pmd(address);
    pgd_t *pgd = pgd_offset(__va(read_cr3() & CR3_TABLE_MASK), address);
    if (!pgd_present(*pgd))
        return false;
    pmd_t *pmd = pmd_offset(pgd, address);
    if (!pmd_present(*known) || pmd_present(*pmd))
        return false;
    set_pmd(pmd, *known);
    return true;
}
