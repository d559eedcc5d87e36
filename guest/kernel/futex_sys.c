/* The system calls about futexes, and what is left of them when a task ends. */
#include "asm/ptrace.h"
#include "asm/uaccess.h"
#include "futex.h"
#include "futex_internal.h"
#include "sched.h"
#include "sys_task.h"
#include "sys_time.h"
#include "timekeeping.h"

/* A list that does not end was made by somebody with bad intentions. */
#define ROBUST_LIST_LIMIT 2048
#define ROBUST_LIST_HEAD_BYTES 12u

int get_futex_key(u32 address, bool is_private, struct futex_key *key)
{
    /* Only CLONE_VM shares anonymous memory for writing: shared memory is that of one address space. */
    (void)is_private;
    if (address % sizeof(u32))
        return -EINVAL;
    if (!access_ok((const void *)address, sizeof(u32)))
        return -EFAULT;
    *key = (struct futex_key){.object = current->mm, .offset = address};
    return 0;
}

static bool takes_timeout(u32 command)
{
    return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
}

/* FUTEX_WAIT's is a stretch of time, FUTEX_WAIT_BITSET's a point in time by one of two clocks. */
static u64 absolute_ns(u32 op, u64 ns)
{
    u64 now = ktime_get_ns();
    if ((op & FUTEX_CMD_MASK) == FUTEX_WAIT)
        return ns + now < ns ? ~0ull : ns + now;
    if (!(op & FUTEX_CLOCK_REALTIME))
        return ns;
    u64 real = ktime_get_real_ns();
    return ns <= real ? now : now + (ns - real);
}

static long futex(const struct pt_regs *regs, int (*get_time)(u64 *ns, u32 user_time))
{
    u32 command = regs->cx & FUTEX_CMD_MASK;
    const struct futex_request request = {.address = regs->bx,
                                          .op = regs->cx,
                                          .value = regs->dx,
                                          .value2 = regs->si,
                                          .address2 = regs->di,
                                          .value3 = regs->bp};
    u64 until_ns;
    if (!takes_timeout(command) || regs->si == 0)
        return do_futex(&request, NULL);
    int error = get_time(&until_ns, regs->si);
    if (error)
        return error;
    until_ns = absolute_ns(regs->cx, until_ns);
    return do_futex(&request, &until_ns);
}

long sys_futex(const struct pt_regs *regs)
{
    return futex(regs, get_timespec32);
}

long sys_futex_time64(const struct pt_regs *regs)
{
    return futex(regs, get_timespec64);
}

long sys_set_robust_list(const struct pt_regs *regs)
{
    if (regs->cx != ROBUST_LIST_HEAD_BYTES)
        return -EINVAL;
    current->robust_list = regs->bx;
    return 0;
}

long sys_get_robust_list(const struct pt_regs *regs)
{
    const struct task_struct *task = regs->bx ? find_task(regs->bx) : current;
    if (task == NULL)
        return -ESRCH;
    if (put_user_u32(task->robust_list, (u32 *)regs->cx) ||
        put_user_u32(ROBUST_LIST_HEAD_BYTES, (u32 *)regs->dx))
        return -EFAULT;
    return 0;
}

/* The lock's owner ends: the next one may know. */
static bool handle_futex_death(u32 address)
{
    u32 word;
    if (address % sizeof(u32) || get_user_u32(&word, (const u32 *)address))
        return false;
    if ((word & FUTEX_TID_MASK) != current->pid)
        return true;
    if (put_user_u32((word & FUTEX_WAITERS) | FUTEX_OWNER_DIED, (u32 *)address))
        return false;
    if (word & FUTEX_WAITERS)
        futex_wake_address(address);
    return true;
}

/* struct robust_list_head: the first entry, where locks lie from their entries, one that is being taken. */
void exit_robust_list(void)
{
    u32 head = current->robust_list, entry, offset, taken;
    current->robust_list = 0;
    if (head == 0 || current->mm == NULL)
        return;
    const u32 *words = (const u32 *)head;
    if (get_user_u32(&entry, words) || get_user_u32(&offset, words + 1) || get_user_u32(&taken, words + 2))
        return;
    for (u32 i = 0; entry != head && i < ROBUST_LIST_LIMIT; i++) {
        u32 next;
        /* Bit 0 of an entry says what kind of lock it is. */
        bool is_readable = get_user_u32(&next, (const u32 *)(entry & ~1u)) == 0;
        if (entry != taken && !handle_futex_death((entry & ~1u) + offset))
            return;
        if (!is_readable)
            return;
        entry = next;
    }
    if (taken)
        handle_futex_death((taken & ~1u) + offset);
}
