/*
 * Kernel memory that is contiguous by its virtual addresses only, and the areas in which such mappings lie
 * (VMALLOC_START to VMALLOC_END): vmalloc(), vmap() and ioremap().
 */
#pragma once

#include "asm/pgtable_types.h"
#include "rbtree.h"
#include "types.h"

#define VM_IOREMAP 0x1u /* device memory, which has no struct page */
#define VM_ALLOC 0x2u   /* pages that vmalloc() took */
#define VM_MAP 0x4u     /* pages of somebody else's */

/* An area: a stretch of addresses in use. The page behind it is never mapped, and catches overruns. */
struct vm_struct {
    struct rb_node rb_node; /* by addr */
    unsigned long addr;
    unsigned long size; /* bytes, the guard page among them */
    u32 flags;
    struct page **pages;
    u32 nr_pages;
    phys_addr_t phys_addr; /* VM_IOREMAP */
    unsigned long caller;
};

/* Before the first area. */
void vmalloc_init(void);

/* vmap_area.c: the areas alone. vmalloc_init() calls the first. */
void vm_area_init(void);
/* size without the guard page; align: a power of two. NULL: no room. */
struct vm_struct *get_vm_area(unsigned long size, unsigned long align, u32 flags, unsigned long caller);
/* The area that contains address, or NULL. */
struct vm_struct *find_vm_area(unsigned long address);
void free_vm_area(struct vm_struct *area);
struct vm_struct *first_vm_area(void);
struct vm_struct *next_vm_area(const struct vm_struct *area);

/* Memory for the kernel's own use, from highmem if there is any; whole pages. NULL: no room or no memory. */
void *vmalloc(unsigned long bytes);
void *vzalloc(unsigned long bytes);
/* NULL is nothing. */
void vfree(const void *address);
/* Maps pages side by side. They stay the caller's, who must keep pages[] until vunmap(). NULL: no room. */
void *vmap(struct page **pages, u32 count, pgprot_t prot);
void vunmap(const void *address);
struct page *vmalloc_to_page(const void *address);

/* /proc/vmallocinfo. */
struct seq_file;
void vmallocinfo_show(struct seq_file *m);
