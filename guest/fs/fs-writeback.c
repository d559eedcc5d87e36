/* Files go back to the disk: which ones, and each its pages first (include/writeback.h). */
#include "bug.h"
#include "internal.h"
#include "jiffies.h"
#include "sched.h"
#include "wait.h"
#include "writeback.h"

/* Inodes that the medium does not have as they are, or whose pages it does not: the longest dirty first. */
static LIST_HEAD(dirty_inodes);

static void mark_dirty(struct inode *inode, u16 flags)
{
    if ((inode->i_state & flags) == flags || (inode->i_state & I_FREEING))
        return;
    inode->i_state |= flags;
    if (list_empty(&inode->i_dirty)) {
        inode->i_dirtied_when = jiffies;
        list_add_tail(&inode->i_dirty, &dirty_inodes);
    }
}

void mark_inode_dirty(struct inode *inode)
{
    if (inode->i_sb->s_op->write_inode)
        mark_dirty(inode, I_DIRTY_SYNC);
}

void mark_inode_dirty_pages(struct inode *inode)
{
    mark_dirty(inode, I_DIRTY_PAGES);
}

bool inode_is_dirty(const struct inode *inode)
{
    const struct address_space *mapping = inode->i_mapping;
    return (inode->i_state & (I_DIRTY_SYNC | I_SYNC)) ||
           (mapping && (mapping->nrdirty || mapping->nrwriteback));
}

/* ---- One file ---- */

/* Off the list, or at its end if it became dirty again while it was written. */
static void requeue(struct inode *inode, bool is_complete)
{
    if (inode->i_mapping == NULL || inode->i_mapping->nrdirty == 0)
        inode->i_state &= (u16)~I_DIRTY_PAGES;
    if (!(inode->i_state & I_DIRTY)) {
        list_del_init(&inode->i_dirty);
    } else if (is_complete && !(inode->i_state & I_FREEING)) {
        list_del_init(&inode->i_dirty);
        inode->i_dirtied_when = jiffies;
        list_add_tail(&inode->i_dirty, &dirty_inodes);
    }
}

void inode_wait_for_writeback(struct inode *inode)
{
    wait_event(inode_wait, !(inode->i_state & I_SYNC));
}

int writeback_single_inode(struct inode *inode, struct writeback_control *wbc)
{
    int inode_error = 0;
    inode_wait_for_writeback(inode);
    inode->i_state |= I_SYNC;
    int error = inode->i_mapping ? do_writepages(inode->i_mapping, wbc) : 0;
    /* After the pages, so that the medium never has a size that lies behind what it has of the file. */
    if (inode->i_state & I_DIRTY_SYNC) {
        inode->i_state &= (u16)~I_DIRTY_SYNC;
        inode_error = inode->i_sb->s_op->write_inode(inode);
    }
    inode->i_state &= (u16)~I_SYNC;
    requeue(inode, !wbc->has_more);
    wake_up_all(&inode_wait);
    return error ? error : inode_error;
}

int write_inode_now(struct inode *inode)
{
    struct writeback_control wbc = WRITE_ALL(WB_SYNC_ALL);
    return writeback_single_inode(inode, &wbc);
}

/* ---- All of a file system ---- */

/* The next of a super block's inodes that has something to be written, with a reference. */
static struct inode *find_unwritten(struct super_block *sb, const struct inode *after)
{
    bool is_behind = after == NULL;
    struct inode *inode;
    list_for_each_entry(inode, &sb->s_inodes, i_sb_list)
    {
        if (is_behind && !(inode->i_state & (I_NEW | I_FREEING)) && inode_is_dirty(inode))
            return igrab_unused(inode);
        is_behind |= inode == after;
    }
    return NULL;
}

int write_inodes(struct super_block *sb)
{
    int error = 0;
    struct inode *inode = find_unwritten(sb, NULL);
    while (inode) {
        int this_error = write_inode_now(inode);
        error = error ? error : this_error;
        struct inode *next = find_unwritten(sb, inode);
        iput(inode);
        inode = next;
    }
    return error;
}

/* ---- The longest dirty of all ---- */

static struct inode *find_oldest(unsigned long dirtied_before)
{
    struct inode *inode;
    list_for_each_entry(inode, &dirty_inodes, i_dirty)
    {
        if (!time_after_eq(dirtied_before, inode->i_dirtied_when))
            break;
        if (!(inode->i_state & (I_NEW | I_FREEING | I_SYNC)))
            return inode;
    }
    return NULL;
}

static u32 count_dirty_inodes(void)
{
    u32 nr = 0;
    const struct list_head *at;
    for (at = dirty_inodes.next; at != &dirty_inodes; at = at->next)
        nr++;
    return nr;
}

/*
 * Takes no reference: who wants to evict the inode waits while it is written (I_SYNC). Each inode comes up
 * once, even if others make it dirty all the time.
 */
unsigned long writeback_inodes(struct writeback_control *wbc, unsigned long dirtied_before)
{
    const unsigned long wanted = wbc->nr_to_write;
    for (u32 left = count_dirty_inodes(); left > 0 && wbc->nr_to_write > 0; left--) {
        struct inode *inode = find_oldest(dirtied_before);
        if (inode == NULL || (wbc->for_background && !over_bground_thresh()))
            break;
        (void)writeback_single_inode(inode, wbc);
    }
    return wanted - wbc->nr_to_write;
}
