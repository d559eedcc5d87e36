#include "sim/observe/trace_show.h"

#include <inttypes.h>

/* Strings of the header came from a file: what is no text is not sent to a terminal. */
static void put_string(FILE *out, const char *name, const char *value)
{
    fprintf(out, "%-14s ", name);
    for (; *value; value++)
        fputc((unsigned char)*value < 0x20 || *value == 0x7f ? '?' : *value, out);
    fputc('\n', out);
}

static void put_number(FILE *out, const char *name, uint64_t value)
{
    fprintf(out, "%-14s %" PRIu64 "\n", name, value);
}

static void put_range(FILE *out, const char *name, uint64_t first, uint64_t last)
{
    if (first <= last)
        fprintf(out, "%-14s %" PRIu64 " to %" PRIu64 "\n", name, first, last);
}

void trace_show_info(const struct trace_info *info, const char *file, FILE *out)
{
    static const char *const kinds[NR_TRACE_KINDS] = {"instructions", "translations",   "accesses",
                                                      "exceptions",   "control writes", "requests",
                                                      "device lines", "marks"};
    put_string(out, "file", file);
    put_number(out, "trace version", TRACE_VERSION);
    put_string(out, "lookaside", info->version);
    put_string(out, "config", info->config_digest);
    put_string(out, "image", info->image);
    fprintf(out, "%-14s %" PRIu64 " Hz\n", "clock", info->clock_hz);
    if (info->from || info->to)
        fprintf(out, "%-14s asked for: cycles %" PRIu64 " to %s", "window", info->from,
                info->to ? "" : "the end\n");
    if (info->to)
        fprintf(out, "%" PRIu64 "\n", info->to);
    put_range(out, "cycles", info->cycles.first, info->cycles.last);
    put_range(out, "numbers", info->first_insn, info->last_insn);
    put_number(out, "records", info->nr_records);
    for (unsigned i = 0; i < NR_TRACE_KINDS && !info->is_cut; i++)
        put_number(out, kinds[i], info->nr_by_kind[i]);
    fprintf(out, "%-14s %" PRIu64 " bytes in %" PRIu64 " chunks", "size", info->file_bytes, info->nr_chunks);
    if (info->nr_records)
        fprintf(out, "; %.2f bytes a record", (double)info->file_bytes / (double)info->nr_records);
    fputc('\n', out);
    if (info->ending == TRACE_ENDED_BY_LIMIT)
        fprintf(out, "%-14s by the size limit: nothing from cycle %" PRIu64 " on was recorded\n", "ended",
                info->stopped_at);
    else
        fprintf(out, "%-14s %s\n", "ended",
                info->is_cut ? "without an index: the run or the file was cut off" : "with the run");
}
