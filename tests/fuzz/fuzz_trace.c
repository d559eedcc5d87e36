/*
 * The records of a trace's chunk, from any bytes: what can be read can be written, and reads the same
 * again.
 */
#include "sim/observe/trace_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes);

struct codecs {
    struct trace_codec in, out, in_again, out_again;
};

static void must(bool is_good, const char *what)
{
    if (is_good)
        return;
    fprintf(stderr, "fuzz_trace: %s\n", what);
    abort();
}

/* Writes it, reads that, writes it again. */
static void go_round(struct codecs *codecs, const struct trace_record *record)
{
    uint8_t bytes[TRACE_MAX_RECORD_BYTES], again[TRACE_MAX_RECORD_BYTES];
    struct trace_record read;
    size_t size = trace_encode(&codecs->out, record, bytes);
    must(size > 0 && size <= sizeof bytes, "a record of no size");
    const uint8_t *at = bytes;
    must(!trace_decode(&codecs->in_again, &at, bytes + size, &read), "what was written cannot be read");
    must(at == bytes + size && read.kind == record->kind, "what was written reads as something else");
    must(trace_encode(&codecs->out_again, &read, again) == size && memcmp(bytes, again, size) == 0,
         "what was read is written in another way");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes)
{
    static struct codecs codecs;
    memset(&codecs, 0, sizeof codecs);
    const uint8_t *at = data, *end = data + nr_bytes;
    struct trace_record record;
    while (at < end && !trace_decode(&codecs.in, &at, end, &record)) {
        must(record.kind < NR_TRACE_KINDS && at <= end, "a record of no kind");
        go_round(&codecs, &record);
    }
    return 0;
}
