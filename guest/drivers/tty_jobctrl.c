/* Whose controlling terminal it is, and who is in the foreground (credentials(7), termios(3)). */
#include "asm/irqflags.h"
#include "asm/uaccess.h"
#include "sched.h"
#include "tty.h"

int tty_check_change(const struct tty_struct *tty, int sig)
{
    const struct signal_struct *signal = current->signal;
    if (signal->tty != tty || tty->pgrp == 0 || signal->pgrp == tty->pgrp)
        return 0;
    /* Who does not care for the signal may change things, but never read. */
    bool is_unheeded =
        (current->blocked & sigmask(sig)) || current->sighand->action[sig - 1].sa_handler == SIG_IGN;
    if (is_unheeded)
        return sig == SIGTTIN ? -EIO : 0;
    if (is_orphaned_pgrp(signal->pgrp, NULL))
        return -EIO;
    kill_pgrp(signal->pgrp, sig);
    return -ERESTARTSYS;
}

static void set_controlling_tty(struct tty_struct *tty)
{
    tty->session = current->signal->session;
    tty->pgrp = current->signal->pgrp;
    current->signal->tty = tty;
}

void tty_open_proc_set_tty(struct tty_struct *tty)
{
    if (current->signal->is_leader && current->signal->tty == NULL && tty->session == 0)
        set_controlling_tty(tty);
}

/* Nobody in the session has a terminal any more. */
static void session_clear_tty(u32 session)
{
    struct task_struct *task;
    for_each_process(task)
    {
        if (task->signal->session == session)
            task->signal->tty = NULL;
    }
}

void disassociate_ctty(bool is_exit)
{
    struct tty_struct *tty = current->signal->tty;
    if (!current->signal->is_leader) {
        current->signal->tty = NULL;
        return;
    }
    if (tty == NULL)
        return;
    u32 pgrp = tty->pgrp;
    tty->session = tty->pgrp = 0;
    session_clear_tty(current->signal->session);
    if (pgrp) {
        kill_pgrp(pgrp, SIGHUP);
        if (!is_exit)
            kill_pgrp(pgrp, SIGCONT);
    }
}

static long tiocsctty(struct tty_struct *tty, u32 may_steal)
{
    const struct signal_struct *signal = current->signal;
    if (signal->is_leader && signal->session == tty->session)
        return 0;
    if (!signal->is_leader || signal->tty)
        return -EPERM;
    if (tty->session) {
        if (may_steal != 1 || !capable_root())
            return -EPERM;
        session_clear_tty(tty->session);
    }
    set_controlling_tty(tty);
    return 0;
}

static long tiocspgrp(struct tty_struct *tty, u32 user_pgrp)
{
    u32 pgrp;
    struct task_struct *task;
    int error = tty_check_change(tty, SIGTTOU);
    if (error)
        return error;
    if (current->signal->tty != tty || tty->session != current->signal->session)
        return -ENOTTY;
    if (get_user_u32(&pgrp, (const u32 *)user_pgrp))
        return -EFAULT;
    if ((s32)pgrp < 0)
        return -EINVAL;
    long result = -ESRCH;
    for_each_process(task)
    {
        if (task->signal->pgrp != pgrp)
            continue;
        result = -EPERM;
        if (task->signal->session == current->signal->session) {
            tty->pgrp = pgrp;
            return 0;
        }
    }
    return result;
}

long tty_jobctrl_ioctl(struct tty_struct *tty, u32 cmd, u32 arg)
{
    switch (cmd) {
    case TIOCNOTTY:
        if (current->signal->tty != tty)
            return -ENOTTY;
        disassociate_ctty(false);
        return 0;
    case TIOCSCTTY:
        return tiocsctty(tty, arg);
    case TIOCGPGRP:
        return current->signal->tty == tty ? put_user_u32(tty->pgrp, (u32 *)arg) : -ENOTTY;
    case TIOCSPGRP:
        return tiocspgrp(tty, arg);
    case TIOCGSID:
        return current->signal->tty == tty ? put_user_u32(tty->session, (u32 *)arg) : -ENOTTY;
    default:
        return -ENOTTY;
    }
}
