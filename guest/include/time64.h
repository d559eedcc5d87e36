/* A point in time that does not run out in 2038, or a stretch of it. */
#pragma once

#include "types.h"

#define NSEC_PER_SEC 1000000000

struct timespec64 {
    s64 tv_sec;
    s32 tv_nsec; /* 0 to NSEC_PER_SEC - 1 */
};
