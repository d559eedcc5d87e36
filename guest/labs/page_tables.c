/*
 * A7, A8. What page tables take, against one flat table for 4 GiB; and that each process has its own, so
 * that an address means something else in each.
 */
#include "asm/pgtable.h"
#include "asm/ptrace.h"
#include "asm/switch_to.h"
#include "asm/uaccess.h"
#include "lab.h"
#include "own_mm.h"
#include "process.h"
#include "vmstat.h"

#define FLAT_ENTRIES (1ul << (32 - PAGE_SHIFT))
#define FLAT_BYTES (FLAT_ENTRIES * sizeof(pteval_t))
enum { NR_TOUCHED = 64 };

/* The pages that page tables of processes take; PAE's smallest table, of 32 bytes, is not a page. */
static unsigned long nr_table_pages(void)
{
    return nr_owned_pages[PAGE_OWNER_PAGE_TABLE];
}

/* Touches NR_TOUCHED pages of a new address space, so far apart. Returns how many pages its tables took. */
static unsigned long tables_for(unsigned long start, unsigned long step)
{
    unsigned long before = nr_table_pages();
    struct mm_struct *mm = new_mm();
    use_mm(mm);
    for (u32 i = 0; i < NR_TOUCHED; i++) {
        map_anonymous(mm, start + i * step, PAGE_SIZE);
        BUG_ON(put_user_u32(i, (u32 *)(start + i * step)));
    }
    unsigned long pages = nr_table_pages() - before;
    use_mm(NULL);
    mmput(mm);
    return pages;
}

static void page_tables(void)
{
    lab_check(FLAT_ENTRIES == 1048576 && FLAT_BYTES == (PAGETABLE_LEVELS == 2 ? 4ul : 8ul) << 20,
              "one flat table of 4 GiB: %lu entries of %u bytes, %lu MiB for each process", FLAT_ENTRIES,
              (u32)sizeof(pteval_t), FLAT_BYTES >> 20);
    unsigned long before = nr_table_pages();
    struct task_struct *task = start_process();
    unsigned long pages = nr_table_pages() - before, mapped = task->mm ? task->mm->total_vm : 0;
    lab_check(task->mm && pages > 0 && pages <= 10,
              "a program that runs (%lu pages in areas): %lu pages of tables", mapped, pages);
    end_process(task);
    lab_check(nr_table_pages() == before, "when it has ended, all of them are free again");

    const unsigned long empty = PAGETABLE_LEVELS == 2 ? 1 : 3;
    unsigned long close = tables_for(0x10000000, PAGE_SIZE), apart = tables_for(0x10000000, PMD_SIZE);
    lab_check(close == empty + 1, "64 pages side by side: %lu pages of tables", close);
    lab_check(apart == empty + NR_TOUCHED,
              "64 pages, each %lu MiB behind the one before: %lu pages of tables", PMD_SIZE >> 20, apart);
    lab_figure("of the flat table, a program needs", pages * PAGE_SIZE * 100, FLAT_BYTES, "%");
}
LAB("page-tables", page_tables);

/* ---- Each process has its own ---- */

#define ADDRESS 0x20000000ul
enum { NR_SWITCHES = 64 };

static struct page *page_at(struct mm_struct *mm, unsigned long address)
{
    const pte_t *pte = find_pte(mm, address);
    return pte && pte_present(*pte) ? pte_page(*pte) : NULL;
}

static struct mm_struct *space_with(u32 value)
{
    struct mm_struct *mm = new_mm();
    map_anonymous(mm, ADDRESS, PAGE_SIZE);
    use_mm(mm);
    BUG_ON(put_user_u32(value, (u32 *)ADDRESS));
    return mm;
}

static void check_two_spaces(void)
{
    struct mm_struct *one = space_with(1), *two = space_with(2);
    u32 cr3_of_two = read_cr3(), in_two = *(volatile u32 *)ADDRESS;
    use_mm(one);
    u32 cr3_of_one = read_cr3(), in_one = *(volatile u32 *)ADDRESS;
    lab_check(in_one == 1 && in_two == 2 && cr3_of_one != cr3_of_two,
              "with CR3 %08x the word at %08lx is %u, with CR3 %08x it is %u", cr3_of_one, ADDRESS, in_one,
              cr3_of_two, in_two);
    const struct page *frame_of_one = page_at(one, ADDRESS), *frame_of_two = page_at(two, ADDRESS);
    lab_check(frame_of_one && frame_of_two && frame_of_one != frame_of_two,
              "the tables of the first have frame %05lx there, those of the second %05lx",
              page_to_pfn(frame_of_one), page_to_pfn(frame_of_two));

    struct lab_region switches;
    u32 nr_right = 0;
    lab_region_begin(&switches, "64 switches");
    for (u32 i = 0; i < NR_SWITCHES; i++) {
        use_mm(i % 2 ? one : two);
        nr_right += *(volatile u32 *)ADDRESS == (i % 2 ? 1 : 2);
    }
    lab_region_end(&switches);
    lab_check(nr_right == NR_SWITCHES, "%u switches, and each time the right word", NR_SWITCHES);
    if (lab_counts_cycles())
        lab_figure("a switch, and the load that then walks", switches.counts.cycles, NR_SWITCHES, "cycles");
    use_mm(NULL);
    mmput(one);
    mmput(two);
}

/* Two runs of one program have the same addresses; the scheduler switches between them. */
static void check_two_processes(void)
{
    struct task_struct *one = start_process(), *two = start_process();
    unsigned long stack_of_one = task_pt_regs(one)->sp, stack_of_two = task_pt_regs(two)->sp;
    struct page *frame_of_one = page_at(one->mm, stack_of_one),
                *frame_of_two = page_at(two->mm, stack_of_two);
    lab_check(one->mm->pgd != two->mm->pgd &&
                  task_pt_regs(one)->ip >> PAGE_SHIFT == task_pt_regs(two)->ip >> PAGE_SHIFT,
              "two processes run one program, page %05x: page directories at %08llx and %08llx",
              task_pt_regs(one)->ip >> PAGE_SHIFT, (phys_addr_t)__pa(one->mm->pgd),
              (phys_addr_t)__pa(two->mm->pgd));
    lab_check(stack_of_one == stack_of_two && frame_of_one && frame_of_two && frame_of_one != frame_of_two,
              "their stacks end at %08lx both; that is in frame %05lx and in frame %05lx", stack_of_one,
              page_to_pfn(frame_of_one), page_to_pfn(frame_of_two));
    end_process(one);
    end_process(two);
}

static void address_spaces(void)
{
    check_two_spaces();
    check_two_processes();
}
LAB("address-spaces", address_spaces);
