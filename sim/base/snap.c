#include "sim/base/snap.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Before and after each section's name, so that a reader that is off by some bytes does not take it for
 * one.
 */
static const uint32_t section_mark = 0x4e504153;

void snap_begin(struct snap *snap, const struct snap_stream *stream, bool is_load, const char *file,
                struct diag *diag)
{
    memset(snap, 0, sizeof *snap);
    snap->stream = *stream;
    snap->is_load = is_load;
    snap->file = file;
    snap->diag = diag;
}

static void flush(struct snap *snap)
{
    if (!snap->has_failed && snap->at && !snap->stream.write(snap->stream.opaque, snap->buffer, snap->at))
        snap->has_failed = true; /* who writes has said why */
    snap->at = 0;
}

bool snap_end(struct snap *snap)
{
    if (!snap->is_load)
        flush(snap);
    while (snap->nr_open)
        free(snap->open[--snap->nr_open].wanted);
    return !snap->has_failed;
}

bool snap_fail(struct snap *snap, const char *format, ...)
{
    char what[256];
    va_list arguments;
    if (snap->has_failed)
        return false;
    snap->has_failed = true;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    if (snap->section[0])
        return diag_add(snap->diag, EXIT_STATUS_BAD_DATA, "%s: section %s: %s", snap->file, snap->section,
                        what);
    return diag_add(snap->diag, EXIT_STATUS_BAD_DATA, "%s: %s", snap->file, what);
}

bool snap_out_of_memory(struct snap *snap)
{
    if (snap->has_failed)
        return false;
    snap->has_failed = true;
    return diag_add(snap->diag, EXIT_STATUS_INTERNAL, "%s: out of memory", snap->file);
}

void snap_below_failed(struct snap *snap, const char *what, uint64_t value, uint64_t bound)
{
    snap_fail(snap, "%s is %" PRIu64 "; allowed: below %" PRIu64, what, value, bound);
}

/* ---- Bytes ---- */

static void write_bytes(struct snap *snap, const uint8_t *from, size_t nr_bytes)
{
    while (nr_bytes > 0) {
        size_t room = SNAP_BUFFER_BYTES - snap->at, part = nr_bytes < room ? nr_bytes : room;
        memcpy(snap->buffer + snap->at, from, part);
        snap->at += part;
        from += part;
        nr_bytes -= part;
        if (snap->at == SNAP_BUFFER_BYTES)
            flush(snap);
    }
}

/* All that was asked for is read ahead at once: a stream's reader knows how much there is. */
static void read_bytes(struct snap *snap, uint8_t *to, size_t nr_bytes)
{
    if (!snap->has_failed && !snap->stream.read(snap->stream.opaque, to, nr_bytes))
        snap->has_failed = true; /* who reads has said why */
    if (snap->has_failed)
        memset(to, 0, nr_bytes);
}

static void name_bytes(struct snap *snap, const uint8_t *at, size_t nr_bytes)
{
    for (unsigned i = 0; i < snap->nr_open; i++) {
        struct snap_open *open = &snap->open[i];
        if (at >= open->base && at < open->base + open->size_bytes)
            memset(open->wanted + (at - open->base), 0, nr_bytes);
    }
}

void snap_bytes(struct snap *snap, void *at, size_t nr_bytes)
{
    if (snap->nr_open)
        name_bytes(snap, at, nr_bytes);
    if (snap->is_load)
        read_bytes(snap, at, nr_bytes);
    else
        write_bytes(snap, at, nr_bytes);
}

void snap_flags(struct snap *snap, bool *at, size_t nr)
{
    for (size_t i = 0; i < nr; i++) {
        uint8_t value = snap->is_load ? 0 : at[i]; /* what is read over need not have been a truth value */
        snap_bytes(snap, &value, sizeof value);
        if (snap->is_load)
            at[i] = value != 0;
    }
    snap_skip(snap, at, at + nr);
}

void snap_skip(struct snap *snap, const void *from, const void *to)
{
    if (snap->nr_open)
        name_bytes(snap, from, (size_t)((const uint8_t *)to - (const uint8_t *)from));
}

/* ---- What is made of them ---- */

void snap_section(struct snap *snap, const char *name)
{
    char found[SNAP_NAME_BYTES] = {0};
    uint32_t mark = section_mark;
    snprintf(found, sizeof found, "%s", name);
    SNAP(snap, mark);
    snap_bytes(snap, found, sizeof found);
    found[sizeof found - 1] = '\0';
    if (!snap->has_failed && (mark != section_mark || strcmp(found, name) != 0))
        snap_fail(snap, "is followed by something else than section %s", name);
    if (!snap->has_failed)
        snprintf(snap->section, sizeof snap->section, "%s", name);
}

void snap_same(struct snap *snap, const char *what, uint64_t value)
{
    uint64_t found = value;
    SNAP(snap, found);
    if (found != value)
        snap_fail(snap, "%s is %" PRIu64 ", but %" PRIu64 " in this machine", what, found, value);
}

void snap_event(struct snap *snap, struct ev_queue *queue, struct event *event)
{
    bool is_scheduled = event->heap_index != 0;
    uint64_t due = event->due, order = event->order;
    SNAP_FLAG(snap, is_scheduled);
    SNAP(snap, due);
    SNAP(snap, order);
    SNAP_SKIP(snap, *event); /* handlers and names are the program's */
    if (!snap->is_load)
        return;
    ev_cancel(queue, event);
    event->due = due;
    event->order = order;
    if (is_scheduled && !snap->has_failed && !ev_reschedule(queue, event))
        snap_out_of_memory(snap);
}

void snap_string(struct snap *snap, char *text, size_t size_bytes)
{
    uint32_t length = snap->is_load ? 0 : (uint32_t)strnlen(text, size_bytes - 1);
    SNAP_BELOW(snap, length, size_bytes);
    snap_bytes(snap, text, length);
    if (snap->is_load)
        memset(text + length, 0, size_bytes - length);
}

/* ---- The audit ---- */

uint8_t *snap_audit_open(struct snap *snap, const void *base, size_t size_bytes, const char *name)
{
    uint8_t *wanted = snap->nr_open < SNAP_MAX_OPEN ? malloc(size_bytes) : NULL;
    if (!wanted) {
        snap_out_of_memory(snap);
        return NULL;
    }
    memset(wanted, 0xff, size_bytes);
    snap->open[snap->nr_open++] =
        (struct snap_open){.base = base, .size_bytes = size_bytes, .wanted = wanted, .name = name};
    return wanted;
}

void snap_audit_close(struct snap *snap, const void *base)
{
    if (snap->nr_open == 0 || snap->open[snap->nr_open - 1].base != base)
        return;
    const struct snap_open *open = &snap->open[--snap->nr_open];
    for (size_t i = 0; i < open->size_bytes; i++)
        if (open->wanted[i]) {
            snap_fail(snap, "byte %zu of *%s is in no checkpoint", i, open->name);
            break;
        }
    free(open->wanted);
}
