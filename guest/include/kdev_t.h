/* Device numbers: a driver (major) and one of its devices (minor). */
#pragma once

#include "types.h"

/* A host's C library has the name for a wider type. */
#if !__STDC_HOSTED__
typedef u32 dev_t;
#endif

#define MINORBITS 20
#define MINORMASK ((1u << MINORBITS) - 1)
#define MKDEV(major, minor) (((u32)(major) << MINORBITS) | (u32)(minor))

static inline u32 MAJOR(dev_t dev)
{
    return (u32)(dev >> MINORBITS);
}

static inline u32 MINOR(dev_t dev)
{
    return (u32)(dev & MINORMASK);
}

/* As user space and file systems on disk write them: the low eight bits of the minor number come first. */
static inline u32 new_encode_dev(dev_t dev)
{
    return (MINOR(dev) & 0xFF) | (MAJOR(dev) << 8) | ((MINOR(dev) & ~0xFFu) << 12);
}

static inline dev_t new_decode_dev(u32 dev)
{
    return MKDEV((dev >> 8) & 0xFFF, (dev & 0xFF) | ((dev >> 12) & 0xFFF00));
}
