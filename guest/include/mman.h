/*
 * The system calls about address spaces, with Linux's numbers (i386); programs take those from here, too.
 * All return 0 or an address, or a negative error number. Addresses and lengths are what the user gave;
 * everything is checked.
 */
#pragma once

#include "types.h"

struct file;
struct mm_struct;

#define PROT_READ 0x1u
#define PROT_WRITE 0x2u
#define PROT_EXEC 0x4u

#define MAP_SHARED 0x01u
#define MAP_PRIVATE 0x02u
#define MAP_FIXED 0x10u
#define MAP_ANONYMOUS 0x20u
#define MAP_LOCKED 0x2000u
#define MAP_POPULATE 0x8000u
#define MAP_FIXED_NOREPLACE 0x100000u

#define MS_ASYNC 1u
#define MS_INVALIDATE 2u
#define MS_SYNC 4u

#define MREMAP_MAYMOVE 1u
#define MREMAP_FIXED 2u

#define MADV_NORMAL 0
#define MADV_RANDOM 1
#define MADV_SEQUENTIAL 2
#define MADV_WILLNEED 3
#define MADV_DONTNEED 4
#define MADV_PAGEOUT 21 /* reclaim it */

#define MCL_CURRENT 1u
#define MCL_FUTURE 2u

/*
 * Bytes of a file, from page pgoff of it on; or, without a file, memory of zeroes, which children may share.
 * Takes no reference over, the area has its own.
 */
long do_mmap_pgoff(struct mm_struct *mm, struct file *file, unsigned long address, unsigned long bytes,
                   u32 prot, u32 flags, unsigned long pgoff);
static inline long do_mmap(struct mm_struct *mm, unsigned long address, unsigned long bytes, u32 prot,
                           u32 flags)
{
    return do_mmap_pgoff(mm, NULL, address, bytes, prot, flags, 0);
}
/* A place for so many bytes, page-aligned, at the hint if that is free; 0: there is none. */
unsigned long get_unmapped_area(const struct mm_struct *mm, unsigned long hint, unsigned long bytes);
long do_munmap(struct mm_struct *mm, unsigned long start, unsigned long bytes);
long do_mprotect(struct mm_struct *mm, unsigned long start, unsigned long bytes, u32 prot);
long do_mremap(struct mm_struct *mm, unsigned long address, unsigned long old_bytes, unsigned long new_bytes,
               u32 flags, unsigned long new_address);
/* Writes shared pages to their files (MS_SYNC), or is content that they are dirty. flags: MS_ bits. */
long do_msync(struct mm_struct *mm, unsigned long start, unsigned long bytes, u32 flags);
/* Which pages of a range are in memory: a byte of 1 or 0 for each, in a user's buffer. */
long do_mincore(struct mm_struct *mm, unsigned long start, unsigned long bytes, unsigned char *user_vector);
long do_madvise(struct mm_struct *mm, unsigned long start, unsigned long bytes, int advice);
long do_mlock(struct mm_struct *mm, unsigned long start, unsigned long bytes);
long do_munlock(struct mm_struct *mm, unsigned long start, unsigned long bytes);
/* flags: MCL_ bits; 0: munlockall. */
long do_mlockall(struct mm_struct *mm, u32 flags);
/* New end of the heap, or the old one if that cannot be. */
unsigned long do_brk(struct mm_struct *mm, unsigned long new_brk);
