/*
 * For programs that check what the kernel does: a line for each claim, and how many failed as exit status.
 * They say the same on Linux, which is what they are compared with.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

static const char *trial_name;
static int nr_failed;

static inline void trial_begin(const char *name)
{
    trial_name = name;
    setvbuf(stdout, NULL, _IONBF, 0);
}

static inline bool check(bool ok, const char *what)
{
    printf("%s: %s: %s\n", trial_name, what, ok ? "ok" : "FAILED");
    nr_failed += !ok;
    return ok;
}

/* A number that must be as expected; if it is not, both are shown. */
static inline bool check_equal(long value, long expected, const char *what)
{
    if (value != expected)
        printf("%s: %ld instead of %ld\n", trial_name, value, expected);
    return check(value == expected, what);
}
