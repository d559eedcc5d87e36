#include "mmu/memory_type.h"

#include "sim/base/snap.h"

#define MTRR_CAP 0x508u /* write combining, fixed ranges, eight variable ones */
#define DEFAULT_TYPE_MASK 0xffu
#define DEFAULT_TYPE_FIXED 0x400u
#define DEFAULT_TYPE_ENABLED 0x800u
#define VARIABLE_VALID 0x800u
#define REPEATED(type) (0x0101010101010101u * (unsigned)(type))
#define ONE_MIB (1ull << 20)

enum msr {
    MSR_MTRR_CAP = 0xfe,
    MSR_VARIABLE = 0x200, /* base and mask in turn */
    MSR_VARIABLE_END = MSR_VARIABLE + 2 * NR_VARIABLE_MTRRS,
    MSR_FIXED_64K = 0x250,
    MSR_FIXED_16K = 0x258,
    MSR_FIXED_4K = 0x268,
    MSR_PAT = 0x277,
    MSR_DEFAULT_TYPE = 0x2ff,
};

static uint64_t variable_begin(const struct memory_types *types, unsigned i)
{
    return types->base[i] & types->mask[i] & ~(uint64_t)PAGE_MASK;
}

/* Most addresses need no look at the ranges: from 1 MiB to where the first of them begins. */
static void find_plain(struct memory_types *types)
{
    types->plain_pats = 0;
    for (unsigned i = 0; i < 8; i++)
        types->plain_pats |= (types->pat >> i * 8 & 7) == MEMORY_WB ? 1u << i : 0;
    types->plain_from = types->plain_to = 0;
    if ((types->default_type & (DEFAULT_TYPE_ENABLED | DEFAULT_TYPE_MASK)) !=
        (DEFAULT_TYPE_ENABLED | MEMORY_WB))
        return;
    types->plain_from = ONE_MIB;
    types->plain_to = UINT64_MAX;
    for (unsigned i = 0; i < NR_VARIABLE_MTRRS; i++)
        if ((types->mask[i] & VARIABLE_VALID) && variable_begin(types, i) < types->plain_to)
            types->plain_to = variable_begin(types, i);
}

void memory_types_init(struct memory_types *types, unsigned physical_bits)
{
    *types = (struct memory_types){
        .pat = 0x0007040600070406, /* SDM 3A table 11-12 */
        .default_type = DEFAULT_TYPE_ENABLED | DEFAULT_TYPE_FIXED | MEMORY_WB,
        .fixed = {REPEATED(MEMORY_WB), REPEATED(MEMORY_WB)}, /* to A0000h; from there UC */
        .base = {0xc0000000u | MEMORY_UC},
        .mask = {(((1ull << physical_bits) - 1) & ~0x3fffffffull) | VARIABLE_VALID},
        .physical_bits = physical_bits,
    };
    find_plain(types);
}

/* Where a fixed-range MTRR has its place, or NR_FIXED_MTRRS for another MSR. */
static unsigned fixed_index(uint32_t msr)
{
    if (msr == MSR_FIXED_64K)
        return 0;
    if (msr == MSR_FIXED_16K || msr == MSR_FIXED_16K + 1)
        return 1 + msr - MSR_FIXED_16K;
    return msr >= MSR_FIXED_4K && msr < MSR_FIXED_4K + 8 ? 3 + msr - MSR_FIXED_4K : NR_FIXED_MTRRS;
}

static uint64_t *find_msr(struct memory_types *types, uint32_t msr)
{
    if (msr >= MSR_VARIABLE && msr < MSR_VARIABLE_END)
        return (msr & 1 ? types->mask : types->base) + (msr - MSR_VARIABLE) / 2;
    if (msr == MSR_PAT)
        return &types->pat;
    if (msr == MSR_DEFAULT_TYPE)
        return &types->default_type;
    return fixed_index(msr) < NR_FIXED_MTRRS ? &types->fixed[fixed_index(msr)] : NULL;
}

bool memory_types_read(const struct memory_types *types, uint32_t msr, uint64_t *value)
{
    const uint64_t *found = find_msr((struct memory_types *)(uintptr_t)types, msr);
    *value = msr == MSR_MTRR_CAP ? MTRR_CAP : found ? *found : 0;
    return found || msr == MSR_MTRR_CAP;
}

static bool is_type(uint64_t type)
{
    return type <= MEMORY_WB && type != 2 && type != 3;
}

static bool are_types(uint64_t types, bool is_pat)
{
    for (unsigned shift = 0; shift < 64; shift += 8) {
        uint64_t type = types >> shift & 0xff;
        if (!is_type(type) && !(is_pat && type == MEMORY_UC_MINUS))
            return false;
    }
    return true;
}

