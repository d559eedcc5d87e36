/* The kernel's command line. */
#pragma once

#include "types.h"

#define COMMAND_LINE_SIZE 2048
#define MAX_INIT_ENVS 16

/* What the options said. */
struct boot_params {
    const char *init; /* init=NAME; NULL: not given */
    const char *root; /* root=/dev/NAME: a disk with the root file system; NULL: programs in the image */
    bool is_root_read_only;        /* ro */
    phys_addr_t mem_limit;         /* mem=SIZE[KMG]; 0: all */
    unsigned long min_free_kbytes; /* min_free_kbytes=N; 0: computed */
    phys_addr_t highmem; /* highmem=SIZE: so much of lowmem becomes highmem; 0: what is above 896 MiB */
    phys_addr_t cma_start, cma_end; /* where: cma=SIZE[@START[-END]]; cma_end 0: in lowmem */
    phys_addr_t zram_bytes;         /* zram=SIZE: a compressed disk in memory */
    phys_addr_t cma_bytes;          /* cma=SIZE: contiguous area for devices */
    const char *slub_debug;         /* slub_debug[=FZPU][,CACHE...]: NULL: off */
    const char *lkdtm;              /* lkdtm=WHAT: break on purpose, see kernel/lkdtm.c */
    const char *lab;                /* lab=NAME: a lab runs instead of init, see lab.h */
    bool has_vga_console;           /* console=tty0: the screen shows messages too; COM1 always does */
    bool has_iommu;                 /* intel_iommu=on: DMA goes through the IOMMU, if there is one */
    bool lspci;                     /* the console says what is on the PCI bus */
    bool quiet;
    /* name=value words the kernel does not know: they become init's environment. */
    const char *envp[MAX_INIT_ENVS + 1];
    unsigned int nr_envs;
};

extern struct boot_params boot_params;
extern char saved_command_line[COMMAND_LINE_SIZE];

/* Takes the loader's command line, whose first word (the file's name) is dropped. */
void parse_command_line(const char *loader_command_line);
/* A number with an optional K, M or G; *end is set behind it. */
u64 memparse(const char *text, const char **end);
