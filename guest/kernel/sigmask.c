/* Which signals are blocked, and for how long. */
#include "asm/uaccess.h"
#include "sched.h"

#define NEVER_BLOCKED (sigmask(SIGKILL) | sigmask(SIGSTOP))

void set_current_blocked(sigset_t blocked)
{
    current->blocked = blocked & ~NEVER_BLOCKED;
    recalc_sigpending();
}

void signal_delivered(int sig, const struct k_sigaction *action)
{
    sigset_t blocked = current->blocked | action->sa_mask;
    if (!(action->sa_flags & SA_NODEFER))
        blocked |= sigmask(sig);
    set_current_blocked(blocked);
}

void flush_signal_handlers(void)
{
    for (int i = 0; i < NR_SIGNALS; i++) {
        struct k_sigaction *action = &current->sighand->action[i];
        *action = (struct k_sigaction){.sa_handler = action->sa_handler == SIG_IGN ? SIG_IGN : SIG_DFL};
    }
}

int set_user_sigmask(const sigset_t *user_mask, u32 bytes)
{
    sigset_t mask;
    if (user_mask == NULL)
        return 0;
    if (bytes != sizeof(mask))
        return -EINVAL;
    if (copy_from_user(&mask, user_mask, sizeof(mask)))
        return -EFAULT;
    current->saved_sigmask = current->blocked;
    current->restores_sigmask = true;
    set_current_blocked(mask);
    return 0;
}

void restore_saved_sigmask_unless(bool interrupted)
{
    if (interrupted || !current->restores_sigmask)
        return;
    current->restores_sigmask = false;
    set_current_blocked(current->saved_sigmask);
}
