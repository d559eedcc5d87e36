/* struct page, and how to get from a page to its number, its address and its zone and back. */
#pragma once

#include "asm/page.h"
#include "gfp.h"
#include "lookaside_note.h"
#include "mmzone.h"
#include "vmstat.h"

/* One for every frame below max_pfn, RAM or not. 32 bytes, so that two share a cache line. */
struct page {
    u32 flags; /* PG_ bits; the zone in the top two */
    u8 owner;  /* enum page_owner */
    union {
        u8 order; /* of the free block (PG_buddy) or of the compound page (PG_head), in its first page */
        u8 memcg; /* PG_charged: the memory cgroup that has to answer for it */
    };
    union {
        u16 nr_objs; /* slab: objects in use or in a CPU's hand */
        struct {     /* page cache of a block device, a bit for each of the page's sectors: */
            u8 uptodate_sectors, dirty_sectors;
        };
    };
    s32 _refcount; /* 0: free */
    s32 _mapcount; /* page-table entries that point here */
    union {
        struct anon_vma *anon_vma;     /* PG_anon: its anon_vma */
        struct address_space *mapping; /* page cache: the file */
        struct kmem_cache *slab_cache; /* slab */
        struct page *first_page;       /* PG_tail */
    };
    union {
        void *freelist;      /* slab: first free object */
        unsigned long index; /* page number in the areas of its anon_vma (PG_anon), or in its file */
    };
    struct list_head lru; /* free list of the buddy system or of a CPU, list of slabs, or a struct lruvec's */
};

#define PG_reserved (1u << 0) /* never handed out */
#define PG_buddy (1u << 1)    /* first page of a free block */
#define PG_head (1u << 2)     /* first page of a compound page */
#define PG_tail (1u << 3)     /* another page of it */
#define PG_anon (1u << 4)     /* a process's page without a file */
/* Pages of the page cache (pagemap.h). */
#define PG_locked (1u << 5)     /* somebody reads it, writes it to disk, or takes it out of the cache */
#define PG_uptodate (1u << 6)   /* holds what the file holds */
#define PG_dirty (1u << 7)      /* the disk does not have what it holds */
#define PG_referenced (1u << 8) /* used since it was looked at last, by who looks for pages to free */
/* Pages that reclaim knows (swap.h). */
#define PG_lru (1u << 9)          /* on a list of its lruvec */
#define PG_active (1u << 10)      /* on an active one, or to be put there */
#define PG_unevictable (1u << 11) /* on the list of those that must stay, or to be put there */
#define PG_swapcache (1u << 12)   /* anonymous, and has a place in a swap area, which finds it */
#define PG_error (1u << 13)       /* what readpages() and writepages() could not do; while they run */
#define PG_charged (1u << 14)     /* counts in a memory cgroup (memcontrol.h) */
#define ZONES_PGSHIFT 30

extern struct page *mem_map;
extern unsigned long max_pfn;     /* entries of mem_map */
extern unsigned long max_low_pfn; /* end of the direct mapping */

static inline unsigned long page_to_pfn(const struct page *page)
{
    return (unsigned long)(page - mem_map);
}

static inline unsigned long pages_to_kbytes(unsigned long pages)
{
    return pages << (PAGE_SHIFT - 10);
}

static inline struct page *pfn_to_page(unsigned long pfn)
{
    return mem_map + pfn;
}

static inline bool pfn_valid(unsigned long pfn)
{
    return pfn < max_pfn;
}

static inline struct page *virt_to_page(const void *lowmem_address)
{
    return pfn_to_page((unsigned long)(__pa(lowmem_address) >> PAGE_SHIFT));
}

static inline unsigned int page_zonenum(const struct page *page)
{
    return page->flags >> ZONES_PGSHIFT;
}

static inline struct zone *page_zone(const struct page *page)
{
    return &contig_page_data.node_zones[page_zonenum(page)];
}

static inline bool PageHighMem(const struct page *page)
{
    return page_zonenum(page) == ZONE_HIGHMEM;
}

/* The page's address in the direct mapping; it has none if PageHighMem. */
static inline void *page_address(const struct page *page)
{
    return __va((phys_addr_t)page_to_pfn(page) << PAGE_SHIFT);
}

static inline void set_page_owner(struct page *page, unsigned int order, enum page_owner owner)
{
    for (unsigned long i = 0; i < 1ul << order; i++) {
        nr_owned_pages[page[i].owner]--;
        page[i].owner = (u8)owner;
    }
    nr_owned_pages[owner] += 1ul << order;
}

/* The first page of the compound page that page is part of; otherwise page itself. */
static inline struct page *compound_head(struct page *page)
{
    return (page->flags & PG_tail) ? page->first_page : page;
}

static inline unsigned int compound_order(const struct page *page)
{
    return (page->flags & PG_head) ? page->order : 0;
}

/* The first page of the block in which a lowmem object lies. */
static inline struct page *virt_to_head_page(const void *lowmem_address)
{
    return compound_head(virt_to_page(lowmem_address));
}

static inline void get_page(struct page *page)
{
    page->_refcount++;
}

/* Drops a reference to a single page; the last one frees it. */
void put_page(struct page *page);

/* mm_init.c: struct pages and zones from memblock's ranges; then everything free goes to the buddy system. */
void free_area_init(void);
void mem_init(void);
/*
 * page_alloc.c: gives the lowmem pages in [start, end), which boot is done with, to the buddy system.
 * Returns how many.
 */
unsigned long free_reserved_area(const char *start, const char *end);
/* Pages that nobody uses, those on per-CPU lists among them. */
unsigned long nr_free_pages(void);
void show_mem(void);

/* watermark.c: min, low, high and lowmem_reserve of every zone. */
extern unsigned long min_free_kbytes;
void setup_per_zone_wmarks(void);

/* vmstat.c: files of /proc, and the same on the console. */
struct seq_file;
void buddyinfo_show(struct seq_file *m);
void pagetypeinfo_show(struct seq_file *m);
void zoneinfo_show(struct seq_file *m);
void meminfo_show(struct seq_file *m); /* meminfo.c */
void show_zones(void);
void show_buddyinfo(void);
void show_zoneinfo(void);
