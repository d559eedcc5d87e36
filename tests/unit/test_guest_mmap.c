/*
 * The guest's system calls about address spaces, against an array with an entry a page: random calls, good
 * and bad ones, must give the same results, the same permissions and the same contents.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "asm/page.h"
#include "errno.h"
#include "host_mm.h"
#include "host_pages.h"
#include "mman.h"
#include "params.h"
#include "slab.h"

#define NR_STEPS (HOST_MANY * 60)
#define STEPS_PER_CHECK 20
#define GAP_PAGES 256l
#define HEAP_START_PAGE 64l
#define STACK_LIMIT_PAGES ((8l << 20) >> PAGE_SHIFT)

/* What the model knows of a page of user space. */
struct model_page {
    bool is_mapped;
    u32 flags;
    enum fault_kind kind;
    u32 number; /* of the page there, as in host_page_at[] */
};

static struct model_page model[USER_PAGES];
static struct mm_struct *mm;
static u32 future_flags;
static long brk_bytes;

static const long nr_pages = (long)USER_PAGES;

static unsigned long at(long page)
{
    return (unsigned long)page << PAGE_SHIFT;
}

/* ---- The model ---- */

static void model_map(long first, long count, u32 flags, enum fault_kind kind)
{
    for (long i = first; i < first + count; i++)
        model[i] = (struct model_page){.is_mapped = true, .flags = flags | future_flags, .kind = kind};
}

static void model_unmap(long first, long count)
{
    memset(&model[first], 0, (size_t)count * sizeof(model[0]));
}

/* Pages that locking brings in get the numbers that the other side gave them, if there were none before. */
static void model_populate(long first, long count)
{
    for (long i = first; i < first + count; i++)
        if (model[i].is_mapped && (model[i].flags & VM_ACCESS_FLAGS) && model[i].number == 0)
            model[i].number = host_page_at[i];
}

/* Mapped, or kept free below a stack. */
static bool is_taken(long page)
{
    if (model[page].is_mapped)
        return true;
    for (long i = page + 1; i <= page + GAP_PAGES && i < nr_pages; i++)
        if (model[i].is_mapped && (model[i].flags & VM_GROWSDOWN))
            return true;
    return false;
}

static bool is_free_run(long first, long count)
{
    if (first < 0 || first + count > nr_pages)
        return false;
    for (long i = first; i < first + count; i++)
        if (is_taken(i))
            return false;
    return true;
}

static long model_hole(long hint, long count)
{
    if (hint && is_free_run(hint, count))
        return hint;
    long first = (long)(mm->mmap_base >> PAGE_SHIFT) - count;
    /* Page by page downwards; a page that is taken rules out all runs that contain it. */
    while (first >= 1) {
        long i = first + count - 1;
        while (i >= first && !is_taken(i))
            i--;
        if (i < first)
            return first;
        first = i - count;
    }
    return 0;
}

/* ---- Random calls ---- */

static long random_page(void)
{
    /* Mostly where things are. */
    return random_below(4) ? 1500 + random_below(700) : random_below((u32)nr_pages);
}

static long random_count(void)
{
    return 1 + random_below(1u << random_below(9));
}

static u32 random_prot(void)
{
    return random_below(4) ? PROT_READ | PROT_WRITE : random_below(8);
}

static void expect(long result, long expected, const char *call, long first, long count)
{
    if (result != expected)
        cr_assert_fail("%s of pages %ld + %ld: %lx instead of %lx", call, first, count, (unsigned long)result,
                       (unsigned long)expected);
}

