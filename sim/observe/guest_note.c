#include "sim/observe/guest_note.h"

#include <string.h>

/* No structure of a kernel is larger; a larger number is nonsense and would only make sums overflow. */
enum { MAX_STRUCT_BYTES = 1 << 16 };

/* A word of the guest's is a number of the host's without a swap. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "guest memory is little-endian, and so must be the host");

/* Where the versions of the table ended; fields that a table has not are 0. */
#define VERSION_1_BYTES offsetof(struct guest_note, zone_pcp_count_offset)
#define VERSION_2_BYTES offsetof(struct guest_note, page_table_levels)
#define VERSION_3_BYTES offsetof(struct guest_note, mm_rb_offset)

const char *guest_note_parse(struct guest_note *note, const void *bytes, size_t nr_bytes)
{
    memset(note, 0, sizeof *note);
    if (!bytes || nr_bytes < VERSION_1_BYTES)
        return "the note is shorter than version 1 of its table";
    memcpy(note, bytes, VERSION_1_BYTES);
    if (note->version == 0)
        return "the note's version is 0";
    size_t known_bytes = note->version == 1   ? VERSION_1_BYTES
                         : note->version == 2 ? VERSION_2_BYTES
                         : note->version == 3 ? VERSION_3_BYTES
                                              : sizeof *note;
    if (note->table_bytes < known_bytes || note->table_bytes > nr_bytes)
        return "the note's table_bytes is not its size";
    memcpy(note, bytes, known_bytes);
    if (note->page_bytes != PAGE_BYTES)
        return "the note's pages are not 4096 bytes";
    if (note->struct_page_bytes == 0 || note->struct_page_bytes > MAX_STRUCT_BYTES ||
        note->page_owner_offset >= note->struct_page_bytes)
        return "the note's page descriptor has no room for the owner";
    if (note->struct_zone_bytes > MAX_STRUCT_BYTES || note->struct_free_area_bytes > MAX_STRUCT_BYTES)
        return "the note's structures are larger than 64 KiB";
    return NULL;
}

/* Of an address in the kernel's direct mapping, by which all that the note names is reached. */
static bool read_linear(const struct guest_note *note, const struct ram *ram, uint64_t linear, void *into,
                        size_t size)
{
    return linear >= note->page_offset && ram_read(ram, paddr(linear - note->page_offset), into, size);
}

static bool read_u32(const struct guest_note *note, const struct ram *ram, uint64_t linear, uint32_t *value)
{
    return read_linear(note, ram, linear, value, sizeof *value);
}

/* The string ends at a NUL, after GUEST_NAME_CHARS - 1 characters, or where RAM ends. */
static void read_name(const struct guest_note *note, const struct ram *ram, uint64_t linear,
                      char name[GUEST_NAME_CHARS])
{
    unsigned length = 0;
    char character;
    while (length < GUEST_NAME_CHARS - 1 && read_linear(note, ram, linear + length, &character, 1) &&
           character)
        name[length++] = character >= 0x20 && character < 0x7f ? character : '?';
    name[length] = 0;
}

bool guest_note_mem_map(const struct guest_note *note, const struct ram *ram, struct guest_mem_map *map)
{
    uint32_t linear, nr_pages;
    if (!read_u32(note, ram, note->mem_map_addr, &linear) ||
        !read_u32(note, ram, note->max_pfn_addr, &nr_pages))
        return false;
    if (linear < note->page_offset || linear - note->page_offset >= ram->size_bytes)
        return false;
    map->at = paddr(linear - note->page_offset);
    uint64_t room = (ram->size_bytes - map->at.v) / note->struct_page_bytes;
    map->nr_pages = nr_pages < room ? nr_pages : room;
    return linear != 0 && map->nr_pages > 0;
}

enum guest_owner guest_note_owner(const struct guest_note *note, const struct ram *ram,
                                  const struct guest_mem_map *map, pfn_t pfn)
{
    uint8_t owner = GUEST_OWNER_RESERVED;
    ram_read(ram, paddr(map->at.v + pfn * note->struct_page_bytes + note->page_owner_offset), &owner, 1);
    return owner < NR_GUEST_OWNERS ? (enum guest_owner)owner : GUEST_OWNER_KERNEL;
}

