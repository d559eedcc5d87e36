#include "mmu/segment.h"

struct descriptor segment_decode(uint64_t raw)
{
    uint32_t limit = (uint32_t)((raw & 0xffff) | (raw >> 32 & 0xf0000));
    bool is_granular = raw >> 55 & 1;
    return (struct descriptor){
        .base = (raw >> 16 & 0xffffff) | (raw >> 32 & 0xff000000),
        .limit_bytes = is_granular ? limit << 12 | 0xfff : limit,
        .type = raw >> 40 & 15,
        .is_code_or_data = raw >> 44 & 1,
        .dpl = raw >> 45 & 3,
        .is_present = raw >> 47 & 1,
        .is_available = raw >> 52 & 1,
        .is_long = raw >> 53 & 1,
        .is_big = raw >> 54 & 1,
        .is_granular = is_granular,
    };
}

struct gate gate_decode(uint64_t raw)
{
    return (struct gate){
        .selector = (uint16_t)(raw >> 16),
        .offset = (uint32_t)((raw & 0xffff) | (raw >> 32 & 0xffff0000)),
        .nr_parameters = raw >> 32 & 31,
        .type = raw >> 40 & 15,
        .is_system = !(raw >> 44 & 1),
        .dpl = raw >> 45 & 3,
        .is_present = raw >> 47 & 1,
    };
}

static bool is_in_limit(const struct descriptor *d, uint64_t offset, unsigned size_bytes)
{
    uint64_t last = offset + size_bytes - 1;
    bool is_expand_down = !(d->type & SEGMENT_CODE) && (d->type & SEGMENT_EXPAND_DOWN);
    if (!is_expand_down)
        return last <= d->limit_bytes;
    uint64_t top = d->is_big ? UINT32_MAX : UINT16_MAX;
    return offset > d->limit_bytes && last <= top;
}

bool segment_allows(const struct segment *segment, uint64_t offset, unsigned size_bytes, bool is_write)
{
    const struct descriptor *d = &segment->hidden;
    if (!segment->is_usable)
        return false;
    if (is_write && ((d->type & SEGMENT_CODE) || !(d->type & SEGMENT_WRITABLE)))
        return false;
    if (!is_write && (d->type & SEGMENT_CODE) && !(d->type & SEGMENT_READABLE))
        return false;
    return is_in_limit(d, offset, size_bytes);
}

bool segment_is_flat_code(const struct segment *segment)
{
    const struct descriptor *d = &segment->hidden;
    return segment->is_usable && d->base == 0 && d->limit_bytes == UINT32_MAX;
}
