/* The files' format: chunks of a four-byte tag, a 32-bit length, and that many bytes. All little-endian. */
#include "tests/oracle/vectors_286.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct span {
    const uint8_t *at;
    size_t size_bytes;
};

static uint32_t get32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

/* Takes the next chunk off `span`. False: there is none. */
static bool take_chunk(struct span *span, char tag[4], struct span *chunk)
{
    if (span->size_bytes < 8)
        return false;
    size_t size_bytes = get32(span->at + 4);
    if (size_bytes > span->size_bytes - 8)
        return false;
    memcpy(tag, span->at, 4);
    *chunk = (struct span){span->at + 8, size_bytes};
    span->at += 8 + size_bytes;
    span->size_bytes -= 8 + size_bytes;
    return true;
}

static bool is_tag(const char tag[4], const char *name)
{
    return memcmp(tag, name, 4) == 0;
}

static bool parse_registers(struct span span, struct vector_state *state)
{
    if (span.size_bytes < 2)
        return false;
    unsigned present = get16(span.at);
    size_t at = 2;
    for (unsigned i = 0; i < NR_VECTOR_REGISTERS; i++) {
        if (!(present >> i & 1))
            continue;
        if (at + 2 > span.size_bytes)
            return false;
        state->reg[i] = get16(span.at + at);
        at += 2;
    }
    return true;
}

static bool parse_memory(struct span span, struct vector_state *state)
{
    if (span.size_bytes < 4)
        return false;
    uint32_t nr = get32(span.at);
    if (nr > MAX_VECTOR_BYTES || span.size_bytes < 4 + 5 * (size_t)nr)
        return false;
    for (uint32_t i = 0; i < nr; i++) {
        const uint8_t *at = span.at + 4 + (size_t)5 * i;
        state->byte[i] = (struct vector_byte){get32(at), at[4]};
    }
    state->nr_bytes = nr;
    return true;
}

static bool parse_state(struct span span, struct vector_state *state)
{
    char tag[4];
    struct span chunk;
    state->nr_bytes = 0;
    while (take_chunk(&span, tag, &chunk)) {
        if (is_tag(tag, "REGS") && !parse_registers(chunk, state))
            return false;
        if (is_tag(tag, "RAM ") && !parse_memory(chunk, state))
            return false;
    }
    return true;
}

static bool parse_case(struct span span, struct vector_case *c)
{
    char tag[4];
    struct span chunk;
    if (span.size_bytes < 4)
        return false;
    c->number = get32(span.at);
    c->exception = VECTOR_NO_EXCEPTION;
    span.at += 4;
    span.size_bytes -= 4;
    while (take_chunk(&span, tag, &chunk)) {
        if (is_tag(tag, "BYTS") && chunk.size_bytes >= 4) {
            c->bytes = chunk.at + 4;
            c->nr_bytes = (unsigned)chunk.size_bytes - 4;
        } else if (is_tag(tag, "INIT")) {
            if (!parse_state(chunk, &c->before))
                return false;
            memcpy(c->after.reg, c->before.reg, sizeof c->after.reg); /* only what changed follows */
        } else if (is_tag(tag, "FINA")) {
            if (!parse_state(chunk, &c->after))
                return false;
        } else if (is_tag(tag, "EXCP") && chunk.size_bytes >= 1) {
            c->exception = chunk.at[0];
        }
    }
    return c->nr_bytes > 0;
}

bool vector_file_open(struct vector_file *file, const char *path)
{
    *file = (struct vector_file){NULL, 0, 0};
    FILE *stream = fopen(path, "rb");
    if (!stream)
        return false;
    long size = fseek(stream, 0, SEEK_END) == 0 ? ftell(stream) : -1;
    bool is_good = size > 0 && fseek(stream, 0, SEEK_SET) == 0;
    file->data = is_good ? malloc((size_t)size) : NULL;
    file->size_bytes = is_good ? (size_t)size : 0;
    is_good = file->data && fread(file->data, 1, file->size_bytes, stream) == file->size_bytes;
    fclose(stream);
    return is_good;
}

bool vector_file_next(struct vector_file *file, struct vector_case *c)
{
    struct span rest = {file->data + file->next, file->size_bytes - file->next}, chunk;
    char tag[4];
    while (take_chunk(&rest, tag, &chunk)) {
        if (!is_tag(tag, "TEST")) {
            file->next = file->size_bytes - rest.size_bytes;
            continue;
        }
        if (!parse_case(chunk, c))
            return false;
        file->next = file->size_bytes - rest.size_bytes;
        return true;
    }
    return false;
}

void vector_file_close(struct vector_file *file)
{
    free(file->data);
}
