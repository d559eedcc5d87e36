/* What the files about areas share (vma.c). */
#pragma once

#include "mm_types.h"

/* Linux's default of /proc/sys/vm/max_map_count, and the gap that it keeps below stacks. */
#define MAX_MAP_COUNT 65530u
#define STACK_GUARD_GAP (256ul << PAGE_SHIFT)

struct vm_area_struct *last_vma(const struct mm_struct *mm);
/* A copy of an area, linked into the tree, with no page accounted for; NULL: no memory, or too many. */
struct vm_area_struct *new_vma(struct mm_struct *mm, const struct vm_area_struct *like);
/* So many pages more (or less) in an area. */
void account_vma(struct vm_area_struct *vma, long pages);
/* The area, which has no page in memory any more, goes. */
void remove_vma(struct vm_area_struct *vma);
/* Joins an area with its neighbours where one can stand for both. Returns the area that remains. */
struct vm_area_struct *vma_merge(struct vm_area_struct *vma);
/* Cuts an area in two at an address inside. 0 or -ENOMEM. */
int split_vma(struct vm_area_struct *vma, unsigned long address);
/* Cuts areas so that none reaches over start or end. 0 or -ENOMEM. */
int cut_out(struct mm_struct *mm, unsigned long start, unsigned long end);
/*
 * Changes the flags of all areas in [start, end), up to the first hole; -ENOMEM if there is one, or no
 * memory to cut an area; -EACCES: writes would go to a file that is open for reading only.
 */
long change_flags(struct mm_struct *mm, unsigned long start, unsigned long end, u32 cleared, u32 set);

/* The lowest address that is the area's own: below a stack, it is kept free. */
static inline unsigned long vm_start_gap(const struct vm_area_struct *vma)
{
    if (!(vma->vm_flags & VM_GROWSDOWN))
        return vma->vm_start;
    return vma->vm_start > STACK_GUARD_GAP ? vma->vm_start - STACK_GUARD_GAP : 0;
}

/* mmap.c: whether [start, start + bytes) starts at a page and lies in user space; rounds bytes up. */
bool is_user_range(unsigned long start, unsigned long *bytes);
