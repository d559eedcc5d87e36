/* The address space of a process: its page directory and its virtual memory areas. */
#pragma once

#include "asm/pgtable_types.h"
#include "mm.h"
#include "rbtree.h"

#define VM_READ 0x1u
#define VM_WRITE 0x2u
#define VM_EXEC 0x4u
#define VM_SHARED 0x8u    /* writes go to the file */
#define VM_MAYWRITE 0x20u /* shared: the file was opened for writing, too */
#define VM_GROWSDOWN 0x100u
#define VM_LOCKED 0x2000u     /* its pages are there at once, and stay */
#define VM_SEQ_READ 0x8000u   /* madvise(): from front to back */
#define VM_RAND_READ 0x10000u /* anywhere */
#define VM_ACCESS_FLAGS (VM_READ | VM_WRITE | VM_EXEC)

/* Why a page came in on demand; the exit line counts them apart. */
enum fault_kind { FAULT_TEXT, FAULT_DATA, FAULT_BSS, FAULT_HEAP, FAULT_MMAP, FAULT_STACK, NR_FAULT_KINDS };

/* A slot of a swap area (swapops.h); never 0: slot 0 is the area's header. */
typedef struct {
    unsigned long val;
} swp_entry_t;

struct file;
struct vm_area_struct;

/* Where the pages of an area with a file come from. */
struct vm_operations_struct {
    /*
     * The page with this number in the file, up to date, with a reference; or an error pointer. *is_major: it
     * was read from a disk.
     */
    struct page *(*fault)(struct vm_area_struct *vma, unsigned long pgoff, bool *is_major);
    /* A process is about to write to a page of the file's. 0 or an error. */
    int (*page_mkwrite)(struct vm_area_struct *vma, struct page *page);
};

/* A stretch of addresses with the same permissions and the same source of pages. */
struct vm_area_struct {
    unsigned long vm_start, vm_end; /* page-aligned; vm_end is the first address behind it */
    u32 vm_flags;
    enum fault_kind fault_kind;
    struct rb_node vm_rb; /* by address, in mm->mm_rb */
    struct mm_struct *vm_mm;
    /*
     * What vm_start's page is called, and the pages behind it by the numbers that follow. An area that moves
     * or is cut keeps the names of its pages, so that they can be found from the page (page->index).
     */
    unsigned long vm_pgoff;
    struct anon_vma *anon_vma; /* NULL: has no page of its own yet */
    struct list_head anon_vma_node;
    struct file *vm_file;                      /* whose page vm_pgoff is; NULL: anonymous memory */
    struct list_head shared;                   /* in vm_file->f_mapping->i_mmap */
    const struct vm_operations_struct *vm_ops; /* NULL: anonymous memory */
};

struct mm_struct {
    pgd_t *pgd;
    struct rb_root mm_rb;              /* the areas */
    struct vm_area_struct *mmap_cache; /* what find_vma() found last */
    u32 map_count;                     /* areas */
    u32 def_flags;                     /* VM_LOCKED for new areas, after mlockall(MCL_FUTURE) */
    u32 mm_users;                      /* tasks */
    unsigned long mmap_base;           /* new areas lie below it, the highest first */
    unsigned long start_code, end_code;
    unsigned long start_data, end_data;
    unsigned long start_brk, brk; /* the heap */
    unsigned long start_stack;
    unsigned long arg_start, arg_end, env_start, env_end; /* the strings that the program was given */
    struct file *exe_file; /* the program, which nobody may write to meanwhile */
    unsigned long stack_limit_bytes;
    unsigned long total_vm;  /* pages in areas */
    unsigned long locked_vm; /* of these, in VM_LOCKED ones */
    unsigned long rss;       /* pages present, the shared zero page not counted */
    unsigned long hiwater_rss;
    unsigned long nr_swapents; /* swap entries in page tables */
    struct list_head mmlist;   /* in swap_mms, if it has had one */
    unsigned long nr_ptes;     /* page tables */
    unsigned long nr_faults[NR_FAULT_KINDS];
    unsigned long nr_zero_page_faults; /* of these, reads that got the shared zero page */
    unsigned long nr_cow_faults;       /* writes to a page that was shared */
};

