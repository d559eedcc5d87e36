/*
 * The guest's LZ4 against the host's library: each reads what the other writes, for data of every kind and
 * length; and what is damaged, which the guest must read like the library, or refuse, but never read or write
 * outside of its buffers.
 */
#include <criterion/criterion.h>
#include <lz4.h>
#include <stdlib.h>
#include <string.h>

#include "lz4_block.h"

#define MOST_BYTES 70000u
#define NR_ROUNDS 4000
#define NR_DAMAGED 20000

static uint32_t state = 1;

static uint32_t random_below(uint32_t limit)
{
    state = state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)state * limit >> 32);
}

/* ---- Data ---- */

static void fill_random(uint8_t *data, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)random_below(256);
}

/* Words of few kinds, as texts and tables have. */
static void fill_words(uint8_t *data, uint32_t bytes)
{
    char words[16][8];
    for (uint32_t i = 0; i < 16; i++)
        fill_random((uint8_t *)words[i], sizeof(words[i]));
    for (uint32_t i = 0; i < bytes;) {
        const char *word = words[random_below(16)];
        uint32_t length = 1 + random_below(8);
        for (uint32_t j = 0; j < length && i < bytes; j++, i++)
            data[i] = (uint8_t)word[j];
    }
}

/* Runs of one byte, and of short patterns: matches that overlap themselves. */
static void fill_runs(uint8_t *data, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes;) {
        uint32_t period = 1 + random_below(5), length = period + random_below(2000);
        for (uint32_t j = 0; j < length && i < bytes; j++, i++)
            data[i] = j < period ? (uint8_t)random_below(256) : data[i - period];
    }
}

static void fill_counters(uint8_t *data, uint32_t bytes)
{
    uint32_t value = random_below(1u << 31);
    for (uint32_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)((value + i / 4) >> (8 * (i % 4)));
}

static uint32_t make_data(uint8_t *data)
{
    static void (*const fill[])(uint8_t *, uint32_t) = {fill_random, fill_words, fill_runs, fill_counters};
    uint32_t bytes = random_below(4) ? random_below(4200) : random_below(LZ4_MAX_INPUT_BYTES + 1);
    if (random_below(3) == 0)
        bytes = 4096;
    fill[random_below(4)](data, bytes);
    return bytes;
}

/* ---- Both directions ---- */

static struct lz4_table table;
static uint8_t data[MOST_BYTES], packed[MOST_BYTES + MOST_BYTES / 255 + 64], unpacked[MOST_BYTES];

Test(guest_lz4, library_reads_ours)
{
    for (int i = 0; i < NR_ROUNDS; i++) {
        uint32_t bytes = make_data(data);
        uint32_t packed_bytes = lz4_compress(data, bytes, packed, sizeof(packed), &table);
        cr_assert(packed_bytes > 0 && packed_bytes <= (uint32_t)LZ4_compressBound((int)bytes),
                  "%u bytes became %u", bytes, packed_bytes);
        int back = LZ4_decompress_safe((const char *)packed, (char *)unpacked, (int)packed_bytes, MOST_BYTES);
        cr_assert_eq(back, (int)bytes, "round %d: %d of %u bytes", i, back, bytes);
        cr_assert(memcmp(data, unpacked, bytes) == 0, "round %d", i);
    }
}

Test(guest_lz4, we_read_the_librarys)
{
    for (int i = 0; i < NR_ROUNDS; i++) {
        uint32_t bytes = make_data(data);
        int packed_bytes =
            LZ4_compress_default((const char *)data, (char *)packed, (int)bytes, (int)sizeof(packed));
        cr_assert(packed_bytes > 0);
        long back = lz4_decompress(packed, (uint32_t)packed_bytes, unpacked, bytes);
        cr_assert_eq(back, (long)bytes, "round %d: %ld of %u bytes", i, back, bytes);
        cr_assert(memcmp(data, unpacked, bytes) == 0, "round %d", i);
        if (bytes)
            cr_assert(lz4_decompress(packed, (uint32_t)packed_bytes, unpacked, bytes - 1) < 0,
                      "a byte less of room");
    }
}

