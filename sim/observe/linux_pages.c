/* Whose Linux' pages are, by their descriptors (struct page), and its zones. */
#include "sim/observe/linux_internal.h"

#include <string.h>

enum {
    MAX_PAGE_BYTES = 128, /* of a page descriptor */
    MAX_ORDER = 16,
    MAX_NODES = 64,
    /* What is set in page.mapping's low bits (include/linux/page-flags.h). */
    MAPPING_ANON = 1,
    MAPPING_MOVABLE = 2,
    MAPPING_BITS = 3,
    TAIL_BIT = 1, /* in page.compound_head: it is a tail, and that is its head */
};

/* page_type: the upper bits are set, and one bit is clear, which says what the page is. */
#define TYPE_BASE 0xf0000000u
/* Below it is a count of mappings that has gone wrong. */
#define TYPE_LOWEST_BIT 0x80u

/* Where the descriptors are, and what lies where in one. */
struct page_map {
    uint64_t at; /* of frame 0 */
    uint64_t nr_pages;
    size_t page_bytes;
    uint64_t flags, refcount, mapping, lru, mapcount, private, compound_head; /* offsets */
    uint64_t slab_mask, reserved_mask, buddy_type, offline_type;
};

static bool find_offsets(const struct linux_guest *guest, struct page_map *map)
{
    uint64_t page_bytes, slab, private_bit;
    const struct {
        const char *key;
        uint64_t *offset, size_bytes;
    } members[] = {
        {"OFFSET(page.flags)", &map->flags, guest->word_bytes},
        {"OFFSET(page._refcount)", &map->refcount, 4},
        {"OFFSET(page.mapping)", &map->mapping, guest->word_bytes},
        {"OFFSET(page.lru)", &map->lru, 2 * guest->word_bytes},
        {"OFFSET(page._mapcount)", &map->mapcount, 4},
        {"OFFSET(page.private)", &map->private, guest->word_bytes},
        {"OFFSET(page.compound_head)", &map->compound_head, guest->word_bytes},
    };
    if (!linux_info(guest, "SIZE(page)", &page_bytes) || page_bytes == 0 || page_bytes > MAX_PAGE_BYTES)
        return false;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (!linux_info(guest, members[i].key, members[i].offset) || *members[i].offset > page_bytes ||
            members[i].size_bytes > page_bytes - *members[i].offset)
            return false;
    map->page_bytes = page_bytes;
    if (!linux_info(guest, "NUMBER(PG_slab)", &slab) ||
        !linux_info(guest, "NUMBER(PG_private)", &private_bit) || slab > 31 || private_bit < 1 ||
        private_bit > 31 || !linux_info(guest, "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", &map->buddy_type))
        return false;
    linux_info(guest, "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)", &map->offline_type);
    map->buddy_type &= UINT32_MAX;
    map->offline_type &= UINT32_MAX;
    map->slab_mask = 1ull << slab;
    map->reserved_mask = 1ull << (private_bit - 1); /* PG_reserved, which is always the one before */
    return true;
}

/* Of node `index`: its structure. False: there is none. */
static bool find_node(struct linux_guest *guest, unsigned index, uint64_t *node)
{
    uint64_t nodes;
    if (linux_info(guest, "SYMBOL(node_data)", &nodes))
        return linux_read_word(guest, nodes + (uint64_t)index * guest->word_bytes, node) && *node;
    return index == 0 && linux_info(guest, "SYMBOL(contig_page_data)", node);
}

/* The frame behind the last one of all nodes. */
static uint64_t last_frame(struct linux_guest *guest)
{
    uint64_t node, start_offset, spanned_offset, last = 0;
    if (!linux_info(guest, "OFFSET(pglist_data.node_start_pfn)", &start_offset) ||
        !linux_info(guest, "OFFSET(pglist_data.node_spanned_pages)", &spanned_offset))
        return 0;
    for (unsigned i = 0; i < MAX_NODES && find_node(guest, i, &node); i++) {
        uint64_t start, spanned;
        if (linux_read_word(guest, node + start_offset, &start) &&
            linux_read_word(guest, node + spanned_offset, &spanned) && start + spanned > last)
            last = start + spanned;
    }
    return last;
}

