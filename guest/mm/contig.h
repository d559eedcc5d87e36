/* Taking a range of frames whole, whoever uses them now (contig.c). */
#pragma once

/*
 * Takes the frames [start, end), which lie in CMA pageblocks of one zone: moves the pages in them away. 0,
 * -EBUSY (a page there cannot move), or -ENOMEM (there is no room for one that can).
 */
int alloc_contig_range(unsigned long start, unsigned long end);
void free_contig_range(unsigned long start, unsigned long count);
