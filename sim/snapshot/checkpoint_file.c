#include "sim/snapshot/checkpoint_file.h"

#include "sim/base/outfile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { COMPRESSION_LEVEL = 1, CHUNK_BYTES = 1 << 20, MAGIC_BYTES = 24 };

static const char magic[MAGIC_BYTES] = "lookaside checkpoint\n";

/* At the beginning of the file, and before each chunk; a chunk of no bytes is the last. */
struct head {
    char magic[MAGIC_BYTES];
    uint32_t version, reserved;
};
struct chunk_head {
    uint32_t raw_bytes, packed_bytes;
};

struct checkpoint_file {
    struct snap snap;
    struct diag *diag;
    char *name;
    struct outfile out; /* out.to: NULL when it is read */
    FILE *from;
    uint64_t offset; /* of the chunk, for messages */
    ZSTD_CCtx *pack;
    ZSTD_DCtx *unpack;
    uint8_t *raw, *packed;
    size_t packed_room;
    size_t at, filled; /* in raw */
    bool is_at_end;
};

static void destroy(struct checkpoint_file *checkpoint)
{
    if (checkpoint->from)
        fclose(checkpoint->from);
    ZSTD_freeCCtx(checkpoint->pack);
    ZSTD_freeDCtx(checkpoint->unpack);
    free(checkpoint->raw);
    free(checkpoint->packed);
    free(checkpoint->name);
    free(checkpoint);
}

/* ---- Writing ---- */

static bool put(struct checkpoint_file *checkpoint, const void *bytes, size_t nr_bytes)
{
    if (fwrite(bytes, 1, nr_bytes, checkpoint->out.to) == nr_bytes)
        return true;
    return diag_add(checkpoint->diag, EXIT_STATUS_NO_OUTPUT, "%s: cannot be written: %s", checkpoint->name,
                    strerror(errno ? errno : EIO));
}

static bool put_chunk(struct checkpoint_file *checkpoint)
{
    size_t size = ZSTD_compress2(checkpoint->pack, checkpoint->packed, checkpoint->packed_room,
                                 checkpoint->raw, checkpoint->filled);
    if (ZSTD_isError(size))
        return diag_add(checkpoint->diag, EXIT_STATUS_INTERNAL, "%s: %s", checkpoint->name,
                        ZSTD_getErrorName(size));
    const struct chunk_head head = {.raw_bytes = (uint32_t)checkpoint->filled,
                                    .packed_bytes = (uint32_t)size};
    checkpoint->filled = 0;
    return put(checkpoint, &head, sizeof head) && put(checkpoint, checkpoint->packed, size);
}

static bool write_stream(void *opaque, const void *bytes, size_t nr_bytes)
{
    struct checkpoint_file *checkpoint = opaque;
    const uint8_t *from = bytes;
    while (nr_bytes > 0) {
        size_t room = CHUNK_BYTES - checkpoint->filled, part = nr_bytes < room ? nr_bytes : room;
        memcpy(checkpoint->raw + checkpoint->filled, from, part);
        checkpoint->filled += part;
        from += part;
        nr_bytes -= part;
        if (checkpoint->filled == CHUNK_BYTES && !put_chunk(checkpoint))
            return false;
    }
    return true;
}

/* ---- Reading ---- */

static bool is_damaged(struct checkpoint_file *checkpoint, const char *what)
{
    return diag_add(checkpoint->diag, EXIT_STATUS_BAD_DATA, "%s: offset %" PRIu64 ": %s", checkpoint->name,
                    checkpoint->offset, what);
}

static bool get(struct checkpoint_file *checkpoint, void *bytes, size_t nr_bytes)
{
    if (fread(bytes, 1, nr_bytes, checkpoint->from) == nr_bytes)
        return true;
    if (ferror(checkpoint->from))
        return diag_add(checkpoint->diag, EXIT_STATUS_NO_INPUT, "%s: cannot read: %s", checkpoint->name,
                        strerror(errno));
    return is_damaged(checkpoint, "the file is cut off in this chunk");
}

static bool get_chunk(struct checkpoint_file *checkpoint)
{
    struct chunk_head head;
    checkpoint->offset = (uint64_t)ftello(checkpoint->from);
    if (!get(checkpoint, &head, sizeof head))
        return false;
    if (head.raw_bytes > CHUNK_BYTES || head.packed_bytes > checkpoint->packed_room)
        return is_damaged(checkpoint, "this chunk is damaged: its sizes are too large");
    if (!get(checkpoint, checkpoint->packed, head.packed_bytes))
        return false;
    size_t size = ZSTD_decompressDCtx(checkpoint->unpack, checkpoint->raw, CHUNK_BYTES, checkpoint->packed,
                                      head.packed_bytes);
    if (ZSTD_isError(size) || size != head.raw_bytes)
        return is_damaged(checkpoint, "this chunk is damaged: its checksum is wrong");
    checkpoint->at = 0;
    checkpoint->filled = size;
    checkpoint->is_at_end = size == 0;
    return true;
}

