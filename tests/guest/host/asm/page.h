/*
 * The guest's asm/page.h for a host build of guest/mm: "physical memory" is a block of the host's, and the
 * zones are small enough to be checked frame by frame.
 */
#pragma once

#include "types.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE (1ul << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define PAGE_ALIGN(x) (((x) + PAGE_SIZE - 1) & PAGE_MASK)

/* 24 MiB of user space, so that a test can look at all of its pages. */
#define TASK_SIZE 0x1800000ul
#define STACK_TOP TASK_SIZE

/* As the guest has them, but for the room: 2 MiB of vmalloc region. */
#define VMALLOC_START 0xF8800000ul
#define VMALLOC_END 0xF8A00000ul

extern char *host_ram;

#define __pa(x) ((phys_addr_t)((const char *)(x)-host_ram))
#define __va(x) ((void *)(host_ram + (x)))

#define PFN_UP(x) ((unsigned long)(((x) + PAGE_SIZE - 1) >> PAGE_SHIFT))
#define PFN_DOWN(x) ((unsigned long)((x) >> PAGE_SHIFT))
