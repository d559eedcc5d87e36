/* 64-bit division for a build that has no libgcc. */
#pragma once

#include "types.h"

/* dividend / divisor; the rest goes to *remainder (which may be NULL). */
u64 div_u64_rem(u64 dividend, u32 divisor, u32 *remainder);

static inline u64 div_u64(u64 dividend, u32 divisor)
{
    return div_u64_rem(dividend, divisor, NULL);
}

/* The largest r with r * r <= x. */
u32 int_sqrt(u32 x);
