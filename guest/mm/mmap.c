/* Address spaces: making and unmaking them and their areas. */
#include "asm/pgtable.h"
#include "bug.h"
#include "err.h"
#include "fs.h"
#include "mman.h"
#include "resource.h"
#include "rmap.h"
#include "slab.h"
#include "vma.h"

/* Room for the stack above all other areas, at least. */
#define STACK_ROOM_BYTES (TASK_SIZE / 24)

static struct kmem_cache *mm_cachep;

void mmap_init(void)
{
    mm_cachep = KMEM_CACHE(mm_struct, SLAB_HWCACHE_ALIGN | SLAB_PANIC);
    vma_init();
    rmap_init();
}

struct mm_struct *mm_alloc(void)
{
    struct mm_struct *mm = kmem_cache_zalloc(mm_cachep, GFP_KERNEL);
    if (mm == NULL)
        return NULL;
    mm->mm_users = 1;
    INIT_LIST_HEAD(&mm->mmlist);
    mm->stack_limit_bytes = STACK_LIMIT_BYTES; /* until the task says otherwise */
    mm->mmap_base = STACK_TOP - STACK_ROOM_BYTES;
    mm->pgd = pgd_alloc();
    if (mm->pgd == NULL) {
        kmem_cache_free(mm_cachep, mm);
        return NULL;
    }
    return mm;
}

void mmput(struct mm_struct *mm)
{
    if (--mm->mm_users)
        return;
    struct vm_area_struct *vma;
    while ((vma = first_vma(mm)) != NULL) {
        zap_page_range(mm, vma->vm_start, vma->vm_end);
        remove_vma(vma);
    }
    if (mm->exe_file) {
        allow_write_access(mm->exe_file);
        fput(mm->exe_file);
    }
    free_pgtables(mm);
    list_del_init(&mm->mmlist);
    BUG_ON(mm->rss || mm->nr_swapents || mm->nr_ptes || mm->total_vm || mm->locked_vm || mm->map_count);
    pgd_free(mm->pgd);
    kmem_cache_free(mm_cachep, mm);
}

bool is_user_range(unsigned long start, unsigned long *bytes)
{
    unsigned long rounded = PAGE_ALIGN(*bytes);
    if ((start & ~PAGE_MASK) || rounded < *bytes || rounded > TASK_SIZE || start > TASK_SIZE - rounded)
        return false;
    *bytes = rounded;
    return true;
}

static bool is_free_range(const struct mm_struct *mm, unsigned long start, unsigned long bytes)
{
    for (const struct vm_area_struct *vma = first_vma(mm); vma; vma = next_vma(vma))
        if (vma->vm_end > start && vm_start_gap(vma) < start + bytes)
            return false;
    return true;
}

/* The hint if it is free, or else the highest hole below mmap_base: the heap has room to grow from below. */
unsigned long get_unmapped_area(const struct mm_struct *mm, unsigned long hint, unsigned long bytes)
{
    hint = PAGE_ALIGN(hint);
    if (hint && hint <= TASK_SIZE - bytes && is_free_range(mm, hint, bytes))
        return hint;
    unsigned long ceiling = mm->mmap_base;
    for (const struct vm_area_struct *vma = last_vma(mm); vma; vma = prev_vma(vma)) {
        if (ceiling >= bytes && vma->vm_end <= ceiling - bytes)
            break;
        ceiling = min(ceiling, vm_start_gap(vma));
    }
    /* Nothing is put at address 0: a NULL pointer must fault. */
    return ceiling > bytes ? ceiling - bytes : 0;
}

/* What a file must have been opened for. */
static long check_file(const struct file *file, u32 prot, bool is_shared)
{
    if (file->f_op->mmap == NULL)
        return -ENODEV;
    if (!(file->f_mode & FMODE_READ))
        return -EACCES;
    if (is_shared && (prot & PROT_WRITE) && !(file->f_mode & FMODE_WRITE))
        return -EACCES;
    return 0;
}

/* Makes room at a fixed address, or finds some. The address, or an error. */
static long place_area(struct mm_struct *mm, unsigned long address, unsigned long bytes, u32 flags)
{
    if (!(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))) {
        address = get_unmapped_area(mm, address, bytes);
        return address ? (long)address : -ENOMEM;
    }
    if (address & ~PAGE_MASK)
        return -EINVAL;
    if (address > TASK_SIZE - bytes)
        return -ENOMEM;
    if (flags & MAP_FIXED_NOREPLACE)
        return is_free_range(mm, address, bytes) ? (long)address : -EEXIST;
    return do_munmap(mm, address, bytes) ? -ENOMEM : (long)address;
}

static u32 area_flags(const struct file *file, u32 prot, u32 flags)
{
    u32 vm_flags = (prot & (PROT_READ | PROT_WRITE | PROT_EXEC)) | ((flags & MAP_LOCKED) ? VM_LOCKED : 0);
    if (file && (flags & MAP_SHARED))
        vm_flags |= VM_SHARED | ((file->f_mode & FMODE_WRITE) ? VM_MAYWRITE : 0);
    return vm_flags;
}

