#include "sim/base/mm_event.h"

#include <inttypes.h>
#include <stdio.h>

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
