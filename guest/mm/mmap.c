/* Address spaces and their areas. */
#include "asm/pgtable.h"
#include "bug.h"
#include "errno.h"
#include "lookaside.h"
#include "mm_types.h"
#include "slab.h"

static struct kmem_cache *mm_cachep, *vm_area_cachep;

#define STACK_LIMIT_BYTES (8ul << 20)

void mmap_init(void)
{
    mm_cachep = KMEM_CACHE(mm_struct, SLAB_HWCACHE_ALIGN | SLAB_PANIC);
    vm_area_cachep = KMEM_CACHE(vm_area_struct, SLAB_PANIC);
}

struct mm_struct *mm_alloc(void)
{
    struct mm_struct *mm = kmem_cache_zalloc(mm_cachep, GFP_KERNEL);
    if (mm == NULL)
        return NULL;
    mm->stack_limit_bytes = STACK_LIMIT_BYTES;
    mm->pgd = pgd_alloc();
    if (mm->pgd == NULL) {
        kmem_cache_free(mm_cachep, mm);
        return NULL;
    }
    return mm;
}

void mmput(struct mm_struct *mm)
{
    for (struct vm_area_struct *vma = mm->mmap, *next; vma; vma = next) {
        next = vma->vm_next;
        zap_page_range(mm, vma->vm_start, vma->vm_end);
        kmem_cache_free(vm_area_cachep, vma);
    }
    free_pgtables(mm);
    BUG_ON(mm->rss || mm->nr_ptes);
    pgd_free(mm->pgd);
    kmem_cache_free(mm_cachep, mm);
}

struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long address)
{
    struct vm_area_struct *vma = mm->mmap;
    while (vma && vma->vm_end <= address)
        vma = vma->vm_next;
    return vma;
}

int insert_vma(struct mm_struct *mm, const struct vm_area_struct *like)
{
    if (like->vm_start >= like->vm_end || like->vm_end > TASK_SIZE)
        return -EINVAL;
    struct vm_area_struct **link = &mm->mmap;
    while (*link && (*link)->vm_end <= like->vm_start)
        link = &(*link)->vm_next;
    if (*link && (*link)->vm_start < like->vm_end)
        return -EINVAL;
    struct vm_area_struct *vma = kmem_cache_zalloc(vm_area_cachep, GFP_KERNEL);
    if (vma == NULL)
        return -ENOMEM;
    *vma = *like;
    vma->vm_mm = mm;
    vma->vm_next = *link;
    *link = vma;
    mm->total_vm += (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
    return 0;
}

int expand_stack(struct vm_area_struct *vma, unsigned long address)
{
    address &= PAGE_MASK;
    if (vma->vm_end - address > vma->vm_mm->stack_limit_bytes)
        return -ENOMEM;
    /* find_vma() returned this area because none lies between address and it. */
    vma->vm_mm->total_vm += (vma->vm_start - address) >> PAGE_SHIFT;
    vma->vm_start = address;
    return 0;
}

static void shrink_heap(struct mm_struct *mm, struct vm_area_struct *heap, unsigned long new_end)
{
    zap_page_range(mm, new_end, heap->vm_end);
    mm->total_vm -= (heap->vm_end - new_end) >> PAGE_SHIFT;
    heap->vm_end = new_end;
    if (heap->vm_start == heap->vm_end) {
        struct vm_area_struct **link = &mm->mmap;
        while (*link != heap)
            link = &(*link)->vm_next;
        *link = heap->vm_next;
        kmem_cache_free(vm_area_cachep, heap);
    }
}

unsigned long do_brk(struct mm_struct *mm, unsigned long new_brk)
{
    if (new_brk < mm->start_brk)
        return mm->brk;
    unsigned long heap_start = PAGE_ALIGN(mm->start_brk);
    unsigned long old_end = PAGE_ALIGN(mm->brk), new_end = PAGE_ALIGN(new_brk);
    struct vm_area_struct *heap = find_vma(mm, heap_start);
    if (heap && heap->vm_start != heap_start)
        heap = NULL;

    if (new_end < old_end) {
        shrink_heap(mm, heap, new_end);
    } else if (new_end > old_end) {
        /* The stack may grow down to its limit: leave it that room. */
        if (new_end > STACK_TOP - mm->stack_limit_bytes || new_end < new_brk)
            return mm->brk;
        if (heap) {
            heap->vm_end = new_end;
            mm->total_vm += (new_end - old_end) >> PAGE_SHIFT;
        } else {
            const struct vm_area_struct area = {.vm_start = heap_start,
                                                .vm_end = new_end,
                                                .vm_flags = VM_READ | VM_WRITE,
                                                .fault_kind = FAULT_HEAP};
            if (insert_vma(mm, &area))
                return mm->brk;
        }
    }
    mm->brk = new_brk;
    return new_brk;
}
