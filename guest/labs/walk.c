/*
 * A6. From CR3 to the byte (SDM 3A 4.3, 4.4.2), step by step with the tables read as they lie in memory; then
 * proofs that the processor goes the same way.
 */
#include "asm/irqflags.h"
#include "asm/pgtable.h"
#include "asm/setup.h"
#include "asm/uaccess.h"
#include "highmem.h"
#include "lab.h"
#include "lookaside.h"
#include "own_mm.h"

#define ADDRESS 0x12345670ul
#define PAGE_ADDRESS 0x12345000ul
#define VALUE 0x6B6F6F6Cu /* "look" */
#define OTHER_VALUE 0x65646973u
enum { NR_LOADS = 64 };

/* ADDRESS cut up by hand: 10/10/12 bits, or 2/9/9/12. */
#define WIDTHS (PAGETABLE_LEVELS == 2 ? "10/10/12" : "2/9/9/12")
#define INDICES (PAGETABLE_LEVELS == 2 ? "048/345/670" : "0/091/145/670")
enum {
    ROOT_INDEX = PAGETABLE_LEVELS == 2 ? 0x048 : 0x0,
    DIRECTORY_INDEX = PAGETABLE_LEVELS == 2 ? 0x048 : 0x091,
    TABLE_INDEX = PAGETABLE_LEVELS == 2 ? 0x345 : 0x145,
    OFFSET = 0x670,
    ENTRY_BYTES = sizeof(pteval_t),
};

static pteval_t read_entry(const char *name, phys_addr_t table, u32 index, phys_addr_t *frame)
{
    phys_addr_t at = table + index * ENTRY_BYTES;
    pteval_t entry = *(volatile pteval_t *)__va((unsigned long)at);
    *frame = entry & PTE_PFN_MASK;
    lab_say("  %-5s at %08llx + %03x x %u = %08llx: " PTE_FORMAT, name, table, index, ENTRY_BYTES, at, entry);
    return entry;
}

/* The physical address of ADDRESS; *pte is where its last entry lies. */
static phys_addr_t walk_by_hand(phys_addr_t *pte)
{
    phys_addr_t table = read_cr3() & CR3_TABLE_MASK;
    lab_say("  CR3   = %08x", read_cr3());
    if (PAGETABLE_LEVELS == 3)
        read_entry("PDPTE", table, ROOT_INDEX, &table);
    read_entry("PDE", table, DIRECTORY_INDEX, &table);
    *pte = table + TABLE_INDEX * ENTRY_BYTES;
    read_entry("PTE", table, TABLE_INDEX, &table);
    lab_say("  byte  at %08llx + %03x = %08llx", table, OFFSET, table + OFFSET);
    return table + OFFSET;
}

static u32 read_physical(phys_addr_t paddr)
{
    char *mapped = kmap_atomic(pfn_to_page(PFN_DOWN(paddr)));
    u32 value = *(const volatile u32 *)(mapped + (paddr & ~PAGE_MASK));
    kunmap_atomic(mapped);
    return value;
}

static u32 load(void)
{
    return *(volatile u32 *)ADDRESS;
}

/* An entry that is changed by hand is what the next walk finds; until then the TLB has the old one. */
static void check_entry(volatile pteval_t *pte, u32 *other_page)
{
    const pteval_t old = *pte;
    load();
    other_page[OFFSET / sizeof(u32)] = OTHER_VALUE;
    *pte = (old & ~PTE_PFN_MASK) | __pa(other_page);
    if (lk_probe())
        lab_check(load() == VALUE, "the PTE names another frame: the load still finds %08x, by the TLB",
                  VALUE);
    flush_tlb_page(PAGE_ADDRESS);
    lab_check(load() == OTHER_VALUE, "after INVLPG it finds what is in that frame, %08x", OTHER_VALUE);
    *pte = old;
    flush_tlb_page(PAGE_ADDRESS);
    lab_check(load() == VALUE, "and with the old entry %08x again", VALUE);
}

