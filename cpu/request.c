/* Requests of a core to its caches; a watched core tells its observer of each. */
#include "cpu/cpu_internal.h"

/* Which cache it is to the observer. */
static enum cpu_request_cache name_of(const struct cpu *cpu, const struct cache *cache)
{
    if (cache == cpu->params.l1i)
        return CPU_REQUEST_L1I;
    unsigned depth = CPU_REQUEST_L1D;
    for (const struct cache *at = cpu->params.l1d; at != cache && depth < CPU_REQUEST_L3;
         at = cache_below(at))
        depth++;
    return (enum cpu_request_cache)depth;
}

void cpu_observe_request(struct cpu *cpu, const struct cache *cache, struct cpu_seen_request request)
{
    const struct cpu_observer *observer = cpu->params.observer;
    if (!observer || !observer->request)
        return;
    request.cache = name_of(cpu, cache);
    observer->request(observer->opaque, &request);
}

struct cache_answer cpu_ask_cache_watched(struct cpu *cpu, struct cache *cache, enum cache_use use,
                                          struct paddr at, bool is_write, cycle_t now, uint64_t ip)
{
    uint64_t misses = cache_stats(cache)->misses;
    struct cache_answer answer = cache_ask(cache, use, at, is_write, now, ip);
    cpu->seen_in_flight = answer.served_by != SERVED_BY_L1 && cache_stats(cache)->misses == misses;
    struct cpu_seen_request seen = {.kind = is_write ? CPU_REQUEST_WRITE : CPU_REQUEST_READ,
                                    .use = use,
                                    .at = at,
                                    .ip = ip,
                                    .asked = now,
                                    .ready = answer.ready,
                                    .served_by = answer.served_by};
    cpu_observe_request(cpu, cache, seen);
    return answer;
}

void cpu_ask_flush(struct cpu *cpu, struct cache *cache, bool write_back, cycle_t now)
{
    struct cpu_seen_request seen = {
        .kind = write_back ? CPU_REQUEST_FLUSH : CPU_REQUEST_FORGET, .asked = now, .ready = now};
    cpu_begin_access(cpu, paddr(0), 0);
    cache_flush(cache, write_back, now);
    cpu_observe_request(cpu, cache, seen);
}

void cpu_ask_flush_line(struct cpu *cpu, struct cache *cache, struct paddr at, bool write_back, cycle_t now)
{
    struct cpu_seen_request seen = {.kind = write_back ? CPU_REQUEST_FLUSH_LINE : CPU_REQUEST_FORGET_LINE,
                                    .at = at,
                                    .asked = now,
                                    .ready = now};
    cpu_begin_access(cpu, at, 0);
    cache_flush_line(cache, at, write_back, now);
    cpu_observe_request(cpu, cache, seen);
}
