/*
 * Oracle: single instructions against what a real 80286 did in real mode. What a 386 does differently is in
 * the rules of vectors_286.def; everything else must agree: registers, defined flags, memory, exception.
 *
 *     vectors_286_cases [--inorder] [--each N] METADATA FILE...
 *
 * --each runs every Nth case. tests/oracle/vectors_286.sh finds and unpacks the files.
 */
#include "tests/oracle/vectors_286.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_REPORTS = 40 };

struct run {
    cJSON *metadata;
    struct vector_core *core;
    struct vector_case c;
    uint64_t each, nr_cases, nr_same, nr_differences;
    uint64_t *nr_explained; /* by rule */
    const char *file_name;
    uint32_t flags_mask; /* of the file's opcode */
};

/* ---- Rules ---- */

struct seen {
    struct run *run;
    const struct vector_case *c;
    const struct vector_result *ours;
    unsigned nr_prefixes;
    bool is_locked;
    uint8_t opcode, modrm;
};

#define RULE(name, sentence) static bool rule_##name(const struct seen *seen);
#include "tests/oracle/vectors_286.def"
#undef RULE

static const struct {
    const char *name, *sentence;
    bool (*explains)(const struct seen *seen);
} rules[] = {
#define RULE(name, sentence) {#name, sentence, rule_##name},
#include "tests/oracle/vectors_286.def"
#undef RULE
};
enum { NR_RULES = sizeof rules / sizeof *rules };

static struct seen look(struct run *run, const struct vector_result *ours)
{
    const struct vector_case *c = &run->c;
    struct seen seen = {.run = run, .c = c, .ours = ours};
    while (seen.nr_prefixes + 1 < c->nr_bytes) {
        uint8_t b = c->bytes[seen.nr_prefixes];
        if (b != 0x26 && b != 0x2e && b != 0x36 && b != 0x3e && b != 0xf0 && b != 0xf2 && b != 0xf3)
            break;
        seen.is_locked |= b == 0xf0;
        seen.nr_prefixes++;
    }
    seen.opcode = c->bytes[seen.nr_prefixes];
    if (seen.nr_prefixes + 1 < c->nr_bytes)
        seen.modrm = c->bytes[seen.nr_prefixes + 1];
    return seen;
}

enum {
    EXCEPTION_DE = 0,
    EXCEPTION_UD = 6,
    EXCEPTION_SS = 12,
    EXCEPTION_GP = 13,
    FLAG_OF = 0x800,
    LONGEST_OF_286 = 10
};

/* ---- Comparison ---- */

static uint8_t byte_of_case(const struct vector_case *c, uint32_t at)
{
    for (unsigned i = 0; i < c->after.nr_bytes; i++)
        if (c->after.byte[i].at == at)
            return c->after.byte[i].value;
    for (unsigned i = c->before.nr_bytes; i-- > 0;)
        if (c->before.byte[i].at == at)
            return c->before.byte[i].value;
    return 0;
}

/* Which bits of a byte are compared: all, but for undefined flags that an exception pushed. */
static uint8_t byte_mask(const struct run *run, uint32_t at)
{
    const struct vector_case *c = &run->c;
    uint32_t mask = run->flags_mask & VECTOR_FLAGS_286;
    if (c->exception == VECTOR_NO_EXCEPTION)
        return 0xff;
    /* Where the file says they are is one short for an odd SP: they lie above CS and IP. */
    uint32_t flags_at = c->after.reg[VECTOR_SS] * 16u + (uint16_t)(c->after.reg[VECTOR_SP] + 4);
    if (at == flags_at)
        return (uint8_t)mask;
    return at == flags_at + 1 ? (uint8_t)(mask >> 8) : 0xff;
}

static bool is_memory_same(const struct run *run, const struct vector_state *state)
{
    for (unsigned i = 0; i < state->nr_bytes; i++) {
        uint32_t at = state->byte[i].at;
        if ((vector_core_byte(run->core, at) ^ byte_of_case(&run->c, at)) & byte_mask(run, at))
            return false;
    }
    return true;
}

