#include "sim/observe/gdb_registers.h"

#include <string.h>

/* enum dec_seg, as gdb lists them: cs ss ds es fs gs. */
enum { ES, CS, SS, DS, FS, GS };
static const char *const segment_names[] = {"es", "cs", "ss", "ds", "fs", "gs"};
static const unsigned segment_order[] = {CS, SS, DS, ES, FS, GS};
enum { NR_SEGMENTS = 6, NR_ST = 8, NR_DR = 8 };

static const char *const names32[] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};
static const char *const names64[] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
                                      "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
static const unsigned order64[] = {CPU_AX, CPU_BX, CPU_CX, CPU_DX, CPU_SI, CPU_DI, CPU_BP, CPU_SP,
                                   8,      9,      10,     11,     12,     13,     14,     15};
static const char *const x87_names[NR_GDB_X87] = {"fctrl", "fstat", "ftag",  "fiseg",
                                                  "fioff", "foseg", "fooff", "fop"};

/* Those with bits 0 are as wide as a general register. */
static const struct {
    const char *name, *type;
    unsigned bits;
} system_registers[NR_GDB_SYSTEM] = {
    [GDB_FS_BASE] = {"fs_base", "int", 0},
    [GDB_GS_BASE] = {"gs_base", "int", 0},
    [GDB_K_GS_BASE] = {"k_gs_base", "int", 0},
    [GDB_CR0] = {"cr0", "lookaside_cr0", 0},
    [GDB_CR2] = {"cr2", "int", 0},
    [GDB_CR3] = {"cr3", "int", 0},
    [GDB_CR4] = {"cr4", "lookaside_cr4", 0},
    [GDB_CR8] = {"cr8", "int", 0},
    [GDB_EFER] = {"efer", "lookaside_efer", 0},
    [GDB_GDT_BASE] = {"gdt_base", "int", 0},
    [GDB_GDT_LIMIT] = {"gdt_limit", "uint32", 32},
    [GDB_IDT_BASE] = {"idt_base", "int", 0},
    [GDB_IDT_LIMIT] = {"idt_limit", "uint32", 32},
    [GDB_LDTR] = {"ldtr", "uint32", 32},
    [GDB_LDT_BASE] = {"ldt_base", "int", 0},
    [GDB_LDT_LIMIT] = {"ldt_limit", "uint32", 32},
    [GDB_TR] = {"tr", "uint32", 32},
    [GDB_TSS_BASE] = {"tss_base", "int", 0},
    [GDB_TSS_LIMIT] = {"tss_limit", "uint32", 32},
    [GDB_CPL] = {"cpl", "uint32", 32},
    [GDB_CYCLES] = {"cycles", "uint64", 64},
    [GDB_INSTRUCTIONS] = {"insns", "uint64", 64},
};

static void add(struct gdb_registers *registers, const char *name, const char *type, unsigned bits,
                enum gdb_source source, unsigned index)
{
    struct gdb_register *r = &registers->reg[registers->nr++];
    *r = (struct gdb_register){.type = type, .bits = bits, .source = source, .index = index};
    snprintf(r->name, sizeof r->name, "%s", name);
}

static void add_numbered(struct gdb_registers *registers, const char *name, unsigned number, const char *type,
                         unsigned bits, enum gdb_source source)
{
    char text[sizeof registers->reg->name];
    snprintf(text, sizeof text, "%s%u", name, number % GDB_MAX_REGISTERS);
    add(registers, text, type, bits, source, number);
}

static void add_of_segment(struct gdb_registers *registers, unsigned seg, const char *what, const char *type,
                           unsigned bits, enum gdb_source source)
{
    char text[sizeof registers->reg->name];
    snprintf(text, sizeof text, "%s_%s", segment_names[seg], what);
    add(registers, text, type, bits, source, seg);
}

