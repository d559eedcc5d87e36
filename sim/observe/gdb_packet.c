#include "sim/observe/gdb_packet.h"

#include <stdlib.h>
#include <string.h>

enum { ESCAPE = '}', ESCAPE_BIT = 0x20, BREAK = 3, SMALL_ROOM = 4096, MAX_OUT = 64 << 20 };

void gdb_link_fini(struct gdb_link *link)
{
    free(link->out);
    free(link->reply);
    *link = (struct gdb_link){.state = GDB_BETWEEN};
}

int gdb_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool make_room(uint8_t **bytes, size_t *room, size_t wanted)
{
    if (wanted <= *room)
        return true;
    size_t more = wanted * 2 > SMALL_ROOM ? wanted * 2 : SMALL_ROOM;
    uint8_t *moved = realloc(*bytes, more);
    if (!moved)
        return false;
    *bytes = moved;
    *room = more;
    return true;
}

static void send_bytes(struct gdb_link *link, const uint8_t *bytes, size_t nr_bytes)
{
    if (nr_bytes == 0)
        return;
    if (link->nr_out + nr_bytes > MAX_OUT ||
        !make_room(&link->out, &link->room_out, link->nr_out + nr_bytes)) {
        link->is_broken = true;
        return;
    }
    memcpy(link->out + link->nr_out, bytes, nr_bytes);
    link->nr_out += nr_bytes;
}

static void acknowledge(struct gdb_link *link, bool is_good)
{
    if (!link->has_no_acks)
        send_bytes(link, (const uint8_t *)(is_good ? "+" : "-"), 1);
}

static bool is_special(uint8_t byte)
{
    return byte == '$' || byte == '#' || byte == ESCAPE || byte == '*';
}

void gdb_link_reply(struct gdb_link *link, const void *bytes, size_t nr_bytes)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = bytes;
    if (!make_room(&link->reply, &link->room_reply, 2 * nr_bytes + 4)) {
        link->is_broken = true;
        return;
    }
    uint8_t *to = link->reply, sum = 0;
    *to++ = '$';
    for (size_t i = 0; i < nr_bytes; i++) {
        if (is_special(from[i]))
            *to++ = ESCAPE;
        *to++ = is_special(from[i]) ? from[i] ^ ESCAPE_BIT : from[i];
    }
    link->nr_reply = (size_t)(to - link->reply);
    for (size_t i = 1; i < link->nr_reply; i++)
        sum = (uint8_t)(sum + link->reply[i]);
    *to++ = '#';
    *to++ = (uint8_t)digits[sum >> 4];
    *to++ = (uint8_t)digits[sum & 15];
    link->nr_reply += 3;
    send_bytes(link, link->reply, link->nr_reply);
}

static enum gdb_event begin(struct gdb_link *link, uint8_t byte)
{
    switch (byte) {
    case '$':
        link->state = GDB_IN_PACKET;
        link->packet_bytes = 0;
        link->sum = 0;
        link->has_bad_digit = link->is_too_long = false;
        return GDB_EVENT_NONE;
    case '-': /* the peer could not read our reply */
        if (!link->has_no_acks)
            send_bytes(link, link->reply, link->nr_reply);
        return GDB_EVENT_NONE;
    case '+':
        link->has_no_acks |= link->starts_no_acks;
        return GDB_EVENT_NONE;
    default:
        return byte == BREAK ? GDB_EVENT_BREAK : GDB_EVENT_NONE;
    }
}

static void add(struct gdb_link *link, uint8_t byte)
{
    if (link->packet_bytes == GDB_PACKET_BYTES)
        link->is_too_long = true;
    else
        link->packet[link->packet_bytes++] = (char)byte;
}

static void add_digit(struct gdb_link *link, uint8_t byte)
{
    int digit = gdb_digit((char)byte);
    link->has_bad_digit |= digit < 0;
    link->sent_sum = (uint8_t)(link->sent_sum << 4 | (digit & 15));
}

/* Whoever needs no acknowledgements sends no checksum that has to be right (same chapter). */
static enum gdb_event end(struct gdb_link *link)
{
    bool is_good = link->has_no_acks || (!link->has_bad_digit && link->sum == link->sent_sum);
    link->state = GDB_BETWEEN;
    link->packet[link->packet_bytes] = '\0';
    acknowledge(link, is_good);
    if (!is_good)
        return GDB_EVENT_NONE;
    return link->is_too_long ? GDB_EVENT_TOO_LONG : GDB_EVENT_PACKET;
}

static enum gdb_event take(struct gdb_link *link, uint8_t byte)
{
    switch (link->state) {
    case GDB_BETWEEN:
        return begin(link, byte);
    case GDB_IN_PACKET:
    case GDB_ESCAPED:
        if (link->state == GDB_IN_PACKET && byte == '$') /* the one before was cut short */
            return begin(link, byte);
        if (link->state == GDB_IN_PACKET && byte == '#') {
            link->state = GDB_CHECKSUM_1;
            return GDB_EVENT_NONE;
        }
        link->sum = (uint8_t)(link->sum + byte);
        if (link->state == GDB_ESCAPED)
            add(link, byte ^ ESCAPE_BIT);
        else if (byte != ESCAPE)
            add(link, byte);
        link->state = link->state == GDB_IN_PACKET && byte == ESCAPE ? GDB_ESCAPED : GDB_IN_PACKET;
        return GDB_EVENT_NONE;
    case GDB_CHECKSUM_1:
        link->sent_sum = 0;
        add_digit(link, byte);
        link->state = GDB_CHECKSUM_2;
        return GDB_EVENT_NONE;
    case GDB_CHECKSUM_2:
        add_digit(link, byte);
        return end(link);
    }
    return GDB_EVENT_NONE;
}

enum gdb_event gdb_link_take(struct gdb_link *link, const uint8_t *bytes, size_t nr_bytes, size_t *nr_taken)
{
    for (size_t i = 0; i < nr_bytes; i++) {
        enum gdb_event event = take(link, bytes[i]);
        if (event == GDB_EVENT_NONE)
            continue;
        *nr_taken = i + 1;
        return event;
    }
    *nr_taken = nr_bytes;
    return GDB_EVENT_NONE;
}

/* ---- Operands ---- */

bool gdb_take_char(const char **at, char c)
{
    bool is_there = **at == c;
    *at += is_there;
    return is_there;
}

bool gdb_take_number(const char **at, uint64_t *value)
{
    unsigned nr_digits = 0;
    *value = 0;
    for (; gdb_digit(**at) >= 0; ++*at, nr_digits++)
        *value = *value << 4 | (unsigned)gdb_digit(**at);
    return nr_digits >= 1 && nr_digits <= 16;
}

bool gdb_take_bytes(const char **at, uint8_t *bytes, size_t nr_bytes)
{
    for (size_t i = 0; i < nr_bytes; i++, *at += 2) {
        int high = gdb_digit((*at)[0]), low = high < 0 ? -1 : gdb_digit((*at)[1]);
        if (low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

char *gdb_put_bytes(char *to, const uint8_t *bytes, size_t nr_bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < nr_bytes; i++) {
        *to++ = digits[bytes[i] >> 4];
        *to++ = digits[bytes[i] & 15];
    }
    *to = '\0';
    return to;
}

bool gdb_take_range(const char **rest, uint64_t *address, uint64_t *size_bytes)
{
    return gdb_take_number(rest, address) && gdb_take_char(rest, ',') && gdb_take_number(rest, size_bytes);
}