bool guest_note_free_block(const struct guest_note *note, const struct ram *ram,
                           const struct guest_mem_map *map, pfn_t pfn, unsigned *order)
{
    enum { FIRST_OF_FREE_BLOCK = 2 };
    uint64_t descriptor = map->at.v + pfn * note->struct_page_bytes;
    uint32_t flags = 0;
    uint8_t value = GUEST_MAX_ORDERS;
    ram_read(ram, paddr(descriptor + note->page_flags_offset), &flags, sizeof flags);
    ram_read(ram, paddr(descriptor + note->page_order_offset), &value, sizeof value);
    *order = value;
    return (flags & FIRST_OF_FREE_BLOCK) && value < GUEST_MAX_ORDERS;
}

bool guest_note_zone(const struct guest_note *note, const struct ram *ram, unsigned index,
                     struct guest_zone *zone)
{
    *zone = (struct guest_zone){0};
    if (index >= note->nr_zones || index >= GUEST_MAX_ZONES)
        return false;
    uint64_t base = (uint64_t)note->zones_addr + (uint64_t)index * note->struct_zone_bytes;
    uint32_t name = 0;
    const struct {
        uint32_t offset;
        uint64_t *into;
    } words[] = {
        {note->zone_start_pfn_offset, &zone->start_pfn},
        {note->zone_spanned_offset, &zone->spanned_pages},
        {note->zone_present_offset, &zone->present_pages},
        {note->zone_managed_offset, &zone->managed_pages},
        {note->zone_free_offset, &zone->free_pages},
        {note->zone_watermark_offset, &zone->watermark_pages[0]},
        {note->zone_watermark_offset + 4, &zone->watermark_pages[1]},
        {note->zone_watermark_offset + 8, &zone->watermark_pages[2]},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        uint32_t value;
        if (!read_u32(note, ram, base + words[i].offset, &value))
            return false;
        *words[i].into = value;
    }
    zone->buddy_pages_at = paddr(base + note->zone_free_offset - note->page_offset);
    zone->watermarks_at = paddr(base + note->zone_watermark_offset - note->page_offset);
    zone->word_bytes = sizeof(uint32_t);
    uint32_t pcp_count;
    if (note->version > 1 && read_u32(note, ram, base + note->zone_pcp_count_offset, &pcp_count))
        zone->free_pages += pcp_count;
    if (read_u32(note, ram, base + note->zone_name_offset, &name))
        read_name(note, ram, name, zone->name);
    zone->nr_orders = note->nr_orders < GUEST_MAX_ORDERS ? note->nr_orders : GUEST_MAX_ORDERS;
    for (unsigned order = 0; order < zone->nr_orders; order++) {
        uint64_t area = base + note->zone_free_area_offset + (uint64_t)order * note->struct_free_area_bytes;
        if (!read_u32(note, ram, area + note->free_area_nr_free_offset, &zone->nr_free_blocks[order]))
            return false;
    }
    return zone->spanned_pages > 0 && zone->present_pages > 0;
}

static bool read_task(const struct guest_note *note, const struct ram *ram, uint32_t linear,
                      struct guest_task *task)
{
    uint32_t mm, pgd;
    *task = (struct guest_task){.pid = 0};
    if (!read_u32(note, ram, (uint64_t)linear + note->task_pid_offset, &task->pid) ||
        !read_u32(note, ram, (uint64_t)linear + note->task_mm_offset, &mm))
        return false;
    task->mm = mm;
    if (mm && read_u32(note, ram, (uint64_t)mm + note->mm_pgd_offset, &pgd) && pgd >= note->page_offset)
        task->root = pgd - note->page_offset;
    read_name(note, ram, (uint64_t)linear + note->task_comm_offset, task->name);
    return true;
}

bool guest_note_current_task(const struct guest_note *note, const struct ram *ram, struct guest_task *task)
{
    uint32_t linear;
    *task = (struct guest_task){.pid = 0};
    return read_u32(note, ram, note->current_task_addr, &linear) && linear &&
           read_task(note, ram, linear, task);
}