/* A page of words that the library's fastest level makes small, ours must make small as well. */
Test(guest_lz4, ratio_is_the_librarys)
{
    uint64_t ours = 0, librarys = 0;
    for (int i = 0; i < 500; i++) {
        (i % 2 ? fill_words : fill_counters)(data, 4096);
        ours += lz4_compress(data, 4096, packed, sizeof(packed), &table);
        librarys +=
            (uint64_t)LZ4_compress_default((const char *)data, (char *)packed, 4096, (int)sizeof(packed));
    }
    cr_assert(ours * 10 < librarys * 11, "%llu bytes, the library %llu", (unsigned long long)ours,
              (unsigned long long)librarys);
}

Test(guest_lz4, no_room)
{
    for (int i = 0; i < NR_ROUNDS; i++) {
        uint32_t bytes = make_data(data);
        uint32_t whole = lz4_compress(data, bytes, packed, sizeof(packed), &table);
        uint32_t room = random_below(whole + 10);
        /* On the heap, so that a sanitizer sees a byte behind the end. */
        uint8_t *to = malloc(room ? room : 1);
        cr_assert(to);
        uint32_t got = lz4_compress(data, bytes, to, room, &table);
        cr_assert_eq(got, room >= whole ? whole : 0, "%u bytes in %u", whole, room);
        free(to);
    }
    cr_assert_eq(lz4_compress(data, LZ4_MAX_INPUT_BYTES + 1, packed, sizeof(packed), &table), 0);
}

/* ---- Damage ---- */

static uint32_t damage(uint8_t *block, uint32_t bytes)
{
    for (uint32_t i = 1 + random_below(4); i > 0 && bytes; i--)
        block[random_below(bytes)] = (uint8_t)random_below(256);
    return random_below(3) ? bytes : random_below(bytes + 1);
}

/* Whether a sequence of a block that can be read otherwise has a match at distance 0, which there is not. */
static bool has_zero_distance(const uint8_t *block, uint32_t bytes)
{
    for (uint32_t at = 0; at < bytes;) {
        uint8_t token = block[at++];
        uint32_t nr_literals = token >> 4;
        if (nr_literals == 15)
            do
                nr_literals += block[at];
            while (block[at++] == 255);
        at += nr_literals;
        if (at + 2 > bytes)
            return false;
        if (block[at] == 0 && block[at + 1] == 0)
            return true;
        at += 2;
        if ((token & 15) == 15)
            while (block[at++] == 255)
                ;
    }
    return false;
}

Test(guest_lz4, damaged)
{
    uint32_t nr_read = 0, nr_refused = 0;
    for (int i = 0; i < NR_DAMAGED; i++) {
        fill_words(data, 4096);
        uint32_t bytes = lz4_compress(data, 4096, packed, sizeof(packed), &table);
        bytes = i % 10 ? damage(packed, bytes) : random_below(300);
        if (i % 10 == 0)
            fill_random(packed, bytes);
        uint8_t *from = malloc(bytes ? bytes : 1), *to = malloc(4096);
        cr_assert(from && to);
        memcpy(from, packed, bytes);
        long got = lz4_decompress(from, bytes, to, 4096);
        int library = LZ4_decompress_safe((const char *)from, (char *)unpacked, (int)bytes, 4096);
        cr_assert(got <= 4096);
        /*
         * The library refuses more: it insists on how a block ends. What it reads, we read alike; but for a
         * distance of 0, which the format forbids and the library does not notice.
         */
        if (library >= 0 && has_zero_distance(from, bytes))
            cr_assert(got < 0, "round %d: a distance of 0", i);
        else if (library >= 0)
            cr_assert(got == library && memcmp(to, unpacked, (size_t)library) == 0,
                      "round %d: %ld, the library %d", i, got, library);
        nr_read += got >= 0;
        nr_refused += got < 0;
        free(from);
        free(to);
    }
    cr_assert(nr_read > 1000 && nr_refused > 1000, "%u read, %u refused", nr_read, nr_refused);
}
