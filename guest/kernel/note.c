/* The ELF note (include/lookaside_note.h, docs/guest-note.md). */
#include "asm/page.h"
#include "asm/pgtable_types.h"
#include "jiffies.h"
#include "lookaside_note.h"
#include "mm.h"
#include "mm_types.h"
#include "sched.h"

#define ADDRESS(object) ((u32) & (object))

static const struct {
    u32 name_bytes, desc_bytes, type;
    char name[12]; /* padded to a multiple of 4 */
    struct lookaside_note desc;
} note __used
    __attribute__((section(".note.lookaside"), aligned(4))) =
        {
            .name_bytes = sizeof(LK_NOTE_NAME),
            .desc_bytes = sizeof(struct lookaside_note),
            .type = LK_NOTE_TYPE,
            .name = LK_NOTE_NAME,
            .desc =
                {
                    .version = LK_NOTE_VERSION,
                    .table_bytes = sizeof(struct lookaside_note),
                    .page_offset = PAGE_OFFSET,
                    .page_bytes = PAGE_SIZE,

                    .mem_map_addr = ADDRESS(mem_map),
                    .max_pfn_addr = ADDRESS(max_pfn),
                    .struct_page_bytes = sizeof(struct page),
                    .page_owner_offset = offsetof(struct page, owner),
                    .page_order_offset = offsetof(struct page, order),
                    .page_flags_offset = offsetof(struct page, flags),
                    .page_refcount_offset = offsetof(struct page, _refcount),

                    .zones_addr = ADDRESS(contig_page_data.node_zones),
                    .nr_zones = MAX_NR_ZONES,
                    .struct_zone_bytes = sizeof(struct zone),
                    .zone_name_offset = offsetof(struct zone, name),
                    .zone_start_pfn_offset = offsetof(struct zone, zone_start_pfn),
                    .zone_spanned_offset = offsetof(struct zone, spanned_pages),
                    .zone_present_offset = offsetof(struct zone, present_pages),
                    .zone_managed_offset = offsetof(struct zone, managed_pages),
                    .zone_free_offset = offsetof(struct zone, nr_free_pages),
                    .zone_watermark_offset = offsetof(struct zone, watermark),
                    .zone_free_area_offset = offsetof(struct zone, free_area),
                    .nr_orders = MAX_ORDER,
                    .struct_free_area_bytes = sizeof(struct free_area),
                    .free_area_nr_free_offset = offsetof(struct free_area, nr_free),

                    .jiffies_addr = ADDRESS(jiffies),
                    .hz = HZ,
                    .current_task_addr = ADDRESS(current_task),
                    .task_list_addr = ADDRESS(task_list),
                    .task_list_offset = offsetof(struct task_struct, tasks),
                    .task_pid_offset = offsetof(struct task_struct, pid),
                    .task_comm_offset = offsetof(struct task_struct, comm),
                    .task_mm_offset = offsetof(struct task_struct, mm),
                    .mm_pgd_offset = offsetof(struct mm_struct, pgd),

                    .zone_pcp_count_offset =
                        offsetof(struct zone, pageset) + offsetof(struct per_cpu_pages, count),
                    .page_table_levels = PAGETABLE_LEVELS,

                    .mm_rb_offset = offsetof(struct mm_struct, mm_rb),
                    .mm_code_offset = offsetof(struct mm_struct, start_code),
                    .mm_brk_offset = offsetof(struct mm_struct, start_brk),
                    .vma_rb_offset = offsetof(struct vm_area_struct, vm_rb),
                    .rb_left_offset = offsetof(struct rb_node, child[RB_LEFT]),
                    .rb_right_offset = offsetof(struct rb_node, child[RB_RIGHT]),
                    .vma_start_offset = offsetof(struct vm_area_struct, vm_start),
                    .vma_end_offset = offsetof(struct vm_area_struct, vm_end),
                    .vma_flags_offset = offsetof(struct vm_area_struct, vm_flags),
                },
};

_Static_assert(sizeof(struct page) == 32, "two struct pages share a cache line");
