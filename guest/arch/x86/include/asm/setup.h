/* What the boot loader told us, and the steps of start_kernel() that only this architecture knows. */
#pragma once

#include "types.h"

#define E820_MAX 32
#define MODULES_MAX 8
#define LOADER_COMMAND_LINE_SIZE 2048

#define E820_RAM 1

struct e820_entry {
    u64 base, bytes;
    u32 type;
};

/*
 * A copy of the multiboot information. The early code makes it before paging is on, so that nothing the
 * loader left lying around has to be kept, and where it lay changes nothing.
 */
struct boot_info {
    u32 loader_magic;
    u32 nr_e820;
    struct e820_entry e820[E820_MAX];
    u32 nr_modules;
    struct {
        u32 start, end;
    } modules[MODULES_MAX];
    char command_line[LOADER_COMMAND_LINE_SIZE];
};

extern struct boot_info boot_info;

/* Prints the memory map and gives it to memblock. */
void setup_memory_map(void);
/* Builds the kernel's final page tables and leaves the boot ones. */
void paging_init(void);
/* Tells mem_map which frames are page tables; paging_init() came before there was one. */
void paging_mark_tables(void);
void show_memory_layout(void);
/* Frees what only the boot needed. */
void free_initmem(void);

/*
 * walk.c: prints each step from CR3 to the byte behind a linear address. Returns its physical address, or
 * 0.
 */
phys_addr_t show_page_walk(unsigned long address);
/* Maps a page of its own at 0x12345000 and walks to 0x12345670. */
void page_walk_demo(void);

/* Linker script. */
extern char _text[], _etext[], _data[], _edata[], _end[], __init_begin[], __init_end[], __boot_start[],
    __boot_end[];
