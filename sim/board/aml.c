#include "sim/board/aml.h"

#include <assert.h>
#include <string.h>

enum opcode {
    OP_NAME = 0x08,
    OP_BYTE = 0x0a,
    OP_WORD = 0x0b,
    OP_DWORD = 0x0c,
    OP_QWORD = 0x0e,
    OP_SCOPE = 0x10,
    OP_BUFFER = 0x11,
    OP_PACKAGE = 0x12,
    OP_METHOD = 0x14,
    OP_EXTENDED = 0x5b,
    OP_DEVICE = 0x82, /* extended */
    OP_IF = 0xa0,
};
enum { LENGTH_BYTES = 2, LENGTH_MAX = 0xfff, LENGTH_FORM = 0x40, NAME_CHARS = 4 };

void aml_byte(struct aml *aml, uint8_t byte)
{
    assert(aml->nr_bytes < aml->capacity);
    aml->bytes[aml->nr_bytes++] = byte;
}

void aml_bytes(struct aml *aml, const void *bytes, size_t nr_bytes)
{
    assert(aml->nr_bytes + nr_bytes <= aml->capacity);
    memcpy(aml->bytes + aml->nr_bytes, bytes, nr_bytes);
    aml->nr_bytes += nr_bytes;
}

void aml_integer(struct aml *aml, uint64_t value)
{
    static const struct {
        uint8_t opcode, nr_bytes;
    } forms[] = {{OP_BYTE, 1}, {OP_WORD, 2}, {OP_DWORD, 4}, {OP_QWORD, 8}};
    if (value <= 1) { /* ZeroOp, OneOp */
        aml_byte(aml, (uint8_t)value);
        return;
    }
    size_t form = 0;
    while (form < 3 && value >> (8 * forms[form].nr_bytes))
        form++;
    aml_byte(aml, forms[form].opcode);
    aml_bytes(aml, &value, forms[form].nr_bytes);
}

void aml_name_segment(struct aml *aml, const char *name)
{
    size_t length = strlen(name);
    assert(length >= 1 && length <= NAME_CHARS);
    for (size_t i = 0; i < NAME_CHARS; i++)
        aml_byte(aml, i < length ? (uint8_t)name[i] : '_');
}

static struct aml_block begin(struct aml *aml, const uint8_t *opcode, size_t nr_bytes)
{
    aml_bytes(aml, opcode, nr_bytes);
    struct aml_block block = {.length_at = aml->nr_bytes};
    aml_bytes(aml, "\0\0", LENGTH_BYTES);
    return block;
}

static struct aml_block begin_plain(struct aml *aml, uint8_t opcode)
{
    return begin(aml, &opcode, 1);
}

struct aml_block aml_begin_scope(struct aml *aml, const char *root_name)
{
    struct aml_block block = begin_plain(aml, OP_SCOPE);
    aml_byte(aml, '\\');
    aml_name_segment(aml, root_name);
    return block;
}

struct aml_block aml_begin_device(struct aml *aml, const char *name)
{
    struct aml_block block = begin(aml, (const uint8_t[]){OP_EXTENDED, OP_DEVICE}, 2);
    aml_name_segment(aml, name);
    return block;
}

struct aml_block aml_begin_method(struct aml *aml, const char *name, unsigned nr_arguments)
{
    struct aml_block block = begin_plain(aml, OP_METHOD);
    aml_name_segment(aml, name);
    aml_byte(aml, (uint8_t)nr_arguments);
    return block;
}

struct aml_block aml_begin_if(struct aml *aml)
{
    return begin_plain(aml, OP_IF);
}

struct aml_block aml_begin_package(struct aml *aml, uint8_t nr_elements)
{
    struct aml_block block = begin_plain(aml, OP_PACKAGE);
    aml_byte(aml, nr_elements);
    return block;
}

/* The low four bits of the length in the first byte, the rest in the second (ACPI 6.4, 20.2.4). */
void aml_end(struct aml *aml, struct aml_block block)
{
    size_t length = aml->nr_bytes - block.length_at;
    assert(length <= LENGTH_MAX);
    aml->bytes[block.length_at] = (uint8_t)(LENGTH_FORM | (length & 0xf));
    aml->bytes[block.length_at + 1] = (uint8_t)(length >> 4);
}

void aml_name(struct aml *aml, const char *name)
{
    aml_byte(aml, OP_NAME);
    aml_name_segment(aml, name);
}

static unsigned hex_digit(char digit)
{
    return digit <= '9' ? (unsigned)(digit - '0') : (unsigned)(digit - 'A' + 10);
}

void aml_eisa_id(struct aml *aml, const char *id)
{
    assert(strlen(id) == 7);
    unsigned letters = 0;
    for (unsigned i = 0; i < 3; i++)
        letters = letters << 5 | (unsigned)(id[i] - '@');
    const uint8_t bytes[] = {OP_DWORD, (uint8_t)(letters >> 8), (uint8_t)letters,
                             (uint8_t)(hex_digit(id[3]) << 4 | hex_digit(id[4])),
                             (uint8_t)(hex_digit(id[5]) << 4 | hex_digit(id[6]))};
    aml_bytes(aml, bytes, sizeof bytes);
}

void aml_buffer(struct aml *aml, const uint8_t *bytes, size_t nr_bytes)
{
    struct aml_block block = begin_plain(aml, OP_BUFFER);
    aml_integer(aml, nr_bytes);
    aml_bytes(aml, bytes, nr_bytes);
    aml_end(aml, block);
}
