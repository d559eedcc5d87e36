/*
 * Futexes. Who waits stands in a queue by what the address means: (address space, address) is all there is
 * to it for private memory; memory that is shared by file pages is known by its page and the place in it.
 */
#include "futex.h"
#include "asm/ptrace.h"
#include "asm/uaccess.h"
#include "futex_internal.h"
#include "jiffies.h"
#include "sched.h"
#include "sys_time.h"
#include "timekeeping.h"

#define NR_QUEUES 64u
static struct list_head queues[NR_QUEUES];

struct futex_q {
    struct list_head list;
    struct task_struct *task;
    struct futex_key key;
    u32 bitset;
    bool is_woken;
};

static struct list_head *queue_of(const struct futex_key *key)
{
    struct list_head *queue = &queues[((u32)key->object / 64 + key->offset / 4) % NR_QUEUES];
    if (queue->next == NULL)
        INIT_LIST_HEAD(queue);
    return queue;
}

static bool is_same(const struct futex_key *a, const struct futex_key *b)
{
    return a->object == b->object && a->offset == b->offset;
}

/* Wakes up to nr of those whose bits are in the set. */
static u32 wake(const struct futex_key *key, u32 nr, u32 bitset)
{
    u32 woken = 0;
    struct list_head *queue = queue_of(key), *at = queue->next;
    while (at != queue && woken < nr) {
        struct futex_q *waiter = list_entry(at, struct futex_q, list);
        at = at->next;
        if (!is_same(&waiter->key, key) || !(waiter->bitset & bitset))
            continue;
        list_del_init(&waiter->list);
        waiter->is_woken = true;
        wake_up_process(waiter->task);
        woken++;
    }
    return woken;
}

static long futex_wake(u32 address, bool is_private, u32 nr, u32 bitset)
{
    struct futex_key key;
    if (bitset == 0)
        return -EINVAL;
    int error = get_futex_key(address, is_private, &key);
    return error ? error : (long)wake(&key, nr, bitset);
}

void futex_wake_address(u32 address)
{
    futex_wake(address, false, 1, FUTEX_BITSET_MATCH_ANY);
}

static long wait_restart(struct restart_block *restart)
{
    return futex_wait(restart->user_address, restart->flags, restart->val, restart->bitset,
                      &restart->expires);
}

/* until_ns: of the monotonic clock; NULL: for ever. */
long futex_wait(u32 address, u32 flags, u32 value, u32 bitset, const u64 *until_ns)
{
    struct futex_q waiter = {.task = current, .bitset = bitset};
    u32 now;
    if (bitset == 0)
        return -EINVAL;
    int error = get_futex_key(address, flags & FUTEX_PRIVATE_FLAG, &waiter.key);
    if (error)
        return error;
    /* Reading may sleep, but between reading and sleeping nobody else runs: no wake-up is lost. */
    if (get_user_u32(&now, (const u32 *)address))
        return -EFAULT;
    if (now != value)
        return -EAGAIN;
    list_add_tail(&waiter.list, queue_of(&waiter.key));
    while (!waiter.is_woken && !signal_pending(current) && !(until_ns && ktime_get_ns() >= *until_ns)) {
        set_current_state(TASK_INTERRUPTIBLE);
        schedule_timeout(until_ns ? ticks_until(*until_ns) : MAX_SCHEDULE_TIMEOUT);
    }
    list_del_init(&waiter.list);
    if (waiter.is_woken)
        return 0;
    if (until_ns && ktime_get_ns() >= *until_ns)
        return -ETIMEDOUT;
    if (until_ns == NULL)
        return -ERESTARTSYS;
    current->restart_block = (struct restart_block){.fn = wait_restart,
                                                    .user_address = address,
                                                    .flags = flags,
                                                    .val = value,
                                                    .bitset = bitset,
                                                    .expires = *until_ns};
    return -ERESTART_RESTARTBLOCK;
}

