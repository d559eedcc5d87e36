/* Labs about the guest's kernel as a whole: how it begins, and how it ends when it is broken. */
#include "sim/bundled.h"
#include "sim/lab_checks.h"
#include "sim/load/elf_symbols.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- The boot ---- */

/* Whether the step is there behind `*from`, which becomes the one after it. */
static bool find_step(const struct lab_outcome *outcome, const char *name, unsigned *from)
{
    for (unsigned i = *from; i < outcome->nr_steps; i++) {
        if (strncmp(outcome->steps[i].name, name, strlen(name)) == 0) {
            *from = i + 1;
            return true;
        }
    }
    return false;
}

void lab_check_boot(struct lab_result *result)
{
    static const char *const steps[] = {
        "entry: 32-bit protected mode, no paging",
        "boot page tables",
        "paging is on",
        "start_kernel",
        "early console",
        "command line",
        "gdt",
        "memblock",
        "paging",
        "zones",
        "buddy",
        "slab",
        "timer",
        "devices",
        "lab",
    };
    const struct lab_outcome *outcome = &result->outcomes[0];
    unsigned at = 0;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (!find_step(outcome, steps[i], &at))
            lab_claim(result, false, "the boot has the step \"%s\", in its place", steps[i]);
    }
    bool is_forward = outcome->nr_steps > 0;
    for (unsigned i = 1; i < outcome->nr_steps; i++)
        is_forward &= outcome->steps[i].cycle > outcome->steps[i - 1].cycle &&
                      outcome->steps[i].instructions > outcome->steps[i - 1].instructions;
    lab_claim(result, is_forward && at > 0,
              "%u steps, each of which takes time; the last begins at cycle %" PRIu64, outcome->nr_steps,
              outcome->nr_steps ? outcome->steps[outcome->nr_steps - 1].cycle : 0);
}

/* ---- The end ---- */

/* The line that begins so, or NULL. */
static const char *find_line(const struct lab_outcome *outcome, const char *begin)
{
    for (size_t i = 0; i < outcome->lines.nr; i++) {
        const char *text = outcome->lines.line[i].text;
        if (strncmp(text, begin, strlen(begin)) == 0)
            return text;
    }
    return NULL;
}

static void claim_line(struct lab_result *result, const char *begin)
{
    lab_claim(result, find_line(&result->outcomes[0], begin), "the report has \"%s\"", begin);
}

enum { NAME_CHARS = 64 };

/*
 * Lines of the call trace, " [<c0101234>] function+0x12": the functions, in this order, and each with the
 * name and the offset that the symbol table of the kernel's file has for the address.
 */
static void check_trace(struct lab_result *result, const char *const functions[], unsigned nr_functions)
{
    const struct lab_outcome *outcome = &result->outcomes[0];
    char kernel[NAME_CHARS], image[4096], name[NAME_CHARS];
    struct diag diag;
    diag_init(&diag);
    snprintf(kernel, sizeof kernel, "kernel-%s.elf", result->kernel);
    struct elf_symbols *symbols =
        bundled_image("lab", kernel, image, sizeof image, &diag) ? elf_symbols_load(image) : NULL;
    unsigned nr_lines = 0, nr_right = 0, nr_found = 0;
    for (size_t i = 0; i < outcome->lines.nr; i++) {
        unsigned address, printed;
        uint64_t offset;
        if (sscanf(outcome->lines.line[i].text, " [<%8x>] %63[^+]+0x%x", &address, name, &printed) != 3)
            continue;
        const char *function = elf_symbols_find(symbols, address, &offset);
        nr_right += function && strcmp(function, name) == 0 && offset == printed;
        nr_found += nr_found < nr_functions && strcmp(name, functions[nr_found]) == 0;
        nr_lines++;
    }
    elf_symbols_free(symbols);
    diag_fini(&diag);
    lab_claim(result, nr_lines > 0 && nr_right == nr_lines,
              "%u lines of the call trace, %u of them as the kernel's symbol table has it", nr_lines,
              nr_right);
    lab_claim(result, nr_found == nr_functions, "they have the callers, from %s up to %s", functions[0],
              functions[nr_functions - 1]);
}

void lab_check_oops(struct lab_result *result)
{
    static const char *const callers[] = {"oops_middle", "oops_outer", "oops", "lab_thread", "ret_from_fork"};
    claim_line(result, "BUG: unable to handle kernel NULL pointer dereference at 00000123");
    claim_line(result, "Oops: 0002"); /* a write, by the kernel, to what is not present */
    claim_line(result, "EIP is at oops_inner+0x");
    claim_line(result, "EAX: 11111111 EBX: 22222222 ECX: 33333333 EDX: 44444444");
    claim_line(result, "ESI: 55555555 EDI: 66666666 EBP: ");
    check_trace(result, callers, sizeof callers / sizeof *callers);
    claim_line(result, "Kernel panic - not syncing: Fatal exception");
}

void lab_check_bug(struct lab_result *result)
{
    static const char *const callers[] = {"bug_middle", "bug_outer", "bug", "lab_thread", "ret_from_fork"};
    claim_line(result, "kernel BUG at guest/labs/oops.c:");
    claim_line(result, "invalid opcode: 0000");
    claim_line(result, "EIP is at bug_inner+0x");
    check_trace(result, callers, sizeof callers / sizeof *callers);
    claim_line(result, "Kernel panic - not syncing: Fatal exception");
}
