/* Multiboot 0.6.96, sections 3.1 to 3.3: the header in the image and what the loader hands over. */
#pragma once

#define MULTIBOOT_HEADER_MAGIC 0x1BADB002
#define MULTIBOOT_PAGE_ALIGN 0x1  /* modules on page boundaries */
#define MULTIBOOT_MEMORY_INFO 0x2 /* memory map wanted */
#define MULTIBOOT_BOOTLOADER_MAGIC 0x2BADB002

#ifndef __ASSEMBLER__

#include "types.h"

#define MULTIBOOT_INFO_MEMORY (1u << 0)
#define MULTIBOOT_INFO_CMDLINE (1u << 2)
#define MULTIBOOT_INFO_MODS (1u << 3)
#define MULTIBOOT_INFO_MEM_MAP (1u << 6)

struct multiboot_info {
    u32 flags;
    u32 mem_lower, mem_upper; /* KiB, from 0 and from 1 MiB */
    u32 boot_device;
    u32 cmdline;
    u32 mods_count, mods_addr;
    u32 syms[4];
    u32 mmap_length, mmap_addr;
};

struct multiboot_mod {
    u32 start, end, string, reserved;
};

struct multiboot_mmap_entry {
    u32 size; /* of the rest of the entry */
    u64 addr, len;
    u32 type;
} __attribute__((packed));

#endif
