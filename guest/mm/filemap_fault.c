/* Files in the memory of processes: what a fault finds there (include/pagemap.h). */
#include "err.h"
#include "fs.h"
#include "mm_types.h"
#include "page_cache.h"

static bool is_in_file(const struct address_space *mapping, unsigned long index)
{
    return ((loff_t)index << PAGE_SHIFT) < i_size_read(mapping->host);
}

/* A page that is not there comes with others, as far as the area's advice goes. True: a disk was read. */
static bool read_around(const struct vm_area_struct *vma, unsigned long pgoff)
{
    struct file *file = vma->vm_file;
    const unsigned long before = page_cache_stat.nr_read;
    if (radix_tree_lookup(&file->f_mapping->page_tree, pgoff)) {
        file->f_ra.mmap_miss -= file->f_ra.mmap_miss > 0;
        return false;
    }
    if (vma->vm_flags & VM_SEQ_READ)
        page_cache_sync_readahead(file, pgoff, 1);
    else if (!(vma->vm_flags & VM_RAND_READ))
        filemap_readaround(file, pgoff);
    file->f_ra.prev_index = pgoff;
    return page_cache_stat.nr_read != before;
}

static struct page *filemap_fault(struct vm_area_struct *vma, unsigned long pgoff, bool *is_major)
{
    struct address_space *mapping = vma->vm_file->f_mapping;
    while (is_in_file(mapping, pgoff)) {
        *is_major |= read_around(vma, pgoff);
        struct page *page = read_mapping_page(mapping, pgoff, is_major);
        /* The file may have become shorter while this waited. */
        if (IS_ERR(page) || (page->mapping == mapping && is_in_file(mapping, pgoff)))
            return page;
        put_page(page);
    }
    return ERR_PTR(-EFAULT);
}

/* From here on the page counts as written, and has its place on disk. */
static int filemap_page_mkwrite(struct vm_area_struct *vma, struct page *page)
{
    struct address_space *mapping = vma->vm_file->f_mapping;
    int error = 0;
    lock_page(page);
    if (page->mapping != mapping || !is_in_file(mapping, page->index)) {
        error = -EAGAIN;
    } else if (mapping->a_ops->prepare_write) {
        loff_t left = i_size_read(mapping->host) - ((loff_t)page->index << PAGE_SHIFT);
        error = mapping->a_ops->prepare_write(page, 0, (u32)min(left, (loff_t)PAGE_SIZE));
    }
    if (error == 0)
        set_page_dirty(page);
    unlock_page(page);
    return error;
}

static const struct vm_operations_struct generic_file_vm_ops = {
    .fault = filemap_fault,
    .page_mkwrite = filemap_page_mkwrite,
};

int generic_file_mmap(struct file *file, struct vm_area_struct *vma)
{
    (void)file;
    vma->vm_ops = &generic_file_vm_ops;
    return 0;
}
