/* The page cache: which pages there are, and who works with one (include/pagemap.h). */
#include "bug.h"
#include "err.h"
#include "fs.h"
#include "highmem.h"
#include "memcontrol.h"
#include "page_cache.h"
#include "slab.h"
#include "swap.h"
#include "writeback.h"

struct page_cache_stat page_cache_stat;
static struct kmem_cache *address_space_cachep;

void page_cache_init(void)
{
    radix_tree_init();
    address_space_cachep = KMEM_CACHE(address_space, SLAB_PANIC);
}

int inode_init_mapping(struct inode *inode, const struct address_space_operations *a_ops, gfp_t gfp_mask)
{
    struct address_space *mapping = kmem_cache_zalloc(address_space_cachep, GFP_KERNEL);
    if (mapping == NULL)
        return -ENOMEM;
    mapping->host = inode;
    mapping->a_ops = a_ops;
    mapping->gfp_mask = gfp_mask;
    INIT_LIST_HEAD(&mapping->i_mmap);
    inode->i_mapping = mapping;
    return 0;
}

void inode_free_mapping(struct inode *inode)
{
    struct address_space *mapping = inode->i_mapping;
    inode->i_mapping = NULL;
    if (mapping == NULL || mapping->host != inode)
        return;
    truncate_inode_pages(mapping);
    BUG_ON(!list_empty(&mapping->i_mmap));
    kmem_cache_free(address_space_cachep, mapping);
}

/* ---- Which pages there are ---- */

int add_to_page_cache(struct page *page, struct address_space *mapping, unsigned long index)
{
    int error = radix_tree_insert(&mapping->page_tree, index, page);
    if (error)
        return error;
    get_page(page);
    page->mapping = mapping;
    page->index = index;
    set_page_owner(page, 0, PAGE_OWNER_PAGE_CACHE);
    lru_cache_add(page);
    mapping->nrpages++;
    page_cache_stat.nr_pages++;
    return 0;
}

void remove_from_page_cache(struct page *page)
{
    struct address_space *mapping = page->mapping;
    BUG_ON(!PageLocked(page) || page->_mapcount);
    clear_page_dirty(page);
    radix_tree_delete(&mapping->page_tree, page->index);
    lru_cache_del(page);
    page->mapping = NULL;
    page->flags &= ~(PG_uptodate | PG_referenced);
    page->nr_objs = 0;
    mapping->nrpages--;
    page_cache_stat.nr_pages--;
    /* Others may still read it; it is nobody's content any more. */
    set_page_owner(page, 0, PAGE_OWNER_KERNEL);
    put_page(page);
}

struct page *find_get_page(struct address_space *mapping, unsigned long index)
{
    struct page *page = radix_tree_lookup(&mapping->page_tree, index);
    if (page)
        get_page(page);
    return page;
}

struct page *find_lock_page(struct address_space *mapping, unsigned long index)
{
    for (;;) {
        struct page *page = find_get_page(mapping, index);
        if (page == NULL)
            return NULL;
        lock_page(page);
        if (page->mapping == mapping)
            return page;
        unlock_page(page);
        put_page(page);
    }
}

/*
 * A fresh page, locked and in the cache, with a reference of the caller's. -ENOMEM, or -EEXIST: while this
 * one waited for memory, somebody else has put a page there.
 */
static struct page *create_page(struct address_space *mapping, unsigned long index)
{
    struct page *page = alloc_page(mapping->gfp_mask);
    if (page == NULL)
        return ERR_PTR(-ENOMEM);
    if (mem_cgroup_charge(page, mapping->gfp_mask)) {
        put_page(page);
        return ERR_PTR(-ENOMEM);
    }
    page->flags |= PG_locked;
    /* Tables come from the reserves and free no page themselves: one of this tree would be in the way. */
    int error = add_to_page_cache(page, mapping, index);
    if (error == -ENOMEM && try_to_free_pages(GFP_KERNEL, 0))
        error = add_to_page_cache(page, mapping, index);
    if (error == 0)
        return page;
    page->flags &= ~PG_locked;
    put_page(page);
    return ERR_PTR(error);
}

struct page *find_or_create_page(struct address_space *mapping, unsigned long index)
{
    for (;;) {
        struct page *page = find_lock_page(mapping, index);
        if (page == NULL)
            page = create_page(mapping, index);
        if (!IS_ERR(page))
            return page;
        if (PTR_ERR(page) != -EEXIST)
            return NULL;
    }
}

/* Fills a locked page that is not up to date. */
static int fill_page(struct page *page)
{
    int error = page->mapping->a_ops->readpage(page);
    if (error)
        return error;
    page->flags |= PG_uptodate;
    page_cache_stat.nr_read += mapping_has_disk(page->mapping);
    return 0;
}

struct page *read_mapping_page(struct address_space *mapping, unsigned long index, bool *is_major)
{
    struct page *page = find_get_page(mapping, index);
    if (page && PageUptodate(page))
        return page;
    if (page)
        put_page(page);
    page = find_or_create_page(mapping, index);
    if (page == NULL)
        return ERR_PTR(-ENOMEM);
    int error = 0;
    if (!PageUptodate(page)) {
        error = fill_page(page);
        if (is_major && mapping_has_disk(mapping))
            *is_major = true;
    }
    /* What could not be read is tried again by the next who wants it. */
    if (error && page->_refcount == 2)
        remove_from_page_cache(page);
    unlock_page(page);
    if (error == 0)
        return page;
    put_page(page);
    return ERR_PTR(error);
}

int simple_readpage(struct page *page)
{
    clear_highpage(page);
    return 0;
}

/* ---- Which of them must be written ---- */

void set_page_dirty(struct page *page)
{
    struct address_space *mapping = page->mapping;
    if (PageAnon(page)) { /* its slot of swap does not have it; without a slot, there is nothing to differ */
        page->flags |= (page->flags & PG_swapcache) ? PG_dirty : 0;
        return;
    }
    if (PageDirty(page) || mapping == NULL)
        return;
    page->flags |= PG_dirty;
    mapping->nrdirty++;
    if (!mapping_has_disk(mapping))
        return;
    page_cache_stat.nr_dirty++;
    page_cache_stat.nr_dirtied++;
    mark_inode_dirty_pages(mapping->host);
}

void clear_page_dirty(struct page *page)
{
    if (!PageDirty(page))
        return;
    page->flags &= ~PG_dirty;
    page->mapping->nrdirty--;
    page_cache_stat.nr_dirty -= mapping_has_disk(page->mapping);
}
