/* Areas in a tree by address: finding, adding, cutting and joining them. */
#include "vma.h"
#include "asm/page.h"
#include "bug.h"
#include "errno.h"
#include "fs.h"
#include "pagemap.h"
#include "rmap.h"
#include "slab.h"

static struct kmem_cache *vm_area_cachep;

void vma_init(void)
{
    vm_area_cachep = KMEM_CACHE(vm_area_struct, SLAB_PANIC);
}

static struct vm_area_struct *vma_of(struct rb_node *node)
{
    return node ? rb_entry(node, struct vm_area_struct, vm_rb) : NULL;
}

struct vm_area_struct *first_vma(const struct mm_struct *mm)
{
    return vma_of(rb_first(&mm->mm_rb));
}

struct vm_area_struct *last_vma(const struct mm_struct *mm)
{
    return vma_of(rb_last(&mm->mm_rb));
}

struct vm_area_struct *next_vma(const struct vm_area_struct *vma)
{
    return vma_of(rb_next(&vma->vm_rb));
}

struct vm_area_struct *prev_vma(const struct vm_area_struct *vma)
{
    return vma_of(rb_prev(&vma->vm_rb));
}

struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long address)
{
    struct vm_area_struct *found = mm->mmap_cache;
    /* Faults come in crowds: the last answer often is the next one. */
    if (found && found->vm_start <= address && address < found->vm_end)
        return found;
    found = NULL;
    struct rb_node *node = mm->mm_rb.rb_node;
    while (node) {
        struct vm_area_struct *vma = vma_of(node);
        if (address < vma->vm_end) {
            found = vma;
            node = node->child[RB_LEFT];
        } else {
            node = node->child[RB_RIGHT];
        }
    }
    if (found)
        mm->mmap_cache = found;
    return found;
}

static void link_vma(struct mm_struct *mm, struct vm_area_struct *vma)
{
    struct rb_node **link = &mm->mm_rb.rb_node, *parent = NULL;
    while (*link) {
        parent = *link;
        link = &parent->child[vma->vm_start < vma_of(parent)->vm_start ? RB_LEFT : RB_RIGHT];
    }
    rb_link_node(&vma->vm_rb, parent, link);
    rb_insert_color(&vma->vm_rb, &mm->mm_rb);
    mm->map_count++;
}

void account_vma(struct vm_area_struct *vma, long pages)
{
    vma->vm_mm->total_vm += (unsigned long)pages;
    if (vma->vm_flags & VM_LOCKED)
        vma->vm_mm->locked_vm += (unsigned long)pages;
}

/* Takes the area out of the tree and frees it; its pages count on, wherever they belong now. */
static void free_vma(struct vm_area_struct *vma)
{
    struct mm_struct *mm = vma->vm_mm;
    if (mm->mmap_cache == vma)
        mm->mmap_cache = NULL;
    rb_erase(&vma->vm_rb, &mm->mm_rb);
    mm->map_count--;
    anon_vma_unlink(vma);
    struct file *file = vma->vm_file;
    if (file)
        list_del_init(&vma->shared);
    kmem_cache_free(vm_area_cachep, vma);
    /* Last, because it may sleep. */
    if (file)
        fput(file);
}

void remove_vma(struct vm_area_struct *vma)
{
    account_vma(vma, -(long)vma_pages(vma));
    free_vma(vma);
}

/* Whether one area could stand for both, of which the second begins where the first ends. */
static bool can_merge(const struct vm_area_struct *first, const struct vm_area_struct *second)
{
    return first->vm_end == second->vm_start && first->vm_flags == second->vm_flags &&
           first->fault_kind == second->fault_kind && first->vm_file == second->vm_file &&
           first->vm_pgoff + vma_pages(first) == second->vm_pgoff &&
           (first->anon_vma == second->anon_vma || first->anon_vma == NULL || second->anon_vma == NULL);
}

static struct vm_area_struct *merge_pair(struct vm_area_struct *first, struct vm_area_struct *second)
{
    if (first == NULL || second == NULL || !can_merge(first, second))
        return NULL;
    if (first->anon_vma == NULL && second->anon_vma)
        anon_vma_link(first, second->anon_vma);
    first->vm_end = second->vm_end;
    free_vma(second);
    return first;
}

struct vm_area_struct *vma_merge(struct vm_area_struct *vma)
{
    struct vm_area_struct *merged = merge_pair(prev_vma(vma), vma);
    if (merged)
        vma = merged;
    merge_pair(vma, next_vma(vma));
    return vma;
}

struct vm_area_struct *new_vma(struct mm_struct *mm, const struct vm_area_struct *like)
{
    if (mm->map_count >= MAX_MAP_COUNT)
        return NULL;
    struct vm_area_struct *vma = kmem_cache_alloc(vm_area_cachep, GFP_KERNEL);
    if (vma == NULL)
        return NULL;
    *vma = *like;
    vma->vm_mm = mm;
    vma->anon_vma = NULL;
    INIT_LIST_HEAD(&vma->anon_vma_node);
    link_vma(mm, vma);
    if (like->anon_vma)
        anon_vma_link(vma, like->anon_vma);
    INIT_LIST_HEAD(&vma->shared);
    if (vma->vm_file) {
        get_file(vma->vm_file);
        list_add_tail(&vma->shared, &vma->vm_file->f_mapping->i_mmap);
    }
    return vma;
}

int insert_vma(struct mm_struct *mm, const struct vm_area_struct *like)
{
    if (like->vm_start >= like->vm_end || like->vm_end > TASK_SIZE)
        return -EINVAL;
    const struct vm_area_struct *behind = find_vma(mm, like->vm_start);
    if (behind && behind->vm_start < like->vm_end)
        return -EINVAL;
    struct vm_area_struct *vma = new_vma(mm, like);
    if (vma == NULL)
        return -ENOMEM;
    if (vma->vm_file == NULL)
        vma->vm_pgoff = vma->vm_start >> PAGE_SHIFT;
    vma->vm_flags |= mm->def_flags;
    account_vma(vma, (long)vma_pages(vma));
    vma_merge(vma);
    return 0;
}

/* What an area has at its start moves up by some bytes, as its start does. */
static void move_start(struct vm_area_struct *vma, unsigned long bytes)
{
    vma->vm_start += bytes;
    vma->vm_pgoff += bytes >> PAGE_SHIFT;
}

int split_vma(struct vm_area_struct *vma, unsigned long address)
{
    struct vm_area_struct upper = *vma;
    move_start(&upper, address - vma->vm_start);
    /* Before the new one is linked in, which has no place beside an area that covers it. */
    unsigned long end = vma->vm_end;
    vma->vm_end = address;
    if (new_vma(vma->vm_mm, &upper))
        return 0;
    vma->vm_end = end;
    return -ENOMEM;
}

int cut_out(struct mm_struct *mm, unsigned long start, unsigned long end)
{
    struct vm_area_struct *vma = find_vma(mm, start);
    if (vma && vma->vm_start < start && split_vma(vma, start))
        return -ENOMEM;
    vma = find_vma(mm, end);
    if (vma && vma->vm_start < end && split_vma(vma, end))
        return -ENOMEM;
    return 0;
}