static void try_mmap(void)
{
    long hint = random_below(2) ? random_page() : 0, count = random_count();
    u32 prot = random_prot(), flags = MAP_PRIVATE | MAP_ANONYMOUS;
    flags |= random_below(16) ? 0 : MAP_LOCKED;
    flags |= random_below(4) ? 0 : MAP_FIXED;
    long place = (flags & MAP_FIXED) ? hint : model_hole(hint, count);
    long expected = place == 0 && !(flags & MAP_FIXED) ? -ENOMEM : (long)at(place);
    if ((flags & MAP_FIXED) && place + count > nr_pages)
        expected = -ENOMEM;
    expect(do_mmap(mm, at(hint), at(count) - random_below(PAGE_SIZE), prot, flags), expected, "mmap", hint,
           count);
    if (expected < 0)
        return;
    model_map(place, count, prot | ((flags & MAP_LOCKED) ? VM_LOCKED : 0), FAULT_MMAP);
    if (model[place].flags & VM_LOCKED)
        model_populate(place, count);
}

static void try_munmap(void)
{
    long first = random_page(), count = random_count();
    bool is_good = first + count <= nr_pages;
    expect(do_munmap(mm, at(first), at(count)), is_good ? 0 : -EINVAL, "munmap", first, count);
    if (is_good)
        model_unmap(first, count);
}

/* Up to the first hole. */
static long model_change(long first, long count, u32 cleared, u32 set)
{
    if (first + count > nr_pages)
        return -ENOMEM;
    for (long i = first; i < first + count; i++) {
        if (!model[i].is_mapped)
            return -ENOMEM;
        model[i].flags = (model[i].flags & ~cleared) | set;
    }
    return 0;
}

static void try_mprotect(void)
{
    long first = random_page(), count = random_count();
    u32 prot = random_prot();
    long expected = model_change(first, count, VM_ACCESS_FLAGS, prot);
    expect(do_mprotect(mm, at(first), at(count), prot), expected, "mprotect", first, count);
}

static void try_mlock(void)
{
    long first = random_page(), count = random_count();
    bool locks = random_below(2);
    long expected = model_change(first, count, VM_LOCKED, locks ? VM_LOCKED : 0);
    unsigned long start = at(first) + 5, bytes = at(count) - 5;
    expect(locks ? do_mlock(mm, start, bytes) : do_munlock(mm, start, bytes), expected, "mlock", first,
           count);
    if (locks && expected == 0)
        model_populate(first, count);
}

static void try_mlockall(void)
{
    u32 flags = random_below(4);
    if (random_below(8))
        flags = 0;
    future_flags = (flags & MCL_FUTURE) ? VM_LOCKED : 0;
    expect(do_mlockall(mm, flags), 0, "mlockall", 0, (long)flags);
    for (long i = 0; i < nr_pages && flags != MCL_FUTURE; i++)
        if (model[i].is_mapped)
            model[i].flags = (model[i].flags & ~VM_LOCKED) | ((flags & MCL_CURRENT) ? VM_LOCKED : 0);
    if (flags & MCL_CURRENT)
        model_populate(0, nr_pages);
}

/* Up to the first page that is locked; holes do not stop it, but are told. */
static long model_dontneed(long first, long count)
{
    long result = 0;
    if (first + count > nr_pages)
        return -EINVAL;
    for (long i = first; i < first + count; i++) {
        if (!model[i].is_mapped)
            result = -ENOMEM;
        else if (model[i].flags & VM_LOCKED)
            return -EINVAL;
        else
            model[i].number = 0;
    }
    return result;
}

static void try_madvise(void)
{
    long first = random_page(), count = random_count();
    long expected = model_dontneed(first, count);
    expect(do_madvise(mm, at(first), at(count), MADV_DONTNEED), expected, "madvise", first, count);
}

static bool is_free_for_heap(long first, long count)
{
    return first + count <= (long)(mm->mmap_base >> PAGE_SHIFT) && is_free_run(first, count);
}