/* SDM 3A 11.11.2, 11.12.2. */
static bool may_write(const struct memory_types *types, uint32_t msr, uint64_t value)
{
    uint64_t beyond = UINT64_MAX << types->physical_bits;
    if (msr == MSR_PAT || fixed_index(msr) < NR_FIXED_MTRRS)
        return are_types(value, msr == MSR_PAT);
    if (msr == MSR_DEFAULT_TYPE)
        return !(value & ~(uint64_t)(DEFAULT_TYPE_ENABLED | DEFAULT_TYPE_FIXED | DEFAULT_TYPE_MASK)) &&
               is_type(value & DEFAULT_TYPE_MASK);
    if (msr & 1)
        return !(value & (beyond | (VARIABLE_VALID - 1)));
    return !(value & (beyond | 0xf00)) && is_type(value & 0xff);
}

bool memory_types_write(struct memory_types *types, uint32_t msr, uint64_t value)
{
    uint64_t *found = find_msr(types, msr);
    if (!found || !may_write(types, msr, value))
        return false;
    *found = value;
    find_plain(types);
    return true;
}

static enum memory_type fixed_type(const struct memory_types *types, uint64_t at)
{
    unsigned index = at < 0x80000   ? 0
                     : at < 0xc0000 ? 1 + (unsigned)((at - 0x80000) >> 17)
                                    : 3 + (unsigned)((at - 0xc0000) >> 15);
    unsigned part_shift = index == 0 ? 16 : index < 3 ? 14 : 12;
    return types->fixed[index] >> (at >> part_shift) % 8 * 8 & 0xff;
}

/*
 * Where ranges overlap, UC wins, then WT over WB; what else meets is undefined, and UC here (SDM 3A
 * 11.11.4.1).
 */
static enum memory_type overlap(enum memory_type a, enum memory_type b)
{
    if (a == b)
        return a;
    bool are_wt_and_wb = (a == MEMORY_WT && b == MEMORY_WB) || (a == MEMORY_WB && b == MEMORY_WT);
    return are_wt_and_wb ? MEMORY_WT : MEMORY_UC;
}

enum memory_type memory_type_by_mtrrs(const struct memory_types *types, struct paddr at)
{
    if (memory_is_plain(types, at))
        return MEMORY_WB;
    if (!(types->default_type & DEFAULT_TYPE_ENABLED))
        return MEMORY_UC;
    if (at.v < ONE_MIB && (types->default_type & DEFAULT_TYPE_FIXED))
        return fixed_type(types, at.v);
    bool is_found = false;
    enum memory_type type = types->default_type & DEFAULT_TYPE_MASK;
    for (unsigned i = 0; i < NR_VARIABLE_MTRRS; i++) {
        if (!(types->mask[i] & VARIABLE_VALID) ||
            ((at.v ^ types->base[i]) & types->mask[i] & ~(uint64_t)PAGE_MASK))
            continue;
        enum memory_type this = types->base[i] & 0xff;
        type = is_found ? overlap(type, this) : this;
        is_found = true;
    }
    return type;
}

enum memory_type memory_type_of_any(const struct memory_types *types, struct paddr at, unsigned pat_index)
{
    /* SDM 3A table 11-7: by the MTRRs' type, then the PAT's. */
    enum { UC = MEMORY_UC, WC = MEMORY_WC, WT = MEMORY_WT, WP = MEMORY_WP, WB = MEMORY_WB };
    static const uint8_t effective[8][8] = {
        /*       UC  WC          WT  WP  WB  UC- */
        [UC] = {UC, WC, 0, 0, UC, UC, UC, UC}, [WC] = {UC, WC, 0, 0, UC, UC, WC, WC},
        [WT] = {UC, WC, 0, 0, WT, WP, WT, UC}, [WP] = {UC, WC, 0, 0, WT, WP, WP, WC},
        [WB] = {UC, WC, 0, 0, WT, WP, WB, UC},
    };
    unsigned by_pat = types->pat >> pat_index * 8 & 7;
    return effective[memory_type_by_mtrrs(types, at)][by_pat];
}

enum cache_use memory_cache_use_of_any(enum memory_type type, bool no_fill, bool is_write)
{
    bool passes_by = type == MEMORY_UC || type == MEMORY_WC || (type == MEMORY_WP && is_write);
    if (passes_by)
        return CACHE_USE_NONE;
    if (type == MEMORY_WT && is_write)
        return CACHE_USE_WRITE_THROUGH;
    return no_fill ? CACHE_USE_NO_FILL : CACHE_USE_ALL;
}

void memory_types_snap(struct memory_types *types, struct snap *snap)
{
    SNAP_OPEN(snap, types);
    SNAP(snap, types->pat);
    SNAP(snap, types->default_type);
    SNAP_ARRAY(snap, types->fixed);
    SNAP_ARRAY(snap, types->base);
    SNAP_ARRAY(snap, types->mask);
    SNAP_SKIP(snap, types->plain_from); /* these follow */
    SNAP_SKIP(snap, types->plain_to);
    SNAP_SKIP(snap, types->plain_pats);
    SNAP_SKIP(snap, types->physical_bits); /* of the configuration */
    SNAP_CLOSE(snap, types);
    if (snap->is_load)
        find_plain(types);
}