/* Memory without a file gets one without a name, so that all find the same pages. */
static long map_shared_memory(struct mm_struct *mm, unsigned long address, unsigned long bytes, u32 prot,
                              u32 flags)
{
    struct file *file = shmem_zero_file((loff_t)bytes);
    if (IS_ERR(file))
        return PTR_ERR(file);
    long result = do_mmap_pgoff(mm, file, address, bytes, prot, flags, 0);
    fput(file);
    return result;
}

long do_mmap_pgoff(struct mm_struct *mm, struct file *file, unsigned long address, unsigned long bytes,
                   u32 prot, u32 flags, unsigned long pgoff)
{
    bool is_private = flags & MAP_PRIVATE, is_shared = flags & MAP_SHARED;
    if (bytes == 0 || is_private == is_shared)
        return -EINVAL;
    bytes = PAGE_ALIGN(bytes);
    if (bytes == 0 || bytes > TASK_SIZE)
        return -ENOMEM;
    if (is_shared && file == NULL)
        return map_shared_memory(mm, address, bytes, prot, flags);
    if (pgoff + (bytes >> PAGE_SHIFT) < pgoff)
        return -EOVERFLOW;
    long error = file ? check_file(file, prot, is_shared) : 0;
    if (error)
        return error;
    long place = place_area(mm, address, bytes, flags);
    if (place < 0 && place >= -MAX_ERRNO)
        return place;
    address = (unsigned long)place;
    struct vm_area_struct area = {.vm_start = address,
                                  .vm_end = address + bytes,
                                  .vm_flags = area_flags(file, prot, flags),
                                  .vm_file = file,
                                  .vm_pgoff = pgoff,
                                  .fault_kind = FAULT_MMAP};
    error = file ? file->f_op->mmap(file, &area) : 0;
    error = error ? error : insert_vma(mm, &area);
    if (error)
        return error;
    /* A page that does not come now comes with a fault. */
    if ((flags & MAP_POPULATE) || ((area.vm_flags | mm->def_flags) & VM_LOCKED))
        (void)mm_populate(mm, address, address + bytes);
    return (long)address;
}

long do_munmap(struct mm_struct *mm, unsigned long start, unsigned long bytes)
{
    if (bytes == 0 || !is_user_range(start, &bytes))
        return -EINVAL;
    unsigned long end = start + bytes;
    if (cut_out(mm, start, end))
        return -ENOMEM;
    for (;;) {
        struct vm_area_struct *vma = find_vma(mm, start);
        if (vma == NULL || vma->vm_start >= end)
            return 0;
        zap_page_range(mm, vma->vm_start, vma->vm_end);
        remove_vma(vma);
    }
}

int expand_stack(struct vm_area_struct *vma, unsigned long address)
{
    address &= PAGE_MASK;
    if (vma->vm_end - address > vma->vm_mm->stack_limit_bytes)
        return -ENOMEM;
    const struct vm_area_struct *below = prev_vma(vma);
    if (below && (below->vm_flags & VM_ACCESS_FLAGS) && address < below->vm_end + STACK_GUARD_GAP)
        return -ENOMEM;
    unsigned long pages = (vma->vm_start - address) >> PAGE_SHIFT;
    /* Names count on downwards; an area as low as a name cannot be would have begun at 0. */
    vma->vm_pgoff -= pages;
    vma->vm_start = address;
    account_vma(vma, (long)pages);
    return 0;
}

static bool heap_can_grow(struct mm_struct *mm, unsigned long old_end, unsigned long new_end)
{
    if (new_end > mm->mmap_base || new_end < old_end)
        return false;
    const struct vm_area_struct *behind = find_vma(mm, old_end);
    return behind == NULL || new_end <= vm_start_gap(behind);
}

unsigned long do_brk(struct mm_struct *mm, unsigned long new_brk)
{
    if (new_brk < mm->start_brk || new_brk > TASK_SIZE)
        return mm->brk;
    unsigned long old_end = PAGE_ALIGN(mm->brk), new_end = PAGE_ALIGN(new_brk);
    if (new_end < old_end && do_munmap(mm, new_end, old_end - new_end))
        return mm->brk;
    if (new_end > old_end) {
        const struct vm_area_struct area = {
            .vm_start = old_end, .vm_end = new_end, .vm_flags = VM_READ | VM_WRITE, .fault_kind = FAULT_HEAP};
        if (!heap_can_grow(mm, old_end, new_end) || insert_vma(mm, &area))
            return mm->brk;
        if (mm->def_flags & VM_LOCKED)
            (void)mm_populate(mm, old_end, new_end);
    }
    mm->brk = new_brk;
    return new_brk;
}
