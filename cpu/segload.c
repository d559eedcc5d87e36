/* Loading segment registers (SDM 3A 3.4.3, 5.4-5.5; SDM 2B MOV, 3A 5.7). */
#include "cpu/cpu_internal.h"
#include "cpu/long_mode.h"

bool cpu_read_descriptor(struct cpu *cpu, uint16_t selector, enum exception_vector vector, uint64_t *raw)
{
    uint64_t base = cpu->gdt_base;
    uint32_t limit = cpu->gdt_limit;
    if (selector & SELECTOR_TI) {
        base = cpu->ldtr.hidden.base;
        limit = cpu->ldtr.is_usable ? cpu->ldtr.hidden.limit_bytes : 0;
    }
    uint32_t offset = selector & SELECTOR_INDEX;
    if (offset + 7 > limit)
        return cpu_set_fault_code(cpu, vector, selector & ~SELECTOR_RPL & UINT16_MAX);
    cpu->stats.descriptor_reads++;
    return cpu_read(cpu, base + offset, 8, true, raw);
}

bool cpu_read_upper_descriptor(struct cpu *cpu, uint16_t selector, uint64_t *raw)
{
    enum { TYPE_SHIFT = 40, TYPE_MASK = 31 };
    bool is_local = selector & SELECTOR_TI;
    uint32_t upper = (selector & SELECTOR_INDEX) + 8, error_code = selector & ~SELECTOR_RPL & UINT16_MAX;
    if (upper + 7 > (is_local ? cpu->ldtr.hidden.limit_bytes : cpu->gdt_limit))
        return cpu_set_fault_code(cpu, EXCP_GP, error_code);
    if (!cpu_read(cpu, (is_local ? cpu->ldtr.hidden.base : cpu->gdt_base) + upper, 8, true, raw))
        return false;
    return !(*raw >> TYPE_SHIFT & TYPE_MASK) || cpu_set_fault_code(cpu, EXCP_GP, error_code);
}

bool cpu_mark_accessed(struct cpu *cpu, uint16_t selector, const struct descriptor *d)
{
    if (d->type & SEGMENT_ACCESSED)
        return true;
    uint64_t base = selector & SELECTOR_TI ? cpu->ldtr.hidden.base : cpu->gdt_base;
    unsigned rights = d->type | (unsigned)d->is_code_or_data << 4 | (unsigned)d->dpl << 5 |
                      (unsigned)d->is_present << 7 | SEGMENT_ACCESSED;
    return cpu_write(cpu, base + (selector & SELECTOR_INDEX) + 5, 1, true, rights);
}

/*
 * What decoded code may know of a segment outside 64-bit code. A base of GS counts for programs only: kernels
 * leave theirs in it, and their code would be decoded once with it and once without.
 */
static uint32_t segment_key(const struct cpu *cpu, unsigned seg)
{
    const struct segment *segment = &cpu->segment[seg];
    if (!segment_is_whole_data(segment))
        return 0;
    if (segment->hidden.base == 0)
        return 1u << (CODE_KEY_FLAT_SHIFT + seg);
    bool is_known = seg == DEC_SEG_FS || (seg == DEC_SEG_GS && cpu->cpl == 3);
    return is_known ? 1u << (CODE_KEY_BASED_SHIFT + seg) : 0;
}

/* In 64-bit code no segment has a limit, and only FS and GS have bases (SDM 3A 3.2.4). */
static void set_mode_64bit(struct cpu *cpu)
{
    unsigned linear_bits = cpu->control.cr4 & CR4_LA57 ? 57 : 48;
    cpu->linear_mask = cpu->stack_mask = UINT64_MAX;
    cpu->code_base = 0;
    cpu->code_bias = 1ull << (linear_bits - 1); /* takes the canonical addresses to the lowest ones */
    cpu->code_limit = (1ull << linear_bits) - 1;
    cpu->code_key = CODE_KEY_64BIT;
}

