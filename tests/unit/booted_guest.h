/* The bundled guest on a machine of its own, for tests that look at what it does. */
#ifndef LK_TESTS_UNIT_BOOTED_GUEST_H
#define LK_TESTS_UNIT_BOOTED_GUEST_H

#include "sim/machine.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* Its image: LK_KERNEL, which tests/run sets, or a build's. */
static inline const char *kernel_image(void)
{
    const char *file = getenv("LK_KERNEL");
    return file ? file : "build/guest/kernel-i386.elf";
}

struct booted_guest {
    struct cfg *cfg;
    struct machine *machine;
    struct diag diag;
};

/*
 * Runs it to cycle `until`, with one setting of the configuration. `with` says who watches; its config is not
 * used. NULL: nobody does.
 */
static inline void boot_guest(struct booted_guest *guest, const char *setting,
                              const struct machine_params *with, const char *arguments, cycle_t until)
{
    struct machine_params params = with ? *with : (struct machine_params){.opaque = NULL};
    diag_init(&guest->diag);
    guest->cfg = cfg_create();
    cr_assert(cfg_set(guest->cfg, setting, &guest->diag) && cfg_check(guest->cfg, &guest->diag));
    params.config = cfg_values(guest->cfg);
    guest->machine = machine_create(&params, &guest->diag);
    cr_assert(machine_load(guest->machine, kernel_image(), arguments, NULL, 0, &guest->diag), "%s",
              guest->diag.nr_lines ? guest->diag.lines[0] : "");
    cr_assert_eq(machine_run(guest->machine, until), MACHINE_RUNNING);
}

static inline void end_guest(struct booted_guest *guest)
{
    machine_destroy(guest->machine);
    cfg_destroy(guest->cfg);
    diag_fini(&guest->diag);
}

#endif
