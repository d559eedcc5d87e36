/*
 * PAE paging: 2 bits page-directory-pointer table, 9 bits page directory (pmd), 9 bits page table, 12 bits
 * offset. Entries have 64 bits, so that frames above 4 GiB can be named, and NX.
 */
#pragma once

typedef u64 pteval_t;

#define PAGETABLE_LEVELS 3
#define PGDIR_SHIFT 30
#define PMD_SHIFT 21
#define PTRS_PER_PGD 4u
#define PTRS_PER_PMD 512u
#define PTRS_PER_PTE 512u
#define PHYSICAL_MASK 0xFFFFFFFFFull /* 36 bits */
#define _PAGE_NX (1ull << 63)        /* if EFER.NXE */
#define PTE_FORMAT "%016llx"
/* Where CR3 says that the top level lies; the other bits are flags. */
#define CR3_TABLE_MASK 0xFFFFFFE0u
