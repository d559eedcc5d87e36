/* The guest's asm/pgtable_types.h for a host build, in which nothing is mapped. */
#pragma once

typedef struct {
    unsigned long pgprot;
} pgprot_t;

typedef struct {
    unsigned long pgd;
} pgd_t;

typedef struct {
    unsigned long pte;
} pte_t;
