/* The address space of a process: its page directory and its virtual memory areas. */
#pragma once

#include "asm/pgtable_types.h"
#include "mm.h"

#define VM_READ 0x1u
#define VM_WRITE 0x2u
#define VM_EXEC 0x4u
#define VM_GROWSDOWN 0x100u

/* Why a page came in on demand; the exit line counts them apart. */
enum fault_kind { FAULT_TEXT, FAULT_DATA, FAULT_BSS, FAULT_HEAP, FAULT_STACK, NR_FAULT_KINDS };

/* A stretch of addresses with the same permissions and the same source of pages. */
struct vm_area_struct {
    unsigned long vm_start, vm_end; /* page-aligned; vm_end is the first address behind it */
    u32 vm_flags;
    struct vm_area_struct *vm_next; /* by address */
    struct mm_struct *vm_mm;
    /*
     * What the first vm_image_bytes of the area hold at first (the rest is zeroes); NULL: anonymous memory.
     */
    const u8 *vm_image;
    unsigned long vm_image_bytes;
    enum fault_kind fault_kind;
};

struct mm_struct {
    pgd_t *pgd;
    struct vm_area_struct *mmap; /* first area */
    unsigned long start_code, end_code;
    unsigned long start_data, end_data;
    unsigned long start_brk, brk; /* the heap */
    unsigned long start_stack;
    unsigned long stack_limit_bytes;
    unsigned long total_vm; /* pages in areas */
    unsigned long rss;      /* pages present, the shared zero page not counted */
    unsigned long hiwater_rss;
    unsigned long nr_ptes; /* page tables */
    unsigned long nr_faults[NR_FAULT_KINDS];
    unsigned long nr_zero_page_faults; /* of these, reads that got the shared zero page */
};

/* mmap.c */
void mmap_init(void);
struct mm_struct *mm_alloc(void);
/* Frees all pages, tables and areas. The mm must not be the active one. */
void mmput(struct mm_struct *mm);
/* First area that ends above address, or NULL. It need not contain address. */
struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long address);
/*
 * Adds an area; flags, image and kind are copied from like. Returns -ENOMEM, or -EINVAL if it overlaps
 * another or is no user range.
 */
int insert_vma(struct mm_struct *mm, const struct vm_area_struct *like);
/* Lets a stack area reach down to address. */
int expand_stack(struct vm_area_struct *vma, unsigned long address);
/* The brk system call: new end of the heap, or the old one if that cannot be. */
unsigned long do_brk(struct mm_struct *mm, unsigned long new_brk);

/* memory.c */
#define FAULT_FLAG_WRITE 0x1u
/* Brings in the page at address. Permissions were checked. Returns 0 or -ENOMEM. */
int handle_mm_fault(struct vm_area_struct *vma, unsigned long address, u32 flags);
void zap_page_range(struct mm_struct *mm, unsigned long start, unsigned long end);
void free_pgtables(struct mm_struct *mm);
