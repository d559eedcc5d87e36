/* The terminal's files: reading, writing, waiting (read(2) and termios(3) on terminals). */
#include "tty.h"
#include "asm/irqflags.h"
#include "asm/uaccess.h"
#include "fs.h"
#include "jiffies.h"
#include "poll.h"
#include "printk.h"
#include "sched.h"

#define PIECE_BYTES 128u
#define TENTH_TICKS (HZ / 10)

static void show(struct n_tty *n_tty, const char *text, u32 bytes)
{
    (void)n_tty;
    console_write_raw(text, bytes);
}

static void signal_foreground(struct n_tty *n_tty, int sig)
{
    const struct tty_struct *tty = container_of(n_tty, struct tty_struct, n_tty);
    if (tty->pgrp)
        kill_pgrp(tty->pgrp, sig);
}

struct tty_struct console_tty = {
    .n_tty = {.write = show, .signal = signal_foreground},
    .winsize = {.ws_row = 25, .ws_col = 80},
    .read_wait = WAIT_QUEUE_HEAD_INIT(console_tty.read_wait),
    .write_wait = WAIT_QUEUE_HEAD_INIT(console_tty.write_wait),
};

void tty_receive(const char *text, u32 bytes)
{
    struct tty_struct *tty = &console_tty;
    unsigned long flags = local_irq_save();
    bool was_stopped = tty->n_tty.is_stopped;
    for (u32 i = 0; i < bytes; i++)
        n_tty_receive_char(&tty->n_tty, (u8)text[i]);
    if (n_tty_input_available(&tty->n_tty, true) || tty->n_tty.termios.c_cc[VTIME])
        wake_up(&tty->read_wait);
    if (was_stopped && !tty->n_tty.is_stopped)
        wake_up(&tty->write_wait);
    local_irq_restore(flags);
}

/* How long a read waits: for how many characters, and how many ticks for the first one and the next ones. */
struct patience {
    u32 minimum;
    long first_ticks, next_ticks;
};

static struct patience patience_of(const struct tty_struct *tty)
{
    const u8 *cc = tty->n_tty.termios.c_cc;
    long time_ticks = cc[VTIME] * TENTH_TICKS;
    if (tty->n_tty.termios.c_lflag & ICANON)
        return (struct patience){.minimum = 1, .first_ticks = MAX_SCHEDULE_TIMEOUT};
    if (cc[VMIN] == 0)
        return (struct patience){.minimum = 0, .first_ticks = time_ticks};
    return (struct patience){
        .minimum = cc[VMIN], .first_ticks = MAX_SCHEDULE_TIMEOUT, .next_ticks = time_ticks};
}

/* Takes what there is, a piece at a time, so that the user's page may come in between. */
static ssize_t take_to_user(struct tty_struct *tty, char __user *buf, size_t count, bool *ends)
{
    char piece[PIECE_BYTES];
    size_t done = 0;
    *ends = false;
    while (done < count && !*ends) {
        unsigned long flags = local_irq_save();
        u32 bytes = n_tty_take(&tty->n_tty, piece, (u32)min(count - done, sizeof(piece)), ends);
        local_irq_restore(flags);
        if (copy_to_user(buf + done, piece, bytes))
            return -EFAULT;
        done += bytes;
        if (bytes < sizeof(piece))
            break;
    }
    return (ssize_t)done;
}

static ssize_t tty_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
    struct tty_struct *tty = file->private_data;
    struct patience patience = patience_of(tty);
    long ticks = patience.first_ticks;
    size_t done = 0;
    (void)pos;
    int error = tty_check_change(tty, SIGTTIN);
    if (error)
        return error;
    while (done < count) {
        if (!n_tty_input_available(&tty->n_tty, false)) {
            if (ticks == 0)
                break;
            if (file->f_flags & O_NONBLOCK)
                return done ? (ssize_t)done : -EAGAIN;
            long left = wait_event_interruptible_timeout(tty->read_wait,
                                                         n_tty_input_available(&tty->n_tty, false), ticks);
            if (left < 0)
                return done ? (ssize_t)done : left;
            if (left == 0)
                break;
            /* Who was in the foreground when it began may be no more. */
            error = tty_check_change(tty, SIGTTIN);
            if (error)
                return done ? (ssize_t)done : error;
            continue;
        }
        bool ends, is_canonical = tty->n_tty.termios.c_lflag & ICANON;
        ssize_t bytes = take_to_user(tty, buf + done, count - done, &ends);
        if (bytes < 0)
            return bytes;
        done += (size_t)bytes;
        if (is_canonical || done >= patience.minimum)
            break;
        if (patience.next_ticks)
            ticks = patience.next_ticks;
    }
    return (ssize_t)done;
}

