/* ioctl(2) on the terminal: how it behaves, how large it is (ioctl_tty(2)). */
#include "asm/irqflags.h"
#include "asm/uaccess.h"
#include "fs.h"
#include "ioctls.h"
#include "sched.h"
#include "tty.h"

enum { TCIFLUSH, TCOFLUSH, TCIOFLUSH };
enum { TCOOFF, TCOON, TCIOFF, TCION };

static long set_termios(struct tty_struct *tty, u32 user_termios, bool flushes)
{
    struct termios termios;
    int error = tty_check_change(tty, SIGTTOU);
    if (error)
        return error;
    if (copy_from_user(&termios, (const void *)user_termios, sizeof(termios)))
        return -EFAULT;
    unsigned long flags = local_irq_save();
    /* Output is never behind: it is on the consoles when write() returns. */
    if (flushes)
        n_tty_flush_input(&tty->n_tty);
    n_tty_set_termios(&tty->n_tty, &termios);
    local_irq_restore(flags);
    /* What could not be read before may be now. */
    wake_up(&tty->read_wait);
    wake_up(&tty->write_wait);
    return 0;
}

static void set_stopped(struct tty_struct *tty, bool is_stopped)
{
    tty->n_tty.is_stopped = is_stopped;
    wake_up(&tty->write_wait);
}

static long tcxonc(struct tty_struct *tty, u32 what)
{
    int error = tty_check_change(tty, SIGTTOU);
    if (error)
        return error;
    /* Whoever types is not told to stop: there is always room. */
    if (what == TCOOFF || what == TCOON)
        set_stopped(tty, what == TCOOFF);
    return what <= TCION ? 0 : -EINVAL;
}

static long tcflsh(struct tty_struct *tty, u32 what)
{
    int error = tty_check_change(tty, SIGTTOU);
    if (error)
        return error;
    if (what > TCIOFLUSH)
        return -EINVAL;
    unsigned long flags = local_irq_save();
    if (what != TCOFLUSH)
        n_tty_flush_input(&tty->n_tty);
    local_irq_restore(flags);
    return 0;
}

static long set_winsize(struct tty_struct *tty, u32 user_size)
{
    struct winsize size;
    if (copy_from_user(&size, (const void *)user_size, sizeof(size)))
        return -EFAULT;
    bool is_changed = size.ws_row != tty->winsize.ws_row || size.ws_col != tty->winsize.ws_col;
    tty->winsize = size;
    if (is_changed && tty->pgrp)
        kill_pgrp(tty->pgrp, SIGWINCH);
    return 0;
}

static u32 readable_bytes(struct tty_struct *tty)
{
    unsigned long flags = local_irq_save();
    u32 bytes = n_tty_input_bytes(&tty->n_tty);
    local_irq_restore(flags);
    return bytes;
}

static long simulate_input(const struct tty_struct *tty, u32 user_char)
{
    char c;
    if (current->signal->tty != tty && !capable_root())
        return -EPERM;
    if (copy_from_user(&c, (const void *)user_char, 1))
        return -EFAULT;
    tty_receive(&c, 1);
    return 0;
}

long tty_ioctl(struct file *file, u32 cmd, unsigned long arg)
{
    struct tty_struct *tty = file->private_data;
    u32 user = (u32)arg;
    switch (cmd) {
    case TCGETS:
        return copy_to_user((void *)user, &tty->n_tty.termios, sizeof(struct termios)) ? -EFAULT : 0;
    case TCSETS:
    case TCSETSW:
        return set_termios(tty, user, false);
    case TCSETSF:
        return set_termios(tty, user, true);
    case TCSBRK: /* With 1, waits for the output: it is there already. */
    case TCSBRKP:
        return tty_check_change(tty, SIGTTOU);
    case TCXONC:
        return tcxonc(tty, user);
    case TCFLSH:
        return tcflsh(tty, user);
    case TIOCGWINSZ:
        return copy_to_user((void *)user, &tty->winsize, sizeof(struct winsize)) ? -EFAULT : 0;
    case TIOCSWINSZ:
        return set_winsize(tty, user);
    case FIONREAD:
        return put_user_u32(readable_bytes(tty), (u32 *)user);
    case TIOCOUTQ:
    case TIOCGETD: /* N_TTY is 0 */
        return put_user_u32(0, (u32 *)user);
    case TIOCSTI:
        return simulate_input(tty, user);
    default:
        return tty_jobctrl_ioctl(tty, cmd, user);
    }
}
