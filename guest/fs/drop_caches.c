/* /proc/sys/vm/drop_caches: what is only kept because it may be wanted again. Nothing is written for it. */
#include "internal.h"
#include "pagemap.h"

unsigned long drop_pagecache(void)
{
    unsigned long nr_freed = 0;
    struct super_block *sb;
    list_for_each_entry(sb, &super_blocks, s_list)
    {
        struct inode *inode;
        list_for_each_entry(inode, &sb->s_inodes, i_sb_list)
        {
            struct address_space *mapping = inode->i_mapping;
            if (mapping && mapping->host == inode && !(inode->i_state & (I_NEW | I_FREEING)))
                nr_freed += invalidate_mapping_pages(mapping, 0, ~0ul);
        }
    }
    return nr_freed;
}

void drop_slab(void)
{
    shrink_dcache(~0ul);
    shrink_clean_icache(~0ul);
}
