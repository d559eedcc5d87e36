/* Times as programs give them. */
#include "asm/uaccess.h"
#include "jiffies.h"
#include "math64.h"
#include "sys_time.h"
#include "timekeeping.h"
#include "wait.h"

#define NS_A_SECOND ((u32)NSEC_PER_SEC)
#define MOST_SECONDS (~0ull / NS_A_SECOND)
#define MOST_TICKS 0x7FFFFFFEl

static int make_ns(u64 *ns, s64 seconds, u32 nanoseconds)
{
    if (seconds < 0 || nanoseconds >= NS_A_SECOND)
        return -EINVAL;
    *ns = (u64)seconds >= MOST_SECONDS ? ~0ull : (u64)seconds * NS_A_SECOND + nanoseconds;
    return 0;
}

int get_timespec32(u64 *ns, u32 user_time)
{
    u32 words[2];
    if (copy_from_user(words, (const void *)user_time, sizeof(words)))
        return -EFAULT;
    return make_ns(ns, (s32)words[0], words[1]);
}

/* The upper half of the nanoseconds is padding: the user need not care what is in it. */
int get_timespec64(u64 *ns, u32 user_time)
{
    struct {
        s64 seconds;
        u32 nanoseconds, padding;
    } time;
    if (copy_from_user(&time, (const void *)user_time, sizeof(time)))
        return -EFAULT;
    return make_ns(ns, time.seconds, time.nanoseconds);
}

int put_timespec32(u64 ns, u32 user_time)
{
    u32 words[2];
    words[0] = (u32)div_u64_rem(ns, NS_A_SECOND, &words[1]);
    return copy_to_user((void *)user_time, words, sizeof(words)) ? -EFAULT : 0;
}

int put_timespec64(u64 ns, u32 user_time)
{
    u32 words[4] = {0};
    u64 seconds = div_u64_rem(ns, NS_A_SECOND, &words[2]);
    words[0] = (u32)seconds;
    words[1] = (u32)(seconds >> 32);
    return copy_to_user((void *)user_time, words, sizeof(words)) ? -EFAULT : 0;
}

long ticks_until(u64 ns)
{
    u64 now = ktime_get_ns();
    if (ns <= now)
        return 0;
    /* One more, because the running tick is partly over. */
    u64 ticks = div_u64(ns - now + NSEC_PER_TICK - 1, NSEC_PER_TICK) + 1;
    return ticks > MOST_TICKS ? MOST_TICKS : (long)ticks;
}
