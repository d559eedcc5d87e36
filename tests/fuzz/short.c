/*
 * A fuzz target without libFuzzer: a folder's files as they are, then a number of random inputs, and of these
 * files with damage done to them, the same ones each time, so that ./dev test runs in short what ./dev fuzz
 * searches for hours.
 *
 *     short_NAME FROM TO [FOLDER]
 *
 * Inputs are numbered; one that ends the program is the last that stderr names.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_RANDOM_BYTES = 400, MAX_SEED_BYTES = 16384, MAX_SEEDS = 64, MAX_DAMAGES = 8, STATUS_USAGE = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes);

struct seed {
    uint8_t *bytes;
    size_t nr_bytes;
};

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static uint64_t below(uint64_t *state, uint64_t n)
{
    return (next(state) >> 16) % n;
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* In the order of their names, so that an input has the same number on every host. */
static size_t read_seeds(const char *folder, struct seed seeds[MAX_SEEDS])
{
    struct dirent **entries;
    int nr_entries = scandir(folder, &entries, is_shown, alphasort);
    size_t nr = 0;
    for (int i = 0; i < nr_entries; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        free(entries[i]);
        FILE *file = nr < MAX_SEEDS ? fopen(path, "rb") : NULL;
        if (!file)
            continue;
        uint8_t *bytes = malloc(MAX_SEED_BYTES);
        size_t nr_bytes = bytes ? fread(bytes, 1, MAX_SEED_BYTES, file) : 0;
        fclose(file);
        if (nr_bytes > 0)
            seeds[nr++] = (struct seed){bytes, nr_bytes};
        else
            free(bytes);
    }
    if (nr_entries >= 0)
        free(entries);
    return nr;
}

static size_t make_random(uint64_t *state, uint8_t *into)
{
    size_t nr_bytes = below(state, MAX_RANDOM_BYTES);
    for (size_t i = 0; i < nr_bytes; i++)
        into[i] = (uint8_t)next(state);
    return nr_bytes;
}

static size_t make_damaged(uint64_t *state, const struct seed *seed, uint8_t *into)
{
    size_t nr_bytes = seed->nr_bytes;
    memcpy(into, seed->bytes, nr_bytes);
    for (uint64_t nr = 1 + below(state, MAX_DAMAGES); nr > 0; nr--) {
        size_t at = below(state, nr_bytes), length = 1 + below(state, nr_bytes - at);
        switch (below(state, 5)) {
        case 0: /* a bit */
            into[at] ^= (uint8_t)(1u << below(state, 8));
            break;
        case 1: /* a byte */
            into[at] = (uint8_t)next(state);
            break;
        case 2: /* a part left out */
            memmove(into + at, into + at + length, nr_bytes - at - length);
            nr_bytes -= length;
            break;
        case 3: /* a part in another place */
            memmove(into + below(state, nr_bytes - length + 1), into + at, length);
            break;
        default: /* the end */
            nr_bytes = at;
            break;
        }
        if (nr_bytes == 0)
            break;
    }
    return nr_bytes;
}

/* A copy of its own, so that a read beyond the end is seen. */
static void try_input(const uint8_t *input, size_t nr_bytes)
{
    uint8_t *copy = malloc(nr_bytes > 0 ? nr_bytes : 1);
    if (!copy)
        exit(STATUS_USAGE);
    memcpy(copy, input, nr_bytes);
    LLVMFuzzerTestOneInput(copy, nr_bytes);
    free(copy);
}

int main(int argc, char **argv)
{
    static uint8_t input[MAX_SEED_BYTES];
    struct seed seeds[MAX_SEEDS];
    if (argc < 3) {
        fprintf(stderr, "usage: %s FROM TO [FOLDER]\n", argv[0]);
        return STATUS_USAGE;
    }
    uint64_t from = strtoull(argv[1], NULL, 0), to = strtoull(argv[2], NULL, 0);
    size_t nr_seeds = argc > 3 ? read_seeds(argv[3], seeds) : 0;
    for (size_t i = 0; i < nr_seeds; i++)
        try_input(seeds[i].bytes, seeds[i].nr_bytes);
    for (uint64_t number = from; number < to; number++) {
        uint64_t state = number;
        size_t nr_bytes = nr_seeds > 0 && number % 4 != 0
                              ? make_damaged(&state, &seeds[below(&state, nr_seeds)], input)
                              : make_random(&state, input);
        fprintf(stderr, "input %" PRIu64 "\n", number);
        try_input(input, nr_bytes);
    }
    for (size_t i = 0; i < nr_seeds; i++)
        free(seeds[i].bytes);
    printf("%zu files, inputs %" PRIu64 " to %" PRIu64 "\n", nr_seeds, from, to);
    return from < to || nr_seeds ? 0 : STATUS_USAGE;
}
