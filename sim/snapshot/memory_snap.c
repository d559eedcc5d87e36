#include "sim/snapshot/memory_snap.h"

#include <stdlib.h>
#include <zstd.h>

enum { COMPRESSION_LEVEL = 1, MIN_ROOM_BYTES = 1 << 16 };

struct packer {
    struct memory_snap *to;
    ZSTD_CCtx *pack;
};

struct unpacker {
    ZSTD_inBuffer from;
    ZSTD_DCtx *unpack;
};

static bool has_room(struct memory_snap *memory)
{
    if (memory->room - memory->nr_bytes >= MIN_ROOM_BYTES)
        return true;
    size_t room = memory->room + memory->room / 2 + 2 * MIN_ROOM_BYTES;
    uint8_t *grown = realloc(memory->bytes, room);
    if (!grown)
        return false;
    memory->bytes = grown;
    memory->room = room;
    return true;
}

static bool pack(struct packer *packer, const void *bytes, size_t nr_bytes, ZSTD_EndDirective end)
{
    struct memory_snap *to = packer->to;
    ZSTD_inBuffer in = {.src = bytes, .size = nr_bytes};
    size_t left;
    do {
        if (!has_room(to))
            return false;
        ZSTD_outBuffer out = {.dst = to->bytes + to->nr_bytes, .size = to->room - to->nr_bytes};
        left = ZSTD_compressStream2(packer->pack, &out, &in, end);
        if (ZSTD_isError(left))
            return false;
        to->nr_bytes += out.pos;
    } while (end == ZSTD_e_end ? left != 0 : in.pos < in.size);
    return true;
}

static bool write_packed(void *opaque, const void *bytes, size_t nr_bytes)
{
    return pack(opaque, bytes, nr_bytes, ZSTD_e_continue);
}

static bool read_packed(void *opaque, void *bytes, size_t nr_bytes)
{
    struct unpacker *unpacker = opaque;
    ZSTD_outBuffer out = {.dst = bytes, .size = nr_bytes};
    while (out.pos < out.size) {
        size_t done = out.pos, taken = unpacker->from.pos;
        size_t left = ZSTD_decompressStream(unpacker->unpack, &out, &unpacker->from);
        if (ZSTD_isError(left) || (out.pos == done && unpacker->from.pos == taken))
            return false;
    }
    return true;
}

static bool walk(const struct memory_snap_walk *what, const struct snap_stream *stream, bool is_load,
                 struct diag *diag)
{
    struct snap *snap = malloc(sizeof *snap);
    if (!snap)
        return false;
    snap_begin(snap, stream, is_load, what->name, diag);
    what->walk(what->opaque, snap);
    bool is_good = snap_end(snap);
    free(snap);
    return is_good;
}

/* Nobody else has said what is wrong: in memory that can only be its shortness. */
static bool is_done(bool is_good, size_t nr_lines, const struct memory_snap_walk *what, struct diag *diag)
{
    if (!is_good && diag->nr_lines == nr_lines)
        diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", what->name);
    return is_good;
}

bool memory_snap_save(struct memory_snap *to, const struct memory_snap_walk *what, struct diag *diag)
{
    size_t nr_lines = diag->nr_lines;
    *to = (struct memory_snap){0};
    struct packer packer = {.to = to, .pack = ZSTD_createCCtx()};
    const struct snap_stream stream = {.write = write_packed, .opaque = &packer};
    bool is_good =
        packer.pack &&
        !ZSTD_isError(ZSTD_CCtx_setParameter(packer.pack, ZSTD_c_compressionLevel, COMPRESSION_LEVEL)) &&
        walk(what, &stream, false, diag) && pack(&packer, NULL, 0, ZSTD_e_end);
    ZSTD_freeCCtx(packer.pack);
    if (!is_good) {
        memory_snap_free(to);
        return is_done(false, nr_lines, what, diag);
    }
    uint8_t *exact = realloc(to->bytes, to->nr_bytes);
    if (exact) {
        to->bytes = exact;
        to->room = to->nr_bytes;
    }
    return true;
}

bool memory_snap_load(const struct memory_snap *from, const struct memory_snap_walk *what, struct diag *diag)
{
    size_t nr_lines = diag->nr_lines;
    struct unpacker unpacker = {.from = {.src = from->bytes, .size = from->nr_bytes},
                                .unpack = ZSTD_createDCtx()};
    const struct snap_stream stream = {.read = read_packed, .opaque = &unpacker};
    bool is_good = unpacker.unpack && walk(what, &stream, true, diag);
    ZSTD_freeDCtx(unpacker.unpack);
    return is_done(is_good, nr_lines, what, diag);
}

void memory_snap_free(struct memory_snap *memory)
{
    free(memory->bytes);
    *memory = (struct memory_snap){0};
}