static void try_brk(void)
{
    long bytes = random_below(300 << PAGE_SHIFT);
    long old_end = (brk_bytes + (long)PAGE_SIZE - 1) >> PAGE_SHIFT,
         new_end = (bytes + (long)PAGE_SIZE - 1) >> PAGE_SHIFT;
    bool can = new_end <= old_end || is_free_for_heap(HEAP_START_PAGE + old_end, new_end - old_end);
    unsigned long expected = at(HEAP_START_PAGE) + (unsigned long)(can ? bytes : brk_bytes);
    expect((long)do_brk(mm, at(HEAP_START_PAGE) + (unsigned long)bytes), (long)expected, "brk", new_end,
           bytes);
    if (!can)
        return;
    if (new_end < old_end)
        model_unmap(HEAP_START_PAGE + new_end, old_end - new_end);
    else
        model_map(HEAP_START_PAGE + old_end, new_end - old_end, VM_READ | VM_WRITE, FAULT_HEAP);
    if (new_end > old_end && future_flags)
        model_populate(HEAP_START_PAGE + old_end, new_end - old_end);
    brk_bytes = bytes;
}

static void try_touch(void)
{
    long page = random_page();
    if (!model[page].is_mapped)
        return;
    host_touch(mm, at(page));
    if (model[page].number == 0)
        model[page].number = host_page_at[page];
}

/* Areas are the other side's; that they are right is checked page by page. */
static void try_stack_growth(void)
{
    long page = random_page();
    struct vm_area_struct *vma = find_vma(mm, at(page));
    if (vma == NULL || vma->vm_start <= at(page) || !(vma->vm_flags & VM_GROWSDOWN))
        return;
    long first = (long)(vma->vm_start >> PAGE_SHIFT), end = (long)(vma->vm_end >> PAGE_SHIFT);
    bool can = end - page <= STACK_LIMIT_PAGES;
    /* The next thing below must not be so close that the gap would not fit, unless nobody can touch it. */
    long below = first - 1;
    while (below >= 0 && !model[below].is_mapped)
        below--;
    if (below >= 0 && (model[below].flags & VM_ACCESS_FLAGS) && page < below + 1 + GAP_PAGES)
        can = false;
    u32 flags = vma->vm_flags;
    expect(expand_stack(vma, at(page)), can ? 0 : -ENOMEM, "stack growth", page, first - page);
    for (long i = page; can && i < first; i++)
        model[i] = (struct model_page){.is_mapped = true, .flags = flags, .kind = FAULT_STACK};
}

/* mremap() wants one area: as many pages as are alike do not suffice, so that is asked of the other side. */
static bool is_one_area(long first, long count)
{
    const struct vm_area_struct *vma = find_vma(mm, at(first));
    return vma && vma->vm_start <= at(first) && at(first + count) <= vma->vm_end;
}

static bool grows_in_place(long first, long count, long new_count)
{
    const struct vm_area_struct *vma = find_vma(mm, at(first));
    return vma->vm_end == at(first + count) && is_free_run(first + count, new_count - count);
}

static void model_move(long first, long count, long place, long new_count)
{
    static struct model_page moved[USER_PAGES];
    struct model_page like = model[first];
    like.number = 0;
    for (long i = 0; i < new_count; i++)
        moved[i] = i < count ? model[first + i] : like;
    model_unmap(first, count);
    memcpy(&model[place], moved, (size_t)new_count * sizeof(moved[0]));
    if (like.flags & VM_LOCKED)
        model_populate(place, new_count);
}

static long model_mremap(long first, long count, long new_count, bool may_move)
{
    if (first + count > nr_pages)
        return -EINVAL;
    if (new_count < count)
        model_unmap(first + new_count, count - new_count);
    if (new_count <= count)
        return (long)at(first);
    if (!is_one_area(first, count))
        return -EFAULT;
    if (grows_in_place(first, count, new_count))
        return (long)at(first);
    long place = may_move ? model_hole(0, new_count) : 0;
    return place ? (long)at(place) : -ENOMEM;
}

static void try_mremap(void)
{
    long first = random_page(), count = random_count(), new_count = random_count();
    bool may_move = random_below(4);
    long expected = model_mremap(first, count, new_count, may_move);
    expect(do_mremap(mm, at(first), at(count), at(new_count), may_move ? MREMAP_MAYMOVE : 0, 0), expected,
           "mremap", first, count);
    if (expected >= 0 && new_count > count)
        model_move(first, count, expected >> PAGE_SHIFT, new_count);
}

