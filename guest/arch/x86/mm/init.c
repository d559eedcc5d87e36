/* The kernel's own page tables. */
#include "asm/cpuid.h"
#include "asm/fixmap.h"
#include "asm/msr.h"
#include "asm/pgtable.h"
#include "asm/setup.h"
#include "lookaside.h"
#include "memblock.h"
#include "params.h"
#include "printk.h"
#include "string.h"

#define PAGE_ALIGNED_BSS __attribute__((section(".bss.page_aligned"), aligned(4096)))

pgd_t swapper_pg_dir[PTRS_PER_PGD] PAGE_ALIGNED_BSS;
#if PAGETABLE_LEVELS == 3
/* The page directory of the kernel's GiB, which all processes share. boot/early.c hangs it in. */
pmd_t swapper_pmd[PTRS_PER_PMD] PAGE_ALIGNED_BSS;
#endif
static pte_t fixmap_table[PTRS_PER_PTE] PAGE_ALIGNED_BSS;
u8 empty_zero_page[4096] PAGE_ALIGNED_BSS;

pteval_t page_global_bit, page_nx_bit;

#define LOWMEM_ALIGN pageblock_nr_pages
#define LOWMEM_LEAST ((32ul << 20) >> PAGE_SHIFT)

#define KERNEL_PGD_START (PAGE_OFFSET >> PGDIR_SHIFT)

static pmd_t *__init kernel_pmd(unsigned long address)
{
    return pmd_offset(pgd_offset(swapper_pg_dir, address), address);
}

/* Maps [pfn, end_pfn) of lowmem, at most PMD_SIZE, with 4 KiB pages. */
static void __init map_small_pages(pmd_t *pmd, unsigned long pfn, unsigned long end_pfn)
{
    phys_addr_t table_paddr = memblock_phys_alloc(PAGE_SIZE, PAGE_SIZE);
    pte_t *table = __va(table_paddr);
    clear_page(table);
    for (unsigned int i = 0; pfn < end_pfn; i++, pfn++)
        table[i] = pfn_pte(pfn, (pgprot_t){_PAGE_KERNEL | page_global_bit});
    set_pmd(pmd, (pmd_t){(pteval_t)table_paddr | _PAGE_KERNEL});
}

/* One to one at PAGE_OFFSET, in pages of PMD_SIZE where the CPU has them and memory fills them. */
static void __init map_lowmem(bool has_large_pages)
{
    const unsigned long large_pfns = PMD_SIZE >> PAGE_SHIFT;
    const pteval_t large = _PAGE_KERNEL | _PAGE_PSE | page_global_bit;
    for (unsigned long pfn = 0; pfn < max_low_pfn; pfn += large_pfns) {
        pmd_t *pmd = kernel_pmd(PAGE_OFFSET + (pfn << PAGE_SHIFT));
        if (has_large_pages && pfn + large_pfns <= max_low_pfn)
            set_pmd(pmd, (pmd_t){(pteval_t)pfn << PAGE_SHIFT | large});
        else
            map_small_pages(pmd, pfn, min(pfn + large_pfns, max_low_pfn));
    }
}

/* NX exists in entries of 64 bits, where the CPU has it and EFER.NXE turns it on (SDM 3A 4.1.4). */
static void __init enable_nx(void)
{
    struct cpuid_regs regs;
    if (PAGETABLE_LEVELS == 2 || !cpuid(0x80000001, &regs) || !(regs.dx & X86_FEATURE_NX))
        return;
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NX);
    page_nx_bit = _PAGE_NX;
}

/*
 * 896 MiB, or less if highmem= asks for so many bytes above. What boots by itself stays lowmem, and a
 * pageblock is either one or the other.
 */
static unsigned long __init find_max_low_pfn(void)
{
    unsigned long limit = min(max_pfn, LOWMEM_BYTES >> PAGE_SHIFT);
    unsigned long highmem_pfns = (unsigned long)min(boot_params.highmem >> PAGE_SHIFT, (phys_addr_t)max_pfn);
    if (highmem_pfns <= max_pfn - limit)
        return limit;
    return min(max(ALIGN_DOWN(max_pfn - highmem_pfns, LOWMEM_ALIGN), LOWMEM_LEAST), limit);
}

