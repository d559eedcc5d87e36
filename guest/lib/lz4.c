/* LZ4 blocks (include/lz4_block.h). */
#include "errno.h"
#include "lz4_block.h"
#include "string.h"

#define MIN_MATCH 4u
/* The end of a block: the last five bytes are literals, the last match starts twelve before it at least. */
#define LAST_LITERALS 5u
#define MATCH_LIMIT 12u
/* A length that a half of the token cannot hold goes on in bytes, up to the first that is not 255. */
#define NIBBLE_MAX 15u
#define BYTE_MAX 255u

/* ---- Compressing ---- */

struct writer {
    u8 *to, *end;
};

static u32 load_u32(const u8 *from)
{
    u32 value;
    memcpy(&value, from, sizeof(value));
    return value;
}

static u32 hash_of(u32 four_bytes)
{
    return (four_bytes * 2654435761u) >> (32 - LZ4_HASH_BITS);
}

static u32 nibble(u32 length)
{
    return length < NIBBLE_MAX ? length : NIBBLE_MAX;
}

/* Bytes that a length takes outside of the token. */
static u32 more_bytes(u32 length)
{
    return length < NIBBLE_MAX ? 0 : (length - NIBBLE_MAX) / BYTE_MAX + 1;
}

static void put_more(struct writer *w, u32 length)
{
    if (length < NIBBLE_MAX)
        return;
    for (length -= NIBBLE_MAX; length >= BYTE_MAX; length -= BYTE_MAX)
        *w->to++ = BYTE_MAX;
    *w->to++ = (u8)length;
}

/* A sequence; match_length 0: the last one, which has only literals. False: no room. */
static bool put_sequence(struct writer *w, const u8 *literals, u32 nr_literals, u32 distance,
                         u32 match_length)
{
    u32 extra = match_length ? match_length - MIN_MATCH : 0;
    u32 bytes = 1 + more_bytes(nr_literals) + nr_literals + (match_length ? 2 + more_bytes(extra) : 0);
    if (bytes > (u32)(w->end - w->to))
        return false;
    *w->to++ = (u8)(nibble(nr_literals) << 4 | nibble(extra));
    put_more(w, nr_literals);
    memcpy(w->to, literals, nr_literals);
    w->to += nr_literals;
    if (match_length) {
        *w->to++ = (u8)distance;
        *w->to++ = (u8)(distance >> 8);
        put_more(w, extra);
    }
    return true;
}

static u32 match_length_at(const u8 *bytes, u32 earlier, u32 here, u32 end)
{
    u32 length = 0;
    while (here + length < end && bytes[earlier + length] == bytes[here + length])
        length++;
    return length;
}

u32 lz4_compress(const void *from, u32 bytes, void *to, u32 room, struct lz4_table *table)
{
    const u8 *in = from;
    struct writer w = {.to = to, .end = (u8 *)to + room};
    u32 anchor = 0; /* what lies before is written */
    if (bytes > LZ4_MAX_INPUT_BYTES)
        return 0;
    memset(table, 0, sizeof(*table));
    for (u32 here = 0; here + MATCH_LIMIT <= bytes;) {
        u32 four = load_u32(in + here);
        u16 *place = &table->position[hash_of(four)];
        u32 earlier = *place;
        *place = (u16)here;
        if (earlier >= here || load_u32(in + earlier) != four) {
            here++;
            continue;
        }
        u32 length = match_length_at(in, earlier, here, bytes - LAST_LITERALS);
        if (!put_sequence(&w, in + anchor, here - anchor, here - earlier, length))
            return 0;
        here += length;
        anchor = here;
    }
    return put_sequence(&w, in + anchor, bytes - anchor, 0, 0) ? (u32)(w.to - (u8 *)to) : 0;
}

/* ---- Decompressing ---- */

struct reader {
    const u8 *from, *end;
};

/* The rest of a length of which the token has said so much. False: the block ends before, or it is absurd. */
static bool get_more(struct reader *r, u32 *length)
{
    u8 byte = BYTE_MAX;
    if (*length < NIBBLE_MAX)
        return true;
    while (byte == BYTE_MAX) {
        if (r->from == r->end || *length > (1u << 30))
            return false;
        byte = *r->from++;
        *length += byte;
    }
    return true;
}

/* The distance may be less than the length: what was just written is repeated. */
static void copy_match(u8 *to, u32 distance, u32 length)
{
    const u8 *from = to - distance;
    for (u32 i = 0; i < length; i++)
        to[i] = from[i];
}

/* A match, of which the token has said so much of its length. */
static bool get_match(struct reader *r, struct writer *w, const u8 *start, u32 length)
{
    if (r->end - r->from < 2)
        return false;
    u32 distance = r->from[0] | (u32)r->from[1] << 8;
    r->from += 2;
    if (distance == 0 || distance > (u32)(w->to - start) || !get_more(r, &length))
        return false;
    length += MIN_MATCH;
    if (length > (u32)(w->end - w->to))
        return false;
    copy_match(w->to, distance, length);
    w->to += length;
    return true;
}

long lz4_decompress(const void *from, u32 bytes, void *to, u32 room)
{
    struct reader r = {.from = from, .end = (const u8 *)from + bytes};
    struct writer w = {.to = to, .end = (u8 *)to + room};
    while (r.from < r.end) {
        u8 token = *r.from++;
        u32 nr_literals = token >> 4;
        if (!get_more(&r, &nr_literals) || nr_literals > (u32)(r.end - r.from) ||
            nr_literals > (u32)(w.end - w.to))
            return -EINVAL;
        memcpy(w.to, r.from, nr_literals);
        r.from += nr_literals;
        w.to += nr_literals;
        if (r.from == r.end) /* the last sequence has no match */
            return (long)(w.to - (u8 *)to);
        if (!get_match(&r, &w, to, token & NIBBLE_MAX))
            return -EINVAL;
    }
    return -EINVAL;
}
