/* Limits and use of resources (getrlimit(2), getrusage(2)), with the numbers of Linux on i386. */
#pragma once

#include "types.h"

#define RLIMIT_CPU 0
#define RLIMIT_FSIZE 1
#define RLIMIT_DATA 2
#define RLIMIT_STACK 3
#define RLIMIT_CORE 4
#define RLIMIT_RSS 5
#define RLIMIT_NPROC 6
#define RLIMIT_NOFILE 7
#define RLIMIT_MEMLOCK 8
#define RLIMIT_AS 9
#define RLIMIT_LOCKS 10
#define RLIMIT_SIGPENDING 11
#define RLIMIT_MSGQUEUE 12
#define RLIMIT_NICE 13
#define RLIMIT_RTPRIO 14
#define RLIMIT_RTTIME 15
#define RLIM_NLIMITS 16

#define RLIM_INFINITY (~0u)
#define STACK_LIMIT_BYTES (8u << 20) /* what the first process gets */

struct rlimit {
    u32 rlim_cur, rlim_max;
};

/* The current process's soft limit. */
u32 rlimit(unsigned int limit);
