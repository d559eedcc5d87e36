/* Fixed-width names as in Linux, and the two address-like scalars that mm speaks. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64; /* not uint64_t: "%llu" must fit it wherever this is compiled */
typedef int16_t s16;
typedef int32_t s32;
typedef long long s64;

/* In the order of the network: the high byte first. */
typedef u16 be16;
typedef u32 be32;

/* A physical address. 64 bits wide even without PAE, so that "the end of 4 GiB" can be written down. */
typedef u64 phys_addr_t;
/* Allocation flags (gfp.h). */
typedef u32 gfp_t;
/* A position in a file; a count of bytes or a negative error number. A host's C library has them, too. */
#if __STDC_HOSTED__
#include <sys/types.h>
#else
typedef s64 loff_t;
typedef long ssize_t;
#endif
