/* Files that hold the text of one function (include/seq_file.h). */
#include "asm/uaccess.h"
#include "errno.h"
#include "fs.h"
#include "seq_file.h"
#include "slab.h"
#include "string.h"
#include "vmalloc.h"

/* Behind file->private_data. */
struct single_file {
    int (*show)(struct seq_file *m, void *data);
    void *data;
    char *text; /* NULL: not made yet */
    size_t text_bytes, room;
};

/* No text of this kernel's is longer than a fraction of this. */
#define ROOM_MOST (4u << 20)

static void *alloc_room(size_t bytes)
{
    return bytes <= KMALLOC_MAX_SIZE ? kmalloc(bytes, GFP_KERNEL) : vmalloc(bytes);
}

static void free_room(struct single_file *single)
{
    if (single->room <= KMALLOC_MAX_SIZE)
        kfree(single->text);
    else
        vfree(single->text);
    single->text = NULL;
}

int single_open(struct file *file, int (*show)(struct seq_file *m, void *data), void *data)
{
    struct single_file *single = kzalloc(sizeof(*single), GFP_KERNEL);
    if (single == NULL)
        return -ENOMEM;
    *single = (struct single_file){.show = show, .data = data, .room = PAGE_SIZE};
    file->private_data = single;
    return 0;
}

int single_release(struct inode *inode, struct file *file)
{
    struct single_file *single = file->private_data;
    (void)inode;
    free_room(single);
    kfree(single);
    return 0;
}

static int make_text(struct single_file *single)
{
    for (;;) {
        if (single->text == NULL)
            single->text = alloc_room(single->room);
        if (single->text == NULL)
            return -ENOMEM;
        struct seq_file m = {.buf = single->text, .size = single->room};
        int error = single->show(&m, single->data);
        if (error == 0 && !seq_has_overflowed(&m)) {
            single->text_bytes = m.count;
            return 0;
        }
        free_room(single);
        if (error)
            return error;
        if (single->room >= ROOM_MOST)
            return -EFBIG;
        single->room *= 2;
    }
}

ssize_t single_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
    struct single_file *single = file->private_data;
    if (*pos == 0 || single->text == NULL) {
        int error = make_text(single);
        if (error)
            return error;
    }
    if (*pos < 0 || *pos >= (loff_t)single->text_bytes)
        return 0;
    count = min(count, single->text_bytes - (size_t)*pos);
    if (copy_to_user(buf, single->text + *pos, count))
        return -EFAULT;
    *pos += (loff_t)count;
    return (ssize_t)count;
}