void guest_note_tasks(const struct guest_note *note, const struct ram *ram,
                      bool (*each)(void *opaque, const struct guest_task *task), void *opaque)
{
    enum { MAX_TASKS = 1 << 16 };
    uint32_t node;
    struct guest_task task;
    if (!read_u32(note, ram, note->task_list_addr, &node))
        return;
    for (unsigned i = 0; i < MAX_TASKS && node != note->task_list_addr; i++) {
        if (!read_task(note, ram, node - note->task_list_offset, &task) || !each(opaque, &task) ||
            !read_u32(note, ram, node, &node))
            return;
    }
}

/* An address space's areas as they are read. */
struct areas {
    const struct guest_note *note;
    const struct ram *ram;
    uint32_t code[2], heap[2]; /* from, to */
    struct guest_area *area;
    unsigned nr,
        nr_looks; /* nodes looked at: a tree that is being changed, or a stranger's, may lead to itself */
};

static void read_pair(const struct areas *areas, uint64_t linear, uint32_t pair[2])
{
    pair[0] = pair[1] = 0;
    if (!read_u32(areas->note, areas->ram, linear, &pair[0]) ||
        !read_u32(areas->note, areas->ram, linear + 4, &pair[1]))
        pair[0] = pair[1] = 0;
}

static void add_area(struct areas *areas, uint64_t vma)
{
    enum { READ_WRITE_EXECUTE = 7, GROWS_DOWN = 0x100 };
    const struct guest_note *note = areas->note;
    uint32_t start, end, flags;
    if (areas->nr == GUEST_MAX_AREAS || !read_u32(note, areas->ram, vma + note->vma_start_offset, &start) ||
        !read_u32(note, areas->ram, vma + note->vma_end_offset, &end) ||
        !read_u32(note, areas->ram, vma + note->vma_flags_offset, &flags) || end <= start)
        return;
    enum guest_area_kind kind =
        flags & GROWS_DOWN                                                               ? GUEST_AREA_STACK
        : start < areas->code[1] && end > areas->code[0] && (flags & GUEST_AREA_EXECUTE) ? GUEST_AREA_CODE
        : start < areas->heap[1] && end > areas->heap[0]                                 ? GUEST_AREA_HEAP
                                                                                         : GUEST_AREA_OTHER;
    areas->area[areas->nr++] = (struct guest_area){
        .start = start, .end = end, .rights = (uint8_t)(flags & READ_WRITE_EXECUTE), .kind = kind};
}

/* A node, and what is below it; in the order of the tree. */
static void read_areas(struct areas *areas, uint32_t node)
{
    enum { MAX_LOOKS = 4096 };
    const struct guest_note *note = areas->note;
    uint32_t left, right;
    if (node == 0 || areas->nr_looks++ >= MAX_LOOKS || areas->nr == GUEST_MAX_AREAS ||
        !read_u32(note, areas->ram, (uint64_t)node + note->rb_left_offset, &left) ||
        !read_u32(note, areas->ram, (uint64_t)node + note->rb_right_offset, &right))
        return;
    read_areas(areas, left);
    add_area(areas, (uint64_t)node - note->vma_rb_offset);
    read_areas(areas, right);
}

unsigned guest_note_areas(const struct guest_note *note, const struct ram *ram, const struct guest_task *task,
                          struct guest_area area[GUEST_MAX_AREAS])
{
    enum { HAS_AREAS = 4 };
    struct areas areas = {.note = note, .ram = ram, .area = area};
    uint32_t root;
    if (note->version < HAS_AREAS || task->mm == 0 ||
        !read_u32(note, ram, (uint64_t)task->mm + note->mm_rb_offset, &root))
        return 0;
    read_pair(&areas, (uint64_t)task->mm + note->mm_code_offset, areas.code);
    read_pair(&areas, (uint64_t)task->mm + note->mm_brk_offset, areas.heap);
    read_areas(&areas, root);
    return areas.nr;
}
