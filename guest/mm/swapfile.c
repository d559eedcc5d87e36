/* Swap areas: swapon(2) and swapoff(2), and /proc/swaps (include/swapops.h). */
#include "asm/ptrace.h"
#include "cred.h"
#include "err.h"
#include "fs.h"
#include "mutex.h"
#include "namei.h"
#include "printk.h"
#include "sched.h"
#include "seq_file.h"
#include "slab.h"
#include "string.h"
#include "swap_area.h"
#include "sys_mm.h"
#include "vmalloc.h"

#define SWAP_FLAG_PREFER 0x8000u /* the lower bits are the priority */
#define SWAP_FLAG_PRIO_MASK 0x7FFFu
#define SWAP_FLAG_DISCARD_BITS 0x70000u /* hints for flash memory, which nothing here is */
#define SWAP_FLAGS_VALID (SWAP_FLAG_PREFER | SWAP_FLAG_PRIO_MASK | SWAP_FLAG_DISCARD_BITS)

/* One area comes or goes at a time. */
static DEFINE_MUTEX(swapon_mutex);
/* Areas without a priority get lower and lower ones: the first is filled first. */
static short least_priority = -1;

static struct swap_info_struct *area_of_file(const struct address_space *mapping)
{
    for (u32 i = 0; i < MAX_SWAPFILES; i++)
        if (swap_info[i].file && swap_info[i].file->f_mapping == mapping)
            return &swap_info[i];
    return NULL;
}

static struct swap_info_struct *unused_area(void)
{
    for (u32 i = 0; i < MAX_SWAPFILES; i++)
        if (swap_info[i].file == NULL)
            return &swap_info[i];
    return NULL;
}

/* The name of an area, in buf or before it. */
static const char *area_name(const struct swap_info_struct *si, char *buf, u32 bytes)
{
    const char *name = d_path(&si->file->f_path, buf, bytes);
    return IS_ERR(name) ? "?" : name;
}

static void announce(const struct swap_info_struct *si)
{
    char *buf = __getname();
    if (buf == NULL)
        return;
    const struct swap_extent *last = &si->extents[si->nr_extents - 1];
    u64 span = last->start_sector - si->extents[0].start_sector + ((u64)last->nr_slots << 3);
    pr_info("Adding %uk swap on %s.  Priority:%d extents:%u across:%lluk\n",
            si->nr_pages << (PAGE_SHIFT - 10), area_name(si, buf, PATH_MAX), si->prio, si->nr_extents,
            span / 2);
    putname(buf);
}

/* ---- swapon ---- */

static void enable(struct swap_info_struct *si, u32 flags)
{
    si->prio = (flags & SWAP_FLAG_PREFER) ? (short)(flags & SWAP_FLAG_PRIO_MASK) : --least_priority;
    si->is_used = true;
    si->is_writeok = true;
    nr_swap_pages += si->nr_pages;
    total_swap_pages += si->nr_pages;
}

static int open_area(struct swap_info_struct *si, const char *name)
{
    struct file *file = filp_open(name, O_RDONLY, 0);
    if (IS_ERR(file))
        return (int)PTR_ERR(file);
    umode_t mode = file_inode(file)->i_mode;
    int error = 0;
    if (!S_ISBLK(mode) && !S_ISREG(mode))
        error = -EINVAL;
    else if (area_of_file(file->f_mapping))
        error = -EBUSY;
    else
        error = swap_claim(file);
    if (error) {
        fput(file);
        return error;
    }
    *si = (struct swap_info_struct){.file = file, .type = (u32)(si - swap_info), .next = 1};
    return 0;
}

static void close_area(struct swap_info_struct *si)
{
    vfree(si->swap_map);
    vfree(si->slots);
    kfree(si->extents);
    swap_release(si->file);
    struct file *file = si->file;
    *si = (struct swap_info_struct){.file = NULL};
    fput(file);
}

static int do_swapon(const char *name, u32 flags)
{
    mutex_lock(&swapon_mutex);
    struct swap_info_struct *si = unused_area();
    int error = si ? open_area(si, name) : -EPERM;
    if (error == 0) {
        error = swap_setup(si);
        if (error) {
            close_area(si);
        } else {
            enable(si, flags);
            announce(si);
        }
    }
    mutex_unlock(&swapon_mutex);
    return error;
}

long sys_swapon(const struct pt_regs *regs)
{
    u32 flags = regs->cx;
    if (flags & ~SWAP_FLAGS_VALID)
        return -EINVAL;
    if (!capable_root())
        return -EPERM;
    char *name = getname((const char *)regs->bx);
    if (IS_ERR(name))
        return PTR_ERR(name);
    long error = do_swapon(name, flags);
    putname(name);
    return error;
}

/* ---- swapoff ---- */

/* No slot is given out any more, and those that are free are nobody's choice. */
static void disable(struct swap_info_struct *si)
{
    si->is_writeok = false;
    nr_swap_pages -= si->nr_pages - si->nr_inuse;
    total_swap_pages -= si->nr_pages;
}

static int end_area(struct swap_info_struct *si)
{
    disable(si);
    int error = try_to_unuse(si);
    if (error) {
        si->is_writeok = true;
        nr_swap_pages += si->nr_pages - si->nr_inuse;
        total_swap_pages += si->nr_pages;
        return error;
    }
    si->is_used = false;
    close_area(si);
    return 0;
}

static int do_swapoff(const char *name)
{
    struct file *file = filp_open(name, O_RDONLY, 0);
    if (IS_ERR(file))
        return (int)PTR_ERR(file);
    mutex_lock(&swapon_mutex);
    struct swap_info_struct *si = area_of_file(file->f_mapping);
    int error = si ? end_area(si) : -EINVAL;
    mutex_unlock(&swapon_mutex);
    fput(file);
    return error;
}

long sys_swapoff(const struct pt_regs *regs)
{
    if (!capable_root())
        return -EPERM;
    char *name = getname((const char *)regs->bx);
    if (IS_ERR(name))
        return PTR_ERR(name);
    long error = do_swapoff(name);
    putname(name);
    return error;
}

bool is_swap_device(const struct block_device *bdev)
{
    for (u32 i = 0; i < MAX_SWAPFILES; i++)
        if (swap_info[i].file && swap_info[i].bdev == bdev)
            return true;
    return false;
}

void swapoff_all(void)
{
    for (u32 i = 0; i < MAX_SWAPFILES; i++)
        if (swap_info[i].is_used && end_area(&swap_info[i]))
            pr_err("swap area %u cannot be given up\n", i);
}

/* ---- /proc/swaps ---- */

void swaps_show(struct seq_file *m)
{
    seq_printf(m, "Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n");
    char *buf = __getname();
    if (buf == NULL)
        return;
    for (u32 i = 0; i < MAX_SWAPFILES; i++) {
        const struct swap_info_struct *si = &swap_info[i];
        if (!si->is_used)
            continue;
        const char *name = area_name(si, buf, PATH_MAX);
        int length = (int)strlen(name);
        seq_printf(m, "%s%*s%s\t%u\t%u\t%d\n", name, length < 40 ? 40 - length : 1, " ",
                   S_ISBLK(file_inode(si->file)->i_mode) ? "partition" : "file\t",
                   si->nr_pages << (PAGE_SHIFT - 10), si->nr_inuse << (PAGE_SHIFT - 10), si->prio);
    }
    putname(buf);
}
