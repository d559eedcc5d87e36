/*
 * String comparisons (SDM 2B PCMPESTRI and the like; SDM 2B 4.1): the immediate says what the elements are,
 * how they are compared, and what becomes of the bits that this gives, one for each element of the second
 * operand.
 */
#include "cpu/simd_lanes.h"

enum { WORDS = 1, SIGNED = 2 };                        /* imm8[1:0] */
enum { EQUAL_ANY, RANGES, EQUAL_EACH, EQUAL_ORDERED }; /* imm8[3:2] */
enum { NEGATIVE = 1, MASKED = 2 };                     /* imm8[5:4] */
enum { LAST_INDEX = 0x40, ELEMENT_MASK = 0x40 };       /* imm8[6] */

/* A string in a register: elements beyond its length are not valid. */
struct string {
    int32_t element[16];
    unsigned length;
};

static struct string string_of(__m128i v, unsigned format)
{
    const union lanes lanes = lanes_of(v);
    struct string s = {.length = 0};
    for (unsigned i = 0; i < (format & WORDS ? 8 : 16); i++)
        s.element[i] = format & WORDS ? (format & SIGNED ? lanes.sw[i] : lanes.w[i])
                                      : (format & SIGNED ? lanes.sb[i] : lanes.b[i]);
    return s;
}

static unsigned implicit_length(const struct string *s, unsigned nr_elements)
{
    unsigned length = 0;
    while (length < nr_elements && s->element[length] != 0)
        length++;
    return length;
}

/* The magnitude of what EAX or EDX holds, RAX or RDX with REX.W; more than there are elements means all. */
static unsigned explicit_length(uint64_t reg, unsigned size_bytes, unsigned nr_elements)
{
    int64_t value = size_bytes == 8 ? (int64_t)reg : (int32_t)reg;
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    return magnitude > nr_elements ? nr_elements : (unsigned)magnitude;
}

static unsigned equal_any(const struct string *set, const struct string *in)
{
    unsigned bits = 0;
    for (unsigned i = 0; i < in->length; i++)
        for (unsigned j = 0; j < set->length; j++)
            bits |= (unsigned)(in->element[i] == set->element[j]) << i;
    return bits;
}

static unsigned in_ranges(const struct string *ranges, const struct string *in)
{
    unsigned bits = 0;
    for (unsigned i = 0; i < in->length; i++)
        for (unsigned j = 0; j + 1 < ranges->length; j += 2)
            bits |=
                (unsigned)(in->element[i] >= ranges->element[j] && in->element[i] <= ranges->element[j + 1])
                << i;
    return bits;
}

/* Beyond both ends is equal, beyond one is not. */
static unsigned equal_each(const struct string *a, const struct string *b, unsigned nr_elements)
{
    unsigned bits = 0;
    for (unsigned i = 0; i < nr_elements; i++) {
        bool in_a = i < a->length, in_b = i < b->length;
        bits |= (unsigned)(in_a && in_b ? a->element[i] == b->element[i] : in_a == in_b) << i;
    }
    return bits;
}

/* Where `part` begins in `whole`, at whose end in the register it may be cut off. */
static unsigned equal_ordered(const struct string *part, const struct string *whole, unsigned nr_elements)
{
    unsigned bits = 0;
    for (unsigned i = 0; i < nr_elements; i++) {
        bool is_equal = true;
        for (unsigned j = 0; j < part->length && i + j < nr_elements; j++)
            is_equal &= i + j < whole->length && part->element[j] == whole->element[i + j];
        bits |= (unsigned)is_equal << i;
    }
    return bits;
}

static unsigned aggregate(unsigned how, const struct string *a, const struct string *b, unsigned nr_elements)
{
    switch (how) {
    case EQUAL_ANY:
        return equal_any(a, b);
    case RANGES:
        return in_ranges(a, b);
    case EQUAL_EACH:
        return equal_each(a, b, nr_elements);
    default:
        return equal_ordered(a, b, nr_elements);
    }
}

static unsigned index_of(unsigned bits, bool is_last, unsigned nr_elements)
{
    if (!bits)
        return nr_elements;
    return is_last ? 31 - (unsigned)__builtin_clz(bits) : (unsigned)__builtin_ctz(bits);
}

static __m128i mask_of(unsigned bits, bool is_expanded, unsigned nr_elements)
{
    union lanes mask = {{0}};
    if (!is_expanded)
        return simd_of(bits, 0);
    for (unsigned i = 0; i < 16; i++)
        mask.b[i] = bits >> i * nr_elements / 16 & 1 ? 0xff : 0;
    return vector_of(&mask);
}

void simd_compare_strings(struct cpu *cpu, const struct insn *insn, __m128i first, __m128i second)
{
    unsigned format = insn->imm & 3, polarity = insn->imm >> 4 & 3, nr_elements = format & WORDS ? 8 : 16;
    unsigned all = (1u << nr_elements) - 1;
    bool has_lengths = insn->op == DEC_PCMPESTRI || insn->op == DEC_PCMPESTRM;
    struct string a = string_of(first, format), b = string_of(second, format);
    a.length = has_lengths ? explicit_length(cpu->reg[CPU_AX], insn->src_byte, nr_elements)
                           : implicit_length(&a, nr_elements);
    b.length = has_lengths ? explicit_length(cpu->reg[CPU_DX], insn->src_byte, nr_elements)
                           : implicit_length(&b, nr_elements);
    unsigned bits = aggregate(insn->imm >> 2 & 3, &a, &b, nr_elements);
    if (polarity & NEGATIVE)
        bits ^= polarity & MASKED ? (1u << b.length) - 1 : all;

    if (insn->op == DEC_PCMPESTRI || insn->op == DEC_PCMPISTRI)
        cpu->reg[CPU_CX] = index_of(bits, insn->imm & LAST_INDEX, nr_elements);
    else
        _mm_store_si128((__m128i *)&cpu->xmm[0], mask_of(bits, insn->imm & ELEMENT_MASK, nr_elements));
    cpu_set_status_flags(cpu, (bits ? EFLAGS_CF : 0u) | (b.length < nr_elements ? EFLAGS_ZF : 0u) |
                                  (a.length < nr_elements ? EFLAGS_SF : 0u) | (bits & 1 ? EFLAGS_OF : 0u));
}