/* The column is counted with interrupts off, since what is typed is echoed there too; sending takes long. */
static u32 send_piece(struct tty_struct *tty, const char *piece, u32 bytes)
{
    char out[PIECE_BYTES];
    u32 out_bytes;
    unsigned long flags = local_irq_save();
    u32 used = n_tty_opost(&tty->n_tty, piece, bytes, out, sizeof(out), &out_bytes);
    local_irq_restore(flags);
    console_write_raw(out, out_bytes);
    return used;
}

static ssize_t tty_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
    struct tty_struct *tty = file->private_data;
    char piece[PIECE_BYTES];
    size_t done = 0;
    (void)pos;
    int error = tty->n_tty.termios.c_lflag & TOSTOP ? tty_check_change(tty, SIGTTOU) : 0;
    while (error == 0 && done < count) {
        if (tty->n_tty.is_stopped && (file->f_flags & O_NONBLOCK))
            error = -EAGAIN;
        else
            error = wait_event_interruptible(tty->write_wait, !READ_ONCE(tty->n_tty.is_stopped));
        if (error)
            break;
        u32 bytes = (u32)min(count - done, sizeof(piece)), copied;
        copied = bytes - (u32)copy_from_user(piece, buf + done, bytes);
        for (u32 sent = 0; sent < copied;)
            sent += send_piece(tty, piece + sent, copied - sent);
        done += copied;
        if (copied < bytes)
            error = -EFAULT;
    }
    return done ? (ssize_t)done : error;
}

static u32 tty_poll(struct file *file, struct poll_table *table)
{
    struct tty_struct *tty = file->private_data;
    u32 mask = 0;
    poll_wait(&tty->read_wait, table);
    poll_wait(&tty->write_wait, table);
    if (n_tty_input_available(&tty->n_tty, true))
        mask |= EPOLLIN | EPOLLRDNORM;
    if (!tty->n_tty.is_stopped)
        mask |= EPOLLOUT | EPOLLWRNORM;
    return mask;
}

/* /dev/tty is the terminal of who opens it; /dev/console is init's, whose own it does not become. */
static int tty_open(struct inode *inode, struct file *file)
{
    bool is_aux = MAJOR(inode->i_rdev) == TTYAUX_MAJOR;
    if (is_aux && MINOR(inode->i_rdev) == 0 && current->signal->tty == NULL)
        return -ENXIO;
    file->private_data = &console_tty;
    if (!is_aux && !(file->f_flags & O_NOCTTY))
        tty_open_proc_set_tty(&console_tty);
    return nonseekable_open(inode, file);
}

static const struct file_operations tty_fops = {.llseek = no_llseek,
                                                .open = tty_open,
                                                .read = tty_read,
                                                .write = tty_write,
                                                .poll = tty_poll,
                                                .unlocked_ioctl = tty_ioctl};

void __init tty_init(void)
{
    n_tty_init(&console_tty.n_tty);
}

void __init tty_devices_init(void)
{
    register_chrdev(TTYAUX_MAJOR, 0, 2, "tty", &tty_fops);
    register_chrdev(TTY_MAJOR, 0, 2, "tty", &tty_fops);
    register_chrdev(TTY_MAJOR, TTY_CONSOLE_MINOR, 1, "ttyS", &tty_fops);
    devtmpfs_create_node("tty", S_IFCHR | 0666, MKDEV(TTYAUX_MAJOR, 0));
    devtmpfs_create_node("console", S_IFCHR | 0600, MKDEV(TTYAUX_MAJOR, 1));
    devtmpfs_create_node("tty0", S_IFCHR | 0620, MKDEV(TTY_MAJOR, 0));
    devtmpfs_create_node("tty1", S_IFCHR | 0620, MKDEV(TTY_MAJOR, 1));
    devtmpfs_create_node("ttyS0", S_IFCHR | 0620, MKDEV(TTY_MAJOR, TTY_CONSOLE_MINOR));
}