static void set_mode_32bit(struct cpu *cpu)
{
    const struct descriptor *cs = &cpu->segment[DEC_SEG_CS].hidden;
    bool is_big_stack = cpu->segment[DEC_SEG_SS].hidden.is_big;
    cpu->linear_mask = UINT32_MAX;
    cpu->stack_mask = is_big_stack ? UINT32_MAX : UINT16_MAX;
    cpu->code_base = cs->base;
    cpu->code_bias = 0;
    cpu->code_limit = cs->limit_bytes;
    uint32_t key = cs->is_big | (uint32_t)is_big_stack << 1;
    for (unsigned seg = 0; seg < DEC_NR_SEGS; seg++)
        key |= segment_key(cpu, seg);
    if (cs->limit_bytes != UINT32_MAX)
        key |= CODE_KEY_LIMITED;
    cpu->code_key = key;
}

void cpu_mode_changed(struct cpu *cpu)
{
    bool is_protected = cpu_is_protected(cpu);
    if (!is_protected)
        cpu->cpl = cpu->eflags & EFLAGS_VM ? 3 : 0;
    cpu->front_kind = cpu->cpl == 3 ? FRONT_USER : FRONT_SUPERVISOR;
    cpu->reg[REG_BIAS] = CODE_BIAS;
    cpu->reg[REG_FS] = cpu->segment[DEC_SEG_FS].hidden.base;
    cpu->reg[REG_GS] = cpu->segment[DEC_SEG_GS].hidden.base;
    if (cpu_is_64bit(cpu))
        set_mode_64bit(cpu);
    else
        set_mode_32bit(cpu);
    cpu_ac_written(cpu);
}

/* What cpu_mode_changed does, as far as a segment matters that is neither code nor stack. */
static void data_segment_changed(struct cpu *cpu, unsigned seg)
{
    cpu->reg[REG_FS] = cpu->segment[DEC_SEG_FS].hidden.base;
    cpu->reg[REG_GS] = cpu->segment[DEC_SEG_GS].hidden.base;
    if (cpu_is_64bit(cpu))
        return;
    cpu->code_key &= ~(1u << (CODE_KEY_FLAT_SHIFT + seg));
    if (seg >= DEC_SEG_FS)
        cpu->code_key &= ~(1u << (CODE_KEY_BASED_SHIFT + seg));
    cpu->code_key |= segment_key(cpu, seg);
}

void cpu_set_segment(struct cpu *cpu, unsigned seg, uint16_t selector, const struct descriptor *hidden)
{
    cpu->stats.segment_loads++;
    cpu->segment[seg] = (struct segment){.selector = selector, .is_usable = true, .hidden = *hidden};
    cpu->segment[seg].hidden.type |= SEGMENT_ACCESSED;
    if (seg == DEC_SEG_CS && cpu_is_protected(cpu))
        cpu->cpl = selector & SELECTOR_RPL;
    if (seg == DEC_SEG_CS || seg == DEC_SEG_SS)
        cpu_mode_changed(cpu);
    else
        data_segment_changed(cpu, seg);
}

/*
 * The base is 16 times the selector. In virtual-8086 mode limit and rights are an 8086's (SDM 3A 20.2.1); in
 * real mode they stay what they were ("big real mode"), but that code can be written to (SDM 3A 20.1.1).
 */
void cpu_load_segment_real(struct cpu *cpu, unsigned seg, uint16_t selector)
{
    static const struct descriptor of_8086 = {.limit_bytes = UINT16_MAX,
                                              .type = SEGMENT_WRITABLE | SEGMENT_ACCESSED,
                                              .dpl = 3,
                                              .is_code_or_data = true,
                                              .is_present = true};
    struct segment *segment = &cpu->segment[seg];
    if (cpu->eflags & EFLAGS_VM)
        segment->hidden = of_8086;
    else if (!segment->is_usable || (segment->hidden.type & SEGMENT_CODE))
        segment->hidden.type = SEGMENT_WRITABLE | SEGMENT_ACCESSED;
    segment->hidden.is_code_or_data = segment->hidden.is_present = true;
    segment->selector = selector;
    segment->hidden.base = (uint64_t)selector << 4;
    segment->is_usable = true;
    cpu_mode_changed(cpu);
}

/* SS may be null in 64-bit code that is not ring 3's, with CPL as its RPL (SDM 2B MOV, 3A 5.4.1.1). */
static bool load_null(struct cpu *cpu, unsigned seg, uint16_t selector)
{
    bool is_stack = seg == DEC_SEG_SS;
    if (is_stack && (!cpu_is_64bit(cpu) || cpu->cpl == 3 || (selector & SELECTOR_RPL) != cpu->cpl))
        return cpu_set_fault_code(cpu, EXCP_GP, 0);
    cpu->segment[seg] =
        (struct segment){.selector = selector, .hidden.dpl = (uint8_t)(is_stack ? cpu->cpl : 0)};
    cpu_mode_changed(cpu);
    return true;
}