static bool read_stream(void *opaque, void *bytes, size_t nr_bytes)
{
    struct checkpoint_file *checkpoint = opaque;
    uint8_t *to = bytes;
    while (nr_bytes > 0) {
        size_t there = checkpoint->filled - checkpoint->at, part = nr_bytes < there ? nr_bytes : there;
        memcpy(to, checkpoint->raw + checkpoint->at, part);
        checkpoint->at += part;
        to += part;
        nr_bytes -= part;
        if (nr_bytes == 0)
            return true;
        if (checkpoint->is_at_end)
            return is_damaged(checkpoint, "the checkpoint ends before the machine is complete");
        if (!get_chunk(checkpoint))
            return false;
    }
    return true;
}

/* ---- Both ---- */

static struct checkpoint_file *make(const char *file, struct diag *diag)
{
    struct checkpoint_file *checkpoint = calloc(1, sizeof *checkpoint);
    if (checkpoint) {
        checkpoint->diag = diag;
        checkpoint->packed_room = ZSTD_compressBound(CHUNK_BYTES);
        checkpoint->name = strdup(file);
        checkpoint->raw = malloc(CHUNK_BYTES);
        checkpoint->packed = malloc(checkpoint->packed_room);
        checkpoint->pack = ZSTD_createCCtx();
        checkpoint->unpack = ZSTD_createDCtx();
    }
    if (!checkpoint || !checkpoint->name || !checkpoint->raw || !checkpoint->packed || !checkpoint->pack ||
        !checkpoint->unpack) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", file);
        if (checkpoint)
            destroy(checkpoint);
        return NULL;
    }
    ZSTD_CCtx_setParameter(checkpoint->pack, ZSTD_c_compressionLevel, COMPRESSION_LEVEL);
    ZSTD_CCtx_setParameter(checkpoint->pack, ZSTD_c_checksumFlag, 1);
    return checkpoint;
}

struct checkpoint_file *checkpoint_file_create(const char *file, struct diag *diag)
{
    const struct snap_stream stream = {.write = write_stream};
    struct checkpoint_file *checkpoint = make(file, diag);
    if (!checkpoint)
        return NULL;
    struct head head = {.version = CHECKPOINT_VERSION};
    memcpy(head.magic, magic, sizeof magic);
    if (!outfile_open(&checkpoint->out, file, diag)) {
        destroy(checkpoint);
        return NULL;
    }
    if (!put(checkpoint, &head, sizeof head)) {
        checkpoint_file_abandon(checkpoint);
        return NULL;
    }
    snap_begin(&checkpoint->snap, &stream, false, checkpoint->name, diag);
    checkpoint->snap.stream.opaque = checkpoint;
    return checkpoint;
}

static bool check_head(struct checkpoint_file *checkpoint)
{
    struct head head;
    size_t got = fread(&head, 1, sizeof head, checkpoint->from);
    if (got < sizeof head.magic || memcmp(head.magic, magic, sizeof magic) != 0)
        return diag_add(checkpoint->diag, EXIT_STATUS_BAD_DATA, "%s: not a checkpoint of lookaside",
                        checkpoint->name);
    if (got < sizeof head)
        return is_damaged(checkpoint, "the file is cut off");
    if (head.version != CHECKPOINT_VERSION)
        return diag_add(checkpoint->diag, EXIT_STATUS_BAD_DATA,
                        "%s: a checkpoint of version %" PRIu32 "; allowed: %d", checkpoint->name,
                        head.version, CHECKPOINT_VERSION);
    return true;
}

struct checkpoint_file *checkpoint_file_open(const char *file, struct diag *diag)
{
    const struct snap_stream stream = {.read = read_stream};
    struct checkpoint_file *checkpoint = make(file, diag);
    if (!checkpoint)
        return NULL;
    checkpoint->from = fopen(file, "re");
    bool is_good = checkpoint->from
                       ? check_head(checkpoint)
                       : diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: cannot read: %s", file, strerror(errno));
    if (!is_good) {
        destroy(checkpoint);
        return NULL;
    }
    snap_begin(&checkpoint->snap, &stream, true, checkpoint->name, diag);
    checkpoint->snap.stream.opaque = checkpoint;
    return checkpoint;
}

struct snap *checkpoint_file_snap(struct checkpoint_file *checkpoint)
{
    return &checkpoint->snap;
}

static bool finish_writing(struct checkpoint_file *checkpoint)
{
    bool is_good = snap_end(&checkpoint->snap);
    is_good = is_good && (checkpoint->filled == 0 || put_chunk(checkpoint)) && put_chunk(checkpoint);
    if (is_good)
        return outfile_commit(&checkpoint->out, checkpoint->diag);
    outfile_abandon(&checkpoint->out);
    return false;
}

static bool finish_reading(struct checkpoint_file *checkpoint)
{
    if (!snap_end(&checkpoint->snap))
        return false;
    if (checkpoint->at == checkpoint->filled && !checkpoint->is_at_end && !get_chunk(checkpoint))
        return false;
    return checkpoint->is_at_end || is_damaged(checkpoint, "more follows than a machine has");
}

bool checkpoint_file_finish(struct checkpoint_file *checkpoint)
{
    bool is_good = checkpoint->out.to ? finish_writing(checkpoint) : finish_reading(checkpoint);
    destroy(checkpoint);
    return is_good;
}

void checkpoint_file_abandon(struct checkpoint_file *checkpoint)
{
    if (!checkpoint)
        return;
    if (checkpoint->out.to)
        outfile_abandon(&checkpoint->out);
    destroy(checkpoint);
}
