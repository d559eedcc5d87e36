/*
 * Finds all forms by asking the decoder.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/oracle/host_forms.h"

static const uint8_t prefix_sets[] = {0,
                                      HOST_PREFIX_66,
                                      HOST_PREFIX_F3,
                                      HOST_PREFIX_F2,
                                      HOST_PREFIX_66 | HOST_PREFIX_F3,
                                      HOST_PREFIX_66 | HOST_PREFIX_F2};

enum { MAX_FORMS = 8192, MAX_ENCODINGS = 32768, MAX_OPCODE_BYTES = 8, REX_W_BYTE = 0x48 };

static bool is_fx_op(const struct dec_insn *insn)
{
    switch (insn->op) {
    case DEC_FWAIT:
    case DEC_EMMS:
    case DEC_FXSAVE:
    case DEC_FXRSTOR:
    case DEC_LDMXCSR:
    case DEC_STMXCSR:
    case DEC_CVTSS2SI:
    case DEC_CVTSD2SI:
    case DEC_CVTTSS2SI:
    case DEC_CVTTSD2SI:
        return true;
    default:
        break;
    }
    for (unsigned i = 0; i < insn->nr_operands; i++)
        if (insn->operand[i].kind >= DEC_OPERAND_X87)
            return true;
    return insn->map == DEC_MAP_1BYTE && insn->opcode >= 0xD8 && insn->opcode <= 0xDF;
}

static bool is_same_form(const struct host_form *form, enum dec_mode mode, const struct dec_insn *insn)
{
    if (form->op != insn->op || form->mode != mode || form->nr_operands != insn->nr_operands)
        return false;
    for (unsigned i = 0; i < insn->nr_operands; i++)
        if (form->operand[i].kind != insn->operand[i].kind ||
            form->operand[i].size_bytes != insn->operand[i].size_bytes)
            return false;
    return true;
}

static struct host_form *find_form(struct host_forms *forms, enum dec_mode mode, const struct dec_insn *insn)
{
    for (unsigned i = forms->nr_forms; i-- > 0;)
        if (is_same_form(&forms->form[i], mode, insn))
            return &forms->form[i];
    if (forms->nr_forms == MAX_FORMS)
        return NULL;
    struct host_form *form = &forms->form[forms->nr_forms++];
    *form = (struct host_form){.mode = mode,
                               .op = insn->op,
                               .nr_operands = insn->nr_operands,
                               .flags = insn->flags,
                               .is_fx = is_fx_op(insn),
                               .first = (unsigned)HOST_NO_ENCODING};
    memcpy(form->operand, insn->operand, sizeof form->operand);
    return form;
}

/* The encoding of the form that has this opcode and these prefixes. */
static struct host_encoding *find_encoding(struct host_forms *forms, struct host_form *form,
                                           const struct host_encoding *wanted)
{
    for (unsigned i = form->first; i != (unsigned)HOST_NO_ENCODING; i = forms->encoding[i].next) {
        struct host_encoding *e = &forms->encoding[i];
        if (e->prefixes == wanted->prefixes && e->map == wanted->map && e->opcode == wanted->opcode &&
            e->has_rex_w == wanted->has_rex_w)
            return e;
    }
    if (forms->nr_encodings == MAX_ENCODINGS)
        return NULL;
    struct host_encoding *e = &forms->encoding[forms->nr_encodings];
    *e = *wanted;
    e->next = form->first;
    form->first = forms->nr_encodings++;
    form->nr_encodings++;
    return e;
}

static unsigned put_opcode(uint8_t *bytes, const struct host_encoding *e)
{
    unsigned nr = 0;
    if (e->prefixes & HOST_PREFIX_66)
        bytes[nr++] = 0x66;
    if (e->prefixes & HOST_PREFIX_F3)
        bytes[nr++] = 0xF3;
    if (e->prefixes & HOST_PREFIX_F2)
        bytes[nr++] = 0xF2;
    if (e->has_rex_w)
        bytes[nr++] = REX_W_BYTE;
    if (e->map != DEC_MAP_1BYTE)
        bytes[nr++] = 0x0F;
    if (e->map == DEC_MAP_0F38)
        bytes[nr++] = 0x38;
    if (e->map == DEC_MAP_0F3A)
        bytes[nr++] = 0x3A;
    bytes[nr++] = e->opcode;
    return nr;
}