static void add_core(struct gdb_registers *registers)
{
    bool is_64bit = registers->is_64bit;
    unsigned bits = is_64bit ? 64 : 32, nr_gprs = is_64bit ? 16 : 8;
    for (unsigned i = 0; i < nr_gprs; i++) {
        unsigned index = is_64bit ? order64[i] : i;
        bool is_pointer = index == CPU_SP || index == CPU_BP;
        add(registers, is_64bit ? names64[i] : names32[i],
            is_pointer ? "data_ptr"
            : is_64bit ? "int64"
                       : "int32",
            bits, GDB_GPR, index);
    }
    add(registers, is_64bit ? "rip" : "eip", "code_ptr", bits, GDB_RIP, 0);
    add(registers, "eflags", "i386_eflags", 32, GDB_FLAGS, 0);
    for (unsigned i = 0; i < NR_SEGMENTS; i++)
        add(registers, segment_names[segment_order[i]], "int32", 32, GDB_SELECTOR, segment_order[i]);
    for (unsigned i = 0; i < NR_ST; i++)
        add_numbered(registers, "st", i, "i387_ext", 80, GDB_ST);
    for (unsigned i = 0; i < NR_GDB_X87; i++)
        add(registers, x87_names[i], "int", 32, GDB_X87, i);
}

void gdb_registers_init(struct gdb_registers *registers, bool is_64bit, bool has_sse)
{
    *registers = (struct gdb_registers){.is_64bit = is_64bit, .has_sse = has_sse};
    unsigned bits = is_64bit ? 64 : 32;
    add_core(registers);
    registers->first_sse = registers->nr;
    for (unsigned i = 0; has_sse && i < (is_64bit ? 16 : 8); i++)
        add_numbered(registers, "xmm", i, "vec128", 128, GDB_XMM);
    if (has_sse)
        add(registers, "mxcsr", "i386_mxcsr", 32, GDB_MXCSR, 0);
    registers->first_system = registers->nr;
    for (unsigned i = 0; i < NR_GDB_SYSTEM; i++)
        add(registers, system_registers[i].name, system_registers[i].type,
            system_registers[i].bits ? system_registers[i].bits : bits, GDB_SYSTEM, i);
    for (unsigned i = 0; i < NR_SEGMENTS; i++) {
        unsigned seg = segment_order[i];
        if (seg != FS && seg != GS) /* these have theirs above */
            add_of_segment(registers, seg, "base", "int", bits, GDB_BASE);
        add_of_segment(registers, seg, "limit", "uint32", 32, GDB_LIMIT);
    }
    for (unsigned i = 0; i < NR_DR; i++)
        add_numbered(registers, "dr", i, "int", bits, GDB_DR);
}

/* ---- The description ---- */

struct flag {
    const char *name;
    unsigned first, last;
};

static const struct flag eflags[] = {
    {"CF", 0, 0},   {"", 1, 1},     {"PF", 2, 2},    {"AF", 4, 4},    {"ZF", 6, 6},   {"SF", 7, 7},
    {"TF", 8, 8},   {"IF", 9, 9},   {"DF", 10, 10},  {"OF", 11, 11},  {"NT", 14, 14}, {"RF", 16, 16},
    {"VM", 17, 17}, {"AC", 18, 18}, {"VIF", 19, 19}, {"VIP", 20, 20}, {"ID", 21, 21}};
static const struct flag mxcsr[] = {
    {"IE", 0, 0}, {"DE", 1, 1}, {"ZE", 2, 2}, {"OE", 3, 3},   {"UE", 4, 4},   {"PE", 5, 5},   {"DAZ", 6, 6},
    {"IM", 7, 7}, {"DM", 8, 8}, {"ZM", 9, 9}, {"OM", 10, 10}, {"UM", 11, 11}, {"PM", 12, 12}, {"FZ", 15, 15}};
static const struct flag cr0[] = {{"PE", 0, 0},   {"MP", 1, 1},   {"EM", 2, 2},   {"TS", 3, 3},
                                  {"ET", 4, 4},   {"NE", 5, 5},   {"WP", 16, 16}, {"AM", 18, 18},
                                  {"NW", 29, 29}, {"CD", 30, 30}, {"PG", 31, 31}};
