/* R3. Which pages go when there is no room: those that were not used for long, and not the working set. */
#include "lab.h"
#include "number_file.h"
#include "sched.h"

/* ---- Four frames ---- */

/* A use of a page with room for four. The page that had to go; 0: none. */
static u32 use_with_four_frames(const struct inode *inode, u32 number)
{
    bool was_there[8];
    u32 victim = 0;
    for (u32 i = 0; i < ARRAY_SIZE(was_there); i++)
        was_there[i] = number_file_has(inode, i);
    if (!was_there[number] && inode->i_mapping->nrpages == 4)
        shrink_page_cache(1);
    for (u32 i = 0; i < ARRAY_SIZE(was_there); i++)
        if (was_there[i] && !number_file_has(inode, i))
            victim = i;
    number_file_read(inode, number, NULL);
    return victim;
}

static void check_four_frames(void)
{
    static const u32 uses[] = {1, 2, 3, 4, 1, 2, 5};
    struct inode inode;
    u32 victim = 0;
    number_file_open(&inode);
    for (u32 i = 0; i < ARRAY_SIZE(uses); i++) {
        victim = use_with_four_frames(&inode, uses[i]);
        lab_say("page %u is used: %s%lu pages are in memory", uses[i], victim ? "one has to go, " : "",
                inode.i_mapping->nrpages);
        if (i + 1 < ARRAY_SIZE(uses))
            lab_check(victim == 0, "there is room for it, or it is there");
    }
    lab_check(victim == 3, "four frames, pages 1 2 3 4 1 2 5: page %u goes, 3 was not used for longest",
              victim);
    inode_free_mapping(&inode);
}

/* ---- The working set ---- */

#define NR_WORKING 200u

static u32 count_present(const struct inode *inode, u32 first, u32 nr)
{
    u32 nr_present = 0;
    for (u32 i = first; i < first + nr; i++)
        nr_present += number_file_has(inode, i);
    return nr_present;
}

/* A file that is larger than memory, once from its beginning to its end; others have their turn meanwhile. */
static u32 read_large_file(const struct inode *inode, u32 nr)
{
    u32 nr_right = 0;
    for (u32 i = 0; i < nr; i++) {
        nr_right += number_file_read(inode, i, NULL);
        if (i % 16 == 0)
            schedule();
    }
    return nr_right;
}

/*
 * Pages that were read as often as times says, and then a pass over the large file. How many still are there.
 */
static u32 survivors(u32 times, u32 nr_large)
{
    struct inode working, large;
    number_file_open(&working);
    number_file_open(&large);
    for (u32 i = 0; i < times * NR_WORKING; i++)
        number_file_read(&working, i % NR_WORKING, NULL);
    u32 nr_right = read_large_file(&large, nr_large), nr_present = count_present(&working, 0, NR_WORKING);
    lab_check(nr_right == nr_large, "a file of %u pages, more than there is memory for, is read", nr_large);
    lab_check(large.i_mapping->nrpages < nr_large, "%lu of its pages are in memory now",
              large.i_mapping->nrpages);
    inode_free_mapping(&large);
    inode_free_mapping(&working);
    return nr_present;
}

static void lru(void)
{
    check_four_frames();
    u32 nr_large = (u32)nr_free_pages() * 5 / 4;
    u32 once = survivors(1, nr_large), twice = survivors(2, nr_large);
    lab_figure("pages left of those read once", once, 1, "pages");
    lab_figure("pages left of those read twice", twice, 1, "pages");
    lab_check(once == 0, "%u pages that were read once before: the pass has pushed them out", NR_WORKING);
    lab_check(twice == NR_WORKING, "%u pages that were read twice are active: all of them are still there",
              NR_WORKING);
}
LAB("lru", lru);
