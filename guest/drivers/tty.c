#include "tty.h"
#include "asm/irqflags.h"
#include "asm/uaccess.h"
#include "completion.h"
#include "errno.h"
#include "fs.h"
#include "jiffies.h"
#include "printk.h"
#include "sched.h"

#define QUEUE_BYTES 1024u /* a power of two */
#define CTRL_D 4

/*
 * Lines that wait to be read, and the one that is being typed: characters from nr_read on, of which those
 * from line_start on can still be taken back. A line ends with a newline, or with CTRL_D, which nobody
 * reads.
 */
static char queue[QUEUE_BYTES];
static u32 nr_read, line_start, nr_typed;
static u32 nr_lines; /* that have ended and are not read to their end */
static struct completion line_came;

static void put(char c)
{
    queue[nr_typed++ % QUEUE_BYTES] = c;
}

static void end_line(char c)
{
    put(c);
    line_start = nr_typed;
    nr_lines++;
    complete(&line_came);
}

/* Characters for which there is no room are lost, but for the one that ends the line. */
void tty_receive_char(char c)
{
    u32 room = QUEUE_BYTES - (nr_typed - nr_read);
    if (c == '\b') {
        if (nr_typed != line_start) {
            nr_typed--;
            console_write("\b \b", 3);
        }
        return;
    }
    if (room <= 1 && !(room == 1 && c == '\n'))
        return;
    if (c != CTRL_D)
        console_write(&c, 1);
    if (c == '\n' || c == CTRL_D)
        end_line(c);
    else
        put(c);
}

/* Up to the line's end, which is passed over when it is CTRL_D. */
static u32 take(char *to, u32 bytes)
{
    u32 nr = 0;
    unsigned long flags = local_irq_save();
    while (nr < bytes && nr_lines) {
        char c = queue[nr_read++ % QUEUE_BYTES];
        if (c != CTRL_D)
            to[nr++] = c;
        if (c == '\n' || c == CTRL_D) {
            nr_lines--;
            break;
        }
    }
    local_irq_restore(flags);
    return nr;
}

long tty_read(void __user *to, u32 bytes)
{
    char line[256];
    while (READ_ONCE(nr_lines) == 0) {
        if (signal_pending(current))
            return -EINTR;
        reinit_completion(&line_came);
        if (READ_ONCE(nr_lines) == 0)
            wait_for_completion_timeout(&line_came, HZ);
    }
    u32 nr = take(line, min(bytes, (u32)sizeof(line)));
    return copy_to_user(to, line, nr) ? -EFAULT : (long)nr;
}

static ssize_t tty_file_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
    (void)file;
    (void)pos;
    return tty_read(buf, count);
}

static ssize_t tty_file_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
    char piece[256];
    size_t done = 0;
    (void)file;
    (void)pos;
    while (done < count) {
        size_t bytes = min(count - done, sizeof(piece));
        size_t missing = copy_from_user(piece, buf + done, bytes);
        console_write(piece, bytes - missing);
        done += bytes - missing;
        if (missing)
            return done ? (ssize_t)done : -EFAULT;
    }
    return (ssize_t)done;
}

static const struct file_operations tty_fops = {
    .llseek = no_llseek, .open = nonseekable_open, .read = tty_file_read, .write = tty_file_write};

#define TTYAUX_MAJOR 5u

void __init tty_init(void)
{
    register_chrdev(TTYAUX_MAJOR, 0, 2, "tty", &tty_fops);
    devtmpfs_create_node("tty", S_IFCHR | 0666, MKDEV(TTYAUX_MAJOR, 0));
    devtmpfs_create_node("console", S_IFCHR | 0600, MKDEV(TTYAUX_MAJOR, 1));
}
