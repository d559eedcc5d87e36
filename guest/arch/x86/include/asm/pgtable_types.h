/*
 * Page-table entries (SDM 3A 4.3, 4.4). Each level has a type of its own, so that the compiler notices when
 * one is taken for another. How many levels there are, and how wide an entry is, is the flavour's.
 */
#pragma once

#include "types.h"

#ifdef CONFIG_X86_PAE
#include "asm/pgtable-3level_types.h"
#else
#include "asm/pgtable-2level_types.h"
#endif

typedef struct {
    pteval_t pgd;
} pgd_t;

typedef struct {
    pteval_t pmd;
} pmd_t;

typedef struct {
    pteval_t pte;
} pte_t;

/* The bits of an entry that are not its frame. */
typedef struct {
    pteval_t pgprot;
} pgprot_t;

#define _PAGE_PRESENT 0x001u
#define _PAGE_RW 0x002u
#define _PAGE_USER 0x004u
#define _PAGE_PWT 0x008u
#define _PAGE_PCD 0x010u
#define _PAGE_ACCESSED 0x020u
#define _PAGE_DIRTY 0x040u
#define _PAGE_PSE 0x080u /* in the entry of a pmd: maps PMD_SIZE */
#define _PAGE_PAT 0x080u /* in an entry of 4 KiB: the third bit of the index into the PAT */
#define _PAGE_GLOBAL 0x100u
/* In an entry that is not present for the CPU: there is a page all the same, which nobody may touch. */
#define _PAGE_PROTNONE _PAGE_GLOBAL

/* The frame's physical address; above it lies NX, below it the flags. */
#define PTE_PFN_MASK ((pteval_t)PAGE_MASK & PHYSICAL_MASK)

#define PGDIR_SIZE (1ul << PGDIR_SHIFT)
#define PMD_SIZE (1ul << PMD_SHIFT)
#define PMD_MASK (~(PMD_SIZE - 1))

#define _PAGE_TABLE (_PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED | _PAGE_DIRTY)
#define _PAGE_KERNEL (_PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY)

#define PAGE_KERNEL ((pgprot_t){_PAGE_KERNEL})
#define PAGE_KERNEL_NOCACHE ((pgprot_t){_PAGE_KERNEL | _PAGE_PCD | _PAGE_PWT})
