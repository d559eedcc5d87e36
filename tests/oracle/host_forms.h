/*
 * All forms of instructions that the decoder knows: an instruction (enum dec_op) with a pattern of operands
 * in one mode, found by decoding every opcode with every prefix and ModRM byte that matters. And code of a
 * form, with random prefixes, registers and addressing.
 */
#ifndef LK_TESTS_ORACLE_HOST_FORMS_H
#define LK_TESTS_ORACLE_HOST_FORMS_H

#include "tests/oracle/host.h"

/* Prefixes that choose an instruction or its operands' sizes. */
enum host_prefix { HOST_PREFIX_66 = 1, HOST_PREFIX_F3 = 2, HOST_PREFIX_F2 = 4 };

/* One way to write a form: all ModRM bytes of an opcode behind the same prefixes. */
struct host_encoding {
    uint8_t prefixes; /* enum host_prefix */
    uint8_t map;      /* enum dec_map */
    uint8_t opcode;
    bool has_rex_w, has_modrm;
    uint8_t memory_regs;    /* a bit a value of ModRM.reg, memory */
    uint64_t register_bits; /* a bit a value of ModRM.reg and ModRM.rm, registers */
    unsigned next;          /* of the same form, or HOST_NO_ENCODING */
};

enum { HOST_NO_ENCODING = -1 };

struct host_form {
    enum dec_mode mode;
    enum dec_op op;
    unsigned nr_operands;
    struct dec_operand operand[DEC_MAX_OPERANDS]; /* kind and size */
    uint8_t flags;                                /* DEC_FLAG_* */
    bool is_fx;                                   /* x87, MMX or SSE */
    unsigned first, nr_encodings;
};

struct host_forms {
    struct host_form *form;
    unsigned nr_forms;
    struct host_encoding *encoding;
    unsigned nr_encodings;
};

/* False: no memory. */
bool host_forms_init(struct host_forms *forms);
void host_forms_fini(struct host_forms *forms);
/* "64: add m32,r32"; until the next call. */
const char *host_form_name(const struct host_form *form);

/* The code of a case, as it is decoded, and where in it the displacement lies. */
struct host_code {
    struct dec_insn insn;
    unsigned disp_at, disp_bytes;
};

/* Writes random code of the form to c->bytes. False: the random choices do not fit together, try again. */
bool host_write_code(struct host_case *c, struct host_random *r, const struct host_forms *forms,
                     const struct host_form *form, struct host_code *code);
/*
 * Sets registers or the displacement so that the memory operand lies at `linear`. False: it cannot be done.
 */
bool host_aim(struct host_case *c, struct host_code *code, uint64_t linear);
uint64_t host_segment_base(const struct host_case *c, unsigned seg);
/* Where the memory operand lies with the registers as they are. */
uint64_t host_operand_linear(const struct host_case *c, const struct host_code *code);
/* Sets the part of a register that an address of this size uses. */
void host_set_address(struct host_case *c, unsigned reg, unsigned address_bytes, uint64_t value);

#endif
