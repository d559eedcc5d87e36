#include "sim/observe/monitor.h"

#include "sim/observe/backtrace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 4, WORD_CHARS = 256, MAX_COUNT = 4096 };

struct words {
    char text[WORD_CHARS];
    char *word[MAX_WORDS];
    unsigned nr;
};

/* False: too long, or too many of them. */
static bool split(struct words *words, const char *line)
{
    words->nr = 0;
    if (strlen(line) >= sizeof words->text)
        return false;
    snprintf(words->text, sizeof words->text, "%s", line);
    char *rest = words->text, *word;
    while ((word = strtok_r(rest, " \t\r\n", &rest))) {
        if (words->nr == MAX_WORDS)
            return false;
        words->word[words->nr++] = word;
    }
    return true;
}

static const char *argument(const struct words *words, unsigned i)
{
    return i < words->nr ? words->word[i] : "";
}

/* ---- Addresses and counts ---- */

static bool parse_number(const char *text, uint64_t *value)
{
    char *end;
    *value = strtoull(text, &end, 0);
    return text[0] >= '0' && text[0] <= '9' && !*end;
}

/* $eax, $rax, $pc, $sp ... */
static bool parse_register(const struct monitor_params *monitor, const char *name, uint64_t *value)
{
    static const char *const names[] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
    struct cpu_state s = cpu_state(monitor->cpu);
    const char *rest = name + ((name[0] == 'e' || name[0] == 'r') && name[1] ? 1 : 0);
    if (strcmp(name, "pc") == 0 || strcmp(rest, "ip") == 0) {
        *value = cpu_state_code_linear(&s);
        return true;
    }
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(rest, names[i]) == 0) {
            *value = s.gpr[i];
            return true;
        }
    }
    const struct {
        const char *name;
        uint64_t value;
    } others[] = {{"cr2", s.cr2}, {"cr3", s.cr3}, {"gdt", s.gdt_base}, {"idt", s.idt_base}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strcmp(name, others[i].name) == 0) {
            *value = others[i].value;
            return true;
        }
    }
    char *end;
    unsigned long number = strtoul(rest, &end, 10);
    bool is_wide = name[0] == 'r' && rest[0] >= '1' && rest[0] <= '9' && !*end && number >= 8 && number < 16;
    *value = is_wide ? s.gpr[number] : 0;
    return is_wide || (strcmp(name, "r8") == 0 && (*value = s.gpr[8], true));
}

bool monitor_parse_address(const struct monitor_params *monitor, const char *text, uint64_t *address,
                           FILE *to)
{
    char name[WORD_CHARS];
    size_t length = strcspn(text, "+-");
    uint64_t offset = 0;
    snprintf(name, sizeof name, "%.*s", (int)length, text);
    bool is_good = name[0] == '$'                ? parse_register(monitor, name + 1, address)
                   : parse_number(name, address) ? true
                                                 : elf_symbols_address(monitor->symbols, name, address);
    if (text[length])
        is_good = parse_number(text + length + 1, &offset) && is_good;
    *address += text[length] == '-' ? 0 - offset : offset;
    if (!is_good)
        fprintf(to, "'%s' is no address; allowed: 0x1000, $eip, a symbol, and +N or -N behind it\n", text);
    return is_good;
}

/* ---- The commands ---- */

struct context {
    const struct monitor_params *monitor;
    const struct words *words;
    const char *format; /* what was behind a slash */
    uint64_t nr_steps;
    enum monitor_wish wish;
    FILE *to;
};

static void show_tlbs(struct context *c)
{
    const struct monitor_params *m = c->monitor;
    const struct {
        const char *name;
        const struct tlb *tlb;
    } tlbs[] = {{"itlb", m->itlb}, {"dtlb", m->dtlb}, {"l2", m->l2_tlb}};
    const char *name = argument(c->words, 2);
    bool is_found = false;
    if (!m->dtlb) {
        fputs("cpu.model is functional, which has no TLBs\n", c->to);
        return;
    }
    for (size_t i = 0; i < sizeof tlbs / sizeof *tlbs; i++) {
        if (*name && strcmp(name, tlbs[i].name) != 0)
            continue;
        is_found = true;
        monitor_show_tlb(m->cpu, tlbs[i].name, tlbs[i].tlb, c->to);
    }
    if (!is_found)
        fprintf(c->to, "info tlb: '%s'; allowed: itlb, dtlb, l2, or nothing for all\n", name);
}

static void show_caches(struct context *c)
{
    const struct monitor_params *m = c->monitor;
    const struct {
        const char *name;
        const struct cache *cache;
    } caches[] = {{"l1i", m->l1i}, {"l1d", m->l1d}, {"l2", m->l2}, {"l3", m->l3}};
    const char *name = argument(c->words, 2);
    bool is_found = false;
    if (!m->l1d) {
        fputs("cpu.model is functional, which has no caches\n", c->to);
        return;
    }
    for (size_t i = 0; i < sizeof caches / sizeof *caches; i++) {
        if (!caches[i].cache || (*name && strcmp(name, caches[i].name) != 0))
            continue;
        is_found = true;
        monitor_show_cache(caches[i].name, caches[i].cache, *name, c->to);
    }
    if (!is_found)
        fprintf(c->to, "info cache: '%s'; allowed: l1i, l1d, l2, l3 as far as they are there, or nothing\n",
                name);
}

