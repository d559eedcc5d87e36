/* MC146818A data sheet: registers 0 to 9 hold the time, A and B say when and how they may be read. */
#include "rtc.h"
#include "asm/io.h"
#include "compiler.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71
#define RTC_SECONDS 0
#define RTC_MINUTES 2
#define RTC_HOURS 4
#define RTC_DAY 7
#define RTC_MONTH 8
#define RTC_YEAR 9
#define RTC_A 0x0A
#define RTC_B 0x0B
#define RTC_CENTURY 0x32 /* where the PC's firmware keeps it */
#define A_UPDATE_IN_PROGRESS 0x80u
#define B_24_HOURS 0x02u
#define B_BINARY 0x04u
#define HOUR_IS_PM 0x80u

#define MONTHS_A_YEAR 12u
#define SECONDS_A_DAY 86400u
/* A clock that is not there reads all ones, and would never be ready. */
#define MOST_POLLS 100000u

struct rtc_time {
    u8 second, minute, hour, day, month, year, century;
};

static u8 cmos_read(u8 index)
{
    outb(index, CMOS_INDEX);
    return inb(CMOS_DATA);
}

static struct rtc_time read_registers(void)
{
    for (u32 i = 0; i < MOST_POLLS && (cmos_read(RTC_A) & A_UPDATE_IN_PROGRESS); i++)
        ;
    return (struct rtc_time){
        .second = cmos_read(RTC_SECONDS),
        .minute = cmos_read(RTC_MINUTES),
        .hour = cmos_read(RTC_HOURS),
        .day = cmos_read(RTC_DAY),
        .month = cmos_read(RTC_MONTH),
        .year = cmos_read(RTC_YEAR),
        .century = cmos_read(RTC_CENTURY),
    };
}

static u32 decode(u8 value, u8 format)
{
    return format & B_BINARY ? value : (value >> 4) * 10u + (value & 0xFu);
}

static u32 decode_hour(u8 value, u8 format)
{
    if (format & B_24_HOURS)
        return decode(value, format);
    return decode(value & (u8)~HOUR_IS_PM, format) % 12 + (value & HOUR_IS_PM ? 12 : 0);
}

u32 days_since_1970(u32 year, u32 month, u32 day)
{
    /* Years that begin in March: the leap day is the last one, and months have 153 days in five. */
    u32 march_year = month > 2 ? year : year - 1, march_month = (month + 9) % MONTHS_A_YEAR;
    u32 leap_days = march_year / 4 - march_year / 100 + march_year / 400;
    const u32 days_to_1970 = 719468; /* from March 1st of the year 0 */
    return march_year * 365 + leap_days + (153 * march_month + 2) / 5 + day - 1 - days_to_1970;
}

u64 rtc_read_seconds(void)
{
    struct rtc_time time = read_registers(), again = read_registers();
    /* A second may have passed between two registers. */
    if (again.second != time.second)
        time = again;
    u8 format = cmos_read(RTC_B);
    u32 century = decode(time.century, format), year = decode(time.year, format);
    year += (century >= 19 && century <= 21 ? century : 20) * 100;
    u32 month = decode(time.month, format), day = decode(time.day, format);
    if (month < 1 || month > MONTHS_A_YEAR || day < 1)
        return 0;
    u64 days = days_since_1970(year, month, day);
    return days * SECONDS_A_DAY + decode_hour(time.hour, format) * 3600u + decode(time.minute, format) * 60u +
           decode(time.second, format);
}
