#include "sim/observe/guest_note.h"

#include "guest/include/lookaside_note.h"

#include <criterion/criterion.h>
#include <string.h>

/* A small guest: its structures at these linear addresses, RAM of 64 pages. */
enum { RAM_PAGES = 64, RAM_BYTES = RAM_PAGES * PAGE_BYTES, DESCRIPTOR_BYTES = 32, ZONE_BYTES = 128 };
#define OFFSET 0xC0000000u
#define POINTERS (OFFSET + 0x1000)
#define ZONES (OFFSET + 0x2000)
#define TASK (OFFSET + 0x3000)
#define MEM_MAP (OFFSET + 0x4000)

static struct ram ram;
static struct guest_note note;

static void put_u32(uint32_t linear, uint32_t value)
{
    cr_assert(ram_write(&ram, paddr(linear - OFFSET), &value, sizeof value));
}

static void put_text(uint32_t linear, const char *text)
{
    cr_assert(ram_write(&ram, paddr(linear - OFFSET), text, strlen(text) + 1));
}

static void setup(void)
{
    cr_assert(ram_init(&ram, RAM_BYTES));
    note = (struct guest_note){
        .version = 4,
        .table_bytes = sizeof note,
        .page_offset = OFFSET,
        .page_bytes = PAGE_BYTES,
        .mem_map_addr = POINTERS,
        .max_pfn_addr = POINTERS + 4,
        .struct_page_bytes = DESCRIPTOR_BYTES,
        .page_owner_offset = 4,
        .zones_addr = ZONES,
        .nr_zones = 2,
        .struct_zone_bytes = ZONE_BYTES,
        .zone_name_offset = 0,
        .zone_start_pfn_offset = 4,
        .zone_spanned_offset = 8,
        .zone_present_offset = 12,
        .zone_managed_offset = 16,
        .zone_free_offset = 20,
        .zone_watermark_offset = 24,
        .zone_free_area_offset = 40,
        .nr_orders = 3,
        .struct_free_area_bytes = 12,
        .free_area_nr_free_offset = 8,
        .current_task_addr = POINTERS + 8,
        .task_pid_offset = 4,
        .task_comm_offset = 8,
        .zone_pcp_count_offset = 36,
    };
    put_u32(POINTERS, MEM_MAP);
    put_u32(POINTERS + 4, RAM_PAGES);
    for (uint32_t pfn = 0; pfn < RAM_PAGES; pfn++)
        put_u32(MEM_MAP + pfn * DESCRIPTOR_BYTES + 4, pfn % 9);
    static const uint32_t words[] = {0, 10, 20, 19, 18, 7, 1, 2, 3, 4};
    for (uint32_t i = 0; i < sizeof words / sizeof *words; i++)
        put_u32(ZONES + ZONE_BYTES + 4 * i, words[i]);
    put_u32(ZONES + ZONE_BYTES, OFFSET + 0x3800);
    put_text(OFFSET + 0x3800, "Normal");
    for (uint32_t order = 0; order < 3; order++)
        put_u32(ZONES + ZONE_BYTES + 40 + order * 12 + 8, 5 + order);
    put_u32(POINTERS + 8, TASK);
    put_u32(TASK + 4, 17);
    put_text(TASK + 8, "init");
}

static void teardown(void)
{
    ram_fini(&ram);
}

TestSuite(guest_note, .init = setup, .fini = teardown);

