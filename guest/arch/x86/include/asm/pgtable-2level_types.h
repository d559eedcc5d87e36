/*
 * 32-bit paging: 10 bits page directory, 10 bits page table, 12 bits offset. There is no middle level: a pmd
 * is the pgd entry itself.
 */
#pragma once

typedef u32 pteval_t;

#define PAGETABLE_LEVELS 2
#define PGDIR_SHIFT 22
#define PMD_SHIFT 22
#define PTRS_PER_PGD 1024u
#define PTRS_PER_PMD 1u
#define PTRS_PER_PTE 1024u
#define PHYSICAL_MASK 0xFFFFFFFFu
#define _PAGE_NX 0u
#define PTE_FORMAT "%08x"
/* Where CR3 says that the top level lies; the other bits are flags. */
#define CR3_TABLE_MASK 0xFFFFF000u