/* Wakes some, and lets others wait at another address. expected NULL: whatever is at the first address. */
static long futex_requeue(u32 from_address, u32 to_address, bool is_private, u32 nr_wake, u32 nr_requeue,
                          const u32 *expected)
{
    struct futex_key from, to;
    u32 now;
    if ((s32)nr_wake < 0 || (s32)nr_requeue < 0)
        return -EINVAL;
    int error = get_futex_key(from_address, is_private, &from);
    if (error == 0)
        error = get_futex_key(to_address, is_private, &to);
    if (error)
        return error;
    if (expected) {
        if (get_user_u32(&now, (const u32 *)from_address))
            return -EFAULT;
        if (now != *expected)
            return -EAGAIN;
    }
    u32 done = wake(&from, nr_wake, FUTEX_BITSET_MATCH_ANY), moved = 0;
    struct list_head *queue = queue_of(&from), *at = queue->next;
    while (at != queue && moved < nr_requeue && !is_same(&from, &to)) {
        struct futex_q *waiter = list_entry(at, struct futex_q, list);
        at = at->next;
        if (!is_same(&waiter->key, &from))
            continue;
        list_del_init(&waiter->list);
        waiter->key = to;
        list_add_tail(&waiter->list, queue_of(&to));
        moved++;
    }
    /* Plain requeue tells of the woken only. */
    return (long)(expected ? done + moved : done);
}

static s32 sign_extend_12(u32 value)
{
    return (s32)(value << 20) >> 20;
}

/* What FUTEX_WAKE_OP does to the word, by op's fields: operation, comparison, two operands (futex(2)). */
static int wake_op_value(u32 op, u32 old, u32 *changed)
{
    u32 operand = (u32)sign_extend_12(op >> 12 & 0xFFF);
    if (op >> 31)
        operand = 1u << (operand & 31);
    switch (op >> 28 & 7) {
    case FUTEX_OP_SET:
        *changed = operand;
        return 0;
    case FUTEX_OP_ADD:
        *changed = old + operand;
        return 0;
    case FUTEX_OP_OR:
        *changed = old | operand;
        return 0;
    case FUTEX_OP_ANDN:
        *changed = old & ~operand;
        return 0;
    case FUTEX_OP_XOR:
        *changed = old ^ operand;
        return 0;
    default:
        return -ENOSYS;
    }
}

static int wake_op_compare(u32 op, u32 old)
{
    s32 value = (s32)old, operand = sign_extend_12(op & 0xFFF);
    switch (op >> 24 & 0xF) {
    case FUTEX_OP_CMP_EQ:
        return value == operand;
    case FUTEX_OP_CMP_NE:
        return value != operand;
    case FUTEX_OP_CMP_LT:
        return value < operand;
    case FUTEX_OP_CMP_LE:
        return value <= operand;
    case FUTEX_OP_CMP_GT:
        return value > operand;
    case FUTEX_OP_CMP_GE:
        return value >= operand;
    default:
        return -ENOSYS;
    }
}

static long futex_wake_op(const struct futex_request *request, bool is_private)
{
    u32 old, changed, op = request->value3;
    struct futex_key first, second;
    int error = get_futex_key(request->address, is_private, &first);
    if (error == 0)
        error = get_futex_key(request->address2, is_private, &second);
    if (error)
        return error;
    if (get_user_u32(&old, (const u32 *)request->address2))
        return -EFAULT;
    error = wake_op_value(op, old, &changed);
    if (error)
        return error;
    if (put_user_u32(changed, (u32 *)request->address2))
        return -EFAULT;
    int wakes_second = wake_op_compare(op, old);
    if (wakes_second < 0)
        return wakes_second;
    u32 woken = wake(&first, request->value, FUTEX_BITSET_MATCH_ANY);
    if (wakes_second)
        woken += wake(&second, request->value2, FUTEX_BITSET_MATCH_ANY);
    return (long)woken;
}

long do_futex(const struct futex_request *request, const u64 *until_ns)
{
    bool is_private = request->op & FUTEX_PRIVATE_FLAG;
    u32 flags = request->op & FUTEX_PRIVATE_FLAG;
    switch (request->op & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
        return futex_wait(request->address, flags, request->value, FUTEX_BITSET_MATCH_ANY, until_ns);
    case FUTEX_WAIT_BITSET:
        return futex_wait(request->address, flags, request->value, request->value3, until_ns);
    case FUTEX_WAKE:
        return futex_wake(request->address, is_private, request->value, FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAKE_BITSET:
        return futex_wake(request->address, is_private, request->value, request->value3);
    case FUTEX_REQUEUE:
        return futex_requeue(request->address, request->address2, is_private, request->value, request->value2,
                             NULL);
    case FUTEX_CMP_REQUEUE:
        return futex_requeue(request->address, request->address2, is_private, request->value, request->value2,
                             &request->value3);
    case FUTEX_WAKE_OP:
        return futex_wake_op(request, is_private);
    default:
        return -ENOSYS;
    }
}