/* What differs, or NULL. */
static const char *difference(const struct run *run, const struct vector_result *ours)
{
    const struct vector_case *c = &run->c;
    if (!ours->is_halted)
        return "the end";
    for (unsigned i = 0; i < VECTOR_FLAGS; i++)
        if (ours->reg[i] != c->after.reg[i])
            return "a register";
    uint32_t mask = run->flags_mask & VECTOR_FLAGS_286;
    if ((ours->reg[VECTOR_FLAGS] ^ c->after.reg[VECTOR_FLAGS]) & mask)
        return "a flag";
    if (!is_memory_same(run, &c->before) || !is_memory_same(run, &c->after))
        return "memory";
    return NULL;
}

/* ---- Cases that run once more, so that what a 386 does can be computed ---- */

/* Puts a vector's pointer into the memory before the case. */
static void set_vector(struct vector_case *c, unsigned vector, uint32_t pointer)
{
    for (unsigned i = 0; i < 4 && c->before.nr_bytes < MAX_VECTOR_BYTES; i++)
        c->before.byte[c->before.nr_bytes++] =
            (struct vector_byte){vector * 4 + i, (uint8_t)(pointer >> i * 8)};
}

static uint32_t vector_of(const struct vector_case *c, unsigned vector)
{
    uint32_t pointer = 0;
    for (unsigned i = 0; i < c->before.nr_bytes; i++)
        if (c->before.byte[i].at / 4 == vector)
            pointer |= (uint32_t)c->before.byte[i].value << c->before.byte[i].at % 4 * 8;
    return pointer;
}

static void run_again(struct run *run, const struct vector_case *c, struct vector_result *result)
{
    uint32_t at;
    vector_core_clean(run->core, &run->c);
    (void)vector_core_is_clean(run->core, &at);
    vector_core_run(run->core, c, result);
}

/* Where the word `index` of a fault's frame lies: IP, CS, FLAGS. */
static uint32_t frame_at(const struct vector_case *c, unsigned index, unsigned byte)
{
    uint16_t offset = (uint16_t)(c->before.reg[VECTOR_SP] - 6 + index * 2 + byte);
    return c->before.reg[VECTOR_SS] * 16u + offset;
}

static bool is_frame_good(const struct run *run, const struct vector_case *c, unsigned flags)
{
    const uint16_t *reg = c->before.reg;
    const uint16_t frame[] = {reg[VECTOR_IP], reg[VECTOR_CS], (uint16_t)flags};
    const uint16_t mask[] = {UINT16_MAX, UINT16_MAX, VECTOR_FLAGS_286};
    for (unsigned i = 0; i < 3; i++) {
        unsigned value = vector_core_byte(run->core, frame_at(c, i, 0)) |
                         (unsigned)vector_core_byte(run->core, frame_at(c, i, 1)) << 8;
        if ((value & mask[i]) != frame[i])
            return false;
    }
    return true;
}

static bool is_in_frame(const struct vector_case *c, uint32_t at)
{
    for (unsigned i = 0; i < 6; i++)
        if (at == frame_at(c, i / 2, i % 2))
            return true;
    return false;
}

/* Apart from the frame, memory is what it was before. */
static bool is_memory_untouched(const struct run *run, const struct vector_case *c)
{
    for (unsigned i = 0; i < c->after.nr_bytes; i++) {
        uint32_t at = c->after.byte[i].at;
        uint8_t before = 0;
        for (unsigned k = 0; k < c->before.nr_bytes; k++)
            if (c->before.byte[k].at == at)
                before = c->before.byte[k].value;
        if (!is_in_frame(c, at) && vector_core_byte(run->core, at) != before)
            return false;
    }
    return true;
}

/*
 * The instruction raises `vector` and nothing else has changed: registers, frame and memory, all of them. But
 * for those registers that a repeated instruction moves; it has then the status flags of the 286.
 */