static void try_mremap_fixed(void)
{
    long first = random_page(), count = random_count(), place = random_page();
    long expected = (long)at(place);
    if (first + count > nr_pages || place + count > nr_pages ||
        (place < first + count && first < place + count))
        expected = -EINVAL;
    bool clears = expected >= 0;
    if (clears && !is_one_area(first, count))
        expected = -EFAULT;
    expect(do_mremap(mm, at(first), at(count), at(count), MREMAP_MAYMOVE | MREMAP_FIXED, at(place)), expected,
           "mremap to a place", first, count);
    if (clears)
        model_unmap(place, count);
    if (expected >= 0)
        model_move(first, count, place, count);
}

static void (*const tries[])(void) = {
    try_mmap,     try_mmap,    try_mmap,   try_munmap,       try_munmap,       try_mprotect, try_mprotect,
    try_mlock,    try_madvise, try_touch,  try_touch,        try_touch,        try_touch,    try_brk,
    try_mlockall, try_mremap,  try_mremap, try_mremap_fixed, try_stack_growth,
};

/* ---- What must hold after each ---- */

static bool could_be_one(const struct vm_area_struct *a, const struct vm_area_struct *b)
{
    return a->vm_end == b->vm_start && a->vm_flags == b->vm_flags && a->fault_kind == b->fault_kind &&
           a->vm_pgoff + vma_pages(a) == b->vm_pgoff &&
           (a->anon_vma == b->anon_vma || a->anon_vma == NULL || b->anon_vma == NULL);
}

static void check_page(long page, const struct vm_area_struct *vma)
{
    bool is_mapped = vma && vma->vm_start <= at(page);
    if (is_mapped != model[page].is_mapped || host_page_at[page] != model[page].number ||
        (is_mapped && (vma->vm_flags != model[page].flags || vma->fault_kind != model[page].kind)))
        cr_assert_fail("page %ld: mapped %d, flags %x, number %u instead of %d, %x, %u", page, is_mapped,
                       vma ? vma->vm_flags : 0, host_page_at[page], model[page].is_mapped, model[page].flags,
                       model[page].number);
}

static void check_areas(void)
{
    u32 count = 0;
    unsigned long pages = 0, locked = 0;
    const struct vm_area_struct *before = NULL;
    for (const struct vm_area_struct *vma = first_vma(mm); vma; before = vma, vma = next_vma(vma)) {
        if (before && (before->vm_end > vma->vm_start || could_be_one(before, vma)))
            cr_assert_fail("areas at %lx and %lx overlap or could be one", before->vm_start, vma->vm_start);
        count++;
        pages += vma_pages(vma);
        locked += (vma->vm_flags & VM_LOCKED) ? vma_pages(vma) : 0;
    }
    if (count != mm->map_count || pages != mm->total_vm || locked != mm->locked_vm)
        cr_assert_fail("%u areas, %lu pages, %lu locked: counted %u, %lu, %lu", count, pages, locked,
                       mm->map_count, mm->total_vm, mm->locked_vm);
}

static void check_all(void)
{
    for (long page = 0; page < nr_pages; page++)
        check_page(page, find_vma(mm, at(page)));
    check_areas();
    host_check_names(mm);
}

static void start(void)
{
    start_memory();
    kmem_cache_init();
    mmap_init();
    mm = mm_alloc();
    cr_assert_not_null(mm);
    mm->start_brk = mm->brk = at(HEAP_START_PAGE);
    const struct vm_area_struct stack = {.vm_start = STACK_TOP - PAGE_SIZE,
                                         .vm_end = STACK_TOP,
                                         .vm_flags = VM_READ | VM_WRITE | VM_GROWSDOWN,
                                         .fault_kind = FAULT_STACK};
    cr_assert_eq(insert_vma(mm, &stack), 0);
    model_map(nr_pages - 1, 1, stack.vm_flags, FAULT_STACK);
}