/* One array of all descriptors: mem_map, or vmemmap with holes in it. */
static bool find_map(struct linux_guest *guest, struct page_map *map)
{
    uint64_t pointer;
    return find_offsets(guest, map) &&
           (linux_info(guest, "SYMBOL(mem_map)", &pointer) ||
            elf_symbols_address(guest->symbols, "vmemmap_base", &pointer)) &&
           linux_read_word(guest, pointer, &map->at) && map->at && (map->nr_pages = last_frame(guest)) != 0;
}

/* A descriptor, as it was read. */
struct page {
    uint64_t flags, mapping, next, prev, private, head;
    uint32_t refcount, type;
};

static uint64_t part(const uint8_t *bytes, uint64_t offset, size_t size_bytes)
{
    uint64_t value = 0;
    memcpy(&value, bytes + offset, size_bytes);
    return value;
}

/* False: the frame has none. */
static bool read_page(struct linux_guest *guest, const struct page_map *map, pfn_t pfn, struct page *page)
{
    uint8_t bytes[MAX_PAGE_BYTES];
    unsigned word = guest->word_bytes;
    if (pfn >= map->nr_pages ||
        !linear_read(&guest->kernel, map->at + pfn * map->page_bytes, bytes, map->page_bytes))
        return false;
    *page = (struct page){.flags = part(bytes, map->flags, word),
                          .mapping = part(bytes, map->mapping, word),
                          .next = part(bytes, map->lru, word),
                          .prev = part(bytes, map->lru + word, word),
                          .private = part(bytes, map->private, word),
                          .head = part(bytes, map->compound_head, word),
                          .refcount = (uint32_t)part(bytes, map->refcount, 4),
                          .type = (uint32_t)part(bytes, map->mapcount, 4)};
    return true;
}

/*
 * Whether it is on a list, which nobody but a processor's list of free pages has a page on that nobody uses
 * and that is not in the buddy system: its neighbours point back to it. A page that was never on one points
 * to itself.
 */
static bool is_listed(struct linux_guest *guest, const struct page_map *map, pfn_t pfn,
                      const struct page *page)
{
    uint64_t self = map->at + pfn * map->page_bytes + map->lru, back;
    unsigned word = guest->word_bytes;
    return page->next != self && linux_read_word(guest, page->next + word, &back) && back == self &&
           linux_read_word(guest, page->prev, &back) && back == self;
}

static bool is_typed(const struct page *page)
{
    return (page->type & TYPE_BASE) == TYPE_BASE && (~page->type & ~TYPE_BASE) >= TYPE_LOWEST_BIT;
}

/* Of a page that is no tail and not in the buddy system. */
static enum guest_owner owner_of(struct linux_guest *guest, const struct page_map *map, pfn_t pfn,
                                 const struct page *page)
{
    if (page->flags & map->reserved_mask || (is_typed(page) && page->type == map->offline_type))
        return GUEST_OWNER_RESERVED;
    if (page->flags & map->slab_mask)
        return GUEST_OWNER_SLAB;
    if (page->refcount == 0)
        return is_listed(guest, map, pfn, page) ? GUEST_OWNER_FREE : GUEST_OWNER_KERNEL;
    if (is_typed(page))
        return GUEST_OWNER_PAGE_TABLE;
    if (page->mapping & MAPPING_ANON)
        return GUEST_OWNER_ANON;
    return page->mapping && !(page->mapping & MAPPING_MOVABLE) ? GUEST_OWNER_PAGE_CACHE : GUEST_OWNER_KERNEL;
}

/* A tail is whose its head is, which lies before it. */
static uint8_t owner_of_tail(const struct page_map *map, const struct page *page, pfn_t pfn,
                             const uint8_t *owner)
{
    uint64_t head = (page->head - TAIL_BIT - map->at) / map->page_bytes;
    return head < pfn ? owner[head] : (uint8_t)GUEST_OWNER_KERNEL;
}

