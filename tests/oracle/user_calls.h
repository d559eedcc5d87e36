/*
 * The system calls of Linux that the start-up code of a statically linked program and printf make, answered
 * as a terminal-less system would.
 */
#ifndef LK_TESTS_ORACLE_USER_CALLS_H
#define LK_TESTS_ORACLE_USER_CALLS_H

#include <stdbool.h>
#include <stdint.h>

struct user_calls {
    bool is_64bit;
    uint64_t brk, mmap_top, fs_base; /* FS: in and out */
    void *opaque;
    void (*map)(void *opaque, uint64_t linear, uint64_t size_bytes);
    uint8_t *(*byte)(void *opaque, uint64_t linear); /* NULL: nothing there */
    void (*set_tls)(void *opaque, uint64_t raw_descriptor);
};

/* The result, as RAX has it. exit and exit_group end this process. */
uint64_t user_call(struct user_calls *calls, uint64_t number, const uint64_t argument[6]);

#endif
