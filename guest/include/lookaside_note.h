/*
 * The table in the kernel's ELF note (owner "lookaside", type 0x4C41): where the structures lie from which
 * a simulator's window colours frames by owner. Only fixed-width fields, so that any host can read it;
 * fields are only ever appended, and LK_NOTE_VERSION rises when one is. docs/guest-note.md says what each
 * field means.
 *
 * "addr" fields are linear addresses in the kernel's direct mapping (physical = addr - page_offset),
 * "offset" fields count bytes from the start of a structure.
 */
#pragma once

#include <stdint.h>

#define LK_NOTE_NAME "lookaside"
#define LK_NOTE_TYPE 0x4C41
#define LK_NOTE_VERSION 4

/* The owner byte in every struct page. */
enum page_owner {
    PAGE_OWNER_RESERVED = 0, /* no RAM, or RAM the firmware keeps */
    PAGE_OWNER_FREE = 1,     /* in the buddy system or on a CPU's list */
    PAGE_OWNER_KERNEL = 2,   /* kernel image, boot allocations, stacks, other alloc_pages() */
    PAGE_OWNER_SLAB = 3,
    PAGE_OWNER_PAGE_CACHE = 4,
    PAGE_OWNER_ANON = 5, /* pages of processes */
    PAGE_OWNER_PAGE_TABLE = 6,
    PAGE_OWNER_CMA = 7,
    PAGE_OWNER_DMA = 8,
    NR_PAGE_OWNERS = 9,
};

struct lookaside_note {
    uint32_t version;
    uint32_t table_bytes;
    uint32_t page_offset;
    uint32_t page_bytes;

    uint32_t mem_map_addr; /* of the pointer mem_map; it holds 0 until the array exists */
    uint32_t max_pfn_addr; /* of the u32 that counts the array's entries */
    uint32_t struct_page_bytes;
    uint32_t page_owner_offset;    /* u8 */
    uint32_t page_order_offset;    /* u8: of a free block, in its first page */
    uint32_t page_flags_offset;    /* u32 */
    uint32_t page_refcount_offset; /* s32 */

    uint32_t zones_addr; /* of the array of struct zone */
    uint32_t nr_zones;
    uint32_t struct_zone_bytes;
    uint32_t zone_name_offset;      /* u32: linear address of a string */
    uint32_t zone_start_pfn_offset; /* this and the next four: u32, in pages */
    uint32_t zone_spanned_offset;
    uint32_t zone_present_offset;
    uint32_t zone_managed_offset;
    uint32_t zone_free_offset;
    uint32_t zone_watermark_offset; /* u32[3]: min, low, high */
    uint32_t zone_free_area_offset; /* array of nr_orders structures */
    uint32_t nr_orders;
    uint32_t struct_free_area_bytes;
    uint32_t free_area_nr_free_offset; /* u32: blocks of this order */

    uint32_t jiffies_addr; /* u32 */
    uint32_t hz;
    uint32_t current_task_addr; /* of the pointer current_task */
    uint32_t task_list_addr;    /* of the list head through task_list_offset */
    uint32_t task_list_offset;
    uint32_t task_pid_offset;  /* u32 */
    uint32_t task_comm_offset; /* char[16] */
    uint32_t task_mm_offset;   /* u32: linear address of its mm_struct, or 0 */
    uint32_t mm_pgd_offset;    /* u32: linear address of its page directory */

    /* Version 2. */
    uint32_t zone_pcp_count_offset; /* u32: free pages on the CPU's lists, not counted in zone_free */

    /* Version 3. */
    uint32_t page_table_levels; /* 2: entries of 4 bytes; 3: of 8 (PAE) */

    /* Version 4: the areas of an address space, in a red-black tree. */
    uint32_t mm_rb_offset;   /* u32: linear address of the root node, or 0 */
    uint32_t mm_code_offset; /* u32[2]: start_code, end_code */
    uint32_t mm_brk_offset;  /* u32[2]: start_brk, brk */
    uint32_t vma_rb_offset;  /* of the node in an area */
    uint32_t rb_left_offset; /* this and the next: u32, in a node: linear address of a node, or 0 */
    uint32_t rb_right_offset;
    uint32_t vma_start_offset; /* this and the next two: u32 */
    uint32_t vma_end_offset;
    uint32_t vma_flags_offset; /* VM_READ 1, VM_WRITE 2, VM_EXEC 4, VM_GROWSDOWN 100h */
};
