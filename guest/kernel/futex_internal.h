/* What the files of the futexes share. */
#pragma once

#include "types.h"

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define FUTEX_REQUEUE 3
#define FUTEX_CMP_REQUEUE 4
#define FUTEX_WAKE_OP 5
#define FUTEX_WAIT_BITSET 9
#define FUTEX_WAKE_BITSET 10
#define FUTEX_PRIVATE_FLAG 128u
#define FUTEX_CLOCK_REALTIME 256u
#define FUTEX_CMD_MASK (~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME))
#define FUTEX_BITSET_MATCH_ANY (~0u)
/* The lock's word: its owner, and flags. */
#define FUTEX_WAITERS 0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_TID_MASK 0x3FFFFFFFu

enum { FUTEX_OP_SET, FUTEX_OP_ADD, FUTEX_OP_OR, FUTEX_OP_ANDN, FUTEX_OP_XOR };
enum { FUTEX_OP_CMP_EQ, FUTEX_OP_CMP_NE, FUTEX_OP_CMP_LT, FUTEX_OP_CMP_LE, FUTEX_OP_CMP_GT, FUTEX_OP_CMP_GE };

/* What an address means: the address space and the address, or the page and the place in it. */
struct futex_key {
    const void *object;
    u32 offset;
};

/* futex_key.c: 0, -EINVAL (not aligned), -EFAULT. */
int get_futex_key(u32 address, bool is_private, struct futex_key *key);

struct futex_request {
    u32 address, op, value;
    u32 value2; /* how many at most for the second address */
    u32 address2, value3;
};

long do_futex(const struct futex_request *request, const u64 *until_ns);
long futex_wait(u32 address, u32 flags, u32 value, u32 bitset, const u64 *until_ns);
