#include "sim/board/calendar.h"

#include <stdbool.h>

enum { SECONDS_PER_DAY = 86400, EPOCH_YEAR = 1970, EPOCH_WEEKDAY = 4 /* a Thursday */ };

static bool is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 1 && is_leap(year) ? 29 : days[month];
}

/* Leap days from year 1 to the end of `year`. */
static uint64_t leap_days(unsigned year)
{
    return year / 4 - year / 100 + year / 400;
}

uint64_t calendar_seconds(const struct calendar_date *date)
{
    unsigned months = date->month ? date->month - 1 : 0;
    unsigned year = date->year + months / 12;
    uint64_t days = (uint64_t)(year - EPOCH_YEAR) * 365 + leap_days(year - 1) - leap_days(EPOCH_YEAR - 1);
    for (unsigned month = 0; month < months % 12; month++)
        days += days_in_month(year, month);
    days += date->day ? date->day - 1 : 0;
    return days * SECONDS_PER_DAY + (uint64_t)date->hour * 3600 + (uint64_t)date->minute * 60 + date->second;
}

struct calendar_date calendar_date(uint64_t seconds)
{
    uint64_t days = seconds / SECONDS_PER_DAY;
    unsigned rest = (unsigned)(seconds % SECONDS_PER_DAY);
    struct calendar_date date = {
        .hour = rest / 3600,
        .minute = rest / 60 % 60,
        .second = rest % 60,
        .weekday = (unsigned)((days + EPOCH_WEEKDAY) % 7),
    };
    unsigned year = EPOCH_YEAR + (unsigned)(days / 366);
    while (calendar_seconds(&(struct calendar_date){.year = year + 1}) <= seconds)
        year++;
    days -= calendar_seconds(&(struct calendar_date){.year = year}) / SECONDS_PER_DAY;
    unsigned month = 0;
    while (days >= days_in_month(year, month))
        days -= days_in_month(year, month++);
    date.year = year;
    date.month = month + 1;
    date.day = (unsigned)days + 1;
    return date;
}