void __init paging_init(void)
{
    u32 features = cpu_features();
    max_pfn = PFN_DOWN(memblock_end_of_memory());
    max_low_pfn = find_max_low_pfn();

    if (features & X86_FEATURE_PSE)
        write_cr4(read_cr4() | X86_CR4_PSE);
    if (features & X86_FEATURE_PGE)
        page_global_bit = _PAGE_GLOBAL;
    enable_nx();
    /* PAE's entries have large pages whatever CR4.PSE says (SDM 3A 4.4.2). */
    map_lowmem(PAGETABLE_LEVELS == 3 || (features & X86_FEATURE_PSE));
    /* The identity mapping has served. */
    memset(swapper_pg_dir, 0, KERNEL_PGD_START * sizeof(pgd_t));
    set_pmd(kernel_pmd(FIXADDR_TOP), (pmd_t){(pteval_t)__pa(fixmap_table) | _PAGE_KERNEL});
    flush_tlb();
    /* Only now, so that no translation of the boot tables stays behind as a global one. */
    if (page_global_bit)
        write_cr4(read_cr4() | X86_CR4_PGE);
    memblock_set_current_limit((phys_addr_t)max_low_pfn << PAGE_SHIFT);
    lk_name_task((u32)__pa(swapper_pg_dir), "swapper");
    lk_name_region(_text, (size_t)(_etext - _text), "kernel text");
    lk_name_region(_data, (size_t)(_end - _data), "kernel data and bss");
}

void __init paging_mark_tables(void)
{
    set_page_owner(virt_to_page(swapper_pg_dir), 0, PAGE_OWNER_PAGE_TABLE);
#if PAGETABLE_LEVELS == 3
    set_page_owner(virt_to_page(swapper_pmd), 0, PAGE_OWNER_PAGE_TABLE);
#endif
    /* The last address is counted as 0 when it is passed. */
    for (unsigned long address = PAGE_OFFSET; address; address += PMD_SIZE) {
        const pmd_t *pmd = kernel_pmd(address);
        if (pmd_present(*pmd) && !pmd_large(*pmd))
            set_page_owner(pmd_page(*pmd), 0, PAGE_OWNER_PAGE_TABLE);
    }
}

void set_fixmap(enum fixed_addresses slot, unsigned long pfn, pteval_t flags)
{
    unsigned long address = fix_to_virt(slot);
    set_pte(&fixmap_table[pte_index(address)], flags ? pfn_pte(pfn, (pgprot_t){flags}) : (pte_t){0});
    flush_tlb_page(address);
}

void free_initmem(void)
{
    unsigned long pages = free_reserved_area(__boot_start, __boot_end);
    pages += free_reserved_area(__init_begin, __init_end);
    pr_info("Freeing unused kernel memory: %luK\n", pages << (PAGE_SHIFT - 10));
}

static void __init show_area(const char *name, unsigned long start, unsigned long end)
{
    pr_info("  %-8s: 0x%08lx - 0x%08lx   (%5lu kB)\n", name, start, end, (end - start) >> 10);
}

void __init show_memory_layout(void)
{
    pr_info("virtual kernel memory layout:\n");
    show_area("fixmap", fix_to_virt(__end_of_fixed_addresses - 1), FIXADDR_TOP);
    show_area("pkmap", PKMAP_BASE, PKMAP_BASE + ((unsigned long)LAST_PKMAP << PAGE_SHIFT));
    show_area("vmalloc", VMALLOC_START, VMALLOC_END);
    show_area("lowmem", PAGE_OFFSET, PAGE_OFFSET + (max_low_pfn << PAGE_SHIFT));
    show_area("  .bss", (unsigned long)_edata, (unsigned long)_end);
    show_area("  .data", (unsigned long)_data, (unsigned long)_edata);
    show_area("  .init", (unsigned long)__init_begin, (unsigned long)__init_end);
    show_area("  .text", (unsigned long)_text, (unsigned long)_etext);
}
