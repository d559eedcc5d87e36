#include "sim/report_where.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_BRANCHES = 256, /* that are told apart */
    MAX_BRANCHES_SHOWN = 16,
    MAX_INSN_BYTES = 15,
};

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

void report_branches(struct machine *machine, const struct elf_symbols *symbols, uint64_t nr_steps, FILE *to)
{
    const struct cpu *cpu = machine_parts(machine).cpu;
    struct branches branches = {.nr = 0};
    uint64_t nr_done = 0;
    enum machine_end why = machine_how_ended(machine);
    while (nr_done < nr_steps && why == MACHINE_RUNNING) {
        struct cpu_state before = cpu_state(cpu);
        why = machine_step(machine, EV_NEVER);
        nr_done++;
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
    fprintf(to, "branches in the %" PRIu64 " instructions that follow%s:\n", nr_done,
            branches.nr > MAX_BRANCHES_SHOWN || branches.is_full ? ", the most frequent" : "");
    for (unsigned i = 0; i < branches.nr && i < MAX_BRANCHES_SHOWN; i++) {
        char from[128], at[128];
        elf_symbols_place(symbols, branches.branch[i].from, from, sizeof from);
        elf_symbols_place(symbols, branches.branch[i].to, at, sizeof at);
        fprintf(to, "  %6u times from %s to %s\n", branches.branch[i].nr, from, at);
    }
}
