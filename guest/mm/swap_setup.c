/* What a swap area's header says, and where its slots are on the disk (mkswap(8) writes such areas). */
#include "err.h"
#include "highmem.h"
#include "pagemap.h"
#include "printk.h"
#include "slab.h"
#include "string.h"
#include "swap_area.h"
#include "vmalloc.h"

#define SWAP_MAGIC "SWAPSPACE2"
#define SWAP_MAGIC_BYTES 10
#define SWAP_VERSION 1u
#define MAX_SWAP_BADPAGES ((u32)((PAGE_SIZE - 1024 - 512 - SWAP_MAGIC_BYTES) / sizeof(u32)))
/* As many as an entry has room for. */
#define MAX_SLOTS (1u << (32 - SWP_OFFSET_SHIFT))
#define SECTORS_PER_SLOT_SHIFT (PAGE_SHIFT - SECTOR_SHIFT)

struct swap_header {
    u8 bootbits[1024]; /* room for a disk label */
    u32 version;
    u32 last_page;
    u32 nr_badpages;
    u8 uuid[16], volume_name[16];
    u32 padding[117];
    u32 badpages[];
};
_Static_assert(sizeof(struct swap_header) == 1536, "mkswap's layout");

int swap_claim(struct file *file)
{
    struct inode *inode = file_inode(file);
    if (S_ISBLK(inode->i_mode))
        return bdev_is_mounted(file->f_mapping->host->i_bdev) ? -EBUSY : 0;
    int error = deny_write_access(file);
    if (error == 0)
        inode->i_flags |= S_IMMUTABLE;
    return error;
}

void swap_release(struct file *file)
{
    if (S_ISBLK(file_inode(file)->i_mode))
        return;
    file_inode(file)->i_flags &= ~S_IMMUTABLE;
    allow_write_access(file);
}

/* ---- The header ---- */

static int check_header(const struct swap_header *header, u64 nr_slots_there)
{
    const char *magic = (const char *)header + PAGE_SIZE - SWAP_MAGIC_BYTES, *why = NULL;
    if (memcmp(magic, SWAP_MAGIC, SWAP_MAGIC_BYTES))
        why = "Unable to find swap-space signature";
    else if (header->version != SWAP_VERSION)
        why = "Unable to handle swap header version other than 1";
    else if (header->last_page == 0)
        why = "Empty swap-file";
    else if (header->last_page >= nr_slots_there)
        why = "Swap area shorter than signature indicates";
    else if (header->nr_badpages > MAX_SWAP_BADPAGES)
        why = "Swap header says more bad pages than it has room for";
    if (why)
        pr_warn("%s\n", why);
    return why ? -EINVAL : 0;
}

static int make_map(struct swap_info_struct *si, const struct swap_header *header)
{
    si->max = min(header->last_page + 1, MAX_SLOTS);
    si->nr_pages = si->max - 1;
    si->swap_map = vzalloc(si->max * sizeof(*si->swap_map));
    si->slots = vzalloc(si->max * sizeof(*si->slots));
    if (si->swap_map == NULL || si->slots == NULL)
        return -ENOMEM;
    si->swap_map[0] = SWAP_MAP_BAD;
    for (u32 i = 0; i < header->nr_badpages; i++) {
        u32 bad = header->badpages[i];
        if (bad == 0 || bad > header->last_page)
            return -EINVAL;
        if (bad >= si->max || si->swap_map[bad] == SWAP_MAP_BAD)
            continue;
        si->swap_map[bad] = SWAP_MAP_BAD;
        si->nr_pages--;
    }
    return si->nr_pages ? 0 : -EINVAL;
}

/* ---- Where the slots are ---- */

