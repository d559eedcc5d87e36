/* Character devices: from the number in an inode to the driver. */
#include "err.h"
#include "internal.h"
#include "seq_file.h"

#define NR_CHRDEVS_MOST 32u

static struct char_device_struct {
    u32 major, base_minor, count;
    const char *name;
    const struct file_operations *fops;
} chrdevs[NR_CHRDEVS_MOST];
static u32 nr_chrdevs;

static bool overlaps(const struct char_device_struct *dev, u32 major, u32 base_minor, u32 count)
{
    return dev->major == major && base_minor < dev->base_minor + dev->count &&
           dev->base_minor < base_minor + count;
}

static const struct char_device_struct *find_chrdev(u32 major, u32 base_minor, u32 count)
{
    for (u32 i = 0; i < nr_chrdevs; i++)
        if (overlaps(&chrdevs[i], major, base_minor, count))
            return &chrdevs[i];
    return NULL;
}

int register_chrdev(u32 major, u32 base_minor, u32 count, const char *name,
                    const struct file_operations *fops)
{
    if (nr_chrdevs == NR_CHRDEVS_MOST || find_chrdev(major, base_minor, count))
        return -EBUSY;
    chrdevs[nr_chrdevs++] = (struct char_device_struct){
        .major = major, .base_minor = base_minor, .count = count, .name = name, .fops = fops};
    return 0;
}

static int chrdev_open(struct inode *inode, struct file *file)
{
    const struct char_device_struct *dev = find_chrdev(MAJOR(inode->i_rdev), MINOR(inode->i_rdev), 1);
    if (dev == NULL)
        return -ENXIO;
    file->f_op = dev->fops;
    return file->f_op->open ? file->f_op->open(inode, file) : 0;
}

const struct file_operations def_chr_fops = {.open = chrdev_open, .llseek = noop_llseek};

void devices_show(struct seq_file *m)
{
    seq_printf(m, "Character devices:\n");
    for (u32 i = 0; i < nr_chrdevs; i++)
        seq_printf(m, "%3u %s\n", chrdevs[i].major, chrdevs[i].name);
    seq_printf(m, "\nBlock devices:\n");
    blkdev_devices_show(m);
}