Test(guest_note, layout_is_the_guests)
{
    cr_assert_eq(sizeof(struct guest_note), sizeof(struct lookaside_note));
#define NOTE_FIELD(name)                                                                                     \
    cr_assert_eq(offsetof(struct guest_note, name), offsetof(struct lookaside_note, name), #name);           \
    cr_assert_eq(sizeof(((struct guest_note *)0)->name), sizeof(((struct lookaside_note *)0)->name), #name);
#include "sim/observe/guest_note.def"
#undef NOTE_FIELD
    cr_assert_eq((int)GUEST_NOTE_VERSION, LK_NOTE_VERSION);
}

Test(guest_note, owners_are_the_guests)
{
    cr_assert_eq((int)NR_GUEST_OWNERS, (int)NR_PAGE_OWNERS);
    cr_assert_eq((int)GUEST_OWNER_RESERVED, (int)PAGE_OWNER_RESERVED);
    cr_assert_eq((int)GUEST_OWNER_FREE, (int)PAGE_OWNER_FREE);
    cr_assert_eq((int)GUEST_OWNER_KERNEL, (int)PAGE_OWNER_KERNEL);
    cr_assert_eq((int)GUEST_OWNER_SLAB, (int)PAGE_OWNER_SLAB);
    cr_assert_eq((int)GUEST_OWNER_PAGE_CACHE, (int)PAGE_OWNER_PAGE_CACHE);
    cr_assert_eq((int)GUEST_OWNER_ANON, (int)PAGE_OWNER_ANON);
    cr_assert_eq((int)GUEST_OWNER_PAGE_TABLE, (int)PAGE_OWNER_PAGE_TABLE);
    cr_assert_eq((int)GUEST_OWNER_CMA, (int)PAGE_OWNER_CMA);
    cr_assert_eq((int)GUEST_OWNER_DMA, (int)PAGE_OWNER_DMA);
}

Test(guest_note, parse_takes_the_shorter_table_of_version_1)
{
    struct guest_note parsed;
    note.version = 1;
    note.table_bytes = offsetof(struct guest_note, zone_pcp_count_offset);
    note.zone_pcp_count_offset = 99;
    cr_assert_null(guest_note_parse(&parsed, &note, note.table_bytes));
    cr_assert_eq(parsed.mm_pgd_offset, note.mm_pgd_offset);
    cr_assert_eq(parsed.zone_pcp_count_offset, 0);
    note.version = 2;
    cr_assert_not_null(guest_note_parse(&parsed, &note, note.table_bytes), "version 2 has one more field");
    note.table_bytes = offsetof(struct guest_note, page_table_levels);
    cr_assert_null(guest_note_parse(&parsed, &note, note.table_bytes));
    cr_assert_eq(parsed.zone_pcp_count_offset, 99);
    note.version = 3;
    cr_assert_not_null(guest_note_parse(&parsed, &note, note.table_bytes), "version 3 has another one");
}

Test(guest_note, parse_takes_this_version_and_longer_ones)
{
    struct guest_note parsed;
    cr_assert_null(guest_note_parse(&parsed, &note, sizeof note));
    cr_assert_arr_eq(&parsed, &note, sizeof note);
    uint8_t longer[sizeof note + 40] = {0};
    note.version = 7;
    note.table_bytes = sizeof longer;
    memcpy(longer, &note, sizeof note);
    cr_assert_null(guest_note_parse(&parsed, longer, sizeof longer));
}

Test(guest_note, parse_refuses_what_cannot_be_used)
{
    static const struct {
        size_t at;
        uint32_t value;
    } wrong[] = {
        {offsetof(struct guest_note, version), 0},
        {offsetof(struct guest_note, table_bytes), 8},
        {offsetof(struct guest_note, table_bytes), UINT32_MAX},
        {offsetof(struct guest_note, page_bytes), 8192},
        {offsetof(struct guest_note, struct_page_bytes), 0},
        {offsetof(struct guest_note, struct_page_bytes), UINT32_MAX},
        {offsetof(struct guest_note, page_owner_offset), DESCRIPTOR_BYTES},
        {offsetof(struct guest_note, struct_zone_bytes), 1u << 20},
        {offsetof(struct guest_note, struct_free_area_bytes), UINT32_MAX},
    };
    struct guest_note parsed;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct guest_note bad = note;
        memcpy((uint8_t *)&bad + wrong[i].at, &wrong[i].value, sizeof wrong[i].value);
        cr_assert_not_null(guest_note_parse(&parsed, &bad, sizeof bad), "case %zu", i);
    }
    cr_assert_not_null(guest_note_parse(&parsed, &note, sizeof note - 1));
    cr_assert_not_null(guest_note_parse(&parsed, NULL, 0));
}

Test(guest_note, descriptors_tell_each_frames_owner)
{
    struct guest_mem_map map;
    cr_assert(guest_note_mem_map(&note, &ram, &map));
    cr_assert_eq(map.nr_pages, RAM_PAGES);
    for (pfn_t pfn = 0; pfn < RAM_PAGES; pfn++)
        cr_assert_eq(guest_note_owner(&note, &ram, &map, pfn), pfn % 9);
    put_u32(MEM_MAP + 4, 200);
    cr_assert_eq(guest_note_owner(&note, &ram, &map, 0), GUEST_OWNER_KERNEL, "an unknown owner");
}

Test(guest_note, no_descriptors_before_the_guest_has_made_them)
{
    struct guest_mem_map map;
    put_u32(POINTERS, 0);
    cr_assert_not(guest_note_mem_map(&note, &ram, &map));
    put_u32(POINTERS, MEM_MAP);
    put_u32(POINTERS + 4, 0);
    cr_assert_not(guest_note_mem_map(&note, &ram, &map));
}

Test(guest_note, descriptors_are_cut_at_the_end_of_ram)
{
    struct guest_mem_map map;
    put_u32(POINTERS + 4, UINT32_MAX);
    cr_assert(guest_note_mem_map(&note, &ram, &map));
    cr_assert_eq(map.nr_pages, (RAM_BYTES - 0x4000) / DESCRIPTOR_BYTES);
    put_u32(POINTERS, OFFSET + RAM_BYTES - DESCRIPTOR_BYTES + 1);
    cr_assert_not(guest_note_mem_map(&note, &ram, &map), "not even one fits");
    put_u32(POINTERS, OFFSET + RAM_BYTES);
    cr_assert_not(guest_note_mem_map(&note, &ram, &map));
    put_u32(POINTERS, OFFSET - 1);
    cr_assert_not(guest_note_mem_map(&note, &ram, &map), "below the direct mapping");
}

Test(guest_note, zone_numbers_are_read)
{
    struct guest_zone zone;
    cr_assert_not(guest_note_zone(&note, &ram, 0, &zone), "no pages");
    cr_assert_not(guest_note_zone(&note, &ram, 2, &zone), "no such zone");
    cr_assert(guest_note_zone(&note, &ram, 1, &zone));
    cr_assert_str_eq(zone.name, "Normal");
    cr_assert_eq(zone.start_pfn, 10);
    cr_assert_eq(zone.spanned_pages, 20);
    cr_assert_eq(zone.present_pages, 19);
    cr_assert_eq(zone.managed_pages, 18);
    cr_assert_eq(zone.free_pages, 7 + 4, "free and on the CPU's list");
    note.version = 1;
    cr_assert(guest_note_zone(&note, &ram, 1, &zone));
    cr_assert_eq(zone.free_pages, 7, "version 1 has no such list");
    for (unsigned i = 0; i < GUEST_NR_WATERMARKS; i++)
        cr_assert_eq(zone.watermark_pages[i], i + 1);
    cr_assert_eq(zone.nr_orders, 3);
    for (unsigned order = 0; order < 3; order++)
        cr_assert_eq(zone.nr_free_blocks[order], 5 + order);
}

Test(guest_note, a_zone_that_is_not_present_is_not_there)
{
    struct guest_zone zone;
    put_u32(ZONES + ZONE_BYTES + 12, 0);
    cr_assert_not(guest_note_zone(&note, &ram, 1, &zone));
}

Test(guest_note, names_end_and_are_printable)
{
    struct guest_zone zone;
    put_text(OFFSET + 0x3800, "\x1b[2J a name that goes on and on and on");
    cr_assert(guest_note_zone(&note, &ram, 1, &zone));
    cr_assert_str_eq(zone.name, "?[2J a name that");
    put_u32(ZONES + ZONE_BYTES, 12);
    cr_assert(guest_note_zone(&note, &ram, 1, &zone));
    cr_assert_str_eq(zone.name, "", "a name outside the direct mapping");
    uint32_t last = OFFSET + RAM_BYTES - 2;
    put_u32(ZONES + ZONE_BYTES, last);
    cr_assert(ram_write(&ram, paddr(last - OFFSET), "XY", 2));
    cr_assert(guest_note_zone(&note, &ram, 1, &zone));
    cr_assert_str_eq(zone.name, "XY", "a name that RAM cuts off");
}

Test(guest_note, the_running_task_is_named)
{
    struct guest_task task;
    cr_assert(guest_note_current_task(&note, &ram, &task));
    cr_assert_eq(task.pid, 17);
    cr_assert_str_eq(task.name, "init");
    put_u32(POINTERS + 8, 0);
    cr_assert_not(guest_note_current_task(&note, &ram, &task));
    put_u32(POINTERS + 8, UINT32_MAX);
    cr_assert_not(guest_note_current_task(&note, &ram, &task));
}

struct listed {
    unsigned nr, most;
    struct guest_task task[8];
};

static bool list_task(void *opaque, const struct guest_task *task)
{
    struct listed *listed = opaque;
    listed->task[listed->nr++] = *task;
    return listed->nr < listed->most;
}

Test(guest_note, tasks_are_those_of_the_list_and_it_ends)
{
    enum { NODE = 32 };
    const uint32_t list = POINTERS + 0x100, mm = OFFSET + 0x7800, directory = OFFSET + 0x9000;
    const uint32_t task[] = {OFFSET + 0x7000, OFFSET + 0x7100, OFFSET + 0x7200};
    note.task_list_addr = list;
    note.task_list_offset = NODE;
    note.task_mm_offset = 28;
    note.mm_pgd_offset = 8;
    put_u32(list, task[0] + NODE);
    for (uint32_t i = 0; i < 3; i++) {
        put_u32(task[i] + 4, 10 + i);
        put_text(task[i] + 8, i == 2 ? "sh" : "cat");
        put_u32(task[i] + 28, i == 1 ? 0 : mm + i * 16); /* the second is a thread of the kernel */
        put_u32(mm + i * 16 + 8, directory + i * 0x1000);
        put_u32(task[i] + NODE, i == 2 ? list : task[i + 1] + NODE);
    }
    struct listed all = {.most = 8}, two = {.most = 2}, endless = {.most = 8};
    guest_note_tasks(&note, &ram, list_task, &all);
    cr_assert_eq(all.nr, 3);
    cr_assert(all.task[0].pid == 10 && all.task[0].root == directory - OFFSET);
    cr_assert(all.task[1].pid == 11 && all.task[1].mm == 0 && all.task[1].root == 0);
    cr_assert(all.task[2].pid == 12 && all.task[2].root == directory - OFFSET + 0x2000);
    cr_assert_str_eq(all.task[2].name, "sh");
    guest_note_tasks(&note, &ram, list_task, &two);
    cr_assert_eq(two.nr, 2, "who calls has enough");
    put_u32(task[2] + NODE, task[0] + NODE);
    guest_note_tasks(&note, &ram, list_task, &endless);
    cr_assert_eq(endless.nr, 8, "a list that leads to itself");
    put_u32(list, UINT32_MAX);
    struct listed none = {.most = 8};
    guest_note_tasks(&note, &ram, list_task, &none);
    cr_assert_eq(none.nr, 0);
}

static bool take_some(void *opaque, const struct guest_task *task)
{
    unsigned *nr_left = opaque;
    cr_assert_lt(strlen(task->name), sizeof task->name);
    return --*nr_left > 0;
}

Test(guest_note, random_tables_are_read_without_harm)
{
    uint32_t seed = 7;
    unsigned nr_used = 0;
    for (int round = 0; round < 20000; round++) {
        struct guest_note wild = note, parsed;
        for (int i = 0; i < 6; i++) {
            seed = seed * 1664525 + 1013904223;
            uint32_t value = seed >> 28 & 1 ? seed : OFFSET + seed % (2 * RAM_BYTES);
            memcpy((uint8_t *)&wild + (seed >> 8) % (sizeof wild / 4) * 4, &value, sizeof value);
        }
        wild.version |= 1;
        wild.page_bytes = PAGE_BYTES;
        wild.table_bytes = sizeof wild;
        if (guest_note_parse(&parsed, &wild, sizeof wild))
            continue;
        nr_used++;
        struct guest_mem_map map;
        struct guest_zone zone;
        struct guest_task task;
        if (guest_note_mem_map(&parsed, &ram, &map)) {
            cr_assert_leq(map.at.v + map.nr_pages * parsed.struct_page_bytes, RAM_BYTES);
            cr_assert_lt(guest_note_owner(&parsed, &ram, &map, map.nr_pages - 1), NR_GUEST_OWNERS);
        }
        for (unsigned i = 0; i < GUEST_MAX_ZONES; i++)
            if (guest_note_zone(&parsed, &ram, i, &zone))
                cr_assert(zone.nr_orders <= GUEST_MAX_ORDERS && strlen(zone.name) < sizeof zone.name);
        if (guest_note_current_task(&parsed, &ram, &task))
            cr_assert_lt(strlen(task.name), sizeof task.name);
        unsigned nr_left = 4;
        guest_note_tasks(&parsed, &ram, take_some, &nr_left);
    }
    cr_assert_gt(nr_used, 100);
}
