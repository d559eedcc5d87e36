/* The real-time clock in the CMOS RAM. */
#pragma once

#include "types.h"

/* Seconds since 1970, taking what it shows for UTC. */
u64 rtc_read_seconds(void);
/* Days from 1970-01-01 to a day of the Gregorian calendar; month and day count from 1. */
u32 days_since_1970(u32 year, u32 month, u32 day);
