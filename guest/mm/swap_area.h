/* What swapon and swapoff are made of (swapfile.c, swap_setup.c, swap_unuse.c). */
#pragma once

#include "fs.h"
#include "swap_info.h"

/*
 * Nobody else writes to a file that is a swap area, or takes its name away. -EBUSY: a device that is mounted;
 * -ETXTBSY: a file that somebody has open for writing.
 */
int swap_claim(struct file *file);
void swap_release(struct file *file);
/*
 * Reads the header of si->file and makes ready all that an area needs. 0, -EINVAL (no swap area, or one that
 * is damaged; the console says how), -ENOMEM or an error of reading.
 */
int swap_setup(struct swap_info_struct *si);
/*
 * Brings everything in the area back into memory. 0, -ENOMEM, -EIO (pages that cannot be read, which stay),
 * -EINTR: a signal has come.
 */
int try_to_unuse(struct swap_info_struct *si);
