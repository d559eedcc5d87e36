/* Pointers that may hold an error number instead: the last page of addresses is nobody's. */
#pragma once

#include "compiler.h"
#include "errno.h"
#include "types.h"

#define MAX_ERRNO 4095

static inline void *ERR_PTR(long error)
{
    union {
        long error;
        void *pointer;
    } of = {.error = error};
    return of.pointer;
}

static inline long PTR_ERR(const void *ptr)
{
    return (long)(uintptr_t)ptr;
}

static inline bool IS_ERR(const void *ptr)
{
    return (uintptr_t)ptr >= (uintptr_t)-MAX_ERRNO;
}

static inline bool IS_ERR_OR_NULL(const void *ptr)
{
    return ptr == NULL || IS_ERR(ptr);
}
