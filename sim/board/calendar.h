/* Gregorian dates as seconds since 1970-01-01 00:00:00, and back; no time zones, no leap seconds. */
#ifndef LK_SIM_BOARD_CALENDAR_H
#define LK_SIM_BOARD_CALENDAR_H

#include <stdint.h>

/* Fields beyond their usual ranges count on from there: the 31st of February is in March. */
struct calendar_date {
    unsigned year, month, day; /* 1970.., 1..12, 1..31 */
    unsigned hour, minute, second;
    unsigned weekday; /* 0 Sunday .. 6; computed, not used */
};

uint64_t calendar_seconds(const struct calendar_date *date);
struct calendar_date calendar_date(uint64_t seconds);

#endif
