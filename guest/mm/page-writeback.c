/* Pages go back to the disk, many with one command (include/writeback.h). */
#include "bug.h"
#include "page_cache.h"
#include "writeback.h"

#define BATCH 16

/* Pages that are locked, clean from now on, and about to be written. */
struct write_batch {
    struct address_space *mapping;
    u32 nr;
    struct page *pages[MAX_PAGES_AT_ONCE];
};

/* From here on, what is written to the page makes it dirty again. */
static void clear_page_dirty_for_io(struct page *page)
{
    clear_page_dirty(page);
    write_protect_page(page);
    page->mapping->nrwriteback++;
    page_cache_stat.nr_writeback++;
}

static void end_page_writeback(struct page *page, int error)
{
    struct address_space *mapping = page->mapping;
    mapping->nrwriteback--;
    page_cache_stat.nr_writeback--;
    if (error)
        mapping->wb_err = error;
    else
        page_cache_stat.nr_written++;
}

int write_one_page(struct page *page)
{
    struct address_space *mapping = page->mapping;
    BUG_ON(!PageLocked(page));
    if (!PageDirty(page) || !mapping_has_disk(mapping))
        return 0;
    clear_page_dirty_for_io(page);
    writeback_begins(1);
    int error = mapping->a_ops->writepage(page);
    writeback_ends(!error);
    end_page_writeback(page, error);
    dirty_pages_written();
    return error;
}

/* Who cannot write many pages at a time writes each alone. */
static int write_pages(struct page **pages, u32 nr)
{
    const struct address_space_operations *a_ops = pages[0]->mapping->a_ops;
    int first_error = 0;
    if (a_ops->writepages)
        return a_ops->writepages(pages, nr);
    for (u32 i = 0; i < nr; i++) {
        int error = a_ops->writepage(pages[i]);
        if (error)
            pages[i]->flags |= PG_error;
        first_error = first_error ? first_error : error;
    }
    return first_error;
}

static int submit_batch(struct write_batch *batch)
{
    if (batch->nr == 0)
        return 0;
    writeback_begins(batch->nr);
    int error = write_pages(batch->pages, batch->nr);
    writeback_ends(error ? 0 : batch->nr);
    for (u32 i = 0; i < batch->nr; i++) {
        struct page *page = batch->pages[i];
        end_page_writeback(page, (page->flags & PG_error) ? error : 0);
        page->flags &= ~PG_error;
        unlock_page(page);
        put_page(page);
    }
    batch->nr = 0;
    dirty_pages_written();
    return error;
}

/*
 * Locks a page for the batch. Nobody is waited for while the batch has locks, so that it is no matter in
 * which order others lock pages. *error is of a batch that had to be written first.
 */
static bool lock_for_batch(struct write_batch *batch, struct page *page, enum writeback_sync_modes mode,
                           int *error)
{
    if (!PageDirty(page) && !(mode == WB_SYNC_ALL && PageLocked(page)))
        return false;
    if (!trylock_page(page)) {
        if (mode == WB_SYNC_NONE)
            return false;
        *error = submit_batch(batch);
        lock_page(page);
    }
    /* It may have left the file, or somebody else has written it. */
    if (page->mapping == batch->mapping && PageDirty(page))
        return true;
    unlock_page(page);
    return false;
}

static bool is_enough(const struct writeback_control *wbc)
{
    return wbc->nr_to_write == 0 || (wbc->for_background && !over_bground_thresh());
}

/* Whether somebody else is writing pages of the file, and the caller wants to know them written. */
static bool must_wait(const struct write_batch *batch, const struct writeback_control *wbc)
{
    return wbc->sync_mode == WB_SYNC_ALL && batch->mapping->nrwriteback > batch->nr;
}

/* Those of some pages that are dirty. The references are given up. */
static int write_found(struct write_batch *batch, void **found, u32 nr, struct writeback_control *wbc)
{
    int first_error = 0;
    for (u32 i = 0; i < nr; i++) {
        struct page *page = found[i];
        int error = 0;
        if (wbc->nr_to_write == 0 || !lock_for_batch(batch, page, wbc->sync_mode, &error)) {
            put_page(page);
        } else {
            clear_page_dirty_for_io(page);
            batch->pages[batch->nr++] = page;
            wbc->nr_to_write--;
        }
        if (batch->nr == MAX_PAGES_AT_ONCE)
            error = submit_batch(batch);
        first_error = first_error ? first_error : error;
    }
    return first_error;
}

/* One pass in the order of the pages: what becomes dirty behind its back is the next one's. */
int do_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
    struct write_batch batch = {.mapping = mapping};
    unsigned long next = wbc->range_start;
    int first_error = 0;
    wbc->has_more = false;
    if (!mapping_has_disk(mapping))
        return 0;
    while (!is_enough(wbc) && (mapping->nrdirty || must_wait(&batch, wbc))) {
        void *found[BATCH];
        u32 nr = radix_tree_gang_lookup(&mapping->page_tree, found, next, BATCH);
        while (nr && ((struct page *)found[nr - 1])->index > wbc->range_end)
            nr--;
        if (nr == 0)
            break;
        for (u32 i = 0; i < nr; i++)
            get_page(found[i]);
        next = ((struct page *)found[nr - 1])->index + 1;
        int error = write_found(&batch, found, nr, wbc);
        first_error = first_error ? first_error : error;
        if (next == 0)
            break;
    }
    wbc->has_more = mapping->nrdirty && is_enough(wbc);
    int last_error = submit_batch(&batch);
    return first_error ? first_error : last_error;
}

void filemap_fdatawait_range(struct address_space *mapping, unsigned long range_start,
                             unsigned long range_end)
{
    void *found;
    while (mapping->nrwriteback && radix_tree_gang_lookup(&mapping->page_tree, &found, range_start, 1) == 1) {
        struct page *page = found;
        if (page->index > range_end)
            break;
        range_start = page->index + 1;
        if (PageLocked(page)) {
            get_page(page);
            lock_page(page);
            unlock_page(page);
            put_page(page);
        }
        if (range_start == 0)
            break;
    }
}

int filemap_write_and_wait(struct address_space *mapping)
{
    struct writeback_control wbc = WRITE_ALL(WB_SYNC_ALL);
    return do_writepages(mapping, &wbc);
}

int filemap_check_errors(struct address_space *mapping)
{
    int error = mapping->wb_err;
    mapping->wb_err = 0;
    return error;
}
