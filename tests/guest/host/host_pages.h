/*
 * The pages of one address space without page tables: what guest/mm's functions about areas ask of
 * pagewalk.c and memory.c, done to an array.
 */
#pragma once

#include "mm_types.h"

#define USER_PAGES (TASK_SIZE >> PAGE_SHIFT)

/* What is at each page of user space: 0: nothing; otherwise the number of a page that was touched. */
extern u32 host_page_at[USER_PAGES];

/* A page is touched: it gets a number that no page had before, if it has none. */
void host_touch(struct mm_struct *mm, unsigned long address);
/* Fails the test unless every page that is there can be found from what it remembers, as rmap_walk() does. */
void host_check_names(struct mm_struct *mm);