static const struct flag cr4[] = {
    {"VME", 0, 0},          {"PVI", 1, 1},    {"TSD", 2, 2},    {"DE", 3, 3},         {"PSE", 4, 4},
    {"PAE", 5, 5},          {"MCE", 6, 6},    {"PGE", 7, 7},    {"PCE", 8, 8},        {"OSFXSR", 9, 9},
    {"OSXMMEXCPT", 10, 10}, {"UMIP", 11, 11}, {"LA57", 12, 12}, {"FSGSBASE", 16, 16}, {"PCIDE", 17, 17},
    {"SMEP", 20, 20},       {"SMAP", 21, 21}};
static const struct flag efer[] = {{"SCE", 0, 0}, {"LME", 8, 8}, {"LMA", 10, 10}, {"NXE", 11, 11}};
#define NR(array) (sizeof(array) / sizeof *(array))

static void describe_flags(FILE *to, const char *id, unsigned size_bytes, const struct flag *flags,
                           size_t nr_flags)
{
    fprintf(to, "<flags id=\"%s\" size=\"%u\">\n", id, size_bytes);
    for (size_t i = 0; i < nr_flags; i++)
        fprintf(to, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>\n", flags[i].name, flags[i].first,
                flags[i].last);
    fputs("</flags>\n", to);
}

static void describe_vectors(FILE *to)
{
    static const struct {
        const char *id, *type;
        unsigned count;
    } vectors[] = {{"v4f", "ieee_single", 4}, {"v2d", "ieee_double", 2}, {"v16i8", "int8", 16},
                   {"v8i16", "int16", 8},     {"v4i32", "int32", 4},     {"v2i64", "int64", 2}};
    static const char *const fields[] = {"v4_float", "v2_double", "v16_int8",
                                         "v8_int16", "v4_int32",  "v2_int64"};
    for (size_t i = 0; i < NR(vectors); i++)
        fprintf(to, "<vector id=\"%s\" type=\"%s\" count=\"%u\"/>\n", vectors[i].id, vectors[i].type,
                vectors[i].count);
    fputs("<union id=\"vec128\">\n", to);
    for (size_t i = 0; i < NR(vectors); i++)
        fprintf(to, "<field name=\"%s\" type=\"%s\"/>\n", fields[i], vectors[i].id);
    fputs("<field name=\"uint128\" type=\"uint128\"/>\n</union>\n", to);
}

static void describe_registers(const struct gdb_registers *registers, unsigned first, unsigned end, FILE *to)
{
    for (unsigned i = first; i < end; i++) {
        const struct gdb_register *r = &registers->reg[i];
        fprintf(to, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"%s/>\n", r->name, r->bits, r->type,
                i >= registers->first_system ? " group=\"system\"" : "");
    }
    fputs("</feature>\n", to);
}

void gdb_registers_describe(const struct gdb_registers *registers, FILE *to)
{
    fprintf(to,
            "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target>\n"
            "<architecture>%s</architecture>\n<feature name=\"org.gnu.gdb.i386.core\">\n",
            registers->is_64bit ? "i386:x86-64" : "i386");
    describe_flags(to, "i386_eflags", 4, eflags, NR(eflags));
    describe_registers(registers, 0, registers->first_sse, to);
    if (registers->has_sse) {
        fputs("<feature name=\"org.gnu.gdb.i386.sse\">\n", to);
        describe_vectors(to);
        describe_flags(to, "i386_mxcsr", 4, mxcsr, NR(mxcsr));
        describe_registers(registers, registers->first_sse, registers->first_system, to);
    }
    unsigned size_bytes = registers->is_64bit ? 8 : 4;
    fputs("<feature name=\"lookaside.sys\">\n", to);
    describe_flags(to, "lookaside_cr0", size_bytes, cr0, NR(cr0));
    describe_flags(to, "lookaside_cr4", size_bytes, cr4, NR(cr4));
    describe_flags(to, "lookaside_efer", size_bytes, efer, NR(efer));
    describe_registers(registers, registers->first_system, registers->nr, to);
    fputs("</target>\n", to);
}

/* ---- Values ---- */

enum { TAG_VALID, TAG_ZERO, TAG_SPECIAL, TAG_EMPTY };

static unsigned top_of(const struct fpu *fpu)
{
    return fpu->status >> 11 & 7;
}

