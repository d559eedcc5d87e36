#include "sim/load/linux_payload.h"

#include <inttypes.h>
#include <lz4.h>
#include <lzma.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>

/* A decompressor: all of `packed` becomes exactly the room's bytes, or it gives false. */
struct packed {
    const uint8_t *bytes;
    size_t nr_bytes;
};
struct room {
    uint8_t *bytes;
    size_t nr_bytes;
};

/* What a kernel needs at most; a damaged file must not ask for more. */
enum { UNPACKED_MAX = 1 << 30, MEMORY_MAX = 256 << 20, SIZE_BYTES = 4 };

static bool unpack_gzip(struct packed packed, struct room room)
{
    enum { WITH_GZIP_HEADER = 16 + MAX_WBITS };
    z_stream stream = {
        .next_in = (z_const Bytef *)packed.bytes,
        .avail_in = (uInt)packed.nr_bytes,
        .next_out = room.bytes,
        .avail_out = (uInt)room.nr_bytes,
    };
    if (inflateInit2(&stream, WITH_GZIP_HEADER) != Z_OK)
        return false;
    bool is_good = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 0;
    inflateEnd(&stream);
    return is_good;
}

static bool run_lzma(lzma_stream *stream, struct packed packed, struct room room)
{
    stream->next_in = packed.bytes;
    stream->avail_in = packed.nr_bytes;
    stream->next_out = room.bytes;
    stream->avail_out = room.nr_bytes;
    bool is_good = lzma_code(stream, LZMA_FINISH) == LZMA_STREAM_END && stream->avail_out == 0;
    lzma_end(stream);
    return is_good;
}

static bool unpack_xz(struct packed packed, struct room room)
{
    lzma_stream stream = LZMA_STREAM_INIT;
    return lzma_stream_decoder(&stream, MEMORY_MAX, 0) == LZMA_OK && run_lzma(&stream, packed, room);
}

static bool unpack_lzma(struct packed packed, struct room room)
{
    lzma_stream stream = LZMA_STREAM_INIT;
    return lzma_alone_decoder(&stream, MEMORY_MAX) == LZMA_OK && run_lzma(&stream, packed, room);
}

static bool unpack_zstd(struct packed packed, struct room room)
{
    return ZSTD_decompress(room.bytes, room.nr_bytes, packed.bytes, packed.nr_bytes) == room.nr_bytes;
}

/* The legacy frame (LZ4 frame format): blocks of 8 MiB, each with its packed size before it. */
static bool unpack_lz4(struct packed packed, struct room room)
{
    enum { MAGIC_BYTES = 4, BLOCK_BYTES = 8 << 20 };
    size_t at = MAGIC_BYTES, used = 0;
    while (used < room.nr_bytes) {
        uint32_t block_bytes;
        if (packed.nr_bytes - at < sizeof block_bytes)
            return false;
        memcpy(&block_bytes, packed.bytes + at, sizeof block_bytes);
        at += sizeof block_bytes;
        if (block_bytes > packed.nr_bytes - at || block_bytes > LZ4_COMPRESSBOUND(BLOCK_BYTES))
            return false;
        size_t rest = room.nr_bytes - used;
        int nr_unpacked =
            LZ4_decompress_safe((const char *)packed.bytes + at, (char *)room.bytes + used, (int)block_bytes,
                                (int)(rest < BLOCK_BYTES ? rest : BLOCK_BYTES));
        if (nr_unpacked <= 0)
            return false;
        at += block_bytes;
        used += (size_t)nr_unpacked;
    }
    return at == packed.nr_bytes;
}

static const struct {
    const char *name;
    uint8_t magic[6];
    size_t magic_bytes;
    bool has_size; /* its format ends with the unpacked size; behind the others the kernel's build puts it */
    bool (*unpack)(struct packed packed, struct room room);
} formats[] = {
    {"gzip", {0x1f, 0x8b}, 2, true, unpack_gzip},
    {"XZ", {0xfd, '7', 'z', 'X', 'Z', 0}, 6, false, unpack_xz},
    {"LZMA", {0x5d, 0, 0}, 3, false, unpack_lzma},
    {"LZ4", {0x02, 0x21, 0x4c, 0x18}, 4, false, unpack_lz4},
    {"Zstandard", {0x28, 0xb5, 0x2f, 0xfd}, 4, false, unpack_zstd},
};
enum { NR_FORMATS = sizeof formats / sizeof *formats };

/* The payload as it stands in the file; nothing, and a line, when it is not there. */
static struct packed find_payload(const struct linux_header *header, struct diag *diag)
{
    const struct file_map *file = header->file;
    if (header->payload_bytes == 0) {
        diag_add(diag, EXIT_STATUS_BAD_DATA,
                 "%s: --unpack: the header tells of no payload; allowed: a bzImage of protocol 2.08 or later",
                 file->name);
        return (struct packed){0};
    }
    if (header->payload_offset > header->code_bytes ||
        header->payload_bytes > header->code_bytes - header->payload_offset ||
        header->payload_bytes <= SIZE_BYTES) {
        diag_add(diag, EXIT_STATUS_BAD_DATA,
                 "%s: payload of %#" PRIx64 " bytes at %#" PRIx64 "; allowed: within the %#" PRIx64
                 " bytes of code",
                 file->name, header->payload_bytes, header->payload_offset, header->code_bytes);
        return (struct packed){0};
    }
    return (struct packed){file->bytes + header->code_offset + header->payload_offset, header->payload_bytes};
}

bool linux_payload_unpack(const struct linux_header *header, struct file_map *payload, struct diag *diag)
{
    const struct file_map *file = header->file;
    struct packed packed = find_payload(header, diag);
    *payload = (struct file_map){.name = file->name};
    if (!packed.bytes)
        return false;
    size_t format = 0;
    while (format < NR_FORMATS &&
           (packed.nr_bytes < formats[format].magic_bytes ||
            memcmp(packed.bytes, formats[format].magic, formats[format].magic_bytes) != 0))
        format++;
    if (format == NR_FORMATS)
        return diag_add(
            diag, EXIT_STATUS_BAD_DATA,
            "%s: --unpack: the payload begins with %02x %02x %02x %02x; allowed: gzip, XZ, LZMA, LZ4 "
            "or Zstandard",
            file->name, packed.bytes[0], packed.bytes[1], packed.bytes[2], packed.bytes[3]);
    uint32_t size;
    memcpy(&size, packed.bytes + packed.nr_bytes - SIZE_BYTES, SIZE_BYTES);
    if (!formats[format].has_size)
        packed.nr_bytes -= SIZE_BYTES;
    if (size == 0 || size > UNPACKED_MAX)
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: --unpack: the payload is said to unpack to %" PRIu32 " bytes; allowed: 1 to %d",
                        file->name, size, UNPACKED_MAX);
    void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", file->name);
    payload->bytes = bytes;
    payload->size = size;
    if (formats[format].unpack(packed, (struct room){bytes, size}))
        return true;
    file_map_close(payload);
    return diag_add(diag, EXIT_STATUS_BAD_DATA,
                    "%s: --unpack: the payload is no good %s stream of %" PRIu32 " bytes (damaged?)",
                    file->name, formats[format].name, size);
}
