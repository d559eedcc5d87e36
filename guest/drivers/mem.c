/* The devices without hardware: null, zero, full, random, urandom, kmsg. */
#include "errno.h"
#include "fs.h"
#include "printk.h"
#include "random.h"
#include "sched.h"
#include "string.h"
#include "uaccess.h"

#define MEM_MAJOR 1u
#define PIECE_BYTES 256u

static ssize_t read_null(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
    (void)file;
    (void)buf;
    (void)count;
    (void)pos;
    return 0;
}

static ssize_t write_null(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
    (void)file;
    (void)buf;
    *pos += (loff_t)count;
    return (ssize_t)count;
}

static ssize_t write_full(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
    (void)file;
    (void)buf;
    (void)count;
    (void)pos;
    return -ENOSPC;
}

/* Pieces that make() has filled, until a signal comes. */
static ssize_t read_made(char __user *buf, size_t count, void (*make)(void *piece, u32 bytes))
{
    u8 piece[PIECE_BYTES];
    size_t done = 0;
    while (done < count) {
        u32 bytes = (u32)min(count - done, (size_t)PIECE_BYTES);
        if (done && signal_pending(current))
            break;
        make(piece, bytes);
        if (copy_to_user(buf + done, piece, bytes))
            return done ? (ssize_t)done : -EFAULT;
        done += bytes;
        if (need_resched)
            schedule();
    }
    return (ssize_t)done;
}

static void make_zeroes(void *piece, u32 bytes)
{
    memset(piece, 0, bytes);
}

static ssize_t read_zero(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
    (void)file;
    (void)pos;
    return read_made(buf, count, make_zeroes);
}

static ssize_t read_random(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
    (void)file;
    (void)pos;
    return read_made(buf, count, get_random_bytes);
}

/* Each write is a message. */
static ssize_t write_kmsg(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
    char text[PIECE_BYTES];
    size_t bytes = min(count, sizeof(text) - 1);
    (void)file;
    (void)pos;
    if (copy_from_user(text, buf, bytes))
        return -EFAULT;
    text[bytes] = '\0';
    printk("%s%s", text, bytes && text[bytes - 1] == '\n' ? "" : "\n");
    return (ssize_t)count;
}

static const struct file_operations null_fops = {
    .llseek = noop_llseek, .read = read_null, .write = write_null};
static const struct file_operations zero_fops = {
    .llseek = noop_llseek, .read = read_zero, .write = write_null};
static const struct file_operations full_fops = {
    .llseek = noop_llseek, .read = read_zero, .write = write_full};
static const struct file_operations random_fops = {
    .llseek = noop_llseek, .read = read_random, .write = write_null};
static const struct file_operations kmsg_fops = {.llseek = noop_llseek, .write = write_kmsg};

/* Linux's minors. */
static const struct {
    u32 minor;
    const char *name;
    umode_t mode;
    const struct file_operations *fops;
} devices[] = {
    {3, "null", 0666, &null_fops},     {5, "zero", 0666, &zero_fops},      {7, "full", 0666, &full_fops},
    {8, "random", 0666, &random_fops}, {9, "urandom", 0666, &random_fops}, {11, "kmsg", 0644, &kmsg_fops},
};

static int memory_open(struct inode *inode, struct file *file)
{
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        if (devices[i].minor == MINOR(inode->i_rdev)) {
            file->f_op = devices[i].fops;
            return 0;
        }
    }
    return -ENXIO;
}

static const struct file_operations memory_fops = {.open = memory_open, .llseek = noop_llseek};

void chr_dev_init(void)
{
    register_chrdev(MEM_MAJOR, 0, 256, "mem", &memory_fops);
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
        devtmpfs_create_node(devices[i].name, (umode_t)(S_IFCHR | devices[i].mode),
                             MKDEV(MEM_MAJOR, devices[i].minor));
}