/* Of a physical register, as FNSTENV tells it (SDM 1 8.1.7). */
static unsigned tag_of(const struct fpu *fpu, unsigned i)
{
    const struct x87_register *r = &fpu->reg[i];
    unsigned exponent = r->sign_exponent & 0x7fff;
    if (!(fpu->in_use >> i & 1))
        return TAG_EMPTY;
    if (exponent == 0 && r->mantissa == 0)
        return TAG_ZERO;
    return exponent == 0 || exponent == 0x7fff || !(r->mantissa >> 63) ? TAG_SPECIAL : TAG_VALID;
}

static uint64_t get_x87(const struct fpu *fpu, enum gdb_x87 index)
{
    unsigned tags = 0;
    switch (index) {
    case GDB_FCTRL:
        return fpu->control;
    case GDB_FSTAT:
        return fpu->status;
    case GDB_FTAG:
        for (unsigned i = 0; i < NR_ST; i++)
            tags |= tag_of(fpu, i) << 2 * i;
        return tags;
    case GDB_FISEG:
        return fpu->cs;
    case GDB_FIOFF:
        return fpu->rip;
    case GDB_FOSEG:
        return fpu->ds;
    case GDB_FOOFF:
        return fpu->data;
    default:
        return fpu->opcode;
    }
}

static void set_x87(struct fpu *fpu, enum gdb_x87 index, uint32_t value)
{
    switch (index) {
    case GDB_FCTRL:
        fpu->control = (uint16_t)value;
        break;
    case GDB_FSTAT:
        fpu->status = (uint16_t)value;
        break;
    case GDB_FTAG:
        fpu->in_use = 0;
        for (unsigned i = 0; i < NR_ST; i++)
            fpu->in_use |= (uint8_t)((value >> 2 * i & 3) != TAG_EMPTY ? 1u << i : 0);
        break;
    case GDB_FISEG:
        fpu->cs = (uint16_t)value;
        break;
    case GDB_FIOFF:
        fpu->rip = value;
        break;
    case GDB_FOSEG:
        fpu->ds = (uint16_t)value;
        break;
    case GDB_FOOFF:
        fpu->data = value;
        break;
    default:
        fpu->opcode = value & 0x7ff;
        break;
    }
}

static uint64_t get_system(const struct gdb_values *v, enum gdb_system index)
{
    const struct cpu_state *s = &v->state;
    const uint64_t values[NR_GDB_SYSTEM] = {
        [GDB_FS_BASE] = s->segment[FS].hidden.base,
        [GDB_GS_BASE] = s->segment[GS].hidden.base,
        [GDB_K_GS_BASE] = v->kernel_gs_base,
        [GDB_CR0] = s->cr0,
        [GDB_CR2] = s->cr2,
        [GDB_CR3] = s->cr3,
        [GDB_CR4] = s->cr4,
        [GDB_CR8] = v->cr8,
        [GDB_EFER] = s->efer,
        [GDB_GDT_BASE] = s->gdt_base,
        [GDB_GDT_LIMIT] = s->gdt_limit,
        [GDB_IDT_BASE] = s->idt_base,
        [GDB_IDT_LIMIT] = s->idt_limit,
        [GDB_LDTR] = s->ldtr.selector,
        [GDB_LDT_BASE] = s->ldtr.hidden.base,
        [GDB_LDT_LIMIT] = s->ldtr.hidden.limit_bytes,
        [GDB_TR] = s->tr.selector,
        [GDB_TSS_BASE] = s->tr.hidden.base,
        [GDB_TSS_LIMIT] = s->tr.hidden.limit_bytes,
        [GDB_CPL] = cpu_state_cpl(s),
        [GDB_CYCLES] = v->cycles,
        [GDB_INSTRUCTIONS] = v->instructions,
    };
    return values[index];
}

static uint64_t get_dr(const struct debug_registers *debug, unsigned index)
{
    if (index < NR_BREAKPOINTS)
        return debug->address[index];
    return index == 4 || index == 6 ? debug->dr6 : debug->dr7;
}

