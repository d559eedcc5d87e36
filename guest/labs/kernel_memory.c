/* L1. What the kernel asks for, for itself, it gets at once: pages, and entries that map them. */
#include "asm/irqflags.h"
#include "asm/pgtable.h"
#include "asm/uaccess.h"
#include "lab.h"
#include "own_mm.h"
#include "slab.h"
#include "vmalloc.h"

#define ADDRESS 0x20000000ul
enum { NR_PAGES = 256, NR_PIECES = 8, PIECE_BYTES = NR_PAGES / NR_PIECES * 4096 };

/* Writes a word of each page; in the kernel's memory and, by a process's address, as a system call does. */
static void touch(char *start, u32 bytes)
{
    for (u32 offset = 0; offset < bytes; offset += PAGE_SIZE)
        *(volatile u32 *)(start + offset) = offset;
}

static void touch_user(unsigned long start)
{
    for (u32 i = 0; i < NR_PAGES; i++)
        BUG_ON(put_user_u32(i, (u32 *)(start + i * PAGE_SIZE)));
}

/* Faults in the region, which the task counts: a kernel thread has none otherwise. */
static void expect_faults(unsigned long before, unsigned long expected, const char *what)
{
    lab_check(current->min_flt - before == expected, "touching each page of %s: %lu page faults", what,
              current->min_flt - before);
}

static void check_kmalloc(void)
{
    char *pieces[NR_PIECES];
    struct lab_region region;
    unsigned long free_before = nr_free_pages(), faults = current->min_flt;
    for (u32 i = 0; i < NR_PIECES; i++)
        BUG_ON((pieces[i] = kmalloc(PIECE_BYTES, GFP_KERNEL)) == NULL);
    lab_check(free_before - nr_free_pages() >= NR_PAGES, "kmalloc of 8 x 128 KiB: %lu pages fewer are free",
              free_before - nr_free_pages());
    lab_region_begin(&region, "touching kmalloc's pages");
    for (u32 i = 0; i < NR_PIECES; i++)
        touch(pieces[i], PIECE_BYTES);
    lab_region_end(&region);
    expect_faults(faults, 0, "it");
    for (u32 i = 0; i < NR_PIECES; i++)
        kfree(pieces[i]);
}

static void check_vmalloc(void)
{
    struct lab_region region;
    unsigned long free_before = nr_free_pages(), faults = current->min_flt;
    char *area = vmalloc(NR_PAGES * PAGE_SIZE);
    BUG_ON(area == NULL);
    lab_check(free_before - nr_free_pages() >= NR_PAGES, "vmalloc of 1 MiB: %lu pages fewer are free",
              free_before - nr_free_pages());
    u32 nr_present = 0;
    for (u32 i = 0; i < NR_PAGES; i++) {
        const pte_t *pte = kernel_pte((unsigned long)area + i * PAGE_SIZE);
        nr_present += pte && pte_present(*pte);
    }
    lab_check(nr_present == NR_PAGES, "%u of its pages are mapped, before anybody has touched them",
              nr_present);
    lab_region_begin(&region, "touching vmalloc's pages");
    touch(area, NR_PAGES * PAGE_SIZE);
    lab_region_end(&region);
    expect_faults(faults, 0, "it");
    vfree(area);
}

static void check_user(void)
{
    struct lab_region first, again;
    struct mm_struct *mm = new_mm();
    use_mm(mm);
    unsigned long free_before = nr_free_pages(), faults = current->min_flt;
    map_anonymous(mm, ADDRESS, NR_PAGES * PAGE_SIZE);
    lab_check(free_before - nr_free_pages() <= 1,
              "mmap of 1 MiB for a process: %lu pages fewer are free, for what describes the area",
              free_before - nr_free_pages());
    lab_region_begin(&first, "touching the process's pages");
    touch_user(ADDRESS);
    lab_region_end(&first);
    expect_faults(faults, NR_PAGES, "it");
    lab_check(free_before - nr_free_pages() >= NR_PAGES, "now %lu pages fewer are free",
              free_before - nr_free_pages());
    lab_region_begin(&again, "touching them again");
    touch_user(ADDRESS);
    lab_region_end(&again);
    if (lab_counts_cycles())
        lab_figure("what a process pays for a page at the first touch",
                   first.counts.cycles - again.counts.cycles, NR_PAGES, "cycles");
    use_mm(NULL);
    mmput(mm);
}

static void kernel_memory(void)
{
    check_kmalloc();
    check_vmalloc();
    check_user();
}
LAB("kernel-memory", kernel_memory);
