#include "sim/report_stale.h"

#include <inttypes.h>

void stale_describe(const struct machine *machine, const struct cache_stale *stale,
                    const struct elf_symbols *symbols, char text[STALE_TEXT_CHARS])
{
    char place[128];
    const int digits = (int)stale->size_bytes * 2;
    const uint64_t line_bytes = machine_parts(machine).config->cache_l1d_line_bytes,
                   line = stale->at.v & ~(line_bytes - 1);
    const char *device = stale->device ? stale->device : "a device";
    elf_symbols_place(symbols, stale->ip, place, sizeof place);
    switch (stale->kind) {
    case CACHE_STALE_DEVICE_READ:
        snprintf(text, STALE_TEXT_CHARS,
                 "%s read %0*" PRIx64 " at %08" PRIx64 ", where the CPU has %0*" PRIx64
                 ", stored by %s, in line %08" PRIx64 "; %" PRIu64 " bytes differ",
                 device, digits, stale->memory_value, stale->at.v, digits, stale->cpu_value, place, line,
                 stale->nr_bytes);
        break;
    case CACHE_STALE_CPU_READ:
        snprintf(text, STALE_TEXT_CHARS,
                 "%s read %0*" PRIx64 " at %08" PRIx64 " from cached line %08" PRIx64
                 ", where %s has written %0*" PRIx64 "; %" PRIu64 " bytes differ",
                 place, digits, stale->cpu_value, stale->at.v, line, device, digits, stale->memory_value,
                 stale->nr_bytes);
        break;
    case CACHE_STALE_UPDATE_LOST:
        snprintf(text, STALE_TEXT_CHARS,
                 "line %08" PRIx64 ", dirty by %s, was written back with %0*" PRIx64 " at %08" PRIx64
                 " over %0*" PRIx64 ", which %s had written; %" PRIu64 " bytes differ",
                 line, place, digits, stale->cpu_value, stale->at.v, digits, stale->memory_value, device,
                 stale->nr_bytes);
        break;
    }
}

/* How many of the events from number i on are of its kind and from its place; 0 when an earlier one is. */
static size_t nr_like(const struct cache_stale *stale, size_t nr, size_t i)
{
    size_t nr_same = 0;
    for (size_t j = 0; j < nr; j++) {
        bool is_same = stale[j].kind == stale[i].kind && stale[j].ip == stale[i].ip;
        if (is_same && j < i)
            return 0;
        nr_same += is_same;
    }
    return nr_same;
}

void report_stale(const struct machine *machine, const char *image, FILE *to)
{
    size_t nr;
    char text[STALE_TEXT_CHARS];
    const struct cache_stale *stale = machine_stale(machine, &nr);
    if (nr == 0)
        return;
    struct elf_symbols *symbols = image ? elf_symbols_load(image) : NULL;
    fprintf(to, "lookaside: caches and memory differed (dma.coherence is none), %zu times%s:\n", nr,
            nr == CACHE_STALE_KEPT ? " or more, of which the first" : "");
    for (size_t i = 0; i < nr; i++) {
        size_t nr_same = nr_like(stale, nr, i);
        if (nr_same == 0)
            continue;
        stale_describe(machine, &stale[i], symbols, text);
        fprintf(to, "  cycle %" PRIu64 ": %s", stale[i].cycle, text);
        if (nr_same > 1)
            fprintf(to, " (and %zu more from there)", nr_same - 1);
        fprintf(to, "\n");
    }
    elf_symbols_free(symbols);
}