static inline unsigned long vma_pages(const struct vm_area_struct *vma)
{
    return (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
}

/* vma.c: the tree of areas. */
void vma_init(void);
/* First area that ends above address, or NULL. It need not contain address. */
struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long address);
struct vm_area_struct *first_vma(const struct mm_struct *mm);
struct vm_area_struct *next_vma(const struct vm_area_struct *vma);
struct vm_area_struct *prev_vma(const struct vm_area_struct *vma);
/*
 * Adds an area; flags, image and kind are copied from like. Returns -ENOMEM, or -EINVAL if it overlaps
 * another or is no user range. The area may become part of a neighbour that is like it.
 */
int insert_vma(struct mm_struct *mm, const struct vm_area_struct *like);

/* mmap.c */
void mmap_init(void);
/* An empty address space for one task, or NULL. */
struct mm_struct *mm_alloc(void);
/* A task less. The last one frees all pages, tables and areas: the mm must not be the active one then. */
void mmput(struct mm_struct *mm);
/* Lets a stack area reach down to address, unless it would come too close to the area below. */
int expand_stack(struct vm_area_struct *vma, unsigned long address);

/* memory.c */
#define FAULT_FLAG_WRITE 0x1u
/* What came of it: bits. */
#define VM_FAULT_OOM 0x1u
#define VM_FAULT_SIGBUS 0x2u  /* the file ends before, or cannot be read */
#define VM_FAULT_MAJOR 0x4u   /* a disk was read */
#define VM_FAULT_RETRY 0x400u /* it took so long that the areas may have changed: look again */
#define VM_FAULT_ERROR (VM_FAULT_OOM | VM_FAULT_SIGBUS)
/* Brings in the page at address. Permissions were checked. */
u32 handle_mm_fault(struct vm_area_struct *vma, unsigned long address, u32 flags);
/* Brings in every page of [start, end), as far as there are areas; writable ones as if they were written. */
int mm_populate(struct mm_struct *mm, unsigned long start, unsigned long end);

/*
 * access.c: reads bytes of one page of any address space, from swap if need be, which takes long; false: the
 * page is not there.
 */
bool read_remote_memory(struct mm_struct *mm, unsigned long address, void *buf, unsigned long bytes);
/*
 * Writes bytes, or zeroes (from NULL), to an address space that no other task uses, as its program would; a
 * stack grows. 0, -EFAULT or -ENOMEM.
 */
int write_remote_memory(struct mm_struct *mm, unsigned long address, const void *from, unsigned long bytes);

/* pagewalk.c: what is done to all pages of a range, which lies in one area but for zap_page_range(). */
void zap_page_range(struct mm_struct *mm, unsigned long start, unsigned long end);
/* Gives the pages there the area's permissions, after its flags have changed. */
void change_protection(struct vm_area_struct *vma, unsigned long start, unsigned long end);
/* Moves the pages of an area to the addresses of another one; pages keep their names. 0 or -ENOMEM. */
int move_page_tables(struct vm_area_struct *vma, unsigned long old_start, struct vm_area_struct *new_vma,
                     unsigned long new_start, unsigned long bytes);
/* Lets child share the pages of an area of the parent; writable ones become copy on write in both. */
int copy_page_range(struct vm_area_struct *child, struct vm_area_struct *parent);
void free_pgtables(struct mm_struct *mm);
/* The entry for an address, or NULL if there is no table for it; and with a table made for it. */
pte_t *find_pte(struct mm_struct *mm, unsigned long address);
pte_t *pte_alloc(struct mm_struct *mm, unsigned long address);