bool cpu_load_segment(struct cpu *cpu, unsigned seg, uint16_t selector)
{
    if (!cpu_is_protected(cpu)) {
        cpu_load_segment_real(cpu, seg, selector);
        return true;
    }
    if ((selector & ~SELECTOR_RPL & UINT16_MAX) == 0)
        return load_null(cpu, seg, selector);
    uint64_t raw;
    if (!cpu_read_descriptor(cpu, selector, EXCP_GP, &raw))
        return false;
    struct descriptor d = segment_decode(raw);
    uint32_t error_code = selector & ~SELECTOR_RPL & UINT16_MAX;
    unsigned rpl = selector & SELECTOR_RPL;
    bool is_code = d.type & SEGMENT_CODE;
    if (!d.is_code_or_data)
        return cpu_set_fault_code(cpu, EXCP_GP, error_code);
    if (seg == DEC_SEG_SS) { /* a writable data segment of exactly this privilege */
        if (rpl != cpu->cpl || d.dpl != cpu->cpl || is_code || !(d.type & SEGMENT_WRITABLE))
            return cpu_set_fault_code(cpu, EXCP_GP, error_code);
    } else { /* data or readable code, no more privileged than CPL and RPL unless conforming */
        if (is_code && !(d.type & SEGMENT_READABLE))
            return cpu_set_fault_code(cpu, EXCP_GP, error_code);
        bool is_conforming = is_code && (d.type & SEGMENT_CONFORMING);
        if (!is_conforming && (d.dpl < cpu->cpl || d.dpl < rpl))
            return cpu_set_fault_code(cpu, EXCP_GP, error_code);
    }
    if (!d.is_present)
        return cpu_set_fault_code(cpu, seg == DEC_SEG_SS ? EXCP_SS : EXCP_NP, error_code);
    if (!cpu_mark_accessed(cpu, selector, &d))
        return false;
    cpu_set_segment(cpu, seg, selector, &d);
    return true;
}

/* The descriptor of a selector that software only asks about. False: cpu->fault is a page fault, or none. */
static bool look_up(struct cpu *cpu, uint16_t selector, uint64_t *raw)
{
    cpu->fault = (struct fault){0};
    return (selector & ~SELECTOR_RPL & UINT16_MAX) != 0 && cpu_read_descriptor(cpu, selector, EXCP_GP, raw);
}

/* Conforming code is visible from everywhere; the rest to CPL and RPL of its DPL or less (SDM 3A 5.10.1). */
static bool is_visible(const struct cpu *cpu, uint16_t selector, const struct descriptor *d)
{
    unsigned rpl = selector & SELECTOR_RPL, conforming_code = SEGMENT_CODE | SEGMENT_CONFORMING;
    if (d->is_code_or_data && (d->type & conforming_code) == conforming_code)
        return true;
    return d->dpl >= cpu->cpl && d->dpl >= rpl;
}

bool cpu_inspect(struct cpu *cpu, uint16_t selector, bool wants_rights, uint32_t *value)
{
    enum {
        TYPES_WITH_LIMIT = 1 << SYSTEM_TSS16_AVAILABLE | 1 << SYSTEM_LDT | 1 << SYSTEM_TSS16_BUSY |
                           1 << SYSTEM_TSS_AVAILABLE | 1 << SYSTEM_TSS_BUSY,
        TYPES_WITH_RIGHTS =
            TYPES_WITH_LIMIT | 1 << SYSTEM_CALL_GATE16 | 1 << SYSTEM_TASK_GATE | 1 << SYSTEM_CALL_GATE,
        TYPES_IN_LONG_MODE =
            1 << SYSTEM_LDT | 1 << SYSTEM_TSS_AVAILABLE | 1 << SYSTEM_TSS_BUSY | 1 << SYSTEM_CALL_GATE,
        RIGHTS_MASK = 0x00ffff00, /* of the descriptor's upper half: the limit's bits too, as processors do */
    };
    uint64_t raw;
    if (!look_up(cpu, selector, &raw))
        return false;
    struct descriptor d = segment_decode(raw);
    unsigned types = wants_rights ? TYPES_WITH_RIGHTS : TYPES_WITH_LIMIT;
    if (cpu_is_long_mode(cpu))
        types &= TYPES_IN_LONG_MODE;
    if (!d.is_code_or_data && !(types >> d.type & 1))
        return false;
    if (!is_visible(cpu, selector, &d))
        return false;
    *value = wants_rights ? (uint32_t)(raw >> 32) & RIGHTS_MASK : d.limit_bytes;
    return true;
}

