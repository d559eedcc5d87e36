/* What guest/mm asks of the virtual file system: nobody else is there, and inodes need no list. */
#include "host_fs.h"

#include <string.h>

#include "asm/uaccess.h"
#include "bug.h"
#include "err.h"
#include "mm_types.h"
#include "page_cache.h"
#include "writeback.h"

#define HOST_MOST_DIRTY 64

bool trylock_page(struct page *page)
{
    if (PageLocked(page))
        return false;
    page->flags |= PG_locked;
    return true;
}

void lock_page(struct page *page)
{
    if (!trylock_page(page))
        panic("a page is locked by its own user");
}

void unlock_page(struct page *page)
{
    page->flags &= ~PG_locked;
}

void fput(struct file *file)
{
    file->f_count--;
}

struct file *shmem_zero_file(loff_t bytes)
{
    (void)bytes;
    return ERR_PTR(-ENODEV);
}

void allow_write_access(struct file *file)
{
    file->f_inode->i_writecount++;
}

unsigned long shrink_dcache(unsigned long nr)
{
    (void)nr;
    return 0;
}

unsigned long shrink_clean_icache(unsigned long nr)
{
    (void)nr;
    return 0;
}

void mark_inode_dirty(struct inode *inode)
{
    inode->i_state |= I_DIRTY_SYNC;
}

void mark_inode_dirty_pages(struct inode *inode)
{
    inode->i_state |= I_DIRTY_PAGES;
}

void global_dirty_limits(unsigned long *background, unsigned long *dirty)
{
    *background = *dirty = HOST_MOST_DIRTY;
}

bool over_bground_thresh(void)
{
    return true;
}

void dirty_pages_written(void)
{
}

void writeback_begins(unsigned long nr_pages)
{
    (void)nr_pages;
}

void writeback_ends(unsigned long nr_written)
{
    (void)nr_written;
}

/* Writers here are stopped early, so that tests have much to write back. */
void balance_dirty_pages(struct address_space *mapping)
{
    if (mapping_has_disk(mapping) && page_cache_stat.nr_dirty > HOST_MOST_DIRTY)
        (void)filemap_write_and_wait(mapping);
}

void unmap_mapping_range(struct address_space *mapping, unsigned long first)
{
    (void)first;
    if (!list_empty(&mapping->i_mmap))
        panic("no process maps a file here");
}

void file_update_time(struct file *file)
{
    (void)file;
}

void mutex_lock(struct mutex *lock)
{
    static struct {
        char unused;
    } me;
    void *owner = &me;
    if (lock->owner)
        panic("a mutex is locked by its own user");
    lock->owner = owner;
}

void mutex_unlock(struct mutex *lock)
{
    lock->owner = NULL;
}

/* ---- Memory of users ---- */

const char *host_bad_address, *host_absent_address;
static u32 nr_disabled;

void pagefault_disable(void)
{
    nr_disabled++;
}

void pagefault_enable(void)
{
    nr_disabled--;
}

static unsigned long bytes_before(const char *limit, const char *buffer, unsigned long bytes)
{
    if (limit == NULL || buffer + bytes <= limit)
        return bytes;
    return buffer < limit ? (unsigned long)(limit - buffer) : 0;
}

/* How many of these bytes can be copied. */
static unsigned long bytes_there(const char *buffer, unsigned long bytes)
{
    bytes = bytes_before(host_bad_address, buffer, bytes);
    unsigned long there = bytes_before(host_absent_address, buffer, bytes);
    if (there == bytes || nr_disabled)
        return there;
    host_absent_address = NULL;
    return bytes;
}

unsigned long copy_from_user(void *to, const void __user *from, unsigned long bytes)
{
    unsigned long there = bytes_there(from, bytes);
    memcpy(to, from, there);
    return bytes - there;
}

unsigned long copy_to_user(void __user *to, const void *from, unsigned long bytes)
{
    unsigned long there = bytes_there(to, bytes);
    memcpy(to, from, there);
    return bytes - there;
}
