#include "dma/pcap.h"

#include "sim/base/crc32c.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { HEAD_BYTES = 24, RECORD_BYTES = 16, LINK_ETHERNET = 1, SNAP_BYTES = 65535, MIN_FRAME_BYTES = 14 };
#define MAGIC_MICROSECONDS UINT32_C(0xa1b2c3d4)
#define MAGIC_NANOSECONDS UINT32_C(0xa1b23c4d)
#define MAX_FILE_BYTES (UINT64_C(1) << 30)

/* ---- Reading ---- */

struct order {
    bool is_swapped, has_nanoseconds;
};

static uint32_t get32(const uint8_t *at, bool is_swapped)
{
    return is_swapped ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]
                      : (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static bool read_stream(struct pcap *pcap, FILE *from, const char *name, struct diag *diag)
{
    enum { STEP_BYTES = 1 << 16 };
    size_t room = 0, got;
    do {
        if (pcap->file_bytes + STEP_BYTES > room) {
            room = 2 * room + STEP_BYTES;
            uint8_t *larger = realloc(pcap->file, room);
            if (!larger)
                return diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", name);
            pcap->file = larger;
        }
        got = fread(pcap->file + pcap->file_bytes, 1, STEP_BYTES, from);
        pcap->file_bytes += got;
    } while (got == STEP_BYTES && pcap->file_bytes <= MAX_FILE_BYTES);
    if (ferror(from))
        return diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: cannot read: %s", name, strerror(errno));
    if (pcap->file_bytes > MAX_FILE_BYTES)
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: longer than 1 GiB; allowed: up to that", name);
    return true;
}

static bool read_file(struct pcap *pcap, const char *name, struct diag *diag)
{
    struct stat there;
    if (stat(name, &there) == 0 && !S_ISREG(there.st_mode))
        return diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: is no regular file; allowed: a capture file", name);
    FILE *from = fopen(name, "rb");
    if (!from)
        return diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: cannot read: %s", name, strerror(errno));
    bool is_good = read_stream(pcap, from, name, diag);
    fclose(from);
    return is_good;
}

static bool read_head(const struct pcap *pcap, struct order *order, const char *name, struct diag *diag)
{
    static const char allowed[] = "allowed: a pcap file of Ethernet frames (link type 1)";
    const uint8_t *head = pcap->file;
    for (unsigned i = 0; i < 4 && pcap->file_bytes >= HEAD_BYTES; i++) {
        *order = (struct order){.is_swapped = i & 1, .has_nanoseconds = i & 2};
        if (get32(head, order->is_swapped) != (i & 2 ? MAGIC_NANOSECONDS : MAGIC_MICROSECONDS))
            continue;
        uint32_t link = get32(head + 20, order->is_swapped) & 0xffff;
        return link == LINK_ETHERNET ||
               diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: link type %u; %s", name, link, allowed);
    }
    return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: no pcap file; %s", name, allowed);
}

/* The record at `at`; false with a line if it cannot be. */
static bool read_record(const struct pcap *pcap, size_t at, struct order order, size_t max_bytes,
                        struct pcap_frame *frame, const char *name, struct diag *diag)
{
    const uint8_t *record = pcap->file + at;
    *frame = (struct pcap_frame){0};
    if (pcap->file_bytes - at < RECORD_BYTES)
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: byte %zu: the file ends within a record", name, at);
    uint32_t part = get32(record + 4, order.is_swapped), nr_bytes = get32(record + 8, order.is_swapped);
    uint32_t unit = order.has_nanoseconds ? 1 : 1000;
    if (part >= UINT32_C(1000000000) / unit)
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: byte %zu: %u parts of a second; allowed: less than one", name, at, part);
    if (nr_bytes < MIN_FRAME_BYTES || nr_bytes > max_bytes)
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: byte %zu: a frame of %u bytes; allowed: %d to %zu",
                        name, at, nr_bytes, MIN_FRAME_BYTES, max_bytes);
    if (pcap->file_bytes - at - RECORD_BYTES < nr_bytes)
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: byte %zu: the file ends within a frame", name, at);
    *frame = (struct pcap_frame){.bytes = record + RECORD_BYTES,
                                 .nr_bytes = nr_bytes,
                                 .nanoseconds =
                                     get32(record, order.is_swapped) * UINT64_C(1000000000) + part * unit};
    return true;
}

static bool add_frame(struct pcap *pcap, size_t *room, const struct pcap_frame *frame)
{
    if (pcap->nr_frames == *room) {
        size_t larger = *room ? 2 * *room : 64;
        struct pcap_frame *frames = realloc(pcap->frames, larger * sizeof *frames);
        if (!frames)
            return false;
        pcap->frames = frames;
        *room = larger;
    }
    pcap->frames[pcap->nr_frames++] = *frame;
    return true;
}

/* Times as differences from the first; captures of several queues have frames that are a little too early. */
static void make_times(struct pcap *pcap)
{
    uint64_t first = pcap->nr_frames ? pcap->frames[0].nanoseconds : 0, last = 0;
    for (size_t i = 0; i < pcap->nr_frames; i++) {
        uint64_t at = pcap->frames[i].nanoseconds;
        at = at > first ? at - first : 0;
        last = pcap->frames[i].nanoseconds = at > last ? at : last;
    }
}

static bool read_frames(struct pcap *pcap, const char *name, size_t max_bytes, struct diag *diag)
{
    struct order order = {0};
    size_t room = 0;
    if (!read_head(pcap, &order, name, diag))
        return false;
    for (size_t at = HEAD_BYTES; at < pcap->file_bytes;) {
        struct pcap_frame frame;
        if (!read_record(pcap, at, order, max_bytes, &frame, name, diag))
            return false;
        if (!add_frame(pcap, &room, &frame))
            return diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", name);
        at += RECORD_BYTES + frame.nr_bytes;
    }
    make_times(pcap);
    pcap->crc32c = ~crc32c_update(~UINT32_C(0), pcap->file, pcap->file_bytes);
    return true;
}

bool pcap_read(struct pcap *pcap, const char *name, size_t max_bytes, struct diag *diag)
{
    *pcap = (struct pcap){0};
    if (read_file(pcap, name, diag) && read_frames(pcap, name, max_bytes, diag))
        return true;
    pcap_fini(pcap);
    return false;
}

void pcap_fini(struct pcap *pcap)
{
    free(pcap->frames);
    free(pcap->file);
    *pcap = (struct pcap){0};
}

/* ---- Writing ---- */

static void put32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

bool pcap_write_head(FILE *to)
{
    uint8_t head[HEAD_BYTES] = {0};
    put32(head, MAGIC_NANOSECONDS);
    head[4] = 2; /* version 2.4 */
    head[6] = 4;
    put32(head + 16, SNAP_BYTES);
    put32(head + 20, LINK_ETHERNET);
    return fwrite(head, sizeof head, 1, to) == 1;
}

bool pcap_write_frame(FILE *to, const void *bytes, size_t nr_bytes, uint64_t seconds, uint32_t nanoseconds)
{
    uint8_t record[RECORD_BYTES];
    put32(record, (uint32_t)seconds);
    put32(record + 4, nanoseconds);
    put32(record + 8, (uint32_t)nr_bytes);
    put32(record + 12, (uint32_t)nr_bytes);
    return fwrite(record, sizeof record, 1, to) == 1 && fwrite(bytes, 1, nr_bytes, to) == nr_bytes;
}