static bool faults_plainly(struct run *run, unsigned vector, unsigned moving_registers)
{
    enum { CLEARED_FLAGS = 0x300, STATUS_FLAGS = 0x8d5 };
    static struct vector_case again;
    struct vector_result ours;
    again = run->c;
    const uint16_t *reg = again.before.reg;
    uint16_t halt = (uint16_t)(reg[VECTOR_IP] + again.nr_bytes - 1);
    if (again.exception != (int)vector)
        set_vector(&again, vector, halt | (uint32_t)reg[VECTOR_CS] << 16);
    again.exception = (int)vector;
    run_again(run, &again, &ours);
    uint32_t handler = vector_of(&again, vector);
    unsigned flags = reg[VECTOR_FLAGS] & VECTOR_FLAGS_286;
    if (moving_registers)
        flags = (flags & ~(unsigned)STATUS_FLAGS) | (again.after.reg[VECTOR_FLAGS] & STATUS_FLAGS);
    if (ours.exception != (int)vector || !ours.is_halted || !is_frame_good(run, &again, flags))
        return false;
    for (unsigned i = 0; i < VECTOR_FLAGS; i++) {
        uint16_t expected = i == VECTOR_SP   ? (uint16_t)(reg[i] - 6)
                            : i == VECTOR_CS ? (uint16_t)(handler >> 16)
                            : i == VECTOR_IP ? (uint16_t)(handler + 1)
                                             : reg[i];
        if (ours.reg[i] != expected && !(moving_registers >> i & 1))
            return false;
    }
    return (ours.reg[VECTOR_FLAGS] & VECTOR_FLAGS_286) == (flags & ~(unsigned)CLEARED_FLAGS) &&
           (moving_registers || is_memory_untouched(run, &again));
}

/* ---- The rules ---- */

/* What LOCK may stand before: a read-modify-write of memory (SDM 2A LOCK). */
static bool is_lockable(const struct seen *seen)
{
    unsigned digit = seen->modrm >> 3 & 7;
    if (seen->modrm >> 6 == 3)
        return false;
    if (seen->opcode < 0x38)
        return (seen->opcode & 7) < 2;
    switch (seen->opcode & 0xfe) {
    case 0x80:
    case 0x82:
        return digit != 7;
    case 0x86:
        return true;
    case 0xf6:
        return digit == 2 || digit == 3;
    case 0xfe:
        return digit < 2;
    default:
        return false;
    }
}

static bool rule_lock(const struct seen *seen)
{
    return seen->is_locked && !is_lockable(seen) && faults_plainly(seen->run, EXCEPTION_UD, 0);
}

/*
 * One that is not repeated has changed nothing; a repeated one has SI, DI and CX of the iteration that
 * faults, which has an operand across the end of its segment.
 */
static bool rule_string_restart(const struct seen *seen)
{
    bool is_string = (seen->opcode >= 0x6c && seen->opcode <= 0x6f) ||
                     (seen->opcode >= 0xa4 && seen->opcode <= 0xaf && (seen->opcode & 0xfe) != 0xa8);
    bool is_repeated = false;
    for (unsigned i = 0; i < seen->nr_prefixes; i++)
        is_repeated |= (seen->c->bytes[i] & 0xfe) == 0xf2;
    if (!is_string || seen->c->exception != EXCEPTION_GP ||
        (seen->ours->exception != EXCEPTION_GP && seen->ours->exception != EXCEPTION_SS))
        return false;
    const uint16_t *before = seen->c->before.reg, *ours = seen->ours->reg;
    uint16_t count = (uint16_t)(before[VECTOR_CX] - ours[VECTOR_CX]);
    uint16_t step = before[VECTOR_FLAGS] & 0x400 ? 0xfffe : 2;
    bool si_moved = ours[VECTOR_SI] == (uint16_t)(before[VECTOR_SI] + count * step);
    bool di_moved = ours[VECTOR_DI] == (uint16_t)(before[VECTOR_DI] + count * step);
    bool is_at_end =
        (si_moved && ours[VECTOR_SI] == UINT16_MAX) || (di_moved && ours[VECTOR_DI] == UINT16_MAX);
    if (is_repeated && seen->ours->exception == EXCEPTION_GP && !is_at_end)
        return false;
    unsigned moving = is_repeated ? 1u << VECTOR_SI | 1u << VECTOR_DI | 1u << VECTOR_CX : 0;
    if (is_repeated && (seen->opcode & 0xfe) == 0xac && ours[VECTOR_AX] == seen->c->after.reg[VECTOR_AX])
        moving |= 1u << VECTOR_AX; /* what LODS has loaded */
    return faults_plainly(seen->run, (unsigned)seen->ours->exception, moving);
}

