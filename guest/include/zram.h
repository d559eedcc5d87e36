/*
 * /dev/zram0: a disk whose sectors lie in memory, compressed. As swap it makes room by computing: a page that
 * does not change for long takes a fraction of its frame. /proc/zram0 sets it up and says what it has;
 * zram=SIZE on the command line does so at the boot.
 */
#pragma once

#include "types.h"

struct seq_file;

/* At the boot: the device, of no sectors so far. */
void zram_init(void);
/* The size that the command line wants, if any; and the end: all it holds goes. */
void zram_start(void);
void zram_end(void);

/* /proc/zram0: bytes of the disk. -EBUSY: it has a size already; -EINVAL: none; -ENOMEM. */
void zram_disksize_show(struct seq_file *m);
int zram_disksize_store(const char *text);
/* Anything but 0 makes it a disk of no sectors again. -EBUSY: it is used. */
int zram_reset_store(const char *text);
/*
 * Linux's columns: bytes stored and what they are compressed, bytes of memory taken, 0 (the limit), the most
 * taken, pages of one word, 0 (compacted), pages that could not be compressed.
 */
void zram_mm_stat_show(struct seq_file *m);
void zram_comp_algorithm_show(struct seq_file *m);