static void check_marks(volatile pteval_t *pte)
{
    *pte &= ~(pteval_t)(_PAGE_ACCESSED | _PAGE_DIRTY);
    flush_tlb_page(PAGE_ADDRESS);
    bool is_clean = !(*pte & (_PAGE_ACCESSED | _PAGE_DIRTY));
    load();
    lab_check(is_clean && (*pte & _PAGE_ACCESSED) && !(*pte & _PAGE_DIRTY),
              "a load sets the entry's accessed bit, and not the dirty bit");
    *(volatile u32 *)ADDRESS = VALUE;
    lab_check(*pte & _PAGE_DIRTY, "a store sets the dirty bit");
}

static u32 load_over_and_over(bool flushes)
{
    u32 nr_right = 0;
    for (u32 i = 0; i < NR_LOADS; i++) {
        if (flushes)
            flush_tlb_page(PAGE_ADDRESS);
        nr_right += load() == VALUE;
    }
    return nr_right;
}

static void count_walks(void)
{
    struct lab_region with_tlb, with_walks;
    u32 nr_right = load_over_and_over(true) + load_over_and_over(false);
    lab_region_begin(&with_tlb, "64 loads");
    nr_right += load_over_and_over(false);
    lab_region_end(&with_tlb);
    lab_region_begin(&with_walks, "64 loads, each after INVLPG");
    nr_right += load_over_and_over(true);
    lab_region_end(&with_walks);
    lab_check(nr_right == 4 * NR_LOADS, "all loads found %08x", VALUE);
    if (!lab_counts_cycles())
        return;
    lab_figure("a load that the TLB translates", with_tlb.counts.cycles, NR_LOADS, "cycles");
    lab_figure("INVLPG and a load that walks", with_walks.counts.cycles, NR_LOADS, "cycles");
    lab_check(with_walks.counts.cycles > with_tlb.counts.cycles, "a walk takes longer than none");
}

/* The kernel's own code by its address in the direct mapping. */
static void check_large_page(void)
{
    unsigned long address = (unsigned long)_text;
    const pmd_t *pmd = pmd_offset(pgd_offset(__va(read_cr3() & CR3_TABLE_MASK), address), address);
    if (!pmd_large(*pmd))
        return; /* a processor without large pages */
    lab_check((pmd->pmd & PTE_PFN_MASK & ~(pteval_t)(PMD_SIZE - 1)) + (address & (PMD_SIZE - 1)) ==
                  __pa(address),
              "%08lx, the kernel's code, needs no table: the PDE " PTE_FORMAT " has PS, and maps %lu MiB",
              address, pmd->pmd, PMD_SIZE >> 20);
}

static void walk(void)
{
    struct mm_struct *mm = new_mm();
    u32 *other_page = (u32 *)__get_free_pages(GFP_KERNEL, 0);
    phys_addr_t pte;
    BUG_ON(other_page == NULL);
    map_anonymous(mm, PAGE_ADDRESS, PAGE_SIZE);
    use_mm(mm);
    lab_check(put_user_u32(VALUE, (u32 *)ADDRESS) == 0, "%08lx: page %05lx, offset %03lx", ADDRESS,
              ADDRESS >> PAGE_SHIFT, ADDRESS & ~PAGE_MASK);
    lab_say("%u levels, indices and offset of %s bits: %s", PAGETABLE_LEVELS, WIDTHS, INDICES);
    phys_addr_t paddr = walk_by_hand(&pte);
    lab_check(paddr % PAGE_SIZE == OFFSET && read_physical(paddr) == VALUE && load() == VALUE,
              "the word there is %08x by its physical address, and %08x by its linear one",
              read_physical(paddr), load());
    unsigned long flags = local_irq_save();
    check_entry(__va((unsigned long)pte), other_page);
    check_marks(__va((unsigned long)pte));
    count_walks();
    local_irq_restore(flags);
    check_large_page();
    use_mm(NULL);
    mmput(mm);
    free_pages((unsigned long)other_page, 0);
}
LAB("walk", walk);
