/*
 * The decoder: its rows as data, then one test for each rule of the manual. tests/oracle/decode_vs_zydis.c
 * covers the breadth.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "cpu/decode.h"
#include "cpu/decode_internal.h"

static struct dec_insn insn;

static enum dec_result decode_bytes(enum dec_mode mode, const void *bytes, size_t nr_bytes)
{
    return dec_decode(bytes, nr_bytes, mode, &insn);
}

/* Decodes a string literal exactly as long as the instruction. */
#define DECODE(mode, text) decode_bytes(mode, text, sizeof(text) - 1)
#define EXPECT(mode, text, id)                                                                               \
    do {                                                                                                     \
        cr_assert_eq(DECODE(mode, text), DEC_OK, "%s is not valid", #text);                                  \
        cr_assert_eq(insn.op, DEC_##id, "%s is %s", #text, dec_mnemonic((enum dec_op)insn.op));              \
        cr_assert_eq(insn.length, sizeof(text) - 1);                                                         \
    } while (0)
#define EXPECT_UNDEFINED(mode, text) cr_assert_eq(DECODE(mode, text), DEC_UNDEFINED, "%s is valid", #text)

/* Rows */

struct key {
    uint8_t map, prefix, index;
};

#define GROUP(g)
#define ROW(prefix, opcode, ...) {MAP, DEC_PREFIX_##prefix, opcode},
#define SELECT ROW
static const struct key map_keys[] = {
#define MAP DEC_MAP_1BYTE
#include "cpu/opcodes_1byte.def"
#undef MAP
#define MAP DEC_MAP_0F
#include "cpu/opcodes_0f.def"
#include "cpu/opcodes_0f_simd.def"
#undef MAP
#define MAP DEC_MAP_0F38
#include "cpu/opcodes_0f38.def"
#undef MAP
#define MAP DEC_MAP_0F3A
#include "cpu/opcodes_0f3a.def"
#undef MAP
};
#undef ROW
#undef SELECT
#define ROW(g, index, ...) {DEC_GROUP_##g, 0, index},
#define SELECT ROW
static const struct key group_keys[] = {
#include "cpu/opcodes_groups.def"
#include "cpu/opcodes_x87.def"
};

#define NR_OF(array) (sizeof(array) / sizeof *(array))

static bool is_present(const struct dec_row *row)
{
    return row->op != DEC_INVALID || row->select != DEC_SELECT_NONE;
}

Test(decode_rows, no_two_rows_for_one_opcode)
{
    static uint8_t seen[DEC_NR_MAPS][DEC_NR_PREFIXES][256];
    static uint8_t seen_in_group[DEC_NR_GROUPS][8];

    for (size_t i = 0; i < NR_OF(map_keys); i++) {
        const struct key *k = &map_keys[i];
        cr_assert_eq(seen[k->map][k->prefix][k->index]++, 0, "map %u opcode %02X twice", k->map, k->index);
    }
    for (size_t i = 0; i < NR_OF(group_keys); i++)
        cr_assert_eq(seen_in_group[group_keys[i].map][group_keys[i].index]++, 0, "group %u row %u twice",
                     group_keys[i].map, group_keys[i].index);
}

/* A prefixed row that the unprefixed one never gives way to would be dead. */
Test(decode_rows, every_prefixed_row_can_be_chosen)
{
    static const uint16_t flag[DEC_NR_PREFIXES] = {0, ROW_S66, ROW_SF3, ROW_SF2};
    unsigned nr_checked = 0;

    for (size_t i = 0; i < NR_OF(map_keys); i++) {
        const struct key *k = &map_keys[i];
        const struct dec_row *plain = &dec_map_rows[k->map][DEC_PREFIX___][k->index];

        if (k->prefix == DEC_PREFIX___)
            continue;
        cr_assert(!is_present(plain) || plain->flags & flag[k->prefix], "map %u opcode %02X prefix %u",
                  k->map, k->index, k->prefix);
        nr_checked++;
    }
    cr_assert_gt(nr_checked, 100);
}

static unsigned nr_choices(uint8_t select)
{
    switch (select) {
    case DEC_SELECT_MODE64:
    case DEC_SELECT_REXB:
    case DEC_SELECT_MOD:
        return 2;
    case DEC_SELECT_OPSIZE:
        return 3;
    default:
        return 8;
    }
}

static void mark_group(const struct dec_row *row, uint8_t choices[DEC_NR_GROUPS + 1])
{
    if (row->select == DEC_SELECT_NONE)
        return;
    const uint8_t nr = (uint8_t)nr_choices(row->select);
    choices[row->group] = nr;
    if (row->select == DEC_SELECT_MODREG)
        choices[row->group + 1] = nr;
}

Test(decode_rows, every_group_row_is_reached)
{
    static uint8_t choices[DEC_NR_GROUPS + 1];

    for (size_t i = 0; i < NR_OF(map_keys); i++)
        mark_group(&dec_map_rows[map_keys[i].map][map_keys[i].prefix][map_keys[i].index], choices);
    for (size_t i = 0; i < NR_OF(group_keys); i++)
        mark_group(&dec_group_rows[group_keys[i].map][group_keys[i].index], choices);
    for (size_t i = 0; i < NR_OF(group_keys); i++)
        cr_assert_lt(group_keys[i].index, choices[group_keys[i].map], "group %u row %u", group_keys[i].map,
                     group_keys[i].index);
    cr_assert_eq(choices[DEC_NR_GROUPS], 0, "a _MEM group without its _REG");
}

static void mark_used(const struct dec_row *row, bool ops[DEC_NR_OPS], bool letters[DEC_NR_OPRS])
{
    ops[row->op] = true;
    for (unsigned i = 0; i < DEC_ROW_OPERANDS; i++)
        letters[row->operand[i]] = true;
}

Test(decode_rows, every_mnemonic_and_operand_letter_is_used)
{
    static bool ops[DEC_NR_OPS], letters[DEC_NR_OPRS];

    for (size_t i = 0; i < NR_OF(map_keys); i++)
        mark_used(&dec_map_rows[map_keys[i].map][map_keys[i].prefix][map_keys[i].index], ops, letters);
    for (size_t i = 0; i < NR_OF(group_keys); i++)
        mark_used(&dec_group_rows[group_keys[i].map][group_keys[i].index], ops, letters);
    for (unsigned op = 1; op < DEC_NR_OPS; op++)
        cr_assert(ops[op], "no row for %s", dec_mnemonic((enum dec_op)op));
    for (unsigned i = 1; i < DEC_NR_OPRS; i++)
        cr_assert(letters[i] || i == DEC_OPR_END_MODRM, "operand letter %u is not used", i);
}

/* Prefixes and sizes */

Test(decode, rex_counts_only_before_the_opcode)
{
    EXPECT(DEC_64, "\x48\x66\x01\xC0", ADD);
    cr_assert_eq(insn.operand_size, 2);
    cr_assert_eq(insn.rex, 0);
    EXPECT(DEC_64, "\x66\x48\x01\xC0", ADD);
    cr_assert_eq(insn.operand_size, 8);
    EXPECT(DEC_32, "\x48", DEC);
}

Test(decode, last_of_f2_and_f3_wins)
{
    EXPECT(DEC_32, "\xF2\xF3\x0F\xB8\xC8", POPCNT);
    EXPECT_UNDEFINED(DEC_32, "\xF3\xF2\x0F\xB8\xC8");
    EXPECT(DEC_32, "\xF3\xF2\xAE", SCAS);
    cr_assert_eq(insn.rep, DEC_REP_F2);
    cr_assert(insn.flags & DEC_FLAG_STRING);
}

Test(decode, fifteen_bytes_are_the_limit)
{
    EXPECT(DEC_32, "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90", NOP);
    cr_assert_eq(DECODE(DEC_32, "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90"),
                 DEC_TOO_LONG);
    cr_assert_eq(DECODE(DEC_32, "\x66\x66\x66\x66"), DEC_NEED_MORE);
    cr_assert_eq(decode_bytes(DEC_32, "", 0), DEC_NEED_MORE);
}

Test(decode, every_missing_byte_is_noticed)
{
    static const uint8_t bytes[] = {0x66, 0x67, 0x81, 0x84, 0x24, 1, 2, 3, 4, 5, 6};

    for (size_t nr = 0; nr < sizeof bytes; nr++) {
        cr_assert_eq(decode_bytes(DEC_64, bytes, nr), DEC_NEED_MORE, "%zu bytes", nr);
        cr_assert_eq(insn.op, DEC_INVALID);
        cr_assert_eq(insn.length, nr < 3 ? nr : insn.length);
    }
    cr_assert_eq(decode_bytes(DEC_64, bytes, sizeof bytes), DEC_OK);
}

Test(decode, near_branches_and_stack_have_64_bit_operands)
{
    EXPECT(DEC_64, "\x55", PUSH);
    cr_assert_eq(insn.operand[0].size_bytes, 8);
    EXPECT(DEC_64, "\x66\x55", PUSH);
    cr_assert_eq(insn.operand[0].size_bytes, 2);
    EXPECT(DEC_64, "\x66\xE8\xFE\xFF\xFF\xFF", CALL);
    cr_assert_eq(insn.operand_size, 8);
    cr_assert_eq((int64_t)insn.imm, -2);
    EXPECT(DEC_32, "\x66\xE8\xFE\xFF", CALL);
    cr_assert_eq((int64_t)insn.imm, -2);
    EXPECT(DEC_64, "\x6A\xFF", PUSH);
    cr_assert_eq(insn.imm, UINT64_MAX);
}

Test(decode, control_registers_are_full_width_and_ignore_mod)
{
    EXPECT(DEC_16, "\x0F\x20\x00", MOV_CR);
    cr_assert_eq(insn.operand[0].kind, DEC_OPERAND_GPR);
    cr_assert_eq(insn.operand[0].size_bytes, 4);
    EXPECT(DEC_64, "\x0F\x22\xD8", MOV_CR);
    cr_assert_eq(insn.operand[0].kind, DEC_OPERAND_CREG);
    cr_assert_eq(insn.operand[0].reg, 3);
    cr_assert_eq(insn.operand[1].size_bytes, 8);
    cr_assert(insn.flags & DEC_FLAG_PRIVILEGED);
    EXPECT_UNDEFINED(DEC_32, "\x0F\x20\xC8");
    EXPECT(DEC_64, "\x44\x0F\x20\xC0", MOV_CR);
    cr_assert_eq(insn.operand[1].reg, 8);
}

Test(decode, immediates_are_extended_as_the_instruction_wants)
{
    EXPECT(DEC_32, "\x83\xC0\xFF", ADD);
    cr_assert_eq(insn.imm, 0xFFFFFFFF);
    EXPECT(DEC_64, "\x48\x05\x00\x00\x00\x80", ADD);
    cr_assert_eq(insn.imm, 0xFFFFFFFF80000000);
    EXPECT(DEC_64, "\x48\xB8\x01\x02\x03\x04\x05\x06\x07\x88", MOV);
    cr_assert_eq(insn.imm, 0x8807060504030201);
    EXPECT(DEC_32, "\xC1\xE0\xFF", SHL);
    cr_assert_eq(insn.imm, 0xFF);
    EXPECT(DEC_32, "\xC8\x34\x12\x05", ENTER);
    cr_assert_eq(insn.imm, 0x1234);
    cr_assert_eq(insn.imm2, 5);
    EXPECT(DEC_16, "\xEA\x34\x12\x78\x56", JMP_FAR);
    cr_assert_eq(insn.imm, 0x1234);
    cr_assert_eq(insn.imm2, 0x5678);
}

Test(decode, byte_registers_with_and_without_rex)
{
    EXPECT(DEC_64, "\x88\xE0", MOV);
    cr_assert(insn.operand[1].high_byte);
    cr_assert_eq(insn.operand[1].reg, 0);
    EXPECT(DEC_64, "\x40\x88\xE0", MOV);
    cr_assert_not(insn.operand[1].high_byte);
    cr_assert_eq(insn.operand[1].reg, 4);
    EXPECT(DEC_32, "\xB7\x01", MOV);
    cr_assert(insn.operand[0].high_byte);
    cr_assert_eq(insn.operand[0].reg, 3);
}

/* Memory operands */

static void expect_memory(uint8_t base, uint8_t index, uint8_t scale, int64_t disp, enum dec_seg seg)
{
    cr_assert_eq(insn.base, base, "base %u", insn.base);
    cr_assert_eq(insn.index, index, "index %u", insn.index);
    cr_assert_eq(insn.scale, scale);
    cr_assert_eq(insn.disp, disp, "disp %lld", (long long)insn.disp);
    cr_assert_eq(insn.seg, seg, "segment %u", insn.seg);
}

Test(decode, sixteen_bit_addresses)
{
    EXPECT(DEC_16, "\x8B\x42\xFE", MOV);
    expect_memory(5, 6, 0, -2, DEC_SEG_SS);
    EXPECT(DEC_16, "\x8B\x06\xFE\xFF", MOV);
    expect_memory(DEC_NO_REG, DEC_NO_REG, 0, -2, DEC_SEG_DS);
    EXPECT(DEC_32, "\x67\x8B\x07", MOV);
    expect_memory(3, DEC_NO_REG, 0, 0, DEC_SEG_DS);
    cr_assert_eq(insn.address_size, 2);
}

Test(decode, sib_addresses_and_their_segments)
{
    EXPECT(DEC_32, "\x8B\x04\x24", MOV);
    expect_memory(4, DEC_NO_REG, 0, 0, DEC_SEG_SS);
    EXPECT(DEC_32, "\x65\x8B\x44\xC5\x10", MOV);
    expect_memory(5, 0, 3, 16, DEC_SEG_GS);
    cr_assert(insn.seg_override);
    EXPECT(DEC_32, "\x8B\x04\x85\x00\x00\x00\xC0", MOV);
    expect_memory(DEC_NO_REG, 0, 2, -0x40000000, DEC_SEG_DS);
    EXPECT(DEC_64, "\x43\x8B\x04\x25\x01\x00\x00\x00", MOV);
    expect_memory(DEC_NO_REG, 12, 0, 1, DEC_SEG_DS);
    EXPECT(DEC_64, "\x64\x2E\x41\x8B\x45\x00", MOV);
    expect_memory(13, DEC_NO_REG, 0, 0, DEC_SEG_FS);
}

Test(decode, rip_relative_in_64_bit_code_only)
{
    EXPECT(DEC_64, "\x8B\x05\xFC\xFF\xFF\xFF", MOV);
    expect_memory(DEC_REG_RIP, DEC_NO_REG, 0, -4, DEC_SEG_DS);
    EXPECT(DEC_32, "\x8B\x05\xFC\xFF\xFF\xFF", MOV);
    expect_memory(DEC_NO_REG, DEC_NO_REG, 0, -4, DEC_SEG_DS);
}

Test(decode, moffs_is_as_wide_as_an_address)
{
    EXPECT(DEC_64, "\xA0\x00\x00\x00\x00\x00\x00\x00\x80", MOV);
    expect_memory(DEC_NO_REG, DEC_NO_REG, 0, INT64_MIN, DEC_SEG_DS);
    EXPECT(DEC_16, "\x2E\xA3\xFF\xFF", MOV);
    expect_memory(DEC_NO_REG, DEC_NO_REG, 0, 0xFFFF, DEC_SEG_CS);
    cr_assert_eq(insn.operand[0].kind, DEC_OPERAND_MEM);
    cr_assert_eq(insn.operand[0].size_bytes, 2);
}

/* The simulator's markers; in 16-bit code they carry a 67 prefix. */
Test(decode, marker_nops_keep_their_operand)
{
    EXPECT(DEC_32, "\x0F\x1F\x84\x00\x07\x00\x41\x4C", NOP);
    expect_memory(0, 0, 0, 0x4C410007, DEC_SEG_DS);
    EXPECT(DEC_64, "\x0F\x1F\x84\x00\x07\x00\x41\x4C", NOP);
    expect_memory(0, 0, 0, 0x4C410007, DEC_SEG_DS);
    EXPECT(DEC_16, "\x67\x0F\x1F\x84\x00\x07\x00\x41\x4C", NOP);
    expect_memory(0, 0, 0, 0x4C410007, DEC_SEG_DS);
    cr_assert_eq(insn.operand[0].kind, DEC_OPERAND_MEM);
}

Test(decode, strings_name_source_and_destination)
{
    EXPECT(DEC_32, "\xF3\x26\xA5", MOVS);
    cr_assert_eq(insn.operand[0].kind, DEC_OPERAND_DST);
    cr_assert_eq(insn.operand[1].kind, DEC_OPERAND_SRC);
    cr_assert_eq(insn.operand[1].size_bytes, 4);
    cr_assert_eq(insn.seg, DEC_SEG_ES);
    cr_assert_eq(insn.rep, DEC_REP_F3);
    EXPECT(DEC_64, "\x48\xAB", STOS);
    cr_assert_eq(insn.operand[0].size_bytes, 8);
    EXPECT(DEC_64, "\x48\x6D", INS);
    cr_assert_eq(insn.operand[0].size_bytes, 4);
}

/* Validity */

Test(decode, lock_needs_a_lockable_memory_destination)
{
    EXPECT(DEC_32, "\xF0\x01\x03", ADD);
    cr_assert(insn.lock);
    EXPECT(DEC_32, "\xF0\x0F\xC7\x0B", CMPXCHG8B);
    EXPECT(DEC_32, "\xF0\x87\x03", XCHG);
    EXPECT_UNDEFINED(DEC_32, "\xF0\x01\xC3");
    EXPECT_UNDEFINED(DEC_32, "\xF0\x03\x03");
    EXPECT_UNDEFINED(DEC_32, "\xF0\x39\x03");
    EXPECT_UNDEFINED(DEC_32, "\xF0\x89\x03");
    EXPECT_UNDEFINED(DEC_32, "\xF0\x0F\xBA\x23\x01");
    EXPECT(DEC_32, "\xF0\x0F\xBA\x2B\x01", BTS);
}

Test(decode, forms_of_other_modes_are_undefined)
{
    EXPECT(DEC_32, "\x63\xC8", ARPL);
    EXPECT(DEC_64, "\x63\xC8", MOVSXD);
    EXPECT_UNDEFINED(DEC_64, "\x06");
    EXPECT_UNDEFINED(DEC_64, "\x82\xC0\x01");
    EXPECT(DEC_32, "\x82\xC0\x01", ADD);
    EXPECT_UNDEFINED(DEC_32, "\x0F\x01\xF8");
    EXPECT(DEC_64, "\x0F\x01\xF8", SWAPGS);
    EXPECT_UNDEFINED(DEC_32, "\xF3\x0F\xAE\xC0");
    EXPECT(DEC_64, "\xF3\x0F\xAE\xC0", RDFSBASE);
}

Test(decode, register_where_memory_must_be_is_undefined)
{
    EXPECT_UNDEFINED(DEC_32, "\x8D\xC0");
    EXPECT_UNDEFINED(DEC_32, "\xC4\xC0\x00\x00");
    EXPECT_UNDEFINED(DEC_32, "\x62\xC0\x00\x00");
    EXPECT_UNDEFINED(DEC_32, "\xFF\xD8");
    EXPECT_UNDEFINED(DEC_32, "\x0F\xC7\xC8");
    EXPECT_UNDEFINED(DEC_32, "\x8E\xC8");
    EXPECT_UNDEFINED(DEC_32, "\x8C\xF0");
}

Test(decode, undefined_opcodes_are_still_named)
{
    EXPECT_UNDEFINED(DEC_32, "\x66\x0F\x0A\x00\x00");
    cr_assert_eq(insn.map, DEC_MAP_0F);
    cr_assert_eq(insn.opcode, 0x0A);
    cr_assert_eq(insn.length, 3);
    cr_assert_eq(insn.op, DEC_INVALID);
    cr_assert_str_eq(dec_mnemonic(DEC_INVALID), "(bad)");
}

Test(decode, opcodes_that_prefixes_turn_into_others)
{
    EXPECT(DEC_32, "\x90", NOP);
    EXPECT(DEC_32, "\xF3\x90", PAUSE);
    EXPECT(DEC_64, "\x41\x90", XCHG);
    EXPECT(DEC_64, "\xF3\x41\x90", XCHG);
    EXPECT(DEC_32, "\x0F\xBC\xC1", BSF);
    EXPECT(DEC_32, "\xF3\x0F\xBC\xC1", TZCNT);
    EXPECT(DEC_32, "\x0F\x38\xF0\x03", MOVBE);
    EXPECT(DEC_32, "\x66\xF2\x0F\x38\xF1\xC1", CRC32);
    cr_assert_eq(insn.operand[1].size_bytes, 2);
    EXPECT(DEC_64, "\x48\x0F\xC7\x0B", CMPXCHG16B);
    EXPECT(DEC_32, "\x66\x0F\x38\x82\x03", INVPCID);
    EXPECT_UNDEFINED(DEC_32, "\x0F\x38\x82\x03");
}

Test(decode, undocumented_aliases_are_there)
{
    EXPECT(DEC_32, "\xD6", SALC);
    EXPECT(DEC_32, "\xF1", INT1);
    EXPECT(DEC_32, "\xD1\xF0", SHL);
    EXPECT(DEC_32, "\xF6\xC8\x01", TEST);
    EXPECT(DEC_32, "\x0F\xFF\xC0", UD0);
    EXPECT(DEC_32, "\xDD\xC9", FXCH);
}

Test(decode, conditions_are_the_low_opcode_bits)
{
    EXPECT(DEC_32, "\x75\x00", JCC);
    cr_assert_eq(insn.cond, 5);
    cr_assert(insn.flags & DEC_FLAG_BRANCH);
    EXPECT(DEC_32, "\x0F\x9F\xC0", SETCC);
    cr_assert_eq(insn.cond, 15);
    EXPECT(DEC_32, "\x0F\x42\xC1", CMOVCC);
    cr_assert_eq(insn.cond, 2);
}
