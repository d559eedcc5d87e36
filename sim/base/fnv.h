/*
 * FNV-1a, 64 bits (draft-eastlake-fnv): a hash of bytes, for tables and against damage, not against anybody.
 */
#ifndef LK_SIM_BASE_FNV_H
#define LK_SIM_BASE_FNV_H

#include <stddef.h>
#include <stdint.h>

#define FNV_BEGIN UINT64_C(0xcbf29ce484222325)

/* Goes on from `hash`, which is FNV_BEGIN at first. */
static inline uint64_t fnv_add(uint64_t hash, const void *bytes, size_t nr_bytes)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < nr_bytes; i++)
        hash = (hash ^ at[i]) * 0x100000001b3;
    return hash;
}

#endif