static bool rule_pop_restart(const struct seen *seen)
{
    return seen->opcode == 0x8f && seen->c->exception == EXCEPTION_GP &&
           seen->ours->exception == EXCEPTION_GP && faults_plainly(seen->run, EXCEPTION_GP, 0);
}

static bool rule_fs_gs(const struct seen *seen)
{
    unsigned reg = seen->modrm >> 3 & 7;
    return (seen->opcode == 0x8c || seen->opcode == 0x8e) && (reg == 4 || reg == 5) &&
           seen->c->exception == EXCEPTION_UD && seen->ours->exception != EXCEPTION_UD;
}

static bool rule_stack_fault(const struct seen *seen)
{
    static struct vector_case again;
    struct vector_result ours;
    if (seen->c->exception != EXCEPTION_GP || seen->ours->exception != EXCEPTION_SS)
        return false;
    again = *seen->c; /* with the handler of #GP for #SS all is as on the 286 */
    again.exception = EXCEPTION_SS;
    set_vector(&again, EXCEPTION_SS, vector_of(&again, EXCEPTION_GP));
    run_again(seen->run, &again, &ours);
    return !difference(seen->run, &ours);
}

/* The HLT behind the instruction is counted in nr_bytes. */
static bool rule_length(const struct seen *seen)
{
    return seen->c->nr_bytes > LONGEST_OF_286 + 1 && seen->c->exception == EXCEPTION_GP;
}

static bool rule_rotate_overflow(const struct seen *seen)
{
    bool is_rotate = (seen->opcode & 0xfe) == 0xc0 || (seen->opcode & 0xfe) == 0xd2;
    unsigned differing =
        (seen->ours->reg[VECTOR_FLAGS] ^ seen->c->after.reg[VECTOR_FLAGS]) & VECTOR_FLAGS_286;
    return is_rotate && (seen->modrm >> 3 & 7) < 4 && differing == FLAG_OF;
}

static bool rule_idiv_overflow(const struct seen *seen)
{
    return (seen->opcode & 0xfe) == 0xf6 && (seen->modrm >> 3 & 7) == 7 &&
           seen->c->exception == VECTOR_NO_EXCEPTION && faults_plainly(seen->run, EXCEPTION_DE, 0);
}

static bool rule_aam_zero(const struct seen *seen)
{
    return seen->opcode == 0xd4 && seen->modrm == 0 && seen->c->exception == EXCEPTION_DE &&
           seen->ours->exception == EXCEPTION_DE &&
           memcmp(seen->ours->reg, seen->c->after.reg, VECTOR_FLAGS * sizeof *seen->ours->reg) == 0;
}

static void print_registers(const char *label, const uint16_t reg[NR_VECTOR_REGISTERS])
{
    static const char *const names[] = {"ax", "bx", "cx", "dx", "cs", "ss", "ds",
                                        "es", "sp", "bp", "si", "di", "ip", "flags"};
    printf("    %s", label);
    for (unsigned i = 0; i < NR_VECTOR_REGISTERS; i++)
        printf(" %s=%04x", names[i], reg[i]);
    printf("\n");
}

static void report(struct run *run, const char *what, const struct vector_result *ours)
{
    const struct vector_case *c = &run->c;
    if (run->nr_differences++ >= MAX_REPORTS)
        return;
    printf("%s case %u: %s differs; bytes", run->file_name, c->number, what);
    for (unsigned i = 0; i < c->nr_bytes; i++)
        printf(" %02x", c->bytes[i]);
    printf("; exception %d, ours %d%s%s\n", c->exception, ours->exception,
           ours->is_halted ? "" : ", not halted", ours->is_shut_down ? ", shut down" : "");
    print_registers("before", c->before.reg);
    print_registers("theirs", c->after.reg);
    print_registers("ours  ", ours->reg);
    for (unsigned i = 0; i < c->after.nr_bytes && i < 16; i++)
        printf("    [%06x] theirs %02x ours %02x\n", c->after.byte[i].at, c->after.byte[i].value,
               vector_core_byte(run->core, c->after.byte[i].at));
}

/* False: the difference has no rule. */
static bool explain(struct run *run, const struct vector_result *ours)
{
    struct seen seen = look(run, ours);
    for (unsigned i = 0; i < NR_RULES; i++)
        if (rules[i].explains(&seen)) {
            run->nr_explained[i]++;
            return true;
        }
    return false;
}

