/*
 * One table of calls, with the numbers of both ABIs (asm/unistd_32.h, asm/unistd_64.h).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/oracle/user_calls.h"

enum { NONE = -1, STDOUT = 1, STDERR = 2, PAGE = 0x1000, ARCH_SET_FS = 0x1002, TLS_SELECTOR_INDEX = 12 };

typedef uint64_t call_fn(struct user_calls *calls, const uint64_t *a);

static uint64_t error(int number)
{
    return 0 - (uint64_t)number;
}

static uint64_t get(struct user_calls *calls, uint64_t at, unsigned nr_bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < nr_bytes; i++) {
        const uint8_t *byte = calls->byte(calls->opaque, at + i);
        value |= (uint64_t)(byte ? *byte : 0) << i * 8;
    }
    return value;
}

static bool put(struct user_calls *calls, uint64_t at, const void *from, unsigned nr_bytes)
{
    for (unsigned i = 0; i < nr_bytes; i++) {
        uint8_t *byte = calls->byte(calls->opaque, at + i);
        if (!byte)
            return false;
        *byte = ((const uint8_t *)from)[i];
    }
    return true;
}

static uint64_t call_write(struct user_calls *calls, const uint64_t *a)
{
    if (a[0] != STDOUT && a[0] != STDERR)
        return error(EBADF);
    for (uint64_t i = 0; i < a[2]; i++) {
        const uint8_t *byte = calls->byte(calls->opaque, a[1] + i);
        if (!byte)
            return error(EFAULT);
        putc(*byte, a[0] == STDOUT ? stdout : stderr);
    }
    return a[2];
}

static uint64_t call_writev(struct user_calls *calls, const uint64_t *a)
{
    unsigned size = calls->is_64bit ? 8 : 4;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < a[2]; i++) {
        uint64_t at = a[1] + i * 2 * size;
        const uint64_t one[3] = {a[0], get(calls, at, size), get(calls, at + size, size)};
        sum += call_write(calls, one);
    }
    return sum;
}

static uint64_t call_brk(struct user_calls *calls, const uint64_t *a)
{
    if (a[0] > calls->brk) {
        calls->map(calls->opaque, calls->brk, a[0] - calls->brk);
        calls->brk = a[0];
    }
    return calls->brk;
}

/* Anonymous memory only. */
static uint64_t call_mmap(struct user_calls *calls, const uint64_t *a)
{
    uint64_t size = (a[1] + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    calls->mmap_top -= size;
    calls->map(calls->opaque, calls->mmap_top, size);
    return calls->mmap_top;
}

static uint64_t call_nothing(struct user_calls *calls, const uint64_t *a)
{
    (void)calls, (void)a;
    return 0;
}

static uint64_t call_uname(struct user_calls *calls, const uint64_t *a)
{
    static const char *const fields[6] = {"Linux", "host", "6.1.0", "#1", NULL, "(none)"};
    for (unsigned i = 0; i < 6; i++) {
        char field[65] = {0};
        const char *text = fields[i] ? fields[i] : calls->is_64bit ? "x86_64" : "i686";
        memcpy(field, text, strlen(text));
        if (!put(calls, a[0] + i * sizeof field, field, sizeof field))
            return error(EFAULT);
    }
    return 0;
}

static uint64_t call_getrandom(struct user_calls *calls, const uint64_t *a)
{
    for (uint64_t i = 0; i < a[1]; i++)
        (void)put(calls, a[0] + i, &(uint8_t){(uint8_t)(i * 37 + 11)}, 1);
    return a[1];
}

/* prlimit64(pid, resource, new, old): a stack of 8 MiB, no other limit. */
static uint64_t call_prlimit(struct user_calls *calls, const uint64_t *a)
{
    enum { RESOURCE_STACK = 3 };
    const uint64_t limits[2] = {a[1] == RESOURCE_STACK ? 8 << 20 : UINT64_MAX, UINT64_MAX};
    return a[3] == 0 || put(calls, a[3], limits, sizeof limits) ? 0 : error(EFAULT);
}

/* A struct user_desc: entry number, base, limit, flags; the descriptor is flat but for its base. */
static uint64_t call_set_thread_area(struct user_calls *calls, const uint64_t *a)
{
    uint64_t base = get(calls, a[0] + 4, 4);
    calls->set_tls(calls->opaque, 0x00cff3000000ffff | (base & 0xffffff) << 16 | (base >> 24) << 56);
    return put(calls, a[0], &(uint32_t){TLS_SELECTOR_INDEX}, 4) ? 0 : error(EFAULT);
}

static uint64_t call_arch_prctl(struct user_calls *calls, const uint64_t *a)
{
    if (a[0] != ARCH_SET_FS)
        return error(EINVAL);
    calls->fs_base = a[1];
    return 0;
}

static uint64_t call_set_tid_address(struct user_calls *calls, const uint64_t *a)
{
    (void)calls, (void)a;
    return 1000;
}

static uint64_t call_ioctl(struct user_calls *calls, const uint64_t *a)
{
    (void)calls, (void)a;
    return error(ENOTTY);
}

static uint64_t call_readlink(struct user_calls *calls, const uint64_t *a)
{
    (void)calls, (void)a;
    return error(ENOENT);
}

static uint64_t call_exit(struct user_calls *calls, const uint64_t *a)
{
    (void)calls;
    exit((int)(a[0] & 0xff));
}

static const struct {
    int number32, number64;
    call_fn *call;
} rows[] = {
    {4, 1, call_write},
    {146, 20, call_writev},
    {45, 12, call_brk},
    {192, 9, call_mmap},
    {91, 11, call_nothing},  /* munmap */
    {125, 10, call_nothing}, /* mprotect */
    {122, 63, call_uname},
    {85, 89, call_readlink},
    {305, 267, call_readlink},
    {355, 318, call_getrandom},
    {340, 302, call_prlimit},
    {243, NONE, call_set_thread_area},
    {NONE, 158, call_arch_prctl},
    {258, 218, call_set_tid_address},
    {224, 186, call_set_tid_address}, /* gettid */
    {20, 39, call_set_tid_address},   /* getpid */
    {311, 273, call_nothing},         /* set_robust_list */
    {174, 13, call_nothing},          /* rt_sigaction */
    {175, 14, call_nothing},          /* rt_sigprocmask */
    {54, 16, call_ioctl},
    {1, 60, call_exit},
    {252, 231, call_exit},
};

uint64_t user_call(struct user_calls *calls, uint64_t number, const uint64_t argument[6])
{
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        if ((uint64_t)(int64_t)(calls->is_64bit ? rows[i].number64 : rows[i].number32) == number)
            return rows[i].call(calls, argument);
    return error(ENOSYS); /* rseq, statx, fstat, clock_gettime and the like: the C library does without */
}
