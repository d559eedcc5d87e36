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

static struct seen look(const struct vector_case *c, const struct vector_result *ours)
{
    struct seen seen = {.c = c, .ours = ours};
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

static bool rule_lock(const struct seen *seen)
{
    /* With nothing where the handler should be, a core may shut down before the #UD is seen. */
    return seen->is_locked && (seen->ours->exception == EXCEPTION_UD || seen->ours->is_shut_down);
}

static bool rule_string_restart(const struct seen *seen)
{
    bool is_string = (seen->opcode >= 0x6c && seen->opcode <= 0x6f) ||
                     (seen->opcode >= 0xa4 && seen->opcode <= 0xaf && (seen->opcode & 0xfe) != 0xa8);
    bool is_where_it_was = seen->ours->reg[VECTOR_SI] == seen->c->before.reg[VECTOR_SI] ||
                           seen->ours->reg[VECTOR_DI] == seen->c->before.reg[VECTOR_DI] ||
                           seen->nr_prefixes > 0;
    return is_string && is_where_it_was && seen->c->exception == EXCEPTION_GP &&
           seen->ours->exception == EXCEPTION_GP;
}

static bool rule_pop_restart(const struct seen *seen)
{
    return seen->opcode == 0x8f && seen->c->exception == EXCEPTION_GP &&
           seen->ours->exception == EXCEPTION_GP &&
           seen->ours->reg[VECTOR_SP] == (uint16_t)(seen->c->before.reg[VECTOR_SP] - 6);
}

static bool rule_fs_gs(const struct seen *seen)
{
    unsigned reg = seen->modrm >> 3 & 7;
    return (seen->opcode == 0x8c || seen->opcode == 0x8e) && (reg == 4 || reg == 5) &&
           seen->c->exception == EXCEPTION_UD && seen->ours->exception != EXCEPTION_UD;
}

static bool rule_stack_fault(const struct seen *seen)
{
    return seen->c->exception == EXCEPTION_GP && seen->ours->exception == EXCEPTION_SS;
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
           seen->c->exception == VECTOR_NO_EXCEPTION && seen->ours->exception == EXCEPTION_DE;
}

static bool rule_aam_zero(const struct seen *seen)
{
    return seen->opcode == 0xd4 && seen->modrm == 0 && seen->c->exception == EXCEPTION_DE &&
           seen->ours->exception == EXCEPTION_DE &&
           memcmp(seen->ours->reg, seen->c->after.reg, VECTOR_FLAGS * sizeof *seen->ours->reg) == 0;
}

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
    struct seen seen = look(&run->c, ours);
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
