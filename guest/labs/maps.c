/* F1. Areas in an ordered tree: what is alike and side by side is one, and /proc/PID/maps lists them. */
#include "maps.h"
#include "bug.h"
#include "lab.h"
#include "mman.h"
#include "sched.h"

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define START 0x20000000ul
#define NR_PAGES 64ul

static void show_own(struct seq_file *m)
{
    maps_show(m, current->mm);
}

static void map_pages(unsigned long first, unsigned long count, u32 prot)
{
    unsigned long address = START + (first << PAGE_SHIFT);
    BUG_ON((unsigned long)do_mmap(current->mm, address, count << PAGE_SHIFT, prot, ANON | MAP_FIXED) !=
           address);
}

static void expect_areas(u32 count, const char *what)
{
    lab_check(current->mm->map_count == count, "%s: %u area(s)", what, current->mm->map_count);
}

/* By hand, as the tree is asked for each address: the first area that ends behind it. */
static bool lookups_are_right(void)
{
    for (unsigned long page = 0; page <= NR_PAGES; page++) {
        unsigned long address = START + (page << PAGE_SHIFT);
        const struct vm_area_struct *expected = first_vma(current->mm);
        while (expected && expected->vm_end <= address)
            expected = next_vma(expected);
        if (find_vma(current->mm, address) != expected)
            return false;
    }
    return true;
}

static void check_areas(void)
{
    for (unsigned long page = 0; page < NR_PAGES; page++)
        map_pages(page, 1, PROT_READ | PROT_WRITE);
    expect_areas(1, "64 pages mapped one by one, alike and side by side");
    for (unsigned long page = 0; page < NR_PAGES; page += 2)
        do_mprotect(current->mm, START + (page << PAGE_SHIFT), PAGE_SIZE, PROT_READ);
    expect_areas(NR_PAGES, "every second one read-only");
    lab_check(lookups_are_right(), "each address leads to its area");
    do_mprotect(current->mm, START, NR_PAGES << PAGE_SHIFT, PROT_READ);
    expect_areas(1, "all of them read-only");
    do_munmap(current->mm, START + (16ul << PAGE_SHIFT), PAGE_SIZE);
    map_pages(40, 8, PROT_READ | PROT_EXEC);
    do_brk(current->mm, current->mm->start_brk + 3 * PAGE_SIZE);
    expect_areas(5, "a hole at page 16, eight pages executable, and a heap");
    lab_check(current->mm->total_vm == NR_PAGES - 1 + 3,
              "%lu pages in areas, and not one of them in memory (%lu)", current->mm->total_vm,
              current->mm->rss);
    lab_show(show_own);
}

static void maps(void)
{
    struct mm_struct *mm = mm_alloc();
    BUG_ON(mm == NULL);
    mm->start_brk = mm->brk = 0x10000000;
    current->mm = mm;
    switch_mm(mm);
    check_areas();
    current->mm = NULL;
    switch_mm(NULL);
    mmput(mm);
}
LAB("maps", maps);