/* The sector behind which a page of a file lies in one piece; 0: it does not. Or an error. */
static int page_on_disk(struct inode *inode, u32 page, sector_t *sector)
{
    const struct super_block *sb = inode->i_sb;
    u32 blocks = 1u << (PAGE_SHIFT - sb->s_blocksize_bits), first = 0;
    for (u32 i = 0; i < blocks; i++) {
        u32 block;
        int error = inode->i_mapping->a_ops->bmap(inode, page * blocks + i, &block);
        if (error)
            return error;
        if (block == 0) {
            pr_warn("swapon: swapfile has holes\n");
            return -EINVAL;
        }
        first = i ? first : block;
        if (block != first + i) {
            *sector = 0;
            return 0;
        }
    }
    *sector = (sector_t)first << (sb->s_blocksize_bits - SECTOR_SHIFT);
    return 0;
}

/* Adds a slot behind the last one; a table of extents that is full gets twice as large. */
static int add_slot(struct swap_info_struct *si, u32 slot, sector_t sector, u32 *room)
{
    struct swap_extent *last = si->nr_extents ? &si->extents[si->nr_extents - 1] : NULL;
    if (last && last->start_slot + last->nr_slots == slot &&
        last->start_sector + ((sector_t)last->nr_slots << SECTORS_PER_SLOT_SHIFT) == sector) {
        last->nr_slots++;
        return 0;
    }
    if (si->nr_extents == *room) {
        u32 more = *room ? 2 * *room : 4;
        struct swap_extent *larger = kmalloc(more * sizeof(*larger), GFP_KERNEL);
        if (larger == NULL)
            return -ENOMEM;
        if (si->nr_extents)
            memcpy(larger, si->extents, si->nr_extents * sizeof(*larger));
        kfree(si->extents);
        si->extents = larger;
        *room = more;
    }
    si->extents[si->nr_extents++] =
        (struct swap_extent){.start_slot = slot, .nr_slots = 1, .start_sector = sector};
    return 0;
}

/* A slot whose blocks do not lie together is not used. */
static int map_file(struct swap_info_struct *si)
{
    struct inode *inode = file_inode(si->file);
    u32 room = 0;
    for (u32 slot = 0; slot < si->max; slot++) {
        sector_t sector;
        int error = page_on_disk(inode, slot, &sector);
        if (error)
            return error;
        if (sector == 0 && si->swap_map[slot] != SWAP_MAP_BAD) {
            si->swap_map[slot] = SWAP_MAP_BAD;
            si->nr_pages--;
        }
        error = sector ? add_slot(si, slot, sector, &room) : 0;
        if (error)
            return error;
    }
    si->bdev = inode->i_sb->s_bdev;
    return si->nr_pages && si->nr_extents ? 0 : -EINVAL;
}

static int map_device(struct swap_info_struct *si)
{
    si->bdev = si->file->f_mapping->host->i_bdev;
    si->extents = kmalloc(sizeof(*si->extents), GFP_KERNEL);
    if (si->extents == NULL)
        return -ENOMEM;
    si->nr_extents = 1;
    si->extents[0] = (struct swap_extent){.nr_slots = si->max};
    return 0;
}

int swap_setup(struct swap_info_struct *si)
{
    struct address_space *mapping = si->file->f_mapping;
    bool is_file = S_ISREG(file_inode(si->file)->i_mode);
    if (is_file && mapping->a_ops->bmap == NULL)
        return -EINVAL;
    /* What is in memory and not on the disk would overwrite pages later. */
    int error = filemap_write_and_wait(mapping);
    if (error)
        return error;
    u64 nr_slots_there = (u64)i_size_read(mapping->host) >> PAGE_SHIFT;
    if (nr_slots_there == 0)
        return -EINVAL;
    struct page *page = read_mapping_page(mapping, 0, NULL);
    if (IS_ERR(page))
        return (int)PTR_ERR(page);
    struct swap_header *header = kmalloc(PAGE_SIZE, GFP_KERNEL);
    if (header == NULL) {
        put_page(page);
        return -ENOMEM;
    }
    const void *bytes = kmap_atomic(page);
    memcpy(header, bytes, PAGE_SIZE);
    kunmap_atomic((void *)bytes);
    put_page(page);
    error = check_header(header, nr_slots_there);
    error = error ? error : make_map(si, header);
    kfree(header);
    return error ? error : is_file ? map_file(si) : map_device(si);
}