static bool run_case(struct run *run)
{
    struct vector_result ours;
    uint32_t at;
    bool is_explained = false;
    run->nr_cases++;
    vector_core_run(run->core, &run->c, &ours);
    const char *what = difference(run, &ours);
    if (what) {
        is_explained = explain(run, &ours);
        if (!is_explained)
            report(run, what, &ours);
    } else {
        run->nr_same++;
    }
    vector_core_clean(run->core, &run->c);
    if (what && !vector_core_is_clean(run->core, &at) && !is_explained && run->nr_differences <= MAX_REPORTS)
        printf("    [%06x] written by ours alone\n", at);
    return is_explained;
}

static void choose_mask(struct run *run)
{
    const char *slash = strrchr(run->file_name, '/'), *name = slash ? slash + 1 : run->file_name;
    char opcode[3] = {name[0], name[1], 0}, digit[2] = {name[3], 0};
    const cJSON *entry =
        cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(run->metadata, "opcodes"), opcode);
    const cJSON *by_digit = cJSON_GetObjectItemCaseSensitive(entry, "reg");
    if (by_digit)
        entry = cJSON_GetObjectItemCaseSensitive(by_digit, digit);
    const cJSON *mask = cJSON_GetObjectItemCaseSensitive(entry, "flags-mask");
    run->flags_mask = cJSON_IsNumber(mask) ? (uint32_t)mask->valueint : UINT16_MAX;
}

static bool run_file(struct run *run, const char *path)
{
    struct vector_file file;
    struct vector_result nothing = {.is_halted = true};
    uint32_t at;
    run->file_name = path;
    choose_mask(run);
    bool is_good = vector_file_open(&file, path);
    for (uint64_t i = 0; is_good && vector_file_next(&file, &run->c); i++)
        if (i % run->each == 0)
            run_case(run);
    is_good = is_good && file.next == file.size_bytes;
    if (!is_good)
        fprintf(stderr, "vectors_286: %s: not a file of cases\n", path);
    if (!vector_core_is_clean(run->core, &at))
        report(run, "memory that no case names", &nothing);
    vector_file_close(&file);
    return is_good;
}

static cJSON *read_metadata(const char *path)
{
    struct vector_file file;
    cJSON *json = NULL;
    if (vector_file_open(&file, path))
        json = cJSON_ParseWithLength((const char *)file.data, file.size_bytes);
    vector_file_close(&file);
    return json;
}

static void summarise(const struct run *run, bool is_timed)
{
    uint64_t nr_explained = 0;
    for (unsigned i = 0; i < NR_RULES; i++) {
        nr_explained += run->nr_explained[i];
        printf("%-24s %8llu  %s\n", rules[i].name, (unsigned long long)run->nr_explained[i],
               rules[i].sentence);
    }
    printf("%s: %llu cases: %llu the same, %llu explained by a rule, %llu differences\n",
           is_timed ? "in-order" : "functional", (unsigned long long)run->nr_cases,
           (unsigned long long)run->nr_same, (unsigned long long)nr_explained,
           (unsigned long long)run->nr_differences);
}

int main(int argc, char **argv)
{
    static struct run run = {.each = 1};
    uint64_t nr_explained[NR_RULES + 1] = {0};
    bool is_timed = false, is_good = true;
    int i = 1;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--inorder") == 0)
            is_timed = true;
        else if (strcmp(argv[i], "--each") == 0 && i + 1 < argc)
            run.each = strtoull(argv[++i], NULL, 0);
    }
    if (i + 1 >= argc || run.each == 0) {
        fprintf(stderr, "usage: vectors_286_cases [--inorder] [--each N] METADATA FILE...\n");
        return 64;
    }
    run.nr_explained = nr_explained;
    run.metadata = read_metadata(argv[i]);
    run.core = vector_core_create(is_timed);
    if (!run.metadata || !run.core) {
        fprintf(stderr, "vectors_286: %s: no metadata, or no memory\n", argv[i]);
        return 70;
    }
    for (i++; i < argc; i++)
        is_good &= run_file(&run, argv[i]);
    summarise(&run, is_timed);
    cJSON_Delete(run.metadata);
    vector_core_destroy(run.core);
    return !is_good || run.nr_differences != 0;
}