static void show_statistics(struct context *c, const char *part)
{
    c->monitor->statistics(c->monitor->opaque, part, c->to);
}

/* The third word as an address. True also when there is none; *value is NULL then. */
static bool optional_address(struct context *c, uint64_t *storage, const uint64_t **value)
{
    const char *text = argument(c->words, 2);
    *value = *text ? storage : NULL;
    return !*text || monitor_parse_address(c->monitor, text, storage, c->to);
}

static void show_frames(struct context *c)
{
    uint64_t storage;
    const uint64_t *address;
    if (optional_address(c, &storage, &address))
        monitor_show_owners(c->monitor->kernel, address, c->to);
}

static void show_areas(struct context *c)
{
    const char *text = argument(c->words, 2);
    uint64_t pid;
    if (*text && !parse_number(text, &pid))
        fprintf(c->to, "info vmas: '%s' is no process number\n", text);
    else
        monitor_show_areas(c->monitor->kernel, c->monitor->cpu, *text ? &pid : NULL, c->to);
}

static void info(struct context *c)
{
    const char *what = argument(c->words, 1);
    const struct cpu *cpu = c->monitor->cpu;
    if (strcmp(what, "registers") == 0)
        monitor_show_registers(cpu, c->to);
    else if (strcmp(what, "segments") == 0)
        monitor_show_segments(cpu, c->to);
    else if (strcmp(what, "mem") == 0)
        monitor_show_mappings(cpu, c->to);
    else if (strcmp(what, "tlb") == 0)
        show_tlbs(c);
    else if (strcmp(what, "cache") == 0)
        show_caches(c);
    else if (strcmp(what, "stats") == 0)
        show_statistics(c, argument(c->words, 2));
    else if (strcmp(what, "processes") == 0)
        monitor_show_processes(c->monitor->kernel, c->to);
    else if (strcmp(what, "frames") == 0)
        show_frames(c);
    else if (strcmp(what, "zones") == 0)
        monitor_show_zones(c->monitor->kernel, c->to);
    else if (strcmp(what, "vmas") == 0)
        show_areas(c);
    else
        fprintf(c->to,
                "info: '%s'; allowed: registers, segments, mem, tlb, cache, stats, processes, vmas, frames, "
                "zones\n",
                what);
}

static void backtrace(struct context *c)
{
    backtrace_print(c->monitor->cpu, c->monitor->symbols, c->to);
}

static void walk(struct context *c)
{
    uint64_t address;
    if (monitor_parse_address(c->monitor, argument(c->words, 1), &address, c->to))
        monitor_show_walk(c->monitor->cpu, address, c->to);
}

static void statistics(struct context *c)
{
    show_statistics(c, argument(c->words, 1));
}

/* As gdb and QEMU have it: "4xw", in any order behind the count. */
static bool parse_format(const char *text, struct monitor_format *format)
{
    char *end;
    bool has_digits = text[0] >= '0' && text[0] <= '9';
    *format = (struct monitor_format){.count = 1, .format = 'x', .size_bytes = 4};
    if (has_digits)
        format->count = strtoull(text, &end, 10);
    for (text = has_digits ? end : text; *text; text++) {
        static const char sizes[] = "bhwg";
        const char *size = strchr(sizes, *text);
        if (size)
            format->size_bytes = 1u << (size - sizes);
        else if (strchr("xduoci", *text))
            format->format = *text;
        else
            return false;
    }
    if (format->format == 'c')
        format->size_bytes = 1;
    return format->count >= 1 && format->count <= MAX_COUNT;
}

static void examine_as(struct context *c, bool is_physical)
{
    struct monitor_format format;
    uint64_t address;
    if (!parse_format(c->format, &format))
        fprintf(c->to, "'/%s': allowed: a count to %d, one of x d u o c i, one of b h w g\n", c->format,
                MAX_COUNT);
    else if (monitor_parse_address(c->monitor, argument(c->words, 1), &address, c->to))
        monitor_show_memory(c->monitor->cpu, &format, address, is_physical, c->to);
}

static void examine(struct context *c)
{
    examine_as(c, false);
}

static void examine_physical(struct context *c)
{
    examine_as(c, true);
}

/* To go on for as many instructions as the command says, for `unsaid` where it does not. */
static void wish_steps(struct context *c, enum monitor_wish wish, uint64_t unsaid)
{
    c->nr_steps = unsaid;
    if (c->words->nr > 1 && (!parse_number(c->words->word[1], &c->nr_steps) || c->nr_steps == 0))
        fprintf(c->to, "%s: '%s' is no count\n", c->words->word[0], c->words->word[1]);
    else
        c->wish = wish;
}

