/* A second address space like the first (mm/dup_mm.c). */
#pragma once

struct mm_struct;

/*
 * Copies the areas and the page tables, not the pages: those are shared until somebody writes. NULL: no
 * memory.
 */
struct mm_struct *dup_mm(struct mm_struct *mm);