/* All ModRM bytes of an opcode; for memory, [rAX] or [BX+SI] stands for all. False: too many forms. */
static bool add_opcode(struct host_forms *forms, enum dec_mode mode, struct host_encoding wanted)
{
    for (unsigned modrm = 0; modrm < 256; modrm++) {
        uint8_t bytes[DEC_MAX_LENGTH] = {0};
        struct dec_insn insn;
        if (modrm >> 6 != 3 && (modrm & 7 || modrm >> 6))
            continue;
        bytes[put_opcode(bytes, &wanted)] = (uint8_t)modrm;
        if (dec_decode(bytes, sizeof bytes, mode, &insn) != DEC_OK)
            continue;
        /* Bytes that are prefixes or escapes where an opcode was tried. */
        if (insn.opcode != wanted.opcode || insn.map != wanted.map)
            return true;
        struct host_form *form = find_form(forms, mode, &insn);
        wanted.has_modrm = insn.has_modrm;
        struct host_encoding *e = form ? find_encoding(forms, form, &wanted) : NULL;
        if (!e)
            return false;
        if (!insn.has_modrm)
            return true;
        if (modrm >> 6 == 3)
            e->register_bits |= 1ull << (modrm & 63);
        else
            e->memory_regs |= (uint8_t)(1u << (modrm >> 3 & 7));
    }
    return true;
}

bool host_forms_init(struct host_forms *forms)
{
    *forms = (struct host_forms){.form = calloc(MAX_FORMS, sizeof *forms->form),
                                 .encoding = calloc(MAX_ENCODINGS, sizeof *forms->encoding)};
    bool is_good = forms->form && forms->encoding;
    for (enum dec_mode mode = DEC_16; mode <= DEC_64; mode++)
        for (unsigned map = DEC_MAP_1BYTE; map <= DEC_MAP_0F3A; map++)
            for (unsigned opcode = 0; opcode < 256; opcode++)
                for (unsigned set = 0; set < 2 * sizeof prefix_sets; set++) {
                    struct host_encoding e = {.map = (uint8_t)map,
                                              .opcode = (uint8_t)opcode,
                                              .prefixes = prefix_sets[set / 2],
                                              .has_rex_w = set % 2};
                    if (is_good && (!e.has_rex_w || mode == DEC_64))
                        is_good = add_opcode(forms, mode, e);
                }
    return is_good;
}

void host_forms_fini(struct host_forms *forms)
{
    free(forms->form);
    free(forms->encoding);
}

const char *host_form_name(const struct host_form *form)
{
    static const char *const kinds[] = {
        [DEC_OPERAND_NONE] = "-",    [DEC_OPERAND_GPR] = "r",   [DEC_OPERAND_MEM] = "m",
        [DEC_OPERAND_SRC] = "src",   [DEC_OPERAND_DST] = "dst", [DEC_OPERAND_IMM] = "imm",
        [DEC_OPERAND_IMM2] = "imm",  [DEC_OPERAND_REL] = "rel", [DEC_OPERAND_FAR] = "far",
        [DEC_OPERAND_SREG] = "sreg", [DEC_OPERAND_CREG] = "cr", [DEC_OPERAND_DREG] = "dr",
        [DEC_OPERAND_X87] = "st",    [DEC_OPERAND_MMX] = "mm",  [DEC_OPERAND_XMM] = "xmm",
    };
    static char name[96];
    int at = snprintf(name, sizeof name, "%u: %s", 16u << form->mode, dec_mnemonic(form->op));
    for (unsigned i = 0; i < form->nr_operands && at < (int)sizeof name; i++)
        at += snprintf(name + at, sizeof name - (size_t)at, "%s%s%u", i ? "," : " ",
                       kinds[form->operand[i].kind], form->operand[i].size_bytes * 8u);
    return name;
}
