/* Pieces of pages for compressed data (include/zsmalloc.h). */
#include "zsmalloc.h"
#include "bug.h"
#include "highmem.h"
#include "slab.h"
#include "string.h"

#define MAX_PAGES_PER_ZSPAGE 4u
#define NR_OBJS_MOST (u32)(MAX_PAGES_PER_ZSPAGE * PAGE_SIZE / ZS_STEP_BYTES)

struct zspage {
    struct list_head list; /* pool->partial, while it has room */
    u16 class, nr_objs, nr_inuse;
    u16 nr_pages;
    struct page *pages[MAX_PAGES_PER_ZSPAGE];
    u32 inuse[NR_OBJS_MOST / 32]; /* a bit for each piece */
};

static struct kmem_cache *zspage_cachep;

static u32 class_bytes(u32 class)
{
    return (class + 1) * ZS_STEP_BYTES;
}

/* How many pages make a zspage in which the least is lost for each page. */
static u32 pages_per_zspage(u32 class)
{
    u32 best = 1, best_lost = (u32)PAGE_SIZE;
    for (u32 nr = 1; nr <= MAX_PAGES_PER_ZSPAGE; nr++) {
        u32 lost = nr * (u32)PAGE_SIZE % class_bytes(class) / nr;
        if (lost < best_lost) {
            best = nr;
            best_lost = lost;
        }
    }
    return best;
}

void zs_pool_init(struct zs_pool *pool)
{
    *pool = (struct zs_pool){.nr_pages = 0};
    for (u32 i = 0; i < ZS_NR_CLASSES; i++)
        INIT_LIST_HEAD(&pool->partial[i]);
    if (zspage_cachep == NULL)
        zspage_cachep = KMEM_CACHE(zspage, SLAB_PANIC);
}

static void free_zspage(struct zspage *zspage)
{
    for (u32 i = 0; i < zspage->nr_pages; i++)
        __free_page(zspage->pages[i]);
    kmem_cache_free(zspage_cachep, zspage);
}

static struct zspage *alloc_zspage(struct zs_pool *pool, u32 class)
{
    const gfp_t gfp = GFP_ATOMIC | __GFP_NOWARN;
    struct zspage *zspage = kmem_cache_zalloc(zspage_cachep, gfp);
    if (zspage == NULL)
        return NULL;
    INIT_LIST_HEAD(&zspage->list);
    zspage->class = (u16) class;
    for (u32 nr = pages_per_zspage(class); zspage->nr_pages < nr; zspage->nr_pages++) {
        struct page *page = alloc_page(gfp | __GFP_HIGHMEM);
        if (page == NULL) {
            free_zspage(zspage);
            return NULL;
        }
        zspage->pages[zspage->nr_pages] = page;
    }
    zspage->nr_objs = (u16)(zspage->nr_pages * (u32)PAGE_SIZE / class_bytes(class));
    pool->nr_pages += zspage->nr_pages;
    pool->max_pages = max(pool->max_pages, pool->nr_pages);
    list_add(&zspage->list, &pool->partial[class]);
    return zspage;
}

static u16 take_free_index(struct zspage *zspage)
{
    for (u32 i = 0; i < zspage->nr_objs; i++) {
        u32 *word = &zspage->inuse[i / 32], bit = 1u << i % 32;
        if (*word & bit)
            continue;
        *word |= bit;
        return (u16)i;
    }
    BUG();
}

bool zs_malloc(struct zs_pool *pool, u32 bytes, struct zs_handle *handle)
{
    BUG_ON(bytes == 0 || bytes > PAGE_SIZE);
    u32 class = (bytes - 1) / ZS_STEP_BYTES;
    struct list_head *partial = &pool->partial[class];
    struct zspage *zspage =
        list_empty(partial) ? alloc_zspage(pool, class) : list_first_entry(partial, struct zspage, list);
    if (zspage == NULL)
        return false;
    *handle = (struct zs_handle){.zspage = zspage, .index = take_free_index(zspage)};
    if (++zspage->nr_inuse == zspage->nr_objs)
        list_del_init(&zspage->list);
    return true;
}

void zs_free(struct zs_pool *pool, struct zs_handle handle)
{
    struct zspage *zspage = handle.zspage;
    u32 *word = &zspage->inuse[handle.index / 32], bit = 1u << handle.index % 32;
    BUG_ON(!(*word & bit));
    *word &= ~bit;
    if (zspage->nr_inuse-- == zspage->nr_objs)
        list_add(&zspage->list, &pool->partial[zspage->class]);
    if (zspage->nr_inuse)
        return;
    list_del_init(&zspage->list);
    pool->nr_pages -= zspage->nr_pages;
    free_zspage(zspage);
}

/* The part of a piece, from `done` on, that lies in one page: its place there, mapped, and its bytes. */
static u8 *map_part(struct zs_handle handle, u32 done, u32 bytes, void **page, u32 *part)
{
    u32 at = handle.index * class_bytes(handle.zspage->class) + done, offset = at % (u32)PAGE_SIZE;
    *part = min(bytes - done, (u32)PAGE_SIZE - offset);
    *page = kmap_atomic(handle.zspage->pages[at / (u32)PAGE_SIZE]);
    return (u8 *)*page + offset;
}

void zs_read(struct zs_handle handle, void *to, u32 bytes)
{
    void *page;
    for (u32 done = 0, part; done < bytes; done += part) {
        const u8 *from = map_part(handle, done, bytes, &page, &part);
        memcpy((u8 *)to + done, from, part);
        kunmap_atomic(page);
    }
}

void zs_write(struct zs_handle handle, const void *from, u32 bytes)
{
    void *page;
    for (u32 done = 0, part; done < bytes; done += part) {
        u8 *to = map_part(handle, done, bytes, &page, &part);
        memcpy(to, (const u8 *)from + done, part);
        kunmap_atomic(page);
    }
}