bool cpu_verify(struct cpu *cpu, uint16_t selector, bool is_write)
{
    uint64_t raw;
    if (!look_up(cpu, selector, &raw))
        return false;
    struct descriptor d = segment_decode(raw);
    if (!d.is_code_or_data || !is_visible(cpu, selector, &d))
        return false;
    bool is_code = d.type & SEGMENT_CODE;
    if (is_write)
        return !is_code && (d.type & SEGMENT_WRITABLE);
    return !is_code || (d.type & SEGMENT_READABLE);
}

/*
 * In IA-32e mode the descriptor is 16 bytes, and only the 32-bit types are left, as 64-bit ones (SDM 3A 3.5).
 */
static bool widen_system_descriptor(struct cpu *cpu, uint16_t selector, struct descriptor *d)
{
    uint64_t upper;
    if (!cpu_is_long_mode(cpu))
        return true;
    if (!cpu_read_upper_descriptor(cpu, selector, &upper))
        return false;
    d->base |= upper << 32;
    return cpu_is_canonical(cpu, d->base) ||
           cpu_set_fault_code(cpu, EXCP_GP, selector & ~SELECTOR_RPL & UINT16_MAX);
}

/* A system descriptor of the GDT, of one of two types. */
static bool read_system_descriptor(struct cpu *cpu, uint16_t selector, unsigned type, unsigned other_type,
                                   struct descriptor *d)
{
    uint64_t raw;
    uint32_t error_code = selector & ~SELECTOR_RPL & UINT16_MAX;
    if (selector & SELECTOR_TI)
        return cpu_set_fault_code(cpu, EXCP_GP, error_code);
    if (!cpu_read_descriptor(cpu, selector, EXCP_GP, &raw))
        return false;
    *d = segment_decode(raw);
    if (d->is_code_or_data || (d->type != type && d->type != other_type))
        return cpu_set_fault_code(cpu, EXCP_GP, error_code);
    if (!d->is_present)
        return cpu_set_fault_code(cpu, EXCP_NP, error_code);
    return widen_system_descriptor(cpu, selector, d);
}

bool cpu_load_ldt(struct cpu *cpu, uint16_t selector)
{
    struct descriptor d;
    if ((selector & ~SELECTOR_RPL & UINT16_MAX) == 0) {
        cpu->ldtr = (struct segment){.selector = selector, .is_usable = false};
        return true;
    }
    if (!read_system_descriptor(cpu, selector, SYSTEM_LDT, SYSTEM_LDT, &d))
        return false;
    cpu->ldtr = (struct segment){.selector = selector, .is_usable = true, .hidden = d};
    return true;
}

/* The TSS is marked busy, in memory too. */
bool cpu_load_task_register(struct cpu *cpu, uint16_t selector)
{
    struct descriptor d;
    if ((selector & ~SELECTOR_RPL & UINT16_MAX) == 0)
        return cpu_set_fault_code(cpu, EXCP_GP, 0);
    unsigned other = cpu_is_long_mode(cpu) ? SYSTEM_TSS_AVAILABLE : SYSTEM_TSS16_AVAILABLE;
    if (!read_system_descriptor(cpu, selector, SYSTEM_TSS_AVAILABLE, other, &d))
        return false;
    uint64_t type_byte = cpu->gdt_base + (selector & SELECTOR_INDEX) + 5, old;
    d.type |= SYSTEM_TSS16_BUSY & ~SYSTEM_TSS16_AVAILABLE;
    if (!cpu_read(cpu, type_byte, 1, true, &old) || !cpu_write(cpu, type_byte, 1, true, old | 2))
        return false;
    cpu->tr = (struct segment){.selector = selector, .is_usable = true, .hidden = d};
    return true;
}