Test(guest_mmap, random_calls_agree_with_an_array_of_pages)
{
    start();
    kmem_cache_shrink_all();
    for (int step = 0; step < NR_STEPS; step++) {
        tries[random_below(ARRAY_SIZE(tries))]();
        if (step % STEPS_PER_CHECK == 0)
            check_all();
    }
    check_all();
    mmput(mm);
    for (long page = 0; page < nr_pages; page++)
        if (host_page_at[page])
            cr_assert_fail("page %ld is still there", page);
    kmem_cache_shrink_all();
    cr_assert_eq(slab_nr_errors(), 0);
}

/* The same with objects of areas watched by the slab allocator: nobody uses one that is free. */
Test(guest_mmap, areas_are_not_used_after_they_are_freed)
{
    boot_params.slub_debug = "";
    start();
    for (int step = 0; step < HOST_MANY * 5; step++)
        tries[random_below(ARRAY_SIZE(tries))]();
    mmput(mm);
    cr_assert_eq(slab_nr_errors(), 0);
}

Test(guest_mmap, nonsense_is_refused_as_linux_refuses_it)
{
    const u32 anon = MAP_PRIVATE | MAP_ANONYMOUS;
    start();
    cr_assert_eq(do_mmap(mm, 0, 0, PROT_READ, anon), -EINVAL);
    cr_assert_eq(do_mmap(mm, 0, PAGE_SIZE, PROT_READ, MAP_ANONYMOUS), -EINVAL);
    cr_assert_eq(do_mmap(mm, 0, PAGE_SIZE, PROT_READ, anon | MAP_SHARED), -EINVAL);
    cr_assert_eq(do_mmap(mm, 0, PAGE_SIZE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS), -ENODEV);
    cr_assert_eq(do_mmap(mm, 0, TASK_SIZE + 1, PROT_READ, anon), -ENOMEM);
    cr_assert_eq(do_mmap(mm, 0, ~0ul, PROT_READ, anon), -ENOMEM);
    cr_assert_eq(do_mmap(mm, 0x10001, PAGE_SIZE, PROT_READ, anon | MAP_FIXED), -EINVAL);
    cr_assert_eq(do_mmap(mm, TASK_SIZE, PAGE_SIZE, PROT_READ, anon | MAP_FIXED), -ENOMEM);
    cr_assert_eq(do_munmap(mm, 1, PAGE_SIZE), -EINVAL);
    cr_assert_eq(do_munmap(mm, 0, 0), -EINVAL);
    cr_assert_eq(do_munmap(mm, 0, TASK_SIZE + 1), -EINVAL);
    cr_assert_eq(do_mprotect(mm, 1, PAGE_SIZE, PROT_READ), -EINVAL);
    cr_assert_eq(do_mprotect(mm, 0, PAGE_SIZE, 0x100), -EINVAL);
    cr_assert_eq(do_mprotect(mm, 0, PAGE_SIZE, PROT_READ), -ENOMEM);
    cr_assert_eq(do_madvise(mm, 0, PAGE_SIZE, 77), -EINVAL);
    cr_assert_eq(do_mremap(mm, 0, PAGE_SIZE, 0, 0, 0), -EINVAL);
    cr_assert_eq(do_mremap(mm, 0, PAGE_SIZE, PAGE_SIZE, MREMAP_FIXED, 0), -EINVAL);
    cr_assert_eq(do_mremap(mm, 0x10000, PAGE_SIZE, 2 * PAGE_SIZE, 0, 0), -EFAULT);
    cr_assert_eq(do_mlockall(mm, 8), -EINVAL);
    cr_assert_eq(do_brk(mm, 0), at(HEAP_START_PAGE));
    cr_assert_eq(do_brk(mm, ~0ul), at(HEAP_START_PAGE));
}