static uint64_t get_word(const struct gdb_registers *registers, const struct gdb_register *r,
                         const struct gdb_values *v)
{
    const struct cpu_state *s = &v->state;
    switch (r->source) {
    case GDB_GPR:
        return s->gpr[r->index];
    case GDB_RIP:
        return registers->is_pc_linear ? cpu_state_code_linear(s) : s->rip;
    case GDB_FLAGS:
        return s->rflags;
    case GDB_SELECTOR:
        return s->segment[r->index].selector;
    case GDB_X87:
        return get_x87(&s->fpu, r->index);
    case GDB_MXCSR:
        return s->mxcsr;
    case GDB_SYSTEM:
        return get_system(v, r->index);
    case GDB_BASE:
        return s->segment[r->index].hidden.base;
    case GDB_LIMIT:
        return s->segment[r->index].hidden.limit_bytes;
    case GDB_DR:
        return get_dr(&s->debug, r->index);
    case GDB_ST:
    case GDB_XMM:
        break;
    }
    return 0;
}

void gdb_register_get(const struct gdb_registers *registers, unsigned number, const struct gdb_values *values,
                      uint8_t bytes[GDB_MAX_REGISTER_BYTES])
{
    const struct gdb_register *r = &registers->reg[number];
    const struct fpu *fpu = &values->state.fpu;
    uint64_t word = get_word(registers, r, values);
    memset(bytes, 0, GDB_MAX_REGISTER_BYTES);
    if (r->source == GDB_XMM) {
        memcpy(bytes, values->state.xmm[r->index].half, GDB_MAX_REGISTER_BYTES);
    } else if (r->source == GDB_ST) {
        const struct x87_register *st = &fpu->reg[(top_of(fpu) + r->index) % NR_ST];
        memcpy(bytes, &st->mantissa, sizeof st->mantissa);
        memcpy(bytes + sizeof st->mantissa, &st->sign_exponent, sizeof st->sign_exponent);
    } else {
        memcpy(bytes, &word, r->bits / 8);
    }
}

/* Of a register that is not to be written: the same value is no mistake. */
static bool set_system(struct cpu_state *s, enum gdb_system index, uint64_t value)
{
    switch (index) {
    case GDB_CR0:
        s->cr0 = value;
        return true;
    case GDB_CR2:
        s->cr2 = value;
        return true;
    case GDB_CR3:
        s->cr3 = value;
        return true;
    case GDB_CR4:
        s->cr4 = value;
        return true;
    default:
        return false;
    }
}

bool gdb_register_set(const struct gdb_registers *registers, unsigned number, struct gdb_values *values,
                      const uint8_t bytes[GDB_MAX_REGISTER_BYTES])
{
    const struct gdb_register *r = &registers->reg[number];
    struct cpu_state *s = &values->state;
    uint8_t old[GDB_MAX_REGISTER_BYTES];
    uint64_t word = 0;
    gdb_register_get(registers, number, values, old);
    if (memcmp(old, bytes, r->bits / 8) == 0)
        return true; /* what a wide register has above what gdb sees of it stays */
    memcpy(&word, bytes, r->bits < 64 ? r->bits / 8 : sizeof word);
    switch (r->source) {
    case GDB_GPR:
        s->gpr[r->index] = word;
        return true;
    case GDB_RIP:
        s->rip = word - (registers->is_pc_linear ? s->segment[CS].hidden.base : 0);
        return true;
    case GDB_FLAGS:
        s->rflags = word;
        return true;
    case GDB_SELECTOR:
        s->segment[r->index].selector = (uint16_t)word;
        return word <= UINT16_MAX;
    case GDB_ST: {
        struct x87_register *st = &s->fpu.reg[(top_of(&s->fpu) + r->index) % NR_ST];
        st->mantissa = word;
        memcpy(&st->sign_exponent, bytes + sizeof st->mantissa, sizeof st->sign_exponent);
        return true;
    }
    case GDB_X87:
        set_x87(&s->fpu, r->index, (uint32_t)word);
        return true;
    case GDB_XMM:
        memcpy(s->xmm[r->index].half, bytes, GDB_MAX_REGISTER_BYTES);
        return true;
    case GDB_MXCSR:
        s->mxcsr = (uint32_t)word;
        return true;
    case GDB_SYSTEM:
        return set_system(s, r->index, word);
    case GDB_BASE:
    case GDB_LIMIT:
    case GDB_DR:
        break;
    }
    return false;
}
