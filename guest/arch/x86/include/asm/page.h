/*
 * Where things lie in the 4 GiB of linear addresses (two-level and PAE paging alike):
 *
 *   00000000 - BFFFFFFF  user: program at 08048000, heap behind it, stack down from the top
 *   C0000000 - F7FFFFFF  lowmem: physical 0 up to 896 MiB, mapped one to one
 *   F8800000 - FF7FDFFF  vmalloc area (holes before and behind it catch overruns)
 *   FF800000 - FFBFFFFF  pkmap: highmem pages that kmap() maps (PAE: half of it)
 *   FFFF0000 - FFFFEFFF  fixmap: addresses known when the kernel is compiled
 *
 * 896 MiB is what remains of the kernel's GiB when 128 MiB are kept for the areas behind it.
 */
#pragma once

#define PAGE_SHIFT 12
#define PAGE_OFFSET 0xC0000000

#ifndef __ASSEMBLER__

#include "types.h"

#define PAGE_SIZE (1ul << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define PAGE_ALIGN(x) (((x) + PAGE_SIZE - 1) & PAGE_MASK)

#define TASK_SIZE ((unsigned long)PAGE_OFFSET)
#define STACK_TOP TASK_SIZE
#define LOWMEM_BYTES (896ul << 20)
#define VMALLOC_START 0xF8800000ul
#define VMALLOC_END 0xFF7FE000ul
#define PKMAP_BASE 0xFF800000ul
#define FIXADDR_TOP 0xFFFFF000ul

#define THREAD_ORDER 1
#define THREAD_SIZE (PAGE_SIZE << THREAD_ORDER)

#define __pa(x) ((phys_addr_t)((unsigned long)(x)-PAGE_OFFSET))
#define __va(x) ((void *)((unsigned long)(x) + PAGE_OFFSET))

#define PFN_UP(x) ((unsigned long)(((x) + PAGE_SIZE - 1) >> PAGE_SHIFT))
#define PFN_DOWN(x) ((unsigned long)((x) >> PAGE_SHIFT))

static inline void clear_page(void *page)
{
    unsigned long words = PAGE_SIZE / 4;
    __asm__ volatile("rep stosl" : "+D"(page), "+c"(words) : "a"(0) : "memory");
}

#endif