static void step(struct context *c)
{
    wish_steps(c, MONITOR_STEP, 1);
}

static void branches(struct context *c)
{
    wish_steps(c, MONITOR_BRANCHES, 1000);
}

static void go_on(struct context *c)
{
    c->wish = MONITOR_CONTINUE;
}

static void quit(struct context *c)
{
    c->wish = MONITOR_QUIT;
}

static void dump(struct context *c)
{
    if (c->words->nr < 2)
        fputs("dump: wants a file for the ELF core\n", c->to);
    else
        c->monitor->dump(c->monitor->opaque, c->words->word[1], c->to);
}

static void checkpoint(struct context *c)
{
    if (c->words->nr < 2)
        fputs("checkpoint: wants a directory\n", c->to);
    else
        c->monitor->checkpoint(c->monitor->opaque, c->words->word[1], c->to);
}

static void help(struct context *c);

static const struct command {
    const char *name, *operands, *sentence;
    void (*run)(struct context *c);
    bool has_format;
    unsigned max_operands;
} commands[] = {
    {"help", "", "this list", help, false, 1},
    {"info", "registers", "registers of the processor", info, false, 2},
    {"info", "segments", "segments and descriptor tables", NULL, false, 0},
    {"info", "mem", "what the page tables map, in runs of equal rights", NULL, false, 0},
    {"info", "tlb [itlb|dtlb|l2]", "what the TLBs hold, and what of it is stale", NULL, false, 0},
    {"info", "cache [l1i|l1d|l2|l3]", "how full the caches are; of one: its lines", NULL, false, 0},
    {"info", "stats [PART]", "statistics whose names contain PART", NULL, false, 0},
    {"info", "processes", "the guest's processes, by its kernel's list", NULL, false, 0},
    {"info", "vmas [PID]", "the areas of a process's address space", NULL, false, 0},
    {"info", "frames [ADDRESS]", "owners of the frames of memory; of one by physical address", NULL, false,
     0},
    {"info", "zones", "the kernel's zones of memory", NULL, false, 0},
    {"bt", "", "where the guest is and who has called", backtrace, false, 0},
    {"walk", "ADDRESS", "the page walk to a linear address, entry by entry", walk, false, 1},
    {"stats", "[PART]", "the same as info stats", statistics, false, 1},
    {"x", "/NFU ADDRESS", "memory by linear address: N units in format x d u o c i, of size b h w g", examine,
     true, 1},
    {"xp", "/NFU ADDRESS", "memory by physical address", examine_physical, true, 1},
    {"step", "[N]", "runs an instruction, or N", step, false, 1},
    {"branches", "[N]", "runs 1000 instructions, or N, and shows between which places they branch", branches,
     false, 1},
    {"cont", "", "lets the machine run on", go_on, false, 0},
    {"quit", "", "ends the run", quit, false, 0},
    {"dump", "FILE", "memory and registers as an ELF core", dump, false, 1},
    {"checkpoint", "DIRECTORY", "all of the machine, to go on from by --restore", checkpoint, false, 1},
};
enum { NR_COMMANDS = sizeof commands / sizeof *commands };

static void help(struct context *c)
{
    for (size_t i = 0; i < NR_COMMANDS; i++) {
        const struct command *command = &commands[i];
        char usage[64];
        snprintf(usage, sizeof usage, "%s%s%s", command->name, command->has_format ? "" : " ",
                 command->operands);
        fprintf(c->to, "%-28s %s\n", usage, command->sentence);
    }
}

/* The name ends at a slash where the command takes a format. */
static bool is_called(const struct command *command, const char *word, const char **format)
{
    size_t length = strlen(command->name);
    *format = "";
    if (!command->run || strncmp(word, command->name, length) != 0)
        return false;
    if (command->has_format && word[length] == '/')
        *format = word + length + 1;
    return !word[length] || (command->has_format && word[length] == '/');
}

enum monitor_wish monitor_obey(const struct monitor_params *monitor, const char *line, uint64_t *nr_steps,
                               FILE *to)
{
    struct words words;
    struct context c = {.monitor = monitor, .words = &words, .wish = MONITOR_STAY, .to = to};
    if (!split(&words, line)) {
        fputs("this line is too long; see help\n", to);
        return MONITOR_STAY;
    }
    if (words.nr == 0)
        return MONITOR_STAY;
    for (size_t i = 0; i < NR_COMMANDS; i++) {
        if (!is_called(&commands[i], words.word[0], &c.format))
            continue;
        if (words.nr - 1 > commands[i].max_operands)
            fprintf(to, "%s: '%s' is one word too many; see help\n", commands[i].name,
                    words.word[commands[i].max_operands + 1]);
        else
            commands[i].run(&c);
        *nr_steps = c.nr_steps;
        return c.wish;
    }
    fprintf(to, "'%s' is no command; see help\n", words.word[0]);
    return MONITOR_STAY;
}
