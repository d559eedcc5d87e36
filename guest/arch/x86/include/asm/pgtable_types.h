/*
 * Page-table entries (SDM 3A 4.3). Each level has a type of its own, so that the compiler notices when one
 * is taken for another. The middle level does not exist in two-level paging: a pmd is the pgd entry itself.
 */
#pragma once

#include "types.h"

typedef u32 pteval_t;

typedef struct {
    pteval_t pgd;
} pgd_t;

typedef struct {
    pteval_t pmd;
} pmd_t;

typedef struct {
    pteval_t pte;
} pte_t;

#define _PAGE_PRESENT 0x001u
#define _PAGE_RW 0x002u
#define _PAGE_USER 0x004u
#define _PAGE_PWT 0x008u
#define _PAGE_PCD 0x010u
#define _PAGE_ACCESSED 0x020u
#define _PAGE_DIRTY 0x040u
#define _PAGE_PSE 0x080u /* in a page-directory entry: maps 4 MiB */
#define _PAGE_PAT 0x080u /* in an entry of 4 KiB: the third bit of the index into the PAT */
#define _PAGE_GLOBAL 0x100u

#define PGDIR_SHIFT 22
#define PGDIR_SIZE (1ul << PGDIR_SHIFT)
#define PTRS_PER_PGD 1024u
#define PTRS_PER_PTE 1024u

#define _PAGE_TABLE (_PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED | _PAGE_DIRTY)
#define _PAGE_KERNEL (_PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY)
