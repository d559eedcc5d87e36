/*
 * Oracle: our executors against the CPU this runs on (x86-64), which is as far from our code as can be. The
 * cases are all forms of instructions that the decoder knows, in 16-, 32- and 64-bit code, with random
 * prefixes, addressing, registers, flags and memory. Registers, flags that the manual defines, memory,
 * exceptions and page faults must agree, in all three models.
 *
 *     host_cpu [--cases N] [--seed S] [--case K] [--forms] [--masks]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/oracle/host_forms.h"
#include "tests/oracle/host_values.h"

static struct {
    struct host_forms forms;
    unsigned *chosen; /* forms that are run */
    unsigned nr_chosen;
} all;

static const char *excluded_op(enum dec_op op)
{
    switch (op) {
#define EXCLUDED(id, why)                                                                                    \
    case DEC_##id:                                                                                           \
        return why;
#include "tests/oracle/host_excluded.def"
#undef EXCLUDED
    default:
        return NULL;
    }
}

static const char *excluded(unsigned form)
{
    const struct host_form *f = &all.forms.form[form];
    const char *why = excluded_op(f->op);
    if (!why && f->op >= DEC_LDS && f->op <= DEC_LSS && f->operand[1].size_bytes == 10)
        why = "AMD has no far pointers with 64 bits of offset (opcodes_1byte.def)";
    if (!why && f->is_fx)
        why = "x87, MMX and SSE: see host_x87 and host_sse";
    return why;
}

static const char *form_name(unsigned form)
{
    return host_form_name(&all.forms.form[form]);
}

static enum dec_op form_op(unsigned form)
{
    return all.forms.form[form].op;
}

static void make(struct host_case *c, uint64_t seed, uint64_t number, const uint8_t data[HOST_DATA_BYTES])
{
    struct host_random r = host_random(seed, number);
    unsigned form = all.chosen[number % all.nr_chosen];
    uint32_t offsets[2];
    do {
        offsets[0] = host_data_offset(&r);
        offsets[1] = host_one_in(&r, 2) ? offsets[0] + host_below(&r, 65) - 32 : host_data_offset(&r);
        host_case_init(c, &r, all.forms.form[form].mode, offsets);
        c->form = form;
    } while (!host_fill_in(c, &r, &all.forms, &all.forms.form[form], offsets, data));
}

int main(int argc, char **argv)
{
    struct host_generator generator = {
        .program = "host_cpu",
        .default_cases = 100000 / LK_ORACLE_SHARE,
        .form_name = form_name,
        .form_op = form_op,
        .excluded = excluded,
        .make = make,
    };
    if (!host_forms_init(&all.forms) || !(all.chosen = calloc(all.forms.nr_forms, sizeof *all.chosen))) {
        fprintf(stderr, "host_cpu: out of memory\n");
        return 70;
    }
    for (unsigned i = 0; i < all.forms.nr_forms; i++)
        if (!excluded(i) && ours_can_run(all.forms.form[i].mode))
            all.chosen[all.nr_chosen++] = i;
    generator.nr_forms = all.forms.nr_forms;
    int status = host_main(argc, argv, &generator);
    free(all.chosen);
    host_forms_fini(&all.forms);
    return status;
}