bool linux_guest_owners(struct linux_guest *guest, uint8_t *owner, uint8_t *free_order, pfn_t nr_frames)
{
    struct page_map map;
    if (!find_map(guest, &map))
        return false;
    for (pfn_t pfn = 0; pfn < nr_frames; pfn++) {
        struct page page;
        owner[pfn] = GUEST_OWNER_RESERVED;
        if (!read_page(guest, &map, pfn, &page))
            continue;
        if (page.head & TAIL_BIT) {
            owner[pfn] = owner_of_tail(&map, &page, pfn, owner);
        } else if (page.type == map.buddy_type) {
            pfn_t room = nr_frames - pfn, nr = page.private <= MAX_ORDER ? (pfn_t)1 << page.private : 1;
            nr = nr < room ? nr : room;
            memset(owner + pfn, GUEST_OWNER_FREE, nr);
            if (free_order)
                memset(free_order + pfn, nr > 1 ? (int)page.private : 0, nr);
            pfn += nr - 1;
        } else {
            owner[pfn] = (uint8_t)owner_of(guest, &map, pfn, &page);
        }
    }
    return true;
}

/* ---- Zones ---- */

/* Zone `index` of those that all nodes have, with pages or without. */
static bool find_zone(struct linux_guest *guest, unsigned index, uint64_t *zone)
{
    const struct btf_member *zones = &guest->layout.node_zones;
    uint64_t node;
    if (zones->nr_elements == 0 || zones->size_bytes == 0)
        return false;
    return find_node(guest, index / zones->nr_elements, &node) &&
           (*zone = node + zones->offset_bytes +
                    (uint64_t)(index % zones->nr_elements) * guest->layout.zone_bytes) != 0;
}

static bool read_zone(struct linux_guest *guest, uint64_t at, struct guest_zone *zone)
{
    const struct linux_layout *layout = &guest->layout;
    uint64_t name;
    *zone = (struct guest_zone){.start_pfn = 0};
    if (!linux_read_member(guest, at, &layout->zone_present, &zone->present_pages) ||
        zone->present_pages == 0 || !linux_read_member(guest, at, &layout->zone_start, &zone->start_pfn) ||
        !linux_read_member(guest, at, &layout->zone_spanned, &zone->spanned_pages) ||
        !linux_read_member(guest, at, &layout->zone_managed, &zone->managed_pages) ||
        !linux_read_member(guest, at, &layout->zone_stat, &zone->free_pages)) /* the first: NR_FREE_PAGES */
        return false;
    if (linux_read_member(guest, at, &layout->zone_name, &name))
        linux_read_text(guest, name, zone->name, sizeof zone->name);
    for (unsigned i = 0; i < GUEST_NR_WATERMARKS && i < layout->zone_watermark.nr_elements; i++)
        linux_read_word(guest, at + layout->zone_watermark.offset_bytes + (uint64_t)i * guest->word_bytes,
                        &zone->watermark_pages[i]);
    if (layout->zone_watermark.nr_elements >= GUEST_NR_WATERMARKS &&
        linear_translate(&guest->kernel, at + layout->zone_stat.offset_bytes, &zone->buddy_pages_at) &&
        linear_translate(&guest->kernel, at + layout->zone_watermark.offset_bytes, &zone->watermarks_at))
        zone->word_bytes = guest->word_bytes;
    unsigned nr_orders = layout->zone_free_area.nr_elements;
    zone->nr_orders = nr_orders < GUEST_MAX_ORDERS ? nr_orders : GUEST_MAX_ORDERS;
    for (unsigned order = 0; order < zone->nr_orders; order++) {
        uint64_t nr_free;
        linux_read_member(
            guest, at + layout->zone_free_area.offset_bytes + (uint64_t)order * layout->free_area_bytes,
            &layout->free_area_nr, &nr_free);
        zone->nr_free_blocks[order] = (uint32_t)nr_free;
    }
    return true;
}

bool linux_guest_zone(struct linux_guest *guest, unsigned index, struct guest_zone *zone)
{
    uint64_t at;
    for (unsigned i = 0, nr_seen = 0; i < MAX_NODES * GUEST_MAX_ZONES && find_zone(guest, i, &at); i++)
        if (read_zone(guest, at, zone) && nr_seen++ == index)
            return true;
    *zone = (struct guest_zone){.start_pfn = 0};
    return false;
}
