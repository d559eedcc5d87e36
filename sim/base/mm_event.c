#include "sim/base/mm_event.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const formats[NR_MM_EVENTS] = {
#define MM_EVENT(number, name, text) [number] = text,
#include "sim/base/mm_event.def"
#undef MM_EVENT
};

static int put_word(char *to, size_t room, char what, const struct mm_event *event)
{
    static const char *const marks[] = {"min", "low", "high"};
    unsigned low = mm_event_low(event);
    switch (what) {
    case 'P':
        return snprintf(to, room, "%" PRIu32, event->edx);
    case 'Q':
        return snprintf(to, room, "%" PRIu32, event->ecx);
    case 'X':
        return snprintf(to, room, "%" PRIx32, event->edx);
    case 'Y':
        return snprintf(to, room, "%" PRIx32, event->ecx);
    case 'Z':
        return snprintf(to, room, "%u", mm_event_zone(event));
    case 'M':
        if (low < sizeof marks / sizeof *marks)
            return snprintf(to, room, "%s", marks[low]);
        return snprintf(to, room, "%u", low);
    default:
        return snprintf(to, room, "%u", low);
    }
}

void mm_event_describe(const struct mm_event *event, char text[MM_EVENT_TEXT_CHARS])
{
    const char *format = event->kind < NR_MM_EVENTS ? formats[event->kind] : NULL;
    size_t length = 0;
    if (!format) {
        snprintf(text, MM_EVENT_TEXT_CHARS, "kind %" PRIx32 ": %" PRIx32 ", %" PRIx32, event->kind,
                 event->edx, event->ecx);
        return;
    }
    for (; *format && length + 1 < MM_EVENT_TEXT_CHARS; format++) {
        if (*format != '%') {
            text[length++] = *format;
            continue;
        }
        size_t room = MM_EVENT_TEXT_CHARS - length;
        size_t more = (size_t)put_word(text + length, room, *++format, event);
        length += more < room ? more : room - 1;
    }
    text[length] = '\0';
}

/* A watermark by name or number. */
static bool take_mark(const char **text, uint32_t *value)
{
    static const char *const marks[] = {"min", "low", "high"};
    for (uint32_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t length = strlen(marks[i]);
        if (strncmp(*text, marks[i], length) != 0)
            continue;
        *text += length;
        *value = i;
        return true;
    }
    return false;
}

static bool take_word(const char **text, char what, struct mm_event *event)
{
    bool is_hex = what == 'X' || what == 'Y';
    char *end;
    uint32_t value;
    if (what != 'M' || !take_mark(text, &value)) {
        unsigned long long number = strtoull(*text, &end, is_hex ? 16 : 10);
        if (end == *text || number > UINT32_MAX)
            return false;
        value = (uint32_t)number;
        *text = end;
    }
    switch (what) {
    case 'P':
    case 'X':
        event->edx = value;
        return true;
    case 'Q':
    case 'Y':
        event->ecx = value;
        return true;
    case 'Z':
        event->ecx |= (value & 0xff) << 8;
        return true;
    default:
        event->ecx |= value & 0xff;
        return true;
    }
}

bool mm_event_parse(struct mm_event *event, uint32_t kind, const char *text)
{
    const char *format = kind < NR_MM_EVENTS ? formats[kind] : NULL;
    *event = (struct mm_event){.kind = kind};
    if (!format)
        return false;
    for (; *format; format++) {
        if (*format == '%' ? !take_word(&text, *++format, event) : *text++ != *format)
            return false;
    }
    return *text == '\0';
}

struct mm_event_sort mm_event_sort_of(uint32_t kind)
{
    static const struct mm_event_sort sorts[NR_MM_EVENTS] = {
        [MM_EVENT_FREE_PAGES] = {.role = MM_EVENT_COUNTS},
        [MM_EVENT_BELOW_WATERMARK] = {.role = MM_EVENT_COUNTS},
        [MM_EVENT_ABOVE_WATERMARK] = {.role = MM_EVENT_COUNTS},
        [MM_EVENT_KSWAPD_WAKE] = {MM_EVENT_BEGINS, "kswapd", false},
        [MM_EVENT_KSWAPD_SLEEP] = {MM_EVENT_ENDS, "kswapd", false},
        [MM_EVENT_DIRECT_RECLAIM_BEGIN] = {MM_EVENT_BEGINS, "direct reclaim", true},
        [MM_EVENT_DIRECT_RECLAIM_END] = {MM_EVENT_ENDS, "direct reclaim", true},
        [MM_EVENT_WRITEBACK_BEGIN] = {MM_EVENT_BEGINS, "write-back", true},
        [MM_EVENT_WRITEBACK_END] = {MM_EVENT_ENDS, "write-back", true},
        [MM_EVENT_SWAP_IN_BEGIN] = {MM_EVENT_BEGINS, "swap-in", true},
        [MM_EVENT_SWAP_IN_END] = {MM_EVENT_ENDS, "swap-in", true},
        [MM_EVENT_THROTTLE_BEGIN] = {MM_EVENT_BEGINS, "throttled writer", true},
        [MM_EVENT_THROTTLE_END] = {MM_EVENT_ENDS, "throttled writer", true},
        [MM_EVENT_BLOCK_IO_BEGIN] = {MM_EVENT_BEGINS, "wait for a disk", true},
        [MM_EVENT_BLOCK_IO_END] = {MM_EVENT_ENDS, "wait for a disk", true},
    };
    return kind < NR_MM_EVENTS ? sorts[kind] : (struct mm_event_sort){.role = MM_EVENT_ALONE};
}
