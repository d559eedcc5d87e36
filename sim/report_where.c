#include "sim/report_where.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_FRAMES = 24,
    MAX_FRAME_BYTES = 1 << 16, /* a caller's frame that lies further up is no frame */
    MAX_SCANNED_BYTES = 4096,  /* of the stack, where there are no frames */
    NR_STEPS = 20000,
    MAX_BRANCHES = 256, /* that are told apart */
    MAX_BRANCHES_SHOWN = 16,
    MAX_INSN_BYTES = 15,
};

/*
 * A return address is behind its call, which may be the last instruction of a function: it is that of the
 * byte before, and a byte.
 */
static void print_return(uint64_t at, bool is_sure, const struct elf_symbols *symbols, FILE *to)
{
    uint64_t offset;
    const char *name = elf_symbols_find(symbols, at - 1, &offset);
    fprintf(to, "  %08" PRIx64 " %s", at, is_sure ? "" : "? ");
    if (name)
        fprintf(to, "%.80s+%#" PRIx64 "\n", name, offset + 1);
    else
        fprintf(to, "%08" PRIx64 "\n", at);
}

/* A word of the stack, 4 or 8 bytes. */
static bool peek_word(const struct cpu *cpu, uint64_t at, unsigned bytes, uint64_t *word)
{
    *word = 0;
    return cpu_peek(cpu, laddr(at), word, bytes);
}

/* How many calls the chain of frame pointers tells of. */
static unsigned print_frames(const struct cpu *cpu, const struct cpu_state *s, unsigned bytes,
                             const struct elf_symbols *symbols, FILE *to)
{
    uint64_t sp = s->gpr[4] + (bytes == 8 ? 0 : s->segment[2].hidden.base), frame = s->gpr[5];
    unsigned nr = 0;
    for (; nr < MAX_FRAMES; nr++) {
        uint64_t caller, return_to;
        if (frame % bytes != 0 || frame < sp || frame - sp > MAX_FRAME_BYTES ||
            !peek_word(cpu, frame, bytes, &caller) || !peek_word(cpu, frame + bytes, bytes, &return_to) ||
            return_to == 0)
            break;
        print_return(return_to, true, symbols, to);
        sp = frame + 1;
        frame = caller;
    }
    return nr;
}

static void print_scanned(const struct cpu *cpu, const struct cpu_state *s, unsigned bytes,
                          const struct elf_symbols *symbols, FILE *to)
{
    unsigned nr = 0;
    uint64_t word, offset, sp = s->gpr[4] & ~(uint64_t)(bytes - 1);
    for (unsigned i = 0; i < MAX_SCANNED_BYTES && nr < MAX_FRAMES; i += bytes) {
        if (!peek_word(cpu, sp + i, bytes, &word))
            return;
        if (elf_symbols_find(symbols, word - 1, &offset)) {
            print_return(word, false, symbols, to);
            nr++;
        }
    }
}

void report_calls(const struct machine *machine, const struct elf_symbols *symbols, FILE *to)
{
    const struct cpu *cpu = machine_parts(machine).cpu;
    struct cpu_state s = cpu_state(cpu);
    unsigned bytes = cpu_state_is_64bit_code(&s) ? 8 : 4;
    fprintf(to, "calls, the innermost first:\n");
    char place[128];
    elf_symbols_place(symbols, cpu_state_code_linear(&s), place, sizeof place);
    fprintf(to, "  %08" PRIx64 " %s\n", cpu_state_code_linear(&s), place);
    if (print_frames(cpu, &s, bytes, symbols, to) < 2 && symbols)
        print_scanned(cpu, &s, bytes, symbols, to);
}

struct branch {
    uint64_t from, to;
    unsigned nr;
};

struct branches {
    struct branch branch[MAX_BRANCHES];
    unsigned nr;
    bool is_full; /* there were others */
};

static void add_branch(struct branches *branches, uint64_t from, uint64_t to)
{
    for (unsigned i = 0; i < branches->nr; i++) {
        if (branches->branch[i].from == from && branches->branch[i].to == to) {
            branches->branch[i].nr++;
            return;
        }
    }
    branches->is_full |= branches->nr == MAX_BRANCHES;
    if (!branches->is_full)
        branches->branch[branches->nr++] = (struct branch){.from = from, .to = to, .nr = 1};
}

/* The most frequent first; of equals that which was seen first. */
static int compare(const void *a, const void *b)
{
    const struct branch *p = a, *q = b;
    return p->nr < q->nr ? 1 : p->nr > q->nr ? -1 : p < q ? -1 : 1;
}

void report_branches(struct machine *machine, const struct elf_symbols *symbols, FILE *to)
{
    const struct cpu *cpu = machine_parts(machine).cpu;
    struct branches branches = {.nr = 0};
    unsigned nr_steps = 0;
    enum machine_end why = MACHINE_RUNNING;
    while (nr_steps < NR_STEPS && why == MACHINE_RUNNING) {
        struct cpu_state before = cpu_state(cpu);
        why = machine_step(machine);
        nr_steps++;
        struct cpu_state after = cpu_state(cpu);
        uint64_t from = cpu_state_code_linear(&before), at = cpu_state_code_linear(&after);
        /*
         * The instruction's length is not known here: what goes less far forward than one can be long
         * passes for no branch.
         */
        if (at <= from || at - from > MAX_INSN_BYTES)
            add_branch(&branches, from, at);
    }
    qsort(branches.branch, branches.nr, sizeof *branches.branch, compare);
    fprintf(to, "branches in the %u instructions that follow%s:\n", nr_steps,
            branches.nr > MAX_BRANCHES_SHOWN || branches.is_full ? ", the most frequent" : "");
    for (unsigned i = 0; i < branches.nr && i < MAX_BRANCHES_SHOWN; i++) {
        char from[128], at[128];
        elf_symbols_place(symbols, branches.branch[i].from, from, sizeof from);
        elf_symbols_place(symbols, branches.branch[i].to, at, sizeof at);
        fprintf(to, "  %6u times from %s to %s\n", branches.branch[i].nr, from, at);
    }
}
